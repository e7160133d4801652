// Package authorization answers payment systems: may this payment go, and from
// now on it counts. A payment is authorized under a reference of the caller's
// choosing, approved by a second person where that is required, and confirmed
// at the moment of release; nothing is released without that. Deciding and
// counting are one step, under the organization's lock.
//
// Our own payment rooms come in by the verbs that end in In, inside their own
// change; outside systems by the others, which record the history themselves.
// Nothing here knows what a payment is beyond its amount, account and context.
// The rules are those of section 3 of the decision specification.
package authorization

import (
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/usage"
)

// Named limits.
const (
	// Lifetime is how long a payment may wait to be confirmed before it is void.
	Lifetime = 7 * 24 * time.Hour

	// MaxRef is the most bytes of a reference.
	MaxRef = 128

	// MaxContent is the most bytes of what is asked, written as JSON.
	MaxContent = 16 << 10

	prefixAuthorization = "aut"
)

// A Ref is the name under which a caller finds a payment again. It is unique
// per institution and calling client.
type Ref struct {
	Client bank.ClientID // empty: our own rooms
	Name   string
}

// A State is where an authorization stands.
type State uint8

// The zero state releases nothing.
const (
	Refused State = iota
	Pending
	Confirmed
	Voided
)

// An Authorization is what is kept under a reference.
type Authorization struct {
	Institution      bank.InstitutionID
	Organization     bank.OrganizationID
	Ref              Ref
	ID               string // for the history; also the reservation's
	Asked            Asked
	State            State
	ApprovalRequired bool // when it was authorized
	ApprovedBy       bank.UserID
	Reasons          []entitlement.Reason // of a refused one
	Created          time.Time
	WaitsFrom        time.Time // when the wait for its confirmation began

	content string // of Asked, as stored
}

// Target is the authorization as history names it.
func (a *Authorization) Target() activity.Target {
	return activity.Target{Kind: activity.TargetPayment, ID: a.ID, Name: a.Ref.Name}
}

// answer is the answer that was given when it was authorized.
func (a *Authorization) answer() entitlement.Decision {
	if a.State == Refused {
		return entitlement.Decision{Reasons: a.Reasons}
	}
	return entitlement.Decision{Allowed: true, ApprovalRequired: a.ApprovalRequired}
}

// An Answer is what a verb says.
type Answer struct {
	entitlement.Decision
	Repeated      bool          // it was so before; this call changed nothing
	Authorization Authorization // as it stands now; zero where the reference is unknown
}

func (a *Authorization) refused(code entitlement.Code) Answer {
	return Answer{Decision: entitlement.Refused(code), Authorization: *a}
}

// Decide answers a question and counts nothing. The policy must hold what
// asked.Scope names.
func Decide(tx *db.Tx, p *entitlement.Policy, asked Asked) (entitlement.Decision, error) {
	return decide(tx, p, asked.request(p, catalog.ParseOperation(asked.Operation), tx.Now), "")
}

// decide answers a request with what is used, without what the reservation
// except holds.
func decide(tx *db.Tx, p *entitlement.Policy, req entitlement.Request, except usage.ID) (entitlement.Decision, error) {
	used, err := usage.ForExcept(tx, p, req, except)
	if err != nil {
		return entitlement.Decision{}, err
	}
	req.Used = used
	return entitlement.Decide(p, req), nil
}
