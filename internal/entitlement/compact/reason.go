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

// MostReasons is more than any verdict has.
const MostReasons = 256

// DecisionIn is Decision with its reasons written where others stood, as far as
// there is room: they are good until that room is used again. Room for MostReasons
// is room for all.
func (v *Verdict) DecisionIn(room []entitlement.Reason, req *entitlement.Request) entitlement.Decision {
	if v.Allowed() {
		return entitlement.Decision{Allowed: true, ApprovalRequired: v.approval}
	}
	return entitlement.Decision{Reasons: v.write(room, req)}
}

// most is how many reasons there are at most.
func (v *Verdict) most() int {
	return bits.OnesCount16(uint16(v.plain)) + bits.OnesCount64(uint64(v.edition)) + bits.OnesCount64(uint64(v.user)) +
		bits.OnesCount16(v.limits) + bits.OnesCount64(uint64(v.from)) + bits.OnesCount64(uint64(v.to))
}

// plainReasons are what each bit of a plain says. Those that are found first have
// the lower bits.
var plainReasons = [16]entitlement.Reason{
	plainReason(entitlement.UnknownOperation, entitlement.LevelRequest),
	plainReason(entitlement.UnknownMember, entitlement.LevelRequest),
	plainReason(entitlement.InvalidContext, entitlement.LevelRequest),
	plainReason(entitlement.MemberStatus, entitlement.LevelUser),
	plainReason(entitlement.MemberHeld, entitlement.LevelUser),
	plainReason(entitlement.RoleForbids, entitlement.LevelUser),
	plainReason(entitlement.InstitutionOff, entitlement.LevelInstitution),
	plainReason(entitlement.OrganizationOff, entitlement.LevelOrganization),
	{Code: entitlement.SecondPersonRequired, Level: entitlement.LevelUser, Permission: catalog.ACHFullControl},
	plainReason(entitlement.SameAccount, entitlement.LevelUserAccount),
	plainReason(entitlement.InvalidDate, entitlement.LevelRequest),
	plainReason(entitlement.InvalidAmount, entitlement.LevelRequest),
}

func plainReason(code entitlement.Code, level entitlement.Level) entitlement.Reason {
	return entitlement.Reason{Code: code, Level: level, Permission: entitlement.NoPermission}
}

// limitReasons are those of each limit at each level's bit, without amounts.
var limitReasons = func() (of [catalog.LimitCount][limitLevels]entitlement.Reason) {
	for l := range catalog.LimitCount {
		r := entitlement.Reason{Code: entitlement.LimitPerTransaction, Permission: l.Permission()}
		if l.Daily() {
			r.Code = entitlement.LimitDaily
		}
		for bit, level := range [limitLevels]entitlement.Level{userLimit: entitlement.LevelUser, accountLimit: entitlement.LevelUserAccount, organizationLimit: entitlement.LevelOrganization} {
			r.Level = level
			of[l][bit] = r
		}
	}
	return of
}()

// write tells the reasons in the order in which they are tested.
func (v *Verdict) write(to []entitlement.Reason, req *entitlement.Request) []entitlement.Reason {
	if cap(to) < MostReasons {
		if most := v.most(); cap(to) < most {
			to = make([]entitlement.Reason, most)
		}
	}
	to = to[:cap(to)]
	n := 0
	for p := v.plain & (secondPerson - 1); p != 0; p &= p - 1 {
		to[n] = plainReasons[bits.TrailingZeros16(uint16(p))&15]
		if p&-p&(institutionOff|organizationOff) != 0 {
			to[n].Permission = v.rule.entitlement.Enabled()
		}
		n++
	}
	for s := v.edition; s != 0; s &= s - 1 {
		to[n] = entitlement.Reason{Code: entitlement.NotInEdition, Level: entitlement.LevelInstitution, Permission: catalog.Permission(bits.TrailingZeros64(uint64(s)))}
		n++
	}
	for s := v.user; s != 0; s &= s - 1 {
		to[n] = entitlement.Reason{Code: entitlement.UserOff, Level: entitlement.LevelUser, Permission: catalog.Permission(bits.TrailingZeros64(uint64(s)))}
		n++
	}
	if v.plain&secondPerson != 0 {
		to[n] = plainReasons[bits.TrailingZeros16(uint16(secondPerson))]
		n++
	}
	if v.from != 0 {
		n = v.account(to, n, v.from, req.Account)
	}
	if v.to != 0 {
		n = v.toAccount(to, n, req)
	}
	for p := v.plain & (sameAccount | invalidDate | invalidAmount); p != 0; p &= p - 1 {
		to[n] = plainReasons[bits.TrailingZeros16(uint16(p))&15]
		if p&-p == sameAccount {
			to[n].Account = req.Account
		}
		n++
	}
	for all := v.limits; all != 0; all &= all - 1 {
		at := bits.TrailingZeros16(all)
		to[n] = v.limit(&v.rule.limits[at/8], at%8, req)
		n++
	}
	return to[:n]
}

// account tells what blocks on an account.
func (v *Verdict) account(to []entitlement.Reason, n int, a accountVerdict, name bank.AccountID) int {
	if a&accountUnknown != 0 {
		to[n] = entitlement.Reason{Code: entitlement.UnknownAccount, Level: entitlement.LevelOrganization, Permission: entitlement.NoPermission, Account: name}
		n++
	}
	if a&accountOff != 0 {
		to[n] = entitlement.Reason{Code: entitlement.OrganizationAccountOff, Level: entitlement.LevelOrganizationAccount, Permission: v.rule.entitlement.Enabled(), Account: name}
		n++
	}
	for g := grant(a); g != 0; g &= g - 1 {
		p, code := switchOf[bits.TrailingZeros32(uint32(g))], entitlement.AccountOff
		if p == catalog.AccountAccess {
			code = entitlement.AccountAccessOff
		}
		to[n] = entitlement.Reason{Code: code, Level: entitlement.LevelUserAccount, Permission: p, Account: name}
		n++
	}
	return n
}

// toAccount tells what blocks on the other account of a transfer. Where that is
// the same one, nothing is told twice.
func (v *Verdict) toAccount(to []entitlement.Reason, n int, req *entitlement.Request) int {
	told := n
	n = v.account(to, n, v.to, req.ToAccount)
	if req.ToAccount == req.Account {
		again := func(r entitlement.Reason) bool { return slices.Contains(to[:told], r) }
		n = told + len(slices.DeleteFunc(to[told:n], again))
	}
	return n
}

// limit tells where a limit refuses, at the level of a bit.
func (v *Verdict) limit(l *limitRule, level int, req *entitlement.Request) entitlement.Reason {
	r := limitReasons[l.limit][level]
	var used entitlement.Used
	if l.counts {
		used = v.used
	}
	switch level {
	case userLimit:
		r.Limit, r.Used = v.block.row(v.member).member().amount(l.limit), used.Member
	case accountLimit:
		most, _ := v.own().get(l.limit)
		r.Account, r.Limit, r.Used = req.Account, most, used.Account
	default:
		r.Limit, r.Used = v.block.ceilings[l.limit], used.Organization
	}
	return r
}
