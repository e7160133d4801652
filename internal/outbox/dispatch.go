package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// Bounds of delivering.
const (
	batch       = 10               // messages that a courier takes at a time
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

	wake chan struct{}
}

// NewDispatcher returns a dispatcher; Run starts it.
func NewDispatcher(d *db.DB, kind Kind, courier Courier, log *slog.Logger) *Dispatcher {
	return &Dispatcher{DB: d, Kind: kind, Courier: courier, Log: log, wake: make(chan struct{}, 1)}
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
	for _, t := range taken {
		if err := d.settle(ctx, t, d.Courier(ctx, t.Delivery)); err != nil {
			return len(taken), fmt.Errorf("settle %s: %w", t.ID, err)
		}
	}
	return len(taken), nil
}

type taken struct {
	Delivery
	lane string
}

// take leases messages that are due, and those whose courier never came back.
// Of a lane only the oldest goes: the next waits for it.
func (d *Dispatcher) take(ctx context.Context) (messages []taken, err error) {
	err = d.DB.Write(ctx, func(tx *db.Tx) error {
		messages, err = db.All(tx, func(s db.Scanner) (t taken, err error) {
			err = s.Scan(&t.ID, &t.Institution, &t.Key, &t.lane, &t.Payload, &t.Attempt)
			return t, err
		}, `
			update outbox set state = 'busy', attempts = attempts + 1, due_micros = $1
			 where state in ('ready', 'busy') and due_micros <= $2 and id in (
				select o.id from outbox o
				 where o.state in ('ready', 'busy') and o.kind = $3 and o.due_micros <= $2
				   and (o.lane = '' or not exists (
					select 1 from outbox before
					 where before.lane = o.lane and before.place < o.place and before.state in ('ready', 'busy')))
				 order by o.due_micros, o.id limit $4)
			returning id, institution_id, dedup_key, lane, payload, attempts`,
			tx.Now.Add(lease).UnixMicro(), tx.Now.UnixMicro(), d.Kind, batch)
		return err
	})
	return messages, err
}

// settle stores what became of a message. Only the courier whose attempt it is
// may: after its lease ended, somebody else has it.
func (d *Dispatcher) settle(ctx context.Context, t taken, failure error) error {
	return d.DB.Write(context.WithoutCancel(ctx), func(tx *db.Tx) error {
		state, due, reason := Done, tx.Now, ""
		switch {
		case errors.Is(failure, ErrNotWanted):
			state = Cancelled
		case errors.Is(failure, ErrHopeless), failure != nil && t.Attempt >= maxAttempts:
			state, reason = Dead, failure.Error()
		case failure != nil:
			state, due, reason = Ready, tx.Now.Add(pause(t.Attempt)), failure.Error()
		}
		if failure != nil && state != Cancelled {
			d.Log.Warn("not delivered", "kind", d.Kind, "id", t.ID, "attempt", t.Attempt, "state", state, "error", failure)
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

// pause is how long to wait after an attempt: doubling, with jitter so that
// messages that failed together do not come back together.
func pause(attempt int) time.Duration {
	p := min(firstPause<<min(attempt-1, 12), longPause)
	return p/2 + rand.N(p/2+1)
}
