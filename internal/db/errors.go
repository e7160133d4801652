package db

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrNoRows says that a query for one row found none.
var ErrNoRows = sql.ErrNoRows

var (
	// ErrBusy says that no turn or no lock came free in time, or that no server
	// answers. Nothing was done.
	ErrBusy = errors.New("db: too busy, nothing was done")

	// ErrInUse refuses a SQLite file that another process has open.
	ErrInUse = errors.New("db: another process has this database open")

	// ErrReadOnly refuses a change in a read-only transaction or database.
	ErrReadOnly = errors.New("db: read-only, nothing may be changed")

	// ErrNested refuses a transaction inside another: pass the tx instead.
	ErrNested = errors.New("db: a transaction is already open here")

	// ErrText refuses text that PostgreSQL could not store.
	ErrText = errors.New("db: text must be UTF-8 without a zero byte")

	// ErrCommitUnknown says that the connection was lost while committing:
	// the change may be stored or not. Whoever repeats it needs a key that
	// makes doing it twice harmless.
	ErrCommitUnknown = errors.New("db: it is not known whether the commit took place")
)

// The two databases' codes.
const (
	pgForeignKey    = "23503"
	pgLockTimeout   = "55P03"
	pgNoDatabase    = "3D000"
	pgShutdown      = "57P01"
	pgUnique        = "23505"
	pgSerialization = "40001"
	pgDeadlock      = "40P01"
)

// IsUnique says whether err is a violation of the named unique or primary key
// constraint, or of the unique index of that name.
func IsUnique(err error, constraint string) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == pgUnique && pg.ConstraintName == constraint
	}
	if u, ok := errors.AsType[*uniqueError](err); ok {
		return slices.Contains(u.names, constraint)
	}
	return false
}

// IsForeignKey says whether err is a reference to a row that is not there, or
// the removal of a row that is still referred to. SQLite cannot say which.
func IsForeignKey(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == pgForeignKey
	}
	return sqliteCode(err) == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
}

// isConflict says whether the database wants the whole transaction again.
func isConflict(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pg.Code == pgSerialization || pg.Code == pgDeadlock)
}

// translate adds what the program asks for to what the database says: the
// name of a unique constraint, or that somebody held a lock too long.
func (d *DB) translate(err error) error {
	pg, _ := errors.AsType[*pgconn.PgError](err)
	if pg != nil && pg.Code == pgLockTimeout || sqliteCode(err)&0xff == sqlite3.SQLITE_BUSY {
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return d.nameConstraint(err)
}

// fromDatabase says whether the database itself answered with this error.
func fromDatabase(err error) bool {
	if _, ok := errors.AsType[*pgconn.PgError](err); ok {
		return true
	}
	return sqliteCode(err) != 0
}

// commitUnknown says whether a failed commit may have taken place after all:
// it did not only if the database lived to say so.
func commitUnknown(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.SeverityUnlocalized != "ERROR"
	}
	if code := sqliteCode(err); code != 0 {
		return code&0xff == sqlite3.SQLITE_IOERR
	}
	return !errors.Is(err, pgx.ErrTxCommitRollback)
}

// isStale says whether a connection of the pool had died before it was used:
// the server was restarted, or something between closed it. Another one will do.
func isStale(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == pgShutdown
	}
	_, unreachable := errors.AsType[*pgconn.ConnectError](err)
	return !unreachable && sqliteCode(err) == 0
}

// sqliteCode is SQLite's extended result code, or zero.
func sqliteCode(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}
