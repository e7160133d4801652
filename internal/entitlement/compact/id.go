package compact

import (
	"hash/maphash"
	"math/bits"
	"slices"

	"mandate/internal/entitlement/ident"
)

// An id is the name of a member or an account in 16 bytes. Any name that the
// product did not make is hashed under keys of this process, with the version
// that no UUID of the product has, and kept beside.
type id = ident.ID

var seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// idOf reads a name, and reports whether the product made it.
func idOf(k ident.Kind, name string) (id, bool) {
	if v, made := ident.Of(k, name); made {
		return v, true
	}
	return id{First: maphash.String(seeds[0], name), Last: maphash.String(seeds[1], name)}.WithVersion(ident.Reserved), false
}

func made(v id) bool { return v.Version() != ident.Reserved }

// A wanted is a name that is looked for.
type wanted struct {
	text string
	id   id
	made bool
}

func want(k ident.Kind, text string) (w wanted) {
	w.read(k, text)
	return w
}

func (w *wanted) read(k ident.Kind, text string) {
	w.text = text
	w.id, w.made = idOf(k, text)
}

// A hash is an id's place in any table.
type hash uint64

// hashOf mixes an id. The ids of one moment differ in half of their bits only, so
// that all are mixed.
func hashOf(v id) hash {
	hi, lo := bits.Mul64(v.First^0x9e3779b97f4a7c15, v.Last^0xd1b54a32d192ed03)
	return hash(hi ^ lo)
}

// slot is where something stands in a table of n places, or after.
func (h hash) slot(n int) int {
	hi, _ := bits.Mul64(uint64(h), uint64(n))
	return int(hi)
}

// names are ids in order. Many are found by a table: open addressing, at most two
// thirds full, half of a hash above one more than an index.
type names struct {
	ids   []id
	table []uint64 // nil where there are few
}

const few = 28

func namesOf(ids []id) (n names) {
	n.ids = slices.Clone(ids) // no room to spare
	if len(ids) <= few {
		return n
	}
	n.table = make([]uint64, len(ids)+len(ids)/2+1)
	for i, v := range ids {
		h := hashOf(v)
		at := h.slot(len(n.table))
		for n.table[at] != 0 {
			if at++; at == len(n.table) {
				at = 0
			}
		}
		n.table[at] = uint64(h)<<32 | uint64(i+1)
	}
	return n
}

// find is the index of an id, or -1.
func (n *names) find(v id) int {
	if n.table == nil {
		return slices.Index(n.ids, v)
	}
	h := hashOf(v)
	for at := h.slot(len(n.table)); ; {
		s := n.table[at]
		if s == 0 {
			return -1
		}
		if uint32(s>>32) == uint32(h) {
			if i := int(uint32(s)) - 1; n.ids[i] == v {
				return i
			}
		}
		if at++; at == len(n.table) {
			at = 0
		}
	}
}

func (n *names) size() int { return len(n.ids)*idBytes + len(n.table)*8 }

// slots find one of a few ids at the first look: a factor was searched that gives
// each a slot of its own. What an empty slot says is the index of another id, or
// of none.
type slots struct {
	factor uint64 // zero: they are too many
	at     [1 << slotBits]uint8
}

const (
	slotBits = 6
	attempts = 1 << 14 // 28 ids need some 1,100, and more than these once in millions of blocks
)

func slotsOf(ids []id) (s slots) {
	if len(ids) > few {
		return slots{}
	}
	s.factor = 0x9e3779b97f4a7c15
	for range attempts {
		if s.fill(ids) {
			return s
		}
		s.factor *= 0xd1342543de82ef95
	}
	return slots{}
}

// fill reports whether no two ids share a slot.
func (s *slots) fill(ids []id) bool {
	s.at = [1 << slotBits]uint8{}
	var taken uint64
	for i := range ids {
		slot := s.of(&ids[i])
		if taken>>slot&1 != 0 {
			return false
		}
		taken |= 1 << slot
		s.at[slot] = uint8(i)
	}
	return true
}

func (s *slots) of(v *id) uint64 { return (v.First ^ v.Last) * s.factor >> (64 - slotBits) }

// find is the index of an id among those that have slots, or -1.
func (s *slots) find(ids []id, v *id) int {
	if at := int(s.at[s.of(v)]); at < len(ids) && ids[at] == *v {
		return at
	}
	return -1
}
