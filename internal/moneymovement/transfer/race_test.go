package transfer_test

import (
	"sync"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/moneymovement/transfer"
)

// Several processes that look for what is due at once carry each transfer out
// once.
func TestRaceToRunWhatIsDue(t *testing.T) {
	each(t, func(w *world) {
		for range 5 {
			d := w.draft(100_00)
			d.On = "2026-03-03"
			w.make(d)
		}
		processes := []*transfer.Service{w.room, w.process("second"), w.process("third")}
		w.at("2026-03-03 08:00")
		var wg sync.WaitGroup
		for _, p := range processes {
			for range 2 {
				wg.Go(func() {
					if _, err := p.RunDue(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
		}
		wg.Wait()
		w.has(map[bank.AccountID]bank.Cents{operating: 9_500_00, payroll: 500_00})
	})
}

// Of transfers that want the last cents at once, as many are done as there is
// money for, and each of the others says that it was not.
func TestRaceForTheLastCent(t *testing.T) {
	each(t, func(w *world) {
		const parallel = 8
		var wg sync.WaitGroup
		ids := make([]transfer.ID, parallel)
		for i := range parallel {
			d := w.draft(3_333_33)
			ids[i] = d.ID
			wg.Go(func() {
				for range 2 { // and everybody sends their form twice
					if _, err := w.room.Create(t.Context(), caller("dana"), d); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		states := map[transfer.State]int{}
		for _, id := range ids {
			states[w.get(id).State]++
		}
		if states[transfer.Completed] != 3 || states[transfer.Failed] != parallel-3 {
			t.Errorf("they are %v, want 3 completed and the others failed", states)
		}
		w.has(map[bank.AccountID]bank.Cents{operating: 1, payroll: 9_999_99})
	})
}

// Of a cancellation and the moment of going out, one wins.
func TestRaceOfCancellingAndRunning(t *testing.T) {
	each(t, func(w *world) {
		var want bank.Cents
		for day := range 4 {
			d := w.draft(100_00)
			d.On = bank.Day([]string{"2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06"}[day])
			made := w.make(d)
			w.at(string(d.On) + " 08:00")
			var wg sync.WaitGroup
			wg.Go(func() {
				if _, err := w.room.RunDue(t.Context()); err != nil {
					t.Error(err)
				}
			})
			var cancelled error
			wg.Go(func() { cancelled = w.room.Cancel(t.Context(), caller("dana"), made.ID, 0) })
			wg.Wait()
			state := w.get(made.ID).State
			if (state == transfer.Cancelled) != (cancelled == nil) {
				t.Errorf("it is %s, and cancelling said %v", state, cancelled)
			}
			if state == transfer.Completed {
				want += 100_00
			}
		}
		w.has(map[bank.AccountID]bank.Cents{payroll: want})
	})
}
