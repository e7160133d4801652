package compact

import (
	"maps"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/entitlement"
	"mandate/internal/entitlement/ident"
)

// At is the block as it is known to be at a later mark.
func (b *Block) At(mark Mark) *Block {
	next := *b
	next.Mark = mark
	return &next
}

// WithOrganization is the block under another organization level: entitlements,
// ceilings, and what is off on accounts. It reports whether the accounts are
// still the same ones.
func (b *Block) WithOrganization(o entitlement.Organization, accounts map[bank.AccountID]entitlement.Account) (*Block, bool) {
	if len(accounts) != len(b.accounts.ids) {
		return b, false
	}
	rows, places := make([]entitlement.Account, 0, len(accounts)), make([]int, 0, len(accounts))
	for name, a := range accounts {
		w := want(ident.Account, string(name))
		place := b.account(&w)
		if place < 0 {
			return b, false
		}
		rows, places = append(rows, a), append(places, place)
	}
	next := *b
	next.entitlements, next.ceilings, next.off = o.Entitlements, ceilingsOf(&o.Ceilings), offOf(rows, places)
	return &next, true
}

// WithMember is the block with somebody as they are now: status, hold, role,
// switches, limits, and what they may do on each account. It reports whether
// they are there.
func (b *Block) WithMember(m *entitlement.Member) (*Block, bool) {
	n := b.Place(m.ID)
	if n < 0 {
		return b, false
	}
	next := *b
	pg := &next.first
	if at := n >> b.shift; at > 0 {
		next.rest = slices.Clone(b.rest)
		pg = &page{}
		*pg = *b.rest[at-1]
		next.rest[at-1] = pg
	}
	pg.members = slices.Clone(pg.members)
	pg.members[n&(1<<b.shift-1)] = lineOf(m)
	pg.grants = slices.Clone(pg.grants)
	pg.setAccess(b, n&(1<<b.shift-1)*len(b.accounts.ids), m.Accounts)
	return &next, true
}

// setAccess stores a member's row of accounts in a page whose grants are its own.
func (pg *page) setAccess(b *Block, first int, access map[bank.AccountID]entitlement.Settings) {
	end := first + len(b.accounts.ids)
	clear(pg.grants[first:end])
	limits := make([]ownLimit, 0, len(pg.limits))
	for _, l := range pg.limits {
		if int(l.place) < first || int(l.place) >= end {
			limits = append(limits, l)
		}
	}
	for name, s := range access {
		w := want(ident.Account, string(name))
		at := b.account(&w)
		if at < 0 {
			continue
		}
		pg.grants[first+at] = grantOf(&s)
		if pg.grants[first+at]&ownLimits != 0 {
			limits = append(limits, ownLimitOf(uint32(first+at), s.Limits))
		}
	}
	pg.limits = limits
	pg.orderLimits()
}

// Place is a member's place in the block, -1 where they are not in it.
func (b *Block) Place(user bank.UserID) int {
	w := want(ident.Member, string(user))
	return b.member(&w)
}

// Grants is how many pairs of a member and an account there are.
func (b *Block) Grants() int { return len(b.members.ids) * len(b.accounts.ids) }

func (pg *page) size() int {
	return cap(pg.members)*memberBytes + cap(pg.grants)*4 + cap(pg.limits)*ownLimitBytes
}

// Size is how many bytes the block takes, its tables included.
func (b *Block) Size() int {
	n := blockBytes + len(b.Organization) + b.accounts.size() + b.members.size() + len(b.off) + b.counters.size()
	n += b.first.size()
	for _, pg := range b.rest {
		n += pageBytes + pg.size()
	}
	if b.strange != nil {
		for name := range maps.Values(b.strange.members) {
			n += strangerBytes + len(name)
		}
		for name := range maps.Values(b.strange.accounts) {
			n += strangerBytes + len(name)
		}
	}
	return n
}
