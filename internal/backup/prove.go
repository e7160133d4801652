package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/usage"
)

// prove restores what was written, from the disk and through the encryption,
// and checks that it is the database that was backed up.
func (o *Order) prove(ctx context.Context, path string, witness witness, made Made) error {
	err := o.readBack(ctx, path, witness, made)
	if err != nil {
		return fmt.Errorf("the backup was written and could not be restored, so it was thrown away: %w", err)
	}
	return nil
}

func (o *Order) readBack(ctx context.Context, path string, witness witness, made Made) error {
	o.Progress("restore for the proof", 0, 0)
	in, err := openFile(path, witness.identities)
	if err != nil {
		return err
	}
	defer in.Close()
	if in.manifest.Chains != made.Manifest.Chains || !maps.Equal(in.manifest.Rows, made.Manifest.Rows) {
		return errors.New("its head is not what was written")
	}
	in.data = &bounded{in.data, made.data}
	check := func(d *db.DB) error {
		return d.Snapshot(ctx, func(s *db.Snapshot) error {
			if err := in.equal(s); err != nil {
				return err
			}
			return whole(s, o.Progress)
		})
	}
	if o.DB.Dialect() == db.PostgreSQL {
		if err := o.scratch(ctx, &patient{ctx, in.data}, check); err != nil {
			return err
		}
		return in.ended()
	}
	restored := filepath.Join(o.Work, restoreName)
	defer func() { _ = sweep(o.Work) }() // the next one sweeps as well
	if err := receiveFile(ctx, restored, in.data); err != nil {
		return err
	}
	if err := in.ended(); err != nil {
		return err
	}
	return withFile(ctx, restored, bank.SystemClock{}, check)
}

// withFile opens a restored SQLite file and leaves no log of it behind.
func withFile(ctx context.Context, path string, clock bank.Clock, do func(*db.DB) error) (err error) {
	d, err := db.Open(ctx, db.Config{URL: "sqlite:" + path, Clock: clock, Restoring: true})
	if err != nil {
		return fmt.Errorf("open what was restored: %w", err)
	}
	err = errors.Join(do(d), d.Close())
	if info, e := os.Stat(path + "-wal"); err == nil && e == nil && info.Size() > 0 {
		err = errors.New("SQLite has not folded its log into the restored file")
	}
	return err
}

func receiveFile(ctx context.Context, path string, from io.Reader) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the restored file: %w", err)
	}
	if _, err = io.Copy(file, &patient{ctx, from}); err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// equal checks that a restored database is what the backup says it is.
func (in *incoming) equal(s *db.Snapshot) error {
	if err := s.Sound(); err != nil {
		return damaged(err)
	}
	migrations, err := s.Migrations()
	if err != nil {
		return err
	}
	if !slices.Equal(migrations, in.manifest.Migrations) {
		return damaged(errors.New("its tables are of another version than it says"))
	}
	rows, err := s.Counts()
	if err != nil {
		return err
	}
	for _, table := range slices.Sorted(maps.Keys(in.manifest.Rows)) {
		if rows[table] != in.manifest.Rows[table] {
			return damaged(fmt.Errorf("%q has %d rows, and had %d", table, rows[table], in.manifest.Rows[table]))
		}
	}
	if len(rows) != len(in.manifest.Rows) {
		return damaged(fmt.Errorf("there are %d tables, and were %d", len(rows), len(in.manifest.Rows)))
	}
	heads, err := activity.Anchors(s.Tx)
	if err != nil {
		return err
	}
	if !slices.Equal(heads, in.heads) {
		return damaged(errors.New("the heads of the histories are not those that were written"))
	}
	return nil
}

// whole proves the history, event by event, and the counters of daily limits.
func whole(s *db.Snapshot, progress Progress) error {
	history, err := activity.Verify(s.Tx, "", func(n int64) { progress("prove the history", n, 0) })
	if err != nil {
		return err
	}
	if len(history.Broken) > 0 {
		b := history.Broken[0]
		return fmt.Errorf("the history of institution %s, organization %q, does not hold at event %d: %s", b.Institution, b.Organization, b.Sequence, b.Why)
	}
	counters, err := usage.Check(s.Tx)
	if err != nil {
		return err
	}
	if len(counters) > 0 {
		c := counters[0]
		return fmt.Errorf("%s of %s of organization %s counts %s, and %s is reserved", c.Limit.Permission(), c.Day, c.Organization, c.Counted, c.Sum)
	}
	return nil
}
