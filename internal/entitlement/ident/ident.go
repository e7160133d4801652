// Package ident reads the names of members and accounts that decisions are asked
// about. A name that the product makes is a prefix and a UUID, and the UUID is
// what is read: exact, so that two names are never one, and readable again.
package ident

import "encoding/binary"

// An ID is what follows the prefix of a name: 32 hexadecimal digits in sixteen
// bytes. In the lower halves stand the first sixteen characters, in the upper
// ones the last sixteen, each in its place, and the three digits between them
// where these have their dashes: no digit has to be moved far.
type ID struct{ First, Last uint64 } // eight bytes each, the first in the lowest

// A Kind is what a name is of: its prefix, the first letter in the lowest byte.
type Kind uint32

const (
	Member  Kind = 'u' | 's'<<8 | 'r'<<16 | '_'<<24
	Account Kind = 'a' | 'c'<<8 | 'c'<<16 | '_'<<24
)

// Length is how long every name is that can be read.
const Length = 4 + 36

// Reserved is a version that no UUID of the product has. A name with it cannot be
// read, so that an ID with it may mean something else.
const Reserved = 0xf

const versionShift = 48 // its digit is the fifteenth character, the seventh of the last eight

// Version is the digit that tells what kind of UUID it is.
func (v ID) Version() uint64 { return v.Last >> versionShift & 0xf }

// WithVersion is an ID with another version.
func (v ID) WithVersion(n uint64) ID {
	v.Last = v.Last&^(0xf<<versionShift) | n<<versionShift
	return v
}

// Names are all ids of a question.
type Names struct{ Member, Account, ToAccount ID }

// nobody stands for an account that is not given. It may be somebody's name:
// whether one was given is for the caller to know.
const nobody = "acc_00000000-0000-0000-0000-000000000000"

// orNobody is a name, or what stands for one that is not given.
func orNobody(name string) string {
	if name == "" {
		return nobody
	}
	return name
}

// Read reads all names of a question at once. The accounts may be empty and are
// the zero ID then. It reports whether all can be read; where one cannot, no ID is
// to be used.
func (n *Names) Read(member, account, toAccount *string) bool {
	return read(n, member, account, toAccount)
}

// readEach reads names one after another, without the help of the processor.
func readEach(n *Names, member, account, toAccount *string) bool {
	var good [3]bool
	n.Member, good[0] = Of(Member, *member)
	n.Account, good[1] = Of(Account, orNobody(*account))
	n.ToAccount, good[2] = Of(Account, orNobody(*toAccount))
	return good == [3]bool{true, true, true}
}

// Of reads one name, and reports whether it can be read.
func Of(k Kind, name string) (ID, bool) {
	if len(name) != Length || Kind(four(name)) != k {
		return ID{}, false
	}
	v, good := uuidOf(name[4:])
	return v, good && v.Version() != Reserved
}

const (
	firstAndSixth = 0xff | 0xff<<40
	fourth        = 0xff << 24
	each          = 0x0101010101010101 // times a byte: the byte in every place of a word
)

// uuidOf reads eight digits at a time, side by side in one word.
func uuidOf(s string) (ID, bool) {
	_ = s[35]
	second, third := eight(s[8:]), eight(s[20:])
	a, bad1 := hexOf(eight(s))
	b, bad2 := hexOf(second&^firstAndSixth | uint64(s[16]) | uint64(s[17])<<40)
	c, bad3 := hexOf(third&^fourth | uint64(s[19])<<24)
	d, bad4 := hexOf(eight(s[28:]))
	bad := (bad1|bad2|bad3|bad4)&(0xf0*each) | (second^'-'*each)&firstAndSixth | (third^'-'*each)&fourth | uint64(s[18]^'-')
	return ID{a | c<<4, b | d<<4}, bad == 0
}

// four are the first four bytes of a text as a number, the first in the lowest.
func four(s string) uint32 {
	_ = s[3]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// eight are the first eight.
func eight(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// hexOf is the value of eight hexadecimal digits, each in its byte. The upper half
// of a byte of bad is not zero where one is no digit in lower case: its value is
// none below sixteen, or it is ten or more and no letter, or less and a letter.
// What follows the first that is bad says nothing.
func hexOf(text uint64) (v, bad uint64) {
	letters := text >> 6 & each
	v = text - '0'*each - ('a'-'0'-10)*letters
	return v, v | ((v + 6*each) ^ letters<<4)
}

// Text is the name of an id.
func (v ID) Text(k Kind) string {
	out := binary.LittleEndian.AppendUint32(make([]byte, 0, Length), uint32(k))
	for at := range 36 {
		switch at {
		case 8, 13, 18, 23:
			out = append(out, '-')
		default:
			out = append(out, "0123456789abcdef"[v.digit(at)])
		}
	}
	return string(out)
}

// digit is the one at a place of the text behind the prefix.
func (v ID) digit(at int) uint64 {
	upper := 0
	switch {
	case at == 16:
		at = 8
	case at == 17:
		at = 13
	case at == 19:
		at, upper = 3, 4
	case at >= 20:
		at, upper = at-20, 4
	}
	if at < 8 {
		return v.First >> (8*at + upper) & 0xf
	}
	return v.Last >> (8*(at-8) + upper) & 0xf
}
