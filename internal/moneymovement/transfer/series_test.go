package transfer_test

import (
	"fmt"
	"slices"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/entitlement"
	"mandate/internal/moneymovement/transfer"
)

func (w *world) series(id transfer.SeriesID) transfer.SeriesDetail {
	w.t.Helper()
	d, err := w.room.GetSeries(w.t.Context(), caller("dana"), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// days are the days of a series with their states, the first one first.
func days(d transfer.SeriesDetail) (all []string) {
	for _, t := range slices.Backward(d.Transfers) {
		all = append(all, fmt.Sprintf("%s %s", t.Day, t.State))
	}
	return all
}

func TestSeriesRunsToItsEnd(t *testing.T) {
	each(t, func(w *world) {
		w.at("2026-01-30 09:00")
		d := w.draft(100_00)
		d.On, d.Repeat, d.Times = "2026-01-31", calendar.Monthly, 3 // a Saturday
		p, err := w.room.Preview(t.Context(), caller("dana"), d)
		if err != nil || len(p.Next) != 3 || p.Next[0].Day != "2026-02-02" || p.Next[1].Day != "2026-03-02" || p.Next[2].Day != "2026-03-31" {
			t.Errorf("the preview shows %+v, %v", p.Next, err)
		}
		made := w.make(d)
		if again := w.make(d); again != made {
			t.Errorf("the same form again made %+v, want %+v", again, made)
		}
		for _, at := range []string{"2026-02-02 08:00", "2026-03-02 08:00", "2026-03-31 08:00"} {
			w.run(0)
			w.at(at)
			w.run(1)
		}
		w.at("2026-12-31 08:00")
		w.run(0)
		got := w.series(made.Series)
		if want := []string{"2026-02-02 completed", "2026-03-02 completed", "2026-03-31 completed"}; !slices.Equal(days(got), want) || got.State != transfer.Ended {
			t.Errorf("%s: %v, want %v", got.State, days(got), want)
		}
		w.has(map[bank.AccountID]bank.Cents{operating: 9_700_00, payroll: 300_00})
	})
}

// A series from today sends its first transfer at once, and what cannot go out
// is parked without holding up what follows.
func TestSeriesParksAndGoesOn(t *testing.T) {
	each(t, func(w *world) {
		d := w.draft(100_00)
		d.Repeat, d.Until = calendar.Weekly, "2026-03-16"
		made := w.make(d)
		w.wants(made.ID, transfer.Completed, "")
		w.set("dana", entitlement.Settings{})
		w.at("2026-03-09 08:00")
		w.run(1)
		w.set("dana", moves())
		w.at("2026-03-16 08:00")
		w.run(1)
		got := w.series(made.Series)
		if want := []string{"2026-03-02 completed", "2026-03-09 parked", "2026-03-16 completed"}; !slices.Equal(days(got), want) || got.State != transfer.Ended {
			t.Errorf("%s: %v, want %v", got.State, days(got), want)
		}
		w.has(map[bank.AccountID]bank.Cents{operating: 9_800_00})
	})
}

// After an outage each transfer that was missed is judged and made for itself.
func TestSeriesCatchesUp(t *testing.T) {
	each(t, func(w *world) {
		d := w.draft(100_00)
		d.On, d.Repeat = "2026-03-04", calendar.Weekly
		made := w.make(d)
		w.at("2026-03-18 08:00")
		for _, want := range []int{1, 1, 1, 0} {
			w.run(want)
		}
		if want := []string{"2026-03-04 completed", "2026-03-18 completed", "2026-03-18 completed", "2026-03-25 scheduled"}; !slices.Equal(days(w.series(made.Series)), want) {
			t.Errorf("%v, want %v", days(w.series(made.Series)), want)
		}
	})
}

func TestSeriesSkipsOneAndEnds(t *testing.T) {
	each(t, func(w *world) {
		d := w.draft(100_00)
		d.On, d.Repeat = "2026-03-04", calendar.EveryTwoWeeks
		made := w.make(d)
		if err := w.room.Cancel(t.Context(), caller("lee"), made.ID, 0); err != nil {
			t.Fatal(err)
		}
		w.refuses("by somebody who may make none", w.room.CancelSeries(t.Context(), caller("eve"), made.Series), "USER_OFF")
		if err := w.room.CancelSeries(t.Context(), caller("dana"), made.Series); err != nil {
			t.Fatal(err)
		}
		w.refuses("twice", w.room.CancelSeries(t.Context(), caller("dana"), made.Series), "CHANGED")
		w.at("2026-04-30 08:00")
		w.run(0)
		got := w.series(made.Series)
		if want := []string{"2026-03-04 cancelled", "2026-03-18 cancelled"}; !slices.Equal(days(got), want) || got.State != transfer.SeriesCancelled {
			t.Errorf("%s: %v, want %v", got.State, days(got), want)
		}
	})
}
