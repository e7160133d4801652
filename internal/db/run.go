package db

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"time"
)

// Read runs f in a read-only transaction: all its statements see the database
// at one moment, and a statement that changes something fails.
func (d *DB) Read(ctx context.Context, f func(tx *Tx) error) error {
	return d.try(ctx, func(int) (bool, error) { return d.runOnce(ctx, f, true) })
}

// Write runs f in a transaction and commits it if f returns nil. When the
// database asks for the transaction again (a deadlock, a conflict), f is run
// again from the start, so f must change nothing but the database; what has to
// follow a commit goes to AfterCommit.
//
// An error means that nothing was stored, with one exception: ErrCommitUnknown.
func (d *DB) Write(ctx context.Context, f func(tx *Tx) error) error {
	return d.WriteInLine(ctx, "", f)
}

// WriteInLine is Write for those who would wait for each other in the database:
// writers of one name wait here, hold no connection meanwhile, and who waits
// may share a transaction with those before it. That is for short changes that
// touch the same rows. On SQLite, where every writer waits for every other,
// that is so whatever the name. An empty name is nobody else's.
func (d *DB) WriteInLine(ctx context.Context, name string, f func(tx *Tx) error) error {
	if d.readOnly {
		return ErrReadOnly
	}
	if d.dialect == SQLite {
		name = theWriters
	}
	if name == "" {
		return d.try(ctx, func(int) (bool, error) { return d.runOnce(ctx, f, false) })
	}
	l, done := d.lines.of(name)
	defer done()
	return d.try(ctx, func(earlier int) (bool, error) { return d.writeTogether(ctx, l, f, earlier > 0) })
}

// openKey marks a context inside a transaction on a certain database.
type openKey struct{ db *DB }

// try runs a transaction until it need not be run again; once is told how often
// it was run before.
func (d *DB) try(ctx context.Context, once func(earlier int) (again bool, err error)) error {
	if ctx.Value(openKey{d}) != nil {
		return ErrNested
	}
	for retries := 0; ; retries++ {
		again, err := once(retries)
		if !again || retries == maxRetries {
			return err
		}
		if !pause(ctx, retries) {
			return err
		}
	}
}

// pause waits a random moment that grows with the number of retries, so that
// two transactions that met once do not meet again. It says whether the caller
// still wants an answer.
func pause(ctx context.Context, retries int) bool {
	most := 10 * time.Millisecond << retries
	timer := time.NewTimer(rand.N(most))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (d *DB) runOnce(ctx context.Context, f func(tx *Tx) error, readOnly bool) (again bool, err error) {
	turns := d.writeTurns
	if readOnly {
		turns = d.readTurns
	}
	if err := d.takeTurn(ctx, turns); err != nil {
		return false, err
	}
	tx, again, err := d.transact(ctx, turns, f, readOnly)
	if err != nil {
		return again, err
	}
	for _, hook := range tx.after {
		hook()
	}
	return false, nil
}

// transact holds a turn from its first line to its last, also when f panics.
func (d *DB) transact(ctx context.Context, turns chan struct{}, f func(tx *Tx) error, readOnly bool) (_ *Tx, again bool, err error) {
	defer func() { <-turns }()

	tx, cancel, err := d.begin(ctx, readOnly)
	if err != nil {
		return nil, isConflict(err), err
	}
	defer cancel()
	ended := false
	defer func() {
		if !ended { // f failed, or panicked
			_ = tx.sqlTx.Rollback() // the connection is thrown away when even this fails
		}
	}()

	if err := f(tx); err != nil {
		return tx, tx.conflict || isConflict(err), err
	}
	if err := tx.unfit(); err != nil {
		return tx, tx.conflict, err
	}
	ended = true
	if readOnly {
		return tx, false, d.translate(tx.sqlTx.Commit())
	}
	err = d.commit(tx.sqlTx)
	return tx, isConflict(err), err
}

// commit ends a transaction that changed something. It is confirmed when the
// server says so, and when nobody told the server meanwhile to wait for its
// standby no longer: what only one server has may be lost with it.
func (d *DB) commit(sqlTx *sql.Tx) error {
	alone := d.servers.alone.Load()
	err := d.translate(sqlTx.Commit())
	switch {
	case err == nil && d.servers.alone.Load() != alone:
		return fmt.Errorf("%w: the server stopped waiting for its standby", ErrCommitUnknown)
	case err != nil && commitUnknown(err):
		return fmt.Errorf("%w: %w", ErrCommitUnknown, err)
	}
	return err
}

// begin starts a transaction for one caller.
func (d *DB) begin(ctx context.Context, readOnly bool) (*Tx, context.CancelFunc, error) {
	sqlTx, _, cancel, err := d.beginSQL(ctx, readOnly)
	if err != nil {
		return nil, nil, err
	}
	return d.newTx(ctx, sqlTx, readOnly), cancel, nil
}

// newTx is a caller's transaction, from now.
func (d *DB) newTx(ctx context.Context, sqlTx *sql.Tx, readOnly bool) *Tx {
	ctx = context.WithValue(ctx, openKey{d}, true)
	return &Tx{
		Now:        d.clock.Now().UTC().Truncate(time.Microsecond),
		db:         d,
		ctx:        ctx,
		statements: ctx,
		sqlTx:      sqlTx,
		readOnly:   readOnly,
	}
}

// beginSQL starts a transaction. To write, the database is given a context that
// the caller cannot cancel: statements end when the caller gives up, but a commit
// that has been sent is waited for, because only its answer is the truth.
func (d *DB) beginSQL(ctx context.Context, readOnly bool) (_ *sql.Tx, lasting context.Context, cancel context.CancelFunc, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, nil, err
	}
	lasting, cancel = context.WithoutCancel(ctx), func() {}
	pool, options := d.writer, sql.TxOptions{ReadOnly: readOnly}
	if readOnly {
		pool = d.reader
	}
	switch {
	case d.dialect == PostgreSQL && readOnly:
		options.Isolation = sql.LevelRepeatableRead
		lasting, cancel = context.WithTimeout(ctx, transactionLimit) // a reader who gives up needs no answer, to whatever it was
	case d.dialect == PostgreSQL:
		options.Isolation = sql.LevelReadCommitted
		lasting, cancel = context.WithTimeout(lasting, d.limit)
	}
	sqlTx, err := pool.BeginTx(lasting, &options)
	for range cap(d.readTurns) { // as many connections as there may be dead ones
		if err == nil || !isStale(err) || lasting.Err() != nil {
			break
		}
		sqlTx, err = pool.BeginTx(lasting, &options)
	}
	if err != nil {
		cancel()
		if d.dialect == PostgreSQL && !fromDatabase(err) && ctx.Err() == nil {
			err = fmt.Errorf("%w: no server answers: %w", ErrBusy, err)
		}
		return nil, nil, nil, fmt.Errorf("begin: %w", d.translate(err))
	}
	return sqlTx, lasting, cancel, nil
}

// takeTurn waits for one of the open places, but not for ever.
func (d *DB) takeTurn(ctx context.Context, turns chan struct{}) error {
	select {
	case turns <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(d.wait)
	defer timer.Stop()
	select {
	case turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return ErrBusy
	}
}
