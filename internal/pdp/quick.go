package pdp

import (
	"context"
	"slices"
	"sync"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/entitlement/compact"
)

// QuickAll answers questions where all of them can be answered from memory alone,
// at once, and allocates next to nothing. Only members of whom memory knows
// nothing are looked for in the database, where nobody of them may be found
// either. It sets allowed where an answer is a
// yes that needs nobody else, and returns what all answers know: the zero
// revision where they are about several organizations. It says false where it
// cannot, and then nothing is answered: DecideAll finds out what is missing, or
// refuses. Whatever it answers, DecideAll would have answered.
func (s *Service) QuickAll(ctx context.Context, institution bank.InstitutionID, questions []Question, allowed []bool) (Revision, bool) {
	store := s.memory.Store(institution)
	if store == nil || !s.memory.Sure() {
		return Revision{}, false
	}
	r := quickRounds.Get().(*quickRound)
	defer r.done()
	asOf, _ := s.memory.AsOf()
	view := store.View()
	r.req.Now = s.memory.DB().Now()
	for i := range questions {
		if !r.answer(view, &questions[i]) {
			return Revision{}, false
		}
	}
	if !s.nowhere(ctx, institution, r.strangers) {
		return Revision{}, false
	}
	known := Revision{Epoch: s.memory.Epoch(), Institution: institution, OfInstitution: view.Institution().Revision}
	if !r.know(known, questions) || !view.Holds() || !s.memory.InTime(asOf) {
		return Revision{}, false
	}
	for i, a := range r.answers {
		allowed[i] = a.outcome == Allowed
		if s.meter != nil {
			s.meter.Decided(a.operation, a.outcome)
		}
	}
	if !r.together() {
		return Revision{}, true
	}
	return r.answers[0].revision(known), true
}

// nowhere reports whether nobody has heard of members, once those that memory
// does not have were looked for.
func (s *Service) nowhere(ctx context.Context, institution bank.InstitutionID, members []bank.UserID) bool {
	possible := slices.ContainsFunc(members, func(m bank.UserID) bool { return storable(string(m)) })
	if !possible {
		return true // nobody has such an id
	}
	asked := make([]bank.UserID, 0, len(members)) // others keep them: the round's memory is used again
	for _, m := range members {
		if storable(string(m)) {
			asked = append(asked, m)
		}
	}
	found, err := s.memory.OrganizationsOf(ctx, institution, asked)
	return err == nil && len(found) == 0
}

// A quickRound is questions of one request that are answered from memory.
type quickRound struct {
	req     entitlement.Request
	verdict compact.Verdict
	answers []quickAnswer

	strangers []bank.UserID // members that memory does not have
	blocks    map[bank.OrganizationID]*compact.Block
}

type quickAnswer struct {
	block     *compact.Block // nil: there is no such member
	operation catalog.Operation
	outcome   Outcome
}

// revision is what an answer knows, by what all of them know.
func (a quickAnswer) revision(known Revision) Revision {
	if a.block == nil {
		return known
	}
	known.Organization, known.OfOrganization = a.block.Organization, a.block.Revision
	return known
}

var quickRounds = sync.Pool{New: func() any { return &quickRound{blocks: map[bank.OrganizationID]*compact.Block{}} }}

func (r *quickRound) done() {
	clear(r.answers)
	clear(r.blocks)
	clear(r.strangers)
	*r = quickRound{answers: r.answers[:0], strangers: r.strangers[:0], blocks: r.blocks}
	quickRounds.Put(r)
}

func (r *quickRound) answer(view compact.View, q *Question) bool {
	operation := catalog.ParseOperation(q.Operation)
	r.req.Member, r.req.Operation, r.req.Account, r.req.ToAccount, r.req.Amount = q.Member, operation, q.Account, q.ToAccount, q.Amount
	r.req.Context = entitlement.ReadContext(operation, view.Institution().Edition, q.Context)
	if q.InWords {
		return false
	}
	switch view.Decide(&r.req, &r.verdict) {
	case compact.NotHere:
		r.strangers = append(r.strangers, q.Member)
		r.answers = append(r.answers, quickAnswer{nil, operation, Denied})
		return true
	case compact.Behind:
		return false
	}
	block := r.verdict.Block()
	if block == nil || q.Organization != "" && q.Organization != block.Organization || !r.same(block) {
		return false
	}
	outcome := Denied
	switch {
	case r.verdict.ApprovalRequired():
		outcome = NeedsApproval
	case r.verdict.Allowed():
		outcome = Allowed
	}
	r.answers = append(r.answers, quickAnswer{block, operation, outcome})
	return true
}

// same reports whether all that was answered about an organization is of the
// same moment of it: of one block.
func (r *quickRound) same(b *compact.Block) bool {
	if n := len(r.answers); n > 0 && r.answers[n-1].block == b {
		return true
	}
	was := r.blocks[b.Organization]
	if was == nil {
		r.blocks[b.Organization] = b
		return true
	}
	return was == b
}

// know reports whether every answer knows what its question demands.
func (r *quickRound) know(known Revision, questions []Question) bool {
	for i := range questions {
		for _, demanded := range questions[i].AtLeast {
			if !r.answers[i].revision(known).knows(demanded) {
				return false
			}
		}
	}
	return true
}

// together reports whether all answers are about one organization, or about
// nobody.
func (r *quickRound) together() bool {
	return len(r.blocks) == 1 && len(r.strangers) == 0 || len(r.blocks) == 0
}
