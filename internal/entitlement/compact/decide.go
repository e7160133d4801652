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
	row    row
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

// An asking is what bears on a question besides the question and the block.
type asking struct {
	*Institution
	today    *today    // at the institution; nil: of the question's time
	counters *counters // what counts against daily limits; nil: what the question says
}

// Decide answers a question about the organization of a block. What counts
// against daily limits is what the question says.
func (b *Block) Decide(i *Institution, req *entitlement.Request) (v Verdict) {
	var n named
	n.read(req)
	b.decide(&asking{Institution: i}, req, b.memberNamed(&n, req), &n, &v)
	return v
}

// named are the names of a question, all read before anything is looked up: what
// is looked up one after another has to be waited for, and reading does not.
type named struct {
	ident.Names
	strange bool // some are no names that the product makes, and are to be compared in full
}

func (n *named) read(req *entitlement.Request) {
	if !n.Read(string(req.Member), string(req.Account), string(req.ToAccount)) {
		n.strange = true
		n.Member, _ = idOf(ident.Member, string(req.Member))
		n.Account, _ = idOf(ident.Account, string(req.Account))
		n.ToAccount, _ = idOf(ident.Account, string(req.ToAccount))
	}
}

// memberNamed finds the member of a question, or -1.
func (b *Block) memberNamed(n *named, req *entitlement.Request) int {
	at := b.members.find(&b.memberTags, n.Member, hashOf(n.Member))
	if at >= 0 && n.strange && !made(n.Member) && b.strange.members[n.Member] != string(req.Member) {
		return -1
	}
	return at
}

// accountNamed finds an account of a question, or -1. No account is without a
// name.
func (b *Block) accountNamed(n *named, v id, name bank.AccountID) int {
	if name == "" {
		return -1
	}
	at := -1
	if h := hashOf(v); b.accounts.table != nil {
		at = b.accounts.search(v, h)
	} else {
		for alike := b.accountTags.alike(tagOf(h)); alike != 0; alike &= alike - 1 {
			if i := placeOfTag(alike); i < len(b.accounts.ids) && b.accounts.ids[i] == v {
				at = i
				break
			}
		}
	}
	if n.strange && at >= 0 && !made(v) && b.strange.accounts[v] != string(name) {
		return -1
	}
	return at
}

// decide answers about the nth member; -1 is somebody who is not there.
func (b *Block) decide(i *asking, req *entitlement.Request, n int, names *named, v *Verdict) {
	if unknown(req.Operation) {
		v.refuse(unknownOperation)
		v.block = nil
		return
	}
	r := &rules[i.Edition][req.Operation]
	v.rule, v.block = r, b
	if n < 0 {
		v.refuse(unknownMember)
		return
	}
	row := b.row(n)
	v.row, v.member = row, n
	asked, day, date := &r.silent, thisDay, bank.Day("")
	if !req.Context.Silent() || req.Besides != 0 {
		if req.Context.Invalid() {
			v.refuse(invalidContext)
			return
		}
		asked, day, date = r.asked(i, req)
	}
	m := row.member()
	word := m.word()
	user := asked.user &^ catalog.Set(word&switchMask)
	if catalog.EditLevel(word>>editShift&twoBits) < asked.least {
		user = user.With(catalog.ACHEditLevel)
	}
	why := word.standing(r) | b.above(i.Institution, r)
	if asked.second&^word != 0 {
		why |= secondPerson
	}
	if day == badDay {
		why |= invalidDate
	}

	var from, to accountVerdict
	var g grant // on the account
	if r.from != 0 && (r.accounts != catalog.AccountOptional || req.Account != "") {
		at := b.accountNamed(names, names.Account, req.Account)
		from = accountUnknown
		if at >= 0 {
			g = row.grant(at)
			from = accountVerdict((asked.account&r.asks|r.from)&^g) | b.switchedOff(i.Institution, r, at)
			v.place = at
		}
		if r.to != 0 {
			other := b.accountNamed(names, names.ToAccount, req.ToAccount)
			to = accountUnknown
			if other >= 0 {
				to = accountVerdict(r.to&^row.grant(other)) | b.switchedOff(i.Institution, r, other)
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
			var own *ownLimit
			if g&r.asks&ownLimits != 0 {
				own = b.limitsOn(n, v.place)
			}
			for at := range r.limits {
				l, used := &r.limits[at], &nothingUsed
				if i.counters == nil || len(i.counters.counts) > 0 {
					used = v.counted(i, l, n, req, date)
				}
				var refused uint16
				if over(m.amount(l.limit), used.Member, amount) {
					refused = byUser
				}
				if over(b.ceilings[l.limit], used.Organization, amount) {
					refused |= byOrganization
				}
				if own != nil && own.refuses(l.limit, used.Account, amount) {
					refused |= byAccount
				}
				if day == badDay && l.daily {
					refused = 0
				}
				limits |= refused & l.levels << (8 * at)
			}
			approval = r.dual && m.dualControl(g, own, amount)
		}
	}
	v.edition, v.user, v.to, v.limits, v.plain, v.approval = asked.edition, user, to, limits, why, approval
	v.refused = uint64(asked.edition|user)|uint64(from|to)|uint64(limits)|uint64(why) != 0
}

func unknown(op catalog.Operation) bool {
	return op == catalog.UnknownOperation || op >= catalog.OperationCount
}

// standings are what a status and a hold say before anything else.
var standings = func() (of [1 << (roleShift - statusShift)]plain) {
	for word := range of {
		if bank.Status(word&twoBits) != bank.StatusActive {
			of[word] |= memberStatus
		}
		if memberWord(word)<<statusShift&heldBit != 0 {
			of[word] |= memberHeld
		}
	}
	return of
}()

// standing is what the member is, before what they may.
func (w memberWord) standing(r *rule) plain {
	return standings[w>>statusShift&(1<<(roleShift-statusShift)-1)] | plain(^r.roles>>(w>>roleShift&twoBits)&1)*roleForbids
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

// A dayState is what the date of a question says.
type dayState uint8

const (
	thisDay dayState = iota
	laterDay
	badDay
)

// asked are the permissions that a question needs, and its day.
func (r *rule) asked(i *asking, req *entitlement.Request) (n *needs, day dayState, date bank.Day) {
	said := r.needs
	n = &said
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
	n.settle(r.info, req.Context)
	return n, day, date
}

func (i *asking) dayOf(req *entitlement.Request) (dayState, bank.Day) {
	today := i.day(req)
	switch day, ok := req.Day(today); {
	case !ok:
		return badDay, day
	case day > today:
		return laterDay, day
	default:
		return thisDay, day
	}
}

// day is the institution's day of a question's moment.
func (i *asking) day(req *entitlement.Request) bank.Day {
	if i.today == nil {
		return bank.DayOf(req.Now, i.Location)
	}
	return i.today.day
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
	if v.rule.accounts != catalog.AccountRequired || v.from&accountUnknown != 0 || v.row.grant(v.place)&ownLimits == 0 {
		return nil
	}
	return v.block.limitsOn(v.member, v.place)
}

// Levels at which a limit may refuse, as bits.
const (
	byUser uint16 = 1 << iota
	byAccount
	byOrganization
)

// nothingUsed is what counts where nothing does.
var nothingUsed entitlement.Used

// refuses tests an amount against a limit of an account's own, where it has one.
func (l *ownLimit) refuses(limit catalog.Limit, used, amount bank.Cents) bool {
	most, set := l.get(limit)
	return set && over(most, used, amount)
}

// counted is what counts against a limit already.
func (v *Verdict) counted(i *asking, l *limitRule, member int, req *entitlement.Request, date bank.Day) *entitlement.Used {
	if !l.counts {
		return &nothingUsed
	}
	if i.counters == nil {
		v.used = req.Used
		return &v.used
	}
	account := -1
	if v.rule.accounts == catalog.AccountRequired && v.from&accountUnknown == 0 {
		account = v.place
	}
	if date == "" {
		date = i.day(req)
	}
	v.used = i.counters.used(date, l.limit, member, account)
	return &v.used
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
