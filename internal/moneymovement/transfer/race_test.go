package transfer_test

import (
	"sync"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
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

// Of an edit, or of losing the right, and the moment of going out, one wins: it
// goes out as it stood and by right, or it does not go out.
func TestRaceOfEditingAndRunning(t *testing.T) {
	each(t, func(w *world) {
		ids := make([]transfer.ID, dbtest.Rounds(12, 500))
		for i := range ids {
			d := w.draft(100)
			d.On = "2026-03-03"
			ids[i] = w.make(d).ID
		}
		w.at("2026-03-03 08:00")
		edited := make([]error, len(ids))
		var wg sync.WaitGroup
		for _, p := range []*transfer.Service{w.room, w.process("second")} {
			wg.Go(func() {
				if _, err := p.RunDue(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Go(func() {
			for i := range ids {
				id := ids[len(ids)-1-i] // they go out in the other order, and meet in the middle
				d := w.draft(250)
				d.ID, d.On = id, "2026-03-04"
				edited[len(ids)-1-i] = w.room.Edit(t.Context(), caller("lee"), 0, d)
			}
		})
		wg.Wait()
		w.carryAll()
		var moved bank.Cents
		for i, id := range ids {
			d := w.get(id)
			switch {
			case d.State == transfer.Completed && d.Cents == 100 && d.By.ID == "dana" && edited[i] != nil:
				moved += 100
			case d.State == transfer.Scheduled && d.Cents == 250 && d.By.ID == "lee" && edited[i] == nil:
			default:
				t.Errorf("%s is %s with %s by %s, and editing said %v", id, d.State, d.Cents, d.By.ID, edited[i])
			}
		}
		w.has(map[bank.AccountID]bank.Cents{payroll: moved})
		w.set("lee", entitlement.Settings{})
		w.at("2026-03-04 08:00")
		if _, err := w.room.RunDue(t.Context()); err != nil {
			t.Error(err)
		}
		w.carryAll()
		w.has(map[bank.AccountID]bank.Cents{payroll: moved}) // the editor's right is gone
	})
}
