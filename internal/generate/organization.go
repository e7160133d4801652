package generate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

type organization struct {
	key, name, address, phone, email string

	entitlements catalog.EntitlementSet
	ceilings     entitlement.Limits
	accounts     []account
	members      []member
}

type account struct {
	key, name, number, kind string

	off catalog.EntitlementSet
}

type member struct {
	key, first, last, email, username string

	role     bank.Role
	status   bank.Status
	held     bool
	settings entitlement.Settings
	access   []entitlement.Settings // by account
}

// maker makes one organization.
type maker struct {
	o      Options
	r      *rand.Rand
	number int
	org    *organization
	domain string
	scale  bank.Cents // of the organization's payments
	emails map[string]int
}

func newOrganization(o Options, n int) *organization {
	m := &maker{o: o, r: random(o, n), number: n, org: &organization{}, emails: map[string]int{}}
	m.details()
	m.policy()
	for range m.size(o.Accounts, maxAccounts) {
		m.account()
	}
	templates := m.templates()
	for i := range m.size(o.Members, min(maxMembers, maxAccess/len(m.org.accounts))) {
		m.member(i, templates)
	}
	return m.org
}

// size is how many of something the organization has: the average itself, or
// around it with a long tail.
func (m *maker) size(average, most int) int {
	if m.o.Distribution == Even {
		return average
	}
	const spread = 1.1 // of the logarithm: the largest of a thousand has about thirty times the median
	n := int(math.Round(float64(average) * math.Exp(m.r.NormFloat64()*spread-spread*spread/2)))
	return min(max(n, 1), most)
}

func (m *maker) details() {
	r, org := m.r, m.org
	town := pick(r, towns)
	stem, trade := pick(r, firmStems), pick(r, firmTrades)
	org.key = fmt.Sprint(100001 + m.number)
	org.name = stem + " " + trade + pick(r, firmForms)
	org.address = fmt.Sprintf("%d %s %s, %s, %s %s%02d", 10+r.IntN(4980), pick(r, streets), pick(r, streetKinds), town.name, town.state, town.zip, r.IntN(100))
	org.phone = phone(r, town.area)
	m.domain = slug(stem) + "-" + slug(strings.Fields(trade)[0]) + ".example.com"
	org.email = pick(r, []string{"office", "info", "accounts", "finance"}) + "@" + m.domain
}

// phone is a number of the range that is kept for fiction.
func phone(r *rand.Rand, area string) string {
	return fmt.Sprintf("(%s) 555-01%02d", area, r.IntN(100))
}

// slug is a name as part of an address: small letters and digits.
func slug(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			return c
		case c >= 'A' && c <= 'Z':
			return c - 'A' + 'a'
		}
		if plain := strings.IndexRune("áéíóúüñöäëå", c); plain >= 0 {
			return rune("aeiouunoaea"[strings.Count("áéíóúüñöäëå"[:plain], "")-1])
		}
		return -1
	}, s)
}

// likelihood is how many organizations in a hundred have an entitlement.
var likelihood = map[catalog.Entitlement]float64{
	catalog.ACH: 82, catalog.ARP: 50, catalog.Cards: 65, catalog.Stops: 78, catalog.Transfers: 96, catalog.Wires: 72, catalog.UserManagement: 98,
}

// policy decides what the organization has and how much money moves there.
func (m *maker) policy() {
	for _, e := range catalog.EntitlementsIn(m.o.offers()) {
		if chance(m.r, likelihood[e]) {
			m.org.entitlements = m.org.entitlements.With(e)
		}
	}
	m.scale = pick(m.r, []bank.Cents{5_000_00, 10_000_00, 10_000_00, 25_000_00, 25_000_00, 50_000_00, 100_000_00, 250_000_00})
	if !chance(m.r, 40) {
		return
	}
	for limit := range catalog.LimitCount {
		if limit != catalog.LimitWiresDual && limit.Permission().In(m.o.Edition) && chance(m.r, 70) {
			m.org.ceilings = m.org.ceilings.With(limit, m.scale*20)
		}
	}
}

func (m *maker) account() {
	n := len(m.org.accounts)
	kind := accountKinds[n%len(accountKinds)]
	a := account{key: fmt.Sprintf("%s%04d", m.org.key, n+1), name: kind.name, kind: kind.kind, number: fmt.Sprintf("******%04d", m.r.IntN(10000))}
	if round := n / len(accountKinds); round > 0 {
		a.name = fmt.Sprintf("%s %d", kind.name, round+1)
	}
	if m.o.Edition == bank.EditionCreditUnion && chance(m.r, 6) {
		a.off = a.off.With(pick(m.r, catalog.EntitlementsIn(m.o.offers())))
	}
	m.org.accounts = append(m.org.accounts, a)
}

func (m *maker) member(i int, templates []template) {
	r := m.r
	t := templates[0]
	if i > 0 {
		t = templates[1+r.IntN(len(templates)-1)]
	}
	p := member{
		key: fmt.Sprintf("%s-%d", m.org.key, i+1), first: pick(r, firstNames), last: pick(r, lastNames),
		role: t.role, status: bank.StatusActive,
	}
	if i > 0 {
		m.standing(&p)
	}
	p.email = m.email(slug(p.first) + "." + slug(p.last))
	if p.status != bank.StatusPending {
		p.username = fmt.Sprintf("%.1s%s%d-%d", slug(p.first), slug(p.last), m.number+1, i+1)
	}
	p.settings = m.settings(t, i == 0)
	if p.role == bank.RoleUser {
		p.settings.On = p.settings.On.Without(catalog.UserManagementEnabled)
	}
	for range m.org.accounts {
		p.access = append(p.access, m.access(t, p.settings))
	}
	m.org.members = append(m.org.members, p)
}

// standing gives somebody other than the first admin a role and status: 94 in a
// hundred are active.
func (m *maker) standing(p *member) {
	if chance(m.r, 8) {
		p.role = pick(m.r, []bank.Role{bank.RoleUser, bank.RoleViewer, bank.RoleAdmin})
	}
	switch n := m.r.IntN(200); {
	case n < 6:
		p.status = bank.StatusPending
	case n < 9:
		p.status = bank.StatusLocked
	case n < 12:
		p.status = bank.StatusDisabled
	}
	p.held = p.status == bank.StatusActive && chance(m.r, 1.5)
}

// email is an address that nobody else of the organization has.
func (m *maker) email(name string) string {
	m.emails[name]++
	if n := m.emails[name]; n > 1 {
		name = fmt.Sprintf("%s%d", name, n)
	}
	address := name + "@" + m.domain
	if over := len(address) - bank.MaxEmail; over > 0 {
		address = name[over:] + "@" + m.domain
	}
	return address
}
