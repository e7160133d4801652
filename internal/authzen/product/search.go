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

var _ authzen.Searcher = (*Decider)(nil)

// Search finds what a single evaluation would allow: what still needs a second
// person is not among it. An operation on which an amount has a bearing is
// found only where the action says one.
func (d *Decider) Search(ctx context.Context, caller client.Client, s authzen.Search) (authzen.Results, error) {
	demanded, err := demand(s.AtLeast)
	if err != nil {
		return authzen.Results{}, err
	}
	if s.Sought == authzen.Actions {
		return d.actions(ctx, caller, s.Evaluation, demanded)
	}
	if !caller.May(catalog.ParseOperation(s.Evaluation.Action.Name)) {
		return authzen.Results{}, fault.New(fault.Forbidden, notYours)
	}
	if s.Sought == authzen.Subjects {
		return d.subjects(ctx, caller, s.Evaluation, demanded)
	}
	return d.resources(ctx, caller, s.Evaluation, demanded)
}

func (d *Decider) subjects(ctx context.Context, caller client.Client, e authzen.Evaluation, demanded []pdp.Revision) (authzen.Results, error) {
	a := read(e)
	if a.refusal != nil {
		return a.nothing(), nil
	}
	a.AtLeast = append(a.AtLeast, demanded...)
	found, err := d.service.WhoMay(ctx, caller.Institution, a.Question)
	return results(&a, found, func(id bank.UserID) string { return string(id) }), err
}

// resources finds accounts, or the one organization that there can be: the
// subject's own.
func (d *Decider) resources(ctx context.Context, caller client.Client, e authzen.Evaluation, demanded []pdp.Revision) (authzen.Results, error) {
	e.Resource.ID = "any" // read wants one; the search puts others in its place
	a := read(e)
	if a.refusal != nil {
		return a.nothing(), nil
	}
	a.AtLeast = append(a.AtLeast, demanded...)
	if e.Resource.Type == accountType {
		found, err := d.service.OnWhich(ctx, caller.Institution, a.Question)
		return results(&a, found, func(id bank.AccountID) string { return string(id) }), err
	}
	a.Organization = ""
	answers, err := d.service.DecideAll(ctx, caller.Institution, []pdp.Question{a.Question})
	if err != nil {
		return authzen.Results{}, err
	}
	answer := answers[0]
	r := authzen.Results{Revision: answer.Revision.String(), Context: a.decision(answer).Context}
	if answer.Outcome() == pdp.Allowed {
		r.IDs = []string{string(answer.Organization)}
	}
	return r, nil
}

// actions finds the operations that the caller may ask about and the subject
// may carry out on the resource.
func (d *Decider) actions(ctx context.Context, caller client.Client, e authzen.Evaluation, demanded []pdp.Revision) (authzen.Results, error) {
	fits := map[catalog.Operation]bool{}
	var a, none asked
	for _, op := range catalog.Operations() {
		e.Action.Name = op.ID()
		if one := read(e); one.refusal != nil {
			none = one
		} else if caller.May(op) {
			fits[op], a = true, one
		}
	}
	if len(fits) == 0 {
		return none.nothing(), nil
	}
	a.AtLeast = append(a.AtLeast, demanded...)
	found, err := d.service.WhatMay(ctx, caller.Institution, a.Question, func(op catalog.Operation) bool { return fits[op] })
	return results(&a, found, catalog.Operation.ID), err
}

// nothing is found by a search that cannot be one: every single evaluation would
// be refused for the same.
func (a *asked) nothing() authzen.Results {
	if a.reader == nobody || a.refusal == nil {
		return authzen.Results{}
	}
	return authzen.Results{Context: a.explained(a.refusal.Reasons, entitlement.Names{}, pdp.Revision{})}
}

// results are the names of everything that is allowed as it stands. Where an
// explanation is wanted, the one of the search is the one of each of its results:
// nothing blocks them, and this is what the answer knows.
func results[ID any](a *asked, found pdp.Found[ID], name func(ID) string) authzen.Results {
	r := authzen.Results{Revision: found.Revision.String()}
	for _, yes := range found.Yes {
		if !yes.NeedsApproval {
			r.IDs = append(r.IDs, name(yes.ID))
		}
	}
	if a.reader == nobody {
		return r
	}
	var reasons []entitlement.Reason
	if found.NotReached {
		reasons = entitlement.Refused(pdp.RevisionNotReached).Reasons
	}
	r.Context = a.explained(reasons, entitlement.Names{}, found.Revision)
	return r
}
