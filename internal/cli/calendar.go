package cli

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"mandate/internal/app"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/fault"
)

// calendars are the institutions' calendars of a database.
func calendars(d *db.DB) *calendar.Service {
	return calendar.New(doorOf(d), func(tx *db.Tx, institution bank.InstitutionID) (*time.Location, error) {
		house, err := app.House(tx, institution)
		return house.Place, err
	})
}

type institutionCalendar struct {
	config.Store `embed:""`
	Institution  string `arg:"" help:"The institution's id."`
	Year         int    `help:"Of this year; the current one unless given."`
}

func (c *institutionCalendar) Run(t *terminal) (err error) {
	d, err := openReadOnly(t, c.Store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	days, err := calendars(d).Show(t.ctx, operator(c.Institution))
	if err != nil {
		return err
	}
	if c.Year == 0 {
		c.Year = t.clock.Now().In(days.Place).Year()
	}
	table := tabwriter.NewWriter(t.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "DAY\tSTANDS\tNAME")
	for _, h := range days.Holidays(c.Year) {
		stands := "closed"
		if h.Open {
			stands = "open"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", h.Day, stands, h.Name)
	}
	fmt.Fprintln(table, "\nSERVICE\tOPENS\tCUT-OFF")
	for _, line := range calendar.Lines() {
		h := days.HoursOf(line)
		fmt.Fprintf(table, "%s\t%s\t%s\n", line, h.Opens.Text(), h.Closes.Text())
	}
	return table.Flush()
}

// calendarChange is what every change of a calendar needs.
type calendarChange struct {
	config.Store `embed:""`
	Institution  string `arg:"" help:"The institution's id."`
}

func (c *calendarChange) change(t *terminal, do func(s *calendar.Service, caller bank.Caller) error) (err error) {
	d, err := openStore(t, c.Store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return do(calendars(d), operator(c.Institution))
}

type institutionHoliday struct {
	Close holidayClose `cmd:"" help:"Close the institution on a day."`
	Open  holidayOpen  `cmd:"" help:"Keep the institution open on a day on which the rules close it."`
	Clear holidayClear `cmd:"" help:"Let the rules decide about a day again."`
}

type holidayClose struct {
	calendarChange `embed:""`
	Day            string `arg:"" help:"The day, such as 2026-12-24."`
	Name           string `arg:"" help:"What the day is called."`
}

func (c *holidayClose) Run(t *terminal) error {
	return c.change(t, func(s *calendar.Service, caller bank.Caller) error {
		return s.SetHoliday(t.ctx, caller, calendar.Holiday{Day: bank.Day(c.Day), Name: strings.TrimSpace(c.Name)})
	})
}

type holidayOpen struct {
	calendarChange `embed:""`
	Day            string `arg:"" help:"The day, such as 2026-10-12."`
}

func (c *holidayOpen) Run(t *terminal) error {
	return c.change(t, func(s *calendar.Service, caller bank.Caller) error {
		return s.SetHoliday(t.ctx, caller, calendar.Holiday{Day: bank.Day(c.Day), Open: true})
	})
}

type holidayClear struct {
	calendarChange `embed:""`
	Day            string `arg:"" help:"The day, such as 2026-12-24."`
}

func (c *holidayClear) Run(t *terminal) error {
	return c.change(t, func(s *calendar.Service, caller bank.Caller) error {
		return s.ClearHoliday(t.ctx, caller, bank.Day(c.Day))
	})
}

type institutionHours struct {
	calendarChange `embed:""`
	Service        string `arg:"" help:"ach, ach_same_day, wires, transfers, stops or positive_pay."`
	Opens          string `arg:"" help:"From when it is worked, such as 00:00."`
	Closes         string `arg:"" help:"The cut-off, such as 16:00."`
}

func (c *institutionHours) Run(t *terminal) error {
	var problems fault.Problems
	opens, err := calendar.ParseTimeOfDay(c.Opens)
	if err != nil {
		problems.Add("opens", "Write a time like 07:00.")
	}
	closes, err := calendar.ParseTimeOfDay(c.Closes)
	if err != nil {
		problems.Add("closes", "Write a time like 16:00; 24:00 is the end of the day.")
	}
	if err := problems.Err("The hours cannot be saved."); err != nil {
		return err
	}
	return c.change(t, func(s *calendar.Service, caller bank.Caller) error {
		return s.SetHours(t.ctx, caller, calendar.Line(c.Service), calendar.Hours{Opens: opens, Closes: closes})
	})
}
