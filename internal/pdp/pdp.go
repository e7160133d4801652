// Package pdp is the decision service: it answers questions about an
// institution's members, each with the revision that the answer knows. It finds
// out what bears on a question and asks the engine; it holds no rule of its
// own, stores nothing and knows no protocol.
//
// Questions are answered from memory (internal/pdp/memory), where everything is
// that decisions are made of. An answer knows every change whose caller has got
// an answer before the question was asked, or, where other processes make
// changes, all that is older than two seconds; where that is not certain, the
// question is refused. Explanations and names are read from the database.
package pdp

import (
	"context"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/pdp/memory"
)

// RevisionNotReached refuses a question that demands a newer revision than is
// known here. The answer is a refusal and never a stale one.
const RevisionNotReached entitlement.Code = "REVISION_NOT_REACHED"

// A Question is what a caller asks, as it came: names are not yet looked up.
type Question struct {
	Member       bank.UserID
	Organization bank.OrganizationID // where the caller names one, the member must be there; empty: wherever the member is
	Operation    string
	Account      bank.AccountID // empty: not given
	ToAccount    bank.AccountID // empty: not given
	Amount       entitlement.Amount
	Context      map[string]any // as decoded from JSON; what the operation does not know is ignored
	AtLeast      []Revision     // what the answer must know; none: whatever is known
	InWords      bool           // Answer.Names are wanted
}

// An Answer is the decision and what it knew.
type Answer struct {
	entitlement.Decision
	Operation    catalog.Operation
	Organization bank.OrganizationID // where the member is; empty where there is no such member
	Revision     Revision
	Names        entitlement.Names // what the parties are called, where that was wanted
}

// An Outcome sorts answers for counting.
type Outcome string

const (
	Allowed       Outcome = "allow"
	NeedsApproval Outcome = "approval" // allowed once a second person approves
	Denied        Outcome = "refuse"
)

// Outcome says what came out.
func (a Answer) Outcome() Outcome {
	switch {
	case a.Allowed && a.ApprovalRequired:
		return NeedsApproval
	case a.Allowed:
		return Allowed
	}
	return Denied
}

// Sources are where what is told besides the answers comes from. All read inside
// the transaction that they are given.
type Sources struct {
	// Policy reads an organization's policy as far as a scope asks.
	Policy guard.Loader

	// OrganizationsOf finds the organizations of members; unknown ones are absent.
	OrganizationsOf func(*db.Tx, bank.InstitutionID, []bank.UserID) (map[bank.UserID]bank.OrganizationID, error)

	// OrganizationsAt finds the organizations that have an account.
	OrganizationsAt func(*db.Tx, bank.InstitutionID, bank.AccountID) ([]bank.OrganizationID, error)

	// Names reads what the parties of questions about one organization are
	// called, and returns them for a question about one of the members.
	Names func(*db.Tx, bank.InstitutionID, bank.OrganizationID, entitlement.Scope) (func(bank.UserID) entitlement.Names, error)

	// Used reads what already counts against the daily limits of a request.
	Used func(*db.Tx, *entitlement.Policy, entitlement.Request) (entitlement.Used, error)

	// At are the sources of a moment in the past. Those it returns say besides what
	// time it was then, and which revision an organization had, or with an empty
	// organization the institution. Both are nil where it is now.
	At       func(Past) Sources
	Now      func(*db.Tx, bank.InstitutionID, bank.OrganizationID) (time.Time, error)
	Revision func(*db.Tx, bank.InstitutionID, bank.OrganizationID) (int64, error)
}

// A Meter counts answers, for whoever operates the service.
type Meter interface {
	Decided(operation catalog.Operation, outcome Outcome)
}

// A Service answers questions. It is safe for use by many goroutines.
type Service struct {
	memory  *memory.Memory
	sources Sources
	meter   Meter
	names   func(context.Context, func(*db.Tx) error) error // where names are read
}

// New returns the service over a memory. meter may be nil.
func New(m *memory.Memory, sources Sources, meter Meter) *Service {
	return &Service{memory: m, sources: sources, meter: meter, names: m.Read}
}

// NamesFrom has names read in transactions of their own, which need not see what
// is answered from: no answer depends on a name, and who waits for one keeps
// nobody from following the database.
func (s *Service) NamesFrom(read func(context.Context, func(*db.Tx) error) error) *Service {
	s.names = read
	return s
}

// Decide answers one question. An error means that the question could not be
// answered, which no caller may read as a yes or a no.
func (s *Service) Decide(ctx context.Context, institution bank.InstitutionID, q Question) (Answer, error) {
	answers, err := s.DecideAll(ctx, institution, []Question{q})
	if err != nil {
		return Answer{}, err
	}
	return answers[0], nil
}

// DecideAll answers questions, in their order. All answers about one organization
// know the same of it, and all are of one moment of the institution's own level.
func (s *Service) DecideAll(ctx context.Context, institution bank.InstitutionID, questions []Question) (answers []Answer, err error) {
	err = s.ask(ctx, institution, func(a *asking) error {
		answers, err = a.decide(questions)
		return err
	})
	if err == nil {
		err = s.words(ctx, institution, questions, answers)
	}
	if err != nil {
		return nil, fmt.Errorf("decide: %w", err)
	}
	s.count(answers)
	return answers, nil
}

// OrganizationOf finds the organization of a member; there may be no such
// member.
func (s *Service) OrganizationOf(ctx context.Context, institution bank.InstitutionID, member bank.UserID) (organization bank.OrganizationID, found bool, err error) {
	err = s.ask(ctx, institution, func(a *asking) error {
		err := a.find([]bank.UserID{member})
		organization = a.members[member]
		return err
	})
	return organization, organization != "", err
}

func (s *Service) count(answers []Answer) {
	if s.meter == nil {
		return
	}
	for _, a := range answers {
		s.meter.Decided(a.Operation, a.Outcome())
	}
}
