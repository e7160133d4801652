package approval

import (
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
)

// A Teller tells people by mail, in the transaction of what they are told.
type Teller interface {
	// Asked tells those who may approve that something waits.
	Asked(tx *db.Tx, item Item, approvers []bank.UserID) error

	// Decided tells those who had a hand in it what came of it.
	Decided(tx *db.Tx, item Item, hands []bank.UserID) error
}

// Names finds what people are called.
type Names func(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, members []bank.UserID) (map[bank.UserID]string, error)

// A Service is the queue of one database.
type Service struct {
	db     *db.DB
	guard  *guard.Guard
	teller Teller
	names  Names
	kinds  map[string]Kind

	office      map[string]StaffKind
	staffTeller StaffTeller
}

// New returns the queue behind a door.
func New(d *db.DB, g *guard.Guard, teller Teller, names Names) *Service {
	return &Service{db: d, guard: g, teller: teller, names: names, kinds: map[string]Kind{}, office: map[string]StaffKind{}}
}

// Add names a room whose items wait here. It is for assembling the program,
// before the first item.
func (s *Service) Add(name string, k Kind) { s.kinds[name] = k }

// Kinds is how many rooms have items here: without any there is no queue to show.
func (s *Service) Kinds() int { return len(s.kinds) }

func (s *Service) kind(name string) (Kind, error) {
	k, known := s.kinds[name]
	if !known {
		return nil, fmt.Errorf("approval: there is no kind %q", name)
	}
	return k, nil
}

// An Ask is what a room asks a second person for.
type Ask struct {
	Kind      string
	Ref       string
	Initiator Somebody      // on whose right, where it is not the caller's, as by a series
	Editors   []bank.UserID // who had a hand in it besides the initiator
	Expires   time.Time     // zero: after Lifetime
}

// AskIn makes a room's object wait for a second person, tells those who may
// approve, and returns them: there may be nobody. The caller is the initiator
// unless the ask names another one.
// Asking again for the same content changes nothing; for other content the
// former item is sent back.
func (s *Service) AskIn(c *guard.Change, a Ask) (item Item, approvers []bank.UserID, err error) {
	kind, err := s.kind(a.Kind)
	if err != nil {
		return Item{}, nil, err
	}
	institution, organization := c.Caller.Institution, c.Policy.Organization.ID
	matter, err := kind.Matter(c.Tx, institution, organization, a.Ref)
	if err != nil {
		return Item{}, nil, err
	}
	if err := c.Widen(matter.Scope()); err != nil {
		return Item{}, nil, err
	}
	item = Item{
		Institution: institution, Organization: organization, ID: bank.NewID(prefixItem, c.Tx.Now), Kind: a.Kind, Ref: a.Ref,
		Title: matter.Title, Account: matter.Account, Cents: matter.Cents, State: Waiting, Hash: matter.Hash(),
		Initiator: Somebody{c.Caller.Member(), c.Caller.Name}, Asked: c.Tx.Now, Expires: a.Expires, side: memberSide,
	}
	if a.Initiator.ID != "" {
		item.Initiator = a.Initiator
	}
	if a.Expires.IsZero() {
		item.Expires = c.Tx.Now.Add(Lifetime)
	}
	known, found, err := findOpen(c.Tx, institution, organization, a.Kind, a.Ref)
	if err != nil {
		return Item{}, nil, err
	}
	if found && known.Hash == item.Hash {
		item = known
	}
	for _, hand := range append([]bank.UserID{c.Caller.Member(), item.Initiator.ID}, a.Editors...) {
		if err := addHand(c.Tx, &item, hand); err != nil {
			return Item{}, nil, err
		}
	}
	hands, err := handsIn(c.Tx, &item)
	if err != nil {
		return Item{}, nil, err
	}
	approvers = Approvers(c.Policy, &matter, hands, c.Tx.Now)
	if found && known.Hash == item.Hash {
		return item, approvers, nil
	}
	if found {
		if err := known.to(c.Tx, change); err != nil {
			return Item{}, nil, err
		}
	}
	if err := insertItem(c.Tx, &item); err != nil {
		return Item{}, nil, err
	}
	return item, approvers, s.teller.Asked(c.Tx, item, approvers)
}

// EditedIn notes that the caller edited a room's object, and sends back what
// waits or is approved. It reports whether something did. Every edit of an
// object that can wait passes here.
func (s *Service) EditedIn(c *guard.Change, kind, ref string) (sentBack bool, err error) {
	at := Item{Institution: c.Caller.Institution, Organization: c.Policy.Organization.ID, Kind: kind, Ref: ref}
	if err := addHand(c.Tx, &at, c.Caller.Member()); err != nil {
		return false, err
	}
	return s.end(c, kind, ref, change)
}

// WithdrawIn takes back what waits, such as when its object is cancelled. It
// reports whether something did.
func (s *Service) WithdrawIn(c *guard.Change, kind, ref string) (withdrawn bool, err error) {
	return s.end(c, kind, ref, withdraw)
}

func (s *Service) end(c *guard.Change, kind, ref string, step Step) (bool, error) {
	item, found, err := findOpen(c.Tx, c.Caller.Institution, c.Policy.Organization.ID, kind, ref)
	if err != nil || !found {
		return false, err
	}
	return true, item.to(c.Tx, step)
}

// to takes a step.
func (i *Item) to(tx *db.Tx, step Step) error {
	next, can := steps[i.State][step]
	if !can {
		return fmt.Errorf("approval: %s cannot %s while %s", i.ID, step, i.State)
	}
	i.State, i.Decided = next, tx.Now
	return updateItem(tx, i)
}

// wouldInitiate asks the initiator's question again. What the item reserved
// does not count against it.
func wouldInitiate(c *guard.Change, item *Item, m *Matter) (entitlement.Decision, error) {
	req := m.Initiate
	req.Member, req.Now = item.Initiator.ID, c.Tx.Now
	return decideAgain(c.Tx, c.Policy, req, m.Reservation)
}
