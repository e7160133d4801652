package pdp

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/entitlement/compact"
	"mandate/internal/fault"
)

// An asking is questions of one institution that are answered from memory. Each
// organization is looked at once, whatever the number of questions about it, and
// all answers are of one moment of the institution's own level.
type asking struct {
	service     *Service
	ctx         context.Context
	institution bank.InstitutionID
	view        compact.View
	now         time.Time

	blocks  map[bank.OrganizationID]*compact.Block // what is answered from
	members map[bank.UserID]bank.OrganizationID    // where members are; empty: nowhere
}

// mostTries is how often questions are asked again because the institution's own
// level changed while they were answered.
const mostTries = 20

// ask has questions answered until all answers are of one moment, and refuses
// where what is known may be too old.
func (s *Service) ask(ctx context.Context, institution bank.InstitutionID, answer func(*asking) error) error {
	for range mostTries {
		asOf, _ := s.memory.AsOf()
		view, err := s.memory.View(ctx, institution)
		if err != nil {
			return err
		}
		a := &asking{
			service: s, ctx: ctx, institution: institution, view: view, now: s.memory.DB().Now(),
			blocks: map[bank.OrganizationID]*compact.Block{}, members: map[bank.UserID]bank.OrganizationID{},
		}
		if err := answer(a); err != nil {
			return err
		}
		if err := s.memory.Fresh(); err != nil {
			return err
		}
		if a.view.Holds() && a.together() && s.memory.InTime(asOf) {
			return nil
		}
	}
	return fault.New(fault.Unavailable, "The institution's settings change more quickly than questions are answered. Ask again.")
}

// together reports whether what is answered from about several organizations is
// of one moment: nothing of it has become behind since the first was looked at.
func (a *asking) together() bool {
	if len(a.blocks) < 2 {
		return true
	}
	for organization, b := range a.blocks {
		if is, state := a.view.Organization(organization); state != compact.Answered || is.Sequence != b.Sequence {
			return false
		}
	}
	return true
}

// find finds where members are: in memory, and else in the database.
func (a *asking) find(members []bank.UserID) error {
	var elsewhere []bank.UserID
	for _, m := range members {
		if _, known := a.members[m]; known {
			continue
		}
		a.members[m] = ""
		if !storable(string(m)) {
			continue
		}
		block, _, state := a.view.Block(m)
		if state == compact.Answered && a.service.memory.Sure() {
			if a.blocks[block.Organization] == nil {
				a.blocks[block.Organization] = block
			}
			a.members[m] = block.Organization
			continue
		}
		elsewhere = append(elsewhere, m)
	}
	if len(elsewhere) == 0 {
		return nil
	}
	found, err := a.service.memory.OrganizationsOf(a.ctx, a.institution, elsewhere)
	for m, organization := range found {
		a.members[m] = organization
	}
	return err
}

// block is what is answered from about an organization; nil where there is none.
func (a *asking) block(organization bank.OrganizationID) (*compact.Block, error) {
	if b := a.blocks[organization]; b != nil || organization == "" {
		return b, nil
	}
	b, err := a.service.memory.Organization(a.ctx, a.institution, organization)
	if err != nil && fault.KindOf(err) == fault.NotFound {
		return nil, nil
	}
	if err == nil {
		a.blocks[organization] = b
	}
	return b, err
}

// decide answers questions in their order.
func (a *asking) decide(questions []Question) ([]Answer, error) {
	if err := a.reach(questions); err != nil {
		return nil, err
	}
	members := make([]bank.UserID, len(questions))
	for i := range questions {
		members[i] = questions[i].Member
	}
	if err := a.find(members); err != nil {
		return nil, err
	}
	answers := make([]Answer, len(questions))
	for i := range questions {
		var err error
		if answers[i], err = a.answer(&questions[i]); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

func (a *asking) answer(q *Question) (Answer, error) {
	req := a.request(q)
	organization := a.members[q.Member]
	if q.Organization != "" && q.Organization != organization {
		organization = ""
	}
	block, err := a.block(organization)
	if err != nil {
		return Answer{}, err
	}
	answer := Answer{Operation: req.Operation, Revision: a.revision(block)}
	reached, err := a.reached(q.AtLeast)
	switch {
	case err != nil:
		return Answer{}, err
	case !reached:
		answer.Decision = entitlement.Refused(RevisionNotReached)
	case block == nil && req.Operation == catalog.UnknownOperation:
		answer.Decision = entitlement.Refused(entitlement.UnknownOperation)
	case block == nil:
		answer.Decision = entitlement.Refused(entitlement.UnknownMember)
	default:
		var v compact.Verdict
		if a.view.Ask(block, block.Place(q.Member), &req, &v) != compact.Answered {
			return Answer{}, a.unknownDay()
		}
		answer.Decision = v.Decision(&req)
	}
	if block != nil {
		answer.Organization = block.Organization
	}
	return answer, nil
}

// unknownDay says that somebody asks about a day before those that are known,
// which the clock would have to go back for.
func (a *asking) unknownDay() error {
	return fmt.Errorf("what counts on the day of %s is not known here", a.now)
}

func (a *asking) request(q *Question) entitlement.Request {
	operation := catalog.ParseOperation(q.Operation)
	return entitlement.Request{
		Member: q.Member, Operation: operation, Account: q.Account, ToAccount: q.ToAccount, Amount: q.Amount,
		Context: entitlement.ReadContext(operation, a.view.Institution().Edition, q.Context), Now: a.now,
	}
}

// revision is what answers know that are of a block, or of none.
func (a *asking) revision(b *compact.Block) Revision {
	r := Revision{Epoch: a.service.memory.Epoch(), Institution: a.institution, OfInstitution: a.view.Institution().Revision}
	if b != nil {
		r.Organization, r.OfOrganization = b.Organization, b.Revision
	}
	return r
}

// storable reports whether an id could stand in the database at all. What could
// not is nobody's id; asking the database about it would be an error.
func storable(id string) bool {
	return id != "" && strings.IndexByte(id, 0) < 0 && utf8.ValidString(id)
}

// words reads what the parties of questions are called, where that is wanted.
func (s *Service) words(ctx context.Context, institution bank.InstitutionID, questions []Question, answers []Answer) error {
	wanted := map[bank.OrganizationID][]int{}
	for i := range questions {
		if questions[i].InWords && answers[i].Organization != "" {
			wanted[answers[i].Organization] = append(wanted[answers[i].Organization], i)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	return s.names(ctx, func(tx *db.Tx) error {
		for organization, indexes := range wanted {
			names, err := s.sources.Names(tx, institution, organization, scopeOf(questions, indexes))
			if err != nil {
				return fmt.Errorf("read the names of %s: %w", organization, err)
			}
			for _, i := range indexes {
				answers[i].Names = names(questions[i].Member)
			}
		}
		return nil
	})
}

// manyNames is from how many names on all of an organization is read at once:
// that costs less than reading so many one by one.
const manyNames = 64

// scopeOf is what the questions of one organization name.
func scopeOf(questions []Question, indexes []int) (scope entitlement.Scope) {
	members, accounts := map[bank.UserID]bool{}, map[bank.AccountID]bool{}
	for _, i := range indexes {
		q := &questions[i]
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
	return scope
}
