package calendar

import (
	"time"

	"mandate/internal/bank"
)

// noon is a moment of the day that can be counted with: in UTC no day is longer
// than another.
func noon(day bank.Day) time.Time { return day.Time(time.UTC) }

// AddDays is the day n days later, or earlier where n is negative.
func AddDays(day bank.Day, n int) bank.Day { return bank.DayOf(noon(day).AddDate(0, 0, n), time.UTC) }

// AddMonths is the same day of a later month, or the last one of a month that
// has no such day.
func AddMonths(day bank.Day, n int) bank.Day {
	t := noon(day)
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, 12, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return bank.DayOf(first.AddDate(0, 0, min(t.Day(), last)-1), time.UTC)
}

func weekend(day bank.Day) bool {
	w := noon(day).Weekday()
	return w == time.Saturday || w == time.Sunday
}

// Long is a day as people read it: "Tuesday, May 26, 2026".
func Long(day bank.Day) string { return noon(day).Format("Monday, January 2, 2006") }

// Short is a day without its year: "Monday, May 25".
func Short(day bank.Day) string { return noon(day).Format("Monday, January 2") }
