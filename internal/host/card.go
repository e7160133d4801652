package host

import (
	"time"

	"mandate/internal/bank"
)

// A CardID is the host's name of a card. It is not its number, which nobody
// outside the host ever holds: people know a card by its last four digits.
type CardID string

// A CardState is where a card stands.
type CardState string

const (
	CardOrdered  CardState = "ordered" // on its way to the customer; it pays nothing yet
	CardActive   CardState = "active"
	CardLocked   CardState = "locked" // pays nothing until it is unlocked
	CardLost     CardState = "lost"   // for good
	CardStolen   CardState = "stolen" // for good
	CardReplaced CardState = "replaced"
)

// A CardStep is what can be asked about a card.
type CardStep string

const (
	ActivateCard CardStep = "activate"
	LockCard     CardStep = "lock"
	UnlockCard   CardStep = "unlock"
	LoseCard     CardStep = "report_lost"
	StealCard    CardStep = "report_stolen"
	ReorderCard  CardStep = "reorder" // a new one instead; the old one works until the new one is activated
)

// cardSteps are all that can happen to a card; whatever is not here cannot.
var cardSteps = map[CardState]map[CardStep]CardState{
	CardOrdered: {ActivateCard: CardActive, LoseCard: CardLost, StealCard: CardStolen},
	CardActive:  {LockCard: CardLocked, LoseCard: CardLost, StealCard: CardStolen, ReorderCard: CardActive},
	CardLocked:  {UnlockCard: CardActive, LoseCard: CardLost, StealCard: CardStolen, ReorderCard: CardLocked},
}

// A Card is a payment card as the host has it, without its number.
type Card struct {
	ID           CardID
	Organization bank.OrganizationID
	Account      bank.AccountID
	Holder       string // as embossed
	Kind         string // "debit", "credit"
	LastFour     string
	Expires      string // the last month, such as "2029-04"
	State        CardState
	Changed      time.Time
	Replaces     CardID // empty: none
	Replacement  CardID // ordered instead; empty: none
}

// Can reports whether a step is possible as the card stands.
func (c *Card) Can(step CardStep) bool {
	_, can := c.After(step)
	return can
}

// After is where a card stands after a step. One card is replaced once.
func (c *Card) After(step CardStep) (CardState, bool) {
	next, can := cardSteps[c.State][step]
	return next, can && (step != ReorderCard || c.Replacement == "")
}

// A CardOrder is what an order asks about a card.
type CardOrder struct {
	Card    CardID
	Step    CardStep
	Replace bool // of a lost or stolen card: send a new one
}

// Why an order about a card is refused.
const (
	UnknownCard  Code = "UNKNOWN_CARD" // there is no such card of the organization
	CardStanding Code = "CARD_STATE"   // the card stands such that this cannot be done
)
