package gate

import (
	"math"
	"sync"
	"time"

	"mandate/internal/bank"
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

// take takes n from the caller's balance, or says how long to wait. Whoever
// has anything left is served whole and waits afterwards, so that a batch
// larger than the burst is slow but not impossible.
func (l *Limiter) take(caller bank.ClientID, n int) (wait time.Duration, ok bool) {
	now := l.clock.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	b, known := l.callers[caller]
	if !known {
		b = balance{left: l.rate.Burst, at: now}
	}
	if past := now.Sub(b.at); past > 0 {
		b = balance{left: math.Min(l.rate.Burst, b.left+past.Seconds()*l.rate.PerSecond), at: now}
	}
	if b.left <= 0 && n > 0 {
		l.callers[caller] = b
		return time.Duration((1 - b.left) / l.rate.PerSecond * float64(time.Second)), false
	}
	b.left -= float64(n)
	l.callers[caller] = b
	return 0, true
}
