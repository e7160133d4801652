package transfer

import (
	"context"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/calendar"
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

// A Series makes the same transfer again and again. One of its transfers at a
// time is scheduled; the next is made when that one has had its turn.
type Series struct {
	Institution  bank.InstitutionID
	Organization bank.OrganizationID
	ID           SeriesID
	From, To     bank.AccountID
	Cents        bank.Cents
	Memo         string
	Frequency    Frequency
	First        bank.Day
	Until        bank.Day // empty: no last day
	Times        int      // 0: no end
	Made         int      // transfers made so far
	State        SeriesState
	By, Maker    Somebody
	Created      time.Time
	Version      int64

	hash string
}

// last reports whether no transfer comes after the one with this number.
func (s *Series) last(n int) bool {
	return s.Times > 0 && n >= s.Times || s.Until != "" && s.Frequency.Nth(s.First, n+1) > s.Until
}

// Next are the days of the next transfers, at most so many, as they would be
// dated now.
func (s *Series) Next(days *calendar.Calendar, most int) (dated []calendar.Dating) {
	for n := s.Made + 1; len(dated) < most; n++ {
		if n > 1 && s.last(n-1) {
			return dated
		}
		nominal := s.Frequency.Nth(s.First, n)
		dated = append(dated, days.Date(calendar.Transfers, nominal.Time(days.Place), nominal))
	}
	return dated
}

func (d *Draft) asSeries() Series {
	return Series{
		ID: d.series(), From: d.From, To: d.To, Cents: d.Cents, Memo: d.Memo, Frequency: d.Repeat, First: d.On, Until: d.Until, Times: d.Times, State: Active,
	}
}

// begin stores a series and makes its first transfer, which goes at once where
// its day has come.
func begin(c *guard.Change, days *calendar.Calendar, d *Draft, hash string) (Made, error) {
	s := d.asSeries()
	s.Institution, s.Organization, s.By, s.Maker = c.Caller.Institution, c.Caller.Organization, somebody(c.Caller), somebody(c.Caller)
	s.Created, s.hash = c.Tx.Now, hash
	if err := insertSeries(c.Tx, &s); err != nil {
		return Made{}, err
	}
	c.RecordQuiet(EventScheduled, s.target(), "", activity.Change{Field: "repeat", New: string(s.Frequency)}, activity.Change{Field: "amount", New: s.Cents.String()},
		activity.Change{Field: "from", New: string(s.From)}, activity.Change{Field: "to", New: string(s.To)})
	first, err := s.makeNext(c, days)
	if err != nil {
		return Made{}, err
	}
	if err := first.goFirst(c); err != nil {
		return Made{}, err
	}
	if first.State == Sent { // its day has come already, so the next one waits
		err = goOn(c, days, first)
	}
	return Made{first.ID, s.ID}, err
}

func (s *Series) target() activity.Target {
	return activity.Target{Kind: activity.TargetPayment, ID: string(s.ID), Name: "recurring transfer of " + s.Cents.Dollars()}
}

// nth is the id of one of the series, by which the host knows whether it has been
// made already.
func (s *Series) nth(n int) ID {
	return ID(bank.NthID(prefix, s.Institution, s.Organization, string(s.ID), s.Created, n))
}

// makeNext schedules the next transfer of a series. It goes out by RunDue, which
// judges it then.
func (s *Series) makeNext(c *guard.Change, days *calendar.Calendar) (*Transfer, error) {
	s.Made++
	s.Version++
	t := &Transfer{
		Institution: s.Institution, Organization: s.Organization, ID: s.nth(s.Made), Series: s.ID, Occurrence: s.Made,
		From: s.From, To: s.To, Cents: s.Cents, Memo: s.Memo, State: Scheduled, By: s.By, Maker: s.Maker, Created: c.Tx.Now,
	}
	if err := t.date(days, c.Tx, s.Frequency.Nth(s.First, s.Made)); err != nil {
		return nil, err
	}
	if err := updateSeries(c.Tx, s); err != nil {
		return nil, err
	}
	return t, insert(c.Tx, t)
}

// goOn schedules the next transfer after one of a series has had its turn, or
// ends the series where there is none.
func goOn(c *guard.Change, days *calendar.Calendar, t *Transfer) error {
	if t.Series == "" {
		return nil
	}
	s, found, err := findSeries(c.Tx, place{t.Institution, t.Organization}, t.Series)
	if err != nil || !found || s.State != Active || s.Made > t.Occurrence {
		return err
	}
	if s.last(s.Made) {
		s.State, s.Version = Ended, s.Version+1
		return updateSeries(c.Tx, &s)
	}
	next, err := s.makeNext(c, days)
	if err == nil {
		c.RecordQuiet(EventScheduled, next.target(), next.Because, next.told()...)
	}
	return err
}

// CancelSeries ends a series; what is scheduled of it does not go out. It takes
// the right to make such a transfer, of whatever amount.
func (s *Service) CancelSeries(ctx context.Context, caller bank.Caller, id SeriesID) error {
	action := guard.Action{
		Event: EventCancelled, Organization: caller.Organization, Others: []bank.ActorKind{bank.ActorMember},
		Target: activity.Target{Kind: activity.TargetPayment, ID: string(id), Name: "recurring transfer"}, Scope: scopeOf(caller.Member()),
	}
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		at := place{caller.Institution, caller.Organization}
		series, found, err := findSeries(c.Tx, at, id)
		if err != nil {
			return err
		}
		if !found {
			return ErrNone
		}
		if err := mayTakeBack(c, series.From, series.To); err != nil {
			return err
		}
		if series.State != Active {
			return ErrStale
		}
		series.State = SeriesCancelled
		series.Version++
		if err := updateSeries(c.Tx, &series); err != nil {
			return err
		}
		c.RecordQuiet(EventCancelled, action.Target, "", activity.Change{Field: "state", Old: string(Active), New: string(SeriesCancelled)})
		next, found, err := findOccurrence(c.Tx, at, id, series.Made)
		if err != nil || !found || next.State != Scheduled {
			return err
		}
		c.RecordQuiet(EventCancelled, next.target(), "The series was cancelled.", activity.Change{Field: "state", Old: string(next.State), New: string(Cancelled)})
		return next.to(c.Tx, cancel)
	})
}
