package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/outbox"
)

// Named limits.
const (
	carryTime = 20 * time.Second // for one order, the room's part included
	atOnce    = 3 * time.Second  // how long somebody waits to see what came of theirs
	rounds    = 3                // looks at the queue while they wait
	width     = 8                // users whose orders are carried at the same time
)

// Queue hands an order to the host with the transaction: it goes out after the
// commit. Queueing it again changes nothing.
func Queue(tx *db.Tx, o Order) error {
	if o.Room == "" || o.Ref == "" {
		return errors.New("host: an order needs a room and a reference")
	}
	payload, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("write the order: %w", err)
	}
	_, err = outbox.Queue(tx, outbox.Message{Institution: o.Institution, Kind: outbox.Host, Key: o.Key(), Lane: o.lane(), Payload: payload})
	return err
}

// OutcomeUnknown is the code of a payment of which the host has not said what came of
// it, and is not asked any more.
const OutcomeUnknown = "OUTCOME_UNKNOWN"

// Unanswered says, in a code and a sentence, of an order that is under way that nobody
// waits for its answer any more, since it was given up or set aside; nothing while
// somebody does. What asked for it stays as it is: a host that knows the key as another
// order's may well have carried it out, so nothing may send it once more.
func Unanswered(tx *db.Tx, institution bank.InstitutionID, room, ref string) (code, problem string, err error) {
	o := Order{Room: room, Ref: ref}
	fate, err := outbox.Fate(tx, institution, outbox.Host, o.Key())
	if fate != outbox.Dead && fate != outbox.Cancelled {
		return "", "", err
	}
	return OutcomeUnknown, "The host did not say what came of it, and is not asked any more. It may have been made.", nil
}

// lane keeps what is asked about one user in its order.
func (o *Order) lane() string {
	if o.User == nil {
		return ""
	}
	return UserLane(o.User.User.Member)
}

// UserLane is the lane of the orders about a user.
func UserLane(member bank.UserID) string { return "host user " + string(member) }

// An Answer takes what came of an order into the room that asked. It may come
// more than once and must then change nothing.
type Answer func(ctx context.Context, o Order, r Receipt) error

// A Desk carries queued orders to the host.
type Desk struct {
	host     Connector
	answers  map[string]Answer
	dispatch *outbox.Dispatcher
}

// NewDesk returns the desk of a database before a host.
func NewDesk(d *db.DB, host Connector, log *slog.Logger) *Desk {
	desk := &Desk{host: host, answers: map[string]Answer{}}
	desk.dispatch = outbox.NewDispatcher(d, outbox.Host, desk.carry, log)
	desk.dispatch.Width = width
	return desk
}

// Answer says who is told what came of a room's orders. It is for assembling
// the program, before the first order.
func (d *Desk) Answer(room string, answer Answer) { d.answers[room] = answer }

// Host is the host itself, for looking.
func (d *Desk) Host() Connector { return d.host }

// People is the half of the host that knows the customers' people; nil where it
// has none.
func (d *Desk) People() People {
	people, _ := d.host.(People)
	return people
}

// Wake makes Run look now. It never waits; hand it to AfterCommit.
func (d *Desk) Wake() { d.dispatch.Wake() }

// Deliver carries what waits, once, and says how many orders it handled.
func (d *Desk) Deliver(ctx context.Context) (int, error) { return d.dispatch.Deliver(ctx) }

// Run carries orders until ctx ends.
func (d *Desk) Run(ctx context.Context) { d.dispatch.Run(ctx) }

// Now carries what waits and is short: whoever has just asked for something
// sees what came of it. What takes longer, or fails, is carried by Run; that is
// why there is no error.
func (d *Desk) Now(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), atOnce)
	defer cancel()
	for range rounds {
		if n, err := d.dispatch.Deliver(ctx); n == 0 || err != nil {
			d.dispatch.Wake()
			return
		}
	}
}

// carry is the courier of the outbox.
func (d *Desk) carry(ctx context.Context, delivery outbox.Delivery) error {
	ctx, cancel := context.WithTimeout(ctx, carryTime)
	defer cancel()
	var o Order
	if err := json.Unmarshal(delivery.Payload, &o); err != nil {
		return errors.Join(fmt.Errorf("read the order: %w", err), outbox.ErrHopeless)
	}
	answer, known := d.answers[o.Room]
	if !known {
		return errors.Join(fmt.Errorf("host: nobody answers for %q", o.Room), outbox.ErrHopeless)
	}
	receipt, err := d.host.Carry(ctx, o)
	if errors.Is(err, ErrReused) {
		return errors.Join(err, outbox.ErrHopeless)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("the host did not answer for %s: %w", o.Key(), err), outbox.ErrDown)
	}
	if err := answer(ctx, o, receipt); err != nil {
		return fmt.Errorf("tell %s what came of %s: %w", o.Room, o.Key(), err)
	}
	return nil
}
