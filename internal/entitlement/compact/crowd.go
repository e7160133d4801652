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
	kinds    entitlement.Numbering[member]
	settings entitlement.Numbering[setting]
	recent   [recents]numbered
	verdict  Verdict
	next     int // limits in the page: those after the last that were found
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
	mixed := uint64(s.grant)
	for _, word := range s.own {
		mixed = (mixed ^ word) * 0x9e3779b97f4a7c15
	}
	return mixed >> 40 % recents
}

// Crowd is everybody of the block in an institution.
func (b *Block) Crowd(above entitlement.Institution) *Crowd {
	c := &Crowd{block: b, above: Institution{Institution: above}, kinds: entitlement.Numbering[member]{}, settings: entitlement.Numbering[setting]{}, accounts: make([]entitlement.Account, 0, len(b.accounts.ids))}
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
	return c.kinds.Of(*c.block.row(n).member())
}

// On numbers all that is set for a member on an account.
func (c *Crowd) On(n, account int) int32 {
	s := c.on(n, account)
	near := &c.recent[s.slot()]
	if near.number == 0 || near.setting != s {
		*near = numbered{s, c.settings.Of(s) + 1}
	}
	return near.number - 1
}

func (c *Crowd) on(n, account int) setting {
	s := setting{grant: c.block.row(n).grant(account)}
	if s.grant&ownLimits == 0 {
		return s
	}
	pg, begin, place := c.block.page(n), c.block.limits(n), c.block.line(n)*len(c.block.accounts.ids)+account
	if c.next < begin || c.next >= len(pg) || pg[c.next]>>ownShift != uint64(place) {
		c.next = pg.limitsFrom(begin, place)
	}
	s.own = ownLimit(pg[c.next:])
	s.own[0] &= 1<<ownShift - 1
	c.next += len(s.own)
	return s
}

// Member is a member with what is set for them on some accounts.
func (c *Crowd) Member(n int, accounts ...int) *entitlement.Member {
	line := c.block.row(n).member()
	word := line.word()
	m := &entitlement.Member{
		ID: c.Person(n), Role: word.role(), Status: bank.Status(word >> statusShift & twoBits), Held: word&heldBit != 0,
		Settings: entitlement.Settings{On: catalog.Set(word & switchMask), EditLevel: catalog.EditLevel(word >> editShift & twoBits)},
		Accounts: make(map[bank.AccountID]entitlement.Settings, len(accounts)),
	}
	for l := range catalog.LimitCount {
		m.Settings.Limits = m.Settings.Limits.With(l, line.amount(l))
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
	q := asking{Institution: &c.above, req: req}
	q.names.read(req)
	c.block.decide(&q, n, &c.verdict)
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
