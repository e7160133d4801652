package calendar

import (
	"context"
	"fmt"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// EventChanged is the history event of a change of the calendar.
const EventChanged = "institution.calendar_changed"

const (
	maxName    = 60
	maxChanges = 100 // days of one year that an institution can set
)

// A Zone finds an institution's time zone.
type Zone func(tx *db.Tx, institution bank.InstitutionID) (*time.Location, error)

// A Service keeps the institutions' calendars.
type Service struct {
	guard *guard.Guard
	zone  Zone
}

// New returns the calendars behind a door.
func New(g *guard.Guard, zone Zone) *Service { return &Service{guard: g, zone: zone} }

// In loads an institution's calendar.
func (s *Service) In(tx *db.Tx, institution bank.InstitutionID) (*Calendar, error) {
	place, err := s.zone(tx, institution)
	if err != nil {
		return nil, fmt.Errorf("find the time zone: %w", err)
	}
	return load(tx, institution, place)
}

func action(institution bank.InstitutionID) guard.Action {
	return guard.Action{
		Event:  EventChanged,
		Target: activity.Target{Kind: activity.TargetInstitution, ID: string(institution), Name: "Calendar"},
		Staff:  catalog.InstitutionSettingsManage.ID(),
		Others: []bank.ActorKind{bank.ActorOperator, bank.ActorHost},
	}
}

// Show reads the calendar for those who keep it.
func (s *Service) Show(ctx context.Context, caller bank.Caller) (c *Calendar, err error) {
	err = s.guard.Look(ctx, caller, action(caller.Institution), func(v *guard.View) error {
		c, err = s.In(v.Tx, caller.Institution)
		return err
	})
	return c, err
}

// SetHoliday says that the institution is closed on a day, under a name, or
// open although the rules close it.
func (s *Service) SetHoliday(ctx context.Context, caller bank.Caller, h Holiday) error {
	if err := h.check(); err != nil {
		return err
	}
	return s.guard.Do(ctx, caller, action(caller.Institution), func(c *guard.Change) error {
		now, err := s.In(c.Tx, caller.Institution)
		if err != nil {
			return err
		}
		n, err := countChanges(c.Tx, caller.Institution, h.Day[:4])
		if err != nil {
			return err
		}
		if n >= maxChanges {
			return fault.Newf(fault.Conflict, "At most %d days of a year can be set.", maxChanges)
		}
		c.Record(activity.Change{Field: string(h.Day), Old: now.describe(h.Day), New: h.describe()})
		return putDay(c.Tx, caller.Institution, h)
	})
}

const dayProblem = "Write a date like 2026-12-24."

func (h Holiday) check() error {
	var problems fault.Problems
	if _, err := bank.ParseDay(string(h.Day)); err != nil {
		problems.Add("day", dayProblem)
	}
	if !h.Open && (h.Name == "" || len([]rune(h.Name)) > maxName) {
		problems.Addf("name", "Write what the day is called, in at most %d characters.", maxName)
	}
	return problems.Err("The holiday cannot be saved.")
}

// ClearHoliday lets the rules decide about a day again.
func (s *Service) ClearHoliday(ctx context.Context, caller bank.Caller, day bank.Day) error {
	if _, err := bank.ParseDay(string(day)); err != nil {
		var problems fault.Problems
		problems.Add("day", dayProblem)
		return problems.Err("The day cannot be cleared.")
	}
	return s.guard.Do(ctx, caller, action(caller.Institution), func(c *guard.Change) error {
		now, err := s.In(c.Tx, caller.Institution)
		if err != nil {
			return err
		}
		old, set := now.Changed[day]
		if !set {
			return nil
		}
		delete(now.Changed, day)
		c.Record(activity.Change{Field: string(day), Old: old.describe(), New: now.describe(day)})
		return dropDay(c.Tx, caller.Institution, day)
	})
}

// SetHours sets when a line is worked.
func (s *Service) SetHours(ctx context.Context, caller bank.Caller, line Line, h Hours) error {
	var problems fault.Problems
	if !line.Known() {
		problems.Add("line", "There is no such service.")
	}
	if h.Opens < 0 || h.Closes <= h.Opens || h.Closes > endOfDay {
		problems.Add("closes", "It closes after it opens, on the same day.")
	}
	if err := problems.Err("The hours cannot be saved."); err != nil {
		return err
	}
	return s.guard.Do(ctx, caller, action(caller.Institution), func(c *guard.Change) error {
		now, err := s.In(c.Tx, caller.Institution)
		if err != nil {
			return err
		}
		old := now.HoursOf(line)
		if old == h {
			return nil
		}
		c.Record(activity.Change{Field: "hours of " + line.Label(), Old: old.text(), New: h.text()})
		return putHours(c.Tx, caller.Institution, line, h)
	})
}

func (h Hours) text() string { return h.Opens.Text() + "-" + h.Closes.Text() }

func (h Holiday) describe() string {
	if h.Open {
		return "open"
	}
	return "closed: " + h.Name
}

func (c *Calendar) describe(day bank.Day) string {
	if h, closed := c.Holiday(day); closed {
		return h.describe()
	}
	if c.Open(day) {
		return "open"
	}
	return "closed: weekend"
}
