package gate

import (
	"container/list"
	"context"
	"runtime"
	"sync"
	"time"

	"mandate/internal/bank"
	"mandate/internal/client"
	"mandate/internal/fault"
)

// Capacity is how much is answered at the same time. The zero Capacity is the
// default for this machine.
type Capacity struct {
	AtOnce int           // requests that are being answered
	Each   int           // requests of one caller that may wait
	All    int           // requests of all callers that may wait
	Wait   time.Duration // how long one may wait
}

func (c Capacity) withDefaults() Capacity {
	if c.AtOnce == 0 {
		c.AtOnce = max(8, 4*runtime.GOMAXPROCS(0))
	}
	if c.Each == 0 {
		c.Each = 64
	}
	if c.All == 0 {
		c.All = 1024
	}
	if c.Wait == 0 {
		c.Wait = time.Second
	}
	return c
}

// Turns gives every caller their share where more is asked than can be answered.
// So much is answered at once; whoever comes then waits, and the next turn goes
// to the institution, and of its callers to the one, that has had the least.
// What somebody has had is counted in decisions: a batch counts by its items.
// Whoever was away does not save up: they begin level with the others.
//
// So a caller that floods waits behind itself, and once enough of its requests
// wait the next is refused at once. Where all wait too much, anybody's is.
type Turns struct {
	limits Capacity

	mu           sync.Mutex
	running      int
	waiting      int
	level        float64 // what the institution had that got the last turn
	institutions map[bank.InstitutionID]*share
}

// A share is what an institution, or a caller of one, has had, and who waits.
type share struct {
	had     float64
	busy    int // requests that run or wait; without any it is forgotten
	waiting int
	level   float64                  // of an institution: what the caller had that got the last turn
	callers map[bank.ClientID]*share // of an institution
	queue   list.List                // of a caller: waiters, in the order they came
}

// A waiter is a request whose turn has not come.
type waiter struct {
	called              chan struct{} // closed when its state is no longer waits
	state               waiting
	cost                float64
	client              *client.Client
	institution, caller *share
	place               *list.Element
}

type waiting uint8

const (
	waits waiting = iota
	goes
	sentAway // for somebody who waits less
)

// NewTurns returns turns.
func NewTurns(limits Capacity) *Turns {
	return &Turns{limits: limits.withDefaults(), institutions: map[bank.InstitutionID]*share{}}
}

var (
	errWaitsTooMuch = fault.New(fault.TooMany, "Too many requests of this caller wait already. Wait and ask again.").Because(waitError(time.Second))
	errOverloaded   = fault.New(fault.Unavailable, "The service has too much to answer. Wait and ask again.").Because(waitError(time.Second))
)

// Enter waits for the caller's turn to have a number of decisions made. Leave is
// to be called when they are; an error is a refusal to wait, and there is nothing
// to leave.
func (t *Turns) Enter(ctx context.Context, c *client.Client, decisions int) error {
	t.mu.Lock()
	institution, caller := t.shares(c)
	institution.busy++
	caller.busy++
	cost := float64(max(1, decisions))
	if t.running < t.limits.AtOnce && t.waiting == 0 {
		t.start(institution, caller, cost)
		t.mu.Unlock()
		return nil
	}
	w, err := t.line(c, institution, caller, cost)
	t.mu.Unlock()
	if err != nil {
		return err
	}
	timer := time.NewTimer(t.limits.Wait)
	defer timer.Stop()
	select {
	case <-w.called:
	case <-timer.C:
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch w.state {
	case sentAway:
		return errOverloaded
	case waits:
		t.out(w)
		t.gone(c, institution, caller)
		return errOverloaded
	}
	return nil // also where the turn came at the same moment
}

// line puts a request of a caller at the end of the caller's line. Where too much
// waits, somebody of the caller that waits most is sent away for it, so that
// nobody's place is taken by others.
func (t *Turns) line(c *client.Client, institution, caller *share, cost float64) (*waiter, error) {
	if caller.waiting >= t.limits.Each {
		t.gone(c, institution, caller)
		return nil, errWaitsTooMuch
	}
	if t.waiting >= t.limits.All {
		last := t.longest()
		if last.caller.waiting <= caller.waiting+1 {
			t.gone(c, institution, caller)
			return nil, errOverloaded
		}
		t.out(last)
		t.gone(last.client, last.institution, last.caller)
		last.state = sentAway
		close(last.called)
	}
	w := &waiter{called: make(chan struct{}), cost: cost, client: c, institution: institution, caller: caller}
	w.place = caller.queue.PushBack(w)
	caller.waiting++
	institution.waiting++
	t.waiting++
	return w, nil
}

// out takes a request out of its line.
func (t *Turns) out(w *waiter) {
	w.caller.queue.Remove(w.place)
	w.caller.waiting--
	w.institution.waiting--
	t.waiting--
}

// longest is who came last of the caller that waits most.
func (t *Turns) longest() *waiter {
	var most *share
	for _, institution := range t.institutions {
		for _, caller := range institution.callers {
			if most == nil || caller.waiting > most.waiting {
				most = caller
			}
		}
	}
	return most.queue.Back().Value.(*waiter)
}

// shares finds what a caller's institution and the caller have had. Who is new
// begins level with who was served last.
func (t *Turns) shares(c *client.Client) (institution, caller *share) {
	if institution = t.institutions[c.Institution]; institution == nil {
		institution = &share{callers: map[bank.ClientID]*share{}}
		t.institutions[c.Institution] = institution
	}
	if institution.busy == 0 {
		institution.had = max(institution.had, t.level)
	}
	if caller = institution.callers[c.ID]; caller == nil {
		caller = &share{}
		institution.callers[c.ID] = caller
	}
	if caller.busy == 0 {
		caller.had = max(caller.had, institution.level)
	}
	return institution, caller
}

func (t *Turns) start(institution, caller *share, cost float64) {
	t.running++
	t.level = max(t.level, institution.had)
	institution.level = max(institution.level, caller.had)
	institution.had += cost
	caller.had += cost
}

// gone notes that a request of a caller is over.
func (t *Turns) gone(c *client.Client, institution, caller *share) {
	if caller.busy--; caller.busy == 0 && caller.had <= institution.level {
		delete(institution.callers, c.ID)
	}
	if institution.busy--; institution.busy == 0 && institution.had <= t.level {
		delete(t.institutions, c.Institution)
	}
}

// Leave ends a request and gives its place to who has had the least.
func (t *Turns) Leave(c *client.Client) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running--
	t.gone(c, t.institutions[c.Institution], t.institutions[c.Institution].callers[c.ID])
	for t.running < t.limits.AtOnce && t.waiting > 0 {
		institution := least(t.institutions)
		caller := least(institution.callers)
		w := caller.queue.Front().Value.(*waiter)
		t.out(w)
		t.start(institution, caller, w.cost)
		w.state = goes
		close(w.called)
	}
}

// least is who waits and has had the least.
func least[ID comparable](all map[ID]*share) (found *share) {
	for _, s := range all {
		if s.waiting > 0 && (found == nil || s.had < found.had) {
			found = s
		}
	}
	return found
}
