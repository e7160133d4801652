package client

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Pauses of a copy that fails: doubling, and it is asked again when they end, or
// when no other copy is left.
const (
	firstRest = 250 * time.Millisecond
	longRest  = 30 * time.Second
)

type counter = atomic.Uint64

// A copyOf is one address at which the server answers.
type copyOf struct {
	base string

	mu     sync.Mutex
	failed int // in a row
	rests  time.Time
	last   error
}

// A Copy is how one of the client's addresses does.
type Copy struct {
	Address string
	Healthy bool
	Failed  int       // requests in a row
	Rests   time.Time // until when it is passed over
	Last    error     // why the last request failed; nil after one that did not
}

// Copies tells how the client's addresses do, in the order in which they were
// given.
func (c *Client) Copies() []Copy {
	now := time.Now()
	all := make([]Copy, 0, len(c.copies))
	for _, one := range c.copies {
		one.mu.Lock()
		all = append(all, Copy{one.base, !now.Before(one.rests), one.failed, one.rests, one.last})
		one.mu.Unlock()
	}
	return all
}

func (o *copyOf) resting(now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return now.Before(o.rests)
}

// note takes in how a request went.
func (o *copyOf) note(failure error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = failure
	if failure == nil {
		o.failed, o.rests = 0, time.Time{}
		return
	}
	o.failed++
	o.rests = time.Now().Add(min(firstRest<<min(o.failed-1, 10), longRest))
}

// order is in which order copies are asked: the well ones in turn, then those
// that rest, because an answer may still come from there.
func (c *Client) order() []*copyOf {
	n := uint64(len(c.copies))
	start := c.next.Add(1)
	now := time.Now()
	well, resting := make([]*copyOf, 0, n), []*copyOf(nil)
	for i := range n {
		one := c.copies[(start+i)%n]
		if one.resting(now) {
			resting = append(resting, one)
		} else {
			well = append(well, one)
		}
	}
	return slices.Concat(well, resting)
}
