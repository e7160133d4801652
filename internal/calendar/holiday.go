package calendar

import (
	"slices"
	"time"

	"mandate/internal/bank"
)

// A rule says when a holiday of the Federal Reserve Banks falls in a year.
type rule struct {
	name  string
	since int // the first year in which it is kept; 0: always
	on    func(year int) time.Time
}

var rules = []rule{
	{"New Year's Day", 0, on(time.January, 1)},
	{"Martin Luther King Jr. Day", 1986, nth(3, time.Monday, time.January)},
	{"Presidents' Day", 0, nth(3, time.Monday, time.February)},
	{"Memorial Day", 0, last(time.Monday, time.May)},
	{"Juneteenth", 2022, on(time.June, 19)},
	{"Independence Day", 0, on(time.July, 4)},
	{"Labor Day", 0, nth(1, time.Monday, time.September)},
	{"Columbus Day", 0, nth(2, time.Monday, time.October)},
	{"Veterans Day", 0, on(time.November, 11)},
	{"Thanksgiving Day", 0, nth(4, time.Thursday, time.November)},
	{"Christmas Day", 0, on(time.December, 25)},
}

func on(m time.Month, day int) func(int) time.Time {
	return func(year int) time.Time { return date(year, m, day) }
}

func nth(n int, w time.Weekday, m time.Month) func(int) time.Time {
	return func(year int) time.Time {
		first := date(year, m, 1)
		return first.AddDate(0, 0, (int(w-first.Weekday())+7)%7+7*(n-1))
	}
}

func last(w time.Weekday, m time.Month) func(int) time.Time {
	return func(year int) time.Time {
		end := date(year, m+1, 0)
		return end.AddDate(0, 0, -((int(end.Weekday()-w) + 7) % 7))
	}
}

func date(year int, m time.Month, day int) time.Time {
	return time.Date(year, m, day, 12, 0, 0, 0, time.UTC)
}

// federal returns the name of the day's holiday by the rules of the Federal
// Reserve Banks. One that falls on a Sunday is kept on the Monday after; on the
// Friday before a Saturday the Banks are open.
func federal(day bank.Day) (string, bool) {
	t := noon(day)
	if t.IsZero() {
		return "", false
	}
	for _, r := range rules {
		if t.Year() >= r.since && observed(r.on(t.Year())).Equal(t) {
			return r.name, true
		}
	}
	return "", false
}

func observed(t time.Time) time.Time {
	if t.Weekday() == time.Sunday {
		return t.AddDate(0, 0, 1)
	}
	return t
}

// Holidays are the days of a year on which the institution is closed besides
// weekends, and those that the rules close and the institution keeps open.
func (c *Calendar) Holidays(year int) []Holiday {
	var all []Holiday
	for t := date(year, time.January, 1); t.Year() == year; t = t.AddDate(0, 0, 1) {
		day := bank.DayOf(t, time.UTC)
		if h, changed := c.Changed[day]; changed {
			all = append(all, h)
		} else if name, ok := federal(day); ok && !weekend(day) {
			all = append(all, Holiday{Day: day, Name: name})
		}
	}
	slices.SortFunc(all, func(a, b Holiday) int { return compare(a.Day, b.Day) })
	return all
}

func compare(a, b bank.Day) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
