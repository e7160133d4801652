package memory

import (
	"context"
	"sync"

	"mandate/internal/bank"
)

// A place names an organization, or an institution's own level where the
// organization is empty.
type place struct {
	institution  bank.InstitutionID
	organization bank.OrganizationID
}

// turns let one at a time read the same place, so that a hundred questions about
// what has just changed read it once.
type turns struct {
	mu  sync.Mutex
	all map[place]*turn
}

type turn struct {
	taken   chan struct{}
	waiting int
}

// take waits for the turn at a place; done gives it back.
func (t *turns) take(ctx context.Context, p place) (done func(), err error) {
	t.mu.Lock()
	if t.all == nil {
		t.all = map[place]*turn{}
	}
	own := t.all[p]
	if own == nil {
		own = &turn{taken: make(chan struct{}, 1)}
		t.all[p] = own
	}
	own.waiting++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if own.waiting--; own.waiting == 0 {
			delete(t.all, p)
		}
	}
	select {
	case own.taken <- struct{}{}:
		return func() { <-own.taken; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}

// pending are places that moved and were not read since.
type pending struct {
	mu   sync.Mutex
	all  map[place]bool
	wake chan struct{}
}

func (p *pending) add(at place) {
	p.mu.Lock()
	if p.all == nil {
		p.all = map[place]bool{}
	}
	p.all[at] = true
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *pending) take() map[place]bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.all
	p.all = nil
	return all
}
