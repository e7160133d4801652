package bank

import (
	"fmt"
	"time"
)

// A Clock tells the time. Everything that depends on time is given one.
type Clock interface {
	Now() time.Time
}

// SystemClock is the machine's clock.
type SystemClock struct{}

func (SystemClock) Now() time.Time { return time.Now() }

// A Day is a calendar date in an institution's time zone, written 2026-03-02.
// Days compare as text. The zero Day is no day.
type Day string

const dayLayout = "2006-01-02"

// DayOf is the calendar day of the moment t at a place.
func DayOf(t time.Time, place *time.Location) Day {
	return Day(t.In(place).Format(dayLayout))
}

// ParseDay reads YYYY-MM-DD and refuses dates that do not exist.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(dayLayout, s)
	var again [len(dayLayout)]byte
	if err != nil || string(t.AppendFormat(again[:0], dayLayout)) != s {
		return "", fmt.Errorf("%q is not a date like 2026-03-02", s)
	}
	return Day(s), nil
}

// Time is noon of the day at a place: a moment that daylight saving never moves
// to another day.
func (d Day) Time(place *time.Location) time.Time {
	t, err := time.Parse(dayLayout, string(d))
	if err != nil {
		return time.Time{}
	}
	return time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, place)
}
