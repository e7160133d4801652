package compact

import (
	"math/bits"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

// Decision is the verdict in full: what entitlement.Decide would have answered.
// The request is the one that was asked.
func (v *Verdict) Decision(req *entitlement.Request) entitlement.Decision {
	return v.DecisionIn(nil, req)
}

// DecisionIn is Decision with its reasons written where others stood, as far as
// there is room: they are good until that room is used again.
func (v *Verdict) DecisionIn(room []entitlement.Reason, req *entitlement.Request) entitlement.Decision {
	if v.Allowed() {
		return entitlement.Decision{Allowed: true, ApprovalRequired: v.approval}
	}
	if room == nil {
		room = make([]entitlement.Reason, 0, v.most())
	}
	w := writing{v: v, req: req, reasons: room[:0]}
	w.write()
	return entitlement.Decision{Reasons: w.reasons}
}

// most is how many reasons there are at most.
func (v *Verdict) most() int {
	return bits.OnesCount16(uint16(v.plain)) + bits.OnesCount64(uint64(v.edition)) + bits.OnesCount64(uint64(v.user)) +
		bits.OnesCount16(v.limits) + bits.OnesCount64(uint64(v.from)) + bits.OnesCount64(uint64(v.to))
}

type writing struct {
	v       *Verdict
	req     *entitlement.Request
	reasons []entitlement.Reason
}

func (w *writing) add(code entitlement.Code, level entitlement.Level, p catalog.Permission, account bank.AccountID) {
	w.reasons = append(w.reasons, entitlement.Reason{Code: code, Level: level, Permission: p, Account: account})
}

// plainReasons are what each bit of a plain says. Those that are found first have
// the lower bits.
var plainReasons = [...]struct {
	code  entitlement.Code
	level entitlement.Level
	gate  bool // names whether the entitlement is enabled
}{
	{entitlement.UnknownOperation, entitlement.LevelRequest, false},
	{entitlement.UnknownMember, entitlement.LevelRequest, false},
	{entitlement.InvalidContext, entitlement.LevelRequest, false},
	{entitlement.MemberStatus, entitlement.LevelUser, false},
	{entitlement.MemberHeld, entitlement.LevelUser, false},
	{entitlement.RoleForbids, entitlement.LevelUser, false},
	{entitlement.InstitutionOff, entitlement.LevelInstitution, true},
	{entitlement.OrganizationOff, entitlement.LevelOrganization, true},
	{entitlement.SecondPersonRequired, entitlement.LevelUser, false},
	{entitlement.SameAccount, entitlement.LevelUserAccount, false},
	{entitlement.InvalidDate, entitlement.LevelRequest, false},
	{entitlement.InvalidAmount, entitlement.LevelRequest, false},
}

// those tells the reasons that name no permission, or the entitlement's own.
func (w *writing) those(plain plain) {
	for ; plain != 0; plain &= plain - 1 {
		r, p := &plainReasons[bits.TrailingZeros16(uint16(plain))], entitlement.NoPermission
		if r.gate {
			p = w.v.rule.entitlement.Enabled()
		}
		w.add(r.code, r.level, p, "")
	}
}

// write tells the reasons in the order in which they are tested.
func (w *writing) write() {
	v := w.v
	w.those(v.plain & (secondPerson - 1))
	w.each(v.edition, entitlement.NotInEdition, entitlement.LevelInstitution)
	w.each(v.user, entitlement.UserOff, entitlement.LevelUser)
	if v.plain&secondPerson != 0 {
		w.add(entitlement.SecondPersonRequired, entitlement.LevelUser, catalog.ACHFullControl, "")
	}
	if v.from != 0 {
		w.account(v.from, w.req.Account)
	}
	if v.to != 0 {
		w.account(v.to, w.req.ToAccount)
	}
	if v.plain&sameAccount != 0 {
		w.add(entitlement.SameAccount, entitlement.LevelUserAccount, entitlement.NoPermission, w.req.Account)
	}
	w.those(v.plain & (invalidDate | invalidAmount))
	if v.limits != 0 {
		for n := range v.rule.limits {
			w.limit(&v.rule.limits[n], v.limits>>(8*n))
		}
	}
}

// each tells every permission of a set.
func (w *writing) each(s catalog.Set, code entitlement.Code, level entitlement.Level) {
	for ; s != 0; s &= s - 1 {
		w.add(code, level, catalog.Permission(bits.TrailingZeros64(uint64(s))), "")
	}
}

func (w *writing) account(a accountVerdict, name bank.AccountID) {
	if a&accountUnknown != 0 {
		w.once(entitlement.Reason{Code: entitlement.UnknownAccount, Level: entitlement.LevelOrganization, Permission: entitlement.NoPermission, Account: name})
	}
	if a&accountOff != 0 {
		w.once(entitlement.Reason{Code: entitlement.OrganizationAccountOff, Level: entitlement.LevelOrganizationAccount, Permission: w.v.rule.entitlement.Enabled(), Account: name})
	}
	for g := grant(a); g != 0; g &= g - 1 {
		p, code := switchOf[bits.TrailingZeros32(uint32(g))], entitlement.AccountOff
		if p == catalog.AccountAccess {
			code = entitlement.AccountAccessOff
		}
		w.once(entitlement.Reason{Code: code, Level: entitlement.LevelUserAccount, Permission: p, Account: name})
	}
}

// once adds a reason. Only both accounts of a transfer, being the same, can have
// the same one.
func (w *writing) once(r entitlement.Reason) {
	if w.req.ToAccount == w.req.Account && slices.Contains(w.reasons, r) {
		return
	}
	w.reasons = append(w.reasons, r)
}

func (w *writing) limit(l *limitRule, refused uint16) {
	code, p := entitlement.LimitPerTransaction, l.limit.Permission()
	if l.daily {
		code = entitlement.LimitDaily
	}
	var used entitlement.Used
	if l.counts {
		used = w.v.used
	}
	v := w.v
	if refused&byUser != 0 {
		w.reasons = append(w.reasons, entitlement.Reason{Code: code, Level: entitlement.LevelUser, Permission: p, Limit: v.block.row(v.member).member().amount(l.limit), Used: used.Member})
	}
	if refused&byAccount != 0 {
		most, _ := v.own().get(l.limit)
		w.reasons = append(w.reasons, entitlement.Reason{Code: code, Level: entitlement.LevelUserAccount, Permission: p, Account: w.req.Account, Limit: most, Used: used.Account})
	}
	if refused&byOrganization != 0 {
		w.reasons = append(w.reasons, entitlement.Reason{Code: code, Level: entitlement.LevelOrganization, Permission: p, Limit: v.block.ceilings[l.limit], Used: used.Organization})
	}
}
