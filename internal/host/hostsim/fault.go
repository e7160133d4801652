package hostsim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"mandate/internal/bank"
	"mandate/internal/fault"
)

// A Fault is how badly an institution's core answers the product. Its own
// screens are not disturbed.
type Fault struct {
	Slow time.Duration // before anything is answered
	Down bool          // nothing is answered, and nothing done
	Lose int           // of a hundred orders, how many are done and not answered
	Telling
}

// Bounds of what can be asked for.
const (
	maxSlow  = time.Minute
	maxDelay = 24 * time.Hour
)

// Check says what is wrong with a fault.
func (f Fault) Check() error {
	var problems fault.Problems
	for _, share := range []struct {
		field string
		value int
	}{{"lose", f.Lose}, {"repeat", f.Repeat}, {"late", f.Late}} {
		if share.value < 0 || share.value > 100 {
			problems.Add(share.field, "Write how many of a hundred: 0 to 100.")
		}
	}
	if f.Slow < 0 || f.Slow > maxSlow {
		problems.Addf("slow", "Write a duration such as 2s, at most %v.", maxSlow)
	}
	if f.Delay < 0 || f.Delay > maxDelay || f.Late > 0 && f.Delay == 0 {
		problems.Addf("delay", "Write a duration such as 5m, at most %v: how late late events are.", maxDelay)
	}
	return problems.Err("The faults cannot be set like this.")
}

// SetFault says how an institution's core answers from now on. The empty
// institution stands for all that have no fault of their own.
func (b *Bank) SetFault(institution bank.InstitutionID, f Fault) error {
	if err := f.Check(); err != nil {
		return err
	}
	b.mischief.mu.Lock()
	defer b.mischief.mu.Unlock()
	b.mischief.of[institution] = f
	return nil
}

// Faults are all that are set.
func (b *Bank) Faults() map[bank.InstitutionID]Fault {
	b.mischief.mu.Lock()
	defer b.mischief.mu.Unlock()
	all := map[bank.InstitutionID]Fault{}
	for institution, f := range b.mischief.of {
		if f != (Fault{}) {
			all[institution] = f
		}
	}
	return all
}

// mischief keeps the faults, and what chance has come to.
type mischief struct {
	mu    sync.Mutex
	of    map[bank.InstitutionID]Fault
	seed  uint64
	asked uint64
}

// now is the fault of an institution, with what chance is made from this time.
func (m *mischief) now(institution bank.InstitutionID) (Fault, *rand.Rand) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	f, own := m.of[institution]
	if !own {
		f = m.of[""]
	}
	return f, rand.New(rand.NewPCG(m.seed, m.asked))
}

// What is said of an answer that does not come.
var (
	errDown = errors.New("hostsim: it was told to be down")
	errLost = errors.New("hostsim: it was told to lose this answer")
)

// suffer lets somebody who asks wait, or go without an answer, as the fault of
// the institution is.
func (b *Bank) suffer(ctx context.Context, institution bank.InstitutionID) (Fault, *rand.Rand, error) {
	f, chance := b.mischief.now(institution)
	if f.Slow > 0 {
		timer := time.NewTimer(f.Slow)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return f, chance, fmt.Errorf("hostsim: nobody waited: %w", ctx.Err())
		}
	}
	if f.Down {
		return f, chance, errDown
	}
	return f, chance, nil
}
