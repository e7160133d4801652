package authorization_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/usage"
)

// TestParallelPaymentsMeetTheLimitExactly: forty payments of a tenth of the
// daily limit, at once; ten go out.
func TestParallelPaymentsMeetTheLimitExactly(t *testing.T) {
	eachWorld(t, 0, func(w *world) {
		var confirmed atomic.Int64
		parallel(40, func(i int) {
			ref := fmt.Sprint("ref ", i)
			answer, err := w.service.Authorize(t.Context(), client, acme, ref, wire("dana", "10000.00"))
			if err != nil {
				t.Error(err)
				return
			}
			if !answer.Allowed {
				w.says(ref, answer, entitlement.LimitDaily)
				return
			}
			answer, err = w.service.Confirm(t.Context(), client, ref)
			if err != nil || !answer.Allowed {
				t.Errorf("confirm %s: %v, %v", ref, answer.Reasons, err)
				return
			}
			confirmed.Add(1)
		})
		if n, used := confirmed.Load(), w.used(monday); n != 10 || used != 100_000_00 {
			t.Errorf("%d of 40 went out, and %s are used", n, used)
		}
		w.addsUp()
	})
}

// TestOneReferenceInParallelCountsOnce, asked for two organizations at once.
func TestOneReferenceInParallelCountsOnce(t *testing.T) {
	eachWorld(t, 0, func(w *world) {
		var allowed [2]atomic.Int64
		parallel(20, func(i int) {
			organization, member := acme, bank.UserID("dana")
			if i%2 == 1 {
				organization, member = other, "kim"
			}
			answer, err := w.service.Authorize(t.Context(), client, organization, "the one", wire(member, "60000.00"))
			if err != nil {
				t.Error(err)
				return
			}
			if answer.Allowed {
				allowed[i%2].Add(1)
				return
			}
			w.says("the other organization", answer, entitlement.RefReused)
		})
		here, there := allowed[0].Load(), allowed[1].Load()
		if here*there != 0 || here+there != 10 {
			t.Errorf("acme was told yes %d times and the other organization %d times", here, there)
		}
		if used := w.used(monday); used != bank.Cents(here/10*60_000_00) {
			t.Errorf("used = %s", used)
		}
	})
}

// TestParallelVoidsGiveBackOnce: afterwards there is room for exactly as much
// as before.
func TestParallelVoidsGiveBackOnce(t *testing.T) {
	eachWorld(t, 0, func(w *world) {
		w.authorize("kept", wire("dana", "50000.00"))
		w.authorize("void", wire("dana", "50000.00"))
		parallel(10, func(int) {
			if answer, err := w.service.Void(t.Context(), client, "void"); err != nil || !answer.Allowed {
				t.Errorf("void: %v, %v", answer.Reasons, err)
			}
		})
		if used := w.used(monday); used != 50_000_00 {
			t.Errorf("used = %s", used)
		}
		w.addsUp()
	})
}

// addsUp adds up every reservation again.
func (w *world) addsUp() {
	w.t.Helper()
	w.must(w.db.Read(w.t.Context(), func(tx *db.Tx) error {
		found, err := usage.Check(tx)
		if len(found) > 0 {
			w.t.Errorf("what is counted is not what is reserved: %+v", found)
		}
		return err
	}))
}

// parallel runs f for 0 to n-1 at the same time.
func parallel(n int, f func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	all.Wait()
}
