package main

import (
	"math/bits"

	"mandate/bench/world"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/entitlement/ident"
)

// bare is the loop that the engine is held against: the same texts read
// the same way, the same tables and masks, and nothing else. It has no store that
// can be changed, no other ids than UUIDs, no context, no dates, no usage, no
// dual control, no reasons: it says yes or no, and its arrays lie in one piece.
type bare struct {
	index         []uint64 // hash, member's place and organization's number
	organizations []bareOrganization
	rules         [catalog.OperationCount]bareRule
	offers        catalog.EntitlementSet
}

type bareOrganization struct {
	accountTags    [4]uint64
	entitlements   catalog.EntitlementSet
	memberIDs, ids []ident.ID
	members        []bareMember
	grants         []uint32
	limits         map[int][catalog.LimitCount]bank.Cents // of a grant's place
	ceilings       [catalog.LimitCount]bank.Cents
}

type bareMember struct {
	on     uint64 // and the sign that they may act at all, above the permissions
	roles  uint8
	edit   catalog.EditLevel
	limits [catalog.LimitCount]bank.Cents
}

type bareRule struct {
	on       uint64
	gate     catalog.EntitlementSet
	roles    uint8
	edit     catalog.EditLevel
	from, to uint32
	limits   []catalog.Limit
}

const (
	bareActs   = 1 << 63
	bareLimits = 1 << 31
)

func newBare(w *world.World) *bare {
	b := &bare{index: make([]uint64, w.Organizations*world.Members*3/2+16), offers: w.Institution.Offers}
	for _, r := range world.Rules() {
		b.rules[r.Operation] = bareRuleOf(&r)
	}
	for p := range w.Policies {
		b.add(p)
	}
	return b
}

func bareRuleOf(r *world.Rule) bareRule {
	made := bareRule{on: bareActs | uint64(r.User), edit: r.Edit, roles: 0xff, from: bareGrant(r.Account), to: bareGrant(r.ToAccount)}
	if r.Entitlement != catalog.NoEntitlement {
		made.gate = made.gate.With(r.Entitlement)
	}
	if r.Roles != nil {
		made.roles = 0
	}
	for _, role := range r.Roles {
		made.roles |= 1 << role
	}
	for _, l := range r.Limits {
		made.limits = append(made.limits, l.Limit)
	}
	return made
}

// bareGrant packs the switches that exist per account into a word.
func bareGrant(s catalog.Set) (g uint32) {
	for p := range s.All {
		g |= bareBit[p]
	}
	return g
}

var bareBit = func() (bit [catalog.PermissionCount]uint32) {
	n := 0
	for p := range catalog.PermissionCount {
		if p.At(catalog.AtAccount) && p.Info().Type == catalog.Switch {
			bit[p] = 1 << n
			n++
		}
	}
	return bit
}()

func (b *bare) add(p *entitlement.Policy) {
	o := bareOrganization{entitlements: p.Organization.Entitlements, limits: map[int][catalog.LimitCount]bank.Cents{}}
	for l := range catalog.LimitCount {
		o.ceilings[l] = limitOr(p.Organization.Ceilings, l, bank.MaxAmount)
	}
	var accounts []bank.AccountID
	for a := range p.Accounts {
		v, _ := ident.Of(ident.Account, string(a))
		o.accountTags[len(o.ids)/8] |= uint64(byte(bareHashOf(v))) << (len(o.ids) % 8 * 8)
		o.ids, accounts = append(o.ids, v), append(accounts, a)
	}
	for id, m := range p.Members {
		v, _ := ident.Of(ident.Member, string(id))
		h := bareHashOf(v)
		at := h.slot(len(b.index))
		for b.index[at] != 0 {
			at = (at + 1) % len(b.index)
		}
		b.index[at] = uint64(h)<<40 | uint64(len(o.members))<<24 | uint64(len(b.organizations)+1)
		line := bareMember{on: uint64(m.Settings.On), roles: 1 << m.Role, edit: m.Settings.EditLevel}
		if m.Status == bank.StatusActive && !m.Held {
			line.on |= bareActs
		}
		for l := range catalog.LimitCount {
			line.limits[l] = limitOr(m.Settings.Limits, l, 0)
		}
		for _, a := range accounts {
			s := m.Accounts[a]
			g := bareGrant(s.On)
			if s.Limits != (entitlement.Limits{}) {
				g |= bareLimits
				var own [catalog.LimitCount]bank.Cents
				for l := range catalog.LimitCount {
					own[l] = limitOr(s.Limits, l, bank.MaxAmount)
				}
				o.limits[len(o.grants)] = own
			}
			o.grants = append(o.grants, g)
		}
		o.memberIDs, o.members = append(o.memberIDs, v), append(o.members, line)
	}
	b.organizations = append(b.organizations, o)
}

func limitOr(of entitlement.Limits, l catalog.Limit, otherwise bank.Cents) bank.Cents {
	if amount, set := of.Get(l); set {
		return amount
	}
	return otherwise
}

// begin of the loop

func (b *bare) decide(q *world.Questions, answers []bool) {
	for i := range q.Asked {
		answers[i] = b.ask(&q.Asked[i])
	}
}

func (b *bare) ask(q *entitlement.Request) bool {
	var names ident.Names
	ok := names.Read((*string)(&q.Member), (*string)(&q.Account), (*string)(&q.ToAccount))
	h := bareHashOf(names.Member)
	for at := h.slot(len(b.index)); ok; {
		s := b.index[at]
		if s == 0 {
			return false
		}
		if s>>40 == uint64(h)&(1<<24-1) {
			o := &b.organizations[s&(1<<24-1)-1]
			if n := int(s >> 24 & 0xffff); o.memberIDs[n] == names.Member {
				return b.may(o, n, &names, q)
			}
		}
		if at++; at == len(b.index) {
			at = 0
		}
	}
	return false
}

func (b *bare) may(o *bareOrganization, n int, names *ident.Names, q *entitlement.Request) bool {
	m, r := &o.members[n], &b.rules[q.Operation]
	missing := r.on&^m.on | uint64(r.gate&^(b.offers&o.entitlements))
	yes := missing == 0 && r.roles&m.roles != 0 && m.edit >= r.edit
	var own *[catalog.LimitCount]bank.Cents
	if r.from != 0 {
		at := o.find(names.Account)
		if at < 0 {
			return false
		}
		place := n*len(o.ids) + at
		g := o.grants[place]
		yes = yes && r.from&^g == 0
		if g&bareLimits != 0 {
			l := o.limits[place]
			own = &l
		}
	}
	if r.to != 0 {
		at := o.find(names.ToAccount)
		yes = yes && at >= 0 && names.Account != names.ToAccount && r.to&^o.grants[n*len(o.ids)+max(0, at)] == 0
	}
	if len(r.limits) > 0 {
		amount, valid := q.Amount.Cents()
		yes = yes && valid
		for _, l := range r.limits {
			yes = yes && amount <= m.limits[l] && amount <= o.ceilings[l] && (own == nil || amount <= own[l])
		}
	}
	return yes
}

func (o *bareOrganization) find(v ident.ID) int {
	tag := uint64(byte(bareHashOf(v))) * bareEach
	var alike uint64
	for w, tags := range o.accountTags {
		x := tags ^ tag
		alike |= (x - bareEach) &^ x & (0x80 * bareEach) >> (7 - w)
	}
	for ; alike != 0; alike &= alike - 1 {
		at := bits.TrailingZeros64(alike)
		if i := at&7<<3 | at>>3; i < len(o.ids) && o.ids[i] == v {
			return i
		}
	}
	return -1
}

const bareEach = 0x0101010101010101

type bareHash uint64

func bareHashOf(v ident.ID) bareHash {
	hi, lo := bits.Mul64(v.First^0x9e3779b97f4a7c15, v.Last^0xd1b54a32d192ed03)
	return bareHash(hi ^ lo)
}

func (h bareHash) slot(n int) int {
	hi, _ := bits.Mul64(uint64(h), uint64(n))
	return int(hi)
}
