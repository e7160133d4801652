package compact

import (
	"hash/maphash"
	"math/bits"
	"slices"
)

// An id is the name of a member or an account in 16 bytes. Ids that the product
// makes are a prefix and a UUID, and the UUID is the id: exact, and readable
// again. Any other name is hashed under keys of this process and kept beside.
type id struct{ high, low uint64 }

// A kind is what an id names: the prefix that the UUID loses, its first letter in
// the lowest byte.
type kind uint32

const (
	aMember   kind = 'u' | 's'<<8 | 'r'<<16 | '_'<<24
	anAccount kind = 'a' | 'c'<<8 | 'c'<<16 | '_'<<24
)

const textLength = 4 + 36

var seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// idOf reads a name. Nothing that the product makes has the version that marks
// hashed names, so that the two never meet.
func idOf(k kind, name string) (id, bool) {
	if len(name) != textLength || kind(four(name)) != k {
		return hashed(name), false
	}
	v, good := uuidOf(name[4:])
	if !good || v.version() == hashedVersion {
		return hashed(name), false
	}
	return v, true
}

func hashed(name string) id {
	return id{maphash.String(seeds[0], name)&^(0xf<<versionShift) | hashedVersion<<versionShift, maphash.String(seeds[1], name)}
}

const (
	dashes    = '-' | '-'<<40 // where they stand in eight bytes from the first or the third on
	dashesAre = 0xff | 0xff<<40
)

// uuidOf reads a UUID of lower-case digits, eight of them at a time, side by side
// in one word. Half of an id has its first eight digits in the upper halves of
// its bytes and the others in the lower ones, the first in the lowest byte: no
// digit has to be moved far.
func uuidOf(s string) (id, bool) {
	_ = s[35]
	front, back := eight(s[8:]), eight(s[18:])
	a, bad1 := hexOf(eight(s))
	b, bad2 := hexOf(front>>8&0xffffffff | four(s[14:])<<32)
	c, bad3 := hexOf(back>>8&0xffffffff | four(s[24:])<<32)
	d, bad4 := hexOf(eight(s[28:]))
	bad := (bad1|bad2|bad3|bad4)&(0xf0*each) | ((front^dashes)|(back^dashes))&dashesAre
	return id{a<<4 | b, c<<4 | d}, bad == 0
}

// A wanted is a name that is looked for.
type wanted struct {
	text string
	id   id
	hash hash
	made bool
}

func want(k kind, text string) (w wanted) {
	w.read(k, text)
	return w
}

func (w *wanted) read(k kind, text string) {
	v, made := idOf(k, text)
	w.text, w.id, w.hash, w.made = text, v, v.hash(), made
}

// four are the first four bytes of a text as a number, the first in the lowest.
func four(s string) uint64 {
	_ = s[3]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24
}

// eight are the first eight.
func eight(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

const each = 0x0101010101010101 // times a byte: the byte in every place of a word

// hexOf is the value of eight hexadecimal digits, each in its byte. The upper half
// of a byte of bad is not zero where one is no digit in lower case: its value is
// none below sixteen, or it is ten or more and no letter, or less and a letter.
// What follows the first that is bad says nothing.
func hexOf(text uint64) (v, bad uint64) {
	letters := text >> 6 & each
	v = text - '0'*each - ('a'-'0'-10)*letters
	return v, v | ((v + 6*each) ^ letters<<4)
}

const (
	hashedVersion = 0xf
	versionShift  = 32 // the thirteenth digit is a lower one, in the fifth byte
)

func (v id) version() uint64 { return v.high >> versionShift & 0xf }

// digit is the nth hexadecimal digit.
func (v id) digit(n int) uint64 {
	half := v.high
	if n >= 16 {
		half, n = v.low, n-16
	}
	if n < 8 {
		return half >> (8*n + 4) & 0xf
	}
	return half >> (8 * (n - 8)) & 0xf
}

// A hash is an id's place in any table.
type hash uint64

// hash mixes an id. The ids of one moment differ in their low bits only, so
// that all are mixed.
func (v id) hash() hash {
	hi, lo := bits.Mul64(v.high^0x9e3779b97f4a7c15, v.low^0xd1b54a32d192ed03)
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

const few = 32

func namesOf(ids []id) (n names, t tags) {
	n.ids = slices.Clone(ids) // no room to spare
	if len(ids) <= few {
		for i, v := range ids {
			t[i/8] |= uint64(byte(v.hash())) << (i % 8 * 8)
		}
		return n, t
	}
	n.table = make([]uint64, len(ids)+len(ids)/2+1)
	for i, v := range ids {
		h := v.hash()
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

// among finds one of a few. All tags are compared before any id is looked at,
// so that it matters little where the id stands; a tag may be alike in vain.
func (n *names) among(t *tags, v id, h hash) int {
	tag := uint64(byte(h)) * each
	alike := zeros(t[0]^tag)>>7 | zeros(t[1]^tag)>>6 | zeros(t[2]^tag)>>5 | zeros(t[3]^tag)>>4
	for ; alike != 0; alike &= alike - 1 { // bit 8n+w: the nth byte of word w
		at := bits.TrailingZeros64(alike)
		if i := at&7<<3 | at>>3; i < len(n.ids) && n.ids[i] == v {
			return i
		}
	}
	return -1
}

// zeros has the highest bit of each byte that is zero, and sometimes that of one
// that is not.
func zeros(x uint64) uint64 { return (x - each) &^ x & (0x80 * each) }

func (n *names) size() int { return len(n.ids)*idBytes + len(n.table)*8 }
