package compact

import (
	"maps"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/entitlement"
)

// WithOrganization is the block under another organization level: entitlements
// and ceilings. All else is shared.
func (b *Block) WithOrganization(o entitlement.Organization, revision int64) *Block {
	next := *b
	next.entitlements, next.ceilings, next.Revision = o.Entitlements, o.Ceilings, revision
	return &next
}

// WithMember is the block with somebody's user level as it is now: status, hold,
// role, switches, limits. Their accounts stay. It reports whether they are there.
func (b *Block) WithMember(m *entitlement.Member, revision int64) (*Block, bool) {
	return b.turn(m.ID, revision, func(pg *page, i int) {
		pg.members = slices.Clone(pg.members)
		pg.members[i] = lineOf(m)
	})
}

// WithAccess is the block with what somebody may do on one account as it is now.
// It reports whether both are there.
func (b *Block) WithAccess(user bank.UserID, account bank.AccountID, s entitlement.Settings, revision int64) (*Block, bool) {
	w := want(anAccount, string(account))
	at := b.account(&w)
	if at < 0 {
		return b, false
	}
	return b.turn(user, revision, func(pg *page, i int) {
		place := i*len(b.accounts.ids) + at
		pg.grants = slices.Clone(pg.grants)
		pg.setLimits(place, pg.grants[place], s)
		pg.grants[place] = grantOf(s)
	})
}

// turn copies the page of a member and changes the copy.
func (b *Block) turn(user bank.UserID, revision int64, change func(*page, int)) (*Block, bool) {
	w := want(aMember, string(user))
	n := b.member(&w)
	if n < 0 {
		return b, false
	}
	next := *b
	next.Revision = revision
	pg := &next.first
	if at := n >> b.shift; at > 0 {
		next.rest = slices.Clone(b.rest)
		pg = &page{}
		*pg = *b.rest[at-1]
		next.rest[at-1] = pg
	}
	change(pg, n&(1<<b.shift-1))
	return &next, true
}

// setLimits stores an account's own limits beside the grants of a page.
func (pg *page) setLimits(place int, was grant, s entitlement.Settings) {
	is := grantOf(s)
	if (was|is)&ownLimits == 0 {
		return
	}
	at, found := pg.limitsAt(place)
	next := slices.Clone(pg.limits)
	switch own := ownLimitOf(uint32(place), s.Limits); {
	case is&ownLimits == 0:
		next = slices.Delete(next, at, at+1)
	case found:
		next[at] = own
	default:
		next = slices.Insert(next, at, own)
	}
	pg.limits = slices.Clip(next)
}

func (pg *page) size() int {
	return cap(pg.members)*memberBytes + cap(pg.grants)*4 + cap(pg.limits)*ownLimitBytes
}

// Size is how many bytes the block takes, its tables included.
func (b *Block) Size() int {
	n := blockBytes + len(b.Organization) + b.accounts.size() + b.members.size() + len(b.off)
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
