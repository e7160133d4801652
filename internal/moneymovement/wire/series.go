package wire

import (
	"context"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// A SeriesState is whether a series goes on.
type SeriesState string

const (
	Active          SeriesState = "active"
	Ended           SeriesState = "ended"
	SeriesCancelled SeriesState = "cancelled"
)

// Label is the state as screens show it.
func (s SeriesState) Label() string {
	return map[SeriesState]string{Active: "Active", Ended: "Ended", SeriesCancelled: "Cancelled"}[s]
}

// A Series makes the same wire again and again. One of its wires at a time is
// scheduled; on its day it is sent off on the right of whoever set the series up
// or changed it last, judged anew, and, where that is asked, for a second person
// each time. Then the next one is scheduled.
type Series struct {
	Institution  bank.InstitutionID
	Organization bank.OrganizationID
	ID           SeriesID
	Template     TemplateID
	TemplateName string
	Instruction
	Frequency calendar.Frequency
	First     bank.Day
	Until     bank.Day // empty: no last day
	Times     int      // 0: no end
	Made      int      // wires made so far
	State     SeriesState
	By, Maker Somebody
	Created   time.Time
	Version   int64

	hash string
}

func (s *Series) target() activity.Target {
	return activity.Target{Kind: activity.TargetPayment, ID: string(s.ID), Name: "recurring wire of " + s.Cents.Dollars()}
}

// last reports whether no wire comes after the one with this number.
func (s *Series) last(n int) bool {
	return s.Times > 0 && n >= s.Times || s.Until != "" && s.Frequency.Nth(s.First, n+1) > s.Until
}

// Next are the days of the next wires, at most so many, as they would be dated
// now.
func (s *Series) Next(days *calendar.Calendar, most int) (dated []calendar.Dating) {
	for n := s.Made + 1; len(dated) < most; n++ {
		if n > 1 && s.last(n-1) {
			return dated
		}
		nominal := s.Frequency.Nth(s.First, n)
		dated = append(dated, days.Date(calendar.Wires, nominal.Time(days.Place), nominal))
	}
	return dated
}

// entry is the question about setting a series up, or changing it: each of its
// wires is asked about again on its day.
func (s *Series) entry(member bank.UserID, c *guard.Change) error {
	w := Wire{Instruction: s.Instruction, Series: s.ID}
	return allow(c, w.sending(catalog.WiresTransmitOperation, member, c.Tx.Now))
}

func (d *Draft) asSeries() Series {
	return Series{ID: d.Series(), Instruction: d.Instruction, Frequency: d.Repeat, First: d.On, Until: d.Until, Times: d.Times, State: Active}
}

// begin stores a series and makes its first wire, which is sent off where its
// day has come.
func (s *Service) begin(c *guard.Change, days *calendar.Calendar, d *Draft, w *Wire) (Made, error) {
	r := d.asSeries()
	r.Institution, r.Organization, r.By, r.Maker = w.Institution, w.Organization, w.By, w.Maker
	r.Template, r.TemplateName, r.Created, r.hash = w.Template, w.TemplateName, c.Tx.Now, w.hash
	if err := r.entry(c.Caller.Member(), c); err != nil {
		return Made{}, err
	}
	if err := c.RequireProof([]byte("wire " + r.hash)); err != nil {
		return Made{}, err
	}
	if err := insertSeries(c.Tx, &r); err != nil {
		return Made{}, err
	}
	c.RecordQuiet(EventScheduled, r.target(), "", append(r.told(), activity.Change{Field: "repeat", New: string(r.Frequency)})...)
	first, err := r.makeNext(c, days)
	if err != nil {
		return Made{}, err
	}
	made := Made{first.ID, r.ID}
	event := EventScheduled
	if !first.Due.After(c.Tx.Now) {
		first.Originator, first.proven = w.Originator, true
		if event, err = s.sendOff(c, days, first, d.Anyway); err != nil {
			return Made{}, err
		}
	}
	c.RecordQuiet(event, first.target(), first.Because, first.told()...)
	if first.State == Scheduled {
		return made, nil
	}
	return made, s.goOn(c, first)
}

// nth is the id of one of the series, by which the host knows whether it has been
// made already.
func (s *Series) nth(n int) ID {
	return ID(bank.NthID(prefix, s.Institution, s.Organization, string(s.ID), s.Created, n))
}

// makeNext schedules the next wire of a series. RunDue sends it off on its day.
func (s *Series) makeNext(c *guard.Change, days *calendar.Calendar) (*Wire, error) {
	s.Made++
	s.Version++
	w := &Wire{
		Institution: s.Institution, Organization: s.Organization, ID: s.nth(s.Made), Series: s.ID, Occurrence: s.Made, Template: s.Template, TemplateName: s.TemplateName,
		Instruction: s.Instruction, State: Scheduled, Asked: s.Frequency.Nth(s.First, s.Made), By: s.By, Maker: s.Maker, Created: c.Tx.Now,
	}
	if err := w.date(days, c.Tx); err != nil {
		return nil, err
	}
	if err := updateSeries(c.Tx, s); err != nil {
		return nil, err
	}
	return w, insert(c.Tx, w)
}

// goOn schedules the next wire after one of a series has had its turn, or ends
// the series where there is none.
func (s *Service) goOn(c *guard.Change, w *Wire) error {
	if w.Series == "" {
		return nil
	}
	r, found, err := findSeries(c.Tx, place{w.Institution, w.Organization}, w.Series)
	if err != nil || !found || r.State != Active || r.Made > w.Occurrence {
		return err
	}
	if r.last(r.Made) {
		r.State, r.Version = Ended, r.Version+1
		return updateSeries(c.Tx, &r)
	}
	days, err := s.calendar.In(c.Tx, w.Institution)
	if err != nil {
		return err
	}
	next, err := r.makeNext(c, days)
	if err == nil {
		c.RecordQuiet(EventScheduled, next.target(), next.Because, next.told()...)
	}
	return err
}

// oneSeries reads the series that a change is about, for whoever may do what they
// want with it: the right to see wires is part of every other.
func oneSeries(c *guard.Change, op catalog.Operation, id SeriesID, version int64) (Series, error) {
	r, found, err := findSeries(c.Tx, place{c.Caller.Institution, c.Caller.Organization}, id)
	if err != nil {
		return Series{}, err
	}
	if !found {
		return Series{}, ErrNone
	}
	if err := c.Widen(scopeOf(c.Caller.Member(), r.Account)); err != nil {
		return Series{}, err
	}
	if err := allow(c, on(op, c.Caller.Member(), r.Account, c.Tx.Now)); err != nil {
		return Series{}, err
	}
	if r.Version != version || r.State != Active {
		return r, ErrStale
	}
	return r, nil
}

// A SeriesEdit is what can be changed of a series: how much, with which
// remarks, and when it ends.
type SeriesEdit struct {
	Cents   bank.Cents
	Remarks string
	Until   bank.Day
	Times   int
}

// EditSeries changes what a series makes from the next wire on. It takes the
// right to edit recurring wires and, as it goes on the right of whoever edited
// it from then on, the right to send such wires. What was sent off stays.
func (s *Service) EditSeries(ctx context.Context, caller bank.Caller, id SeriesID, version int64, e SeriesEdit) error {
	return s.guard.Do(ctx, caller, changingSeries(caller, EventSeriesEdited, id), func(c *guard.Change) error {
		r, err := oneSeries(c, catalog.WiresRecurringEditOperation, id, version)
		if err != nil {
			return err
		}
		before := r
		r.Cents, r.Remarks, r.Until, r.Times, r.By = e.Cents, e.Remarks, e.Until, e.Times, somebody(caller)
		r.tidy()
		if err := r.check(c, s.calendar); err != nil {
			return err
		}
		if err := r.entry(caller.Member(), c); err != nil {
			return err
		}
		if err := c.RequireProof([]byte("series " + hashOf([]any{id, version, e}))); err != nil {
			return err
		}
		r.Version++
		if err := updateSeries(c.Tx, &r); err != nil {
			return err
		}
		c.RecordQuiet(EventSeriesEdited, r.target(), "", before.differences(&r)...)
		return r.revise(c)
	})
}

// check finds what is wrong with an edited series.
func (s *Series) check(c *guard.Change, days *calendar.Service) error {
	calendarNow, err := days.In(c.Tx, s.Institution)
	if err != nil {
		return err
	}
	var problems fault.Problems
	s.Instruction.check(&problems)
	if s.Cents <= 0 || s.Cents > bank.MaxAmount {
		problems.Add("amount", "Write an amount like $1,250.00, above zero.")
	}
	checkEnd(&problems, s.Until, calendarNow.Today(c.Tx.Now), s.Times)
	if s.Times > 0 && s.Times < s.Made {
		problems.Addf("times", "%d are made already: write that number or a larger one.", s.Made)
	}
	return problems.Err("The series cannot be changed like this.")
}

func (s *Series) differences(after *Series) []activity.Change {
	changes := s.Instruction.differences(&after.Instruction)
	if s.Until != after.Until {
		changes = append(changes, activity.Change{Field: "until", Old: string(s.Until), New: string(after.Until)})
	}
	if s.By.ID != after.By.ID {
		changes = append(changes, activity.Change{Field: "by", Old: s.By.Name, New: after.By.Name})
	}
	return changes
}

// revise takes what was changed into the wire that is scheduled.
func (s *Series) revise(c *guard.Change) error {
	w, found, err := findOccurrence(c.Tx, place{s.Institution, s.Organization}, s.ID, s.Made)
	if err != nil || !found || w.State != Scheduled {
		return err
	}
	w.Instruction, w.By, w.Version = s.Instruction, s.By, w.Version+1
	return update(c.Tx, &w)
}

func changingSeries(caller bank.Caller, event string, id SeriesID) guard.Action {
	return guard.Action{
		Event: event, Organization: caller.Organization, Others: []bank.ActorKind{bank.ActorMember},
		Target: activity.Target{Kind: activity.TargetPayment, ID: string(id), Name: "recurring wire"}, Scope: scopeOf(caller.Member()),
	}
}

// CancelSeries ends a series; what is scheduled of it is not sent off. What was
// sent off already stays, and is taken back by itself.
func (s *Service) CancelSeries(ctx context.Context, caller bank.Caller, id SeriesID, version int64) error {
	return s.guard.Do(ctx, caller, changingSeries(caller, EventDeleted, id), func(c *guard.Change) error {
		r, err := oneSeries(c, catalog.WiresView, id, version)
		if err != nil {
			return err
		}
		if err := allow(c, takingBack(c.Policy.Institution.Edition, Recurring, caller.Member(), r.Account, c.Tx.Now)); err != nil {
			return err
		}
		r.State, r.Version = SeriesCancelled, r.Version+1
		if err := updateSeries(c.Tx, &r); err != nil {
			return err
		}
		c.RecordQuiet(EventDeleted, r.target(), "", activity.Change{Field: "state", Old: string(Active), New: string(SeriesCancelled)})
		next, found, err := findOccurrence(c.Tx, place{r.Institution, r.Organization}, id, r.Made)
		if err != nil || !found || next.State != Scheduled {
			return err
		}
		c.RecordQuiet(EventDeleted, next.target(), "The series was cancelled.", activity.Change{Field: "state", Old: string(next.State), New: string(Cancelled)})
		return next.to(c.Tx, cancel)
	})
}
