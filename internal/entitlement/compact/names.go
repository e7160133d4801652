package compact

import (
	"mandate/internal/bank"
	"mandate/internal/entitlement/ident"
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
	if made(v) {
		return v.Text(ident.Member)
	}
	return b.strange.members[v]
}

// Accounts yields the accounts in the order of their names.
func (b *Block) Accounts(yield func(bank.AccountID) bool) {
	for _, v := range b.accounts.ids {
		name := ""
		if made(v) {
			name = v.Text(ident.Account)
		} else {
			name = b.strange.accounts[v]
		}
		if !yield(bank.AccountID(name)) {
			return
		}
	}
}
