package identity

import (
	"context"
	"sync/atomic"
	"time"

	"mandate/internal/fault"
)

const (
	hashWait  = 2 * time.Second
	hashQueue = 1000 // who comes when so many wait is refused at once
)

// A hasher hashes a bounded number of passwords at once, so that a flood of
// sign-ins takes neither all memory nor all processors.
type hasher struct {
	cost    Cost
	places  chan struct{}
	waiting atomic.Int64
	dummy   string // the hash of a secret that nobody knows
}

func newHasher(cost Cost, workers int) (*hasher, error) {
	if err := cost.check(); err != nil {
		return nil, err
	}
	return &hasher{cost: cost, places: make(chan struct{}, workers), dummy: hashPassword(cost, newToken())}, nil
}

// hash returns the PHC string of a password.
func (h *hasher) hash(ctx context.Context, password Secret) (phc string, err error) {
	err = h.work(ctx, func() { phc = hashPassword(h.cost, password) })
	return phc, err
}

// verify says whether the password is the one hashed, and whether its hash
// should be made anew at today's cost.
func (h *hasher) verify(ctx context.Context, phc string, password Secret) (match, old bool, err error) {
	var stored Cost
	var bad error
	if err := h.work(ctx, func() { match, stored, bad = verifyPassword(phc, password) }); err != nil {
		return false, false, err
	}
	return match && bad == nil, stored != h.cost, bad
}

var errOverloaded = fault.New(fault.Unavailable, "Too many people are signing in at this moment. Try again in a few seconds.").With("OVERLOADED")

// work runs f when one of the places is free, or refuses after a while.
func (h *hasher) work(ctx context.Context, f func()) error {
	if h.waiting.Add(1) > hashQueue {
		h.waiting.Add(-1)
		return errOverloaded
	}
	timer := time.NewTimer(hashWait)
	defer timer.Stop()
	select {
	case h.places <- struct{}{}:
		h.waiting.Add(-1)
	case <-timer.C:
		h.waiting.Add(-1)
		return errOverloaded
	case <-ctx.Done():
		h.waiting.Add(-1)
		return ctx.Err()
	}
	defer func() { <-h.places }()
	f()
	return nil
}
