package ach

import (
	"context"
	"errors"
	"fmt"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// A Frequency is how often a schedule sends its batch.
type Frequency string

const (
	Once      Frequency = "once"
	Weekly    Frequency = "weekly"
	TwoWeeks  Frequency = "two_weeks"
	Monthly   Frequency = "monthly"
	Quarterly Frequency = "quarterly"
	Yearly    Frequency = "yearly"
)

var frequencyLabels = map[Frequency]string{Once: "Once", Weekly: "Every week", TwoWeeks: "Every two weeks", Monthly: "Every month",
	Quarterly: "Every quarter", Yearly: "Every year"}

// Frequencies are all frequencies in the order of screens.
func Frequencies() []Frequency {
	return []Frequency{Once, Weekly, TwoWeeks, Monthly, Quarterly, Yearly}
}

// Label is the frequency as screens show it.
func (f Frequency) Label() string { return frequencyLabels[f] }

// after is the n-th day of a schedule: months are counted from its first day, so
// that the 31st comes back after a shorter month.
func (f Frequency) after(first bank.Day, n int) bank.Day {
	switch f {
	case Weekly:
		return calendar.AddDays(first, 7*n)
	case TwoWeeks:
		return calendar.AddDays(first, 14*n)
	case Monthly:
		return calendar.AddMonths(first, n)
	case Quarterly:
		return calendar.AddMonths(first, 3*n)
	case Yearly:
		return calendar.AddMonths(first, 12*n)
	}
	return first
}

// next is the first day of a schedule after a day, empty where there is none.
func (s *Schedule) next(after bank.Day) bank.Day {
	if s.Frequency == Once {
		return ""
	}
	for n := 1; ; n++ {
		day := s.Frequency.after(s.First, n)
		if s.Last != "" && day > s.Last {
			return ""
		}
		if day > after {
			return day
		}
	}
}

// A Schedule sends a batch by itself. Rights and limits are judged anew at every
// occurrence, and one that is refused parks the schedule.
type Schedule struct {
	Batch     BatchID
	Frequency Frequency
	First     bank.Day
	Next      bank.Day
	Last      bank.Day // empty: until it is ended
	Offset    bank.AccountID
	Member    Somebody // for whom it counts
	Parked    string   // why it stopped
}

// SetSchedule sets a schedule up in the caller's name, or changes one; a parked
// one goes on. It takes the right to edit recurring batches and the right to
// initiate this one.
func (s *Service) SetSchedule(ctx context.Context, caller bank.Caller, version int64, want Schedule) error {
	return s.guard.Do(ctx, caller, doing("ach.batch_edited", caller.Organization, batchTarget(want.Batch)), func(c *guard.Change) error {
		at := place{caller.Institution, caller.Organization}
		b, err := s.seen(c, at, want.Batch)
		if err != nil {
			return err
		}
		if err := permit(c, catalog.ACHBatchEdit, asking{restricted: b.Restricted(), debits: b.HasDebits, recurring: true}); err != nil {
			return err
		}
		ask := asking{restricted: b.Restricted(), debits: b.HasDebits, recurring: true, lastEditor: b.LastEditor.ID == caller.Member(),
			account: want.Offset, amount: b.Amount()}
		if err := permit(c, catalog.ACHBatchInitiate, ask); err != nil {
			return err
		}
		if b.Version != version {
			return ErrChanged
		}
		today := bank.DayOf(c.Tx.Now, c.Policy.Institution.Location)
		if err := want.check(today, &b); err != nil {
			return err
		}
		old, _, err := scheduleOf(c.Tx, at, b.ID)
		if err != nil {
			return err
		}
		want.Next, want.Member, want.Parked = want.First, Somebody{caller.Member(), caller.Name}, ""
		if err := c.RequireProof([]byte("schedule " + want.text() + fmt.Sprintf(" of %s version %d", b.ID, b.Version))); err != nil {
			return err
		}
		c.RecordQuiet("ach.batch_edited", b.target(), "", append(restrictedMark(&b), activity.Change{Field: "schedule", Old: old.text(), New: want.text()})...)
		return putSchedule(c.Tx, at, &want)
	})
}

// restrictedMark says of an event that only holders of the right may see it.
func restrictedMark(b *Batch) []activity.Change {
	if !b.Restricted() {
		return nil
	}
	return []activity.Change{{Field: "restricted", Old: "true", New: "true"}}
}

func (s *Schedule) check(today bank.Day, b *Batch) error {
	var problems fault.Problems
	if frequencyLabels[s.Frequency] == "" {
		problems.Add("frequency", "Choose how often the batch is sent.")
	}
	if _, err := bank.ParseDay(string(s.First)); err != nil || s.First <= today {
		problems.Add("first", "Write a date after today, like 2026-03-02.")
	}
	if _, err := bank.ParseDay(string(s.Last)); s.Last != "" && (err != nil || s.Last < s.First) {
		problems.Add("last", "Write a date that is not before the first one.")
	}
	if b.Credits != b.Debits && s.Offset == "" {
		problems.Add("offset", "Choose the account that the money is taken from or goes to.")
	}
	if b.Origin == FromFile || b.Origin == FromPrenote {
		problems.Add("batch", "A batch that came from a file, or that tests accounts, is sent once. Copy it first.")
	}
	return problems.Err("The schedule cannot be saved.")
}

func (s *Schedule) text() string {
	if s.Frequency == "" {
		return ""
	}
	text := fmt.Sprintf("%s from %s", s.Frequency, s.First)
	if s.Last != "" {
		text += " until " + string(s.Last)
	}
	if s.Offset != "" {
		text += ", account " + string(s.Offset)
	}
	return text
}

// EndSchedule ends a schedule; it takes the same right to edit.
func (s *Service) EndSchedule(ctx context.Context, caller bank.Caller, id BatchID) error {
	return s.guard.Do(ctx, caller, doing("ach.batch_edited", caller.Organization, batchTarget(id)), func(c *guard.Change) error {
		at := place{caller.Institution, caller.Organization}
		b, err := s.seen(c, at, id)
		if err != nil {
			return err
		}
		if err := permit(c, catalog.ACHBatchEdit, asking{restricted: b.Restricted(), debits: b.HasDebits, recurring: true}); err != nil {
			return err
		}
		old, found, err := scheduleOf(c.Tx, at, id)
		if err != nil || !found {
			return err
		}
		c.RecordQuiet("ach.batch_edited", b.target(), "", append(restrictedMark(&b), activity.Change{Field: "schedule", Old: old.text()})...)
		return dropSchedule(c.Tx, at, id)
	})
}

// occur sends the next occurrence on the business day before its date.
func (s *Service) occur(ctx context.Context, t task) (done bool, err error) {
	refusal := error(nil)
	action := system("ach.batch_initiated", t)
	err = s.guard.Do(ctx, bank.System(t.at.institution), action, func(c *guard.Change) error {
		done, refusal = false, nil
		sch, found, err := scheduleOf(c.Tx, t.at, BatchID(t.id))
		if err != nil || !found || sch.Parked != "" {
			return err
		}
		days, err := s.calendar.In(c.Tx, t.at.institution)
		if err != nil {
			return err
		}
		day := days.OnOrAfter(sch.Next)
		if days.Today(c.Tx.Now) < before(days, day) {
			return nil
		}
		done = true
		today := days.Today(c.Tx.Now)
		order := Order{Batch: sch.Batch, Effective: max(day, calendar.AddDays(today, 1)), Offset: sch.Offset}
		_, _, refusal = s.begin(c, t.at, order, way{member: sch.Member, recurring: true})
		switch {
		case refusal != nil && fault.KindOf(refusal) == fault.Internal:
			return refusal
		case refusal != nil:
			f := faultOf(refusal)
			sch.Parked = f.Sentence
			c.RecordRefused(action.Event, action.Target, f.Code, f.Sentence)
			return putSchedule(c.Tx, t.at, &sch)
		}
		if sch.Next = sch.next(max(sch.Next, today)); sch.Next == "" {
			return dropSchedule(c.Tx, t.at, sch.Batch)
		}
		return putSchedule(c.Tx, t.at, &sch)
	})
	return done && err == nil, err
}

// before is the business day before a day.
func before(days *calendar.Calendar, day bank.Day) bank.Day {
	for range 30 {
		if day = calendar.AddDays(day, -1); days.Open(day) {
			return day
		}
	}
	return day
}

const scheduleColumns = `batch_id, frequency, first, next, last, offset_account, member_id, member_name, parked`

func scanSchedule(s db.Scanner) (r Schedule, err error) {
	err = s.Scan(&r.Batch, &r.Frequency, &r.First, &r.Next, &r.Last, &r.Offset, &r.Member.ID, &r.Member.Name, &r.Parked)
	return r, err
}

func scheduleOf(tx *db.Tx, at place, id BatchID) (Schedule, bool, error) {
	r, err := db.One(tx, scanSchedule, `select `+scheduleColumns+` from ach_schedule where institution_id = $1 and organization_id = $2 and batch_id = $3`,
		at.institution, at.organization, id)
	if errors.Is(err, db.ErrNoRows) {
		return Schedule{}, false, nil
	}
	if err != nil {
		return Schedule{}, false, fmt.Errorf("read the schedule of %s: %w", id, err)
	}
	return r, true, nil
}

func putSchedule(tx *db.Tx, at place, r *Schedule) error {
	_, err := tx.Exec(`
		insert into ach_schedule (institution_id, organization_id, `+scheduleColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		on conflict (institution_id, organization_id, batch_id) do update
		   set frequency = excluded.frequency, first = excluded.first, next = excluded.next, last = excluded.last,
		       offset_account = excluded.offset_account, member_id = excluded.member_id, member_name = excluded.member_name, parked = excluded.parked`,
		at.institution, at.organization, r.Batch, r.Frequency, r.First, r.Next, r.Last, r.Offset, r.Member.ID, r.Member.Name, r.Parked)
	if err != nil {
		return fmt.Errorf("store the schedule of %s: %w", r.Batch, err)
	}
	return nil
}

func dropSchedule(tx *db.Tx, at place, id BatchID) error {
	_, err := tx.Exec(`delete from ach_schedule where institution_id = $1 and organization_id = $2 and batch_id = $3`, at.institution, at.organization, id)
	if err != nil {
		return fmt.Errorf("end the schedule of %s: %w", id, err)
	}
	return nil
}

// lead is how many days ahead schedules are looked at: weekends and holidays
// never add up to more.
const lead = 10

func dueSchedules(tx *db.Tx, after string, most int) ([]task, error) {
	return db.All(tx, scanTask, `
		select institution_id, organization_id, batch_id from ach_schedule
		 where parked = '' and next <= $1 and batch_id > $2 order by batch_id limit $3`,
		calendar.AddDays(bank.DayOf(tx.Now, tx.Now.Location()), lead), after, most)
}
