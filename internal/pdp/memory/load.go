package memory

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/entitlement/compact"
	"mandate/internal/usage"
)

// readers is how many read at the same time, each in a snapshot of its own: what
// changes meanwhile is noticed like every later change.
const readers = 2

// atOnce is how many organizations are read with the same few statements.
const atOnce = 128

// Load reads everything, as far as the budget goes. What is asked for meanwhile
// is read on its own. progress is told of how many organizations how many are
// there; it may be nil, and is called by one after another.
func (m *Memory) Load(ctx context.Context, progress func(done, total int)) error {
	var numbers []int64
	err := m.read(ctx, func(tx *db.Tx) error {
		ids, err := m.sources.Institutions(tx)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := m.readInstitution(tx, m.hold(id)); err != nil {
				return err
			}
		}
		numbers, err = m.sources.Numbers(tx)
		return err
	})
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	work := make(chan []int64, len(numbers)/atOnce+1)
	for some := range slices.Chunk(numbers, atOnce) {
		work <- some
	}
	close(work)
	var done int
	var telling sync.Mutex
	var all sync.WaitGroup
	failed := make([]error, readers)
	for i := range readers {
		all.Go(func() {
			failed[i] = m.read(ctx, func(tx *db.Tx) error {
				return m.load(tx, work, func(n int) {
					telling.Lock()
					defer telling.Unlock()
					if done += n; progress != nil {
						progress(done, len(numbers))
					}
				})
			})
		})
	}
	all.Wait()
	for _, err := range failed {
		if err != nil {
			return fmt.Errorf("load: %w", err)
		}
	}
	return nil
}

// load reads what there is to do in one snapshot.
func (m *Memory) load(tx *db.Tx, work <-chan []int64, loaded func(int)) error {
	r := loading{memory: m, tx: tx, from: countsFrom(tx.Now), heads: map[place]activity.Head{}, counts: map[place][]compact.Count{}}
	if err := r.begin(); err != nil {
		return err
	}
	for some := range work {
		if m.full() {
			return nil
		}
		if err := m.sources.FactsBetween(tx, some[0], some[len(some)-1], r.put); err != nil {
			return err
		}
		loaded(len(some))
	}
	return nil
}

type loading struct {
	memory *Memory
	tx     *db.Tx
	from   bank.Day
	heads  map[place]activity.Head
	counts map[place][]compact.Count
	idle   *compact.Block // of which it is known that nothing counts
}

// begin reads what is small: where all chains stand, and what counts.
func (r *loading) begin() error {
	if err := r.memory.meet(r.tx); err != nil {
		return err
	}
	heads, err := activity.Heads(r.tx)
	if err != nil {
		return err
	}
	for _, h := range heads {
		r.heads[place{h.Institution, h.Organization}] = h
	}
	counters, err := usage.AllSince(r.tx, r.from)
	if err != nil {
		return err
	}
	for i, counts := range countsOf(counters) {
		at := place{counters[i].Institution, counters[i].Organization}
		r.counts[at] = append(r.counts[at], counts)
	}
	r.idle = compact.Pack(&compact.Facts{}, compact.Mark{}).WithCounts(r.from, nil)
	return nil
}

func (r *loading) put(institution bank.InstitutionID, f *compact.Facts) error {
	at := place{institution, f.Organization.ID}
	h, known := r.heads[at]
	if !known {
		return fmt.Errorf("%s has no history", f.Organization.ID)
	}
	b := compact.Pack(f, mark(h))
	if counts := r.counts[at]; len(counts) > 0 {
		b = b.WithCounts(r.from, counts)
	} else {
		b = b.WithoutCounts(r.idle)
	}
	s := r.memory.hold(institution)
	s.Announce("", r.heads[place{institution, ""}].Sequence)
	r.memory.put(s, b)
	return nil
}
