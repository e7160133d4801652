package cli

import (
	"errors"
	"fmt"
	"io/fs"

	"mandate/internal/activity"
	"mandate/internal/app"
	"mandate/internal/bank"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/usage"
	"mandate/internal/usermgmt"
)

type verifyCommand struct {
	config.Store `embed:""`
	Institution  string `help:"Only this institution." xor:"part" placeholder:"ID"`
	Anchor       string `help:"Compare with heads that were kept elsewhere, as backup --anchor and verify --write-anchor write them." type:"existingfile" placeholder:"FILE"`
	WriteAnchor  string `name:"write-anchor" xor:"part" help:"Write the heads of all histories into this file, to be kept elsewhere." placeholder:"FILE"`
}

func (c *verifyCommand) Run(t *terminal) (err error) {
	var known []activity.Anchor
	if c.Anchor != "" {
		if known, err = readAnchors(c.Anchor); err != nil {
			return err
		}
	}
	d, err := openReadOnly(t, c.Store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if c.Institution != "" { // where there is nothing, nothing is broken
		if err := knownInstitution(t, d, c.Institution); err != nil {
			return err
		}
	}
	var history activity.Verified
	var counters []usage.Mismatch
	var heads []activity.Anchor
	var lost []string
	var past []usermgmt.PastMismatch
	err = d.Snapshot(t.ctx, func(s *db.Snapshot) (err error) {
		if history, err = activity.Verify(s.Tx, bank.InstitutionID(c.Institution), t.count); err != nil {
			return err
		}
		if counters, err = usage.Check(s.Tx); err != nil {
			return err
		}
		if heads, err = activity.Anchors(s.Tx); err != nil {
			return err
		}
		if past, err = usermgmt.VerifyPast(s.Tx, bank.InstitutionID(c.Institution)); err != nil {
			return err
		}
		lost, err = newerThan(s.Tx, known)
		return err
	})
	if err != nil {
		return err
	}
	if t.isTerm {
		fmt.Fprint(t.out, "\r")
	}
	for _, b := range history.Broken {
		fmt.Fprintf(t.out, "broken: institution %s, organization %q, event %d %s: %s\n", b.Institution, b.Organization, b.Sequence, b.Event, b.Why)
	}
	wrong := c.report(t, counters)
	fmt.Fprintf(t.out, "%d chains, %d events, %d broken\n", history.Chains, history.Events, len(history.Broken))
	for _, p := range past {
		fmt.Fprintf(t.out, "past: institution %s, organization %q: %s\n", p.Institution, p.Organization, p.What)
	}
	for _, line := range lost {
		fmt.Fprintf(t.out, "anchor: %s\n", line)
	}
	if len(history.Broken) > 0 || wrong || len(lost) > 0 || len(past) > 0 {
		return errQuiet
	}
	if c.WriteAnchor != "" {
		return writeAnchors(c.WriteAnchor, heads)
	}
	return nil
}

// report names the counters of daily limits that are not the sum of what is
// reserved, and reports whether there are any.
func (c *verifyCommand) report(t *terminal, counters []usage.Mismatch) (wrong bool) {
	for _, m := range counters {
		if c.Institution != "" && m.Institution != bank.InstitutionID(c.Institution) {
			continue
		}
		wrong = true
		fmt.Fprintf(t.out, "counter: institution %s, organization %s, %s of %s, member %q, account %q: %s is counted, %s is reserved\n",
			m.Institution, m.Organization, m.Limit.Permission(), m.Day, m.Member, m.Account, m.Counted, m.Sum)
	}
	return wrong
}

// count shows how far a long walk has come.
func (t *terminal) count(events int64) {
	if t.isTerm {
		fmt.Fprintf(t.out, "\r%d events", events)
	}
}

// openReadOnly opens a store for looking; it works beside a running server.
func openReadOnly(t *terminal, store config.Store) (*db.DB, error) {
	store, err := store.WithDefaults()
	if err != nil {
		return nil, err
	}
	d, err := db.Open(t.ctx, db.Config{URL: store.DB, Clock: t.clock, ReadOnly: true})
	if err != nil {
		return nil, unfit(fmt.Errorf("open the database: %w", err))
	}
	if err := d.Migrated(t.ctx); err != nil {
		return nil, errors.Join(unfit(err), d.Close())
	}
	return d, nil
}

// unfit says what to do about a database that cannot be looked at.
func unfit(err error) error {
	for _, one := range []struct {
		because  error
		sentence string
	}{
		{fs.ErrNotExist, "There is no database yet. Name another one (--data or --db); mandate import and mandate serve make one."},
		{db.ErrSchemaEmpty, "The database is empty. Name another one (--db); mandate import and mandate serve make the tables."},
		{db.ErrSchemaOlder, "The database is of an older version. A server of this version brings it up to date when it starts; until then, use the program of that version."},
		{db.ErrSchemaNewer, "The database is of a newer version. Use the program of that version."},
	} {
		if errors.Is(err, one.because) {
			return fault.New(fault.Conflict, one.sentence).Because(err)
		}
	}
	return err
}

// openStore opens a store for changing; the server must not run on an embedded
// one at the same time.
func openStore(t *terminal, store config.Store) (*db.DB, error) {
	d, err := app.OpenDB(t.ctx, store, t.clock)
	if errors.Is(err, db.ErrInUse) {
		return nil, fault.New(fault.Conflict, "The server is running on this embedded database. Stop it first; beside a running server, changes need PostgreSQL.").Because(err)
	}
	return d, err
}

// An opener is openStore or openReadOnly.
type opener func(*terminal, config.Store) (*db.DB, error)
