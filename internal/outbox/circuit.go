package outbox

import (
	"sync"
	"time"
)

// Bounds of asking whether the other end is back.
const (
	downAfter  = 3 // messages in a row that got no answer
	firstProbe = 5 * time.Second
	longProbe  = 30 * time.Second
)

// A circuit keeps a dispatcher from hammering at an end that is down: after a
// few messages without any answer only one goes out now and then, until one is
// answered. Each process finds out for itself.
type circuit struct {
	mu     sync.Mutex
	failed int           // in a row
	pause  time.Duration // between probes; zero: closed
	next   time.Time     // no probe before this
}

// open reports whether the other end is down, as far as is known.
func (c *circuit) open() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pause > 0
}

// allows says how many of most messages may be taken now, and whether it is one
// that only finds out.
func (c *circuit) allows(now time.Time, most int) (n int, probe bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.pause == 0:
		return most, false
	case now.Before(c.next):
		return 0, false
	}
	c.next = now.Add(c.pause)
	c.pause = min(2*c.pause, longProbe)
	return 1, true
}

// note takes in whether a message got an answer, and reports whether the other
// end is back by that.
func (c *circuit) note(now time.Time, down bool) (recovered bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !down {
		recovered = c.pause > 0
		c.failed, c.pause = 0, 0
		return recovered
	}
	if c.failed++; c.failed >= downAfter && c.pause == 0 {
		c.pause, c.next = firstProbe, now.Add(firstProbe)
	}
	return false
}
