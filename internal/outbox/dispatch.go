package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// Bounds of delivering.
const (
	batch       = 10               // messages that are taken at a time, for each lane that moves at once
	lease       = 2 * time.Minute  // how long a courier may take over a batch
	maxAttempts = 20               // then a message is dead; by then a day has passed
	firstPause  = 5 * time.Second  // doubles with every attempt
	longPause   = 2 * time.Hour    //
	pollEvery   = 10 * time.Second // looks without being woken, for other processes' messages
)

// A Delivery is a message on its way.
type Delivery struct {
	ID          string
	Institution bank.InstitutionID
	Key         string
	Payload     []byte
	Attempt     int // from 1
}

// ErrNotWanted is what a courier answers when the message must not go out any
// more: it is settled as cancelled.
var ErrNotWanted = errors.New("the message is no longer wanted")

// ErrHopeless is what a courier answers, wrapped, when trying again cannot
// help: the message is dead at once.
var ErrHopeless = errors.New("trying again cannot help")

// ErrDown is what a courier answers, wrapped, when the other end does not answer
// at all: the message may be as good as any other.
var ErrDown = errors.New("the other end does not answer")

// A Courier delivers one message. It may be called again for a message that it
// has delivered already, and must make that harmless. It runs outside every
// transaction.
type Courier func(ctx context.Context, d Delivery) error

// A Dispatcher hands the messages of one kind to a courier.
type Dispatcher struct {
	DB      *db.DB
	Kind    Kind
	Courier Courier
	Log     *slog.Logger
	Width   int // lanes that move at once; messages without a lane go one after another, as one lane

	wake    chan struct{}
	circuit circuit
}

// NewDispatcher returns a dispatcher; Run starts it.
func NewDispatcher(d *db.DB, kind Kind, courier Courier, log *slog.Logger) *Dispatcher {
	return &Dispatcher{DB: d, Kind: kind, Courier: courier, Log: log, Width: 1, wake: make(chan struct{}, 1)}
}

// Wake makes the dispatcher look now. It never waits; hand it to AfterCommit.
func (d *Dispatcher) Wake() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Run delivers until ctx ends. Several processes may run at once.
func (d *Dispatcher) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.wake:
		case <-timer.C:
		}
		for {
			n, err := d.Deliver(ctx)
			if err != nil && ctx.Err() == nil {
				d.Log.Error("delivering failed", "kind", d.Kind, "error", err)
			}
			if n == 0 || err != nil {
				break
			}
		}
		timer.Reset(pollEvery)
	}
}

// Deliver takes what is due, once, and returns how many messages it handled.
func (d *Dispatcher) Deliver(ctx context.Context) (int, error) {
	taken, err := d.take(ctx)
	if err != nil {
		return 0, fmt.Errorf("take messages: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, lease)
	defer cancel()
	var all errgroup.Group
	all.SetLimit(d.Width)
	for _, lane := range lanes(taken) {
		all.Go(func() error { return d.carry(ctx, lane) })
	}
	return len(taken), all.Wait()
}

// lanes are messages that can be carried at the same time: each named lane's
// one, and all others in the order in which they were taken.
func lanes(messages []taken) (all [][]taken) {
	var loose []taken
	for i, m := range messages {
		if m.lane == "" {
			loose = append(loose, m)
		} else {
			all = append(all, messages[i:i+1])
		}
	}
	if len(loose) > 0 {
		all = append(all, loose)
	}
	return all
}

// carry hands messages to the courier one after another. Where the other end
// turns out to be down, or time is up, the rest is given back untried.
func (d *Dispatcher) carry(ctx context.Context, messages []taken) error {
	for _, m := range messages {
		var err error
		if !m.probe && d.circuit.open() || ctx.Err() != nil {
			err = d.giveBack(ctx, m)
		} else {
			err = d.settle(ctx, m, d.Courier(ctx, m.Delivery))
		}
		if err != nil {
			return fmt.Errorf("settle %s: %w", m.ID, err)
		}
	}
	return nil
}

// giveBack makes a message wait as if it had never been taken.
func (d *Dispatcher) giveBack(ctx context.Context, t taken) error {
	return d.DB.Write(context.WithoutCancel(ctx), func(tx *db.Tx) error {
		_, err := tx.Exec(`update outbox set state = 'ready', attempts = attempts - 1, due_micros = $1 where id = $2 and attempts = $3 and state = 'busy'`,
			tx.Now.UnixMicro(), t.ID, t.Attempt)
		return err
	})
}

type taken struct {
	Delivery
	lane  string
	at    time.Time
	probe bool // the other end was down; this one finds out whether it still is
}

// take leases messages that are due, and those whose courier never came back.
// Of a lane only the oldest goes: the next waits for it, also where it is dead.
func (d *Dispatcher) take(ctx context.Context) (messages []taken, err error) {
	most, probe, asked := 0, false, false
	err = d.DB.Write(ctx, func(tx *db.Tx) error {
		if !asked { // a transaction may be tried again
			most, probe = d.circuit.allows(tx.Now, batch*d.Width)
			asked = true
		}
		if most == 0 {
			return nil
		}
		messages, err = db.All(tx, func(s db.Scanner) (t taken, err error) {
			t.probe, t.at = probe, tx.Now
			err = s.Scan(&t.ID, &t.Institution, &t.Key, &t.lane, &t.Payload, &t.Attempt)
			return t, err
		}, `
			update outbox set state = 'busy', attempts = attempts + 1, due_micros = $1
			 where state in ('ready', 'busy') and due_micros <= $2 and id in (
				select o.id from outbox o
				 where o.state in ('ready', 'busy') and o.kind = $3 and o.due_micros <= $2
				   and not exists (
					select 1 from outbox_hold h
					 where h.institution_id = o.institution_id and h.kind = o.kind and o.created_micros <= h.until_micros)
				   and (o.lane = '' or not exists (
					select 1 from outbox before
					 where before.lane = o.lane and before.place < o.place and before.state in ('ready', 'busy', 'dead')))
				 order by o.due_micros, o.id limit $4)
			returning id, institution_id, dedup_key, lane, payload, attempts`,
			tx.Now.Add(lease).UnixMicro(), tx.Now.UnixMicro(), d.Kind, most)
		return err
	})
	return messages, err
}

// settle stores what became of a message. Only the courier whose attempt it is
// may: after its lease ended, somebody else has it. While the other end is down
// nothing dies of it.
func (d *Dispatcher) settle(ctx context.Context, t taken, failure error) error {
	recovered := d.circuit.note(t.at, errors.Is(failure, ErrDown))
	return d.DB.Write(context.WithoutCancel(ctx), func(tx *db.Tx) error {
		state, due, reason := Done, tx.Now, ""
		switch {
		case errors.Is(failure, ErrNotWanted):
			state = Cancelled
		case errors.Is(failure, ErrHopeless), failure != nil && t.Attempt >= maxAttempts && !d.circuit.open():
			state, reason = Dead, failure.Error()
		case failure != nil:
			state, due, reason = Ready, tx.Now.Add(pause(t.Attempt)), failure.Error()
		}
		if failure != nil && state != Cancelled {
			d.Log.Warn("not delivered", "kind", d.Kind, "id", t.ID, "attempt", t.Attempt, "state", state, "error", failure)
		}
		if recovered {
			if err := d.hurry(tx); err != nil {
				return err
			}
		}
		if state == Done || state == Cancelled {
			_, err := tx.Exec(`update outbox set state = $1, settled_micros = $2, failure = '', payload = $3 where id = $4 and attempts = $5 and state = 'busy'`,
				state, tx.Now.UnixMicro(), []byte{}, t.ID, t.Attempt)
			return err
		}
		_, err := tx.Exec(`update outbox set state = $1, due_micros = $2, failure = $3 where id = $4 and attempts = $5 and state = 'busy'`,
			state, due.UnixMicro(), reason, t.ID, t.Attempt)
		return err
	})
}

// hurry ends the pauses of what failed while the other end was down.
func (d *Dispatcher) hurry(tx *db.Tx) error {
	_, err := tx.Exec(`update outbox set due_micros = $1 where state = 'ready' and kind = $2 and due_micros > $1 and failure <> ''`, tx.Now.UnixMicro(), d.Kind)
	return err
}

// pause is how long to wait after an attempt: doubling, with jitter so that
// messages that failed together do not come back together.
func pause(attempt int) time.Duration {
	p := min(firstPause<<min(attempt-1, 12), longPause)
	return p/2 + rand.N(p/2+1)
}
