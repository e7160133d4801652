package entitlement_test

import (
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"mandate/internal/entitlement/reference"
)

// randomWorlds is how many worlds a test asks about: a hundredth where nobody
// asked for the slow round.
func randomWorlds(slow int64) int64 {
	if os.Getenv("MANDATE_SLOW") == "1" {
		return slow
	}
	return slow / 100
}

// everyWorld runs a test on many random worlds, on all cores. The seed in a
// failure makes the same world again.
func everyWorld(t *testing.T, worlds int64, test func(t *testing.T, seed uint64, rng *rand.Rand, w reference.World)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for seed := next.Add(1); seed <= worlds && !t.Failed(); seed = next.Add(1) {
				rng := rand.New(rand.NewPCG(uint64(seed), 1))
				test(t, uint64(seed), rng, reference.RandomWorld(rng))
			}
		})
	}
	all.Wait()
}

// TestAgainstReference asks the engine and the slow reading of the
// specification the same questions: deciding with what is used, and editing.
func TestAgainstReference(t *testing.T) {
	var asked atomic.Int64
	everyWorld(t, randomWorlds(1_000_000), func(t *testing.T, seed uint64, rng *rand.Rand, start reference.World) {
		steps := reference.RandomSteps(rng, start)
		slow, err := reference.NewRunner(start)
		if err != nil {
			t.Errorf("seed %d: %v", seed, err)
			return
		}
		w, refs := newWorld(t, start), map[string]bool{}
		for i, s := range steps {
			got, ask := w.do(t, s, refs)
			if !ask {
				continue
			}
			want, err := slow.Do(s)
			if err != nil {
				t.Errorf("seed %d, step %d: %v", seed, i+1, err)
				return
			}
			slices.Sort(got.TurnedOff)
			if !got.Same(want) {
				t.Errorf("seed %d, step %d %+v:\n got %v\nwant %v", seed, i+1, s, got, want)
				return
			}
			asked.Add(1)
		}
	})
	t.Logf("%d answers compared", asked.Load())
}

// do makes a step and reports whether the reference should make it too. What
// needs stored references is compared over the databases (conformance).
func (w *world) do(t *testing.T, s reference.Step, refs map[string]bool) (got reference.Answer, ask bool) {
	switch {
	case s.Decide != nil:
		d, _ := w.ask(*s.Decide)
		return written(d), true
	case s.Authorize != nil:
		if refs[s.Authorize.Ref] {
			return got, false
		}
		refs[s.Authorize.Ref] = true
		return written(w.authorize(s.Authorize.Request)), true
	case s.Edit != nil:
		return writtenEdit(w.edit(*s.Edit)), true
	case s.Approve != nil, s.Confirm != nil, s.Void != nil:
		return got, false
	}
	w.turn(t, s)
	return got, true
}
