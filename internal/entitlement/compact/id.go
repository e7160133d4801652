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
	hash hash
	made bool
}

func want(k ident.Kind, text string) (w wanted) {
	w.read(k, text)
	return w
}

func (w *wanted) read(k ident.Kind, text string) {
	v, made := idOf(k, text)
	w.text, w.id, w.hash, w.made = text, v, hashOf(v), made
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

// names are ids in order. A few are found by their tags, many by a table: open
// addressing, at most two thirds full, half of a hash above one more than an
// index.
type names struct {
	ids   []id
	table []uint64 // nil where there are few
}

// tags have a byte of the hash of each of a few ids, eight bytes to a word.
type tags [few / 8]uint64

const (
	few  = 32
	each = 0x0101010101010101 // times a byte: the byte in every place of a word
)

func namesOf(ids []id) (n names, t tags) {
	n.ids = slices.Clone(ids) // no room to spare
	if len(ids) <= few {
		for i, v := range ids {
			t[i/8] |= uint64(byte(hashOf(v))) << (i % 8 * 8)
		}
		return n, t
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
	return n, t
}

// find is the index of an id with its hash, or -1.
func (n *names) find(t *tags, v id, h hash) int {
	if n.table == nil {
		return n.among(t, v, h)
	}
	return n.search(v, h)
}

func (n *names) search(v id, h hash) int {
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

// among finds one of a few.
func (n *names) among(t *tags, v id, h hash) int {
	for alike := t.alike(tagOf(h)); alike != 0; alike &= alike - 1 {
		if i := placeOfTag(alike); i < len(n.ids) && n.ids[i] == v {
			return i
		}
	}
	return -1
}

// tagOf is the tag of a hash, eight times.
func tagOf(h hash) uint64 { return uint64(byte(h)) * each }

// alike has a bit for each tag that is the one asked for. All are compared before any id is
// looked at, so that it matters little where the id stands; a tag may be alike in
// vain. Bit 8n+w is the nth byte of word w.
func (t *tags) alike(tag uint64) uint64 {
	return zeros(t[0]^tag)>>7 | zeros(t[1]^tag)>>6 | zeros(t[2]^tag)>>5 | zeros(t[3]^tag)>>4
}

// placeOfTag is whose tag the first of them is.
func placeOfTag(alike uint64) int {
	at := bits.TrailingZeros64(alike)
	return at&7<<3 | at>>3
}

// zeros has the highest bit of each byte that is zero, and sometimes that of one
// that is not.
func zeros(x uint64) uint64 { return (x - each) &^ x & (0x80 * each) }

func (n *names) size() int { return len(n.ids)*idBytes + len(n.table)*8 }
