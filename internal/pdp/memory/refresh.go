package memory

import (
	"context"
	"fmt"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/entitlement/compact"
	"mandate/internal/fault"
)

// largeWhole is from how many pairs of a member and an account on a follower
// does not wait until an organization was read as a whole: it is behind meanwhile.
const largeWhole = 200_000

// Refresh brings what is here up to heads, as a transaction sees them: all chains
// that moved since the last time. Organizations that are not here are noted
// only. Another epoch than the known one makes everything be forgotten.
//
// All is read first. Then all of it is behind, and only then put, so that nobody
// who was answered from one part is answered from before another part after it:
// what was taken from somebody is gone before what was made for their absence is
// there, also in another organization.
func (m *Memory) Refresh(tx *db.Tx, heads []activity.Head) error {
	if err := m.meet(tx); err != nil {
		return err
	}
	byInstitution := map[bank.InstitutionID][]activity.Head{}
	for _, h := range heads {
		byInstitution[h.Institution] = append(byInstitution[h.Institution], h)
	}
	var all []renewed
	for institution, heads := range byInstitution {
		s := m.held(institution)
		if s == nil {
			continue
		}
		next, err := m.renew(tx, s, heads)
		if err != nil {
			return fmt.Errorf("refresh %s: %w", institution, err)
		}
		all = append(all, next)
	}
	for _, next := range all {
		for _, h := range byInstitution[next.institution] {
			next.Announce(h.Organization, h.Sequence)
		}
	}
	for _, next := range all {
		for _, b := range next.blocks {
			m.put(next.store, b)
		}
		if next.top != nil {
			next.SetInstitution(*next.top)
		}
	}
	return nil
}

// renewed is what an institution becomes.
type renewed struct {
	*store
	blocks []*compact.Block
	top    *compact.Institution // nil: as it is
}

// renew reads what an institution becomes. Nothing is put.
func (m *Memory) renew(tx *db.Tx, s *store, heads []activity.Head) (renewed, error) {
	next := renewed{store: s}
	for _, h := range heads {
		if h.Organization == "" {
			top, _, err := m.institution(tx, s, h)
			if err != nil {
				return next, err
			}
			next.top = &top
			continue
		}
		was := s.Here(h.Organization)
		if was == nil || was.Grants() > largeWhole && h.Sequence-was.Sequence > manyEvents {
			m.pending.add(place{s.institution, h.Organization})
			continue
		}
		b, err := m.organization(tx, s, was, h)
		if err != nil {
			return next, err
		}
		next.blocks = append(next.blocks, b)
	}
	return next, nil
}

func (m *Memory) put(s *store, b *compact.Block) {
	s.Put(b)
	s.Announce(b.Organization, b.Sequence)
}

// meet reads the epoch; another one than the known one makes everything be
// forgotten. Where only this process changes the database it stays the same.
func (m *Memory) meet(tx *db.Tx) error {
	known := m.epoch.Load()
	if known != 0 && m.Freshness() == Told {
		return nil
	}
	epoch, err := activity.Epoch(tx)
	if err != nil || epoch == known {
		return err
	}
	if known != 0 {
		m.Forget()
	}
	m.epoch.Store(epoch)
	return nil
}

// View is an institution's store, ready to be asked: its own level is not behind.
func (m *Memory) View(ctx context.Context, institution bank.InstitutionID) (compact.View, error) {
	s := m.hold(institution)
	if m.ready(s) {
		return s.View(), nil
	}
	done, err := m.turns.take(ctx, place{institution, ""})
	if err != nil {
		return compact.View{}, err
	}
	defer done()
	if m.ready(s) {
		return s.View(), nil
	}
	return m.ReadInstitution(ctx, institution)
}

// ready reports whether an institution's own level is here and not behind.
func (m *Memory) ready(s *store) bool {
	view := s.View()
	return m.Freshness() != Asked && view.Institution().Sequence >= 0 && view.Holds()
}

// ReadInstitution looks into the database in any case.
func (m *Memory) ReadInstitution(ctx context.Context, institution bank.InstitutionID) (compact.View, error) {
	s := m.hold(institution)
	err := m.read(ctx, func(tx *db.Tx) error { return m.readInstitution(tx, s) })
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			m.letGo(institution)
		}
		return compact.View{}, fmt.Errorf("read %s: %w", institution, err)
	}
	return s.View(), nil
}

// readInstitution brings the topmost level up to date. Where it changed, and not
// everything is announced, organizations may have changed before it: whatever is
// older than what this transaction sees is behind then.
func (m *Memory) readInstitution(tx *db.Tx, s *store) error {
	if err := m.meet(tx); err != nil {
		return err
	}
	h, err := activity.HeadOf(tx, s.institution, "")
	if err != nil {
		return orNoInstitution(err)
	}
	next, changed, err := m.institution(tx, s, h)
	if err != nil {
		return err
	}
	if changed && m.Freshness() != Told && s.Institution().Sequence >= 0 {
		if err := m.announceAll(tx, s); err != nil {
			return err
		}
	}
	s.SetInstitution(next)
	return nil
}

func (m *Memory) announceAll(tx *db.Tx, s *store) error {
	heads, err := activity.Heads(tx)
	for _, h := range heads {
		if h.Institution == s.institution && h.Organization != "" {
			s.Announce(h.Organization, h.Sequence)
		}
	}
	return err
}

// Organization is an organization's block, read from the database as it is after
// the call began, if it was not known to be current.
func (m *Memory) Organization(ctx context.Context, institution bank.InstitutionID, organization bank.OrganizationID) (*compact.Block, error) {
	if m.Freshness() == Asked {
		return m.ReadOrganization(ctx, institution, organization)
	}
	if b := m.current(institution, organization); b != nil {
		return b, nil
	}
	done, err := m.turns.take(ctx, place{institution, organization})
	if err != nil {
		return nil, err
	}
	defer done()
	if b := m.current(institution, organization); b != nil {
		return b, nil
	}
	return m.ReadOrganization(ctx, institution, organization)
}

// current is an organization's block where that is here and not behind.
func (m *Memory) current(institution bank.InstitutionID, organization bank.OrganizationID) *compact.Block {
	b, state := m.hold(institution).View().Organization(organization)
	if state != compact.Answered || b.CountsFrom() > countsFrom(m.db.Now()) {
		return nil
	}
	return b
}

// ReadOrganization looks into the database in any case: for questions that
// demand more than is known.
func (m *Memory) ReadOrganization(ctx context.Context, institution bank.InstitutionID, organization bank.OrganizationID) (b *compact.Block, err error) {
	s := m.hold(institution)
	err = m.read(ctx, func(tx *db.Tx) error {
		if err := m.meet(tx); err != nil {
			return err
		}
		top, err := activity.HeadOf(tx, institution, "")
		if err != nil {
			return orNoInstitution(err)
		}
		to, err := activity.HeadOf(tx, institution, organization)
		if err != nil {
			return orNoOrganization(err)
		}
		if b, err = m.organization(tx, s, s.Here(organization), to); err != nil {
			return orNoOrganization(err)
		}
		s.Announce("", top.Sequence) // before the block: nobody is answered from this and an older institution
		m.put(s, b)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", organization, err)
	}
	m.keepWithin()
	return b, nil
}

// OrganizationsOf finds in the database where members are.
func (m *Memory) OrganizationsOf(ctx context.Context, institution bank.InstitutionID, members []bank.UserID) (found map[bank.UserID]bank.OrganizationID, err error) {
	err = m.read(ctx, func(tx *db.Tx) error {
		found, err = m.sources.OrganizationsOf(tx, institution, members)
		return err
	})
	return found, err
}

// Run reads what has moved before anybody asks about it, until ctx ends. What
// cannot be read stays behind: whoever asks reads it, and is told what is wrong.
func (m *Memory) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.pending.wake:
		}
		for at := range m.pending.take() {
			_ = m.catchUp(ctx, at)
		}
	}
}

// catchUp reads a place again where it is here and behind.
func (m *Memory) catchUp(ctx context.Context, at place) error {
	s := m.held(at.institution)
	if s == nil {
		return nil
	}
	if at.organization == "" {
		_, err := m.View(ctx, at.institution)
		return err
	}
	if s.Here(at.organization) == nil {
		return nil
	}
	_, err := m.Organization(ctx, at.institution, at.organization)
	return err
}
