package ach

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/moneymovement/ach/nacha"
)

// A place is the organization that something belongs to.
type place struct {
	institution  bank.InstitutionID
	organization bank.OrganizationID
}

const batchColumns = `b.id, b.name, b.category_id, coalesce(c.name, ''), coalesce(c.restricted, false), b.restricted, b.kind, b.origin, b.relaxed, b.source_hash,
	b.header, b.state, b.version, b.credits, b.debits, b.entries, b.idle, b.has_debits, b.run_id, b.last_editor, b.last_editor_name,
	b.creator, b.creator_name, b.created_micros, b.edited_micros`

const selectBatch = `
	select ` + batchColumns + `
	  from ach_batch b
	  left join ach_category c on c.institution_id = b.institution_id and c.organization_id = b.organization_id and c.id = b.category_id
	 where b.institution_id = $1 and b.organization_id = $2`

func scanBatch(s db.Scanner) (b Batch, err error) {
	var header string
	var created, edited int64
	err = s.Scan(&b.ID, &b.Name, &b.Category, &b.CategoryName, &b.InCategory, &b.Own, &b.Kind, &b.Origin, &b.Relaxed, &b.SourceHash,
		&header, &b.State, &b.Version, &b.Credits, &b.Debits, &b.Entries, &b.Idle, &b.HasDebits, &b.Run, &b.LastEditor.ID, &b.LastEditor.Name,
		&b.Creator.ID, &b.Creator.Name, &created, &edited)
	if err == nil && len(header) != 94 {
		err = fmt.Errorf("the header of batch %s has %d characters", b.ID, len(header))
	}
	if err != nil {
		return b, err
	}
	b.Header, b.Created, b.Edited = nacha.BatchOf(header), time.UnixMicro(created).UTC(), time.UnixMicro(edited).UTC()
	return b, nil
}

// findBatch reads a batch; a deleted one is not there.
func findBatch(tx *db.Tx, at place, id BatchID) (Batch, error) {
	b, err := db.One(tx, scanBatch, selectBatch+` and b.id = $3 and b.state <> 'deleted'`, at.institution, at.organization, id)
	if errors.Is(err, db.ErrNoRows) {
		return Batch{}, ErrNoBatch
	}
	if err != nil {
		return Batch{}, fmt.Errorf("read the batch %s: %w", id, err)
	}
	return b, nil
}

// findAny reads a batch that may have been deleted.
func findAny(tx *db.Tx, at place, id BatchID) (Batch, error) {
	b, err := db.One(tx, scanBatch, selectBatch+` and b.id = $3`, at.institution, at.organization, id)
	if errors.Is(err, db.ErrNoRows) {
		return Batch{}, ErrNoBatch
	}
	return b, err
}

func listBatches(tx *db.Tx, at place) ([]Batch, error) {
	all, err := db.All(tx, scanBatch, selectBatch+` and b.state <> 'deleted' order by b.edited_micros desc, b.id desc limit $3`,
		at.institution, at.organization, MaxBatches)
	if err != nil {
		return nil, fmt.Errorf("list the batches: %w", err)
	}
	return all, nil
}

func countBatches(tx *db.Tx, at place) (n int, err error) {
	err = tx.QueryRow(`select count(*) from ach_batch where institution_id = $1 and organization_id = $2 and state <> 'deleted'`,
		at.institution, at.organization).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count the batches: %w", err)
	}
	return n, nil
}

func insertBatch(tx *db.Tx, at place, b *Batch) error {
	_, err := tx.Exec(`
		insert into ach_batch (institution_id, organization_id, id, name, name_key, category_id, restricted, kind, origin, relaxed, source_hash,
			company_ident, header, class, state, version, credits, debits, entries, idle, has_debits, run_id, last_editor, last_editor_name,
			creator, creator_name, created_micros, edited_micros)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28)`,
		at.institution, at.organization, b.ID, b.Name, db.Fold(b.Name), b.Category, b.Own, b.Kind, b.Origin, b.Relaxed, b.SourceHash,
		b.Header.CompanyID, b.Header.Record, b.Header.SEC, b.State, b.Version, b.Credits, b.Debits, b.Entries, b.Idle, b.HasDebits, b.Run,
		b.LastEditor.ID, b.LastEditor.Name, b.Creator.ID, b.Creator.Name, b.Created.UnixMicro(), b.Edited.UnixMicro())
	if err != nil {
		return fmt.Errorf("store the batch %s: %w", b.ID, err)
	}
	return nil
}

func updateBatch(tx *db.Tx, at place, b *Batch) error {
	_, err := tx.Exec(`
		update ach_batch set name = $4, name_key = $5, category_id = $6, restricted = $7, company_ident = $8, header = $9, class = $10,
		       state = $11, version = $12, credits = $13, debits = $14, entries = $15, idle = $16, has_debits = $17, run_id = $18,
		       last_editor = $19, last_editor_name = $20, edited_micros = $21, source_hash = $22
		 where institution_id = $1 and organization_id = $2 and id = $3`,
		at.institution, at.organization, b.ID, b.Name, db.Fold(b.Name), b.Category, b.Own, b.Header.CompanyID, b.Header.Record, b.Header.SEC,
		b.State, b.Version, b.Credits, b.Debits, b.Entries, b.Idle, b.HasDebits, b.Run, b.LastEditor.ID, b.LastEditor.Name, b.Edited.UnixMicro(), b.SourceHash)
	if err != nil {
		return fmt.Errorf("store the batch %s: %w", b.ID, err)
	}
	return nil
}

// uploadedBefore finds a batch that came from the same file and is still there.
func uploadedBefore(tx *db.Tx, at place, hash string) (name string, found bool, err error) {
	names, err := db.All(tx, db.Value[string], `
		select name from ach_batch where institution_id = $1 and organization_id = $2 and source_hash = $3 and state <> 'deleted' limit 1`,
		at.institution, at.organization, hash)
	if err != nil {
		return "", false, fmt.Errorf("look for an earlier upload: %w", err)
	}
	if len(names) == 0 {
		return "", false, nil
	}
	return names[0], true, nil
}

func entriesOf(tx *db.Tx, at place, b *Batch) ([]Entry, error) {
	all, err := db.All(tx, scanEntry(b.Header.SEC), `
		select id, record, addenda, held, prenote, live_from, source_id from ach_entry
		 where institution_id = $1 and organization_id = $2 and batch_id = $3 order by place`, at.institution, at.organization, b.ID)
	if err != nil {
		return nil, fmt.Errorf("read the entries of %s: %w", b.ID, err)
	}
	return all, nil
}

func scanEntry(class string) func(db.Scanner) (Entry, error) {
	return func(s db.Scanner) (e Entry, err error) {
		var record, addenda string
		if err := s.Scan(&e.EntryID, &record, &addenda, &e.Held, &e.Prenote, &e.LiveFrom, &e.source); err != nil {
			return e, err
		}
		var records []string
		if addenda != "" {
			if err := json.Unmarshal([]byte(addenda), &records); err != nil {
				return e, fmt.Errorf("read the addenda of %s: %w", e.EntryID, err)
			}
		}
		if len(record) != 94 {
			return e, fmt.Errorf("the entry %s has %d characters", e.EntryID, len(record))
		}
		e.Entry = nacha.EntryOf(class, record, records)
		return e, nil
	}
}

const insertEntry = `insert into ach_entry (institution_id, organization_id, batch_id, place, id, record, addenda, held, prenote, live_from, source_id) values `

const (
	oneEntry  = `($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
	someCount = 8
	some      = `($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11), ($1, $2, $3, $12, $13, $14, $15, $16, $17, $18, $19),
		($1, $2, $3, $20, $21, $22, $23, $24, $25, $26, $27), ($1, $2, $3, $28, $29, $30, $31, $32, $33, $34, $35),
		($1, $2, $3, $36, $37, $38, $39, $40, $41, $42, $43), ($1, $2, $3, $44, $45, $46, $47, $48, $49, $50, $51),
		($1, $2, $3, $52, $53, $54, $55, $56, $57, $58, $59), ($1, $2, $3, $60, $61, $62, $63, $64, $65, $66, $67)`
)

// writeEntries stores all entries of a batch in place of those it had.
func writeEntries(tx *db.Tx, at place, b *Batch, entries []Entry, said func(stored int)) error {
	if _, err := tx.Exec(`delete from ach_entry where institution_id = $1 and organization_id = $2 and batch_id = $3`,
		at.institution, at.organization, b.ID); err != nil {
		return fmt.Errorf("clear the entries of %s: %w", b.ID, err)
	}
	for start := 0; start < len(entries); {
		n := 1
		if len(entries)-start >= someCount {
			n = someCount
		}
		args := []any{at.institution, at.organization, b.ID}
		for i := start; i < start+n; i++ {
			e := &entries[i]
			addenda := ""
			if len(e.Addenda) > 0 {
				text, err := json.Marshal(e.Addenda)
				if err != nil {
					return fmt.Errorf("write the addenda: %w", err)
				}
				addenda = string(text)
			}
			args = append(args, i, e.EntryID, e.Record, addenda, e.Held, e.Prenote, e.LiveFrom, e.source)
		}
		var err error
		if n == someCount {
			_, err = tx.Exec(insertEntry+some, args...)
		} else {
			_, err = tx.Exec(insertEntry+oneEntry, args...)
		}
		if err != nil {
			return fmt.Errorf("store the entries of %s: %w", b.ID, err)
		}
		start += n
		if said != nil {
			said(n)
		}
	}
	return nil
}

// setLive lets the entries that a batch of prenotes tested be sent from a day.
func setLive(tx *db.Tx, at place, prenotes BatchID, from bank.Day) error {
	_, err := tx.Exec(`
		update ach_entry set live_from = $4
		 where institution_id = $1 and organization_id = $2 and prenote and id in (
			select source_id from ach_entry t where t.institution_id = $1 and t.organization_id = $2 and t.batch_id = $3 and t.source_id <> '')`,
		at.institution, at.organization, prenotes, from)
	if err != nil {
		return fmt.Errorf("let tested entries be sent: %w", err)
	}
	return nil
}
