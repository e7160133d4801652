package pdp

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
)

// A round is questions of one institution answered in one transaction. It
// remembers what it has read, so that nothing is read twice.
type round struct {
	sources     Sources
	tx          *db.Tx
	institution bank.InstitutionID
	revisions   map[bank.OrganizationID]int64 // under the empty id: the institution's own
	used        map[usedKey]entitlement.Used
}

// A usedKey names amounts that count together.
type usedKey struct {
	organization bank.OrganizationID
	member       bank.UserID
	account      bank.AccountID
	limit        catalog.Limit
	day          bank.Day
}

func newRound(sources Sources, tx *db.Tx, institution bank.InstitutionID) *round {
	return &round{
		sources: sources, tx: tx, institution: institution,
		revisions: map[bank.OrganizationID]int64{}, used: map[usedKey]entitlement.Used{},
	}
}

func (r *round) decide(questions []Question) ([]Answer, error) {
	places, err := r.places(questions)
	if err != nil {
		return nil, err
	}
	answers := make([]Answer, len(questions))
	for organization, indexes := range places.byOrganization {
		if err := r.decideIn(organization, questions, indexes, answers); err != nil {
			return nil, err
		}
	}
	for _, i := range places.unknown {
		if answers[i], err = r.unknownMember(questions[i]); err != nil {
			return nil, err
		}
	}
	return answers, r.refuseStale(questions, answers)
}

// places are the questions' numbers by the organization that they are about.
type places struct {
	byOrganization map[bank.OrganizationID][]int
	unknown        []int // the member is not there
}

func (r *round) places(questions []Question) (places, error) {
	var members []bank.UserID
	seen := map[bank.UserID]bool{}
	for _, q := range questions {
		if !seen[q.Member] && storable(string(q.Member)) {
			seen[q.Member] = true
			members = append(members, q.Member)
		}
	}
	p := places{byOrganization: map[bank.OrganizationID][]int{}}
	found, err := r.sources.OrganizationsOf(r.tx, r.institution, members)
	if err != nil {
		return p, err
	}
	for i, q := range questions {
		organization, known := found[q.Member]
		if !known || q.Organization != "" && q.Organization != organization {
			p.unknown = append(p.unknown, i)
			continue
		}
		p.byOrganization[organization] = append(p.byOrganization[organization], i)
	}
	return p, nil
}

// storable reports whether an id could stand in the database at all. What could
// not is nobody's id; asking the database about it would be an error.
func storable(id string) bool {
	return id != "" && strings.IndexByte(id, 0) < 0 && utf8.ValidString(id)
}

func (r *round) decideIn(organization bank.OrganizationID, questions []Question, indexes []int, answers []Answer) error {
	f, err := r.facts(organization, questions, indexes)
	if err != nil {
		return err
	}
	for _, i := range indexes {
		req, err := r.request(f.policy, questions[i])
		if err != nil {
			return err
		}
		answers[i] = f.answer(req, entitlement.Decide(f.policy, req))
	}
	return nil
}

// explain is decide for one question, with the proof.
func (r *round) explain(q Question) (Explained, error) {
	questions, indexes := []Question{q}, []int{0}
	places, err := r.places(questions)
	if err != nil {
		return Explained{}, err
	}
	var e Explained
	for organization := range places.byOrganization {
		f, err := r.facts(organization, questions, indexes)
		if err != nil {
			return Explained{}, err
		}
		req, err := r.request(f.policy, q)
		if err != nil {
			return Explained{}, err
		}
		explanation := entitlement.Explain(f.policy, req)
		e = Explained{Answer: f.answer(req, explanation.Decision), Rungs: explanation.Rungs, Fix: explanation.Fix, Fixable: explanation.Fixable}
	}
	if len(places.unknown) > 0 {
		if e.Answer, err = r.unknownMember(q); err != nil {
			return Explained{}, err
		}
	}
	answers := []Answer{e.Answer}
	if err := r.refuseStale(questions, answers); err != nil {
		return Explained{}, err
	}
	if answers[0].Has(RevisionNotReached) {
		return Explained{Answer: answers[0]}, nil // what is known is not what was asked about
	}
	return e, nil
}

// facts are what the answers about one organization rest on.
type facts struct {
	policy   *entitlement.Policy
	revision Revision
	names    func(bank.UserID) entitlement.Names // nil: not wanted
}

func (r *round) facts(organization bank.OrganizationID, questions []Question, indexes []int) (f facts, err error) {
	scope, inWords := scopeOf(questions, indexes)
	if f.policy, err = r.sources.Policy(r.tx, r.institution, organization, scope); err != nil {
		return f, fmt.Errorf("read the policy of %s: %w", organization, err)
	}
	if f.revision, err = r.revision(organization); err != nil || !inWords {
		return f, err
	}
	if f.names, err = r.sources.Names(r.tx, r.institution, organization, scope); err != nil {
		return f, fmt.Errorf("read the names of %s: %w", organization, err)
	}
	return f, nil
}

func (f facts) answer(req entitlement.Request, d entitlement.Decision) Answer {
	a := Answer{Decision: d, Operation: req.Operation, Organization: f.policy.Organization.ID, Revision: f.revision}
	if f.names != nil {
		a.Names = f.names(req.Member)
	}
	return a
}

// manyNames is from how many names on all of an organization is read at once:
// that costs less than reading so many one by one.
const manyNames = 64

// scopeOf is what the questions of one organization name, and whether any of
// them wants an answer in words.
func scopeOf(questions []Question, indexes []int) (scope entitlement.Scope, inWords bool) {
	members, accounts := map[bank.UserID]bool{}, map[bank.AccountID]bool{}
	for _, i := range indexes {
		q := &questions[i]
		inWords = inWords || q.InWords
		if !members[q.Member] {
			members[q.Member] = true
			scope.Members = append(scope.Members, q.Member)
		}
		for _, account := range []bank.AccountID{q.Account, q.ToAccount} {
			if !accounts[account] && storable(string(account)) {
				accounts[account] = true
				scope.Accounts = append(scope.Accounts, account)
			}
		}
	}
	scope.AllMembers = len(scope.Members) >= manyNames
	scope.AllAccounts = len(scope.Accounts) >= manyNames
	return scope, inWords
}

func (r *round) request(policy *entitlement.Policy, q Question) (req entitlement.Request, err error) {
	operation := catalog.ParseOperation(q.Operation)
	req = entitlement.Request{
		Member: q.Member, Operation: operation, Account: q.Account, ToAccount: q.ToAccount, Amount: q.Amount,
		Context: entitlement.ReadContext(operation, policy.Institution.Edition, q.Context), Now: r.tx.Now,
	}
	if r.sources.Now != nil {
		if req.Now, err = r.sources.Now(r.tx, r.institution, policy.Organization.ID); err != nil {
			return req, err
		}
	}
	req.Used, err = r.usedBy(policy, req)
	return req, err
}

// usedBy is what already counts on the day of the request, where it counts. On
// an account that the organization does not have nothing was ever used.
func (r *round) usedBy(policy *entitlement.Policy, req entitlement.Request) (entitlement.Used, error) {
	if _, known := policy.Accounts[req.Account]; !known {
		req.Account = ""
	}
	limit, day, counts := entitlement.Counting(policy.Institution, req)
	if !counts {
		return entitlement.Used{}, nil
	}
	key := usedKey{policy.Organization.ID, req.Member, req.Account, limit, day}
	if used, known := r.used[key]; known {
		return used, nil
	}
	used, err := r.sources.Used(r.tx, policy, req)
	if err != nil {
		return entitlement.Used{}, fmt.Errorf("read what is used of the day: %w", err)
	}
	r.used[key] = used
	return used, nil
}

func (r *round) unknownMember(q Question) (Answer, error) {
	answer := Answer{Operation: catalog.ParseOperation(q.Operation)}
	code := entitlement.UnknownMember
	if answer.Operation == catalog.UnknownOperation {
		code = entitlement.UnknownOperation
	}
	answer.Decision = entitlement.Refused(code)
	var err error
	answer.Revision, err = r.revision("")
	return answer, err
}

// revision is what is known here of an organization and the institution.
func (r *round) revision(organization bank.OrganizationID) (Revision, error) {
	revision := Revision{Institution: r.institution, Organization: organization}
	var err error
	if revision.Epoch, err = activity.Epoch(r.tx); err != nil {
		return revision, err
	}
	if revision.OfInstitution, err = r.revisionOf(""); err != nil || organization == "" {
		return revision, err
	}
	revision.OfOrganization, err = r.revisionOf(organization)
	return revision, err
}

func (r *round) revisionOf(organization bank.OrganizationID) (int64, error) {
	if n, known := r.revisions[organization]; known {
		return n, nil
	}
	read := r.sources.Revision
	if read == nil {
		read = activity.Revision
	}
	n, err := read(r.tx, r.institution, organization)
	if err != nil {
		return 0, fmt.Errorf("read the revision of %s/%s: %w", r.institution, organization, err)
	}
	r.revisions[organization] = n
	return n, nil
}

// refuseStale turns the answers around that know less than was demanded.
func (r *round) refuseStale(questions []Question, answers []Answer) error {
	for i, q := range questions {
		for _, demanded := range q.AtLeast {
			reached, err := r.reached(demanded)
			if err != nil {
				return err
			}
			if !reached {
				answers[i].Decision = entitlement.Refused(RevisionNotReached)
			}
		}
	}
	return nil
}

// reached reports whether everything that a revision knows is known here. One
// of another institution, or of an organization that is not here, never is.
func (r *round) reached(demanded Revision) (bool, error) {
	if demanded.IsZero() {
		return true, nil
	}
	if demanded.Institution != r.institution {
		return false, nil
	}
	known, err := r.revision(demanded.Organization)
	if errors.Is(err, activity.ErrNoStream) {
		return false, nil
	}
	return known.Epoch == demanded.Epoch && known.OfInstitution >= demanded.OfInstitution && known.OfOrganization >= demanded.OfOrganization, err
}
