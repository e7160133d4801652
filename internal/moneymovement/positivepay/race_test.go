package positivepay_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/positivepay"
	"mandate/internal/usermgmt"
)

// Of two people who decide about one exception at once, in two processes, one
// is heard, and the host does exactly what they said.
func TestRaceOfTwoPeople(t *testing.T) {
	each(t, func(w *world) {
		balance, second := bank.Cents(10_000_00), w.process("second")
		for n := range rounds() {
			id := w.comes(check(int64(n+1), 1_00))
			var wg sync.WaitGroup
			var errs [2]error
			wg.Go(func() { errs[0] = w.decide("dana", id, positivepay.Pay) })
			wg.Go(func() {
				_, errs[1] = second.Decide(t.Context(), caller("lee"), []positivepay.Decision{{Item: id, Verdict: positivepay.Return, Reason: positivepay.ReasonOther}})
			})
			wg.Wait()
			d := w.settledAs(id)
			switch {
			case errs[0] == nil && errs[1] != nil && d.State == positivepay.Paid && d.By.Name == "Dana":
				balance -= 1_00
				w.refuses("Lee", errs[1], "CHANGED")
			case errs[1] == nil && errs[0] != nil && d.State == positivepay.Returned && d.By.Name == "Lee":
				w.refuses("Dana", errs[0], "CHANGED")
			default:
				t.Fatalf("round %d: Dana heard %v, Lee %v, and it is %s by %s", n, errs[0], errs[1], d.State, d.By.Name)
			}
		}
		w.has(balance)
	})
}

// settledAs is an exception once the host has answered. Both processes carry
// orders, so somebody else's answer may be on the way.
func (w *world) settledAs(id positivepay.ItemID) positivepay.ItemDetail {
	w.t.Helper()
	for range 100 {
		d, err := w.room.GetItem(w.t.Context(), caller("dana"), id)
		if err != nil {
			w.t.Fatal(err)
		}
		if d.State != positivepay.Paying && d.State != positivepay.Returning {
			return d
		}
		w.clock.Advance(60e9) // what was not told is told later
		w.desk.Now(w.t.Context())
	}
	w.t.Fatalf("%s is never settled", id)
	return positivepay.ItemDetail{}
}

// Of somebody who decides and the cut-off, one wins; nobody decides once it is
// over.
func TestRaceOfDecidingAndTheCutOff(t *testing.T) {
	each(t, func(w *world) {
		balance := bank.Cents(10_000_00)
		second := w.process("second")
		paid := 0
		for n := range rounds() {
			w.at("2026-03-02 12:59")
			id := w.comes(check(int64(n+1), 1_00))
			var wg sync.WaitGroup
			var decided error
			wg.Go(func() { decided = w.decide("dana", id, positivepay.Pay) })
			wg.Go(func() { // the cut-off comes before, while and after she decides
				time.Sleep(time.Duration(n%10) * time.Millisecond)
				w.at("2026-03-02 13:00")
			})
			for _, p := range []*positivepay.Service{w.room, second} {
				wg.Go(func() {
					if err := p.Run(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			w.at("2026-03-02 13:00")
			w.clock.Advance(600e9) // past any lease
			w.run()
			d := w.settledAs(id)
			switch {
			case decided == nil && d.State == positivepay.Paid && d.By.Name == "Dana":
				balance -= 1_00
				paid++
			case decided != nil && fault.KindOf(decided) == fault.Conflict && d.State == positivepay.Returned && d.By.Kind == bank.ActorSystem:
			default:
				t.Fatalf("round %d: Dana heard %v, and it is %s by %+v", n, decided, d.State, d.By)
			}
		}
		w.has(balance)
		t.Logf("Dana was first in %d of %d rounds", paid, rounds())
	})
}

// A list that two people approve at once goes to the host once; one that is
// deleted meanwhile goes nowhere.
func TestRaceOfApprovingAndDeleting(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for n := range rounds() {
			id, _, err := w.upload(fmt.Sprintf("%d,1.00,2026-03-02", n+1))
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			var errs [3]error
			wg.Go(func() { errs[0] = w.room.Approve(t.Context(), caller("dana"), id) })
			wg.Go(func() { errs[1] = w.room.Approve(t.Context(), caller("lee"), id) })
			wg.Go(func() { errs[2] = w.room.Delete(t.Context(), caller("dana"), id) })
			wg.Wait()
			won := 0
			for _, err := range errs {
				if err == nil {
					won++
				} else if kind := fault.KindOf(err); kind != fault.Conflict && kind != fault.NotFound {
					t.Fatal(err)
				}
			}
			page, err := w.room.Issues(t.Context(), caller("dana"), positivepay.IssueQuery{File: id})
			if err != nil || won != 1 || (errs[2] == nil) != (page.Matching == 0) {
				t.Fatalf("round %d: %v, and %d checks, %v", n, errs, page.Matching, err)
			}
		}
	})
}

// A right that is taken away while somebody approves a list: whichever comes
// first, the other one sees it, and the list goes to the host only by right.
func TestRaceOfApprovingAndARightTakenAway(t *testing.T) {
	each(t, func(w *world) {
		second := w.process("second")
		for n := range rounds() {
			id, _, err := w.upload(fmt.Sprintf("%d,1.00,2026-03-02", n+1))
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			var approved, taken error
			var then positivepay.FileState // when the right was taken away
			wg.Go(func() { approved = second.Approve(w.t.Context(), caller("lee"), id) })
			wg.Go(func() { then, taken = w.takeAway("lee", id) })
			wg.Wait()
			if taken != nil {
				t.Fatal(taken)
			}
			d, err := w.room.GetFile(w.t.Context(), caller("dana"), id)
			switch {
			case err == nil && then == positivepay.Unapproved && d.State == positivepay.Unapproved:
				w.refuses("Lee, whose right is gone", approved, string(entitlement.UserOff))
			case err == nil && then != positivepay.Unapproved && approved == nil && d.State != positivepay.Unapproved && d.Approver.Name == "Lee":
			default:
				t.Fatalf("round %d: it was %q then and is %q now, %v; Lee heard %v", n, then, d.State, err, approved)
			}
			w.allow("lee", everything())
		}
	})
}

// takeAway takes all of somebody's rights away, in turn with every other change
// of the organization, and says how far a list had come then.
func (w *world) takeAway(name string, id positivepay.FileID) (then positivepay.FileState, err error) {
	err = w.d.Write(w.t.Context(), func(tx *db.Tx) error {
		if _, err := activity.Lock(tx, cedar, northwind); err != nil {
			return err
		}
		if then, err = db.One(tx, db.Value[positivepay.FileState], `select state from arp_file where id = $1`, id); err != nil {
			return err
		}
		return usermgmt.SetMemberSettings(tx, w.org.Num, w.people[name].Ordinal, entitlement.Settings{}, 1)
	})
	return then, err
}

func (w *world) allow(name string, on catalog.Set) {
	w.t.Helper()
	w.write(func(tx *db.Tx) error {
		return usermgmt.SetMemberSettings(tx, w.org.Num, w.people[name].Ordinal, entitlement.Settings{On: on}, 1)
	})
}
