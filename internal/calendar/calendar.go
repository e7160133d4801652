// Package calendar says on which day something counts: an institution's
// business days, its holidays and the cut-offs of its services, in its own time
// zone. What comes after a cut-off, on a weekend or on a holiday is dated on the
// next business day, with the reason in words.
//
// A Calendar is pure: it is loaded once (Service.In) and then asked. The package
// moves nothing and knows no payment.
package calendar

import (
	"fmt"
	"strings"
	"time"

	"mandate/internal/bank"
)

// A Calendar is an institution's days as they stood when it was loaded.
type Calendar struct {
	Place   *time.Location
	Changed map[bank.Day]Holiday // what the institution says differently from the rules
	Hours   map[Line]Hours       // of the lines that differ from the defaults
}

// A Holiday is a day on which business is not done, or, where the institution
// says that it is open, one on which it is done all the same.
type Holiday struct {
	Day  bank.Day
	Name string
	Open bool
}

// maxSearch is how many days are looked through for a business day.
const maxSearch = 400

// Today is the institution's day of a moment.
func (c *Calendar) Today(at time.Time) bank.Day { return bank.DayOf(at, c.Place) }

// Holiday returns the holiday of a day that is not open for business; weekends
// are none.
func (c *Calendar) Holiday(day bank.Day) (Holiday, bool) {
	if changed, ok := c.Changed[day]; ok {
		return changed, !changed.Open
	}
	name, ok := federal(day)
	return Holiday{Day: day, Name: name}, ok
}

// Open reports whether a day is a business day.
func (c *Calendar) Open(day bank.Day) bool {
	if changed, ok := c.Changed[day]; ok {
		return changed.Open
	}
	_, closed := federal(day)
	return !closed && !weekend(day)
}

// OnOrAfter is the first business day that is not before a day, empty where
// there is none in sight.
func (c *Calendar) OnOrAfter(day bank.Day) bank.Day {
	for range maxSearch {
		if c.Open(day) {
			return day
		}
		day = AddDays(day, 1)
	}
	return ""
}

// After is the first business day after a day.
func (c *Calendar) After(day bank.Day) bank.Day { return c.OnOrAfter(AddDays(day, 1)) }

// Window is when a line is worked on a day: from opening to closing.
func (c *Calendar) Window(line Line, day bank.Day) (opens, closes time.Time) {
	h := c.HoursOf(line)
	return h.Opens.on(day, c.Place), h.Closes.on(day, c.Place)
}

// HoursOf are the hours of a line.
func (c *Calendar) HoursOf(line Line) Hours {
	if h, ok := c.Hours[line]; ok {
		return h
	}
	return line.Default()
}

// InWindow reports whether a line is being worked at a moment.
func (c *Calendar) InWindow(line Line, at time.Time) bool {
	day := c.Today(at)
	opens, closes := c.Window(line, day)
	return c.Open(day) && !at.Before(opens) && at.Before(closes)
}

// A Dating is the business day on which something counts, and why it is not
// the day that was asked for.
type Dating struct {
	Asked   bank.Day // the day that was asked for, or that of the moment
	Day     bank.Day // empty: no business day is in sight, so nothing can be dated
	Because []string // parts of a sentence; none where both are the same
}

// Moved reports whether the day is another than the one asked for.
func (d Dating) Moved() bool { return d.Day != d.Asked }

// Sentence says the day and why: "Dated Tuesday, May 26, 2026: Monday, May 25
// is Memorial Day." It is empty where nothing was moved.
func (d Dating) Sentence() string {
	switch {
	case d.Day == "":
		return "No business day is in sight."
	case !d.Moved():
		return ""
	}
	return fmt.Sprintf("Dated %s: %s.", Long(d.Day), strings.Join(d.Because, "; "))
}

// Date finds the business day of what arrives at a moment and is wanted on a
// day; an empty day means as soon as may be. A later moment is never dated
// earlier.
func (c *Calendar) Date(line Line, at time.Time, wanted bank.Day) Dating {
	day := max(c.Today(at), wanted)
	d := Dating{Asked: day}
	for range maxSearch {
		_, closes := c.Window(line, day)
		switch {
		case !c.Open(day):
			d.because(c.whyClosed(day))
		case !at.Before(closes):
			d.because(fmt.Sprintf("it is past %s, the cut-off for %s", c.HoursOf(line).Closes, line.Label()))
		default:
			d.Day = day
			return d
		}
		day = AddDays(day, 1)
	}
	return d
}

func (d *Dating) because(reason string) {
	for _, known := range d.Because {
		if known == reason {
			return
		}
	}
	d.Because = append(d.Because, reason)
}

func (c *Calendar) whyClosed(day bank.Day) string {
	if h, ok := c.Holiday(day); ok {
		return fmt.Sprintf("%s is %s", Short(day), h.Name)
	}
	return "weekends are not business days"
}
