package identity_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/identity"
)

// The time of a refusal does not tell who is meant: for each pair of states, a
// sample of one is as often slower as faster than a sample of the other.
func TestRefusalsTakeTheSameTime(t *testing.T) {
	samples, most := 20, 0.85 // few samples scatter widely
	if os.Getenv("MANDATE_SLOW") == "1" {
		samples, most = 1000, 0.55
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, func(c *identity.Config) { c.RefusalTime = 50 * time.Millisecond })
		active := w.enrolled("active", bank.StatusActive)
		w.enrolled("locked", bank.StatusLocked)
		w.enrolled("disabled", bank.StatusDisabled)
		w.set(w.enrolled("held", bank.StatusActive), "held", true)
		w.add("pending", bank.StatusPending)
		names := []string{"active", "unknown", "pending", "held", "locked", "disabled"}
		took := map[string][]float64{}
		for range samples {
			w.write(func(tx *db.Tx) error { return identity.ClearStrikes(tx, active) })
			rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
			for _, name := range names {
				began := time.Now()
				w.refused(name, "wrong")
				took[name] = append(took[name], float64(time.Since(began)))
			}
		}
		for i, a := range names {
			for _, b := range names[i+1:] {
				if auc := auc(took[a], took[b]); math.Abs(auc-0.5) > most-0.5 {
					t.Errorf("%s and %s can be told apart: AUC %.3f, medians %v and %v", a, b, auc, median(took[a]), median(took[b]))
				}
			}
		}
	})
}

// auc is how often a value of a is greater than one of b.
func auc(a, b []float64) float64 {
	b = slices.Sorted(slices.Values(b))
	wins := 0.0
	for _, v := range a {
		below, _ := slices.BinarySearch(b, v)
		above, _ := slices.BinarySearch(b, math.Nextafter(v, math.Inf(1)))
		wins += float64(below) + float64(above-below)/2
	}
	return wins / float64(len(a)*len(b))
}

func median(v []float64) string {
	return fmt.Sprint(time.Duration(slices.Sorted(slices.Values(v))[len(v)/2]).Round(time.Microsecond))
}
