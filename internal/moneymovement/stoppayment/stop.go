// Package stoppayment is the room of stopping checks: one, or a row of them, for
// six months. Every stop is decided by the engine (stops.add, stops.view); the
// host places it and charges the fee, by an order that leaves with the commit.
// Ending one earlier is for the institution. The room moves nothing else and
// knows no check that was paid.
package stoppayment

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
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
)

// RoomName is the room as the host's desk knows it.
const RoomName = "stop"

// months is how long a stop holds.
const months = 6

// History events of stop payments.
const (
	EventAdded        = "stop.added"
	EventPlaced       = "stop.placed"     // by the host: it holds from now on
	EventRefused      = "stop.refused"    // by the host
	EventLiftAsked    = "stop.lift_asked" // by the institution, before its time
	EventLifted       = "stop.lifted"     // by the host
	EventTermsChanged = "institution.stop_terms_changed"
)

// An ID is the name of a stop. Whoever asks chooses it, so that asking twice
// makes one.
type ID string

// NewID is a name for a stop that is about to be asked for.
func NewID(now time.Time) ID { return ID(bank.NewID("stp", now)) }

// A State is how far a stop has come. Whether its six months are over follows
// from the day (Standing).
type State string

const (
	Sent    State = "sent" // at the host, which has not answered
	Active  State = "active"
	Refused State = "refused"
	Lifting State = "lifting" // at the host, to be ended
	Lifted  State = "lifted"
	Expired State = "expired" // never stored: its time is over
)

// States are all states in the order of screens.
func States() []State { return []State{Active, Sent, Expired, Lifted, Refused} }

// Label is the state as screens show it.
func (s State) Label() string {
	return map[State]string{
		Sent: "Being placed", Active: "In force", Refused: "Not placed", Lifting: "Being ended", Lifted: "Ended early", Expired: "Expired",
	}[s]
}

// A Step is what happens to a stop.
type Step string

const (
	accept Step = "accept" // the host did what it was asked
	refuse Step = "refuse" // the host did not
	lift   Step = "lift"   // the institution ends it
)

// steps are all that can happen; whatever is not here cannot.
var steps = map[State]map[Step]State{
	Sent:    {accept: Active, refuse: Refused},
	Active:  {lift: Lifting},
	Lifting: {accept: Lifted, refuse: Active},
}

// A Stop is a stop payment.
type Stop struct {
	Institution  bank.InstitutionID
	Organization bank.OrganizationID
	ID           ID
	Account      bank.AccountID
	First, Last  int64      // numbers of the checks; equal for one check
	Cents        bank.Cents // of the check; 0 where it was not said
	CheckDay     bank.Day   // on the check; empty where it was not said
	Payee        string
	Fee          bank.Cents
	State        State
	Day          bank.Day // the business day on which it was placed
	Until        bank.Day // the last day on which it holds
	By           Somebody
	Created      time.Time
	Settled      time.Time // the host's last answer; zero before
	Reference    string    // the host's number
	Code         string    // why it was refused, for programs
	Problem      string    // the same in words

	hash string
}

// Somebody is a person as they were called then.
type Somebody struct {
	ID   bank.UserID
	Name string
}

// Standing is the state on a day.
func (s *Stop) Standing(today bank.Day) State {
	if s.State == Active && today > s.Until {
		return Expired
	}
	return s.State
}

// Checks are the numbers in words: "Check 1001", "Checks 1001 to 1010".
func (s *Stop) Checks() string { return checks(s.First, s.Last) }

func checks(first, last int64) string {
	if first == last {
		return fmt.Sprintf("Check %d", first)
	}
	return fmt.Sprintf("Checks %d to %d", first, last)
}

func (s *Stop) target() activity.Target {
	return activity.Target{Kind: activity.TargetPayment, ID: string(s.ID), Name: "stop payment of " + strings.ToLower(s.Checks())}
}

// to takes a step and stores the stop.
func (s *Stop) to(tx *db.Tx, step Step) error {
	next, can := steps[s.State][step]
	if !can {
		return fault.Newf(fault.Conflict, "This stop payment cannot be changed in this way: %s.", s.State.Label()).With("STATE")
	}
	s.State = next
	if step != lift {
		s.Settled = tx.Now
	}
	return update(tx, s)
}

// ErrNone says that there is no such stop payment for whoever asks.
var ErrNone = fault.New(fault.NotFound, "There is no such stop payment here.")

// A Teller tells people by mail, in the transaction of what they are told.
type Teller interface {
	Tell(tx *db.Tx, institution bank.InstitutionID, people []bank.UserID, key, purpose, subject string, lines ...string) error
}

// A Config is what the room needs.
type Config struct {
	Guard    *guard.Guard
	Calendar *calendar.Service
	Desk     *host.Desk
	Teller   Teller
}

// A Service is the verbs of the room.
type Service struct {
	guard    *guard.Guard
	calendar *calendar.Service
	desk     *host.Desk
	teller   Teller
}

// New returns the room and listens to the host's answers.
func New(cfg Config) *Service {
	s := &Service{guard: cfg.Guard, calendar: cfg.Calendar, desk: cfg.Desk, teller: cfg.Teller}
	s.desk.Answer(RoomName, s.settled)
	return s
}

// A Refusal is why a stop may not be placed, with its proof: the cause of a
// fault.
type Refusal struct{ entitlement.Explanation }

func (r *Refusal) Error() string { return string(r.Reasons[0].Code) }

func question(op catalog.Operation, member bank.UserID, account bank.AccountID, now time.Time) entitlement.Request {
	return entitlement.Request{Member: member, Operation: op, Account: account, Now: now}
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
