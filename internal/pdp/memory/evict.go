package memory

import (
	"cmp"
	"slices"
)

// size is what everything takes, as counted when things come and go.
func (m *Memory) size() (n int) {
	for _, s := range *m.stores.Load() {
		n += s.Size()
	}
	return n
}

// full reports whether the budget is used up.
func (m *Memory) full() bool { return m.budget > 0 && m.size() >= m.budget }

// keepWithin lets organizations go when there are more than the budget holds:
// those that were not asked for longest, until a tenth of the budget is free.
func (m *Memory) keepWithin() {
	if !m.full() || !m.evicts.TryLock() {
		return
	}
	defer m.evicts.Unlock()
	type candidate struct {
		*store
		asked uint32
		size  int
		place place
	}
	var all []candidate
	for _, s := range *m.stores.Load() {
		for _, o := range s.ByUse() {
			all = append(all, candidate{s, o.Asked, o.Size, place{s.institution, o.Organization}})
		}
	}
	slices.SortStableFunc(all, func(x, y candidate) int { return cmp.Compare(x.asked, y.asked) })
	for excess := m.size() - m.budget*9/10; excess > 0 && len(all) > 1; all = all[1:] {
		all[0].Drop(all[0].place.organization)
		m.evicted.Add(1)
		excess -= all[0].size
	}
}
