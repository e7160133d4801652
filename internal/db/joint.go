package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Limits of a joint transaction. The second bounds how long the first writer
// waits for those who join.
const (
	mostTogether = 16
	defaultJoin  = 20 * time.Millisecond
)

// A joint is one transaction of the database that several writers of a line
// share, one after the other, so that they wait for the disk once. Each sees
// what those before it did. One that fails takes back its own work alone. All
// are told the outcome after the commit, and never before; when the commit
// fails, nothing of anybody is stored.
type joint struct {
	sqlTx   *sql.Tx
	ctx     context.Context // nobody's caller can cancel it
	done    func()          // gives back what was taken to begin
	began   time.Time
	members int // whose work is in it

	ended chan struct{} // closed at its end; then, for those whose work is in it:
	err   error         // why nothing was stored
	again bool          // they may do it all again, each in a transaction of its own
}

var (
	errPartLost  = errors.New("db: the transaction shared with others was lost, nothing was stored")
	errNotJoined = errors.New("db: the transaction could not be joined, nothing was done")
	errOver      = errors.New("db: the transaction is over")
)

// writeTogether is one try to do f in the turn of a line. Alone, it shares its
// transaction with nobody.
func (d *DB) writeTogether(ctx context.Context, l *line, f func(tx *Tx) error, alone bool) (again bool, err error) {
	if err := l.take(ctx, d.wait); err != nil {
		return false, err
	}
	tx, j, again, err := d.takePart(ctx, l, f, alone)
	if err != nil {
		return again, err
	}
	<-j.ended
	if j.err != nil {
		return j.again, j.err
	}
	for _, hook := range tx.after {
		hook()
	}
	return false, nil
}

// takePart does f in the open transaction, or begins one, and passes the turn
// on, also when f panics.
func (d *DB) takePart(ctx context.Context, l *line, f func(tx *Tx) error, alone bool) (tx *Tx, j *joint, again bool, err error) {
	if alone && l.open != nil {
		d.end(l)
	}
	defer func() { d.passOn(l, alone) }()
	if err := ctx.Err(); err != nil {
		return nil, nil, false, err
	}
	if l.open == nil {
		if l.open, err = d.openJoint(ctx); err != nil {
			return nil, nil, isConflict(err), err
		}
	}
	j = l.open
	tx = d.newTx(ctx, j.sqlTx, false)
	if j.members > 0 {
		tx.statements = j.ctx // to interrupt a statement would take the others' work as well
	}
	if err := d.work(l, tx, f); err != nil {
		return nil, nil, tx.conflict || isConflict(err) || errors.Is(err, errNotJoined), err
	}
	j.members++
	return tx, j, false, nil
}

// openJoint begins a transaction that others may join.
func (d *DB) openJoint(ctx context.Context) (*joint, error) {
	if err := d.takeTurn(ctx, d.writeTurns); err != nil {
		return nil, err
	}
	sqlTx, lasting, cancel, err := d.beginSQL(ctx, false)
	if err != nil {
		<-d.writeTurns
		return nil, err
	}
	done := func() {
		cancel()
		<-d.writeTurns
	}
	return &joint{sqlTx: sqlTx, ctx: lasting, done: done, began: time.Now(), ended: make(chan struct{})}, nil
}

// work does f; when it fails or panics, what it did is taken back.
func (d *DB) work(l *line, tx *Tx, f func(tx *Tx) error) (err error) {
	j, kept := l.open, false
	defer func() {
		if !kept {
			d.takeBack(l)
		}
	}()
	if j.members > 0 {
		// It is never released: the next one of this name hides it, and the commit ends it.
		if _, err := j.sqlTx.ExecContext(j.ctx, "savepoint part"); err != nil {
			return fmt.Errorf("%w: %w", errNotJoined, err)
		}
	}
	err = f(tx)
	if err == nil {
		err = tx.unfit()
	}
	kept = err == nil
	if tx.failure == nil {
		tx.failure = errOver // the transaction of the database may go on, for others
	}
	return err
}

// takeBack takes back what the last one did. Where that cannot be done, the
// whole transaction is lost; the others may do theirs again, because nothing of
// it was ever committed.
func (d *DB) takeBack(l *line) {
	j := l.open
	if j.members > 0 {
		if _, err := j.sqlTx.ExecContext(j.ctx, "rollback to savepoint part"); err == nil {
			return
		}
	}
	_ = j.sqlTx.Rollback() // the connection is thrown away when even this fails
	l.open = nil
	j.end(errPartLost, true)
}

// passOn lets the next one in the line join, or ends the transaction first.
func (d *DB) passOn(l *line, alone bool) {
	if j := l.open; j != nil {
		if !alone && j.members < mostTogether && time.Since(j.began) < d.joinFor && l.pass() {
			return
		}
		d.end(l)
	}
	l.leave()
}

// end commits the open transaction and tells everybody in it.
func (d *DB) end(l *line) {
	j := l.open
	l.open = nil
	err := d.commit(j.sqlTx)
	known := err != nil && !errors.Is(err, ErrCommitUnknown)
	j.end(err, known && (isConflict(err) || j.members > 1))
}

func (j *joint) end(err error, again bool) {
	j.err, j.again = err, again
	j.done()
	close(j.ended)
}
