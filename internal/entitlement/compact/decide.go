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

// memberStatusBit is where the first of those stands that a member's word has.
const memberStatusBit = 3

var _ = [1]struct{}{}[memberStatus>>memberStatusBit-1]

// A Verdict is a decision as bits: all that blocks, and where. What stands below
// the bits is only good where they need it.
type Verdict struct {
	found
	used entitlement.Used // what counts already, where a daily limit was tested

	rule   *rule
	block  *Block
	member int
	place  int // of the account
}

// found is what was found about a question.
type found struct {
	edition  catalog.Set
	user     catalog.Set
	from, to accountVerdict
	limits   uint16 // byte n: the levels at which the rule's nth limit refuses
	plain    plain
	approval bool // where it is allowed
	refused  bool // something of the above is there
}

// An accountVerdict is what blocks on an account: the bits of the switches that
// are not there, and above them what else is wrong with it.
type accountVerdict uint64

const (
	accountUnknown accountVerdict = 1 << (32 + iota)
	accountOff
)

// Allowed is the answer.
func (v *Verdict) Allowed() bool { return !v.refused }

// ApprovalRequired says that a second person must approve what is allowed.
func (v *Verdict) ApprovalRequired() bool { return v.approval && v.Allowed() }

// Block is the organization's block that the verdict is of; nil where the
// question is about nobody, or about no operation.
func (v *Verdict) Block() *Block { return v.block }

// refuse makes a verdict of one reason and nothing else.
func (v *Verdict) refuse(why plain) { v.found = found{plain: why, refused: true} }

// An asking is a question with what bears on it besides the block.
type asking struct {
	*Institution
	today    *today    // at the institution; nil: of the question's time
	counters *counters // what counts against daily limits; nil: what the question says
	req      *entitlement.Request
	names    named
	date     bank.Day // that the question is of, where it gives one
	needs    needs    // of a question that says something
}

// Decide answers a question about the organization of a block. What counts
// against daily limits is what the question says.
func (b *Block) Decide(i *Institution, req *entitlement.Request) (v Verdict) {
	q := asking{Institution: i, req: req}
	q.names.read(req)
	b.decide(&q, b.memberNamed(&q), &v)
	return v
}

// named are the names of a question, all read before anything is looked up: what
// is looked up one after another has to be waited for, and reading does not.
type named struct {
	ident.Names
	strange bool // some are no names that the product makes, and are to be compared in full
}

func (n *named) read(req *entitlement.Request) {
	if !n.Read((*string)(&req.Member), (*string)(&req.Account), (*string)(&req.ToAccount)) {
		n.readStrange(req)
	}
}

func (n *named) readStrange(req *entitlement.Request) {
	n.strange = true
	n.Member, _ = idOf(ident.Member, string(req.Member))
	n.Account, _ = idOf(ident.Account, string(req.Account))
	n.ToAccount, _ = idOf(ident.Account, string(req.ToAccount))
}

// memberNamed finds the member of a question, or -1.
func (b *Block) memberNamed(q *asking) int {
	v := q.names.Member
	at := b.members.find(v)
	if at >= 0 && q.names.strange && !made(v) && b.strange.members[v] != string(q.req.Member) {
		return -1
	}
	return at
}

// decide answers about the nth member; -1 is somebody who is not there.
func (b *Block) decide(q *asking, n int, v *Verdict) {
	req := q.req
	if unknown(req.Operation) {
		v.refuse(unknownOperation)
		v.block = nil
		return
	}
	r := &rules[int(q.Edition)*int(catalog.OperationCount)+int(req.Operation)]
	v.rule, v.block = r, b
	if n < 0 {
		v.refuse(unknownMember)
		return
	}
	v.member = n
	asked, why := &r.silent, plain(0)
	if !req.Context.Silent() || req.Besides != 0 {
		if req.Context.Invalid() {
			v.refuse(invalidContext)
			return
		}
		asked, why = r.asked(q)
	}
	pg, begin := b.find(n)
	word := memberWord(pg[begin])
	user := asked.user &^ catalog.Set(word&switchMask)
	if catalog.EditLevel(word>>editShift&twoBits) < asked.least {
		user = user.With(catalog.ACHEditLevel)
	}
	why |= word.standing(r) | b.above(q.Institution, r)
	if asked.second&^word != 0 {
		why |= secondPerson
	}

	var from, to accountVerdict
	var g grant // on the account
	if r.from != 0 && (r.accounts != catalog.AccountOptional || req.Account != "") {
		at := b.accountSlots.find(b.accounts.ids, &q.names.Account)
		if at < 0 || q.names.strange || req.Account == "" {
			at = b.accountNamed(&q.names.Account, string(req.Account), q.names.strange)
		}
		from = accountUnknown
		if at >= 0 {
			g = pg.grant(begin, at)
			from = accountVerdict(asked.account&^g) | b.switchedOff(q.Institution, r, at)
			v.place = at
		}
		if r.to != 0 {
			other := b.accountSlots.find(b.accounts.ids, &q.names.ToAccount)
			if other < 0 || q.names.strange || req.ToAccount == "" {
				other = b.accountNamed(&q.names.ToAccount, string(req.ToAccount), q.names.strange)
			}
			to = accountUnknown
			if other >= 0 {
				to = accountVerdict(r.to&^pg.grant(begin, other)) | b.switchedOff(q.Institution, r, other)
				if at == other {
					why |= sameAccount
				}
			}
		}
	}
	v.from = from

	var limits uint16
	approval := false
	if r.limited {
		amount, valid := req.Amount.Cents()
		if !valid {
			why |= invalidAmount
		} else {
			first, second := &nothingUsed, &nothingUsed
			if q.counters == nil || len(q.counters.counts) > 0 {
				first, second = v.counted(q, &r.limits[0]), v.counted(q, &r.limits[1])
			}
			limits = r.limits[0].refuses(pg, begin, b, first, amount) | r.limits[1].refuses(pg, begin, b, second, amount)<<8
			var own *ownLimit
			if g&r.asks&ownLimits != 0 {
				own = b.limitsOn(n, v.place)
				limits |= r.limits[0].refusesOn(own, first, amount) | r.limits[1].refusesOn(own, second, amount)<<8
			}
			if why&invalidDate != 0 {
				limits &^= r.daily
			}
			if r.dual {
				approval = row(pg[begin:]).member().dualControl(g, own, amount)
			}
		}
	}
	v.edition, v.user, v.to, v.limits, v.plain, v.approval = asked.edition, user, to, limits, why, approval
	v.refused = uint64(asked.edition|user)|uint64(from|to)|uint64(limits)|uint64(why) != 0
}

func unknown(op catalog.Operation) bool {
	return op == catalog.UnknownOperation || op >= catalog.OperationCount
}

// standing is what the member is, before what they may.
func (w memberWord) standing(r *rule) plain {
	p := plain(w>>(standShift-memberStatusBit)) & (memberStatus | memberHeld)
	if uint8(w>>roleShift)&r.roles == 0 {
		p |= roleForbids
	}
	return p
}

// above is what the levels above the member say.
func (b *Block) above(i *Institution, r *rule) (p plain) {
	if r.gate&^(i.Offers&r.real) != 0 {
		p = institutionOff
	}
	if r.gate&^(b.entitlements&r.real) != 0 {
		p |= organizationOff
	}
	return p
}

// asked are the permissions that a question needs, and what is wrong with it.
func (r *rule) asked(q *asking) (n *needs, why plain) {
	req := q.req
	n = &q.needs
	*n = r.needs
	for c := range r.contexts {
		if req.Context.Says(r.contexts[c].key) {
			n.add(r.contexts[c].needs)
		}
	}
	if r.info.Dated {
		if _, given := req.Context.EffectiveDate(); given {
			switch q.setDate(); {
			case q.date == "":
				why = invalidDate
			case q.date > q.day():
				n.add(r.later)
			}
		}
	}
	for p := range req.Besides.All {
		n.add(alone[q.Edition][p])
	}
	n.settle(r, req.Context)
	return n, why
}

// setDate reads the date of a question, if it can be read.
func (q *asking) setDate() {
	if day, ok := q.req.Day(q.day()); ok {
		q.date = day
	}
}

// day is the institution's day of a question's moment.
func (q *asking) day() bank.Day {
	if q.today == nil {
		return bank.DayOf(q.req.Now, q.Location)
	}
	return q.today.day
}

// switchedOff is what is off on an account for everybody.
func (b *Block) switchedOff(i *Institution, r *rule, account int) accountVerdict {
	if b.off != nil && i.Edition == bank.EditionCreditUnion && r.exists && b.off[account].Has(r.entitlement) {
		return accountOff
	}
	return 0
}

// own are the limits of the account that a question names, nil where it has
// none.
func (v *Verdict) own() *ownLimit {
	if v.rule.accounts != catalog.AccountRequired || v.from&accountUnknown != 0 || v.block.row(v.member).grant(v.place)&ownLimits == 0 {
		return nil
	}
	return v.block.limitsOn(v.member, v.place)
}

// Levels at which a limit may refuse, and their bits.
const (
	userLimit = iota
	accountLimit
	organizationLimit
	limitLevels

	byUser         uint16 = 1 << userLimit
	byAccount      uint16 = 1 << accountLimit
	byOrganization uint16 = 1 << organizationLimit
)

// nothingUsed is what counts where nothing does.
var nothingUsed entitlement.Used

// refuses are the levels above the account at which a limit refuses an amount.
func (l *limitRule) refuses(pg page, begin int, b *Block, used *entitlement.Used, amount bank.Cents) uint16 {
	user := bit(over(pg.amount(begin, l.limit), used.Member, amount))
	organization := bit(over(b.ceilings[l.limit], used.Organization, amount))
	return (user*byUser | organization*byOrganization) & l.levels
}

// refusesOn is the account's level, where that has a limit of its own.
func (l *limitRule) refusesOn(own *ownLimit, used *entitlement.Used, amount bank.Cents) uint16 {
	if most, set := own.get(l.limit); set && over(most, used.Account, amount) {
		return byAccount & l.levels
	}
	return 0
}

// counted is what counts against a limit already.
func (v *Verdict) counted(q *asking, l *limitRule) *entitlement.Used {
	if !l.counts {
		return &nothingUsed
	}
	if q.counters == nil {
		v.used = q.req.Used
		return &v.used
	}
	account := -1
	if v.rule.accounts == catalog.AccountRequired && v.from&accountUnknown == 0 {
		account = v.place
	}
	day := q.date
	if day == "" {
		day = q.day()
	}
	v.used = q.counters.used(day, l.limit, v.member, account)
	return &v.used
}

// bit is one for true.
func bit(b bool) uint16 {
	if b {
		return 1
	}
	return 0
}

// over reports whether an amount is too much after what was used. No limit is
// below zero, nor is what was used, so that their difference is never too small.
func over(most, used, amount bank.Cents) bool { return amount > most-used }

// dualControl reports whether a second person must approve: the member's dual
// control says so, or that of an account.
func (m *member) dualControl(g grant, own *ownLimit, amount bank.Cents) bool {
	most := m.amount(catalog.LimitWiresDual)
	user, account := m.word()&(1<<catalog.WiresDualControl) != 0, g&bitOf[catalog.WiresDualControl] != 0
	if own == nil {
		return (user || account) && amount > most
	}
	if user && amount > most {
		return true
	}
	if limit, set := own.get(catalog.LimitWiresDual); set {
		most = limit
	}
	return account && amount > most
}
