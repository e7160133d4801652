package identity

import (
	"fmt"
	"net/netip"
	"sync"
	"time"

	"mandate/internal/bank"
	"mandate/internal/fault"
)

// A rate is how often something may be tried from one place.
type rate struct {
	door    string
	times   int
	per     time.Duration
	network bool // of the network around the address instead of the address
}

// The throttles stand in front of the strikes and never spend one.
var (
	signInRates = []rate{{"sign-in", 10, time.Minute, false}, {"sign-in", 60, time.Minute, true}}
)

// programRates are of programs that prove who they are by a secret: more than
// people need, and few enough that nobody can guess one.
var programRates = []rate{{"program", 300, time.Minute, false}, {"program", 1200, time.Minute, true}}

// AllowProgram counts a request of a program from an address, and refuses what
// is too much.
func (s *Service) AllowProgram(ip string) error { return s.throttles.allow(programRates, ip) }

// maxCounters bounds the memory of the throttles. When it is full of places
// that are still being counted, strangers wait.
const maxCounters = 100_000

// RetryAfter is the cause of a refusal by a throttle: how long to wait.
type RetryAfter struct{ Wait time.Duration }

func (r RetryAfter) Error() string { return fmt.Sprintf("throttled for %v", r.Wait) }

// throttles count tries per place in windows of fixed length. They are in
// memory: a restart forgets them, and the strikes, which are stored, go on.
type throttles struct {
	clock    bank.Clock
	factor   int
	mu       sync.Mutex
	counters map[string]*counter
	swept    time.Time
}

type counter struct {
	ends  time.Time
	tries int
}

func newThrottles(clock bank.Clock, factor int) *throttles {
	return &throttles{clock: clock, factor: factor, counters: map[string]*counter{}}
}

// allow counts a try from an address, and refuses when one of the rates is
// used up. The refusal is the same for everybody.
func (t *throttles) allow(rates []rate, ip string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	var wait time.Duration
	for _, r := range rates {
		wait = max(wait, t.count(now, r, placeOf(ip, r.network)))
	}
	if wait == 0 {
		return nil
	}
	return fault.New(fault.TooMany, "There were too many attempts from where you are. Wait a minute, then try again.").
		With("THROTTLED").Because(RetryAfter{wait})
}

// count returns how long the place must wait, zero where it need not.
func (t *throttles) count(now time.Time, r rate, place string) time.Duration {
	key := fmt.Sprint(r.door, r.network, place)
	c := t.counters[key]
	if c == nil || !now.Before(c.ends) {
		if c == nil && len(t.counters) >= maxCounters && !t.sweep(now) {
			return r.per
		}
		c = &counter{ends: now.Add(r.per)}
		t.counters[key] = c
	}
	if c.tries >= r.times*t.factor {
		return c.ends.Sub(now)
	}
	c.tries++
	return 0
}

// sweep forgets the windows that have ended, and says whether there is room.
// It looks once a second at most, because it is called when much comes in.
func (t *throttles) sweep(now time.Time) bool {
	if now.Sub(t.swept).Abs() < time.Second {
		return false
	}
	t.swept = now
	for key, c := range t.counters {
		if !now.Before(c.ends) {
			delete(t.counters, key)
		}
	}
	return len(t.counters) < maxCounters
}

// placeOf is the address, or the network around it: /24 or /48. An address of
// the newer kind counts by its /64, which is what one household is given.
func placeOf(ip string, network bool) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return "unknown"
	}
	addr = addr.Unmap().WithZone("")
	bits := 32
	switch {
	case addr.Is4() && network:
		bits = 24
	case addr.Is6() && network:
		bits = 48
	case addr.Is6():
		bits = 64
	}
	return netip.PrefixFrom(addr, bits).Masked().String()
}
