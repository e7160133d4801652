package positivepay

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/host"
)

// An ItemID is the name of something that came in.
type ItemID string

// A Verdict is what somebody decides of an exception.
type Verdict string

const (
	Pay    Verdict = "pay"
	Return Verdict = "return"
)

// Label is the verdict as screens show it; empty: there is no such verdict.
func (v Verdict) Label() string { return map[Verdict]string{Pay: "Pay", Return: "Return"}[v] }

// An ItemState is how far an item has come.
type ItemState string

const (
	Open      ItemState = "open"      // waits for a decision
	Paying    ItemState = "paying"    // at the host, which has not answered
	Returning ItemState = "returning" // at the host, which has not answered
	Refused   ItemState = "refused"   // the host could not pay it: it waits for another decision
	Paid      ItemState = "paid"
	Returned  ItemState = "returned"
	Elsewhere ItemState = "elsewhere" // the host had settled it before it heard of the decision
)

// ItemStates are all states in the order of screens.
func ItemStates() []ItemState {
	return []ItemState{Open, Refused, Paying, Returning, Paid, Returned, Elsewhere}
}

// Label is the state as screens show it.
func (s ItemState) Label() string {
	return map[ItemState]string{
		Open: "To decide", Paying: "Being paid", Returning: "Being returned", Refused: "Not paid, decide again", Paid: "Paid", Returned: "Returned", Elsewhere: "Settled by the institution",
	}[s]
}

// Waits reports whether somebody can decide about an item in this state.
func (s ItemState) Waits() bool { _, can := itemSteps[s][payItem]; return can }

type itemStep string

const (
	payItem    itemStep = "pay"
	returnItem itemStep = "return"
	acceptItem itemStep = "accept" // by the host
	refuseItem itemStep = "refuse" // by the host
	missItem   itemStep = "miss"   // the host has it no more
)

// itemSteps are all that can happen to an item; whatever is not here cannot.
var itemSteps = map[ItemState]map[itemStep]ItemState{
	Open:      {payItem: Paying, returnItem: Returning},
	Refused:   {payItem: Paying, returnItem: Returning},
	Paying:    {acceptItem: Paid, refuseItem: Refused, missItem: Elsewhere},
	Returning: {acceptItem: Returned, refuseItem: Refused, missItem: Elsewhere},
}

// A Reason is why an item goes back. It is stable, for programs.
type Reason string

const (
	ReasonNotIssued    Reason = "not_issued"
	ReasonAmount       Reason = "amount"
	ReasonPayee        Reason = "payee"
	ReasonDuplicate    Reason = "duplicate"
	ReasonVoid         Reason = "void"
	ReasonCounterfeit  Reason = "counterfeit"
	ReasonUnauthorized Reason = "unauthorized"
	ReasonRevoked      Reason = "revoked"
	ReasonOther        Reason = "other"
	ReasonNobody       Reason = "not_decided" // of the cut-off; nobody can choose it
)

var reasonLabels = map[Reason]string{
	ReasonNotIssued: "We did not issue this check", ReasonAmount: "The amount was altered", ReasonPayee: "The payee was altered", ReasonDuplicate: "It was paid before",
	ReasonVoid: "It is void", ReasonCounterfeit: "It is forged or counterfeit", ReasonUnauthorized: "We did not authorize this debit",
	ReasonRevoked: "We revoked the authorization", ReasonOther: "Another reason", ReasonNobody: "Nobody decided by the cut-off",
}

// Label is the reason as screens show it.
func (r Reason) Label() string { return reasonLabels[r] }

// Reasons are those that can be chosen for a kind of item, in the order of
// screens.
func Reasons(kind host.ItemKind) []Reason {
	if kind == host.ACHItem {
		return []Reason{ReasonUnauthorized, ReasonRevoked, ReasonAmount, ReasonDuplicate, ReasonOther}
	}
	return []Reason{ReasonNotIssued, ReasonAmount, ReasonPayee, ReasonDuplicate, ReasonVoid, ReasonCounterfeit, ReasonOther}
}

// MismatchLabel says why an item waits.
func MismatchLabel(m host.Mismatch) string {
	return map[host.Mismatch]string{
		host.NotIssued: "Not issued", host.WrongAmount: "Another amount", host.WrongPayee: "Another payee", host.PaidBefore: "Paid before",
		host.VoidCheck: "Void", host.NotAuthorized: "Not authorized",
	}[m]
}

// Mismatches are all of them in the order of screens.
func Mismatches() []host.Mismatch {
	return []host.Mismatch{host.NotIssued, host.WrongAmount, host.WrongPayee, host.PaidBefore, host.VoidCheck, host.NotAuthorized}
}

// An Item is something that came in from clearing: a check that matched, or an
// exception.
type Item struct {
	Institution  bank.InstitutionID
	Organization bank.OrganizationID
	ID           ItemID
	Account      bank.AccountID
	Kind         host.ItemKind
	Day          bank.Day // the business day by whose cut-off it must be decided
	Number       int64    // of a check
	Cents        bank.Cents
	Payee        string        // of a check, as the host could read it
	Mismatch     host.Mismatch // empty: it matched
	Company      string        // of an ACH item
	CompanyID    string
	Class        string
	Description  string
	Trace        string
	Sides        []host.Side // of which there is a picture
	State        ItemState
	Reason       Reason // why it goes back
	Note         string
	By           Somebody // who decided; empty before
	Created      time.Time
	Decided      time.Time // zero before
	Settled      time.Time // the host's last answer; zero before
	Attempt      int
	Reference    string // the host's number
	Code         string // why the host refused it, for programs
	Problem      string // the same in words
	Version      int64

	hostID string
}

// Title is the item as a page names it.
func (i *Item) Title() string {
	if i.Kind == host.ACHItem {
		return "ACH debit by " + i.Company
	}
	return fmt.Sprintf("Check %d", i.Number)
}

func (i *Item) target() activity.Target {
	name := fmt.Sprintf("check %d of %s", i.Number, i.Cents.Dollars())
	if i.Kind == host.ACHItem {
		name = "ACH debit of " + i.Cents.Dollars()
	}
	return activity.Target{Kind: activity.TargetPayment, ID: string(i.ID), Name: name}
}

// operation is what somebody must be allowed to decide about an item, and to
// see it.
func operation(kind host.ItemKind) catalog.Operation {
	if kind == host.ACHItem {
		return catalog.ARPACHExceptionDecide
	}
	return catalog.ARPCheckExceptionDecide
}

// Operation is what somebody must be allowed to decide about the item.
func (i *Item) Operation() catalog.Operation { return operation(i.Kind) }

// ErrNoItem says that the organization has no such exception.
var ErrNoItem = fault.New(fault.NotFound, "There is no such exception here.")

// ref is the name of the order to the host: a new one for each attempt.
func (i *Item) ref() string { return fmt.Sprintf("item/%s/%d", i.ID, i.Attempt) }

// to takes a step and stores the item.
func (i *Item) to(c *guard.Change, step itemStep) error {
	next, can := itemSteps[i.State][step]
	if !can {
		return fault.Newf(fault.Conflict, "This exception cannot be decided any more: it is %s.", strings.ToLower(i.State.Label())).With("STATE")
	}
	i.State, i.Version = next, i.Version+1
	switch step {
	case payItem, returnItem:
		i.Attempt++
		i.Decided, i.Code, i.Problem = c.Tx.Now, "", ""
	default:
		i.Settled = c.Tx.Now
	}
	return updateItem(c.Tx, i)
}

// order is what the host is asked to do with it.
func (i *Item) order() host.Order {
	return host.Order{
		Institution: i.Institution, Organization: i.Organization, Room: RoomName, Ref: i.ref(), Day: i.Day, Memo: i.Title(),
		Ruling: &host.Ruling{Item: i.hostID, Pay: i.State == Paying, Reason: string(i.Reason)},
	}
}

// send takes the step of a verdict and hands it to the host.
func (i *Item) send(c *guard.Change, v Verdict) error {
	step := returnItem
	if v == Pay {
		step, i.Reason = payItem, ""
	}
	if err := i.to(c, step); err != nil {
		return err
	}
	return host.Queue(c.Tx, i.order())
}

// itemSettled hears what the host did.
func (s *Service) itemSettled(c *guard.Change, id ItemID, o host.Order, r host.Receipt) error {
	i, found, err := findItem(c.Tx, place{o.Institution, o.Organization}, id)
	if err != nil || !found || i.ref() != o.Ref || !slices.Contains([]ItemState{Paying, Returning}, i.State) {
		return err
	}
	old := i.State
	change := func() activity.Change { return activity.Change{Field: "state", Old: string(old), New: string(i.State)} }
	i.Reference = r.Reference
	if r.Done() {
		if err := i.to(c, acceptItem); err != nil {
			return err
		}
		event := map[ItemState]string{Paid: EventPaid, Returned: EventReturned}[i.State]
		c.RecordQuiet(event, i.target(), "", change(), activity.Change{Field: "reference", New: r.Reference})
		if i.State == Paid && i.Kind == host.CheckItem {
			return payIssue(c.Tx, place{o.Institution, o.Organization}, i.Account, i.Number, i.Day)
		}
		return nil
	}
	step := refuseItem
	if r.Refused == host.UnknownItem {
		step = missItem
	}
	i.Code, i.Problem = string(r.Refused), r.Sentence(func(bank.AccountID) string { return "the account" })
	if err := i.to(c, step); err != nil {
		return err
	}
	c.RecordRefused(EventRefused, i.target(), i.Code, i.Problem, change())
	return s.teller.Tell(c.Tx, i.Institution, members(i.By), "arp "+o.Ref, EventRefused, "An exception was not settled as decided",
		"The host did not do what was decided about an exception.", "Sign in and look under Positive Pay. Until the cut-off it can be decided again.")
}
