package transfer_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/transfer"
)

// What may be seen of a transfer before and after one thing was done. It is
// written down here a second time on purpose.
var lives = map[transfer.State][]transfer.State{
	transfer.Scheduled: {transfer.Scheduled, transfer.Completed, transfer.Parked, transfer.Cancelled},
	transfer.Parked:    {transfer.Parked, transfer.Completed, transfer.Cancelled},
	transfer.Completed: {transfer.Completed},
	transfer.Failed:    {transfer.Failed},
	transfer.Cancelled: {transfer.Cancelled},
}

// People do this and that, at random: no transfer ever takes a way that there
// is not, nothing that is over comes back, and the books hold exactly what was
// completed.
func TestWalkThroughTheLives(t *testing.T) {
	each(t, func(w *world) {
		random := rand.New(rand.NewPCG(7, 11))
		var ids []transfer.ID
		states := map[transfer.ID]transfer.State{}
		var now transfer.Page
		for range 160 {
			walkOn(w, random, &ids)
			var err error
			if now, err = w.room.List(t.Context(), caller("dana"), transfer.Query{}); err != nil {
				t.Fatal(err)
			}
			for _, one := range now.Transfers {
				if before, known := states[one.ID]; known && !slices.Contains(lives[before], one.State) {
					t.Fatalf("%s went from %s to %s", one.ID, before, one.State)
				}
				states[one.ID] = one.State
			}
		}
		var moved bank.Cents
		seen := map[transfer.State]int{}
		for _, one := range now.Transfers {
			seen[one.State]++
			switch {
			case one.State == transfer.Completed && one.From == operating:
				moved += one.Cents
			case one.State == transfer.Completed:
				moved -= one.Cents
			}
		}
		for _, state := range []transfer.State{transfer.Completed, transfer.Failed, transfer.Parked, transfer.Cancelled} {
			if seen[state] == 0 {
				t.Errorf("the walk never came to %s: %v", state, seen)
			}
		}
		w.has(map[bank.AccountID]bank.Cents{operating: 10_000_00 - moved, payroll: moved})
	})
}

// walkOn does one thing, which may be refused.
func walkOn(w *world, random *rand.Rand, ids *[]transfer.ID) {
	w.t.Helper()
	ctx, dana := w.t.Context(), caller("dana")
	var err error
	switch what := random.IntN(8); {
	case what < 2 || len(*ids) == 0:
		d := w.draft(bank.Cents(50_000 + random.IntN(400_000)))
		if random.IntN(3) == 0 {
			d.From, d.To = payroll, operating
		}
		if what > 0 {
			d.On = bank.DayOf(w.clock.Now().AddDate(0, 0, 1+random.IntN(3)), time.UTC)
		}
		if _, err = w.room.Create(ctx, dana, d); err == nil {
			*ids = append(*ids, d.ID)
		}
	case what == 2:
		w.clock.Advance(20 * time.Hour)
		_, err = w.room.RunDue(ctx)
	case what == 3: // a right that comes and goes
		rights := []entitlement.Settings{moves(), moves(), moves(), {}}
		w.set("dana", rights[random.IntN(len(rights))])
	default:
		err = disturb(w, random, (*ids)[random.IntN(len(*ids))], what)
	}
	if kind := fault.KindOf(err); err != nil && kind != fault.Forbidden && kind != fault.Conflict {
		w.t.Fatal(err)
	}
}

func disturb(w *world, random *rand.Rand, id transfer.ID, what int) error {
	ctx, dana, d := w.t.Context(), caller("dana"), w.get(id)
	switch what {
	case 4:
		return w.room.Cancel(ctx, dana, id, d.Version)
	case 5:
		return w.room.Retry(ctx, dana, id, d.Version)
	case 6:
		return w.room.Retry(ctx, caller("lee"), id, d.Version)
	}
	change := w.draft(bank.Cents(50_000 + random.IntN(400_000)))
	change.ID, change.On = id, bank.DayOf(w.clock.Now().AddDate(0, 0, 2), time.UTC)
	return w.room.Edit(ctx, dana, d.Version, change)
}
