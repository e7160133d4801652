package product

import (
	"context"
	"sync"

	"mandate/internal/authzen"
	"mandate/internal/authzen/scan"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/client"
	"mandate/internal/entitlement"
	"mandate/internal/pdp"
)

var _ authzen.Quick = (*Decider)(nil)

// quickly is the decision service's way for questions that its memory answers.
type quickly interface {
	// QuickAll sets allowed where an answer is a yes that needs nobody else, all of
	// one moment, and returns what all answers know. ok is false where it leaves
	// the questions to DecideAll.
	QuickAll(ctx context.Context, institution bank.InstitutionID, questions []pdp.Question, allowed []bool) (known pdp.Revision, ok bool)
}

// questions are those of one request, in memory that serves the next.
type questions []pdp.Question

var questionPool = sync.Pool{New: func() any { return new(questions) }}

// Quick answers evaluations that name what exists and want no words. The others
// are Evaluate's: those that are refused before they become questions, and those
// that this caller may not ask.
func (d *Decider) Quick(ctx context.Context, caller client.Client, atLeast string, asked *scan.Request, allowed []bool) (string, bool) {
	service, ok := d.service.(quickly)
	if !ok {
		return "", false
	}
	demanded, err := demand(atLeast)
	if err != nil {
		return "", false
	}
	all := questionPool.Get().(*questions)
	defer all.done()
	for i := range asked.Evaluations {
		var a plain
		if !a.read(&caller, asked, &asked.Evaluations[i]) {
			return "", false
		}
		if demanded != nil {
			a.AtLeast = append(a.AtLeast, demanded...)
		}
		*all = append(*all, a.Question)
	}
	revision, ok := service.QuickAll(ctx, caller.Institution, *all, allowed)
	if !ok {
		return "", false
	}
	return revision.String(), true
}

func (q *questions) done() {
	clear(*q)
	*q = (*q)[:0]
	questionPool.Put(q)
}

// plain is an evaluation in its plain shape, becoming a question. What read makes
// of any evaluation, it makes of these; where it would refuse, it has no
// question.
type plain struct{ asked }

func (a *plain) read(caller *client.Client, r *scan.Request, e *scan.Evaluation) bool {
	op := catalog.ParseOperation(e.Action.Name)
	if e.Subject.Type != userType || !caller.May(op) {
		return false
	}
	a.Question = pdp.Question{Member: bank.UserID(e.Subject.ID), Operation: e.Action.Name}
	if !a.context(r.Of(e.Context)) || !a.resource(op, authzen.Entity{Type: e.Resource.Type, ID: e.Resource.ID}) {
		return false
	}
	for _, m := range r.Of(e.Action.Properties) {
		switch m.Name {
		case "amount":
			a.Amount = entitlement.ReadAmount(textOf(m))
		case "to_account":
			a.ToAccount = bank.AccountID(textOf(m))
		}
	}
	return true
}

// textOf is the text of a member, and none of what is no text.
func textOf(m scan.Member) string {
	if m.Kind != scan.Text {
		return ""
	}
	return m.Text
}

// context takes what the context says. Words are for Evaluate.
func (a *plain) context(members []scan.Member) bool {
	for _, m := range members {
		if key := edgeKeyOf(m.Name); key != nil {
			if !key.take(&a.asked, m.Value()) {
				return false
			}
			continue
		}
		if a.Context == nil {
			a.Context = make(map[string]any, len(members))
		}
		a.Context[m.Name] = m.Value()
	}
	return a.reader == nobody
}
