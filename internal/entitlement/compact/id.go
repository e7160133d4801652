package compact

import (
	"encoding/binary"
	"encoding/hex"
	"hash/maphash"
	"math/bits"
)

// An id is the name of a member or an account in 16 bytes. Ids that the product
// makes are a prefix and a UUID, and the UUID is the id: exact, and readable
// again. Any other name is hashed under keys of this process and kept beside.
type id [2]uint64

// A kind is what an id names; it is the prefix that the UUID loses.
type kind string

const (
	aMember   kind = "usr_"
	anAccount kind = "acc_"
)

const textLength = 4 + 36

var seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// nibble is the value of a lower-case hexadecimal digit, and 0xff of others.
var nibble = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i, c := range "0123456789abcdef" {
		t[c] = byte(i)
	}
	return t
}()

// idOf reads a name. Nothing that the product makes has the version that marks
// hashed names, so that the two never meet.
func idOf(k kind, name string) (id, bool) {
	if len(name) == textLength && name[:4] == string(k) && name[12] == '-' && name[17] == '-' && name[22] == '-' && name[27] == '-' {
		var bad byte
		read := func(from, digits int) (v uint64) {
			for _, c := range []byte(name[from : from+digits]) {
				n := nibble[c]
				bad |= n
				v = v<<4 | uint64(n&0xf)
			}
			return v
		}
		v := id{read(4, 8)<<32 | read(13, 4)<<16 | read(18, 4), read(23, 4)<<48 | read(28, 12)}
		if bad != 0xff && v.version() != hashedVersion {
			return v, true
		}
	}
	return id{maphash.String(seeds[0], name)&^(0xf<<12) | hashedVersion<<12, maphash.String(seeds[1], name)}, false
}

const hashedVersion = 0xf

func (v id) version() uint64 { return v[0] >> 12 & 0xf }

// made reports whether the id is a UUID that the product made.
func (v id) made() bool { return v.version() != hashedVersion }

// text is the name of an id that the product made.
func (v id) text(k kind) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], v[0])
	binary.BigEndian.PutUint64(b[8:], v[1])
	out := make([]byte, 0, textLength)
	out = append(out, k...)
	for i, part := range [][]byte{b[:4], b[4:6], b[6:8], b[8:10], b[10:]} {
		if i > 0 {
			out = append(out, '-')
		}
		out = hex.AppendEncode(out, part)
	}
	return string(out)
}

// spread turns an id into a place of a table. The ids of one moment differ in
// their low bits only, so that all are mixed.
func (v id) spread() uint64 {
	hi, lo := bits.Mul64(v[0]^0x9e3779b97f4a7c15, v[1]^0xd1b54a32d192ed03)
	return hi ^ lo
}

// slot is where an id stands in a table of n places, or after.
func (v id) slot(n int) int {
	hi, _ := bits.Mul64(v.spread(), uint64(n))
	return int(hi)
}

// names are ids in order, and a table to find them by: open addressing, at most
// two thirds full, a slot being one more than an index.
type names struct {
	ids   []id
	slots []uint32
}

func namesOf(ids []id) names {
	if len(ids) == 0 {
		return names{}
	}
	slots := make([]uint32, len(ids)+len(ids)/2+1)
	for i, v := range ids {
		at := v.slot(len(slots))
		for slots[at] != 0 {
			if at++; at == len(slots) {
				at = 0
			}
		}
		slots[at] = uint32(i) + 1
	}
	return names{ids, slots}
}

// find is the index of an id, or -1.
func (n *names) find(v id) int {
	if len(n.slots) == 0 {
		return -1
	}
	for at := v.slot(len(n.slots)); n.slots[at] != 0; {
		if i := int(n.slots[at]) - 1; n.ids[i] == v {
			return i
		}
		if at++; at == len(n.slots) {
			at = 0
		}
	}
	return -1
}

func (n *names) size() int { return len(n.ids)*idBytes + len(n.slots)*4 }
