package compact

import (
	"math"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

// A Mark says how much of a history is known: up to a revision, up to the event
// of a number, and the hash of that event, which stands for all before it.
type Mark struct {
	Revision, Sequence int64
	Hash               [32]byte
}

// A Block is everything that decisions ask of one organization, as it was at a
// mark. It never changes: a change makes a new one that shares what stayed the
// same. What every decision looks at stands first, in few lines of a cache.
type Block struct {
	accountTags  tags
	entitlements catalog.EntitlementSet
	shift        uint8 // a page has 1<<shift members
	members      names
	accounts     names
	first        page
	off          []catalog.EntitlementSet // of each account; nil where nothing is switched off
	ceilings     [catalog.LimitCount]bank.Cents
	memberTags   tags
	rest         []*page
	counters     *counters
	strange      *strangers // names that are not UUIDs; nil: none

	Organization bank.OrganizationID
	Mark
}

// strangers are names that were hashed, to be compared and to be told.
type strangers struct {
	members, accounts map[id]string
}

// A page holds some members with all that they may do. A change copies one.
type page struct {
	members []member
	grants  []grant // of each member, as many as there are accounts
	limits  []ownLimit
}

// A member is what is set for somebody at user level, in one line of a cache.
type member struct {
	word    memberWord
	amounts [catalog.LimitCount]bank.Cents
}

// An ownLimit is what one member's account is limited to. They are in order.
type ownLimit struct {
	place  uint32 // of the grant in its page
	set    uint8  // bit l: limit l
	amount [3]bank.Cents
}

// Pages are small enough that a copy is quick, whatever the organization's size.
const (
	pageGrants  = 1024
	pageMembers = 64
)

func lineOf(m *entitlement.Member) member {
	line := member{word: wordOf(m)}
	for l := range catalog.LimitCount {
		line.amounts[l], _ = m.Settings.Limits.Get(l)
	}
	return line
}

// noCeiling is more than every amount, whatever was used before it.
const noCeiling bank.Cents = math.MaxInt64

func ceilingsOf(limits *entitlement.Limits) (c [catalog.LimitCount]bank.Cents) {
	for l := range c {
		c[l] = noCeiling
		if amount, set := limits.Get(catalog.Limit(l)); set {
			c[l] = amount
		}
	}
	return c
}

func ownLimitOf(place uint32, limits entitlement.Limits) ownLimit {
	own := ownLimit{place: place}
	for i, l := range accountLimits {
		if amount, set := limits.Get(l); set {
			own.set |= 1 << l
			own.amount[i] = amount
		}
	}
	return own
}

// page is the page of the nth member.
func (b *Block) page(n int) *page {
	if n < len(b.first.members) {
		return &b.first
	}
	return b.rest[n>>b.shift-1]
}

// member finds a member, or -1; a hashed name is compared in full.
func (b *Block) member(w *wanted) int {
	n := b.members.find(&b.memberTags, w.id, w.hash)
	if n >= 0 && !w.made && b.strange.members[w.id] != w.text {
		return -1
	}
	return n
}

// account finds an account of the organization, or -1. No account is without a
// name.
func (b *Block) account(w *wanted) int {
	if w.text == "" {
		return -1
	}
	n := b.accounts.find(&b.accountTags, w.id, w.hash)
	if n >= 0 && !w.made && b.strange.accounts[w.id] != w.text {
		return -1
	}
	return n
}

// limitsOn are the limits of a member's account by their place in the page.
func (pg *page) limitsOn(place int) *ownLimit {
	at, found := pg.limitsAt(place)
	if !found {
		return nil
	}
	return &pg.limits[at]
}

func (pg *page) limitsAt(place int) (int, bool) {
	return slices.BinarySearchFunc(pg.limits, uint32(place), func(l ownLimit, p uint32) int { return int(l.place) - int(p) })
}

// get is an account's own limit, where it has one.
func (l *ownLimit) get(limit catalog.Limit) (bank.Cents, bool) {
	if l == nil || l.set&(1<<limit) == 0 {
		return 0, false
	}
	return l.amount[placeOfLimit[limit]], true
}
