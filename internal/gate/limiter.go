package gate

import (
	"math"
	"sync"
	"time"

	"mandate/internal/bank"
	"mandate/internal/client"
)

// A Rate is how much one caller may ask. The zero Rate is the default.
type Rate struct {
	PerSecond float64 // decisions in the long run
	Burst     float64 // decisions at once, after a pause
}

// DefaultRate is meant to stop a caller that runs wild, not one that works.
var DefaultRate = Rate{PerSecond: 5000, Burst: 10000}

// A Limiter counts what each caller asks. It holds one entry for each known
// client and is safe for use by many goroutines.
type Limiter struct {
	clock bank.Clock
	rate  Rate

	mu      sync.Mutex
	callers map[bank.ClientID]balance
}

// A balance is what a caller had left at a moment. It grows back with time.
type balance struct {
	left float64
	at   time.Time
}

// NewLimiter returns a limiter with one rate for every caller.
func NewLimiter(clock bank.Clock, rate Rate) *Limiter {
	if rate == (Rate{}) {
		rate = DefaultRate
	}
	return &Limiter{clock: clock, rate: rate, callers: map[bank.ClientID]balance{}}
}

// rateOf is the caller's own rate, or the one of all.
func (l *Limiter) rateOf(c *client.Client) Rate {
	if c.Rate == 0 {
		return l.rate
	}
	return Rate{PerSecond: float64(c.Rate), Burst: 2 * float64(c.Rate)}
}

// take takes n from the caller's balance, or says how long to wait. Whoever
// has anything left is served whole and waits afterwards, so that a batch
// larger than the burst is slow but not impossible.
func (l *Limiter) take(c *client.Client, n int) (wait time.Duration, ok bool) {
	now, rate, caller := l.clock.Now(), l.rateOf(c), c.ID
	l.mu.Lock()
	defer l.mu.Unlock()
	b, known := l.callers[caller]
	if !known {
		b = balance{left: rate.Burst, at: now}
	}
	if past := now.Sub(b.at); past > 0 {
		b = balance{left: math.Min(rate.Burst, b.left+past.Seconds()*rate.PerSecond), at: now}
	}
	if b.left <= 0 && n > 0 {
		l.callers[caller] = b
		return time.Duration((1 - b.left) / rate.PerSecond * float64(time.Second)), false
	}
	b.left -= float64(n)
	l.callers[caller] = b
	return 0, true
}
