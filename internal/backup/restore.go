package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"filippo.io/age"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
)

// A Restoration says what to restore, and where to.
type Restoration struct {
	File       string
	Identities []age.Identity
	URL        string // where the database shall be
	Work       string // folder for what is restored, until it gets its place: the database's own
	Over       bool   // whatever is there may be replaced
	Programs   string // folder of PostgreSQL's programs; empty: they are looked for
	Clock      bank.Clock
	Progress   Progress

	// RootKey is given the keys outside the database, where the backup has them,
	// before anything is changed.
	RootKey func(text []byte) error

	// Renew ends what must not come back, before anybody can use the database.
	Renew func(ctx context.Context, d *db.DB, from Manifest) error
}

// Restored is what came back.
type Restored struct {
	Manifest Manifest
	Heads    []activity.Anchor
}

// Restore makes a database of a backup. Until all of it is proven and renewed,
// nobody can use it, and a file that is not good leaves everything as it was.
func Restore(ctx context.Context, r Restoration) (restored Restored, err error) {
	if r.Progress == nil {
		r.Progress = func(string, int64, int64) {}
	}
	done, err := alone(r.Work)
	if err != nil {
		return restored, err
	}
	defer func() { err = errors.Join(err, done()) }()
	if isFile(r.URL) {
		return r.file(ctx)
	}
	return r.server(ctx)
}

func isFile(address string) bool { return len(address) > 7 && address[:7] == "sqlite:" }

// file restores an SQLite database beside its place and then puts it there.
func (r *Restoration) file(ctx context.Context) (restored Restored, err error) {
	if err := db.Free(r.URL, r.Over); err != nil {
		return restored, taken(err)
	}
	in, err := openFile(r.File, r.Identities)
	if err != nil {
		return restored, err
	}
	defer in.Close()
	if err := in.manifest.fits(db.SQLite); err != nil {
		return restored, err
	}
	path := filepath.Join(r.Work, restoreName)
	defer func() { _ = sweep(r.Work) }() // the next one sweeps as well
	r.Progress("restore", 0, 0)
	if err := receiveFile(ctx, path, in.data); err != nil {
		return restored, err
	}
	if err := in.ended(); err != nil {
		return restored, err
	}
	if err := withFile(ctx, path, r.Clock, func(d *db.DB) error { return r.finish(ctx, d, in) }); err != nil {
		return restored, err
	}
	if err := r.giveRootKey(in); err != nil {
		return restored, err
	}
	if err := db.Place(path, r.URL, r.Over); err != nil {
		return restored, taken(err)
	}
	return in.restored(), nil
}

// server restores a PostgreSQL database in its place, marked so that no program
// works on it before its time.
func (r *Restoration) server(ctx context.Context) (restored Restored, err error) {
	if err := r.readThrough(ctx); err != nil { // nothing is dropped for a file that is not good
		return restored, err
	}
	in, err := openFile(r.File, r.Identities)
	if err != nil {
		return restored, err
	}
	defer in.Close()
	d, err := db.Open(ctx, db.Config{URL: r.URL, Clock: r.Clock, Restoring: true, Connections: 1})
	if err != nil {
		return restored, fmt.Errorf("open the database: %w", err)
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := d.BeginRestore(ctx, r.Over); err != nil {
		return restored, taken(err)
	}
	if err := r.fill(ctx, d, in); err != nil {
		return restored, errors.Join(err, d.Clear(context.WithoutCancel(ctx)))
	}
	if err := d.EndRestore(ctx); err != nil {
		return restored, err
	}
	return in.restored(), nil
}

func (r *Restoration) fill(ctx context.Context, d *db.DB, in *incoming) error {
	r.Progress("restore", 0, 0)
	if err := load(ctx, d, r.URL, r.Programs, &patient{ctx, in.data}); err != nil {
		return err
	}
	if err := in.ended(); err != nil {
		return err
	}
	if err := r.finish(ctx, d, in); err != nil {
		return err
	}
	return r.giveRootKey(in)
}

// readThrough proves that a file is whole before anything is done with it.
func (r *Restoration) readThrough(ctx context.Context) error {
	r.Progress("read the backup", 0, 0)
	in, err := openFile(r.File, r.Identities)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := in.manifest.fits(db.PostgreSQL); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, &patient{ctx, in.data}); err != nil {
		return err
	}
	return in.ended()
}

// finish proves the restored database, brings it up to date and ends what must
// not come back.
func (r *Restoration) finish(ctx context.Context, d *db.DB, in *incoming) error {
	r.Progress("compare with the backup's head", 0, 0)
	if err := d.Snapshot(ctx, in.equal); err != nil {
		return err
	}
	if err := d.Migrate(ctx); err != nil {
		return fmt.Errorf("bring the restored database up to date: %w", err)
	}
	if err := d.Snapshot(ctx, func(s *db.Snapshot) error { return whole(s, r.Progress) }); err != nil {
		return err
	}
	r.Progress("end what must not come back", 0, 0)
	return r.Renew(ctx, d, in.manifest)
}

func (r *Restoration) giveRootKey(in *incoming) error {
	if in.rootKey == nil || r.RootKey == nil {
		return nil
	}
	return r.RootKey(in.rootKey)
}

// taken says why a place for a restore is not free.
func taken(err error) error {
	switch {
	case errors.Is(err, db.ErrHolds):
		return fault.New(fault.Conflict, "There is a database already, and nothing was changed. If all of it may be thrown away, say --over-everything-there.").Because(err)
	case errors.Is(err, db.ErrInUse):
		return fault.New(fault.Conflict, "The database is in use, and nothing was changed. Stop every server that works on it first.").Because(err)
	}
	return err
}

// incoming is a backup that is being read.
type incoming struct {
	file     *os.File
	reader   *reader
	manifest Manifest
	heads    []activity.Anchor
	rootKey  []byte
	data     io.Reader
}

// openFile reads a backup as far as its data.
func openFile(path string, identities []age.Identity) (_ *incoming, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the backup: %w", err)
	}
	in := &incoming{file: file}
	if err := in.begin(identities); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return in, nil
}

func (in *incoming) begin(identities []age.Identity) (err error) {
	if in.reader, err = newReader(in.file, identities); err != nil {
		return err
	}
	for _, one := range []struct {
		name string
		into any
	}{{partManifest, &in.manifest}, {partHeads, &in.heads}} {
		text, err := in.reader.whole(one.name)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, one.into); err != nil {
			return damaged(err)
		}
	}
	if in.manifest.WithRootKey {
		if in.rootKey, err = in.reader.whole(partRootKey); err != nil {
			return err
		}
	}
	name, data, err := in.reader.Next()
	if err != nil {
		return damaged(noEOF(err))
	}
	if want := map[string]string{db.SQLite.String(): partFile, db.PostgreSQL.String(): partDump}[in.manifest.Database]; name != want {
		return damaged(fmt.Errorf("there is %q where %q must be", name, want))
	}
	in.data = data
	return nil
}

// ended checks that nothing follows the data and nothing is missing.
func (in *incoming) ended() error {
	switch _, _, err := in.reader.Next(); {
	case errors.Is(err, io.EOF):
		return nil
	case err == nil:
		return damaged(errors.New("something follows the data"))
	default:
		return err
	}
}

func (in *incoming) restored() Restored { return Restored{in.manifest, in.heads} }

// Close lets go of the file.
func (in *incoming) Close() error { return in.file.Close() }

// Look reads what a backup says of itself, all through, without restoring it.
func Look(ctx context.Context, file string, identities []age.Identity) (Restored, error) {
	in, err := openFile(file, identities)
	if err != nil {
		return Restored{}, err
	}
	defer in.Close()
	if _, err := io.Copy(io.Discard, &patient{ctx, in.data}); err != nil {
		return Restored{}, err
	}
	return in.restored(), in.ended()
}
