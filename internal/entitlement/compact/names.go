package compact

import (
	"encoding/binary"
	"encoding/hex"

	"mandate/internal/bank"
)

// Members yields the members in the order of their names, with their place.
func (b *Block) Members(yield func(int, bank.UserID) bool) {
	for i, v := range b.members.ids {
		name := ""
		if v.made() {
			name = v.text(aMember)
		} else {
			name = b.strange.members[v]
		}
		if !yield(i, bank.UserID(name)) {
			return
		}
	}
}

// Accounts yields the accounts in the order of their names.
func (b *Block) Accounts(yield func(bank.AccountID) bool) {
	for _, v := range b.accounts.ids {
		name := ""
		if v.made() {
			name = v.text(anAccount)
		} else {
			name = b.strange.accounts[v]
		}
		if !yield(bank.AccountID(name)) {
			return
		}
	}
}

// made reports whether the id is a UUID that the product made.
func (v id) made() bool { return v.version() != hashedVersion }

// text is the name of an id that the product made.
func (v id) text(k kind) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], v.high)
	binary.BigEndian.PutUint64(b[8:], v.low)
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
