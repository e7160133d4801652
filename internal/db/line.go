package db

import (
	"context"
	"slices"
	"sync"
	"time"
)

// A line is writers who would wait for the same lock in the database anyway:
// on SQLite all of them. They wait here instead, in the order they came and
// without a connection, and whoever has the turn decides whether the next one
// joins the transaction that is open (joint.go).
type line struct {
	mu      sync.Mutex
	busy    bool // somebody has the turn
	waiting []*place
	users   int // of lines that are found by name; guarded by lines.mu

	open *joint // belongs to whoever has the turn
}

// theWriters is the line of SQLite's writers.
const theWriters = "the writers"

// A place is somebody's place in a line.
type place struct{ turn chan struct{} }

// take waits for the turn, but not for ever. Where it returns nil, the turn
// must be passed on.
func (l *line) take(ctx context.Context, wait time.Duration) error {
	l.mu.Lock()
	if !l.busy {
		l.busy = true
		l.mu.Unlock()
		return nil
	}
	p := &place{make(chan struct{})}
	l.waiting = append(l.waiting, p)
	l.mu.Unlock()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-p.turn:
		return nil
	case <-ctx.Done():
		return l.giveUp(p, ctx.Err())
	case <-timer.C:
		return l.giveUp(p, ErrBusy)
	}
}

// giveUp leaves the line, unless the turn came at the same moment.
func (l *line) giveUp(p *place, why error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.waiting, p); i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
		return why
	}
	return nil
}

// pass gives the turn to the next and reports whether there was one. The turn
// stays where it is when there was none.
func (l *line) pass() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		return false
	}
	close(l.waiting[0].turn)
	l.waiting = slices.Delete(l.waiting, 0, 1)
	return true
}

// leave gives the turn to the next, or to whoever comes.
func (l *line) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		l.busy = false
		return
	}
	close(l.waiting[0].turn)
	l.waiting = slices.Delete(l.waiting, 0, 1)
}

// lines are the lines that are found by name.
type lines struct {
	mu     sync.Mutex
	byName map[string]*line
}

// of finds or makes the line of a name; done lets go of it.
func (ls *lines) of(name string) (l *line, done func()) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.byName == nil {
		ls.byName = map[string]*line{}
	}
	if l = ls.byName[name]; l == nil {
		l = &line{}
		ls.byName[name] = l
	}
	l.users++
	return l, func() {
		ls.mu.Lock()
		defer ls.mu.Unlock()
		if l.users--; l.users == 0 {
			delete(ls.byName, name)
		}
	}
}
