// Package transfer is the room of moving money between accounts of one
// organization: at once, on a later day, or again and again. Each transfer is
// decided by the engine (transfers.create) when it is asked for and again when
// it goes out; the money itself moves at the host, by an order that leaves with
// the commit. The room keeps what was asked and how far it has come. It knows no
// balance, and nothing of how people sign in.
package transfer

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/usage"
)

// RoomName is the room as the host's desk knows it.
const RoomName = "transfer"

// History events of transfers.
const (
	EventCreated   = "transfer.created"   // to go at once
	EventScheduled = "transfer.scheduled" // for a later day, or a series
	EventEdited    = "transfer.edited"
	EventCancelled = "transfer.cancelled"
	EventMoved     = "transfer.moved"    // its day became a holiday
	EventSent      = "transfer.sent"     // handed to the host
	EventExecuted  = "transfer.executed" // done by the host
	EventRefused   = "transfer.refused"  // by the engine at execution, or by the host
)

// Ids of transfers and of series.
type (
	ID       string
	SeriesID string
)

// NewID is a name for a transfer that is about to be asked for. Whoever asks
// chooses it, so that asking twice makes one.
func NewID(now time.Time) ID { return ID(bank.NewID(prefix, now)) }

// prefix begins the ids of transfers.
const prefix = "trf"

// A Transfer is one movement of money.
type Transfer struct {
	Institution  bank.InstitutionID
	Organization bank.OrganizationID
	ID           ID
	Series       SeriesID // empty: it is none of a series
	Occurrence   int      // of a series, from 1
	From, To     bank.AccountID
	Cents        bank.Cents
	Memo         string
	State        State
	Asked        bank.Day // the day it was wanted on
	Day          bank.Day // the business day on which it counts
	Because      string   // why the two differ
	Due          time.Time
	By           Somebody // on whose right it goes: whoever asked for it as it stands
	Maker        Somebody
	Created      time.Time
	Sent         time.Time // handed to the host; zero before
	Settled      time.Time // the host's answer, or the end of it; zero before
	Attempt      int
	Reference    string // the host's number
	Code         string // why it was refused, for programs
	Problem      string // the same in words
	Version      int64

	hash string
}

// Somebody is a person as they were called then.
type Somebody struct {
	ID   bank.UserID
	Name string
}

func somebody(c bank.Caller) Somebody { return Somebody{c.Member(), c.Name} }

// Title is the transfer as a page names it.
func (t *Transfer) Title() string { return "Transfer of " + t.Cents.Dollars() }

// target is the transfer as history names it: within a sentence.
func (t *Transfer) target() activity.Target {
	return activity.Target{Kind: activity.TargetPayment, ID: string(t.ID), Name: "transfer of " + t.Cents.Dollars()}
}

// ref is the name of the order to the host: a new one for each attempt.
func (t *Transfer) ref() string { return fmt.Sprintf("%s/%d", t.ID, t.Attempt) }

// ErrNone says that there is no such transfer for whoever asks.
var ErrNone = fault.New(fault.NotFound, "There is no such transfer here.")

// ErrStale refuses a change of what somebody else changed meanwhile.
var ErrStale = fault.New(fault.Conflict, "This transfer was changed meanwhile. Look at it again.").With("CHANGED")

// A Teller tells people by mail, in the transaction of what they are told.
type Teller interface {
	Tell(tx *db.Tx, institution bank.InstitutionID, people []bank.UserID, key, purpose, subject string, lines ...string) error
}

// A Config is what the room needs.
type Config struct {
	DB       *db.DB
	Guard    *guard.Guard
	Calendar *calendar.Service
	Desk     *host.Desk
	Teller   Teller
	Process  string // a name of this process, for its lease
}

// A Service is the verbs of the room.
type Service struct {
	db       *db.DB
	guard    *guard.Guard
	calendar *calendar.Service
	desk     *host.Desk
	teller   Teller
	process  string
}

// New returns the room and listens to the host's answers.
func New(cfg Config) *Service {
	s := &Service{db: cfg.DB, guard: cfg.Guard, calendar: cfg.Calendar, desk: cfg.Desk, teller: cfg.Teller, process: cfg.Process}
	s.desk.Answer(RoomName, s.settled)
	return s
}

// A Refusal is why a transfer may not be, with its proof: the cause of a fault.
type Refusal struct{ entitlement.Explanation }

func (r *Refusal) Error() string { return string(r.Reasons[0].Code) }

// question is what the engine is asked about a transfer.
func question(member bank.UserID, from, to bank.AccountID, cents bank.Cents, now time.Time) entitlement.Request {
	return entitlement.Request{
		Member: member, Operation: catalog.TransfersCreate, Account: from, ToAccount: to, Amount: entitlement.AmountOf(cents), Now: now,
	}
}

// explain answers a question with what is used.
func explain(tx *db.Tx, p *entitlement.Policy, req entitlement.Request) (e entitlement.Explanation, err error) {
	if req.Used, err = usage.For(tx, p, req); err != nil {
		return e, err
	}
	return entitlement.Explain(p, req), nil
}

// require refuses what the engine does not allow.
func require(c *guard.Change, req entitlement.Request) error {
	e, err := explain(c.Tx, c.Policy, req)
	if err != nil || e.Allowed {
		return err
	}
	return fault.New(fault.Forbidden, "You may not make this transfer.").With(string(e.Reasons[0].Code)).Because(&Refusal{e})
}

// scopeOf is whose facts a question reads.
func scopeOf(member bank.UserID, accounts ...bank.AccountID) entitlement.Scope {
	return entitlement.Scope{Members: []bank.UserID{member}, Accounts: accounts}
}

// hashOf is the hash of something that is asked for, to know a repetition.
func hashOf(asked any) string {
	text, err := json.Marshal(asked)
	if err != nil {
		panic(err) // plain fields only
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
