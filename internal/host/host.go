// Package host is the way to the institution's core-banking host, where the
// money lives. It states what a host must be able to do (Connector), and brings
// orders to it: a room queues an order in the transaction that makes it true,
// the Desk carries it out after the commit, at least once, under a key that
// makes twice harmless, and tells the room what came of it.
//
// No room calls the host inside a transaction, and none knows which host it is.
package host

import (
	"context"
	"errors"
	"strings"
	"time"

	"mandate/internal/bank"
)

// A Connector is a core-banking host. hosttest holds the suite that every
// implementation passes.
type Connector interface {
	// Balances reads accounts as they stand; one that the host does not have is
	// absent.
	Balances(ctx context.Context, institution bank.InstitutionID, accounts []bank.AccountID) (map[bank.AccountID]Balance, error)

	// Numbers are the full numbers of accounts, as other banks know them; one that
	// the host does not have, or has no number for, is absent.
	Numbers(ctx context.Context, institution bank.InstitutionID, accounts []bank.AccountID) (map[bank.AccountID]string, error)

	// Statement lists what was posted to an account, the latest first.
	Statement(ctx context.Context, institution bank.InstitutionID, account bank.AccountID, most int) ([]Line, error)

	// Carry carries an order out, all of it or nothing, once for each key: asked
	// again it answers as it did, and does nothing. A refusal is an answer. An
	// error says that it is not known what came of it: ask again.
	Carry(ctx context.Context, o Order) (Receipt, error)

	// Cards lists an organization's cards, without their numbers.
	Cards(ctx context.Context, institution bank.InstitutionID, organization bank.OrganizationID) ([]Card, error)

	// Presented lists what came in against enrolled accounts, in the order in
	// which it came, after a mark; the empty mark is the beginning.
	Presented(ctx context.Context, institution bank.InstitutionID, after string, most int) ([]Presented, error)

	// Image is the picture of one side of a presented check, as the host has it,
	// or ErrNoImage.
	Image(ctx context.Context, institution bank.InstitutionID, item string, side Side) ([]byte, error)
}

// ErrReused says that a key stands for another order already.
var ErrReused = errors.New("host: the key stands for another order")

// A Balance is what an account holds. Available is what can be moved out: what
// is set aside is not in it.
type Balance struct {
	Ledger    bank.Cents
	Available bank.Cents
}

// A Line is one entry on an account: money that came in, or with a minus sign
// went out.
type Line struct {
	Reference string // of the receipt that it belongs to
	Cents     bank.Cents
	After     bank.Cents // the account's ledger balance after it
	Day       bank.Day
	Memo      string
	At        time.Time
}

// An Order is what a room asks of the host. Whatever it names is done together:
// money moves by Legs, a Hold sets some aside, Free ends a hold, a Stop is
// placed, Lift ends a stop, a File is taken, an account is enrolled, checks were
// issued, a Ruling ends the waiting of an item, a user's change is taken over.
type Order struct {
	Institution  bank.InstitutionID
	Organization bank.OrganizationID // whose accounts it is about
	Room         string              // who asks, and is told
	Ref          string              // the room's own name for it, never used for another
	Day          bank.Day            // the business day on which it counts
	Memo         string

	Legs []Leg
	Hold *Hold
	Free string // the key of the order whose hold ends with this one
	Stop *Stop
	Lift string // the key of the order whose stop ends with this one
	File *File

	Enrol  *Enrolment `json:",omitempty"`
	Issued *Issued    `json:",omitempty"`
	Ruling *Ruling    `json:",omitempty"`
	Card   *CardOrder `json:",omitempty"`
	User   *UserOrder `json:",omitempty"`
}

// Key is the name under which the host knows an order.
func (o *Order) Key() string { return o.Room + "/" + o.Ref }

// A Leg moves money into an account or, with a minus sign, out of it. The legs
// of an order add up to nothing.
type Leg struct {
	Account bank.AccountID
	Cents   bank.Cents
}

// Move are the legs of an amount that goes from one account to another.
func Move(from, to bank.AccountID, cents bank.Cents) []Leg {
	return []Leg{{from, -cents}, {to, cents}}
}

// Balanced reports whether the legs add up to nothing, none of them being
// nothing itself.
func Balanced(legs []Leg) bool {
	var sum bank.Cents
	for _, leg := range legs {
		var fits bool
		if sum, fits = sum.Add(leg.Cents); !fits || leg.Cents == 0 {
			return false
		}
	}
	return sum == 0
}

const internalPrefix = "gl:"

// Internal is an account of the institution's own, such as "wires": where money
// stands that is on its way out, or was charged.
func Internal(name string) bank.AccountID { return bank.AccountID(internalPrefix + name) }

// InternalName is what one of them is called.
func InternalName(id bank.AccountID) string { return strings.TrimPrefix(string(id), internalPrefix) }

// IsInternal reports whether an account is the institution's own.
func IsInternal(id bank.AccountID) bool { return strings.HasPrefix(string(id), internalPrefix) }

// A Hold sets an amount of an account aside until an order frees it.
type Hold struct {
	Account bank.AccountID
	Cents   bank.Cents
}

// A Stop keeps a check, or a row of them, from being paid until a day is over.
type Stop struct {
	Account     bank.AccountID
	First, Last int64      // numbers of the checks
	Cents       bank.Cents // of the check; zero where any amount is meant
	Until       bank.Day
}

// A File is handed over as it is: a NACHA file, a wire message.
type File struct {
	Name string
	Kind string // "nacha", "faim", "pacs.008"
	Body []byte
}

// A Code says why the host refused an order. It is stable, for programs.
type Code string

const (
	NotCovered     Code = "NOT_COVERED"     // an account does not have that much available
	UnknownAccount Code = "UNKNOWN_ACCOUNT" // an account is not the host's, or not the organization's
	UnknownHold    Code = "UNKNOWN_HOLD"    // there is no such hold, or it has ended
	UnknownStop    Code = "UNKNOWN_STOP"    // there is no such stop, or it has ended
	NotBalanced    Code = "NOT_BALANCED"    // the legs do not add up to nothing
	NotEnrolled    Code = "NOT_ENROLLED"    // an account is not under Positive Pay
	UnknownItem    Code = "UNKNOWN_ITEM"    // there is no such item, or it waits no more
	UnreadableFile Code = "UNREADABLE_FILE" // a file is not of the kind that it is said to be
)

// A Receipt is what came of an order.
type Receipt struct {
	Reference string // the host's number for it
	At        time.Time
	Refused   Code           // empty: it was carried out
	Account   bank.AccountID // for which it was refused, where one is to blame
	User      Ref            // of an order about a user: the host's name of them
	Version   int64          // of that user after the order
}

// Done reports whether the order was carried out.
func (r Receipt) Done() bool { return r.Refused == "" }

// Sentence says why an order was refused; accounts go by the names given.
func (r Receipt) Sentence(name func(bank.AccountID) string) string {
	switch r.Refused {
	case NotCovered:
		return "There is not enough available in " + name(r.Account) + "."
	case UnknownAccount:
		return "The host has no account " + name(r.Account) + " of this organization."
	case UnknownHold:
		return "What was set aside for this is no longer there."
	case UnknownStop:
		return "The host has no such stop payment."
	case NotBalanced:
		return "The amounts do not add up."
	case UnknownCard:
		return "The host has no such card."
	case CardStanding:
		return "The card was changed meanwhile, so this cannot be done."
	case NotEnrolled:
		return "The host does not have " + name(r.Account) + " under Positive Pay."
	case UnknownItem:
		return "The host has settled this item already."
	case UnreadableFile:
		return "The host cannot read the file."
	case UnknownUser:
		return "The host has no such user."
	case UnknownOrganization:
		return "The host has no such organization."
	case UserExists:
		return "The host has another user of this name."
	case NotOffered:
		return "The host cannot do this."
	case "":
		return ""
	}
	return "The host refused this (" + string(r.Refused) + ")."
}
