// Package product is what stands behind the AuthZEN edge in the running
// program: it turns evaluations into questions to the decision service and
// answers back, as section 5 of the decision specification says. It judges
// nothing itself.
//
// A caller of AuthZEN knows yes and no, and nothing of approvals. So that such
// a caller stays safe, what still needs a second person is a no here.
package product

import (
	"context"

	"mandate/internal/authzen"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/client"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/pdp"
)

// Types of subjects and resources that exist here.
const (
	userType         = "user"
	accountType      = "account"
	organizationType = "organization"
)

// UnknownSubject and UnknownResource refuse subjects and resources of a type
// that does not exist here, or not for the operation.
const (
	UnknownSubject  entitlement.Code = "UNKNOWN_SUBJECT_TYPE"
	UnknownResource entitlement.Code = "UNKNOWN_RESOURCE_TYPE"
)

// Questions is the decision service. All that one call answers is of one
// moment.
type Questions interface {
	DecideAll(context.Context, bank.InstitutionID, []pdp.Question) ([]pdp.Answer, error)
	WhoMay(context.Context, bank.InstitutionID, pdp.Question) (pdp.Found[bank.UserID], error)
	OnWhich(context.Context, bank.InstitutionID, pdp.Question) (pdp.Found[bank.AccountID], error)
	WhatMay(context.Context, bank.InstitutionID, pdp.Question, func(catalog.Operation) bool) (pdp.Found[catalog.Operation], error)
}

// A Decider answers evaluations from the decision service.
type Decider struct {
	service  Questions
	requests *Requests // nil: access requests are not taken
}

var _ authzen.Decider = (*Decider)(nil)

// New returns a decider over the decision service.
func New(service Questions) *Decider { return &Decider{service: service} }

const notYours = "This caller may not ask about this operation."

// Evaluate answers evaluations about the caller's institution. Nobody else's
// members exist for it.
func (d *Decider) Evaluate(ctx context.Context, caller client.Client, q authzen.Questions) (authzen.Answers, error) {
	demanded, err := demand(q.AtLeast)
	if err != nil {
		return authzen.Answers{}, err
	}
	asked := make([]asked, len(q.Evaluations))
	var questions []pdp.Question
	for i, e := range q.Evaluations {
		asked[i] = d.read(&caller, e)
		if asked[i].isQuestion(caller) {
			asked[i].AtLeast = append(asked[i].AtLeast, demanded...)
			questions = append(questions, asked[i].Question)
		}
	}
	answers, err := d.service.DecideAll(ctx, caller.Institution, questions)
	if err != nil {
		return authzen.Answers{}, err
	}
	if d.requests != nil {
		if err := d.approve(ctx, &caller, asked, answers); err != nil {
			return authzen.Answers{}, err
		}
	}
	return d.assemble(caller, asked, answers), nil
}

// read turns an evaluation into a question of a caller. Only who can make access
// requests can name what came of one.
func (d *Decider) read(caller *client.Client, e authzen.Evaluation) asked {
	a := read(e)
	switch {
	case d.requests == nil || !caller.Can(client.AccessRequests):
		a.approval = approval{}
	case a.refusal == nil && a.approval.given && a.approval.ref == "":
		return a.refused(entitlement.InvalidContext)
	}
	return a
}

// demand reads the revision that a header demands.
func demand(token string) ([]pdp.Revision, error) {
	if token == "" {
		return nil, nil
	}
	revision, err := pdp.ParseRevision(token)
	if err != nil {
		return nil, fault.New(fault.Invalid, "The header Mandate-Revision does not hold a revision of this service.").Because(err)
	}
	return []pdp.Revision{revision}, nil
}

// assemble puts the answers where they belong between the evaluations that
// were no questions.
func (d *Decider) assemble(caller client.Client, asked []asked, answers []pdp.Answer) authzen.Answers {
	result := authzen.Answers{Decisions: make([]authzen.Decision, len(asked)), Revision: pdp.Common(answers).String()}
	for i, a := range asked {
		switch {
		case !caller.May(a.operation()):
			result.Decisions[i] = forbidden()
		case a.refusal != nil:
			result.Decisions[i] = d.decision(&caller, &a, pdp.Answer{Decision: *a.refusal})
		default:
			result.Decisions[i] = d.decision(&caller, &a, answers[0])
			answers = answers[1:]
		}
	}
	return result
}

// An asked evaluation is a question, or refused before it became one.
type asked struct {
	pdp.Question
	reader   reader
	approval approval
	refusal  *entitlement.Decision
}

func (a asked) operation() catalog.Operation { return catalog.ParseOperation(a.Operation) }

func (a asked) isQuestion(caller client.Client) bool {
	return a.refusal == nil && caller.May(a.operation())
}

func (a asked) refused(code entitlement.Code) asked {
	refusal := entitlement.Refused(code)
	a.refusal = &refusal
	return a
}

// read turns an evaluation into a question. Stored facts decide: what the
// caller says about a subject's or resource's properties is not looked at.
func read(e authzen.Evaluation) asked {
	a := asked{Question: pdp.Question{Member: bank.UserID(e.Subject.ID), Operation: e.Action.Name, Context: e.Context}}
	for _, key := range edgeKeys {
		if value, given := e.Context[key.name]; given && !key.take(&a, value) {
			return a.refused(entitlement.InvalidContext)
		}
	}
	a.InWords = a.reader != nobody
	if e.Subject.Type != userType {
		return a.refused(UnknownSubject)
	}
	if !a.resource(a.operation(), e.Resource) {
		return a.refused(UnknownResource)
	}
	a.properties(e.Action.Properties)
	return a
}

// resource takes the account or the organization that the operation is about,
// and reports whether it is about things of this type. An operation that can
// do without an account takes either, and takes no empty id for the lack of
// one.
func (a *asked) resource(op catalog.Operation, r authzen.Entity) bool {
	accounts := op.Info().Accounts
	needed := accounts == catalog.AccountRequired || accounts == catalog.AccountPair
	switch {
	case op == catalog.UnknownOperation:
		return true // refused for that
	case r.Type == accountType && (needed || accounts == catalog.AccountOptional && r.ID != ""):
		a.Account = bank.AccountID(r.ID)
		return true
	case r.Type == organizationType && !needed && r.ID != "":
		a.Organization = bank.OrganizationID(r.ID)
		return true
	}
	return false
}

// properties takes what the action says about the payment. A value of the
// wrong kind is an amount or an account that does not exist.
func (a *asked) properties(p map[string]any) {
	if value, given := p["amount"]; given {
		text, _ := value.(string)
		a.Amount = entitlement.ReadAmount(text)
	}
	if value, given := p["to_account"]; given {
		text, _ := value.(string)
		a.ToAccount = bank.AccountID(text)
	}
}
