package hostsim

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/host"
)

// By is who changes something at the bank, and where.
type By struct {
	Channel host.Channel
	Name    string   // as the bank knows them; empty: not known
	User    host.Ref // in Classic: the user who does it
	order   string   // the key of the order that asks for it
}

const eventPrefix = "evt-"

// kindOf sorts events by what they tell of, and names it.
func kindOf(e *host.Event) (kind string, ref host.Ref) {
	switch {
	case e.Announced != nil:
		return "announced", e.Announced.Ref
	case e.User != nil:
		return "user", e.User.Ref
	case e.Organization != nil:
		return "organization", e.Organization.Ref
	}
	return "defaults", ""
}

// record keeps an event with the transaction that makes it true. It is told from
// due on.
func record(tx *db.Tx, number int64, institution bank.InstitutionID, by By, due time.Time, e host.Event) error {
	kind, ref := kindOf(&e)
	body, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write the event: %w", err)
	}
	_, err = tx.Exec(`
		insert into core_event (institution_id, number, at_micros, due_micros, channel, changed_by, order_key, kind, ref, body, told)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		institution, number, tx.Now.UnixMicro(), due.UnixMicro(), by.Channel, by.Name, by.order, kind, ref, string(body), false)
	if err != nil {
		return fmt.Errorf("keep the event: %w", err)
	}
	return nil
}

// Events lists what is told, after a mark. What happened since it was last asked
// takes its place in the telling first.
func (b *Bank) Events(ctx context.Context, institution bank.InstitutionID, after string, most int) (all []host.Event, err error) {
	place, err := placeOf(after)
	if err != nil {
		return nil, err
	}
	if err := b.tell(ctx, institution); err != nil {
		return nil, err
	}
	err = b.db.Read(ctx, func(tx *db.Tx) error {
		if err := wasGiven(tx, institution, place); err != nil {
			return err
		}
		all, err = toldAfter(tx, institution, place, min(most, maxPeople))
		return err
	})
	return all, err
}

// wasGiven refuses a mark of a place that nothing was told at yet: it is another
// core's, or of this one before it began anew.
func wasGiven(tx *db.Tx, institution bank.InstitutionID, place int64) error {
	if place == 0 {
		return nil
	}
	n, err := db.One(tx, db.Value[int], `select count(*) from core_book where institution_id = $1 and last_place >= $2`, institution, place)
	if err == nil && n == 0 {
		err = host.ErrNoMark
	}
	if err != nil {
		return fmt.Errorf("look for the mark %d: %w", place, err)
	}
	return nil
}

// About lists what happened to a user, the latest first, for the bank's screens.
func (b *Bank) About(ctx context.Context, institution bank.InstitutionID, ref host.Ref, most int) (all []host.Event, err error) {
	err = b.db.Read(ctx, func(tx *db.Tx) error {
		all, err = db.All(tx, scanEvent, `
			select number, number, at_micros, channel, changed_by, order_key, body from core_event
			 where institution_id = $1 and ref = $2 order by number desc limit $3`, institution, ref, min(most, maxPeople))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read what happened to %s: %w", ref, err)
	}
	return all, nil
}

func placeOf(mark string) (int64, error) {
	if mark == "" {
		return 0, nil
	}
	place, err := strconv.ParseInt(mark, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q: %w", mark, host.ErrNoMark)
	}
	return place, nil
}

func scanEvent(s db.Scanner) (e host.Event, err error) {
	var place, number, micros int64
	var body string
	if err := s.Scan(&place, &number, &micros, &e.Channel, &e.By, &e.Order, &body); err != nil {
		return e, err
	}
	kept := host.Event{}
	err = json.Unmarshal([]byte(body), &kept)
	e.ID, e.Mark, e.At = eventPrefix+reference(number), strconv.FormatInt(place, 10), time.UnixMicro(micros).UTC()
	e.Announced, e.User, e.Organization, e.Defaults = kept.Announced, kept.User, kept.Organization, kept.Defaults
	return e, err
}

func toldAfter(tx *db.Tx, institution bank.InstitutionID, place int64, most int) ([]host.Event, error) {
	all, err := db.All(tx, scanEvent, `
		select t.place, e.number, e.at_micros, e.channel, e.changed_by, e.order_key, e.body
		  from core_told t join core_event e on e.institution_id = t.institution_id and e.number = t.number
		 where t.institution_id = $1 and t.place > $2 order by t.place limit $3`, institution, place, most)
	if err != nil {
		return nil, fmt.Errorf("read the events: %w", err)
	}
	return all, nil
}
