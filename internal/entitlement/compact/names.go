package compact

import (
	"encoding/binary"

	"mandate/internal/bank"
)

// Members yields the members in the order of their names, with their place.
func (b *Block) Members(yield func(int, bank.UserID) bool) {
	for i, v := range b.members.ids {
		if !yield(i, bank.UserID(b.memberName(v))) {
			return
		}
	}
}

func (b *Block) memberName(v id) string {
	if v.made() {
		return v.text(aMember)
	}
	return b.strange.members[v]
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
	out := binary.LittleEndian.AppendUint32(make([]byte, 0, textLength), uint32(k))
	for n := range 32 {
		if n == 8 || n == 12 || n == 16 || n == 20 {
			out = append(out, '-')
		}
		out = append(out, "0123456789abcdef"[v.digit(n)])
	}
	return string(out)
}
