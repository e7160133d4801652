package pdp

import (
	"context"
	"errors"
	"fmt"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
)

// An Explained is an answer with its proof: every level with its state, and
// the smallest set of changes that would turn a refusal around.
type Explained struct {
	Answer
	Rungs   []entitlement.Rung
	Fix     []entitlement.Step
	Fixable bool
}

// Explain answers one question as Decide does, and says why, from the database
// as it is. It refuses where Decide refuses because what is known may be too old.
func (s *Service) Explain(ctx context.Context, institution bank.InstitutionID, q Question) (e Explained, err error) {
	if err := s.memory.Fresh(); err != nil {
		return e, err
	}
	err = s.memory.Read(ctx, func(tx *db.Tx) (err error) {
		e, err = explaining{s.sources, tx, institution}.explain(q)
		return err
	})
	if err != nil {
		return Explained{}, fmt.Errorf("explain: %w", err)
	}
	s.count([]Answer{e.Answer})
	return e, nil
}

// An explaining is a question answered in one transaction.
type explaining struct {
	sources     Sources
	tx          *db.Tx
	institution bank.InstitutionID
}

func (x explaining) explain(q Question) (e Explained, err error) {
	found := map[bank.UserID]bank.OrganizationID{}
	if storable(string(q.Member)) {
		if found, err = x.sources.OrganizationsOf(x.tx, x.institution, []bank.UserID{q.Member}); err != nil {
			return e, err
		}
	}
	organization, known := found[q.Member]
	if known && (q.Organization == "" || q.Organization == organization) {
		e, err = x.within(organization, q)
	} else {
		e.Answer, err = x.unknownMember(q)
	}
	if err != nil {
		return Explained{}, err
	}
	for _, demanded := range q.AtLeast {
		if reached, err := x.reached(demanded); err != nil || !reached {
			e.Decision = entitlement.Refused(RevisionNotReached) // what is known is not what was asked about
			return Explained{Answer: e.Answer}, err
		}
	}
	return e, nil
}

// within explains a question about a member of an organization.
func (x explaining) within(organization bank.OrganizationID, q Question) (e Explained, err error) {
	scope := scopeOf([]Question{q}, []int{0})
	policy, err := x.sources.Policy(x.tx, x.institution, organization, scope)
	if err != nil {
		return e, fmt.Errorf("read the policy of %s: %w", organization, err)
	}
	operation := catalog.ParseOperation(q.Operation)
	req := entitlement.Request{
		Member: q.Member, Operation: operation, Account: q.Account, ToAccount: q.ToAccount, Amount: q.Amount,
		Context: entitlement.ReadContext(operation, policy.Institution.Edition, q.Context), Now: x.tx.Now,
	}
	if x.sources.Now != nil {
		if req.Now, err = x.sources.Now(x.tx, x.institution, organization); err != nil {
			return e, err
		}
	}
	if req.Used, err = x.used(policy, req); err != nil {
		return e, err
	}
	explanation := entitlement.Explain(policy, req)
	e = Explained{Rungs: explanation.Rungs, Fix: explanation.Fix, Fixable: explanation.Fixable}
	e.Answer = Answer{Decision: explanation.Decision, Operation: operation, Organization: organization}
	if e.Revision, err = x.revision(organization); err != nil || !q.InWords {
		return e, err
	}
	names, err := x.sources.Names(x.tx, x.institution, organization, scope)
	if err != nil {
		return e, fmt.Errorf("read the names of %s: %w", organization, err)
	}
	e.Names = names(q.Member)
	return e, nil
}

// used is what already counts on the day of a request. On an account that the
// organization does not have nothing was ever used.
func (x explaining) used(policy *entitlement.Policy, req entitlement.Request) (entitlement.Used, error) {
	if _, known := policy.Accounts[req.Account]; !known {
		req.Account = ""
	}
	used, err := x.sources.Used(x.tx, policy, req)
	if err != nil {
		return entitlement.Used{}, fmt.Errorf("read what is used of the day: %w", err)
	}
	return used, nil
}

func (x explaining) unknownMember(q Question) (Answer, error) {
	answer := Answer{Operation: catalog.ParseOperation(q.Operation)}
	code := entitlement.UnknownMember
	if answer.Operation == catalog.UnknownOperation {
		code = entitlement.UnknownOperation
	}
	answer.Decision = entitlement.Refused(code)
	var err error
	answer.Revision, err = x.revision("")
	return answer, err
}

// revision is what the transaction knows of an organization and the institution.
func (x explaining) revision(organization bank.OrganizationID) (r Revision, err error) {
	r = Revision{Institution: x.institution, Organization: organization}
	if r.Epoch, err = activity.Epoch(x.tx); err != nil {
		return r, err
	}
	read := x.sources.Revision
	if read == nil {
		read = activity.Revision
	}
	if r.OfInstitution, err = read(x.tx, x.institution, ""); err != nil || organization == "" {
		return r, err
	}
	r.OfOrganization, err = read(x.tx, x.institution, organization)
	return r, err
}

// reached reports whether everything that a revision knows is known to the
// transaction.
func (x explaining) reached(demanded Revision) (bool, error) {
	if demanded.IsZero() {
		return true, nil
	}
	if demanded.Institution != x.institution || demanded.Organization != "" && !storable(string(demanded.Organization)) {
		return false, nil
	}
	known, err := x.revision(demanded.Organization)
	if errors.Is(err, activity.ErrNoStream) {
		return false, nil
	}
	return known.Epoch == demanded.Epoch && known.OfInstitution >= demanded.OfInstitution && known.OfOrganization >= demanded.OfOrganization, err
}
