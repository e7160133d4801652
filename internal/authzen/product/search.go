package product

import (
	"context"

	"mandate/internal/authzen"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/client"
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
		return authzen.Results{}, nil
	}
	a.AtLeast = append(a.AtLeast, demanded...)
	found, err := d.service.WhoMay(ctx, caller.Institution, a.Question)
	return results(found, func(id bank.UserID) string { return string(id) }), err
}

// resources finds accounts, or the one organization that there can be: the
// subject's own.
func (d *Decider) resources(ctx context.Context, caller client.Client, e authzen.Evaluation, demanded []pdp.Revision) (authzen.Results, error) {
	e.Resource.ID = "any" // read wants one; the search puts others in its place
	a := read(e)
	if a.refusal != nil {
		return authzen.Results{}, nil
	}
	a.AtLeast = append(a.AtLeast, demanded...)
	if e.Resource.Type == accountType {
		found, err := d.service.OnWhich(ctx, caller.Institution, a.Question)
		return results(found, func(id bank.AccountID) string { return string(id) }), err
	}
	a.Organization = ""
	answers, err := d.service.DecideAll(ctx, caller.Institution, []pdp.Question{a.Question})
	if err != nil {
		return authzen.Results{}, err
	}
	answer := answers[0]
	r := authzen.Results{Revision: answer.Revision.String()}
	if answer.Outcome() == pdp.Allowed {
		r.IDs = []string{string(answer.Organization)}
	}
	return r, nil
}

// actions finds the operations that the caller may ask about and the subject
// may carry out on the resource.
func (d *Decider) actions(ctx context.Context, caller client.Client, e authzen.Evaluation, demanded []pdp.Revision) (authzen.Results, error) {
	fits := map[catalog.Operation]bool{}
	var q pdp.Question
	for _, op := range catalog.Operations() {
		e.Action.Name = op.ID()
		if a := read(e); a.refusal == nil && caller.May(op) {
			fits[op], q = true, a.Question
		}
	}
	if len(fits) == 0 {
		return authzen.Results{}, nil
	}
	q.AtLeast = append(q.AtLeast, demanded...)
	found, err := d.service.WhatMay(ctx, caller.Institution, q, func(op catalog.Operation) bool { return fits[op] })
	return results(found, catalog.Operation.ID), err
}

// results are the names of everything that is allowed as it stands.
func results[ID any](found pdp.Found[ID], name func(ID) string) authzen.Results {
	r := authzen.Results{Revision: found.Revision.String()}
	for _, yes := range found.Yes {
		if !yes.NeedsApproval {
			r.IDs = append(r.IDs, name(yes.ID))
		}
	}
	return r
}
