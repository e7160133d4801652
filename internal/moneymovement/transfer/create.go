package transfer

import (
	"context"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/host"
)

// A Made is what a draft became: a transfer, of a series the first one.
type Made struct {
	ID     ID
	Series SeriesID
}

// Create makes a transfer, or a series and its first transfer. What is to go at
// once has been at the host when Create returns, unless the host takes its time.
// It asks for a high-risk authorization. The same draft again makes nothing.
func (s *Service) Create(ctx context.Context, caller bank.Caller, d Draft) (made Made, err error) {
	if err := d.checkShape(); err != nil {
		return Made{}, err
	}
	event := EventCreated
	if d.On != "" || d.Repeat != Once {
		event = EventScheduled
	}
	action := guard.Action{
		Event: event, Organization: caller.Organization, Scope: scopeOf(caller.Member(), d.From, d.To),
		Target: activity.Target{Kind: activity.TargetPayment, ID: string(d.ID), Name: "transfer of " + d.Cents.Dollars()},
		Others: []bank.ActorKind{bank.ActorMember}, // the engine is asked with accounts and amount
	}
	err = s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		days, err := s.calendar.In(c.Tx, caller.Institution)
		if err != nil {
			return err
		}
		hash := hashOf(d)
		known, found, err := repeated(c, &d, hash)
		if found || err != nil {
			made = known
			return err
		}
		today := days.Today(c.Tx.Now)
		d.tidy(today)
		if err := d.check(today); err != nil {
			return err
		}
		if err := require(c, question(caller.Member(), d.From, d.To, d.Cents, c.Tx.Now)); err != nil {
			return err
		}
		if err := c.RequireProof([]byte("transfer " + hash)); err != nil {
			return err
		}
		if d.Repeat != Once {
			made, err = begin(c, days, &d, hash)
			return err
		}
		t, err := d.transfer(c, days, hash)
		if err != nil {
			return err
		}
		made = Made{ID: t.ID}
		if err := insert(c.Tx, &t); err != nil {
			return err
		}
		return t.goFirst(c)
	})
	if err != nil {
		return Made{}, err
	}
	s.desk.Now(ctx)
	return made, nil
}

// repeated finds what a draft made before. The same id with other content is
// refused.
func repeated(c *guard.Change, d *Draft, hash string) (made Made, found bool, err error) {
	at := place{c.Caller.Institution, c.Caller.Organization}
	if d.Repeat != Once {
		series, found, err := findSeries(c.Tx, at, d.series())
		if err != nil || !found {
			return Made{}, false, err
		}
		first, _, err := findOccurrence(c.Tx, at, series.ID, 1)
		return Made{first.ID, series.ID}, true, orReused(err, series.hash == hash && series.Maker.ID == c.Caller.Member())
	}
	t, found, err := find(c.Tx, at, d.ID)
	if err != nil || !found {
		return Made{}, false, err
	}
	return Made{ID: t.ID, Series: t.Series}, true, orReused(nil, t.hash == hash && t.Maker.ID == c.Caller.Member())
}

func orReused(err error, same bool) error {
	if err == nil && !same {
		return fault.New(fault.Conflict, "This form was sent before with something else in it. Open it again.").With("ID_REUSED")
	}
	return err
}

// transfer is what a draft asks for, dated.
func (d *Draft) transfer(c *guard.Change, days *calendar.Calendar, hash string) (Transfer, error) {
	t := Transfer{
		Institution: c.Caller.Institution, Organization: c.Caller.Organization, ID: d.ID,
		From: d.From, To: d.To, Cents: d.Cents, Memo: d.Memo, State: Scheduled, By: somebody(c.Caller), Maker: somebody(c.Caller),
		Created: c.Tx.Now, hash: hash,
	}
	return t, t.date(days, c.Tx, d.On)
}

// date finds the business day of a transfer.
func (t *Transfer) date(days *calendar.Calendar, tx *db.Tx, wanted bank.Day) error {
	dated := days.Date(calendar.Transfers, tx.Now, wanted)
	if dated.Day == "" {
		return fault.New(fault.Unavailable, dated.Sentence())
	}
	t.Asked, t.Day, t.Because = dated.Asked, dated.Day, dated.Sentence()
	t.Due, _ = days.Window(calendar.Transfers, dated.Day)
	if wanted == "" {
		t.Due = tx.Now // it moves at once, whatever the day on which it counts
	}
	return nil
}

// goFirst records a new transfer that was decided in this change and, where it
// is due, hands it to the host.
func (t *Transfer) goFirst(c *guard.Change) error {
	if t.Due.After(c.Tx.Now) {
		c.RecordQuiet(EventScheduled, t.target(), t.Because, t.told()...)
		return nil
	}
	c.RecordQuiet(EventCreated, t.target(), t.Because, t.told()...)
	return t.hand(c, send)
}

// hand hands a transfer to the host with this change.
func (t *Transfer) hand(c *guard.Change, step Step) error {
	if err := t.to(c.Tx, step); err != nil {
		return err
	}
	return host.Queue(c.Tx, host.Order{
		Institution: t.Institution, Organization: t.Organization, Room: RoomName, Ref: t.ref(), Day: t.Day, Memo: t.memo(),
		Legs: host.Move(t.From, t.To, t.Cents),
	})
}

func (t *Transfer) memo() string {
	if t.Memo == "" {
		return "Transfer"
	}
	return "Transfer: " + t.Memo
}

// told is a transfer as history keeps it.
func (t *Transfer) told() []activity.Change {
	changes := []activity.Change{
		{Field: "from", New: string(t.From)}, {Field: "to", New: string(t.To)}, {Field: "amount", New: t.Cents.String()}, {Field: "day", New: string(t.Day)},
	}
	if t.Series != "" {
		changes = append(changes, activity.Change{Field: "series", New: string(t.Series)})
	}
	return changes
}
