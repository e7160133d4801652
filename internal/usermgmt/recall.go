package usermgmt

import (
	"context"
	"errors"
	"fmt"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/entitlement/compact"
	"mandate/internal/pdp"
)

// A Memory keeps what the tables say of organizations, each up to an event of its
// history.
type Memory interface {
	Organization(context.Context, bank.InstitutionID, bank.OrganizationID) (*compact.Block, error)
}

// WithMemory has questions about everybody of an organization answered from
// memory where that is what the tables say. It is for assembling the program.
func (s *Service) WithMemory(m Memory) *Service {
	s.memory = m
	return s
}

// recall is what memory has of an organization; nil where the tables are asked,
// as they are where memory cannot be.
func (s *Service) recall(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, scope entitlement.Scope, past pdp.Past) *compact.Block {
	stranger := caller.Organization != "" && caller.Organization != organization
	if s.memory == nil || stranger || !scope.AllMembers || !past.IsZero() {
		return nil
	}
	block, err := s.memory.Organization(ctx, caller.Institution, organization)
	if err != nil {
		return nil
	}
	return block
}

// remembered is everybody from memory, and the levels above them from the tables.
// The history says whether memory is the same: its head, whose hash stands for
// all that was ever done, is the block's. Where something has happened in
// between, the tables are read.
func remembered(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, scope entitlement.Scope, block *compact.Block) (*entitlement.Policy, entitlement.Crowd, error) {
	head, err := activity.HeadOf(tx, institution, organization)
	if errors.Is(err, activity.ErrNoStream) {
		return nil, nil, ErrNoOrganization
	}
	if err != nil {
		return nil, nil, fmt.Errorf("find out whether memory is current: %w", err)
	}
	if !isAt(block, head) {
		p, err := LoadPolicy(tx, institution, organization, scope)
		return p, nil, err
	}
	p := &entitlement.Policy{}
	_, err = loadOrganization(tx, institution, organization, p)
	return p, block.Crowd(p.Institution), err
}

// isAt reports whether a block is of the very history that stands at a head.
func isAt(block *compact.Block, head activity.Head) bool {
	var hash [32]byte
	copy(hash[:], head.Hash)
	return block.Organization == head.Organization && block.Mark == compact.Mark{Revision: head.Revision, Sequence: head.Sequence, Hash: hash}
}
