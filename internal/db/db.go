// Package db is the one way to stored data. It opens SQLite or PostgreSQL and
// hands out transactions that behave the same on both: the same SQL text, the
// same errors, the same order of text, the same rules about what a transaction
// survives.
//
// It knows no table and no rule of the trade. A function that takes a *Tx
// touches stored data; one that does not, does not. Nothing outside the
// database is called inside a transaction.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"time"

	"mandate/internal/bank"
)

// Named limits.
const (
	busyTimeout        = 5 * time.Second  // how long SQLite waits for a lock another process holds
	statementTimeout   = 30 * time.Second // PostgreSQL ends a statement that runs longer
	lockTimeout        = 10 * time.Second // PostgreSQL ends a statement that waits longer for a row
	transactionLimit   = 60 * time.Second // PostgreSQL: a whole transaction, its commit included
	connectTimeout     = 5 * time.Second
	defaultWait        = 10 * time.Second
	defaultConnections = 20
	maxRetries         = 3
)

// A Dialect names the database underneath.
type Dialect uint8

const (
	SQLite Dialect = iota + 1
	PostgreSQL
)

func (d Dialect) String() string {
	switch d {
	case SQLite:
		return "SQLite"
	case PostgreSQL:
		return "PostgreSQL"
	}
	return "no database"
}

// Config says which database to open and how. Only URL and Clock are needed.
type Config struct {
	// URL is "sqlite:/path/to/file.db" or "postgres://user@host/database".
	URL string

	// Clock gives every transaction its Now.
	Clock bank.Clock

	// ReadOnly opens the database for looking only. It works beside a running
	// server, and Write and Migrate refuse.
	ReadOnly bool

	// Restoring opens a PostgreSQL database that is being restored, which is
	// refused to everybody else.
	Restoring bool

	// Connections is how many transactions may be open at once. On SQLite it
	// counts readers; there is always exactly one writer. Zero means a default.
	Connections int

	// Wait is how long a transaction may queue for its turn before it ends
	// with ErrBusy. Zero means ten seconds.
	Wait time.Duration

	// Limit is how long writing may take on PostgreSQL, from connecting to the
	// end of the commit: a server that says nothing more is left after it. Zero
	// means a minute.
	Limit time.Duration

	// Migrations is what the database is built from. Nil means the program's own;
	// what keeps its data apart brings its own.
	Migrations fs.FS

	// Schema is where the tables are on PostgreSQL, so that two sets of migrations
	// can share a database; Migrate makes it. Empty: where the address says. A
	// SQLite file holds one set.
	Schema string
}

// A DB is an open database. It is safe for use by many goroutines.
type DB struct {
	dialect    Dialect
	clock      bank.Clock
	readOnly   bool
	restoring  bool
	wait       time.Duration
	migrations fs.FS
	schema     string

	// reader and writer are one pool on PostgreSQL and two on SQLite, where
	// the writer has exactly one connection.
	reader, writer *sql.DB

	// Turns are taken before a connection, so the pools never queue: the
	// wait has a limit, and on SQLite writers go in the order they came.
	readTurns, writeTurns chan struct{}
	lines                 lines         // where writers wait for those turns
	joinFor               time.Duration // how old a transaction may be that others join
	limit                 time.Duration // how long one may take on PostgreSQL
	servers               servers       // PostgreSQL only

	listeners listeners

	attendants attendants

	close        func() error
	openMigrator func() (*sql.DB, error)
	openLooker   func() (*sql.DB, error) // reads for as long as it takes
	unlock       io.Closer               // the SQLite file's lock; nil otherwise
	unique       *uniqueConstraints      // SQLite only
}

// Open opens the database and proves that it can be used. It does not migrate.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.Clock == nil {
		return nil, errors.New("db: Config.Clock is missing")
	}
	if cfg.Wait == 0 {
		cfg.Wait = defaultWait
	}
	if cfg.Connections == 0 {
		cfg.Connections = defaultConnections
	}
	if cfg.Limit == 0 {
		cfg.Limit = transactionLimit
	}
	if cfg.Migrations == nil {
		cfg.Migrations = Migrations()
	}
	if strings.Trim(cfg.Schema, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return nil, fmt.Errorf("db: Config.Schema may have small letters and underscores, not %q", cfg.Schema)
	}
	switch {
	case strings.HasPrefix(cfg.URL, "sqlite:"):
		return openSQLite(ctx, cfg)
	case strings.HasPrefix(cfg.URL, "postgres://"), strings.HasPrefix(cfg.URL, "postgresql://"):
		return openPostgreSQL(ctx, cfg)
	}
	// The address is not repeated: it may hold a password.
	return nil, errors.New(`db: Config.URL must begin with "sqlite:" or "postgres://"`)
}

// newDB builds what both databases share.
func newDB(d Dialect, cfg Config) *DB {
	db := &DB{
		dialect:    d,
		clock:      cfg.Clock,
		readOnly:   cfg.ReadOnly,
		restoring:  cfg.Restoring,
		wait:       cfg.Wait,
		migrations: cfg.Migrations,
		schema:     cfg.Schema,
		joinFor:    defaultJoin,
		limit:      cfg.Limit,
	}
	db.close = sync.OnceValue(db.closeOnce)
	return db
}

// Dialect says which database is underneath.
func (d *DB) Dialect() Dialect { return d.dialect }

// Now is the time by the clock that every transaction's Now is of.
func (d *DB) Now() time.Time { return d.clock.Now() }

// Alone reports whether nobody but this process can change the database while it
// is open: a SQLite file that is open for writing.
func (d *DB) Alone() bool { return d.dialect == SQLite && !d.readOnly }

// Ping asks the database for a sign of life.
func (d *DB) Ping(ctx context.Context) error {
	if err := d.reader.PingContext(ctx); err != nil {
		return fmt.Errorf("ping %s: %w", d.dialect, err)
	}
	return nil
}

// Close waits for nothing: the caller ends its transactions first. Closing
// again is harmless.
func (d *DB) Close() error { return d.close() }

func (d *DB) closeOnce() error {
	err := d.reader.Close()
	if d.writer != d.reader {
		err = errors.Join(err, d.writer.Close())
	}
	if d.unlock != nil {
		err = errors.Join(err, d.unlock.Close())
	}
	return err
}
