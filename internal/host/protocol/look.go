package protocol

import (
	"time"

	"mandate/internal/bank"
	"mandate/internal/host"
)

// A Balance is what an account holds.
type Balance struct {
	Account   host.Ref   `json:"account"`
	Ledger    bank.Cents `json:"ledger_cents"`
	Available bank.Cents `json:"available_cents" doc:"What can be moved out: without what is set aside, and with a line of credit."`
}

// A Number is the full number of an account.
type Number struct {
	Account host.Ref `json:"account"`
	Number  string   `json:"number" doc:"As other banks know it."`
}

// A Line is one entry on an account.
type Line struct {
	Reference string     `json:"reference" doc:"Of the receipt that it belongs to."`
	Cents     bank.Cents `json:"cents" doc:"Money that came in, or with a minus sign went out."`
	After     bank.Cents `json:"after_cents" doc:"The account's ledger balance after it."`
	Day       bank.Day   `json:"day"`
	Memo      string     `json:"memo,omitempty"`
	At        time.Time  `json:"at"`
}

// A Card is a payment card, without its number.
type Card struct {
	ID           host.CardID    `json:"id" doc:"The host's own name of it, never its number."`
	Organization host.Ref       `json:"organization"`
	Account      host.Ref       `json:"account"`
	Holder       string         `json:"holder" doc:"As embossed."`
	Kind         string         `json:"kind" doc:"debit or credit."`
	LastFour     string         `json:"last_four" minLength:"4" maxLength:"4"`
	Expires      string         `json:"expires" pattern:"^[0-9]{4}-[0-9]{2}$" doc:"The last month, such as 2029-04."`
	State        host.CardState `json:"state" enum:"ordered,active,locked,lost,stolen,replaced"`
	Changed      time.Time      `json:"changed"`
	Replaces     host.CardID    `json:"replaces,omitempty"`
	Replacement  host.CardID    `json:"replacement,omitempty" doc:"Ordered instead of it."`
}

// A Presented is an item that came in from clearing against an enrolled account.
type Presented struct {
	Mark         string        `json:"mark" doc:"Asked for what comes after it, the host goes on from here."`
	Item         string        `json:"item" doc:"The host's own name of it."`
	Organization host.Ref      `json:"organization"`
	Account      host.Ref      `json:"account"`
	Kind         host.ItemKind `json:"kind" enum:"check,ach"`
	Day          bank.Day      `json:"day" doc:"The business day by whose cut-off it must be decided."`
	Number       int64         `json:"number,omitempty" doc:"Of a check."`
	Cents        bank.Cents    `json:"cents"`
	Payee        string        `json:"payee,omitempty"`
	Mismatch     host.Mismatch `json:"mismatch,omitempty" pattern:"^[A-Z][A-Z_]*$" maxLength:"40" doc:"Why it waits: NOT_ISSUED, WRONG_AMOUNT, WRONG_PAYEE, PAID_BEFORE, VOID, NOT_AUTHORIZED; absent: it fits."`
	Outcome      host.Outcome  `json:"outcome" enum:"waiting,paid,returned" doc:"As it stood when it came in."`
	Company      string        `json:"company,omitempty" doc:"Of an ACH item: who asks for the money."`
	CompanyID    string        `json:"company_id,omitempty"`
	Class        string        `json:"class,omitempty" doc:"The standard entry class."`
	Description  string        `json:"description,omitempty"`
	Trace        string        `json:"trace,omitempty"`
	Sides        []host.Side   `json:"sides,omitempty" enum:"front,back" doc:"Of which there is a picture."`
	At           time.Time     `json:"at"`
}
