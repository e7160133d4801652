package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// A Tx is one transaction. It belongs to the function it was given to and to
// that function's goroutine, and is of no use after the function returns.
//
// Once a statement has failed in the database, the transaction is lost on both
// databases: later statements refuse, and it does not commit even if the
// function returns nil. Use "on conflict" where a conflict is expected.
type Tx struct {
	// Now is the time of the transaction: UTC, whole microseconds, the same
	// for everything that happens in it.
	Now time.Time

	db       *DB
	ctx      context.Context // ends when the caller gives up
	sqlTx    *sql.Tx
	readOnly bool
	after    []func()
	failure  error // the first error of the database
	conflict bool  // the database asks for the whole transaction again

	// statements ends the statements under way: it is ctx, or lasts longer
	// where others' work is in the same transaction of the database.
	statements context.Context
}

// Context ends when the caller of Read or Write gives up. It also marks that a
// transaction is open, so that a second one inside it is refused.
func (tx *Tx) Context() context.Context { return tx.ctx }

// Dialect is for the few statements that cannot be the same on both databases.
func (tx *Tx) Dialect() Dialect { return tx.db.dialect }

// AfterCommit runs f once, after a successful commit, in the order of asking.
// It is for waking and forgetting (a dispatcher, a cached block), not for work
// that must happen: the process may end between the commit and f.
func (tx *Tx) AfterCommit(f func()) {
	if tx.readOnly {
		panic("db: AfterCommit in a read-only transaction")
	}
	tx.after = append(tx.after, f)
}

// Announce tells what to everybody who listens to the database, once, after a
// successful commit and before the caller of Write knows of it. It is for what
// other parts of this process hold in memory; the process may end in between.
func (tx *Tx) Announce(what any) {
	tx.AfterCommit(func() { tx.db.listeners.tell(what) })
}

// Exec runs a statement that returns no rows and says how many it touched.
func (tx *Tx) Exec(query string, args ...any) (int64, error) {
	if tx.readOnly {
		return 0, ErrReadOnly
	}
	values, err := tx.prepare(args)
	if err != nil {
		return 0, err
	}
	result, err := tx.sqlTx.ExecContext(tx.statements, query, values...)
	if err != nil {
		return 0, tx.fail(err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return 0, tx.fail(err)
	}
	return n, nil
}

// Query runs a statement that returns rows. They must be closed, and their Err
// asked, before the next statement. All and One do both; prefer them.
func (tx *Tx) Query(query string, args ...any) (*sql.Rows, error) {
	values, err := tx.prepare(args)
	if err != nil {
		return nil, err
	}
	rows, err := tx.sqlTx.QueryContext(tx.statements, query, values...)
	if err != nil {
		return nil, tx.fail(err)
	}
	return rows, nil
}

// QueryRow runs a statement that returns at most one row. Whatever went wrong
// is told by Scan; no row is ErrNoRows.
func (tx *Tx) QueryRow(query string, args ...any) *Row {
	values, err := tx.prepare(args)
	if err != nil {
		return &Row{tx: tx, err: err}
	}
	row := tx.sqlTx.QueryRowContext(tx.statements, query, values...)
	if err := row.Err(); err != nil {
		return &Row{tx: tx, err: tx.fail(err)}
	}
	return &Row{tx: tx, row: row}
}

// A Row is the answer of QueryRow.
type Row struct {
	tx  *Tx
	row *sql.Row
	err error
}

// Scan copies the row's columns into dest.
func (r *Row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	err := r.row.Scan(dest...)
	if fromDatabase(err) {
		return r.tx.fail(err)
	}
	return err // no row, or a wrong destination: the transaction is well
}

// prepare refuses a transaction that is already lost and makes the arguments
// plain, so that both databases are given the very same values.
func (tx *Tx) prepare(args []any) ([]any, error) {
	if tx.failure != nil {
		return nil, fmt.Errorf("db: the transaction has already failed: %w", tx.failure)
	}
	if err := tx.ctx.Err(); err != nil {
		return nil, err
	}
	values := make([]any, len(args))
	for i, arg := range args {
		v, err := plain(arg)
		if err != nil {
			return nil, fmt.Errorf("db: argument $%d: %w", i+1, err)
		}
		values[i] = v
	}
	return values, nil
}

// plain turns an argument into an int64, bool, string, []byte or nil. What one
// of the databases would refuse or bend is refused for both.
func plain(arg any) (driver.Value, error) {
	v, err := driver.DefaultParameterConverter.ConvertValue(arg)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case time.Time:
		return nil, errors.New("a time is stored as microseconds: pass UnixMicro()")
	case float64:
		return nil, errors.New("a fraction is never stored: pass an integer")
	case string:
		if strings.IndexByte(v, 0) >= 0 || !utf8.ValidString(v) {
			return nil, ErrText
		}
	}
	return v, nil
}

// unfit says why the transaction cannot be committed, if so.
func (tx *Tx) unfit() error {
	if tx.failure != nil {
		return fmt.Errorf("db: not committed, a statement had failed: %w", tx.failure)
	}
	return tx.ctx.Err()
}

// fail remembers that a statement failed, which costs the transaction.
func (tx *Tx) fail(err error) error {
	tx.conflict = tx.conflict || isConflict(err)
	err = tx.db.translate(err)
	if tx.failure == nil {
		tx.failure = err
	}
	return err
}
