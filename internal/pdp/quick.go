package pdp

import (
	"mandate/internal/bank"
	"mandate/internal/entitlement"
	"mandate/internal/entitlement/compact"
)

// A Quick is a question that is asked without allocating anything, and its
// answer. Its owner uses it again and again.
type Quick struct {
	// Request is the question. What it counts on, the time and what is used
	// already, is the service's to know.
	Request entitlement.Request

	Organization bank.OrganizationID // as of a Question
	AtLeast      Revision            // as of a Question; one is enough here

	Verdict  compact.Verdict // the answer, good until the next question
	Revision Revision        // what it knows
}

// Outcome says what came out.
func (q *Quick) Outcome() Outcome {
	switch {
	case !q.Verdict.Allowed():
		return Denied
	case q.Verdict.ApprovalRequired():
		return NeedsApproval
	}
	return Allowed
}

// Quick answers a question where that can be done from memory alone, at once. It
// says false where it cannot, and then nothing is answered: Decide finds out
// what is missing, or refuses. Whatever it answers, Decide would have answered.
func (s *Service) Quick(institution bank.InstitutionID, q *Quick) bool {
	store := s.memory.Store(institution)
	if store == nil || !s.memory.Sure() {
		return false
	}
	asOf, _ := s.memory.AsOf()
	q.Request.Now, q.Request.Used, q.Request.Besides = s.memory.DB().Now(), entitlement.Used{}, 0
	view := store.View()
	if view.Decide(&q.Request, &q.Verdict) != compact.Answered {
		return false
	}
	block := q.Verdict.Block()
	if block == nil {
		return false // there is no such operation
	}
	q.Revision = Revision{
		Epoch: s.memory.Epoch(), Institution: institution, Organization: block.Organization,
		OfInstitution: view.Institution().Revision, OfOrganization: block.Revision,
	}
	if q.Organization != "" && q.Organization != block.Organization || !q.Revision.knows(q.AtLeast) || !view.Holds() || !s.memory.InTime(asOf) {
		return false
	}
	if s.meter != nil {
		s.meter.Decided(q.Verdict.Operation(), q.Outcome())
	}
	return true
}

// knows reports whether a revision is certainly reached.
func (r Revision) knows(demanded Revision) bool {
	return demanded.IsZero() || demanded.Epoch == r.Epoch && demanded.Institution == r.Institution &&
		demanded.OfInstitution <= r.OfInstitution &&
		(demanded.Organization == "" && demanded.OfOrganization == 0 || demanded.Organization == r.Organization && demanded.OfOrganization <= r.OfOrganization)
}
