package host

import (
	"errors"
	"time"

	"mandate/internal/bank"
)

// Positive Pay: a customer tells which checks they issued, the host compares
// what comes in from clearing, and what does not fit waits for the customer.

// An Enrolment puts an account under Positive Pay, or takes it out.
type Enrolment struct {
	Account bank.AccountID
	On      bool
}

// Issued are checks that a customer wrote on an account, or declares void.
type Issued struct {
	Account bank.AccountID
	Checks  []IssuedCheck
}

// An IssuedCheck is one of them.
type IssuedCheck struct {
	Number int64
	Cents  bank.Cents
	Payee  string // empty: whoever it is made out to
	Void   bool
}

// A Ruling says what becomes of an item that waits. The host moves the money of
// one that is paid.
type Ruling struct {
	Item   string // the host's own name for it
	Pay    bool   // otherwise it goes back
	Reason string // why it goes back
}

// An ItemKind is what sort of item came in.
type ItemKind string

const (
	CheckItem ItemKind = "check"
	ACHItem   ItemKind = "ach" // somebody else's debit
)

// A Mismatch is why an item waits. It is stable, for programs.
type Mismatch string

const (
	NotIssued     Mismatch = "NOT_ISSUED"     // no such check was issued
	WrongAmount   Mismatch = "WRONG_AMOUNT"   // it was issued over another amount
	WrongPayee    Mismatch = "WRONG_PAYEE"    // it was issued to somebody else
	PaidBefore    Mismatch = "PAID_BEFORE"    // a check of this number was paid already
	VoidCheck     Mismatch = "VOID"           // it was declared void
	NotAuthorized Mismatch = "NOT_AUTHORIZED" // nobody said that this company may debit the account
)

// An Outcome is what the host did with an item.
type Outcome string

const (
	Waiting  Outcome = "waiting"
	Paid     Outcome = "paid"
	Returned Outcome = "returned"
)

// A Presented is an item that came in from clearing against an enrolled account.
type Presented struct {
	Mark         string // asked for what comes after it, the host goes on from here
	Item         string // the host's own name for it
	Organization bank.OrganizationID
	Account      bank.AccountID
	Kind         ItemKind
	Day          bank.Day // the business day by whose cut-off it must be decided
	Number       int64    // of a check
	Cents        bank.Cents
	Payee        string   // of a check, as it could be read
	Mismatch     Mismatch // empty: it fits
	Outcome      Outcome  // as it stood when it came in
	Company      string   // of an ACH item: who asks for the money
	CompanyID    string
	Class        string // the standard entry class
	Description  string
	Trace        string
	Sides        []Side // of which there is a picture
	At           time.Time
}

// A Side of a check.
type Side string

const (
	Front Side = "front"
	Back  Side = "back"
)

// ErrNoImage says that the host has no such picture.
var ErrNoImage = errors.New("host: there is no such picture")
