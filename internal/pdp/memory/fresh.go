package memory

import (
	"time"

	"mandate/internal/fault"
)

// Bound is how old an answer may be at most where a follower confirms what is
// here; then questions are refused.
const Bound = 2 * time.Second

// ErrStale refuses questions that might be answered from what is too old. It is
// no answer: nobody may read it as a yes or a no.
var ErrStale = fault.New(fault.Unavailable, "The decision service cannot be sure that what it knows is still so. Ask again, or ask another copy.").With("STALE")

// Freshness is how it is known that nothing newer exists.
func (m *Memory) Freshness() Freshness { return Freshness(m.freshness.Load()) }

// Follow says that a follower confirms what is here from now on: no question
// looks into the database for that any more.
func (m *Memory) Follow() { m.freshness.CompareAndSwap(uint32(Asked), uint32(Followed)) }

// Confirm says that everything is here which was true at a moment, by the clock
// that only goes forward: time.Now() of this process. It never goes back.
func (m *Memory) Confirm(asOf time.Time) {
	to := int64(asOf.Sub(m.began)) // of before this memory there is nothing: zero stays zero
	for was := m.asOf.Load(); was < to && !m.asOf.CompareAndSwap(was, to); was = m.asOf.Load() {
	}
}

// AsOf is the moment that was confirmed last, and whether one was.
func (m *Memory) AsOf() (time.Time, bool) {
	after := m.asOf.Load()
	return m.began.Add(time.Duration(after)), after != 0
}

// Fresh refuses where what is here may be older than the bound.
func (m *Memory) Fresh() error {
	if m.Freshness() != Followed {
		return nil
	}
	if asOf, confirmed := m.AsOf(); !confirmed || time.Since(asOf) > Bound {
		return ErrStale
	}
	return nil
}

// InTime reports whether an answer may still be given that was read after AsOf had
// said a moment. A process that is stopped between reading and answering may be
// confirmed anew as soon as it goes on, and its answer would be old all the same.
func (m *Memory) InTime(asOf time.Time) bool {
	return m.Freshness() != Followed || time.Since(asOf) <= Bound
}

// Sure reports whether what is here can be answered from without looking into
// the database.
func (m *Memory) Sure() bool {
	return m.Freshness() == Told || m.Freshness() == Followed && m.Fresh() == nil
}

// MayLag reports whether the database may know more than is here without anybody
// having told, and Waits whether what is demanded may still come.
func (m *Memory) MayLag() bool { return m.Freshness() != Told }
func (m *Memory) Waits() bool  { return m.Freshness() == Followed }

// Size is how many organizations are here, and how many bytes they take.
func (m *Memory) Size() (organizations, bytes int64) {
	status := m.Status()
	return int64(status.Organizations), int64(status.Bytes)
}

// A Status says how a memory is doing.
type Status struct {
	Freshness     Freshness
	Institutions  int
	Organizations int // that are here
	Elsewhere     int // that are known to exist and are not here
	Bytes, Budget int
	AsOf          time.Time // zero: never confirmed
	Epoch         int64

	Refreshed int64 // organizations brought up to date
	Wholes    int64 // organizations read as a whole
	Gaps      int64 // chains that did not go on from where they were known, and were read as a whole for that
	Evicted   int64
}

// Status says how the memory is doing.
func (m *Memory) Status() Status {
	st := Status{
		Freshness: m.Freshness(), Budget: m.budget, Epoch: m.Epoch(),
		Refreshed: m.refreshed.Load(), Wholes: m.wholes.Load(), Gaps: m.gaps.Load(), Evicted: m.evicted.Load(),
	}
	if asOf, confirmed := m.AsOf(); confirmed {
		st.AsOf = asOf
	}
	for _, s := range *m.stores.Load() {
		here, missing := s.Blocks()
		st.Institutions++
		st.Organizations += here
		st.Elsewhere += missing
		st.Bytes += s.Size()
	}
	return st
}
