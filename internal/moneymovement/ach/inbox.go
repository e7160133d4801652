package ach

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/ach/nacha"
	"mandate/internal/moneymovement/ach/recipients"
)

// Named limits of what people bring in.
const (
	MaxFile   = nacha.MaxBytes
	MaxInbox  = 20 // files of one person that are kept at a time
	keepInbox = 24 * time.Hour
	readTime  = 5 * time.Minute // after so long nobody reads a file any more
	sayEvery  = time.Second     // how often a reader says how far it is

	prefixFile = "fil"
)

// A FileID names a file that somebody brought in.
type FileID string

// A FileState is where such a file stands.
type FileState string

const (
	FileReading FileState = "reading"
	FileWaiting FileState = "waiting" // a list, for the word that it is meant
	FileRefused FileState = "refused"
	FileDone    FileState = "done"
)

const formNacha = "nacha"

// An Incoming is a file that somebody brought in. Nobody else sees it.
type Incoming struct {
	ID         FileID
	Form       string // "nacha", or a format of lists
	Batch      BatchID
	Name       string
	Category   CategoryID
	Restricted bool
	Replace    bool
	Size       int64
	Read       int64
	Entries    int64
	Stored     int64 // of the entries, as far as the process that reads it knows
	State      FileState
	At         time.Time
	Outcome

	member Somebody
	body   []byte
}

// An Outcome is what became of a file.
type Outcome struct {
	Sentence string          `json:"sentence,omitempty"` // why it was refused
	Code     string          `json:"code,omitempty"`
	Problems []nacha.Problem `json:"problems,omitempty"`
	More     bool            `json:"more,omitempty"`
	Batches  []BatchID       `json:"batches,omitempty"`
}

// ErrNoFile says that a file is not there, or no longer.
var ErrNoFile = fault.New(fault.NotFound, "There is no such file here, or it is no longer kept.")

// BringFile takes a NACHA file in and reads it beside: done is closed when it
// has been read, and File tells how far it is. Whoever may not upload brings
// nothing in.
func (s *Service) BringFile(ctx context.Context, caller bank.Caller, u Upload) (id FileID, done <-chan struct{}, err error) {
	action := doing("ach.batch_uploaded", caller.Organization, fileTarget())
	if _, err := s.mayUpload(ctx, caller, action, u.Restricted); err != nil {
		return "", nil, err
	}
	in := Incoming{Form: formNacha, Name: u.Name, Category: u.Category, Restricted: u.Restricted, State: FileReading}
	if id, err = s.keepFile(ctx, caller, in, u.File); err != nil {
		return "", nil, err
	}
	return id, s.readBeside(ctx, caller, id, u.Again), nil
}

// ReadAgain reads a file once more although it was uploaded before.
func (s *Service) ReadAgain(ctx context.Context, caller bank.Caller, id FileID) (done <-chan struct{}, err error) {
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		in, err := findFile(tx, caller, id)
		if err != nil {
			return err
		}
		if in.State != FileRefused || in.Code != DuplicateFile {
			return fault.New(fault.Conflict, "This file cannot be read again. Upload it anew.")
		}
		in.State, in.Outcome = FileReading, Outcome{}
		return updateFile(tx, caller, &in)
	})
	if err != nil {
		return nil, err
	}
	return s.readBeside(ctx, caller, id, true), nil
}

// File tells what became of a file.
func (s *Service) File(ctx context.Context, caller bank.Caller, id FileID) (in Incoming, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		if in, err = findFile(tx, caller, id); err != nil {
			return err
		}
		if in.State == FileReading && tx.Now.Sub(in.At) > readTime {
			in.State, in.Sentence = FileRefused, "The reading of this file was interrupted. Upload it again."
		}
		return nil
	})
	if p, here := s.paces.Load(id); here && in.State == FileReading {
		now := p.(*pace)
		in.Read, in.Entries, in.Stored = now.read.Load(), now.entries.Load(), now.stored.Load()
	}
	return in, err
}

// A pace is how far a file is that this process reads. It is kept beside the
// database: while the entries are stored nothing else can be written there.
type pace struct{ read, entries, stored atomic.Int64 }

// readBeside reads a file after the request that brought it is over.
func (s *Service) readBeside(ctx context.Context, caller bank.Caller, id FileID, again bool) <-chan struct{} {
	done := make(chan struct{})
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTime)
	go func() {
		defer close(done)
		defer cancel()
		s.readKept(ctx, caller, id, again)
	}()
	return done
}

// readKept reads a kept file and keeps what came of it. What cannot be kept is
// said by the file's age.
func (s *Service) readKept(ctx context.Context, caller bank.Caller, id FileID, again bool) {
	var in Incoming
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		in, err = findFile(tx, caller, id)
		return err
	})
	if err != nil {
		return
	}
	said, now := time.Now(), &pace{}
	s.paces.Store(id, now)
	defer s.paces.Delete(id)
	u := Upload{Name: in.Name, Category: in.Category, Restricted: in.Restricted, Again: again, File: bytes.NewReader(in.body)}
	u.stored = func(entries int) { now.stored.Add(int64(entries)) }
	u.Progress = func(read int64, entries int) {
		now.read.Store(read)
		now.entries.Store(int64(entries))
		if time.Since(said) < sayEvery {
			return
		}
		said = time.Now()
		_ = s.db.Write(ctx, func(tx *db.Tx) error { return sayRead(tx, caller, id, read, entries) }) // the next one says it
	}
	u.also = func(tx *db.Tx, made []BatchID) error {
		done := in
		done.State, done.Outcome, done.Read, done.body = FileDone, Outcome{Batches: made}, in.Size, nil
		return updateFile(tx, caller, &done)
	}
	if _, err := s.UploadFile(ctx, caller, u); err != nil {
		in.refuse(err)
		in.Read = in.Size
		if in.Code != DuplicateFile {
			in.body = nil
		}
		_ = s.db.Write(ctx, func(tx *db.Tx) error { return updateFile(tx, caller, &in) })
	}
}

func (in *Incoming) refuse(err error) {
	in.State, in.Outcome = FileRefused, Outcome{Sentence: "The file could not be read because of a fault of ours. Try again later."}
	if refusal, ok := errors.AsType[*nacha.Refusal](err); ok {
		in.Problems, in.More = refusal.Problems, refusal.More
	}
	if f := faultOf(err); f != nil && f.Kind != fault.Internal {
		in.Sentence, in.Code = f.Sentence, f.Code
	}
}

// BringList takes a list of recipients in and reads it: the preview is of what
// Import would load, and nothing is loaded yet.
func (s *Service) BringList(ctx context.Context, caller bank.Caller, in Import) (id FileID, p *recipients.Preview, err error) {
	text, err := io.ReadAll(io.LimitReader(in.File, recipients.MaxBytes+1))
	if err != nil {
		return "", nil, err
	}
	in.File = bytes.NewReader(text)
	if p, err = s.PreviewImport(ctx, caller, in); err != nil {
		return "", nil, err
	}
	kept := Incoming{Form: string(in.Format), Batch: in.Batch, Replace: in.Replace, State: FileWaiting}
	id, err = s.keepFile(ctx, caller, kept, bytes.NewReader(text))
	return id, p, err
}

// ImportKept loads a list that was looked at.
func (s *Service) ImportKept(ctx context.Context, caller bank.Caller, id FileID, version int64) (*recipients.Preview, error) {
	var in Incoming
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		in, err = findFile(tx, caller, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	if in.Form == formNacha || in.State != FileWaiting {
		return nil, ErrNoFile
	}
	list := Import{Batch: in.Batch, Version: version, Format: recipients.Format(in.Form), Replace: in.Replace, File: bytes.NewReader(in.body)}
	return s.load(ctx, caller, list, func(tx *db.Tx) error { return useUp(tx, caller, id) })
}

// useUp marks a list as loaded, in the change that loads it: it is loaded once,
// and is not marked where nothing was.
func useUp(tx *db.Tx, caller bank.Caller, id FileID) error {
	used, err := tx.Exec(`
		update ach_inbox set state = 'done', body = $4
		 where institution_id = $1 and organization_id = $2 and id = $3 and state = 'waiting'`,
		caller.Institution, caller.Organization, id, []byte{})
	if err != nil {
		return fmt.Errorf("mark the list as loaded: %w", err)
	}
	if used == 0 {
		return ErrNoFile
	}
	return nil
}

// keepFile stores a file, and forgets those that are old or too many.
func (s *Service) keepFile(ctx context.Context, caller bank.Caller, in Incoming, r io.Reader) (FileID, error) {
	body, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err != nil {
		return "", fmt.Errorf("read the file: %w", err)
	}
	if len(body) > MaxFile {
		return "", fault.Newf(fault.Invalid, "A file has at most %d MiB.", MaxFile>>20).With(nacha.TooLarge)
	}
	in.body, in.Size = body, int64(len(body))
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		in.ID, in.At = FileID(bank.NewID(prefixFile, tx.Now)), tx.Now
		if err := forgetFiles(tx, caller); err != nil {
			return err
		}
		return insertFile(tx, caller, &in)
	})
	return in.ID, err
}

func insertFile(tx *db.Tx, caller bank.Caller, in *Incoming) error {
	_, err := tx.Exec(`
		insert into ach_inbox (institution_id, organization_id, id, member_id, member_name, form, batch_id, name, category_id, restricted, replaces,
			body, size, bytes_read, entries_read, state, outcome, at_micros)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, 0, $14, '{}', $15)`,
		caller.Institution, caller.Organization, in.ID, caller.Member(), caller.Name, in.Form, in.Batch, in.Name, in.Category, in.Restricted, in.Replace,
		in.body, in.Size, in.State, in.At.UnixMicro())
	if err != nil {
		return fmt.Errorf("keep the file: %w", err)
	}
	return nil
}

func updateFile(tx *db.Tx, caller bank.Caller, in *Incoming) error {
	outcome, err := json.Marshal(in.Outcome)
	if err != nil {
		return err
	}
	if in.body == nil {
		in.body = []byte{}
	}
	_, err = tx.Exec(`
		update ach_inbox set state = $4, outcome = $5, bytes_read = $6, body = $7
		 where institution_id = $1 and organization_id = $2 and id = $3`,
		caller.Institution, caller.Organization, in.ID, in.State, string(outcome), in.Read, in.body)
	if err != nil {
		return fmt.Errorf("keep what became of the file: %w", err)
	}
	return nil
}

func sayRead(tx *db.Tx, caller bank.Caller, id FileID, read int64, entries int) error {
	_, err := tx.Exec(`update ach_inbox set bytes_read = $4, entries_read = $5 where institution_id = $1 and organization_id = $2 and id = $3`,
		caller.Institution, caller.Organization, id, read, entries)
	return err
}

// findFile reads a file of the caller's own.
func findFile(tx *db.Tx, caller bank.Caller, id FileID) (in Incoming, err error) {
	var outcome string
	var at int64
	err = tx.QueryRow(`
		select id, member_id, member_name, form, batch_id, name, category_id, restricted, replaces, body, size, bytes_read, entries_read, state, outcome, at_micros
		  from ach_inbox where institution_id = $1 and organization_id = $2 and id = $3 and member_id = $4`,
		caller.Institution, caller.Organization, id, caller.Member()).
		Scan(&in.ID, &in.member.ID, &in.member.Name, &in.Form, &in.Batch, &in.Name, &in.Category, &in.Restricted, &in.Replace, &in.body, &in.Size, &in.Read,
			&in.Entries, &in.State, &outcome, &at)
	if errors.Is(err, db.ErrNoRows) {
		return Incoming{}, ErrNoFile
	}
	if err != nil {
		return Incoming{}, fmt.Errorf("read the file %s: %w", id, err)
	}
	in.At = time.UnixMicro(at).UTC()
	return in, json.Unmarshal([]byte(outcome), &in.Outcome)
}

// forgetFiles forgets everybody's old files, and of the caller's all but the
// latest.
func forgetFiles(tx *db.Tx, caller bank.Caller) error {
	if _, err := tx.Exec(`delete from ach_inbox where at_micros < $1`, tx.Now.Add(-keepInbox).UnixMicro()); err != nil {
		return fmt.Errorf("forget old files: %w", err)
	}
	_, err := tx.Exec(`
		delete from ach_inbox where institution_id = $1 and organization_id = $2 and member_id = $3 and state <> 'reading' and id not in (
			select id from ach_inbox where institution_id = $1 and organization_id = $2 and member_id = $3 order by at_micros desc, id desc limit $4)`,
		caller.Institution, caller.Organization, caller.Member(), MaxInbox-1)
	if err != nil {
		return fmt.Errorf("forget files that are too many: %w", err)
	}
	return nil
}
