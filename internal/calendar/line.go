package calendar

import (
	"fmt"
	"time"

	"mandate/internal/bank"
)

// A Line is a service that has hours of its own.
type Line string

const (
	ACH         Line = "ach"
	SameDayACH  Line = "ach_same_day"
	Wires       Line = "wires"
	Transfers   Line = "transfers"
	Stops       Line = "stops"
	PositivePay Line = "positive_pay"
)

// Lines are all lines in the order of screens.
func Lines() []Line { return []Line{ACH, SameDayACH, Wires, Transfers, Stops, PositivePay} }

// Hours are when a line is worked on a business day. What arrives at closing or
// later counts on the next one.
type Hours struct{ Opens, Closes TimeOfDay }

// A TimeOfDay is minutes after midnight by the clock on the institution's wall;
// 1440 is the end of the day.
type TimeOfDay int

const endOfDay TimeOfDay = 24 * 60

// At is a time of day: At(16, 30) is 4:30 PM.
func At(hour, minute int) TimeOfDay { return TimeOfDay(60*hour + minute) }

type lineInfo struct {
	label string
	hours Hours
}

var lines = map[Line]lineInfo{
	ACH:         {"ACH", Hours{0, At(17, 0)}},
	SameDayACH:  {"same day ACH", Hours{0, At(14, 0)}},
	Wires:       {"wires", Hours{0, At(16, 0)}},
	Transfers:   {"transfers", Hours{0, At(19, 0)}},
	Stops:       {"stop payments", Hours{0, At(17, 0)}},
	PositivePay: {"Positive Pay", Hours{At(7, 0), At(13, 0)}},
}

// Known reports whether there is such a line.
func (l Line) Known() bool { return lines[l].label != "" }

// Label is the line as a sentence names it.
func (l Line) Label() string { return lines[l].label }

// Default are the hours of a line where the institution says nothing.
func (l Line) Default() Hours { return lines[l].hours }

// on is the moment of a time of day on a day at a place. By daylight saving a
// time may be there twice, or not at all; then it is one moment all the same.
func (t TimeOfDay) on(day bank.Day, place *time.Location) time.Time {
	n := noon(day)
	return time.Date(n.Year(), n.Month(), n.Day(), 0, int(t), 0, 0, place)
}

// String is the time as people read it: "4:00 PM".
func (t TimeOfDay) String() string {
	if t == endOfDay {
		return "midnight"
	}
	return time.Date(2000, 1, 1, 0, int(t), 0, 0, time.UTC).Format("3:04 PM")
}

// Text is the time as forms and APIs carry it: "16:00", and "24:00" at the end
// of the day.
func (t TimeOfDay) Text() string { return fmt.Sprintf("%02d:%02d", int(t)/60, int(t)%60) }

// ParseTimeOfDay reads "16:00".
func ParseTimeOfDay(s string) (TimeOfDay, error) {
	if s == endOfDay.Text() {
		return endOfDay, nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil || t.Format("15:04") != s {
		return 0, fmt.Errorf("%q is not a time like 16:00", s)
	}
	return At(t.Hour(), t.Minute()), nil
}
