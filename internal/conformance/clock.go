package conformance

import (
	"sync/atomic"
	"time"
)

// A Clock stands where a vector puts it.
type Clock struct{ at atomic.Pointer[time.Time] }

// NewClock returns a clock for the database that vectors are asked of.
func NewClock() *Clock {
	c := &Clock{}
	c.set(time.Unix(0, 0))
	return c
}

// Now is where the clock stands.
func (c *Clock) Now() time.Time { return *c.at.Load() }

func (c *Clock) set(t time.Time) { c.at.Store(&t) }

func (c *Clock) advance(by time.Duration) { c.set(c.Now().Add(by)) }
