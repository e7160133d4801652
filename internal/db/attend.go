package db

import (
	"slices"
	"sync"
)

// Attend has do take part in transactions that are told something (Tx.Tell),
// until stop is called. An error of it is one of the transaction.
func (d *DB) Attend(do func(tx *Tx, what any) error) (stop func()) { return d.attendants.add(do) }

// Tell tells those who take part in this transaction what was done in it, before
// it commits, and returns what the first of them failed with.
func (tx *Tx) Tell(what any) error {
	for _, do := range tx.db.attendants.list() {
		if err := (*do)(tx, what); err != nil {
			return err
		}
	}
	return nil
}

type attendants struct {
	mu  sync.Mutex
	all []*func(*Tx, any) error
}

func (a *attendants) list() []*func(*Tx, any) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.all
}

func (a *attendants) add(do func(*Tx, any) error) (stop func()) {
	own := &do
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(slices.Clone(a.all), own)
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.all = slices.DeleteFunc(slices.Clone(a.all), func(f *func(*Tx, any) error) bool { return f == own })
	}
}
