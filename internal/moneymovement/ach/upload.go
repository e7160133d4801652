package ach

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/moneymovement/ach/nacha"
	"mandate/internal/moneymovement/ach/recipients"
)

// readers is how many strangers' files are read at once: each may take a good
// part of a hundred megabytes.
const readers = 2

// alone waits for a place among the readers.
func (s *Service) alone(ctx context.Context) (leave func(), err error) {
	select {
	case s.reading <- struct{}{}:
		return func() { <-s.reading }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// DuplicateFile is the code of a file that was uploaded before.
const DuplicateFile = "DUPLICATE_FILE"

// fileTarget is a file as history names it.
func fileTarget() activity.Target {
	return activity.Target{Kind: activity.TargetPayment, ID: "ach", Name: "ACH file"}
}

// An Upload is a NACHA file and what becomes of it.
type Upload struct {
	ID         BatchID // of the first batch, where the caller names it; empty: one is made for each
	Name       string  // of the batches; several are numbered
	Category   CategoryID
	Restricted bool
	Again      bool // although the same file was uploaded before
	File       io.Reader
	Progress   nacha.Progress

	also   func(tx *db.Tx, made []BatchID) error // in the change that makes the batches; nil: nothing
	stored func(entries int)                     // hears of entries as they are stored; nil: nobody does
}

// BatchID is the id of the i-th batch of a file whose ids the caller names.
func (u *Upload) BatchID(i int) BatchID {
	if i == 0 {
		return u.ID
	}
	return BatchID(fmt.Sprintf("%s-%d", u.ID, i+1))
}

// UploadFile makes batches of a NACHA file. It is read before anything is
// locked, and exactly what was read is stored.
func (s *Service) UploadFile(ctx context.Context, caller bank.Caller, u Upload) (ids []BatchID, err error) {
	action := doing("ach.batch_uploaded", caller.Organization, fileTarget())
	rules, err := s.mayUpload(ctx, caller, action, u.Restricted)
	if err != nil {
		return nil, err
	}
	file, err := s.readFile(ctx, u, rules)
	if err != nil {
		return nil, err
	}
	err = s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		if ids, err = s.keepUpload(c, u, rules, file); err != nil || u.also == nil {
			return err
		}
		return u.also(c.Tx, ids)
	})
	return ids, err
}

// permitUpload asks for the right to upload, and for the one to mark what is
// uploaded as restricted.
func permitUpload(c *guard.Change, restricted bool) error {
	if err := permit(c, catalog.ACHFileUpload, asking{}); err != nil {
		return err
	}
	return permit(c, catalog.ACHBatchView, asking{restricted: restricted})
}

// mayUpload decides before a file is read, so that a stranger's bytes cost
// nothing, and finds the rules to read it by.
func (s *Service) mayUpload(ctx context.Context, caller bank.Caller, action guard.Action, restricted bool) (rules nacha.Rules, err error) {
	err = s.guard.Do(guard.Asking(ctx), caller, action, func(c *guard.Change) error {
		if err := permitUpload(c, restricted); err != nil {
			return err
		}
		rules, err = rulesAt(c.Tx, place{caller.Institution, caller.Organization})
		return err
	})
	return rules, err
}

func (s *Service) readFile(ctx context.Context, u Upload, rules nacha.Rules) (*nacha.File, error) {
	leave, err := s.alone(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	file, err := nacha.Read(u.File, rules, u.Progress)
	if refusal, ok := errors.AsType[*nacha.Refusal](err); ok {
		return nil, refusalFault(refusal)
	}
	return file, err
}

// refusalFault says all that is wrong with a file, each with its place.
func refusalFault(r *nacha.Refusal) error {
	var problems fault.Problems
	for _, p := range r.Problems {
		field, _, _ := strings.Cut(p.String(), ": ")
		problems.Add(field, p.Sentence)
	}
	if r.More {
		problems.Add("the file", "There are more problems than are said here.")
	}
	f := faultOf(problems.Err("The file cannot be taken."))
	return f.With(r.Code).Because(r)
}

func (s *Service) keepUpload(c *guard.Change, u Upload, rules nacha.Rules, file *nacha.File) (ids []BatchID, err error) {
	at := place{c.Caller.Institution, c.Caller.Organization}
	if err := permitUpload(c, u.Restricted); err != nil {
		return nil, err
	}
	now, err := rulesAt(c.Tx, at)
	if err != nil {
		return nil, err
	}
	if !reflect.DeepEqual(now, rules) {
		return nil, fault.New(fault.Conflict, "Your institution changed its rules just now. Upload the file again.")
	}
	if len(file.Batches) > MaxFileBatches {
		return nil, fault.Newf(fault.Invalid, "A file has at most %d batches.", MaxFileBatches).With(nacha.TooLarge)
	}
	hash := hex.EncodeToString(file.SHA256[:])
	name, found, err := uploadedBefore(c.Tx, at, hash)
	if err != nil {
		return nil, err
	}
	if found && !u.Again {
		return nil, fault.Newf(fault.Conflict, "This file was uploaded before, as %q. Upload it again if you mean to.", name).With(DuplicateFile)
	}
	for i := range file.Batches {
		b, err := s.fromFile(c, at, u, rules, &file.Batches[i], i, len(file.Batches))
		if err != nil {
			return nil, err
		}
		b.SourceHash = hash
		entries := entriesFrom(c.Tx.Now, &file.Batches[i])
		if len(entries) > MaxEntries {
			return nil, fault.Newf(fault.Invalid, "A batch has at most %d entries.", MaxEntries).With(nacha.TooLarge)
		}
		b.summarize(entries)
		if err := s.keepNewSaying(c, at, &b, entries, nil, "ach.batch_uploaded", u.stored); err != nil {
			return nil, err
		}
		ids = append(ids, b.ID)
	}
	return ids, nil
}

// fromFile is a batch of a file.
func (s *Service) fromFile(c *guard.Change, at place, u Upload, rules nacha.Rules, in *nacha.Batch, i, n int) (Batch, error) {
	b := s.fresh(c, FromFile)
	if u.ID != "" {
		b.ID = u.BatchID(i)
	}
	b.State, b.Own, b.Relaxed = Uploaded, u.Restricted, rules.Relaxed
	b.Header = nacha.BatchOf(in.Record)
	b.Name = strings.TrimSpace(u.Name)
	if b.Name == "" {
		b.Name = strings.TrimSpace(in.CompanyName + " " + in.Description)
	}
	if n > 1 {
		b.Name = fmt.Sprintf("%s (%d)", b.Name, i+1)
	}
	b.Name = shorten(b.Name)
	var problems fault.Problems
	if err := b.categorize(c, at, u.Category, &problems); err != nil {
		return Batch{}, err
	}
	return b, problems.Err("The file cannot be taken.")
}

func entriesFrom(now time.Time, in *nacha.Batch) []Entry {
	all := make([]Entry, len(in.Entries))
	for i := range in.Entries {
		all[i] = Entry{Entry: in.Entries[i], EntryID: EntryID(bank.NewID(prefixEntry, now))}
	}
	return all
}

// SetLayout says how the organization's own lists of a format are read.
func (s *Service) SetLayout(ctx context.Context, caller bank.Caller, l recipients.Layout) error {
	if err := l.Check(); err != nil {
		return err
	}
	target := activity.Target{Kind: activity.TargetPayment, ID: "ach", Name: "Import layout"}
	return s.guard.Do(ctx, caller, doing("ach.layout_changed", caller.Organization, target), func(c *guard.Change) error {
		if err := permit(c, catalog.ACHRecipientsImport, asking{}); err != nil {
			return err
		}
		text, err := json.Marshal(l)
		if err != nil {
			return err
		}
		c.RecordQuiet("ach.layout_changed", target, "", activity.Change{Field: string(l.Format), New: string(text)})
		_, err = c.Tx.Exec(`
			insert into ach_layout (institution_id, organization_id, format, layout, by_name, at_micros) values ($1, $2, $3, $4, $5, $6)
			on conflict (institution_id, organization_id, format) do update
			   set layout = excluded.layout, by_name = excluded.by_name, at_micros = excluded.at_micros`,
			caller.Institution, caller.Organization, l.Format, string(text), caller.Name, c.Tx.Now.UnixMicro())
		return err
	})
}

func layoutOf(tx *db.Tx, at place, f recipients.Format) (l recipients.Layout, found bool, err error) {
	text, err := db.One(tx, db.Value[string], `select layout from ach_layout where institution_id = $1 and organization_id = $2 and format = $3`,
		at.institution, at.organization, f)
	if errors.Is(err, db.ErrNoRows) {
		return l, false, nil
	}
	if err != nil {
		return l, false, fmt.Errorf("read the layout: %w", err)
	}
	return l, true, json.Unmarshal([]byte(text), &l)
}

// An Import is a list of recipients for a batch.
type Import struct {
	Batch   BatchID
	Version int64
	Format  recipients.Format
	Replace bool // the batch's recipients; otherwise they stay, and the list's are added
	File    io.Reader
}

// PreviewImport reads a list as Import would, and changes nothing.
func (s *Service) PreviewImport(ctx context.Context, caller bank.Caller, in Import) (*recipients.Preview, error) {
	layout, err := s.mayImport(ctx, caller, in)
	if err != nil {
		return nil, err
	}
	leave, err := s.alone(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	return recipients.Read(in.File, layout)
}

// mayImport decides before a list is read, and finds its layout.
func (s *Service) mayImport(ctx context.Context, caller bank.Caller, in Import) (l recipients.Layout, err error) {
	err = s.guard.Do(guard.Asking(ctx), caller, doing("ach.batch_imported", caller.Organization, batchTarget(in.Batch)), func(c *guard.Change) error {
		at := place{caller.Institution, caller.Organization}
		b, err := s.seen(c, at, in.Batch)
		if err != nil {
			return err
		}
		if err := permit(c, catalog.ACHRecipientsImport, asking{restricted: b.Restricted()}); err != nil {
			return err
		}
		var found bool
		if l, found, err = layoutOf(c.Tx, at, in.Format); err == nil && !found {
			err = fault.Newf(fault.Conflict, "Set up the layout for %s first.", in.Format.Label()).With("NO_LAYOUT")
		}
		return err
	})
	return l, err
}

// ImportRecipients loads a list into a batch: all of it, or nothing where
// anything is wrong with it. It counts as editing.
func (s *Service) ImportRecipients(ctx context.Context, caller bank.Caller, in Import) (*recipients.Preview, error) {
	return s.load(ctx, caller, in, nil)
}

// load loads a list, with what else must happen in the same change.
func (s *Service) load(ctx context.Context, caller bank.Caller, in Import, also func(tx *db.Tx) error) (*recipients.Preview, error) {
	p, err := s.PreviewImport(ctx, caller, in)
	if err != nil {
		return nil, err
	}
	if err := previewFault(p); err != nil {
		return p, err
	}
	var set []EntryDraft
	for _, r := range p.Recipients {
		set = append(set, EntryDraft{Recipient: r})
	}
	err = s.guard.Do(ctx, caller, doing("ach.batch_imported", caller.Organization, batchTarget(in.Batch)), func(c *guard.Change) error {
		at := place{caller.Institution, caller.Organization}
		b, err := s.seen(c, at, in.Batch)
		if err != nil {
			return err
		}
		if err := permit(c, catalog.ACHRecipientsImport, asking{restricted: b.Restricted()}); err != nil {
			return err
		}
		if b.Version != in.Version {
			return ErrChanged
		}
		was := b
		had, err := entriesOf(c.Tx, at, &b)
		if err != nil {
			return err
		}
		kept := had
		if in.Replace {
			kept = nil
		}
		all, marked, err := s.draft(c, at, &b, nil, kept, set, nil)
		if err != nil {
			return err
		}
		if err := s.keep(c, at, &was, &b, had, all, marked, "ach.batch_imported"); err != nil || also == nil {
			return err
		}
		return also(c.Tx)
	})
	return p, err
}

func previewFault(p *recipients.Preview) error {
	var problems fault.Problems
	for _, one := range p.Problems {
		field := fmt.Sprintf("line %d", one.Line)
		if one.Field != "" {
			field += ", " + strings.ToLower(one.Field.Label())
		}
		problems.Add(field, one.Sentence)
	}
	if p.More {
		problems.Add("the file", "There are more problems than are said here.")
	}
	return problems.Err("Nothing was imported.")
}
