package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"modernc.org/sqlite"
)

// openSQLite opens the file with one writer and several readers. Only one
// process at a time may have it, because the writers' order, the caches and
// the clock checks are all kept in memory; a read-only opening may join.
func openSQLite(ctx context.Context, cfg Config) (_ *DB, err error) {
	path, err := sqlitePath(cfg)
	if err != nil {
		return nil, err
	}
	d := newDB(SQLite, cfg)
	defer func() {
		if err != nil && d.unlock != nil {
			err = errors.Join(err, d.unlock.Close())
		}
	}()
	if !cfg.ReadOnly {
		if d.unlock, err = lockFile(path + ".lock"); err != nil {
			return nil, err
		}
	}
	if d.writer, err = sqlitePool(path, cfg.ReadOnly, 1); err != nil {
		return nil, err
	}
	if err = d.writer.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), d.writer.Close())
	}
	if d.reader, err = sqlitePool(path, true, cfg.Connections); err != nil {
		return nil, errors.Join(err, d.writer.Close())
	}
	d.openMigrator = func() (*sql.DB, error) { return sqlitePool(path, false, 1) }
	d.openLooker = func() (*sql.DB, error) { return sqlitePool(path, true, 1) }
	d.readTurns = make(chan struct{}, cfg.Connections)
	d.writeTurns = make(chan struct{}, 1)
	d.unique = &uniqueConstraints{read: d.readUniqueConstraints}
	return d, nil
}

// sqlitePath finds the one true path of the file, so that two names of it meet
// at one lock, and creates the file with rights for its owner only.
func sqlitePath(cfg Config) (string, error) {
	path := strings.TrimPrefix(cfg.URL, "sqlite:")
	if path == "" || strings.HasPrefix(path, ":") || strings.HasPrefix(path, "//") {
		return "", errors.New(`db: Config.URL needs the path of a file, as in "sqlite:/var/lib/mandate/mandate.db"`)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("db: %w", err)
	}
	if !cfg.ReadOnly {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return "", fmt.Errorf("db: %w", err)
		}
		if err := f.Close(); err != nil {
			return "", fmt.Errorf("db: %w", err)
		}
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", fmt.Errorf("db: %w", err)
	}
	return path, nil
}

// sqlitePool opens connections that are all alike in what they promise: durable
// commits, foreign keys, and text compared byte by byte in "like" as well,
// which is how PostgreSQL does it.
func sqlitePool(path string, readOnly bool, connections int) (*sql.DB, error) {
	options := url.Values{
		"_pragma": {
			fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
			"foreign_keys(1)",
			"synchronous(FULL)",
			"case_sensitive_like(1)",
			"trusted_schema(0)",
		},
		"_dqs": {"0"}, // a misspelt "column" is an error and not a text
	}
	if readOnly {
		options.Set("mode", "ro")
		options.Add("_pragma", "query_only(1)")
	} else {
		options.Set("_txlock", "immediate")
		options.Add("_pragma", "journal_mode(WAL)")
	}
	file := url.URL{Path: path}
	connector, err := sqlite.NewConnector("file:" + file.EscapedPath() + "?" + options.Encode())
	if err != nil {
		return nil, fmt.Errorf("db: %w", err)
	}
	pool := sql.OpenDB(cachingConnector{connector})
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return pool, nil
}

// lockFile takes the lock that a running program holds for as long as it
// lives. The system lets go of it when the process ends, however it ends, so
// the file itself may stay behind.
func lockFile(path string) (io.Closer, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("db: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w (%s)", ErrInUse, path)
		}
		return nil, fmt.Errorf("db: lock %s: %w", path, err)
	}
	return f, nil
}
