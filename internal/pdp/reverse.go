package pdp

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/entitlement/compact"
)

// Reverse questions leave one part of a question open and ask for whom, where
// or what the answer is yes. Each is the same question asked of every candidate
// in the blocks, so that a search never says anything else than a decision does.

// A Yes is one candidate for whom the answer is yes.
type Yes[ID any] struct {
	ID            ID
	NeedsApproval bool // once a second person approves
}

// A Found is everything to which the answer is yes, in the order of the ids.
type Found[ID any] struct {
	Yes      []Yes[ID]
	Revision Revision // what the answer knows; zero where it is about several organizations, or about nothing

	// NotReached says that nothing was looked for, because what the question
	// demands to be known is not known here.
	NotReached bool
}

// WhoMay finds the members for whom a question that names none is a yes: those
// of the organization that it names, otherwise those at its account.
func (s *Service) WhoMay(ctx context.Context, institution bank.InstitutionID, q Question) (Found[bank.UserID], error) {
	return search(ctx, s, institution, q, func(a *asking, found *Found[bank.UserID]) error {
		organizations, err := a.candidates(q)
		if err != nil {
			return err
		}
		for _, organization := range organizations {
			block, err := a.block(organization)
			if err != nil {
				return err
			}
			if block == nil {
				continue
			}
			if len(organizations) == 1 {
				found.Revision = a.revision(block)
			}
			req := a.request(&q)
			for n, member := range block.Members {
				req.Member = member
				if err := found.ask(a, block, n, member, &req); err != nil {
					return err
				}
			}
		}
		if len(organizations) > 1 {
			slices.SortFunc(found.Yes, func(x, y Yes[bank.UserID]) int { return strings.Compare(string(x.ID), string(y.ID)) })
		}
		return nil
	})
}

// candidates are the organizations in which somebody may be whom a question
// leaves open.
func (a *asking) candidates(q Question) (organizations []bank.OrganizationID, err error) {
	switch {
	case q.Organization != "" && storable(string(q.Organization)):
		return []bank.OrganizationID{q.Organization}, nil
	case q.Organization == "" && storable(string(q.Account)):
		err = a.service.memory.Read(a.ctx, func(tx *db.Tx) error {
			organizations, err = a.service.sources.OrganizationsAt(tx, a.institution, q.Account)
			return err
		})
	}
	return organizations, err
}

// OnWhich finds the accounts on which a question that names none is a yes.
func (s *Service) OnWhich(ctx context.Context, institution bank.InstitutionID, q Question) (Found[bank.AccountID], error) {
	return search(ctx, s, institution, q, func(a *asking, found *Found[bank.AccountID]) error {
		block, err := a.of(q)
		if err != nil || block == nil {
			return err
		}
		found.Revision = a.revision(block)
		req, n := a.request(&q), block.Place(q.Member)
		for account := range block.Accounts {
			req.Account = account
			if err := found.ask(a, block, n, account, &req); err != nil {
				return err
			}
		}
		return nil
	})
}

// WhatMay finds the operations for which a question that names none is a yes.
// One that needs an amount is a yes only where the question has one. fit may
// leave operations out; nil leaves out none.
func (s *Service) WhatMay(ctx context.Context, institution bank.InstitutionID, q Question, fit func(catalog.Operation) bool) (Found[catalog.Operation], error) {
	return search(ctx, s, institution, q, func(a *asking, found *Found[catalog.Operation]) error {
		block, err := a.of(q)
		if err != nil {
			return err
		}
		found.Revision = a.revision(block)
		if block == nil {
			return nil
		}
		for _, op := range catalog.Operations() {
			if fit != nil && !fit(op) {
				continue
			}
			of := q
			of.Operation = op.ID()
			req := a.request(&of)
			if err := found.ask(a, block, block.Place(q.Member), op, &req); err != nil {
				return err
			}
		}
		return nil
	})
}

// of is the block of a question's member; nil where there is none, or where the
// question says that they are elsewhere.
func (a *asking) of(q Question) (*compact.Block, error) {
	if err := a.find([]bank.UserID{q.Member}); err != nil {
		return nil, err
	}
	organization := a.members[q.Member]
	if q.Organization != "" && q.Organization != organization {
		return nil, nil
	}
	return a.block(organization)
}

// search has a search done within one moment, where what it demands is reached.
func search[ID any](ctx context.Context, s *Service, institution bank.InstitutionID, q Question, find func(*asking, *Found[ID]) error) (found Found[ID], err error) {
	err = s.ask(ctx, institution, func(a *asking) error {
		found = Found[ID]{}
		if err := a.reach([]Question{q}); err != nil {
			return err
		}
		reached, err := a.reached(q.AtLeast)
		if err != nil || !reached {
			found.NotReached = err == nil
			return err
		}
		return find(a, &found)
	})
	if err != nil {
		return Found[ID]{}, fmt.Errorf("search: %w", err)
	}
	return found, nil
}

// ask asks about one candidate, and keeps a yes.
func (f *Found[ID]) ask(a *asking, b *compact.Block, n int, candidate ID, req *entitlement.Request) error {
	var v compact.Verdict
	if a.view.Ask(b, n, req, &v) != compact.Answered {
		return a.unknownDay()
	}
	if v.Allowed() {
		f.Yes = append(f.Yes, Yes[ID]{candidate, v.ApprovalRequired()})
	}
	return nil
}

// Common is the revision that all answers know, and zero where they are about
// different organizations, or where there are none.
func Common(answers []Answer) Revision {
	if len(answers) == 0 {
		return Revision{}
	}
	for _, a := range answers {
		if a.Revision != answers[0].Revision {
			return Revision{}
		}
	}
	return answers[0].Revision
}
