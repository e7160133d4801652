// Package backup writes the whole database into one encrypted file, beside a
// running server, and makes a database of such a file again. Every file is
// restored and checked by the one who wrote it, before it gets its name.
//
// It knows how a file is laid out, and what proves it. What a restore ends,
// such as sign-ins, belongs to the rooms; the assembly hands it in.
package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"mandate/internal/activity"
	"mandate/internal/db"
	"mandate/internal/fault"
)

// Progress is told what is done now, and how much of it.
type Progress func(what string, done, all int64)

// An Order says what to back up, and where to.
type Order struct {
	DB       *db.DB // an opening for looking is enough
	URL      string // where that database is
	Work     string // folder for what lies there unencrypted for a while: the database's own
	To       string // the file; it must not be there yet
	Keys     Keys
	KeyIDs   []string // of the keys outside the database that its secrets are sealed with
	RootKey  []byte   // those keys themselves; nil: they are kept elsewhere
	Programs string   // folder of PostgreSQL's programs; empty: they are looked for
	CheckAt  string   // PostgreSQL: an empty database to restore into, for the proof; empty: one is made on the same server
	Progress Progress

	room asker
}

// Made is what became of an order.
type Made struct {
	Manifest Manifest
	Heads    []activity.Anchor
	Bytes    int64
	SHA256   string // of the file
	data     int64  // bytes of the part with the data
}

// Make writes a backup. Whatever goes wrong, there is no file of that name.
func Make(ctx context.Context, o Order) (made Made, err error) {
	if o.Progress == nil {
		o.Progress = func(string, int64, int64) {}
	}
	if _, err := os.Stat(o.To); err == nil {
		return made, nameTaken(o.To)
	}
	if err := o.DB.Migrated(ctx); errors.Is(err, db.ErrUnfinished) {
		return made, err
	} else if err != nil {
		return made, fault.New(fault.Conflict, "The database is of another version. Back it up with the program that runs on it.").Because(err)
	}
	done, err := alone(o.Work)
	if err != nil {
		return made, err
	}
	defer func() { err = errors.Join(err, done()) }()
	witness, err := o.Keys.witness()
	if err != nil {
		return made, err
	}
	partial := o.To + unfinished
	file, err := beginFile(partial)
	if err != nil {
		return made, err
	}
	defer file.Close()       // and with it its lock; what was written has been made sure of
	defer os.Remove(partial) // it has its name by then, or none
	if made, err = o.write(ctx, file, witness); err != nil {
		return Made{}, err
	}
	if err := o.prove(ctx, partial, witness, made); err != nil {
		return Made{}, err
	}
	if err := endFile(partial, o.To); err != nil {
		return Made{}, err
	}
	return made, nil
}

// write writes the file and makes sure that it stays.
func (o *Order) write(ctx context.Context, file *os.File, witness witness) (made Made, err error) {
	sum := &counted{to: file, sum: sha256.New()}
	err = o.DB.Snapshot(ctx, func(s *db.Snapshot) error {
		if made.Manifest, err = o.describe(s); err != nil {
			return err
		}
		if made.Heads, err = activity.Anchors(s.Tx); err != nil {
			return err
		}
		made.Manifest.Chains = len(made.Heads)
		out, err := newWriter(sum, witness.recipients)
		if err != nil {
			return err
		}
		if err := o.parts(ctx, s, out, made); err != nil {
			return err
		}
		made.data = out.last
		return out.Close()
	})
	if err != nil {
		return made, err
	}
	if err := file.Sync(); err != nil {
		return made, fmt.Errorf("write the backup: %w", err)
	}
	made.Bytes, made.SHA256 = sum.n, hex.EncodeToString(sum.sum.Sum(nil))
	return made, nil
}

// parts writes what the file is made of, in the order in which Restore needs it.
func (o *Order) parts(ctx context.Context, s *db.Snapshot, out *writer, made Made) error {
	if err := out.JSON(partManifest, made.Manifest); err != nil {
		return err
	}
	if err := out.JSON(partHeads, made.Heads); err != nil {
		return err
	}
	if o.RootKey != nil {
		if err := out.Part(partRootKey, func(w io.Writer) error { _, err := w.Write(o.RootKey); return err }); err != nil {
			return err
		}
	}
	if o.DB.Dialect() == db.PostgreSQL {
		return out.Part(partDump, func(w io.Writer) error {
			return dump(ctx, o.DB, o.URL, o.Programs, s, &told{to: w, tell: func(n int64) { o.Progress("dump", n, 0) }})
		})
	}
	copied := filepath.Join(o.Work, copyName)
	defer os.Remove(copied)
	if err := o.copyFits(s); err != nil {
		return err
	}
	if err := s.CopyTo(copied, func(done, all int64) { o.Progress("copy", done, all) }); err != nil {
		return err
	}
	return out.Part(partFile, func(w io.Writer) error {
		return sendFile(ctx, w, copied, func(done, all int64) { o.Progress("encrypt", done, all) })
	})
}

// copyFits refuses to fill the disk of the database that is backed up.
func (o *Order) copyFits(s *db.Snapshot) error {
	size, err := s.Size()
	if err != nil {
		return err
	}
	most, err := o.room.in(o.Work)
	if err == nil && size > most {
		err = noRoom("The database", most, o.Work)
	}
	return err
}

// describe says what the snapshot is.
func (o *Order) describe(s *db.Snapshot) (m Manifest, err error) {
	m = Manifest{Made: s.Tx.Now, Database: o.DB.Dialect().String(), KeyIDs: o.KeyIDs, WithRootKey: o.RootKey != nil}
	if m.Epoch, err = activity.Epoch(s.Tx); err != nil {
		return m, err
	}
	if m.Migrations, err = s.Migrations(); err != nil {
		return m, err
	}
	m.Rows, err = s.Counts()
	return m, err
}

// Names of what lies in the work folder for a while.
const (
	lockName    = "backup.lock"
	copyName    = "backup-copy.db"
	restoreName = "restoring.db"
)

// alone keeps others from working in a folder at the same time, and removes
// what one that was killed has left there.
func alone(folder string) (done func() error, err error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(folder, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = lock.Close()
		return nil, fault.New(fault.Conflict, "Another backup or restore is under way in this data folder.").Because(err)
	}
	if err := sweep(folder); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock.Close, nil
}

func sweep(folder string) error {
	for _, name := range []string{copyName, restoreName} {
		for _, ending := range []string{"", "-wal", "-shm", ".lock"} {
			if err := os.Remove(filepath.Join(folder, name+ending)); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("remove what was left behind: %w", err)
			}
		}
	}
	return nil
}

// counted counts and digests what passes.
type counted struct {
	to  io.Writer
	sum hash.Hash
	n   int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.sum.Write(p[:n])
	c.n += int64(n)
	return n, err
}

// told tells now and then how much has passed.
type told struct {
	to   io.Writer
	n    int64
	tell func(int64)
}

func (t *told) Write(p []byte) (int, error) {
	n, err := t.to.Write(p)
	t.n += int64(n)
	t.tell(t.n)
	return n, err
}

func sendFile(ctx context.Context, w io.Writer, path string, tell func(done, all int64)) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read the copy: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("read the copy: %w", err)
	}
	if _, err := io.Copy(&told{to: w, tell: func(n int64) { tell(n, info.Size()) }}, &patient{ctx, file}); err != nil {
		return fmt.Errorf("read the copy: %w", err)
	}
	return nil
}

// patient reads until the caller gives up.
type patient struct {
	ctx  context.Context
	from io.Reader
}

func (p *patient) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	return p.from.Read(b)
}

// FileName is what a backup made at a moment is called.
func FileName(at time.Time) string { return "mandate-" + at.UTC().Format("20060102T150405Z") + ".age" }
