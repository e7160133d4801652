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

// A kind is what an id names; it is the prefix that the UUID loses.
type kind string

const (
	aMember   kind = "usr_"
	anAccount kind = "acc_"
)

const textLength = 4 + 36

var seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// idOf reads a name. Nothing that the product makes has the version that marks
// hashed names, so that the two never meet.
func idOf(k kind, name string) (id, bool) {
	if len(name) != textLength || name[:4] != string(k) {
		return hashed(name), false
	}
	v, bad := uuidOf(name[4:])
	if bad != 0 || v.version() == hashedVersion {
		return hashed(name), false
	}
	return v, true
}

func hashed(name string) id {
	return id{maphash.String(seeds[0], name)&^(0xf<<12) | hashedVersion<<12, maphash.String(seeds[1], name)}
}

// uuidOf reads a UUID of lower-case digits, eight of them at a time, side by
// side in one word. What is bad is not zero where it is none.
func uuidOf(s string) (v id, bad uint64) {
	_ = s[35]
	a, bad1 := hexOf(four(s)<<32 | four(s[4:]))
	b, bad2 := hexOf(four(s[9:])<<32 | four(s[14:]))
	c, bad3 := hexOf(four(s[19:])<<32 | four(s[24:]))
	d, bad4 := hexOf(four(s[28:])<<32 | four(s[32:]))
	dashes := s[8] ^ '-' | s[13] ^ '-' | s[18] ^ '-' | s[23] ^ '-'
	return id{a<<32 | b, c<<32 | d}, bad1 | bad2 | bad3 | bad4 | uint64(dashes)
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

// four are the first four bytes of a text, as a number.
func four(s string) uint64 {
	return uint64(s[3]) | uint64(s[2])<<8 | uint64(s[1])<<16 | uint64(s[0])<<24
}

const each = 0x0101010101010101 // times a byte: the byte in every place of a word

// hexOf is the value of eight hexadecimal digits, and not zero beside it unless
// all of them are digits in lower case: whoever writes the value again has the
// same text.
func hexOf(text uint64) (v, bad uint64) {
	v = text&(0x0f*each) + 9*(text>>6&each)
	bad = v & (0xf0 * each)
	bad |= (v + '0'*each + ('a'-'0'-10)*((v+6*each)>>4&each)) ^ text
	v = (v | v>>4) & 0x00ff00ff00ff00ff
	v = (v | v>>8) & 0x0000ffff0000ffff
	return v&0xffff | v>>16, bad
}

const hashedVersion = 0xf

func (v id) version() uint64 { return v.high >> 12 & 0xf }

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
	alike := zeros(t[0]^tag) | zeros(t[1]^tag)<<8 | zeros(t[2]^tag)<<16 | zeros(t[3]^tag)<<24
	for ; alike != 0; alike &= alike - 1 {
		if i := bits.TrailingZeros32(alike); i < len(n.ids) && n.ids[i] == v {
			return i
		}
	}
	return -1
}

// zeros has a bit for each byte that is zero, and sometimes for one that is not.
func zeros(x uint64) uint32 {
	return uint32((x - each) &^ x & (0x80 * each) >> 7 * 0x0102040810204080 >> 56)
}

func (n *names) size() int { return len(n.ids)*idBytes + len(n.table)*8 }
