package pdp

import (
	"context"
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
)

// Reverse questions leave one part of a question open and ask for whom, where
// or what the answer is yes. Each is the same question asked for every
// candidate, so that a search never says anything else than a decision does.

// A Yes is one candidate for whom the answer is yes.
type Yes[ID any] struct {
	ID            ID
	NeedsApproval bool // once a second person approves
}

// A Found is everything to which the answer is yes, in the order of the ids.
type Found[ID any] struct {
	Yes      []Yes[ID]
	Revision Revision // what the answer knows; zero where it is about several organizations, or about nothing
}

// WhoMay finds the members for whom a question that names none is a yes: those
// of the organization that it names, otherwise those at its account.
func (s *Service) WhoMay(ctx context.Context, institution bank.InstitutionID, q Question) (Found[bank.UserID], error) {
	return search(ctx, s, institution, func(tx *db.Tx) ([]bank.UserID, error) {
		switch {
		case storable(string(q.Organization)):
			return s.sources.MembersOf(tx, institution, q.Organization)
		case storable(string(q.Account)):
			return s.sources.MembersAt(tx, institution, q.Account)
		}
		return nil, nil
	}, func(id bank.UserID) Question {
		q.Member = id
		return q
	})
}

// OnWhich finds the accounts on which a question that names none is a yes.
func (s *Service) OnWhich(ctx context.Context, institution bank.InstitutionID, q Question) (Found[bank.AccountID], error) {
	return search(ctx, s, institution, func(tx *db.Tx) ([]bank.AccountID, error) {
		if !storable(string(q.Member)) {
			return nil, nil
		}
		return s.sources.AccountsOf(tx, institution, q.Member)
	}, func(id bank.AccountID) Question {
		q.Account = id
		return q
	})
}

// WhatMay finds the operations for which a question that names none is a yes.
// One that needs an amount is a yes only where the question has one. fit may
// leave operations out; nil leaves out none.
func (s *Service) WhatMay(ctx context.Context, institution bank.InstitutionID, q Question, fit func(catalog.Operation) bool) (Found[catalog.Operation], error) {
	return search(ctx, s, institution, func(*db.Tx) ([]catalog.Operation, error) {
		var operations []catalog.Operation
		for _, op := range catalog.Operations() {
			if fit == nil || fit(op) {
				operations = append(operations, op)
			}
		}
		return operations, nil
	}, func(op catalog.Operation) Question {
		q.Operation = op.ID()
		return q
	})
}

// search asks about every candidate, all of one moment.
func search[ID any](ctx context.Context, s *Service, institution bank.InstitutionID,
	candidates func(*db.Tx) ([]ID, error), about func(ID) Question) (Found[ID], error) {
	var found Found[ID]
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		found = Found[ID]{}
		ids, err := candidates(tx)
		if err != nil {
			return err
		}
		questions := make([]Question, len(ids))
		for i, id := range ids {
			questions[i] = about(id)
		}
		answers, err := newRound(s.sources, tx, institution).decide(questions)
		if err != nil {
			return err
		}
		for i, a := range answers {
			if a.Allowed {
				found.Yes = append(found.Yes, Yes[ID]{ids[i], a.ApprovalRequired})
			}
		}
		found.Revision = Common(answers)
		return nil
	})
	if err != nil {
		return Found[ID]{}, fmt.Errorf("search: %w", err)
	}
	return found, nil
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
