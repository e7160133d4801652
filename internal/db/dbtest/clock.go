package dbtest

import (
	"sync"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// Start is where the clocks of tests stand: a Monday morning that is the same
// day in every time zone of the United States, outside any change of the hour.
var Start = time.Date(2026, time.March, 2, 15, 0, 0, 0, time.UTC)

// A Clock stands still until it is moved. It may be moved while others look.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

var _ bank.Clock = (*Clock)(nil)

// NewClock returns a clock standing at a moment.
func NewClock(at time.Time) *Clock { return &Clock{now: at} }

// Now is where the clock stands.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Set moves the clock to a moment, forwards or backwards.
func (c *Clock) Set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = at
}

// Advance moves the clock on.
func (c *Clock) Advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
}

var clocks sync.Map // *db.DB to bank.Clock

func rememberClock(t testing.TB, d *db.DB, c bank.Clock) {
	clocks.Store(d, c)
	t.Cleanup(func() { clocks.Delete(d) })
}

// ClockOf is the clock of a database that this package opened.
func ClockOf(t testing.TB, d *db.DB) *Clock {
	t.Helper()
	found, _ := clocks.Load(d)
	c, ok := found.(*Clock)
	if !ok {
		t.Fatal("dbtest.ClockOf: this database has no settable clock")
	}
	return c
}
