package demo

import (
	"sync/atomic"
	"time"

	"mandate/internal/bank"
)

// A Clock is the machine's, set back while the demo's past is being made. The
// program that a demo runs in is opened with one.
type Clock struct {
	machine bank.Clock
	behind  atomic.Int64 // a time.Duration
}

// NewClock returns a clock that tells the machine's time.
func NewClock(machine bank.Clock) *Clock { return &Clock{machine: machine} }

// Now is the machine's time, or as long before it as the clock is set back.
func (c *Clock) Now() time.Time { return c.machine.Now().Add(-time.Duration(c.behind.Load())) }

// setBack lets it be as long ago as d.
func (c *Clock) setBack(d time.Duration) { c.behind.Store(int64(d)) }
