// Package pdp is the decision service: it answers questions about an
// institution's members, each with the revision that the answer knows. It finds
// out what bears on a question and asks the engine; it holds no rule of its
// own, stores nothing and knows no protocol.
//
// Every question is answered from the database as it is when the question is
// asked, in one read transaction, so that an answer is never older than the
// question and several processes agree. A memory of policies may come beneath
// Service without its callers noticing: the promise is the revision.
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

// Sources are where the facts of a question come from. All read inside the
// transaction that they are given.
type Sources struct {
	// Policy reads an organization's policy as far as a scope asks.
	Policy guard.Loader

	// OrganizationsOf finds the organizations of members; unknown ones are absent.
	OrganizationsOf func(*db.Tx, bank.InstitutionID, []bank.UserID) (map[bank.UserID]bank.OrganizationID, error)

	// MembersOf, MembersAt and AccountsOf find the candidates of reverse
	// questions, in the order of their ids: everybody of an organization,
	// everybody of whoever has an account, and the accounts of a member's
	// organization.
	MembersOf  func(*db.Tx, bank.InstitutionID, bank.OrganizationID) ([]bank.UserID, error)
	MembersAt  func(*db.Tx, bank.InstitutionID, bank.AccountID) ([]bank.UserID, error)
	AccountsOf func(*db.Tx, bank.InstitutionID, bank.UserID) ([]bank.AccountID, error)

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
	db      *db.DB
	sources Sources
	meter   Meter
}

// New returns the service over a database. meter may be nil.
func New(d *db.DB, sources Sources, meter Meter) *Service {
	return &Service{db: d, sources: sources, meter: meter}
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

// DecideAll answers questions, in their order, from one moment of the database.
// Each organization is read once, whatever the number of questions about it.
func (s *Service) DecideAll(ctx context.Context, institution bank.InstitutionID, questions []Question) ([]Answer, error) {
	var answers []Answer
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		answers, err = newRound(s.sources, tx, institution).decide(questions)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("decide: %w", err)
	}
	s.count(answers)
	return answers, nil
}

// An Explained is an answer with its proof: every level with its state, and
// the smallest set of changes that would turn a refusal around.
type Explained struct {
	Answer
	Rungs   []entitlement.Rung
	Fix     []entitlement.Step
	Fixable bool
}

// Explain answers one question as Decide does, and says why.
func (s *Service) Explain(ctx context.Context, institution bank.InstitutionID, q Question) (Explained, error) {
	var e Explained
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		e, err = newRound(s.sources, tx, institution).explain(q)
		return err
	})
	if err != nil {
		return Explained{}, fmt.Errorf("explain: %w", err)
	}
	s.count([]Answer{e.Answer})
	return e, nil
}

// OrganizationOf finds the organization of a member; there may be no such
// member.
func (s *Service) OrganizationOf(ctx context.Context, institution bank.InstitutionID, member bank.UserID) (organization bank.OrganizationID, found bool, err error) {
	if !storable(string(member)) {
		return "", false, nil
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		of, err := s.sources.OrganizationsOf(tx, institution, []bank.UserID{member})
		organization, found = of[member]
		return err
	})
	return organization, found, err
}

func (s *Service) count(answers []Answer) {
	if s.meter == nil {
		return
	}
	for _, a := range answers {
		s.meter.Decided(a.Operation, a.Outcome())
	}
}
