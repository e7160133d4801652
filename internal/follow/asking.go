package follow

import (
	"context"
	"slices"
	"sync"

	"mandate/internal/db"
)

// asking are those who need what the database says now, and do not wait for the
// next look that would come by itself.
type asking struct {
	wake    chan struct{}
	mu      sync.Mutex
	waiting []*question // for a look that has not begun
}

// A question is asked in the transaction of a look.
type question struct {
	ask  func(tx *db.Tx) error
	err  error
	done chan struct{}
}

func (q *question) answer(tx *db.Tx) { q.err = q.ask(tx) }

// insideKey marks what runs in the transaction of a look already.
type insideKey struct{}

type inside struct {
	mu sync.Mutex // a transaction has one user at a time
	tx *db.Tx
}

func within(ctx context.Context, tx *db.Tx) context.Context {
	return context.WithValue(ctx, insideKey{}, &inside{tx: tx})
}

// Inside reports whether a context is of something that runs in the transaction of
// a look, such as Load of the memory.
func Inside(ctx context.Context) bool {
	_, is := ctx.Value(insideKey{}).(*inside)
	return is
}

// Read runs ask in the transaction of a look that begins after the call, at the
// server that is followed, when the memory has what that transaction sees. An
// error of the look is an error of the question.
func (f *Follower) Read(ctx context.Context, ask func(tx *db.Tx) error) error {
	if in, ok := ctx.Value(insideKey{}).(*inside); ok {
		in.mu.Lock()
		defer in.mu.Unlock()
		return ask(in.tx)
	}
	q := &question{ask: ask, done: make(chan struct{})}
	f.asking.add(q)
	select {
	case <-q.done:
		return q.err
	case <-ctx.Done():
	}
	if f.asking.drop(q) {
		return ctx.Err()
	}
	<-q.done // it is being asked; a look has its limits
	return q.err
}

// Await returns when a look that began after the call is over, and what it found
// is in memory.
func (f *Follower) Await(ctx context.Context) error {
	return f.Read(ctx, func(*db.Tx) error { return nil })
}

func (a *asking) add(q *question) {
	a.mu.Lock()
	a.waiting = append(a.waiting, q)
	a.mu.Unlock()
	a.call()
}

// drop takes back a question, unless a look has begun that asks it.
func (a *asking) drop(q *question) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	at := slices.Index(a.waiting, q)
	if at >= 0 {
		a.waiting = slices.Delete(a.waiting, at, at+1)
	}
	return at >= 0
}

func (a *asking) take() []*question {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := a.waiting
	a.waiting = nil
	return all
}

// giveBack leaves questions to the next look, before those that came meanwhile.
func (a *asking) giveBack(all []*question) {
	if len(all) == 0 {
		return
	}
	a.mu.Lock()
	a.waiting = append(slices.Clip(all), a.waiting...)
	a.mu.Unlock()
	a.call()
}

// call has the next look begin at once.
func (a *asking) call() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

func (a *asking) end(all []*question, err error) {
	for _, q := range all {
		if err != nil {
			q.err = err
		}
		close(q.done)
	}
}
