package entitlement

import (
	"slices"
	"strings"

	"mandate/internal/bank"
)

// A Crowd is everybody of one organization, as a survey sees them: members and
// accounts by their place, and what is set for them by numbers, of which each
// stands for one and the same.
type Crowd interface {
	// People is how many there are, Person who stands at a place, and Place where
	// somebody stands; -1 is nowhere.
	People() int
	Person(n int) bank.UserID
	Place(bank.UserID) int

	// Accounts are the organization's, in the order of their names.
	Accounts() []Account

	// Kind numbers all that is set for a member above the accounts, and On all that
	// is set for them on the account at a place.
	Kind(n int) int32
	On(n, account int) int32

	// Member is a member with what is set for them on some accounts by their place;
	// what is below zero is no place.
	Member(n int, accounts ...int) *Member

	// Allows is what Decide answers about a member, whom the request names, too.
	Allows(n int, req *Request) (allowed, approval bool)
}

// A policyCrowd is the members of a policy, in no order.
type policyCrowd struct {
	policy   *Policy
	accounts []Account
	members  []*Member
	places   map[bank.UserID]int
	kinds    Numbering[kind]
	settings Numbering[Settings]
}

// A kind of member is all that is set for somebody above the accounts.
type kind struct {
	role     bank.Role
	status   bank.Status
	held     bool
	settings Settings
}

func crowdOf(p *Policy) *policyCrowd {
	c := &policyCrowd{policy: p, places: make(map[bank.UserID]int, len(p.Members)), kinds: Numbering[kind]{}, settings: Numbering[Settings]{}}
	for id, a := range p.Accounts {
		a.ID = id
		c.accounts = append(c.accounts, a)
	}
	slices.SortFunc(c.accounts, func(a, b Account) int { return strings.Compare(string(a.ID), string(b.ID)) })
	for id, m := range p.Members {
		if m == nil {
			continue
		}
		named := *m
		named.ID = id
		c.places[id] = len(c.members)
		c.members = append(c.members, &named)
	}
	return c
}

func (c *policyCrowd) People() int { return len(c.members) }

func (c *policyCrowd) Person(n int) bank.UserID { return c.members[n].ID }

func (c *policyCrowd) Place(id bank.UserID) int {
	if n, known := c.places[id]; known {
		return n
	}
	return -1
}

func (c *policyCrowd) Accounts() []Account { return c.accounts }

func (c *policyCrowd) Kind(n int) int32 {
	m := c.members[n]
	return c.kinds.Of(kind{m.Role, m.Status, m.Held, m.Settings})
}

func (c *policyCrowd) On(n, account int) int32 {
	return c.settings.Of(c.members[n].Accounts[c.accounts[account].ID])
}

func (c *policyCrowd) Member(n int, _ ...int) *Member { return c.members[n] }

func (c *policyCrowd) Allows(_ int, req *Request) (allowed, approval bool) {
	return c.policy.allows(req)
}

// A Numbering numbers what a crowd meets, from zero on: the same is the same number.
type Numbering[K comparable] map[K]int32

// Of is the number of something, a new one where it was not met before.
func (n Numbering[K]) Of(what K) int32 {
	number, known := n[what]
	if !known {
		number = int32(len(n))
		n[what] = number
	}
	return number
}
