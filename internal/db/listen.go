package db

import (
	"slices"
	"sync"
)

// Listen has hear told everything that this process announces after a commit
// (Tx.Announce), until stop is called. Announcements of different transactions
// may come at the same time and in another order than the commits; hear must be
// quick, because whoever made the change waits for it.
func (d *DB) Listen(hear func(what any)) (stop func()) { return d.listeners.add(hear) }

// listeners are told one after another; adding copies them, so that telling
// needs no lock while it tells.
type listeners struct {
	mu  sync.Mutex
	all []*func(any)
}

func (l *listeners) add(hear func(any)) (stop func()) {
	own := &hear
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(slices.Clone(l.all), own)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.all = slices.DeleteFunc(slices.Clone(l.all), func(h *func(any)) bool { return h == own })
	}
}

func (l *listeners) tell(what any) {
	l.mu.Lock()
	all := l.all
	l.mu.Unlock()
	for _, hear := range all {
		(*hear)(what)
	}
}
