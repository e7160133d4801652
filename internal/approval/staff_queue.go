package approval

import (
	"context"
	"fmt"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/guard"
)

// A StaffEntry is an item as a staff user sees it in the queue.
type StaffEntry struct {
	Item
	Mine      bool // whoever looks may agree now
	Own       bool // whoever looks asked for it
	Agreed    bool // whoever looks has agreed, and it waits for others
	Stale     bool // it waits, and is no longer what was asked for: nobody can agree
	Lines     []Line
	Oversight Oversight
	Said      []string // who has agreed so far
}

// maxStaffQueue is the most items that a staff user's look at the queue shows.
const maxStaffQueue = 50

// StaffQueue lists what waits, or with decided what was settled, for the groups
// of the caller and what the caller asked for, at most a page.
func (s *Service) StaffQueue(ctx context.Context, caller bank.Caller, groups []bank.GroupID, decided bool) (entries []StaffEntry, err error) {
	err = s.lookAsStaff(ctx, caller, func(tx *db.Tx) error {
		items, err := listStaff(tx, caller, groups, !decided)
		if err != nil {
			return err
		}
		for _, item := range items {
			e, err := s.staffEntry(tx, caller, item)
			if err != nil {
				return err
			}
			entries = append(entries, e)
		}
		return nil
	})
	return entries, err
}

// StaffCount is how many items wait for the groups of the caller, at most a
// page of them.
func (s *Service) StaffCount(ctx context.Context, caller bank.Caller, groups []bank.GroupID) (n int, err error) {
	err = s.lookAsStaff(ctx, caller, func(tx *db.Tx) error {
		for _, group := range groups {
			of, err := countStaff(tx, caller, group)
			if err != nil {
				return err
			}
			n += of
		}
		return nil
	})
	return min(n, maxStaffQueue), err
}

// StaffItem reads one item, for those of its overseers and whoever asked.
func (s *Service) StaffItem(ctx context.Context, caller bank.Caller, groups []bank.GroupID, id string) (e StaffEntry, err error) {
	err = s.lookAsStaff(ctx, caller, func(tx *db.Tx) error {
		item, found, err := findStaff(tx, caller.Institution, id)
		if err != nil || !found {
			return orNoItem(err)
		}
		visible := bank.StaffID(item.Initiator.ID) == bank.StaffID(caller.ID)
		for _, g := range groups {
			visible = visible || g == item.Overseer
		}
		if !visible {
			return ErrNoItem
		}
		e, err = s.staffEntry(tx, caller, item)
		return err
	})
	return e, err
}

// lookAsStaff reads what is the calling staff user's own business.
func (s *Service) lookAsStaff(ctx context.Context, caller bank.Caller, read func(*db.Tx) error) error {
	action := guard.Action{Event: "approval.viewed", Target: activity.Target{Kind: activity.TargetStaff, ID: caller.ID}, Self: true}
	return s.guard.Look(ctx, caller, action, func(v *guard.View) error { return read(v.Tx) })
}

func (s *Service) staffEntry(tx *db.Tx, caller bank.Caller, item Item) (StaffEntry, error) {
	e, me := StaffEntry{Item: item, Own: item.Initiator.ID == bank.UserID(caller.ID)}, bank.StaffID(caller.ID)
	k, err := s.staffKind(item.Kind)
	if err != nil {
		return e, err
	}
	m, err := k.StaffMatter(tx, item.Institution, item.Organization, item.Ref)
	if err != nil {
		return e, err
	}
	said, err := voicesIn(tx, &item)
	if err != nil {
		return e, err
	}
	_, e.Agreed = said[me]
	e.Lines, e.Oversight = m.Lines, m.Oversight
	for _, v := range m.Oversight.Voices {
		if name, has := said[v.ID]; has {
			e.Said = append(e.Said, name)
		}
	}
	if item.State == Waiting {
		e.Stale = m.hash() != item.Hash
		e.Mine = !e.Stale && !e.Agreed && m.judge(&item, me) == nil
	}
	return e, nil
}

// StaffWaiting are the items about an organization that wait for staff, the most
// urgent first, at most a page: for whoever looks at that organization.
func StaffWaiting(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID) ([]Item, error) {
	items, err := db.All(tx, scanItem, `select `+columns+` from approval_item
		 where institution_id = $1 and organization_id = $2 and side = 'staff' and state = 'waiting' order by expires_micros, id limit $3`, institution, organization, maxStaffQueue)
	if err != nil {
		return nil, fmt.Errorf("list what waits about an organization: %w", err)
	}
	return items, nil
}
