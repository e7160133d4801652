package compact

import "sync/atomic"

// An index finds the organizations that a member may be in: one, as good as
// always. It is asked without a lock while one writer changes it. A slot holds
// some of an id's hash, where the member stood in the organization when it was
// written, and, one more than it, the number of the organization.
type index struct {
	slots []atomic.Uint64
	used  int // slots that are not empty, those of members who are gone included
	live  int
}

const (
	numberBits = 24
	placeBits  = 16
	markBits   = 64 - numberBits - placeBits
	numberMask = 1<<numberBits - 1
	placeMask  = 1<<placeBits - 1
)

const gone = 1<<64 - 1 // in a slot whose member is no more

// newIndex is an index with room for so many members.
func newIndex(members int) *index {
	return &index{slots: make([]atomic.Uint64, members+members/2+16)}
}

// fits reports whether so many more find a place quickly.
func (x *index) fits(more int) bool { return (x.used+more)*3 <= len(x.slots)*2 }

// markOf is what a slot says of a member and where: all but the place.
func markOf(h hash, number uint32) uint64 {
	return uint64(h)<<(numberBits+placeBits) | uint64(number+1)
}

func slotOf(h hash, number uint32, place int) uint64 {
	return markOf(h, number) | uint64(min(place, placeMask))<<numberBits
}

// about is a slot without the place.
func about(s uint64) uint64 { return s &^ (placeMask << numberBits) }

func (x *index) add(h hash, number uint32, place int) {
	at := h.slot(len(x.slots))
	for x.slots[at].Load() != 0 {
		if at++; at == len(x.slots) {
			at = 0
		}
	}
	x.slots[at].Store(slotOf(h, number, place))
	x.used++
	x.live++
}

// put writes what stands for a member in the place of what stood there.
func (x *index) put(h hash, number uint32, s uint64) {
	for at := h.slot(len(x.slots)); ; {
		was := x.slots[at].Load()
		if was == 0 {
			return
		}
		if was != gone && about(was) == markOf(h, number) {
			x.slots[at].Store(s)
			return
		}
		if at++; at == len(x.slots) {
			at = 0
		}
	}
}

// move tells that a member stands elsewhere in the organization.
func (x *index) move(h hash, number uint32, place int) {
	x.put(h, number, slotOf(h, number, place))
}

func (x *index) remove(h hash, number uint32) {
	x.put(h, number, gone)
	x.live--
}
