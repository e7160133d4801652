package bench

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"mandate/internal/entitlement"
	"mandate/internal/entitlement/compact"
)

// arrivals are changes that arrive as a replica receives them: a handful at a
// time, in the rhythm in which a follower looks, each put into the memory that is
// asked. They hold and release somebody of whom nobody asks, in organizations of
// which everybody asks.
type arrivals struct {
	store   *compact.Store
	blocks  []*compact.Block // of the organizations that change, as they are
	members []*entitlement.Member
	rate    atomic.Int64 // in a second
	arrived atomic.Int64
	end     chan struct{}
	ended   sync.WaitGroup
}

const (
	followerRhythm = 50 * time.Millisecond // how often a follower looks for what changed
	changing       = 1_000                 // organizations that change
)

func startArrivals(store *compact.Store, organizations int) (*arrivals, error) {
	c, err := newCrowd(organizations)
	if err != nil {
		return nil, err
	}
	a := &arrivals{store: store, end: make(chan struct{})}
	for n := range min(organizations, changing) {
		policy := c.policy(n)
		a.blocks = append(a.blocks, packed(c, policy))
		a.members = append(a.members, policy.Members[crowdMember(n, unasked)])
	}
	a.ended.Go(a.run)
	return a, nil
}

// set changes how many arrive and returns how many did since it was set last.
func (a *arrivals) set(rate int) int64 {
	a.rate.Store(int64(rate))
	return a.arrived.Swap(0)
}

func (a *arrivals) stop() {
	close(a.end)
	a.ended.Wait()
}

func (a *arrivals) run() {
	look := time.NewTicker(followerRhythm)
	defer look.Stop()
	due, since := 0.0, time.Now()
	for {
		select {
		case <-a.end:
			return
		case <-look.C:
		}
		now := time.Now()
		due += now.Sub(since).Seconds() * float64(a.rate.Load())
		since = now
		for ; due >= 1; due-- {
			a.arrive(rand.IntN(len(a.blocks)))
			a.arrived.Add(1)
		}
	}
}

// arrive changes one organization.
func (a *arrivals) arrive(n int) {
	a.members[n].Held = !a.members[n].Held
	mark := a.blocks[n].Mark
	mark.Revision++
	mark.Sequence++
	next := a.blocks[n].Draft(mark)
	next.Member(a.members[n])
	a.blocks[n] = next.Block()
	a.store.Put(a.blocks[n])
}
