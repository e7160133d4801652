package protocol

import (
	"time"

	"mandate/internal/bank"
	"mandate/internal/host"
)

// An Order is what the host is to do, all of it together or nothing. Its key
// travels in the header Idempotency-Key.
type Order struct {
	Key          string   `json:"-"`
	Organization host.Ref `json:"organization,omitempty" doc:"The customer whose accounts it is about. An order about accounts of others is refused as UNKNOWN_ACCOUNT."`
	Day          bank.Day `json:"day,omitempty" doc:"The business day on which it counts, such as 2026-03-02."`
	Memo         string   `json:"memo,omitempty" doc:"What stands on the statement."`

	Legs   []Leg      `json:"legs,omitempty" doc:"Money that moves. The legs add up to nothing."`
	Hold   *Hold      `json:"hold,omitempty" doc:"An amount to set aside until an order frees it."`
	Free   string     `json:"free,omitempty" doc:"The key of the order whose hold ends. What it sets free can be moved by the legs."`
	Stop   *Stop      `json:"stop,omitempty" doc:"Checks that are not to be paid."`
	Lift   string     `json:"lift,omitempty" doc:"The key of the order whose stop ends."`
	File   *File      `json:"file,omitempty" doc:"A file to take over as it is."`
	Enrol  *Enrolment `json:"enrol,omitempty" doc:"An account goes under Positive Pay, or out of it."`
	Issued *Issued    `json:"issued,omitempty" doc:"Checks that the customer wrote, or declares void."`
	Ruling *Ruling    `json:"ruling,omitempty" doc:"What becomes of an item that waits."`
	Card   *CardOrder `json:"card,omitempty" doc:"What happens to a card."`
	User   *UserOrder `json:"user,omitempty" doc:"A change of a user."`
}

// A Leg moves money into an account or, with a minus sign, out of it. It names
// a customer's account or one of the institution's own.
type Leg struct {
	Account  host.Ref   `json:"account,omitempty" doc:"A customer's account."`
	Internal string     `json:"internal,omitempty" doc:"An account of the institution's own, instead: ach, wires, fees."`
	Cents    bank.Cents `json:"cents" doc:"Money that comes in, or with a minus sign goes out; never zero."`
}

// A Hold sets an amount of an account aside.
type Hold struct {
	Account host.Ref   `json:"account"`
	Cents   bank.Cents `json:"cents"`
}

// A Stop keeps a check, or a row of them, from being paid until a day is over.
type Stop struct {
	Account host.Ref   `json:"account"`
	First   int64      `json:"first" doc:"The first number."`
	Last    int64      `json:"last" doc:"The last number; of one check the same."`
	Cents   bank.Cents `json:"cents,omitempty" doc:"The amount of the check; absent: any."`
	Until   bank.Day   `json:"until,omitempty" doc:"The last day on which it holds."`
}

// A File is handed over as it is.
type File struct {
	Name string `json:"name"`
	Kind string `json:"kind" doc:"nacha, faim or pacs.008."`
	Body []byte `json:"body" doc:"The file, in Base64."`
}

// An Enrolment puts an account under Positive Pay, or takes it out.
type Enrolment struct {
	Account host.Ref `json:"account"`
	On      bool     `json:"on"`
}

// Issued are checks that the customer wrote on an account, or declares void.
type Issued struct {
	Account host.Ref      `json:"account"`
	Checks  []IssuedCheck `json:"checks"`
}

// An IssuedCheck is one of them.
type IssuedCheck struct {
	Number int64      `json:"number"`
	Cents  bank.Cents `json:"cents,omitempty"`
	Payee  string     `json:"payee,omitempty" doc:"Absent: whoever it is made out to."`
	Void   bool       `json:"void,omitempty" doc:"It is declared void; what was known of it stays."`
}

// A Ruling says what becomes of an item that waits. The host moves the money of
// one that is paid.
type Ruling struct {
	Item   string `json:"item"`
	Pay    bool   `json:"pay" doc:"Otherwise it goes back."`
	Reason string `json:"reason,omitempty" doc:"Why it goes back."`
}

// A CardOrder asks something about a card.
type CardOrder struct {
	Card    host.CardID   `json:"card"`
	Step    host.CardStep `json:"step" enum:"activate,lock,unlock,report_lost,report_stolen,reorder"`
	Replace bool          `json:"replace,omitempty" doc:"Of a lost or stolen card: send a new one."`
}

// A UserOrder asks to take a change of a user over. Only the fields that it
// names are changed: what the host changed meanwhile elsewhere stays.
type UserOrder struct {
	Step   host.UserStep `json:"step" enum:"create,update,delete"`
	User   User          `json:"user" doc:"The state of the fields. Of a user to create its ref may be empty: the host gives one."`
	Fields []string      `json:"fields,omitempty" doc:"What changed: name, email, username, role, status, held, a permission's id, account/REF (access), account/REF/PERMISSION."`
}

// An Outcome is what came of an order.
type Outcome string

const (
	Done    Outcome = "done"
	Refused Outcome = "refused"
)

// A Receipt is what came of an order. The same key has the same receipt for
// ever.
type Receipt struct {
	Key       string    `json:"key" doc:"The order's Idempotency-Key."`
	Outcome   Outcome   `json:"outcome" enum:"done,refused"`
	Reference string    `json:"reference" doc:"The host's number for it."`
	At        time.Time `json:"at"`
	Code      host.Code `json:"code,omitempty" pattern:"^[A-Z][A-Z_]*$" maxLength:"40" doc:"Why it was refused: NOT_COVERED, NOT_BALANCED, UNKNOWN_ACCOUNT, UNKNOWN_HOLD, UNKNOWN_STOP, NOT_ENROLLED, UNKNOWN_ITEM, UNKNOWN_CARD, CARD_STATE, UNKNOWN_USER, UNKNOWN_ORGANIZATION, USER_EXISTS, NOT_OFFERED, or the host's own."`
	Account   host.Ref  `json:"account,omitempty" doc:"For which it was refused, where one is to blame."`
	User      host.Ref  `json:"user,omitempty" doc:"Of an order about a user: the host's name of them."`
	Version   int64     `json:"version,omitempty" doc:"Of that user, after the order."`
}
