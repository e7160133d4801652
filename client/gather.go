package client

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// A gatherer lets single questions travel together.
type gatherer struct {
	client *Client
	delay  time.Duration
	most   int

	mu      sync.Mutex
	waiting *gathered
}

// gathered are the questions of one request, each with who waits for it.
type gathered struct {
	parcel
	answers []chan Decision
	timer   *time.Timer
}

// ask waits for the answer of one question, or for the end of its context.
func (g *gatherer) ask(ctx context.Context, q prepared) Decision {
	answer := make(chan Decision, 1) // nobody may wait any more
	g.add(q, answer)
	select {
	case d := <-answer:
		return d
	case <-ctx.Done():
		return refused(fmt.Errorf("mandate: %w", context.Cause(ctx)))
	}
}

func (g *gatherer) add(q prepared, answer chan Decision) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waiting != nil && !g.waiting.holds(q, g.most) {
		g.full()
	}
	if g.waiting == nil {
		some := &gathered{}
		some.timer = time.AfterFunc(g.delay, func() { g.send(some) })
		g.waiting = some
	}
	g.waiting.add(q)
	g.waiting.answers = append(g.waiting.answers, answer)
	if len(g.waiting.questions) == g.most {
		g.full()
	}
}

// full sends what waits without waiting for more. It is called under the lock.
func (g *gatherer) full() {
	some := g.waiting
	g.waiting = nil
	if some.timer.Stop() { // otherwise the timer is about to send them
		go g.answer(some)
	}
}

// send is what the timer does.
func (g *gatherer) send(some *gathered) {
	g.mu.Lock()
	if g.waiting == some {
		g.waiting = nil
	}
	g.mu.Unlock()
	g.answer(some)
}

// answer asks what was gathered. The request belongs to none of those who wait:
// one who gives up does not take the others' answers away.
func (g *gatherer) answer(some *gathered) {
	for i, d := range g.client.ask(context.Background(), some.questions) {
		some.answers[i] <- d
	}
}
