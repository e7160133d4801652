package authorization

import (
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/usage"
)

// request is the original question, for now.
func (a *Authorization) request(p *entitlement.Policy, now time.Time) entitlement.Request {
	return a.Asked.request(p, catalog.ParseOperation(a.Asked.Operation), now)
}

// initiatorNow asks the original question again, for now.
func (a *Authorization) initiatorNow(c *guard.Change) (entitlement.Decision, error) {
	return decide(c.Tx, c.Policy, a.request(c.Policy, c.Tx.Now), usage.ID(a.ID))
}

// approverNow asks whether a member may approve it now.
func (a *Authorization) approverNow(c *guard.Change, member bank.UserID) (entitlement.Decision, error) {
	asked := a.Asked
	asked.Member, asked.ToAccount = member, ""
	d, err := decide(c.Tx, c.Policy, asked.request(c.Policy, catalog.WiresApprove, c.Tx.Now), "")
	if err == nil && member == a.Asked.Member {
		d.Reasons = append(d.Reasons, aboutMember(entitlement.SelfApproval))
		d.Allowed = false
	}
	return d, err
}

func aboutMember(code entitlement.Code) entitlement.Reason {
	return entitlement.Reason{Code: code, Level: entitlement.LevelUser, Permission: entitlement.NoPermission}
}

// judgeBoth asks again, for now, whether the initiator may send it and whether
// a member may approve it; an empty member is nobody, of whom nothing is asked.
func (a *Authorization) judgeBoth(c *guard.Change, member bank.UserID) (initiator, approver entitlement.Decision, err error) {
	if err := c.Widen(a.Asked.Scope().And(scopeOf(member))); err != nil {
		return initiator, approver, err
	}
	if initiator, err = a.initiatorNow(c); err != nil {
		return initiator, approver, err
	}
	approver, err = a.approverNow(c, member)
	return initiator, approver, err
}
