package compact

import (
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

// Decision is the verdict in full: what entitlement.Decide would have answered.
// The request is the one that was asked.
func (v *Verdict) Decision(req *entitlement.Request) entitlement.Decision {
	if v.Allowed() {
		return entitlement.Decision{Allowed: true, ApprovalRequired: v.approval}
	}
	switch v.plain {
	case unknownOperation:
		return entitlement.Refused(entitlement.UnknownOperation)
	case unknownMember:
		return entitlement.Refused(entitlement.UnknownMember)
	case invalidContext:
		return entitlement.Refused(entitlement.InvalidContext)
	}
	w := writing{v: v, req: req}
	w.write()
	return entitlement.Decision{Reasons: w.reasons}
}

type writing struct {
	v       *Verdict
	req     *entitlement.Request
	reasons []entitlement.Reason
}

func (w *writing) add(code entitlement.Code, level entitlement.Level, p catalog.Permission, account bank.AccountID) {
	w.reasons = append(w.reasons, entitlement.Reason{Code: code, Level: level, Permission: p, Account: account})
}

func (w *writing) plain(is plain, code entitlement.Code, level entitlement.Level, p catalog.Permission) {
	if w.v.plain&is != 0 {
		w.add(code, level, p, "")
	}
}

// write tells the reasons in the order in which they are tested.
func (w *writing) write() {
	v, none := w.v, entitlement.NoPermission
	w.plain(memberStatus, entitlement.MemberStatus, entitlement.LevelUser, none)
	w.plain(memberHeld, entitlement.MemberHeld, entitlement.LevelUser, none)
	w.plain(roleForbids, entitlement.RoleForbids, entitlement.LevelUser, none)
	if e := v.rule.entitlement; e != catalog.NoEntitlement {
		w.plain(institutionOff, entitlement.InstitutionOff, entitlement.LevelInstitution, e.Enabled())
		w.plain(organizationOff, entitlement.OrganizationOff, entitlement.LevelOrganization, e.Enabled())
	}
	for p := range v.edition.All {
		w.add(entitlement.NotInEdition, entitlement.LevelInstitution, p, "")
	}
	for p := range v.user.All {
		w.add(entitlement.UserOff, entitlement.LevelUser, p, "")
	}
	w.plain(secondPerson, entitlement.SecondPersonRequired, entitlement.LevelUser, catalog.ACHFullControl)
	w.account(v.accounts[0], w.req.Account)
	w.account(v.accounts[1], w.req.ToAccount)
	if v.plain&sameAccount != 0 {
		w.add(entitlement.SameAccount, entitlement.LevelUserAccount, none, w.req.Account)
	}
	w.plain(invalidDate, entitlement.InvalidDate, entitlement.LevelRequest, none)
	w.plain(invalidAmount, entitlement.InvalidAmount, entitlement.LevelRequest, none)
	for n := range v.rule.limits {
		w.limit(&v.rule.limits[n], v.limits[n])
	}
}

func (w *writing) account(a accountVerdict, name bank.AccountID) {
	if a.unknown {
		w.once(entitlement.Reason{Code: entitlement.UnknownAccount, Level: entitlement.LevelOrganization, Permission: entitlement.NoPermission, Account: name})
	}
	if a.off {
		w.once(entitlement.Reason{Code: entitlement.OrganizationAccountOff, Level: entitlement.LevelOrganizationAccount, Permission: w.v.rule.entitlement.Enabled(), Account: name})
	}
	for bit, p := range switchOf {
		if a.grants&(1<<bit) == 0 {
			continue
		}
		code := entitlement.AccountOff
		if p == catalog.AccountAccess {
			code = entitlement.AccountAccessOff
		}
		w.once(entitlement.Reason{Code: code, Level: entitlement.LevelUserAccount, Permission: p, Account: name})
	}
}

// once adds a reason that both accounts may have, being the same.
func (w *writing) once(r entitlement.Reason) {
	for _, known := range w.reasons {
		if known == r {
			return
		}
	}
	w.reasons = append(w.reasons, r)
}

func (w *writing) limit(l *limitRule, refused uint8) {
	code, p := entitlement.LimitPerTransaction, l.limit.Permission()
	if l.daily {
		code = entitlement.LimitDaily
	}
	var used entitlement.Used
	if l.daily && l.counts {
		used = w.req.Used
	}
	v := w.v
	if refused&byUser != 0 {
		w.reasons = append(w.reasons, entitlement.Reason{Code: code, Level: entitlement.LevelUser, Permission: p, Limit: v.page.members[v.member].amounts[l.limit], Used: used.Member})
	}
	if refused&byAccount != 0 {
		most, _ := v.own().get(l.limit)
		w.reasons = append(w.reasons, entitlement.Reason{Code: code, Level: entitlement.LevelUserAccount, Permission: p, Account: w.req.Account, Limit: most, Used: used.Account})
	}
	if refused&byOrganization != 0 {
		most, _ := v.block.ceilings.Get(l.limit)
		w.reasons = append(w.reasons, entitlement.Reason{Code: code, Level: entitlement.LevelOrganization, Permission: p, Limit: most, Used: used.Organization})
	}
}
