package calendar

import (
	"archive/zip"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
)

// The dates as the Federal Reserve Banks publish them for these years.
func TestHolidaysOfTheFederalReserve(t *testing.T) {
	published := map[int]string{
		2022: "2022-01-17 2022-02-21 2022-05-30 2022-06-20 2022-07-04 2022-09-05 2022-10-10 2022-11-11 2022-11-24 2022-12-26",
		2023: "2023-01-02 2023-01-16 2023-02-20 2023-05-29 2023-06-19 2023-07-04 2023-09-04 2023-10-09 2023-11-23 2023-12-25",
		2026: "2026-01-01 2026-01-19 2026-02-16 2026-05-25 2026-06-19 2026-09-07 2026-10-12 2026-11-11 2026-11-26 2026-12-25",
		2027: "2027-01-01 2027-01-18 2027-02-15 2027-05-31 2027-07-05 2027-09-06 2027-10-11 2027-11-11 2027-11-25",
	}
	c := &Calendar{Place: time.UTC}
	for year, want := range published {
		var got []string
		for _, h := range c.Holidays(year) {
			got = append(got, string(h.Day))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%d: %s, want %s", year, strings.Join(got, " "), want)
		}
	}
	if !c.Open("2026-07-03") {
		t.Error("the Friday before a holiday on a Saturday is a business day")
	}
	if !c.Open("2021-06-18") || c.Open("2021-06-19") {
		t.Error("Juneteenth is kept since 2022, and 2021-06-19 was a Saturday")
	}
}

func chicago(t *testing.T) *time.Location {
	place, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	return place
}

func TestDatingSaysWhy(t *testing.T) {
	c := &Calendar{Place: chicago(t), Changed: map[bank.Day]Holiday{
		"2026-03-04": {Day: "2026-03-04", Name: "Founders' Day"},
		"2026-02-16": {Day: "2026-02-16", Open: true},
	}}
	at := func(text string) time.Time {
		moment, err := time.ParseInLocation("2006-01-02 15:04", text, c.Place)
		if err != nil {
			t.Fatal(err)
		}
		return moment
	}
	for _, test := range []struct {
		at     string
		wanted bank.Day
		day    bank.Day
		says   string
	}{
		{"2026-03-02 15:59", "", "2026-03-02", ""},
		{"2026-03-02 16:00", "", "2026-03-03", "Dated Tuesday, March 3, 2026: it is past 4:00 PM, the cut-off for wires."},
		{"2026-03-03 17:00", "", "2026-03-05", "Dated Thursday, March 5, 2026: it is past 4:00 PM, the cut-off for wires; Wednesday, March 4 is Founders' Day."},
		{"2026-03-06 18:00", "", "2026-03-09", "Dated Monday, March 9, 2026: it is past 4:00 PM, the cut-off for wires; weekends are not business days."},
		{"2026-03-02 09:00", "2026-05-25", "2026-05-26", "Dated Tuesday, May 26, 2026: Monday, May 25 is Memorial Day."},
		{"2026-03-02 09:00", "2026-03-06", "2026-03-06", ""},
		{"2026-02-16 09:00", "", "2026-02-16", ""},
	} {
		got := c.Date(Wires, at(test.at), test.wanted)
		if got.Day != test.day || got.Sentence() != test.says {
			t.Errorf("Date(%s, %q) = %s, %q, want %s, %q", test.at, test.wanted, got.Day, got.Sentence(), test.day, test.says)
		}
	}
	all := &Calendar{Place: time.UTC, Changed: map[bank.Day]Holiday{}}
	for day := bank.Day("2026-01-01"); day < "2028-01-01"; day = AddDays(day, 1) {
		all.Changed[day] = Holiday{Day: day, Name: "Closed"}
	}
	if d := all.Date(ACH, at("2026-03-02 09:00"), ""); d.Day != "" || d.Sentence() != "No business day is in sight." {
		t.Errorf("an institution that is always closed dates on %q", d.Day)
	}
}

func TestWindowOfExceptions(t *testing.T) {
	c := &Calendar{Place: chicago(t)}
	for text, want := range map[string]bool{
		"2026-03-02T12:59:59Z": false, "2026-03-02T13:00:00Z": true, "2026-03-02T18:59:59Z": true, "2026-03-02T19:00:00Z": false,
		"2026-03-01T15:00:00Z": false,
	} {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.InWindow(PositivePay, at); got != want {
			t.Errorf("InWindow(%s) = %t", text, got)
		}
	}
}

func TestMonthsKeepTheirDayWhereTheyHaveIt(t *testing.T) {
	for n, want := range []bank.Day{"2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"} {
		if got := AddMonths("2026-01-31", n); got != want {
			t.Errorf("%d months after January 31 is %s, want %s", n, got, want)
		}
	}
	if got := AddMonths("2024-02-29", 12); got != "2025-02-28" {
		t.Errorf("a year after a leap day is %s", got)
	}
}

func TestTimesOfDay(t *testing.T) {
	for text, want := range map[string]string{"00:00": "12:00 AM", "09:05": "9:05 AM", "16:00": "4:00 PM", "24:00": "midnight"} {
		got, err := ParseTimeOfDay(text)
		if err != nil || got.String() != want || got.Text() != text {
			t.Errorf("%s is %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "9:00", "24:01", "12:60", "-1:00", "16:00 ", "16"} {
		if got, err := ParseTimeOfDay(text); err == nil {
			t.Errorf("%q was read as %s", text, got)
		}
	}
}

// zones are all time zones that this machine's Go knows.
func zones(t *testing.T) (all []string) {
	t.Helper()
	archive, err := zip.OpenReader(filepath.Join(runtime.GOROOT(), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	for _, f := range archive.File {
		if !strings.HasSuffix(f.Name, "/") {
			all = append(all, f.Name)
		}
	}
	return all
}

// In every zone and around every change of the hour: a business day comes out,
// never one before today, never after closing, and never an earlier one for a
// later moment of the same day.
func TestDatingHoldsInEveryZone(t *testing.T) {
	start, step := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), 37*time.Minute
	for _, name := range zones(t) {
		place, err := time.LoadLocation(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		c := &Calendar{Place: place}
		for _, change := range changesOfTheHour(place, start) {
			var before Dating
			for at := change.Add(-30 * time.Hour); at.Before(change.Add(30 * time.Hour)); at = at.Add(step) {
				d := c.Date(Transfers, at, "")
				_, closes := c.Window(Transfers, d.Day)
				if !c.Open(d.Day) || d.Day < c.Today(at) || !at.Before(closes) || d.Day < before.Day {
					t.Fatalf("%s, %s: dated %+v after %+v", name, at.In(place), d, before)
				}
				before = d
			}
		}
	}
}

// changesOfTheHour are the moments of a year at which a zone changes its
// offset, and the middle of the year for zones that have none.
func changesOfTheHour(place *time.Location, start time.Time) []time.Time {
	changes := []time.Time{start.AddDate(0, 6, 0)}
	for at := start; at.Before(start.AddDate(1, 0, 0)); {
		_, end := at.In(place).ZoneBounds()
		if end.IsZero() {
			break
		}
		changes = append(changes, end)
		at = end
	}
	return changes
}
