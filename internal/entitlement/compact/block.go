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
	Hash               [32]byte
	Revision, Sequence int64
}

// A Block is everything that decisions ask of one organization, as it was at a
// mark. It never changes: a change makes a new one that shares what stayed the
// same. What every decision looks at stands together, in four lines of a cache,
// and what few need before and after it.
type Block struct {
	Mark

	accountSlots slots
	width        uint32 // of a row of a page
	shift        uint8  // a page has 1<<shift members
	entitlements catalog.EntitlementSet
	counters     *counters
	accounts     names
	first        page
	off          []catalog.EntitlementSet // of each account; nil where nothing is switched off
	members      names
	ceilings     [catalog.LimitCount]bank.Cents

	rest         []page
	bytes        int        // what the block takes, its tables included
	strange      *strangers // names that are not UUIDs; nil: none
	Organization bank.OrganizationID
}

// strangers are names that were hashed, to be compared and to be told.
type strangers struct {
	members, accounts map[id]string
}

// A page holds some members with all that they may do: a row for each, and then
// the limits of single accounts in order. All of it stands together, so that a
// change copies one piece of memory and a question looks into one.
type page []uint64

// A row is a member, and behind it their grants, two to a word.
type row []uint64

// A member is what is set for somebody at user level, in one line of a cache: the
// word, and the amount of each limit.
type member [1 + catalog.LimitCount]uint64

// An ownLimit is what one member's account is limited to: the place of the grant
// in its page above a bit for each limit that is set, and the amounts.
type ownLimit [1 + ownAmounts]uint64

const (
	ownAmounts = 3 // as many limits exist per account
	ownShift   = 8
)

// Pages are small enough that a copy is quick, whatever the organization's size.
const (
	pageGrants  = 1024
	pageMembers = 64
)

// widthOf is how many words a row has where there are so many accounts.
func widthOf(accounts int) int { return len(member{}) + (accounts+1)/2 }

// newPage is an empty page of so many words. What the allocator gives beyond is
// its capacity, and counts.
func newPage(words int) page { return slices.Grow(page(nil), words)[:words] }

func (m *member) word() memberWord { return memberWord(m[0]) }

func (m *member) amount(l catalog.Limit) bank.Cents { return bank.Cents(m[1+l]) }

// amount is a limit of the member whose row begins there.
func (pg page) amount(begin int, l catalog.Limit) bank.Cents { return bank.Cents(pg[begin+1+int(l)]) }

// member is whose row it is.
func (r row) member() *member { return (*member)(r) }

// grant is what the member may do on an account.
func (r row) grant(account int) grant { return page(r).grant(0, account) }

// grant is what the member may do on an account whose row begins there.
func (pg page) grant(begin, account int) grant {
	return grant(pg[begin+len(member{})+account>>1] >> (account & 1 << 5))
}

// set is a row as somebody is now, but for their accounts.
func (r row) set(m *entitlement.Member) {
	line := r.member()
	line[0] = uint64(wordOf(m))
	for l := range catalog.LimitCount {
		amount, _ := m.Settings.Limits.Get(l)
		line[1+l] = uint64(amount)
	}
}

// give sets what the member may do on an account where nothing was set.
func (r row) give(account int, g grant) {
	r[len(member{})+account>>1] |= uint64(g) << (account & 1 << 5)
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

func ownLimitOf(place int, limits *entitlement.Limits) ownLimit {
	own := ownLimit{uint64(place) << ownShift}
	for i, l := range accountLimits {
		if amount, set := limits.Get(l); set {
			own[0] |= 1 << l
			own[1+i] = uint64(amount)
		}
	}
	return own
}

// page is the page of the nth member.
func (b *Block) page(n int) page {
	pg, _ := b.find(n)
	return pg
}

// line is the number of the nth member's row in their page.
func (b *Block) line(n int) int { return n & (1<<b.shift - 1) }

// find is the page that the nth member's row is in, and where it begins there.
func (b *Block) find(n int) (page, int) {
	if at := n >> (b.shift & 63); at > 0 {
		return b.rest[at-1], b.line(n) * int(b.width)
	}
	return b.first, n * int(b.width)
}

// row is what the nth member may do.
func (b *Block) row(n int) row {
	pg, at := b.find(n)
	return row(pg[at : at+int(b.width)])
}

// limits is where the limits of single accounts begin in the nth member's page.
func (b *Block) limits(n int) int {
	return min(1<<b.shift, len(b.members.ids)-n>>b.shift<<b.shift) * int(b.width)
}

// member finds a member, or -1; a hashed name is compared in full.
func (b *Block) member(w *wanted) int {
	n := b.members.find(w.id)
	if n >= 0 && !w.made && b.strange.members[w.id] != w.text {
		return -1
	}
	return n
}

// account finds an account of the organization, or -1. No account is without a
// name.
func (b *Block) account(w *wanted) int { return b.accountNamed(&w.id, w.text, !w.made) }

// accountNamed is account for a name that was read; where it may be a strange one,
// it is compared in full.
func (b *Block) accountNamed(v *id, name string, strange bool) int {
	if name == "" {
		return -1
	}
	at := b.accountSlots.find(b.accounts.ids, v)
	if b.accountSlots.factor == 0 {
		at = b.accounts.find(*v)
	}
	if strange && at >= 0 && !made(*v) && b.strange.accounts[*v] != name {
		return -1
	}
	return at
}

// limitsOn are the limits of the nth member's account, which has some.
func (b *Block) limitsOn(n, account int) *ownLimit {
	pg, begin := b.page(n), b.limits(n)
	return (*ownLimit)(pg[pg.limitsFrom(begin, b.line(n)*len(b.accounts.ids)+account):])
}

// limitsFrom is where in a page the limits of a place, or of those after it,
// begin; the first limits begin at begin.
func (pg page) limitsFrom(begin, place int) int {
	const words = len(ownLimit{})
	low, high := 0, (len(pg)-begin)/words
	for low < high {
		if mid := (low + high) / 2; pg[begin+mid*words]>>ownShift < uint64(place) {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return begin + low*words
}

// get is an account's own limit, where it has one.
func (l *ownLimit) get(limit catalog.Limit) (bank.Cents, bool) {
	if l == nil || l[0]&(1<<limit) == 0 {
		return 0, false
	}
	return bank.Cents(l[1+placeOfLimit[limit]]), true
}
