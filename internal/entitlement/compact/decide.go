package compact

import (
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/entitlement/ident"
)

// An Institution is what the topmost level says, as it was at a mark.
type Institution struct {
	entitlement.Institution
	Mark
}

// plain is a set of reasons that name nothing.
type plain uint16

const (
	unknownOperation plain = 1 << iota
	unknownMember
	invalidContext
	memberStatus
	memberHeld
	roleForbids
	institutionOff
	organizationOff
	secondPerson
	sameAccount
	invalidDate
	invalidAmount
)

// A Verdict is a decision as bits: all that blocks, and where. What stands below
// the bits is only good where they need it.
type Verdict struct {
	found
	used entitlement.Used // what counts already, where a daily limit was tested

	rule   *rule
	block  *Block
	page   *page
	member int
	places [2]int // of the accounts' grants in the page
}

// found is what was found about a question.
type found struct {
	plain    plain
	limits   [2]uint8 // of the rule's limits: bit l is the level levelsOfLimits[l]
	approval bool
	accounts [2]accountVerdict
	edition  catalog.Set
	user     catalog.Set
}

type accountVerdict struct {
	unknown, off bool
	grants       grant
}

func (a accountVerdict) blocks() bool { return a.unknown || a.off || a.grants != 0 }

// Allowed is the answer.
func (v *Verdict) Allowed() bool {
	return v.plain == 0 && v.edition|v.user == 0 && v.limits == [2]uint8{} && !v.accounts[0].blocks() && !v.accounts[1].blocks()
}

// ApprovalRequired says that a second person must approve what is allowed.
func (v *Verdict) ApprovalRequired() bool { return v.approval && v.Allowed() }

// Block is the organization's block that the verdict is of; nil where the
// question is about nobody, or about no operation.
func (v *Verdict) Block() *Block { return v.block }

// An asking is what bears on a question besides the question and the block.
type asking struct {
	*Institution
	today    bank.Day  // at the institution; empty: of the question's time
	counters *counters // what counts against daily limits; nil: what the question says
}

// Decide answers a question about the organization of a block. What counts
// against daily limits is what the question says.
func (b *Block) Decide(i *Institution, req *entitlement.Request) (v Verdict) {
	var n named
	n.read(req)
	b.decide(&asking{Institution: i}, req, b.member(&n.member), &n, &v)
	return v
}

// named are the names of a question.
type named struct{ member, account, toAccount wanted }

// read reads all of them before anything is looked up: what is looked up one
// after another has to be waited for, and reading does not.
func (n *named) read(req *entitlement.Request) {
	var ids ident.Names
	if !ids.Read(string(req.Member), string(req.Account), string(req.ToAccount)) {
		n.member.read(ident.Member, string(req.Member))
		n.account.read(ident.Account, string(req.Account))
		n.toAccount.read(ident.Account, string(req.ToAccount))
		return
	}
	n.member = wanted{string(req.Member), ids.Member, hashOf(ids.Member), true}
	n.account = wanted{string(req.Account), ids.Account, hashOf(ids.Account), true}
	n.toAccount = wanted{string(req.ToAccount), ids.ToAccount, hashOf(ids.ToAccount), true}
}

// decide answers about the nth member; -1 is somebody who is not there.
func (b *Block) decide(i *asking, req *entitlement.Request, n int, names *named, v *Verdict) {
	v.found = found{}
	if req.Operation == catalog.UnknownOperation || req.Operation >= catalog.OperationCount {
		v.plain, v.block = unknownOperation, nil
		return
	}
	r := &rules[i.Edition][req.Operation]
	v.rule, v.block = r, b
	if n < 0 {
		v.plain = unknownMember
		return
	}
	v.page, v.member = b.page(n), n&(1<<b.shift-1)
	silent := req.Context.Silent()
	if !silent && req.Context.Invalid() {
		v.plain = invalidContext
		return
	}
	m := &v.page.members[v.member]
	asked, day, date := &r.silent, thisDay, i.today
	if !silent || req.Besides != 0 {
		var said needs
		said, day, date = r.asked(i, req)
		asked = &said
	}
	v.edition = asked.edition
	v.user = asked.user &^ catalog.Set(m.word&switchMask)
	v.plain = m.standing(r) | b.above(i.Institution, r)
	if asked.edits && m.editsLess(r, req) {
		v.user = v.user.With(catalog.ACHEditLevel)
	}
	if r.lastEditor && m.word&(1<<catalog.ACHFullControl) == 0 && req.Context.Says(catalog.LastEditor) {
		v.plain |= secondPerson
	}
	if r.from != 0 {
		v.accountLevel(i.Institution, req, names, asked.account)
	}
	if day == badDay {
		v.plain |= invalidDate
	}
	if r.limited > 0 {
		v.amount(i, m, n, req, day, date)
	}
	if r.dual {
		v.dualControl(m, req)
	}
}

// standing is what the member is, before what they may.
func (m *member) standing(r *rule) (p plain) {
	if bank.Status(m.word>>statusShift&twoBits) != bank.StatusActive {
		p |= memberStatus
	}
	if m.word&heldBit != 0 {
		p |= memberHeld
	}
	if r.roles>>(m.word>>roleShift&twoBits)&1 == 0 {
		p |= roleForbids
	}
	return p
}

// above is what the levels above the member say.
func (b *Block) above(i *Institution, r *rule) (p plain) {
	if r.gate&^(i.Offers&r.real) != 0 {
		p |= institutionOff
	}
	if r.gate&^(b.entitlements&r.real) != 0 {
		p |= organizationOff
	}
	return p
}

// A dayState is what the date of a question says.
type dayState uint8

const (
	thisDay dayState = iota
	laterDay
	badDay
)

// asked are the permissions that a question needs, and its day.
func (r *rule) asked(i *asking, req *entitlement.Request) (n needs, day dayState, date bank.Day) {
	n, date = r.needs, i.today
	for c := range r.contexts {
		if req.Context.Says(r.contexts[c].key) {
			n.add(r.contexts[c].needs)
		}
	}
	if r.info.Dated {
		if _, given := req.Context.EffectiveDate(); given {
			day, date = i.dayOf(req)
		}
	}
	if day == laterDay {
		n.add(r.later)
	}
	for p := range req.Besides.All {
		n.add(alone[i.Edition][p])
	}
	return n, day, date
}

func (i *asking) dayOf(req *entitlement.Request) (dayState, bank.Day) {
	today := i.today
	if today == "" {
		today = bank.DayOf(req.Now, i.Location)
	}
	switch day, ok := req.Day(today); {
	case !ok:
		return badDay, day
	case day > today:
		return laterDay, day
	default:
		return thisDay, day
	}
}

// editsLess reports whether the member may not edit as far as a rule needs.
func (m *member) editsLess(r *rule, req *entitlement.Request) bool {
	least := r.info.EditLevel
	if r.info.EntryFields && req.Context.EntryFields() {
		least = catalog.EditPartial
	}
	return catalog.EditLevel(m.word>>editShift&twoBits) < least
}

// accountLevel tests the accounts of a question.
func (v *Verdict) accountLevel(i *Institution, req *entitlement.Request, names *named, needed grant) {
	r := v.rule
	if r.accounts == catalog.AccountOptional && req.Account == "" {
		return
	}
	known := v.account(i, 0, &names.account, needed&r.asks|r.from)
	if r.to == 0 {
		return
	}
	known = v.account(i, 1, &names.toAccount, r.to) && known
	if known && req.Account == req.ToAccount {
		v.plain |= sameAccount
	}
}

func (v *Verdict) account(i *Institution, which int, w *wanted, needed grant) bool {
	n := v.block.account(w)
	if n < 0 {
		v.accounts[which].unknown = true
		return false
	}
	if v.block.off != nil && i.Edition == bank.EditionCreditUnion && v.rule.exists && v.block.off[n].Has(v.rule.entitlement) {
		v.accounts[which].off = true
	}
	v.places[which] = v.member*len(v.block.accounts.ids) + n
	v.accounts[which].grants = needed &^ v.page.grants[v.places[which]]
	return true
}

// own are the limits of the account that a question names, nil where it has
// none.
func (v *Verdict) own() *ownLimit {
	if v.rule.accounts != catalog.AccountRequired || v.accounts[0].unknown || v.page.grants[v.places[0]]&ownLimits == 0 {
		return nil
	}
	return v.page.limitsOn(v.places[0])
}

// Levels at which a limit may refuse, as bits.
const (
	byUser = 1 << iota
	byAccount
	byOrganization
)

// nothingUsed is what counts where nothing does.
var nothingUsed entitlement.Used

// amount tests the amount against every limit that applies.
func (v *Verdict) amount(i *asking, m *member, member int, req *entitlement.Request, day dayState, date bank.Day) {
	amount, ok := req.Amount.Cents()
	if !ok {
		v.plain |= invalidAmount
		return
	}
	own, r := v.own(), v.rule
	for n := range r.limits[:r.limited] {
		l := &r.limits[n]
		if l.daily && day == badDay {
			continue
		}
		used := &nothingUsed
		if l.counts {
			used = v.counted(i, l.limit, member, req, date)
		}
		var refused uint8
		if over(m.amounts[l.limit], used.Member, amount) {
			refused |= byUser
		}
		if over(v.block.ceilings[l.limit], used.Organization, amount) {
			refused |= byOrganization
		}
		if own != nil && l.onAccount {
			if most, set := own.get(l.limit); set && over(most, used.Account, amount) {
				refused |= byAccount
			}
		}
		v.limits[n] = refused
	}
}

// counted is what counts against a daily limit already.
func (v *Verdict) counted(i *asking, limit catalog.Limit, member int, req *entitlement.Request, date bank.Day) *entitlement.Used {
	switch {
	case i.counters == nil:
		v.used = req.Used
	case len(i.counters.counts) == 0:
		v.used = nothingUsed
	default:
		account := -1
		if v.rule.accounts == catalog.AccountRequired && !v.accounts[0].unknown {
			account = v.places[0] - v.member*len(v.block.accounts.ids)
		}
		v.used = i.counters.used(date, limit, member, account)
	}
	return &v.used
}

// over reports whether an amount is too much after what was used. No limit is
// below zero, nor is what was used, so that their difference is never too small.
func over(most, used, amount bank.Cents) bool { return amount > most-used }

// dualControl finds whether a second person must approve.
func (v *Verdict) dualControl(m *member, req *entitlement.Request) {
	amount, _ := req.Amount.Cents()
	most := m.amounts[catalog.LimitWiresDual]
	if m.word&(1<<catalog.WiresDualControl) != 0 && amount > most {
		v.approval = true
		return
	}
	if v.accounts[0].unknown || v.page.grants[v.places[0]]&bitOf[catalog.WiresDualControl] == 0 {
		return
	}
	if own, set := v.own().get(catalog.LimitWiresDual); set {
		most = own
	}
	v.approval = amount > most
}
