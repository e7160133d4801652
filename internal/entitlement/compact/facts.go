package compact

import (
	"cmp"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/entitlement/ident"
)

// Facts are all of an organization as rows, in no order. A program that packs
// many uses the same Facts again and again.
type Facts struct {
	Organization entitlement.Organization
	Accounts     []entitlement.Account
	Members      []entitlement.Member // their accounts are in Access
	Access       []Access
}

// An Access is what a member has on an account, both by their place in Facts.
// Where there is none, nothing is on.
type Access struct {
	Member, Account int
	Settings        entitlement.Settings
}

// Reset empties the facts and keeps the room.
func (f *Facts) Reset() {
	f.Organization = entitlement.Organization{}
	f.Accounts, f.Members, f.Access = f.Accounts[:0], f.Members[:0], f.Access[:0]
}

// factsOf are the facts of a whole policy.
func factsOf(p *entitlement.Policy) *Facts {
	f := &Facts{Organization: p.Organization}
	places := make(map[bank.AccountID]int, len(p.Accounts))
	for id, a := range p.Accounts {
		a.ID = id
		places[id] = len(f.Accounts)
		f.Accounts = append(f.Accounts, a)
	}
	for _, m := range p.Members {
		for id, s := range m.Accounts {
			if place, known := places[id]; known {
				f.Access = append(f.Access, Access{len(f.Members), place, s})
			}
		}
		f.Members = append(f.Members, *m)
	}
	return f
}

// NewBlock packs the whole policy of an organization.
func NewBlock(p *entitlement.Policy, revision int64) *Block {
	return Pack(factsOf(p), Mark{Revision: revision})
}

// Pack makes the block of an organization, as it was at a mark. Nothing counts
// against daily limits in it yet.
func Pack(f *Facts, at Mark) *Block {
	b := &Block{Organization: f.Organization.ID, Mark: at, entitlements: f.Organization.Entitlements, ceilings: ceilingsOf(&f.Organization.Ceilings), counters: noCounters}
	accounts := b.packAccounts(f.Accounts)
	b.width = uint32(widthOf(len(accounts)))
	order := ordered(len(f.Members), func(i int) string { return string(f.Members[i].ID) })
	for 1<<(b.shift+1) <= min(pageMembers, pageGrants/max(1, len(accounts))) {
		b.shift++
	}
	ids, places := make([]id, 0, len(order)), make([]int, len(order))
	for at, from := range order {
		places[from] = at
		ids = append(ids, b.name(ident.Member, string(f.Members[from].ID)))
	}
	b.members = namesOf(ids)
	b.packPages(limitsIn(f.Access, places, accounts))
	for at, from := range order {
		b.row(at).set(&f.Members[from])
	}
	for i := range f.Access {
		a := &f.Access[i]
		b.row(places[a.Member]).give(accounts[a.Account], grantOf(&a.Settings))
	}
	b.bytes = b.measure()
	return b
}

// packAccounts returns the new place of each account.
func (b *Block) packAccounts(accounts []entitlement.Account) []int {
	order := ordered(len(accounts), func(i int) string { return string(accounts[i].ID) })
	ids, places := make([]id, 0, len(order)), make([]int, len(order))
	for i, from := range order {
		places[from] = i
		ids = append(ids, b.name(ident.Account, string(accounts[from].ID)))
	}
	b.accounts, b.accountSlots = namesOf(ids), slotsOf(ids)
	b.off = offOf(accounts, places)
	return places
}

// offOf is what is off on each account by its place; nil where nothing is.
func offOf(accounts []entitlement.Account, places []int) (off []catalog.EntitlementSet) {
	for i := range accounts {
		if accounts[i].Off == 0 {
			continue
		}
		if off == nil {
			off = make([]catalog.EntitlementSet, len(accounts))
		}
		off[places[i]] = accounts[i].Off
	}
	return off
}

// A limitIn is where the limits of a single account belong.
type limitIn struct {
	member, account int
	limits          *entitlement.Limits
}

// limitsIn are the limits of single accounts, in order.
func limitsIn(access []Access, members, accounts []int) (all []limitIn) {
	for i := range access {
		if a := &access[i]; limited(&a.Settings.Limits) {
			all = append(all, limitIn{members[a.Member], accounts[a.Account], &a.Settings.Limits})
		}
	}
	slices.SortFunc(all, func(x, y limitIn) int { return cmp.Or(x.member-y.member, x.account-y.account) })
	return all
}

// packPages makes the pages, with limits and empty rows.
func (b *Block) packPages(limits []limitIn) {
	for first := 0; first < len(b.members.ids); first += 1 << b.shift {
		here := 0
		for here < len(limits) && limits[here].member < first+1<<b.shift {
			here++
		}
		pg := newPage(b.limits(first) + here*len(ownLimit{}))
		to := pg[b.limits(first):]
		for _, l := range limits[:here] {
			own := ownLimitOf(b.line(l.member)*len(b.accounts.ids)+l.account, l.limits)
			to = to[copy(to, own[:]):]
		}
		limits = limits[here:]
		if first == 0 {
			b.first = pg
		} else {
			b.rest = append(b.rest, pg)
		}
	}
	b.rest = slices.Clip(b.rest)
}

// name is the id of a name; one that is not a UUID is kept beside.
func (b *Block) name(k ident.Kind, name string) id {
	v, made := idOf(k, name)
	if made {
		return v
	}
	if b.strange == nil {
		b.strange = &strangers{members: map[id]string{}, accounts: map[id]string{}}
	}
	if k == ident.Member {
		b.strange.members[v] = name
	} else {
		b.strange.accounts[v] = name
	}
	return v
}

// ordered are the numbers below n in the order of what they name.
func ordered(n int, name func(int) string) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(x, y int) int {
		switch a, b := name(x), name(y); {
		case a < b:
			return -1
		case a > b:
			return 1
		}
		return 0
	})
	return order
}
