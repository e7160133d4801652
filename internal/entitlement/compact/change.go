package compact

import (
	"cmp"
	"maps"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/entitlement"
	"mandate/internal/entitlement/ident"
)

// A Draft is an organization's next block in the making. What changes is its own,
// and what stays the same is shared with the block that it began as. It is of use
// as long as nobody else sees its block.
type Draft struct{ block *Block }

// Draft begins the block as it is known to be at a later mark.
func (b *Block) Draft(at Mark) Draft {
	next := *b
	next.Mark = at
	return Draft{&next}
}

// Block is what the draft has become.
func (d Draft) Block() *Block { return d.block }

// Organization sets the organization level: entitlements, ceilings, and what is
// off on accounts. It reports whether the accounts are still the same ones.
func (d Draft) Organization(o *entitlement.Organization, accounts map[bank.AccountID]entitlement.Account) bool {
	b := d.block
	if len(accounts) != len(b.accounts.ids) {
		return false
	}
	rows, places := make([]entitlement.Account, 0, len(accounts)), make([]int, 0, len(accounts))
	for name, a := range accounts {
		w := want(ident.Account, string(name))
		place := b.account(&w)
		if place < 0 {
			return false
		}
		rows, places = append(rows, a), append(places, place)
	}
	was := len(b.off)
	b.entitlements, b.ceilings, b.off = o.Entitlements, ceilingsOf(&o.Ceilings), offOf(rows, places)
	b.bytes += len(b.off) - was
	return true
}

// Counts sets what counts from a day on.
func (d Draft) Counts(from bank.Day, counts []Count) {
	d.block.setCounters(d.block.countersOf(from, counts))
}

// fewLimits of a member's accounts are put together without an allocation.
const fewLimits = 16

// Member sets somebody as they are now: status, hold, role, switches, limits, and
// what they may do on each account. It reports whether they are there.
func (d Draft) Member(m *entitlement.Member) bool {
	b := d.block
	n := b.Place(m.ID)
	if n < 0 {
		return false
	}
	// What is looked at here and there below is read in a row first: the memory is
	// waited for once and not each time.
	var names [few]id
	copy(names[:], b.accounts.ids)
	pg := append(page(nil), b.page(n)...)
	line, width := b.line(n), int(b.width)
	now := row(pg[line*width : (line+1)*width])
	clear(now)
	now.set(m)
	var room [fewLimits]ownLimit
	own := room[:0]
	for name, s := range m.Accounts {
		w := want(ident.Account, string(name))
		at := b.account(&w)
		if at < 0 {
			continue
		}
		g := grantOf(&s)
		now.give(at, g)
		if g&ownLimits != 0 {
			own = append(own, ownLimitOf(line*len(b.accounts.ids)+at, &s.Limits))
		}
	}
	if len(own) > 1 {
		slices.SortFunc(own, func(x, y ownLimit) int { return cmp.Compare(x[0], y[0]) })
	}
	d.replace(n, pg.withLimits(b.limits(n), line*len(b.accounts.ids), (line+1)*len(b.accounts.ids), own))
	return true
}

// withLimits is the page with the limits of the places from one to before
// another. As a rule there are as many of them as before.
func (pg page) withLimits(begin, from, to int, own []ownLimit) page {
	from, to = pg.limitsFrom(begin, from), pg.limitsFrom(begin, to)
	if more := len(own)*len(ownLimit{}) - (to - from); more != 0 {
		next := newPage(len(pg) + more)
		copy(next, pg[:from])
		copy(next[to+more:], pg[to:])
		pg = next
	}
	for i := range own {
		from += copy(pg[from:], own[i][:])
	}
	return pg
}

// replace puts a page in place of the nth member's.
func (d Draft) replace(n int, pg page) {
	b := d.block
	at := &b.first
	if n >= 1<<b.shift {
		b.rest = slices.Clone(b.rest)
		at = &b.rest[n>>b.shift-1]
	}
	b.bytes += (cap(pg) - cap(*at)) * 8
	*at = pg
}

// Place is a member's place in the block, -1 where they are not in it.
func (b *Block) Place(user bank.UserID) int {
	w := want(ident.Member, string(user))
	return b.member(&w)
}

// Grants is how many pairs of a member and an account there are.
func (b *Block) Grants() int { return len(b.members.ids) * len(b.accounts.ids) }

// Size is how many bytes the block takes, its tables included.
func (b *Block) Size() int { return b.bytes }

// measure counts what the block takes.
func (b *Block) measure() int {
	n := blockBytes + len(b.Organization) + b.accounts.size() + b.members.size() + len(b.off) + b.counters.size()
	n += cap(b.first) * 8
	for _, pg := range b.rest {
		n += pageBytes + cap(pg)*8
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
