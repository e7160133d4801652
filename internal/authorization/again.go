package authorization

import (
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/usage"
)

// request is the original question, for now.
func (a *Authorization) request(p *entitlement.Policy, now time.Time) entitlement.Request {
	return a.Asked.request(p, catalog.ParseOperation(a.Asked.Operation), now)
}

// initiatorNow asks the original question again, for now.
func (a *Authorization) initiatorNow(tx *db.Tx, p *entitlement.Policy) (entitlement.Decision, error) {
	return decide(tx, p, a.request(p, tx.Now), usage.ID(a.ID))
}

// approverNow asks whether a member may approve it now.
func (a *Authorization) approverNow(tx *db.Tx, p *entitlement.Policy, member bank.UserID) (entitlement.Decision, error) {
	asked := a.Asked
	asked.Member, asked.ToAccount = member, ""
	d, err := decide(tx, p, asked.request(p, catalog.WiresApprove, tx.Now), "")
	if err == nil && member == a.Asked.Member {
		d.Reasons = append(d.Reasons, aboutMember(entitlement.SelfApproval))
		d.Allowed = false
	}
	return d, err
}

func aboutMember(code entitlement.Code) entitlement.Reason {
	return entitlement.Reason{Code: code, Level: entitlement.LevelUser, Permission: entitlement.NoPermission}
}

// scope is whose facts it takes to judge the payment with a member who approves.
func (a *Authorization) scope(member bank.UserID) entitlement.Scope {
	return a.Asked.Scope().And(scopeOf(member))
}

// judgeBoth asks again, for now, whether the initiator may send it and whether
// a member may approve it; an empty member is nobody, of whom nothing is asked.
// The policy must hold the scope of both.
func (a *Authorization) judgeBoth(tx *db.Tx, p *entitlement.Policy, member bank.UserID) (initiator, approver entitlement.Decision, err error) {
	if initiator, err = a.initiatorNow(tx, p); err != nil {
		return initiator, approver, err
	}
	approver, err = a.approverNow(tx, p, member)
	return initiator, approver, err
}
