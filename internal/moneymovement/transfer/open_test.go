package transfer_test

import (
	"fmt"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/db"
)

// What goes out later on somebody's right: scheduled transfers and series, not
// what is done, and of a series not each transfer.
func TestWhatGoesOutOnSomebodysRight(t *testing.T) {
	each(t, func(w *world) {
		w.make(w.draft(1_00))
		later := w.draft(2_00)
		later.On = "2026-03-09"
		scheduled := w.make(later)
		again := w.draft(3_00)
		again.On, again.Repeat = "2026-03-10", calendar.Monthly
		series := w.make(again)
		openOf := func(name string) (text string) {
			t.Helper()
			err := w.d.Read(t.Context(), func(tx *db.Tx) error {
				transfers, repeated, err := w.room.OpenOf(tx, cedar, northwind, bank.UserID(name))
				for _, t := range transfers {
					text += fmt.Sprintf("%s on %s; ", t.ID, t.Day)
				}
				for _, s := range repeated {
					text += fmt.Sprintf("%s %s; ", s.ID, s.Frequency)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		if got, want := openOf("dana"), fmt.Sprintf("%s on 2026-03-09; %s monthly; ", scheduled.ID, series.Series); got != want {
			t.Errorf("dana: %q, want %q", got, want)
		}
		if got := openOf("lee"); got != "" {
			t.Errorf("lee: %q", got)
		}
		if err := w.room.CancelSeries(t.Context(), caller("dana"), series.Series); err != nil {
			t.Fatal(err)
		}
		if got, want := openOf("dana"), fmt.Sprintf("%s on 2026-03-09; ", scheduled.ID); got != want {
			t.Errorf("without the series: %q, want %q", got, want)
		}
	})
}
