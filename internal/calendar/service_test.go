package calendar_test

import (
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

const cedar = bank.InstitutionID("cedar")

var operator = bank.Caller{Kind: bank.ActorOperator, Name: "Olga", Institution: cedar, Channel: bank.ChannelCommand}

func open(t *testing.T, d *db.DB) *calendar.Service {
	t.Helper()
	if err := d.Write(t.Context(), func(tx *db.Tx) error { return activity.Start(tx, cedar, "") }); err != nil {
		t.Fatal(err)
	}
	return calendar.New(guard.New(d, nil, nil, nil), func(*db.Tx, bank.InstitutionID) (*time.Location, error) {
		return time.LoadLocation("America/Chicago")
	})
}

func TestInstitutionEditsItsCalendar(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, ctx := open(t, d), t.Context()
		for _, h := range []calendar.Holiday{{Day: "2026-12-24", Name: "Christmas Eve"}, {Day: "2026-10-12", Open: true}} {
			if err := s.SetHoliday(ctx, operator, h); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.SetHours(ctx, operator, calendar.Wires, calendar.Hours{Closes: calendar.At(15, 30)}); err != nil {
			t.Fatal(err)
		}
		c, err := s.Show(ctx, operator)
		if err != nil {
			t.Fatal(err)
		}
		if c.Open("2026-12-24") || !c.Open("2026-10-12") || c.HoursOf(calendar.Wires).Closes != calendar.At(15, 30) {
			t.Errorf("the calendar says %+v", c)
		}
		if err := s.ClearHoliday(ctx, operator, "2026-10-12"); err != nil {
			t.Fatal(err)
		}
		if c, _ = s.Show(ctx, operator); c.Open("2026-10-12") {
			t.Error("Columbus Day stays open after its exception is gone")
		}
		events := history(t, d)
		if len(events) != 4 || events[0].Changes[0].Field != "2026-10-12" || events[0].Changes[0].Old != "open" || events[0].Changes[0].New != "closed: Columbus Day" {
			t.Errorf("the history says %+v", events)
		}
	})
}

func TestCalendarRefusesWhatCannotBe(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, ctx := open(t, d), t.Context()
		for name, err := range map[string]error{
			"a day that is none": s.SetHoliday(ctx, operator, calendar.Holiday{Day: "2026-02-30", Name: "x"}),
			"no name":            s.SetHoliday(ctx, operator, calendar.Holiday{Day: "2026-02-03"}),
			"no line":            s.SetHours(ctx, operator, "cheques", calendar.Hours{Closes: 60}),
			"closed all day":     s.SetHours(ctx, operator, calendar.ACH, calendar.Hours{Opens: 60, Closes: 60}),
		} {
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s: %v, want Invalid", name, err)
			}
		}
		member := bank.Caller{Kind: bank.ActorMember, ID: "usr_dana", Institution: cedar}
		if err := s.SetHoliday(ctx, member, calendar.Holiday{Day: "2026-12-24", Name: "x"}); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("a member sets a holiday: %v, want Forbidden", err)
		}
	})
}

func history(t *testing.T, d *db.DB) (events []activity.Event) {
	t.Helper()
	err := d.Read(t.Context(), func(tx *db.Tx) (err error) {
		events, err = activity.Feed(tx, activity.Filter{Institution: cedar})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// rights are what staff users hold.
type rights map[bank.StaffID]string

func (r rights) StaffMay(_ *db.Tx, _ bank.InstitutionID, staff bank.StaffID, permission string) (bool, error) {
	return r[staff] == permission, nil
}

// Of the staff, whoever manages the institution's settings keeps its calendar.
func TestStaffWhoKeepTheCalendar(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		open(t, d)
		door := guard.New(d, nil, rights{"keeper": "institution.settings.manage", "teller": "people.manage_all"}, nil)
		s := calendar.New(door, func(*db.Tx, bank.InstitutionID) (*time.Location, error) { return time.LoadLocation("America/Chicago") })
		for id, may := range map[string]bool{"keeper": true, "teller": false} {
			who := bank.Caller{Kind: bank.ActorStaff, ID: id, Name: id, Institution: cedar, Channel: bank.ChannelPeople}
			err := s.SetHoliday(t.Context(), who, calendar.Holiday{Day: "2026-12-24", Name: "Christmas Eve"})
			if (err == nil) != may || !may && fault.KindOf(err) != fault.Forbidden {
				t.Errorf("%s closes a day: %v", id, err)
			}
			if _, err := s.Show(t.Context(), who); (err == nil) != may {
				t.Errorf("%s looks: %v", id, err)
			}
		}
	})
}
