package wire_test

import (
	"fmt"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/db"
	"mandate/internal/usermgmt"
)

// What goes out later on somebody's right: wires sent off alone and series; not
// what is done or only saved, and nothing that the queue of approvals names.
func TestWhatGoesOutOnSomebodysRight(t *testing.T) {
	each(t, func(w *world) {
		w.make("dana", w.draft(1_00))
		saved := w.draft(2_00)
		saved.Send = false
		w.make("dana", saved)
		alone, second, approved, repeated := w.draft(3_00), w.draft(20_000_00), w.draft(21_000_00), w.draft(4_00)
		alone.On, second.On, approved.On, repeated.On, repeated.Repeat = "2026-03-09", "2026-03-09", "2026-03-09", "2026-03-10", calendar.Monthly
		later := w.make("dana", alone)
		w.make("dana", second)
		w.agreed(w.approve("lee", w.make("dana", approved).ID))
		series, err := w.room.Create(t.Context(), caller("dana"), repeated)
		w.agreed(err)
		queued := func(name string) (n int) {
			t.Helper()
			w.agreed(w.d.Read(t.Context(), func(tx *db.Tx) error {
				made, _, err := w.approvals.OpenOf(tx, usermgmt.LoadPolicy, cedar, northwind, bank.UserID(name))
				n = len(made)
				return err
			}))
			return n
		}
		openOf := func(name string) (text string) {
			t.Helper()
			w.agreed(w.d.Read(t.Context(), func(tx *db.Tx) error {
				wires, repeats, err := w.room.OpenOf(tx, cedar, northwind, bank.UserID(name))
				for i := range wires {
					text += fmt.Sprintf("%s on %s; ", wires[i].ID, wires[i].Day)
				}
				for i := range repeats {
					text += fmt.Sprintf("%s %s; ", repeats[i].ID, repeats[i].Frequency)
				}
				return err
			}))
			return text
		}
		if got, want := openOf("dana"), fmt.Sprintf("%s on 2026-03-09; %s monthly; ", later.ID, series.Series); got != want {
			t.Errorf("dana: %q, want %q", got, want)
		}
		if n := queued("dana"); n != 2 {
			t.Errorf("the queue names %d of dana's, want the one that waits and the one that is agreed to", n)
		}
		if got := openOf("lee"); got != "" {
			t.Errorf("lee: %q", got)
		}
		w.agreed(w.room.Cancel(t.Context(), caller("dana"), later.ID, later.Version))
		if got, want := openOf("dana"), fmt.Sprintf("%s monthly; ", series.Series); got != want {
			t.Errorf("without the wire: %q, want %q", got, want)
		}
	})
}
