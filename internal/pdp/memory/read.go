package memory

import (
	"errors"
	"fmt"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/entitlement/compact"
	"mandate/internal/usage"
)

// manyEvents is from how many events on an organization is read as a whole: that
// costs less than to read what happened.
const manyEvents = 500

// countsFrom is the day from which on counts are kept: no institution's day is
// before it, wherever it is.
func countsFrom(now time.Time) bank.Day { return bank.DayOf(now.Add(-24*time.Hour), time.UTC) }

// organization reads what an organization is in a transaction: from what is
// known, and whole where nothing is. It returns the same block where nothing has
// happened since, or where the transaction knows less.
func (m *Memory) organization(tx *db.Tx, s *store, was *compact.Block, to activity.Head) (*compact.Block, error) {
	if was == nil {
		return m.whole(tx, s, to)
	}
	from := head(s.institution, was.Organization, was.Mark)
	if to.Sequence == from.Sequence && was.CountsFrom() <= countsFrom(tx.Now) && was.Mark == mark(to) || to.Sequence < from.Sequence {
		return was, nil
	}
	m.refreshed.Add(1)
	if to.Sequence-from.Sequence > manyEvents {
		return m.whole(tx, s, to)
	}
	events, err := activity.Continue(tx, from, to)
	if errors.Is(err, activity.ErrGap) {
		m.gaps.Add(1)
		return m.whole(tx, s, to)
	}
	if err != nil {
		return nil, err
	}
	return m.touched(tx, s, was, to, events)
}

// touched reads again what events have touched.
func (m *Memory) touched(tx *db.Tx, s *store, was *compact.Block, to activity.Head, events []activity.Event) (*compact.Block, error) {
	var touch activity.Touch
	var scope entitlement.Scope
	for _, e := range events {
		t := activity.Touched(e)
		touch |= t
		if t.Has(activity.TouchMember) {
			scope.Members = append(scope.Members, bank.UserID(e.Target.ID))
		}
	}
	if touch.Has(activity.TouchWhole) {
		return m.whole(tx, s, to)
	}
	next := was.Draft(mark(to))
	if touch&(activity.TouchMember|activity.TouchOrganization) != 0 {
		scope.AllAccounts = true
		p, err := m.sources.Policy(tx, s.institution, was.Organization, scope)
		if err != nil {
			return nil, fmt.Errorf("read what changed in %s: %w", was.Organization, err)
		}
		if !set(next, p, scope.Members) {
			return m.whole(tx, s, to)
		}
	}
	if touch != activity.TouchNothing || was.CountsFrom() > countsFrom(tx.Now) {
		from, counts, err := m.counted(tx, s, was.Organization)
		if err != nil {
			return nil, err
		}
		next.Counts(from, counts)
	}
	return next.Block(), nil
}

// set sets an organization's level and some members as they are now. It reports
// false where members or accounts came or went.
func set(next compact.Draft, p *entitlement.Policy, members []bank.UserID) bool {
	if !next.Organization(&p.Organization, p.Accounts) {
		return false
	}
	for _, id := range members {
		member := p.Members[id]
		if (member == nil) != (next.Block().Place(id) < 0) || member != nil && !next.Member(member) {
			return false
		}
	}
	return true
}

// whole reads everything of an organization.
func (m *Memory) whole(tx *db.Tx, s *store, to activity.Head) (b *compact.Block, err error) {
	m.wholes.Add(1)
	err = m.sources.FactsOf(tx, s.institution, to.Organization, func(_ bank.InstitutionID, f *compact.Facts) error {
		from, counts, err := m.counted(tx, s, to.Organization)
		if err == nil {
			b = compact.Pack(f, mark(to)).WithCounts(from, counts)
		}
		return err
	})
	if err == nil && b == nil {
		err = ErrNoOrganization
	}
	return b, err
}

// counted reads what counts in an organization, and from which day on.
func (m *Memory) counted(tx *db.Tx, s *store, organization bank.OrganizationID) (bank.Day, []compact.Count, error) {
	from := countsFrom(tx.Now)
	counters, err := usage.Since(tx, s.institution, organization, from)
	return from, countsOf(counters), err
}

func countsOf(counters []usage.Counter) []compact.Count {
	counts := make([]compact.Count, len(counters))
	for i, c := range counters {
		counts[i] = compact.Count{Day: c.Day, Limit: c.Limit, Member: c.Member, Account: c.Account, Cents: c.Cents}
	}
	return counts
}

// institution reads what the topmost level is in a transaction, and whether that
// is another than what is known.
func (m *Memory) institution(tx *db.Tx, s *store, to activity.Head) (next compact.Institution, changed bool, err error) {
	was := s.Institution()
	next = compact.Institution{Institution: was.Institution, Mark: mark(to)}
	if to.Sequence <= was.Sequence && was.Mark == mark(to) || to.Sequence < was.Sequence {
		return *was, false, nil
	}
	touch := activity.TouchInstitution
	if was.Sequence >= 0 && to.Sequence-was.Sequence <= manyEvents {
		events, err := activity.Continue(tx, head(s.institution, "", was.Mark), to)
		switch {
		case errors.Is(err, activity.ErrGap):
			m.gaps.Add(1)
		case err != nil:
			return next, false, err
		default:
			touch = activity.TouchNothing
			for _, e := range events {
				touch |= activity.Touched(e)
			}
		}
	}
	if !touch.Has(activity.TouchInstitution) {
		return next, false, nil
	}
	if next.Institution, err = m.sources.Terms(tx, s.institution); err != nil {
		return next, false, err
	}
	if was.Sequence >= 0 && next.Location.String() == was.Location.String() {
		next.Location = was.Location
	}
	return next, was.Sequence < 0 || next.Institution != was.Institution, nil
}
