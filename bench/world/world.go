// Package world makes up the one institution that everybody is measured on, and
// the questions. The same seed gives the same institution, whoever asks and in
// whatever order, so that no policy need be kept that nobody is looking at.
package world

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

// What every organization has.
const (
	Members  = 10
	Accounts = 20

	OwnLimitShare = 5 // of a hundred member-accounts have limits of their own
)

// Shares out of a hundred.
const (
	activeShare       = 94
	accessShare       = 70
	entitledShare     = 93
	ceilingShare      = 20
	editShare         = 8 // of a template's switches, turned around for one member
	templates         = 3
	enabledInTemplate = 92
	onInTemplate      = 88
	limitSetShare     = 94
)

const edition = bank.EditionBank

// A World is an institution of so many organizations.
type World struct {
	Institution   entitlement.Institution
	Organizations int
	seed          uint64
}

// New is a world; the zero seed is one like any other.
func New(organizations int, seed uint64) *World {
	w := &World{Organizations: organizations, seed: seed, Institution: entitlement.Institution{ID: "ins_bench", Edition: edition, Location: time.UTC}}
	for _, e := range catalog.Entitlements() {
		if e != catalog.Cards { // one feature is not offered
			w.Institution.Offers = w.Institution.Offers.With(e)
		}
	}
	return w
}

// MemberAccounts is how many pairs of a member and an account there are.
func (w *World) MemberAccounts() int { return w.Organizations * Members * Accounts }

// Policies yields every organization's policy, one after another.
func (w *World) Policies(yield func(*entitlement.Policy) bool) {
	for n := range w.Organizations {
		if !yield(w.Policy(n)) {
			return
		}
	}
}

// Policy makes the policy of the nth organization.
func (w *World) Policy(n int) *entitlement.Policy {
	rng := w.random(n)
	p := &entitlement.Policy{
		Institution:  w.Institution,
		Organization: entitlement.Organization{ID: bank.OrganizationID(id(rng, n, bank.PrefixOrganization))},
		Accounts:     make(map[bank.AccountID]entitlement.Account, Accounts),
		Members:      make(map[bank.UserID]*entitlement.Member, Members),
	}
	members, accounts := w.names(n)
	for _, e := range catalog.Entitlements() {
		if percent(rng, entitledShare) {
			p.Organization.Entitlements = p.Organization.Entitlements.With(e)
		}
	}
	if percent(rng, ceilingShare) {
		p.Organization.Ceilings = p.Organization.Ceilings.With(catalog.LimitPerWire, 50_000_00).With(catalog.LimitACHDaily, 60_000_00)
	}
	for _, a := range accounts {
		p.Accounts[a] = entitlement.Account{ID: a}
	}
	var patterns [templates]template
	for i := range patterns {
		patterns[i] = newTemplate(rng)
	}
	for i, m := range members {
		p.Members[m] = member(rng, m, i, &patterns[rng.IntN(templates)], accounts)
	}
	return p
}

// names are the ids of the nth organization's members and accounts, in order.
func (w *World) names(n int) (members []bank.UserID, accounts []bank.AccountID) {
	rng := rand.New(rand.NewPCG(w.seed^0x5eed, uint64(n)))
	for range Members {
		members = append(members, bank.UserID(id(rng, n, bank.PrefixUser)))
	}
	for range Accounts {
		accounts = append(accounts, bank.AccountID(id(rng, n, bank.PrefixAccount)))
	}
	return members, accounts
}

func (w *World) random(n int) *rand.Rand { return rand.New(rand.NewPCG(w.seed, uint64(n))) }

// id is an id as the product makes them, but the same every time.
func id(rng *rand.Rand, n int, prefix string) string {
	var b [16]byte
	const start = 1_760_000_000_000 // a moment in milliseconds
	binary.BigEndian.PutUint64(b[:8], (start+uint64(n))<<16|0x7000|rng.Uint64()&0xfff)
	binary.BigEndian.PutUint64(b[8:], rng.Uint64()&^(0b11<<62)|0b10<<62)
	return fmt.Sprintf("%s_%x-%x-%x-%x-%x", prefix, b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

func percent(rng *rand.Rand, share int) bool { return rng.IntN(100) < share }

// A template is what several members of an organization have in common.
type template struct {
	user, account catalog.Set
}

func newTemplate(rng *rand.Rand) (t template) {
	for _, e := range catalog.Entitlements() {
		if !percent(rng, enabledInTemplate) {
			continue
		}
		for p := range catalog.PermissionCount {
			if info := p.Info(); info.Entitlement == e && info.Type == catalog.Switch && p.In(edition) && (p == e.Enabled() || percent(rng, onInTemplate)) {
				t.user, t.account = t.user.With(p), t.account.With(p)
			}
		}
	}
	if percent(rng, 70) { // most need nobody beside them
		t.user, t.account = t.user.Without(catalog.WiresDualControl), t.account.Without(catalog.WiresDualControl)
	}
	return t
}

func member(rng *rand.Rand, id bank.UserID, i int, t *template, accounts []bank.AccountID) *entitlement.Member {
	m := &entitlement.Member{ID: id, Status: bank.StatusActive, Role: bank.RoleUser, Accounts: make(map[bank.AccountID]entitlement.Settings, len(accounts))}
	switch {
	case i == 0:
		m.Role = bank.RoleAdmin
	case i == 1:
		m.Role = bank.RoleViewer
	}
	if !percent(rng, activeShare) {
		m.Status = bank.StatusDisabled
	}
	m.Held = percent(rng, 1)
	m.Settings.On = edited(rng, t.user, catalog.AtUser)
	m.Settings.EditLevel = catalog.EditLevel(min(2, rng.IntN(4)))
	for l := range catalog.LimitCount {
		if l.Permission().In(edition) && percent(rng, limitSetShare) {
			m.Settings.Limits = m.Settings.Limits.With(l, amount(rng))
		}
	}
	for _, a := range accounts {
		m.Accounts[a] = access(rng, t)
	}
	return m
}

func access(rng *rand.Rand, t *template) (s entitlement.Settings) {
	if percent(rng, accessShare) {
		s.On = edited(rng, t.account, catalog.AtAccount).With(catalog.AccountAccess)
	}
	if percent(rng, OwnLimitShare) {
		s.Limits = s.Limits.With(catalog.LimitPerWire, amount(rng))
		if percent(rng, 50) {
			s.Limits = s.Limits.With(catalog.LimitWiresDaily, amount(rng))
		}
	}
	return s
}

// edited is a template's set with some switches turned around for one member.
func edited(rng *rand.Rand, of catalog.Set, level catalog.Levels) (s catalog.Set) {
	for p := range catalog.PermissionCount {
		if info := p.Info(); info.Type != catalog.Switch || !p.In(edition) || !p.At(level) {
			continue
		}
		on := of.Has(p)
		switch {
		case p == catalog.TransfersTo || p == catalog.TransfersFrom:
			on = percent(rng, 90)
		case percent(rng, editShare):
			on = !on
		}
		if on {
			s = s.With(p)
		}
	}
	return s
}

// amount is a limit: whole dollars, from a thousand to a hundred thousand.
func amount(rng *rand.Rand) bank.Cents {
	return [...]bank.Cents{1_000_00, 5_000_00, 10_000_00, 25_000_00, 100_000_00}[rng.IntN(5)]
}
