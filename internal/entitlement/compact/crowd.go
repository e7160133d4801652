package compact

import (
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

// A Crowd is everybody of a block, for a survey: what is set for them is numbered
// as it is packed, and put into words only for a decision. It serves one at a time.
type Crowd struct {
	block    *Block
	above    Institution
	accounts []entitlement.Account
	kinds    map[member]int32
	settings map[setting]int32
	recent   [recents]numbered
	verdict  Verdict
	near     *page
	limit    int // of that page: the one after the last that was found
}

// A setting is what is set for a member on one account.
type setting struct {
	grant grant
	own   ownLimit // without its place
}

// A numbered setting is one that was met a short while ago.
type numbered struct {
	setting
	number int32 // one more than it
}

// recents is how many there are.
const recents = 1 << 6

// slot is where a setting stands among the recent ones, if it does.
func (s *setting) slot() uint64 {
	mixed := uint64(s.grant) + uint64(s.own.set)<<32
	for _, amount := range s.own.amount {
		mixed = (mixed ^ uint64(amount)) * 0x9e3779b97f4a7c15
	}
	return mixed >> 40 % recents
}

// Crowd is everybody of the block in an institution.
func (b *Block) Crowd(above entitlement.Institution) *Crowd {
	c := &Crowd{block: b, above: Institution{Institution: above}, kinds: map[member]int32{}, settings: map[setting]int32{}, accounts: make([]entitlement.Account, 0, len(b.accounts.ids))}
	for name := range b.Accounts {
		account := entitlement.Account{ID: name}
		if b.off != nil {
			account.Off = b.off[len(c.accounts)]
		}
		c.accounts = append(c.accounts, account)
	}
	return c
}

// People is how many there are.
func (c *Crowd) People() int { return len(c.block.members.ids) }

// Person is who stands at a place.
func (c *Crowd) Person(n int) bank.UserID {
	return bank.UserID(c.block.memberName(c.block.members.ids[n]))
}

// Place is where somebody stands; -1 is nowhere.
func (c *Crowd) Place(id bank.UserID) int { return c.block.Place(id) }

// Accounts are the organization's, in the order of their names.
func (c *Crowd) Accounts() []entitlement.Account { return c.accounts }

// Kind numbers all that is set for a member above the accounts.
func (c *Crowd) Kind(n int) int32 {
	return met(c.kinds, c.block.page(n).members[n&(1<<c.block.shift-1)])
}

// On numbers all that is set for a member on an account.
func (c *Crowd) On(n, account int) int32 {
	s := c.on(n, account)
	near := &c.recent[s.slot()]
	if near.number == 0 || near.setting != s {
		*near = numbered{s, met(c.settings, s) + 1}
	}
	return near.number - 1
}

// met numbers what was not seen before.
func met[K comparable](seen map[K]int32, what K) int32 {
	number, known := seen[what]
	if !known {
		number = int32(len(seen))
		seen[what] = number
	}
	return number
}

func (c *Crowd) on(n, account int) setting {
	pg := c.block.page(n)
	place := n&(1<<c.block.shift-1)*len(c.block.accounts.ids) + account
	s := setting{grant: pg.grants[place]}
	if s.grant&ownLimits == 0 {
		return s
	}
	if pg != c.near || c.limit >= len(pg.limits) || int(pg.limits[c.limit].place) != place {
		c.near = pg
		c.limit, _ = pg.limitsAt(place)
	}
	s.own = pg.limits[c.limit]
	s.own.place = 0
	c.limit++
	return s
}

// Member is a member with what is set for them on some accounts.
func (c *Crowd) Member(n int, accounts ...int) *entitlement.Member {
	line := &c.block.page(n).members[n&(1<<c.block.shift-1)]
	m := &entitlement.Member{
		ID: c.Person(n), Role: bank.Role(line.word >> roleShift & twoBits), Status: bank.Status(line.word >> statusShift & twoBits), Held: line.word&heldBit != 0,
		Settings: entitlement.Settings{On: catalog.Set(line.word & switchMask), EditLevel: catalog.EditLevel(line.word >> editShift & twoBits)},
		Accounts: make(map[bank.AccountID]entitlement.Settings, len(accounts)),
	}
	for l := range catalog.LimitCount {
		m.Settings.Limits = m.Settings.Limits.With(l, line.amounts[l])
	}
	for _, account := range accounts {
		if account >= 0 {
			m.Accounts[c.accounts[account].ID] = c.on(n, account).words()
		}
	}
	return m
}

// Allows is what Decide answers about a member.
func (c *Crowd) Allows(n int, req *entitlement.Request) (allowed, approval bool) {
	var names named
	names.read(req)
	c.block.decide(&asking{Institution: &c.above}, req, n, &names, &c.verdict)
	return c.verdict.Allowed(), c.verdict.ApprovalRequired()
}

// words says a setting in full.
func (s setting) words() (in entitlement.Settings) {
	for i, p := range switchOf {
		if s.grant&(1<<i) != 0 {
			in.On = in.On.With(p)
		}
	}
	for _, l := range accountLimits {
		if amount, set := s.own.get(l); set {
			in.Limits = in.Limits.With(l, amount)
		}
	}
	return in
}
