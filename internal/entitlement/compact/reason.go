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
	if cap(room) < MostReasons {
		if most := v.most(); cap(room) < most {
			room = make([]entitlement.Reason, most)
		}
	}
	room = room[:cap(room)]
	return entitlement.Decision{Reasons: room[:v.write(room, req)]}
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

// editionReasons and userReasons are those of each permission, and accountReasons
// those of each bit of an account's verdict, without the account,
// and limitReasons those of each limit at each level, without amounts.
var (
	editionReasons, userReasons [64]entitlement.Reason
	accountReasons              [64]entitlement.Reason
	limitReasons                [catalog.LimitCount][limitLevels]entitlement.Reason // of a level's bit
)

func init() {
	for p := range catalog.PermissionCount {
		editionReasons[p] = entitlement.Reason{Code: entitlement.NotInEdition, Level: entitlement.LevelInstitution, Permission: p}
		userReasons[p] = entitlement.Reason{Code: entitlement.UserOff, Level: entitlement.LevelUser, Permission: p}
		if bit := bitOf[p]; bit != 0 {
			accountReasons[bits.TrailingZeros32(uint32(bit))] = entitlement.Reason{Code: entitlement.AccountOff, Level: entitlement.LevelUserAccount, Permission: p}
		}
	}
	for l := range catalog.LimitCount {
		r := entitlement.Reason{Code: entitlement.LimitPerTransaction, Permission: l.Permission()}
		if l.Daily() {
			r.Code = entitlement.LimitDaily
		}
		for bit, level := range [limitLevels]entitlement.Level{userLimit: entitlement.LevelUser, accountLimit: entitlement.LevelUserAccount, organizationLimit: entitlement.LevelOrganization} {
			r.Level = level
			limitReasons[l][bit] = r
		}
	}
	accountReasons[bits.TrailingZeros32(uint32(bitOf[catalog.AccountAccess]))].Code = entitlement.AccountAccessOff
	accountReasons[bits.TrailingZeros64(uint64(accountUnknown))] = plainReason(entitlement.UnknownAccount, entitlement.LevelOrganization)
	accountReasons[bits.TrailingZeros64(uint64(accountOff))] = plainReason(entitlement.OrganizationAccountOff, entitlement.LevelOrganizationAccount)
}

// write tells the reasons in the order in which they are tested, and how many
// there are.
func (v *Verdict) write(to []entitlement.Reason, req *entitlement.Request) (n int) {
	for p := v.plain & (secondPerson - 1); p != 0; p &= p - 1 {
		to[n] = plainReasons[bits.TrailingZeros16(uint16(p))&15]
		if p&-p&(institutionOff|organizationOff) != 0 {
			to[n].Permission = v.rule.entitlement.Enabled()
		}
		n++
	}
	for s := v.edition; s != 0; s &= s - 1 {
		to[n] = editionReasons[bits.TrailingZeros64(uint64(s))&63]
		n++
	}
	for s := v.user; s != 0; s &= s - 1 {
		to[n] = userReasons[bits.TrailingZeros64(uint64(s))&63]
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
	if v.limits != 0 {
		n = v.limit(to, n, req)
	}
	return n
}

// account tells what blocks on an account.
func (v *Verdict) account(to []entitlement.Reason, n int, a accountVerdict, name bank.AccountID) int {
	// First what is not about the member.
	for _, part := range [...]accountVerdict{a &^ (accountUnknown - 1), a & (accountUnknown - 1)} {
		for ; part != 0; part &= part - 1 {
			to[n] = accountReasons[bits.TrailingZeros64(uint64(part))&63]
			to[n].Account = name
			if part&-part == accountOff {
				to[n].Permission = v.rule.entitlement.Enabled()
			}
			n++
		}
	}
	return n
}

// toAccount tells what blocks on the other account of a transfer. Where that is
// the same one, nothing is told twice.
func (v *Verdict) toAccount(to []entitlement.Reason, n int, req *entitlement.Request) int {
	told := n
	n = v.account(to, n, v.to, req.ToAccount)
	if req.ToAccount != req.Account {
		return n
	}
	kept := to[:told]
	for _, r := range to[told:n] {
		if !slices.Contains(to[:told], r) {
			kept = append(kept, r)
		}
	}
	return len(kept)
}

// limit tells where the limits of a rule refuse, level by level.
func (v *Verdict) limit(to []entitlement.Reason, n int, req *entitlement.Request) int {
	for all := v.limits; all != 0; all &= all - 1 {
		at := bits.TrailingZeros16(all)
		l, level := &v.rule.limits[at/8], at%8
		r := &to[n]
		*r = limitReasons[l.limit][level]
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
		n++
	}
	return n
}
