// Package approval is the one queue for everything that waits for a second
// person. A room asks (AskIn) in the change that makes its item wait; somebody
// who may, and had no hand in it, approves or rejects; the room releases. What
// is approved is bound to the content as it stood: any change sends it back.
// Who may approve is asked of the engine over the organization's members, and
// everybody's rights are judged again at approval and at release.
//
// Verbs that end in In work inside a room's own change and record nothing: the
// room's event says what happened. The others are changes of their own. Nothing
// here knows what a payment is; a Kind says what its items are about.
package approval

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/usage"
)

// Named limits.
const (
	// Lifetime is how long an item waits where its room names no end.
	Lifetime = 7 * 24 * time.Hour

	// MaxComment is the most characters of a comment.
	MaxComment = 500

	// MaxQueue is the most items that one look at the queue shows, and the most
	// of one page of what was decided.
	MaxQueue = 200

	// MaxCount is the most waiting items that are counted for somebody.
	MaxCount = 100

	prefixItem = "apr"
)

// A State is where an item stands.
type State string

const (
	Waiting   State = "waiting"
	Approved  State = "approved"  // and not released yet, such as for a later day
	Released  State = "released"  //
	Rejected  State = "rejected"  //
	SentBack  State = "sent_back" // it was changed
	Withdrawn State = "withdrawn" // its room took it back
	Expired   State = "expired"   // nobody decided in time
)

// A Step is what happens to an item.
type Step string

const (
	approve  Step = "approve"
	reject   Step = "reject"
	change   Step = "change"
	withdraw Step = "withdraw"
	expire   Step = "expire"
	release  Step = "release"
)

// steps are all that can happen; whatever is not here cannot.
var steps = map[State]map[Step]State{
	Waiting:  {approve: Approved, reject: Rejected, change: SentBack, withdraw: Withdrawn, expire: Expired},
	Approved: {change: SentBack, withdraw: Withdrawn, release: Released},
}

// An Item is something that waits, or waited, for a second person.
type Item struct {
	Institution  bank.InstitutionID
	Organization bank.OrganizationID
	ID           string
	Kind         string // the room's
	Ref          string // the room's own id
	Title        string
	Account      bank.AccountID // empty where there is none
	Cents        bank.Cents
	State        State
	Hash         string // of the content that waits
	Initiator    Somebody
	Asked        time.Time
	Expires      time.Time
	By           Somebody // who decided
	Decided      time.Time
	Comment      string
	Overseer     bank.GroupID // the group whose staff decide; empty where the organization's people do

	side side
}

// A side is whose people decide.
type side string

const (
	memberSide side = "member" // the organization's own
	staffSide  side = "staff"  // the institution's
)

// Somebody is a person as history names them.
type Somebody struct {
	ID   bank.UserID
	Name string
}

// target is the item as history names it: the room's own object.
func (i *Item) target() activity.Target {
	return activity.Target{Kind: activity.TargetPayment, ID: i.Ref, Name: i.Title}
}

// open reports whether the item can still go out.
func (i *Item) open() bool { return i.State == Waiting || i.State == Approved }

// A Kind is a room whose items wait here.
type Kind interface {
	// Matter reads what an item is about, as it stands now.
	Matter(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, ref string) (Matter, error)

	// Sights are what is asked of whoever wants to see one of its items, by ref,
	// for all of an organization at once. What is gone is not among them.
	Sights(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID) (map[string]entitlement.Request, error)

	// Events are the history events of what happens to its items.
	Events() Events

	// Approved takes the approval into the room, inside the same change. What
	// is to go out at once is released here (ReleaseIn).
	Approved(c *guard.Change, item Item) error

	// Ended takes back an item that was rejected or has expired.
	Ended(c *guard.Change, item Item) error
}

// A Carrier is a Kind whose items may go out the moment they are approved. It is
// called after the commit and may call out; what it does not get to goes out by
// itself later, which is why there is no error.
type Carrier interface{ Carry(ctx context.Context) }

// Events are names of the event catalogue, such as "wire.approved".
type Events struct{ Approved, Rejected, Expired string }

// A Matter is what an item is about. Its questions are asked for the moment at
// which they are asked; the member is filled in here.
type Matter struct {
	Lines       []Line // what a person reads before they agree
	Title       string
	Account     bank.AccountID
	Cents       bank.Cents
	Content     []byte                                          // all that is agreed to, with the versions of what it refers to
	Approve     func(member bank.UserID) entitlement.Request    // asked of whoever approves
	See         func(member bank.UserID) entitlement.Request    // asked of whoever wants to see it
	Initiate    entitlement.Request                             // asked of the initiator again
	Reservation usage.ID                                        // what the item has reserved itself
	MayOwn      func(p *entitlement.Policy, m bank.UserID) bool // may they approve what they made? nil: nobody may
}

// A Line is one thing that a person reads before they agree: "Payee", "Harbor
// Supplies". Accounts go by Matter.Account and amounts by Matter.Cents.
type Line struct{ Term, Value string }

// Hash is the hash of the content, as a page carries it.
func (m *Matter) Hash() string {
	sum := sha256.Sum256(m.Content)
	return hex.EncodeToString(sum[:])
}

// Scope is whose facts the matter's questions read, for every member.
func (m *Matter) Scope() entitlement.Scope {
	scope := entitlement.Scope{AllMembers: true}
	for _, id := range []bank.AccountID{m.Account, m.Initiate.Account, m.Initiate.ToAccount} {
		if id != "" && !slices.Contains(scope.Accounts, id) {
			scope.Accounts = append(scope.Accounts, id)
		}
	}
	return scope
}

// Approvers are the members who may approve a matter at a moment: whoever the
// engine allows, without those who had a hand in it. The policy must hold
// Matter.Scope. A room asks this before anything is saved, to say who will be
// asked, or that nobody could.
func Approvers(p *entitlement.Policy, m *Matter, hands []bank.UserID, now time.Time) []bank.UserID {
	var may []bank.UserID
	for id := range p.Members {
		if mayApprove(p, m, hands, id, now).Allowed {
			may = append(may, id)
		}
	}
	slices.Sort(may)
	return may
}

// whyNot is the proof of why a member may not approve.
func whyNot(p *entitlement.Policy, m *Matter, d entitlement.Decision, member bank.UserID, now time.Time) entitlement.Explanation {
	req := m.Approve(member)
	req.Member, req.Now = member, now
	e := entitlement.Explain(p, req)
	e.Decision = d
	return e
}

// mayApprove judges one member.
func mayApprove(p *entitlement.Policy, m *Matter, hands []bank.UserID, member bank.UserID, now time.Time) entitlement.Decision {
	req := m.Approve(member)
	req.Member, req.Now = member, now
	d := entitlement.Decide(p, req)
	if slices.Contains(hands, member) && (m.MayOwn == nil || !m.MayOwn(p, member)) {
		d.Allowed = false
		d.Reasons = append(d.Reasons, entitlement.Reason{Code: entitlement.SelfApproval, Level: entitlement.LevelUser, Permission: entitlement.NoPermission})
	}
	return d
}
