// Package card is the room of managing payment cards: locking and unlocking
// them, reporting them lost or stolen, ordering new ones and activating those.
// Every look and every request is decided by the engine (cards.manage, with the
// card's account). The cards themselves are the host's: the room keeps what was
// asked about them and what came of it, and never learns a whole number.
package card

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/host"
)

// RoomName is the room as the host's desk knows it.
const RoomName = "card"

// shownAfterEnd is how long a card is listed that was lost, stolen or replaced.
const shownAfterEnd = 30 * 24 * time.Hour

// History events of cards: what was asked, and what came of it.
const (
	EventActivateAsked = "card.activate_asked"
	EventLockAsked     = "card.lock_asked"
	EventUnlockAsked   = "card.unlock_asked"
	EventReportedLost  = "card.reported_lost"
	EventReportedGone  = "card.reported_stolen"
	EventReordered     = "card.reordered"
	EventDone          = "card.changed" // by the host
	EventRefused       = "card.refused" // by the host
)

// Steps are everything that can be asked about a card, in the order of screens.
func Steps() []host.CardStep {
	return []host.CardStep{host.ActivateCard, host.LockCard, host.UnlockCard, host.ReorderCard, host.LoseCard, host.StealCard}
}

// Event is the history event of asking for a step.
func Event(step host.CardStep) string {
	return map[host.CardStep]string{
		host.ActivateCard: EventActivateAsked, host.LockCard: EventLockAsked, host.UnlockCard: EventUnlockAsked, host.ReorderCard: EventReordered,
		host.LoseCard: EventReportedLost, host.StealCard: EventReportedGone,
	}[step]
}

// protects reports whether a step only takes something away. It is done at
// once; what lets a card pay, or sends one, needs a high-risk authorization.
func protects(step host.CardStep) bool {
	return step == host.LockCard || step == host.LoseCard || step == host.StealCard
}

// StateLabel is a card's state as screens show it.
func StateLabel(s host.CardState) string {
	return map[host.CardState]string{
		host.CardOrdered: "On its way", host.CardActive: "Active", host.CardLocked: "Locked", host.CardLost: "Lost", host.CardStolen: "Stolen", host.CardReplaced: "Replaced",
	}[s]
}

// States are all states of cards in the order of screens.
func States() []host.CardState {
	return []host.CardState{host.CardActive, host.CardLocked, host.CardOrdered, host.CardLost, host.CardStolen, host.CardReplaced}
}

// A RequestID is the name of something that is asked about a card. Whoever asks
// chooses it, so that asking twice asks once.
type RequestID string

// NewRequestID is a name for something that is about to be asked.
func NewRequestID(now time.Time) RequestID { return RequestID(bank.NewID("crq", now)) }

// A State is how far a request has come.
type State string

const (
	Sent    State = "sent" // at the host, which has not answered
	Done    State = "done"
	Refused State = "refused"
)

// A Request is something that was asked about a card.
type Request struct {
	Institution  bank.InstitutionID
	Organization bank.OrganizationID
	ID           RequestID
	Card         host.CardID
	Account      bank.AccountID
	Name         string // of the card, as it was then
	Step         host.CardStep
	Replace      bool
	State        State
	By           Somebody
	Created      time.Time
	Settled      time.Time // the host's answer; zero before
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

// Name is a card as people name it: "debit card ••4821".
func Name(c *host.Card) string { return c.Kind + " card ••" + c.LastFour }

// target is the card as history names it: within a sentence.
func target(id host.CardID, name string) activity.Target {
	return activity.Target{Kind: activity.TargetPayment, ID: string(id), Name: name}
}

// ErrNone says that there is no such card for whoever asks.
var ErrNone = fault.New(fault.NotFound, "There is no such card here.")

// ErrNoHost says that the host does not answer.
var ErrNoHost = fault.New(fault.Unavailable, "The host does not tell about cards at the moment. Try again.")

// A Teller tells people by mail, in the transaction of what they are told.
type Teller interface {
	Tell(tx *db.Tx, institution bank.InstitutionID, people []bank.UserID, key, purpose, subject string, lines ...string) error
}

// A Config is what the room needs.
type Config struct {
	Guard  *guard.Guard
	Desk   *host.Desk
	Teller Teller
}

// A Service is the verbs of the room.
type Service struct {
	guard  *guard.Guard
	desk   *host.Desk
	teller Teller
}

// New returns the room and listens to the host's answers.
func New(cfg Config) *Service {
	s := &Service{guard: cfg.Guard, desk: cfg.Desk, teller: cfg.Teller}
	s.desk.Answer(RoomName, s.settled)
	return s
}

// A Refusal is why somebody may not manage a card, with its proof: the cause of
// a fault.
type Refusal struct{ entitlement.Explanation }

func (r *Refusal) Error() string { return string(r.Reasons[0].Code) }

func question(member bank.UserID, account bank.AccountID, now time.Time) entitlement.Request {
	return entitlement.Request{Member: member, Operation: catalog.CardsManageOperation, Account: account, Now: now}
}

// fromHost reads the organization's cards as the host has them. Nothing is read
// from it inside a transaction.
func (s *Service) fromHost(ctx context.Context, caller bank.Caller) ([]host.Card, error) {
	cards, err := s.desk.Host().Cards(ctx, caller.Institution, caller.Organization)
	if err != nil {
		return nil, ErrNoHost.Because(err)
	}
	return cards, nil
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
