package db

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
)

// copyStep is how many pages are copied between two looks whether the caller
// still wants them.
const copyStep = 2048

// copier is what the SQLite driver's connection offers besides.
type copier interface {
	NewBackup(destination string) (*sqlite.Backup, error)
}

// Size is how many bytes the file of an SQLite database has with all that its log
// holds: as many as a copy of it.
func (s *Snapshot) Size() (int64, error) {
	size, err := One(s.Tx, Value[int64], `select page_count * page_size from pragma_page_count(), pragma_page_size()`)
	if err != nil {
		return 0, fmt.Errorf("measure the database: %w", err)
	}
	return size, nil
}

// CopyTo writes the snapshot of an SQLite database into a new file, page by
// page, and makes sure that it stays. progress is told how many pages are done.
func (s *Snapshot) CopyTo(path string, progress func(done, all int64)) (err error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	where := url.URL{Path: path}
	// A copy that is not finished is thrown away, so nothing need protect it.
	to := "file:" + where.EscapedPath() + "?_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)"
	err = s.conn.Raw(func(driverConn any) error {
		caching, ok := driverConn.(*cachingConn)
		if !ok {
			return errors.New("db: this is not SQLite")
		}
		from, ok := caching.innerConn.(copier)
		if !ok {
			return errors.New("db: the SQLite driver lacks a method that is relied on")
		}
		return copyPages(s.Tx.ctx, from, to, progress)
	})
	if err != nil {
		return fmt.Errorf("copy the database: %w", s.db.translate(err))
	}
	return syncFile(path)
}

func copyPages(ctx context.Context, from copier, to string, progress func(done, all int64)) (err error) {
	work, err := from.NewBackup(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, work.Finish()) }()
	for more := true; more; {
		if more, err = work.Step(copyStep); err != nil {
			return err
		}
		all := int64(work.PageCount())
		progress(all-int64(work.Remaining()), all)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// syncFile makes sure that a file and its name stay.
func syncFile(path string) error {
	for _, one := range []string{path, filepath.Dir(path)} {
		file, err := os.Open(one)
		if err != nil {
			return err
		}
		if err := errors.Join(file.Sync(), file.Close()); err != nil {
			return fmt.Errorf("make sure that %s stays: %w", one, err)
		}
	}
	return nil
}

// ErrHolds refuses to write over a database that holds anything.
var ErrHolds = errors.New("db: there is a database already")

// Place puts the finished file of an SQLite database where an address says, at
// once: nobody ever sees a part of it. What is there is replaced only where over
// is said, and never while a process has it open.
func Place(file, address string, over bool) error {
	return withFree(address, over, func(path string) error { return replaceFile(file, path) })
}

// Free refuses the place of an SQLite database that is not free: a process has
// it open, or it holds something and over is not said.
func Free(address string, over bool) error {
	return withFree(address, over, func(string) error { return nil })
}

func withFree(address string, over bool, do func(path string) error) (err error) {
	path, err := sqlitePath(Config{URL: address})
	if err != nil {
		return err
	}
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("db: %w", err)
	}
	if info.Size() > 0 && !over {
		return ErrHolds
	}
	return do(path)
}

func replaceFile(file, path string) error {
	// What the old log holds belongs to the old file. Where that can be read, the
	// log goes into it first: until the new name stands, the old file is whole.
	if old, err := sqlitePool(path, false, 1); err == nil {
		_, _ = old.Exec(`pragma wal_checkpoint(truncate)`) // a damaged one cannot be made whole
		_ = old.Close()
	}
	for _, beside := range []string{"-wal", "-shm"} {
		if err := os.Remove(path + beside); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("db: %w", err)
		}
	}
	if err := os.Rename(file, path); err != nil {
		return fmt.Errorf("db: %w", err)
	}
	return syncFile(path)
}
