package compact

import "sync/atomic"

// An index finds the organizations that a member may be in: one, as good as
// always. It is asked without a lock while one writer changes it. A slot holds
// half of an id's hash and, one more than it, the number of an organization.
type index struct {
	slots []atomic.Uint64
	used  int // slots that are not empty, those of members who are gone included
	live  int
}

const gone = 1<<64 - 1 // in a slot whose member is no more

func newIndex(members int) *index { return &index{slots: make([]atomic.Uint64, members+members/2+16)} }

// fits reports whether so many more find a place quickly.
func (x *index) fits(more int) bool { return (x.used+more)*3 <= len(x.slots)*2 }

func slotOf(v id, number uint32) uint64 { return v.spread()<<32 | uint64(number+1) }

func (x *index) add(v id, number uint32) {
	at := v.slot(len(x.slots))
	for x.slots[at].Load() != 0 {
		if at++; at == len(x.slots) {
			at = 0
		}
	}
	x.slots[at].Store(slotOf(v, number))
	x.used++
	x.live++
}

func (x *index) remove(v id, number uint32) {
	for at := v.slot(len(x.slots)); ; {
		switch x.slots[at].Load() {
		case 0:
			return
		case slotOf(v, number):
			x.slots[at].Store(gone)
			x.live--
			return
		}
		if at++; at == len(x.slots) {
			at = 0
		}
	}
}

// start is where the search for an id begins.
func (x *index) start(v id) int { return v.slot(len(x.slots)) }

// next is the next organization under an id from a slot on, and the slot after
// it; -1 where there is none.
func (x *index) next(v id, at int) (after, number int) {
	mark := v.spread() << 32
	for {
		s := x.slots[at].Load()
		if s == 0 {
			return at, -1
		}
		if at++; at == len(x.slots) {
			at = 0
		}
		if s != gone && s&^(1<<32-1) == mark {
			return at, int(uint32(s)) - 1
		}
	}
}
