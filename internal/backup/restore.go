package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
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

	room asker
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
	most, err := r.room.in(r.Work)
	if err != nil {
		return restored, err
	}
	in, err := r.open(ctx, db.SQLite, most)
	if err != nil {
		return restored, err
	}
	defer in.Close()
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
// works on it before its time. The mark stays wherever that is broken off.
func (r *Restoration) server(ctx context.Context) (restored Restored, err error) {
	d, err := db.Open(ctx, db.Config{URL: r.URL, Clock: r.Clock, Restoring: true, Connections: 1})
	if err != nil {
		return restored, fmt.Errorf("open the database: %w", err)
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := d.MayRestore(ctx, r.Over); err != nil {
		return restored, taken(err)
	}
	in, err := r.open(ctx, db.PostgreSQL, math.MaxInt64) // how much room a server has, it does not say
	if err != nil {
		return restored, err
	}
	defer in.Close()
	if err := r.giveRootKey(in); err != nil {
		return restored, err
	}
	if err := d.BeginRestore(ctx, r.Over); err != nil {
		return restored, taken(err)
	}
	if err := r.fill(ctx, d, in); err != nil {
		return restored, brokenOff(errors.Join(err, d.Clear(context.WithoutCancel(ctx))))
	}
	if err := d.EndRestore(ctx); err != nil {
		return restored, brokenOff(err)
	}
	return in.restored(), nil
}

func brokenOff(err error) error {
	return fault.New(fault.Conflict, "The restore was broken off, and no program works on the database until one has ended well: run it again.").Because(err)
}

func (r *Restoration) fill(ctx context.Context, d *db.DB, in *incoming) error {
	r.Progress("restore", 0, 0)
	if err := load(ctx, d, r.URL, r.Programs, &patient{ctx, in.data}); err != nil {
		return err
	}
	if err := in.ended(); err != nil {
		return err
	}
	return r.finish(ctx, d, in)
}

// open proves that a backup is whole and that its data has at most so many bytes,
// before anything is done with it, and begins it anew.
func (r *Restoration) open(ctx context.Context, into db.Dialect, most int64) (_ *incoming, err error) {
	r.Progress("read the backup", 0, 0)
	in, err := openFile(r.File, r.Identities)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, in.Close())
		}
	}()
	if err := in.manifest.fits(into); err != nil {
		return nil, err
	}
	size, err := io.Copy(io.Discard, &bounded{&patient{ctx, in.data}, most})
	if errors.Is(err, errTooLong) {
		return nil, noRoom("The database in the backup", most, r.Work)
	}
	if err != nil {
		return nil, err
	}
	if err := in.ended(); err != nil {
		return nil, err
	}
	if _, err := in.file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read the backup: %w", err)
	}
	*in = incoming{file: in.file}
	if err := in.begin(r.Identities); err != nil {
		return nil, err
	}
	in.data = &bounded{in.data, size}
	return in, nil
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
	return in.head()
}

// head reads all that stands before the data.
func (in *incoming) head() error {
	text, err := in.reader.whole(partManifest, maxManifest)
	if err != nil {
		return err
	}
	if in.manifest, err = parseManifest(text); err != nil {
		return err
	}
	heads, err := in.reader.part(partHeads)
	if err != nil {
		return err
	}
	if in.heads, err = readHeads(heads, in.manifest.Chains); err != nil {
		return err
	}
	if in.manifest.WithRootKey {
		if in.rootKey, err = in.reader.whole(partRootKey, maxRootKey); err != nil {
			return err
		}
	}
	in.data, err = in.reader.part(dataParts[in.manifest.Database])
	return err
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
