// Package wire is the room of wires: money that goes to an account at another
// bank, for good. A wire is written down once, drawn from a template, or made
// again and again by a series; whoever may sends it, alone or with a second
// person; on its day it leaves as a message for the host.
//
// Each wire is decided by the engine when it is sent off, when it is approved and
// when it goes out. Its amount counts against the daily limits from the first
// of these on, in the transaction that also decided, until it is given back,
// once. The room knows no balance, and nothing of how people sign in.
package wire

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"mandate/internal/activity"
	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/moneymovement/wire/message"
	"mandate/internal/usage"
)

// RoomName is the room as the host's desk and the queue of approvals know it.
const RoomName = "wire"

// History events of wires.
const (
	EventCreated   = "wire.created"          // saved, to be sent later
	EventScheduled = "wire.scheduled"        // by a series
	EventEdited    = "wire.edited"           // and no longer sent off, unless with the same save
	EventInitiated = "wire.initiated"        // sent off by whoever may do so alone
	EventPending   = "wire.pending_approval" // sent off, and a second person must agree
	EventApproved  = "wire.approved"         //
	EventRejected  = "wire.rejected"         //
	EventExpired   = "wire.expired"          // nobody decided before the cut-off
	EventReleased  = "wire.released"         // handed to the host
	EventProcessed = "wire.processed"        // done by the host
	EventRefused   = "wire.refused"          // by the engine on its day, or by the host
	EventDeleted   = "wire.deleted"          // taken back before it went out

	EventSeriesEdited    = "wire.series_edited"
	EventTemplateCreated = "wire.template_created"
	EventTemplateEdited  = "wire.template_edited"
	EventTemplateDeleted = "wire.template_deleted"
	EventTermsChanged    = "wire.terms_changed"
)

// Ids of the room's objects.
type (
	ID         string
	SeriesID   string
	TemplateID string
)

// NewID is a name for a wire that is about to be asked for. Whoever asks
// chooses it, so that asking twice makes one.
func NewID(now time.Time) ID { return ID(bank.NewID(prefix, now)) }

// prefix begins the ids of wires.
const prefix = "wir"

// NewTemplateID is a name for a template that is about to be made.
func NewTemplateID(now time.Time) TemplateID { return TemplateID(bank.NewID("wtp", now)) }

// An Instruction is whom to pay how much from where: what a wire, a series and
// a template have in common.
type Instruction struct {
	Account bank.AccountID
	Cents   bank.Cents
	Payee   message.Party
	Bank    message.Agent // of the payee
	Via     message.Agent // a bank on the way there; the zero one is none
	Remarks string
}

// A Wire is one movement of money.
type Wire struct {
	Institution  bank.InstitutionID
	Organization bank.OrganizationID
	ID           ID
	Series       SeriesID // empty: it is none of a series
	Occurrence   int      // of a series, from 1
	Template     TemplateID
	TemplateName string
	Instruction
	State      State
	Asked      bank.Day // the day it is wanted on; empty: as soon as may be
	Day        bank.Day // the business day on which it goes out
	Because    string   // why the two differ
	Due        time.Time
	By         Somebody // on whose right it goes: whoever sent it off
	Maker      Somebody
	Created    time.Time
	Initiated  time.Time // sent off; zero before
	Sent       time.Time // handed to the host; zero before
	Settled    time.Time // the end of it; zero before
	Attempt    int       // how often it was sent off
	Item       string    // in the queue of approvals, of the last attempt; empty: it needed none
	Approver   string
	Originator message.Party // as the message names who pays
	Format     message.Format
	Number     int    // of the message
	Reference  string // the host's number
	Code       string // why it came back, for programs
	Problem    string // the same in words
	Version    int64

	hash   string
	proven bool // whoever sends it off has just proved who they are, for the series
}

// Somebody is a person as they were called then.
type Somebody struct {
	ID   bank.UserID
	Name string
}

func somebody(c bank.Caller) Somebody { return Somebody{c.Member(), c.Name} }

// Title is the wire as a page names it.
func (w *Wire) Title() string { return "Wire of " + w.Cents.Dollars() + " to " + w.Payee.Name }

// target is the wire as history names it: within a sentence.
func (w *Wire) target() activity.Target {
	return activity.Target{Kind: activity.TargetPayment, ID: string(w.ID), Name: "wire of " + w.Cents.Dollars()}
}

// ref is the name of the order to the host, and of what is counted: a new one
// for each attempt.
func (w *Wire) ref() string { return fmt.Sprintf("%s/%d", w.ID, w.Attempt) }

func (w *Wire) reservation() usage.ID { return usage.ID(RoomName + "/" + w.ref()) }

// reference is the name under which other banks know it.
func (w *Wire) reference() string {
	id := string(w.ID)
	return fmt.Sprintf("W%s%03d", strings.ToUpper(id[max(0, len(id)-12):]), w.Attempt%1000)
}

// content is everything that somebody agrees to.
func (w *Wire) content() []byte {
	text, err := json.Marshal(struct {
		ID         ID
		Attempt    int
		Series     SeriesID
		By         bank.UserID
		Asked, Day bank.Day
		Instruction
	}{w.ID, w.Attempt, w.Series, w.By.ID, w.Asked, w.Day, w.Instruction})
	if err != nil {
		panic(err) // plain fields only
	}
	return text
}

// What people hear of what is not there for them, or not as they saw it.
var (
	ErrNone         = fault.New(fault.NotFound, "There is no such wire here.")
	ErrNoTemplate   = fault.New(fault.NotFound, "There is no such template here.")
	ErrStale        = fault.New(fault.Conflict, "This wire was changed meanwhile. Look at it again.").With("CHANGED")
	ErrStalePattern = fault.New(fault.Conflict, "This template was changed meanwhile. Look at it again.").With("CHANGED")
	ErrNotWaiting   = fault.New(fault.Conflict, "This wire waits for nobody's approval.").With("NOT_PENDING")
	ErrNotSetUp     = fault.New(fault.Unavailable, "Wires cannot be sent yet: the institution has not set up its connection. Ask the institution.").With("NOT_SET_UP")
)

// A Teller tells people by mail, in the transaction of what they are told.
type Teller interface {
	Tell(tx *db.Tx, institution bank.InstitutionID, people []bank.UserID, key, purpose, subject string, lines ...string) error
}

// Originators finds how messages name an organization and its account. It is
// asked outside of transactions.
type Originators func(ctx context.Context, institution bank.InstitutionID, organization bank.OrganizationID, account bank.AccountID) (message.Party, error)

// A Config is what the room needs.
type Config struct {
	DB          *db.DB
	Guard       *guard.Guard
	Calendar    *calendar.Service
	Desk        *host.Desk
	Queue       *approval.Service
	Names       approval.Names
	Originators Originators
	Teller      Teller
	Process     string // a name of this process, for its lease
}

// A Service is the verbs of the room.
type Service struct {
	db          *db.DB
	guard       *guard.Guard
	calendar    *calendar.Service
	desk        *host.Desk
	queue       *approval.Service
	names       approval.Names
	originators Originators
	teller      Teller
	process     string
}

// New returns the room, enters it in the queue of approvals and listens to the
// host's answers.
func New(cfg Config) *Service {
	s := &Service{
		db: cfg.DB, guard: cfg.Guard, calendar: cfg.Calendar, desk: cfg.Desk, queue: cfg.Queue, names: cfg.Names,
		originators: cfg.Originators, teller: cfg.Teller, process: cfg.Process,
	}
	s.queue.Add(RoomName, s)
	s.desk.Answer(RoomName, s.settled)
	return s
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
