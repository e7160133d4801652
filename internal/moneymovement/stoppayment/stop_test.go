package stoppayment_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/stoppayment"
)

func names(d stoppayment.Detail) string {
	var found []string
	for _, e := range d.Events {
		found = append(found, strings.TrimPrefix(e.Name, "stop."))
	}
	slices.Reverse(found)
	return strings.Join(found, " ")
}

func TestStopHoldsForSixMonths(t *testing.T) {
	each(t, func(w *world) {
		d := w.draft()
		w.proofs.wanting = true
		w.refuses("without proof", w.add(d), "STEP_UP")
		w.proofs.wanting = false
		id := w.must(d)
		w.proofs.wanting = true // a repetition needs none: it does nothing
		w.must(d)
		w.proofs.wanting = false
		got := w.wants(id, stoppayment.Active)
		if got.Until != "2026-09-02" || got.Fee != 30_00 || got.Reference == "" || got.Checks() != "Check 1001" || names(got) != "added placed" {
			t.Errorf("placed: %+v, %s", got.Stop, names(got))
		}
		w.has(70_00)
		other := d
		other.Cents++
		w.refuses("the same form with another amount", w.add(other), "ID_REUSED")
		again := w.draft()
		if problems := fault.ProblemsOf(w.add(again)); len(problems) != 1 || problems[0].Sentence != "Check 1001 of this account is stopped until Wednesday, September 2, 2026 already." {
			t.Errorf("the same check again: %+v", problems)
		}
		clock := dbtest.ClockOf(t, w.d)
		clock.Set(time.Date(2026, 9, 3, 3, 59, 0, 0, time.UTC))
		w.wants(id, stoppayment.Active)
		clock.Advance(time.Minute)
		w.wants(id, stoppayment.Expired)
		again.CheckDay = ""
		w.must(again) // it may be stopped once more
	})
}

func TestRangesOfChecks(t *testing.T) {
	each(t, func(w *world) {
		d := w.draft()
		d.First, d.Last, d.Cents, d.Payee, d.CheckDay = 2001, 2010, 0, "", "" // of a row nobody knows more
		if got := w.wants(w.must(d), stoppayment.Active); got.Checks() != "Checks 2001 to 2010" {
			t.Errorf("placed %q", got.Checks())
		}
		for _, number := range []int64{2001, 2005, 2010} {
			one := w.draft()
			one.First = number
			if len(fault.ProblemsOf(w.add(one))) != 1 {
				t.Errorf("check %d was stopped twice", number)
			}
		}
		for _, number := range []int64{2000, 2011} {
			one := w.draft()
			one.First = number
			w.must(one)
		}
		w.has(10_00)
	})
}

func TestStopsThatCannotBe(t *testing.T) {
	each(t, func(w *world) {
		for name, change := range map[string]func(d *stoppayment.Draft){
			"id":      func(d *stoppayment.Draft) { d.ID = "1" },
			"account": func(d *stoppayment.Draft) { d.Account = "" },
			"first":   func(d *stoppayment.Draft) { d.First = 0 },
			"last":    func(d *stoppayment.Draft) { d.Last = 1000 },
			"last ":   func(d *stoppayment.Draft) { d.Last = 1501 },
			"amount":  func(d *stoppayment.Draft) { d.Cents = 0 },
			"payee":   func(d *stoppayment.Draft) { d.Payee = " " },
			"date":    func(d *stoppayment.Draft) { d.CheckDay = "2026-03-03" },
			"date ":   func(d *stoppayment.Draft) { d.CheckDay = "2024-03-01" },
		} {
			d, field := w.draft(), strings.TrimSpace(name)
			change(&d)
			_, preview := w.room.Preview(t.Context(), caller("dana"), d)
			for verb, err := range map[string]error{"Add": w.add(d), "Preview": preview} {
				if problems := fault.ProblemsOf(err); len(problems) != 1 || problems[0].Field != field {
					t.Errorf("%s with a wrong %s: %v", verb, name, err)
				}
			}
		}
		stale := w.draft()
		stale.Terms = ""
		if err := w.add(stale); !errors.Is(err, stoppayment.ErrTermsChanged) {
			t.Errorf("terms that were not shown: %v", err)
		}
		w.has(100_00)
	})
}

func TestEngineDecidesStops(t *testing.T) {
	each(t, func(w *world) {
		ctx := t.Context()
		w.refuses("by somebody who may only look", w.room.Add(ctx, caller("vic"), w.draft()), "USER_OFF")
		unknown := w.draft()
		unknown.Account = "acc_none"
		w.refuses("on an account that is none", w.add(unknown), "UNKNOWN_ACCOUNT")
		id := w.must(w.draft())
		for name, want := range map[string]int{"dana": 1, "vic": 0, "uma": 0} {
			page, err := w.room.List(ctx, caller(name), stoppayment.Query{})
			if err != nil || page.Total != want || len(page.Stops) != want || page.CanAdd != (name == "dana") || page.See.Allowed != (name != "uma") {
				t.Errorf("%s sees %+v, %v, want %d", name, page, err, want)
			}
			_, err = w.room.Get(ctx, caller(name), id)
			if (err == nil) != (want == 1) {
				t.Errorf("%s looks at it: %v", name, err)
			}
		}
		o, err := w.room.Options(ctx, caller("dana"))
		if err != nil || !slices.Equal(o.Accounts, []bank.AccountID{operating, payroll}) || o.Terms != terms || o.Until != "2026-09-02" {
			t.Errorf("Dana's options: %+v, %v", o, err)
		}
		if o, err := w.room.Options(ctx, caller("vic")); err != nil || len(o.Accounts) > 0 || o.May.Allowed {
			t.Errorf("Vic's options: %+v, %v", o, err)
		}
		member := caller("dana")
		if err := w.room.SetTerms(ctx, member, terms); fault.KindOf(err) != fault.NotFound {
			t.Errorf("a member sets the terms: %v", err)
		}
		if err := w.room.Lift(ctx, member, northwind, id, ""); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("a member ends a stop: %v", err)
		}
	})
}

func TestListOfStops(t *testing.T) {
	each(t, func(w *world) {
		for i, account := range []bank.AccountID{operating, operating, payroll} {
			d := w.draft()
			d.Account, d.First, d.Payee = account, 1001+int64(i), []string{"Harbor 100%", "Lint & Co", "Tax office"}[i]
			w.must(d) // the third fails for the fee
		}
		for search, want := range map[string]int{"": 3, "1002": 1, "harbor": 1, "%": 1, "$250.00": 3, "lint &": 1, "999": 0} {
			page, err := w.room.List(t.Context(), caller("dana"), stoppayment.Query{Search: search, Sort: stoppayment.ByCheck})
			if err != nil || page.Matching != want {
				t.Errorf("a search for %q finds %d, %v, want %d", search, page.Matching, err, want)
			}
			if search == "" && (page.Stops[0].First != 1003 || page.Fees != 60_00) {
				t.Errorf("the list is %+v", page)
			}
		}
		for state, want := range map[stoppayment.State]int{stoppayment.Active: 2, stoppayment.Refused: 1, stoppayment.Expired: 0} {
			if page, err := w.room.List(t.Context(), caller("dana"), stoppayment.Query{State: state}); err != nil || page.Matching != want {
				t.Errorf("%d are %s, %v, want %d", page.Matching, state, err, want)
			}
		}
	})
}

// The host refuses a stop whose fee is not covered, all of it; the institution
// can end a stop, once.
func TestHostRefusesAndInstitutionLifts(t *testing.T) {
	each(t, func(w *world) {
		dear := w.draft()
		dear.Account = payroll
		got := w.wants(w.must(dear), stoppayment.Refused)
		if got.Code != "NOT_COVERED" || names(got) != "added refused" || !slices.Equal(w.told.mails, []string{"[dana] A stop payment was not placed"}) {
			t.Errorf("refused: %+v, %s, told %q", got.Stop, names(got), w.told.mails)
		}
		id := w.must(w.draft())
		if err := w.room.Lift(t.Context(), operator, northwind, id, "Found again."); err != nil {
			t.Fatal(err)
		}
		if got := w.wants(id, stoppayment.Lifted); names(got) != "added placed lift_asked lifted" {
			t.Errorf("lifted: %s", names(got))
		}
		w.refuses("twice", w.room.Lift(t.Context(), operator, northwind, id, ""), "STATE")
		if err := w.room.Lift(t.Context(), operator, northwind, "stp_none", ""); !errors.Is(err, stoppayment.ErrNone) {
			t.Errorf("one that is none: %v", err)
		}
		w.must(w.draft()) // the check can be stopped again
		w.has(40_00)
	})
}

// Of many who stop the same check at once, one does.
func TestRaceToStopACheck(t *testing.T) {
	each(t, func(w *world) {
		var mu sync.Mutex
		var wg sync.WaitGroup
		done := 0
		for range 6 {
			d := w.draft()
			wg.Go(func() {
				err := w.add(d)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					done++
				} else if fault.KindOf(err) != fault.Invalid {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if done != 1 {
			t.Errorf("%d placed it", done)
		}
		w.has(70_00)
	})
}
