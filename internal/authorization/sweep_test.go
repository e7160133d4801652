package authorization_test

import (
	"slices"
	"testing"
	"time"

	"mandate/internal/authorization"
	"mandate/internal/entitlement"
)

func TestWhatIsNeverConfirmedIsVoidAfterItsLifetime(t *testing.T) {
	eachWorld(t, authorization.Lifetime, func(w *world) {
		w.authorize("confirmed", wire("dana", "1.00"))
		w.confirm("confirmed")
		w.authorize("refused", wire("dana", "100000.01"))
		w.authorize("1", wire("dana", "10.00"))
		w.sweeps(0)
		w.clock.Advance(authorization.Lifetime - time.Microsecond)
		w.sweeps(0)
		w.says("in time", w.authorize("1", wire("dana", "10.00")))
		w.clock.Advance(time.Microsecond)
		w.says("void without a sweep", w.confirm("1"), entitlement.NotPending)
		w.says("void without a sweep", w.authorize("1", wire("dana", "10.00")), entitlement.RefVoided)
		w.sweeps(1)
		w.sweeps(0)
		if used := w.used(monday); used != 1_00 {
			t.Errorf("used = %s", used)
		}
		w.says("confirmed stays", w.confirm("confirmed"))
		if got := w.history(); got[len(got)-1] != "payment.voided" || slices.Index(got, "payment.voided") != len(got)-1 {
			t.Errorf("history = %v", got)
		}
	})
}

// TestAFutureWireWaitsFromItsDay: it may well be released on that day only.
func TestAFutureWireWaitsFromItsDay(t *testing.T) {
	eachWorld(t, authorization.Lifetime, func(w *world) {
		dated := wire("dana", "10.00")
		dated.Context = map[string]any{"effective_date": "2026-03-20"}
		w.says("authorize", w.authorize("1", dated))
		w.clock.Set(time.Date(2026, 3, 20, 15, 0, 0, 0, time.UTC))
		w.sweeps(0)
		w.says("confirm on the day", w.confirm("1"))
	})
}

func TestNothingExpiresWithoutALifetime(t *testing.T) {
	eachWorld(t, 0, func(w *world) {
		w.authorize("1", wire("dana", "10.00"))
		w.clock.Advance(1000 * 24 * time.Hour)
		w.sweeps(0)
		w.says("confirm", w.confirm("1"))
	})
}

func (w *world) sweeps(want int) {
	w.t.Helper()
	if voided, err := w.service.Sweep(w.t.Context()); voided != want || err != nil {
		w.t.Errorf("Sweep voided %d, %v, want %d", voided, err, want)
	}
}
