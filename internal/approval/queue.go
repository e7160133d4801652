package approval

import (
	"context"
	"slices"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
)

// An Entry is an item as somebody sees it in the queue.
type Entry struct {
	Item
	Mine      bool              // whoever looks may decide it
	Own       bool              // whoever looks made or edited it
	Stale     bool              // it waits, and is no longer what was asked for: nobody can approve it
	Operation catalog.Operation // what whoever approves must be allowed
	Lines     []Line            // what it is about, as it stands now
	Approvers []Somebody        // who may approve it now, while it waits; there may be nobody
	Reasons   []entitlement.Reason
	Fix       []entitlement.Step // what would let them decide it
}

// Queue lists what waits, as far as the caller may see it: what they may
// approve, what they had a hand in, and what the engine lets them see.
func (s *Service) Queue(ctx context.Context, caller bank.Caller) (entries []Entry, err error) {
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		items, err := listItems(v.Tx, caller.Institution, caller.Organization)
		if err != nil {
			return err
		}
		for _, item := range items {
			e, visible, err := s.entry(v, caller, item)
			if err != nil {
				return err
			}
			if visible {
				entries = append(entries, e)
			}
		}
		return s.name(v, caller, entries)
	})
	return entries, err
}

// Count is how many items wait that the caller may decide, at most MaxCount.
func (s *Service) Count(ctx context.Context, caller bank.Caller) (mine int, err error) {
	action := looking(caller)
	action.Scope = entitlement.Scope{AllAccounts: true}
	err = s.guard.Look(ctx, caller, action, func(v *guard.View) error {
		items, err := listWaiting(v.Tx, caller.Institution, caller.Organization, MaxCount)
		if err != nil {
			return err
		}
		for i := range items {
			may, err := s.mayDecide(v, caller.Member(), &items[i])
			if err != nil {
				return err
			}
			if may {
				mine++
			}
		}
		return nil
	})
	return mine, err
}

func (s *Service) mayDecide(v *guard.View, member bank.UserID, item *Item) (bool, error) {
	matter, found, err := s.matterOf(v.Tx, item)
	if err != nil || !found {
		return false, err
	}
	hands, err := handsIn(v.Tx, item)
	if err != nil {
		return false, err
	}
	return matter.Hash() == item.Hash && mayApprove(v.Policy, &matter, hands, member, v.Tx.Now).Allowed, nil
}

// Get reads one item as the caller sees it.
func (s *Service) Get(ctx context.Context, caller bank.Caller, id string) (e Entry, err error) {
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		item, found, err := find(v.Tx, caller.Institution, caller.Organization, id)
		if err != nil {
			return err
		}
		if !found {
			return ErrNoItem
		}
		var visible bool
		if e, visible, err = s.entry(v, caller, item); err != nil {
			return err
		}
		if !visible {
			return ErrNoItem
		}
		entries := []Entry{e}
		err = s.name(v, caller, entries)
		e = entries[0]
		return err
	})
	return e, err
}

// About reads the item of a room's object that can still go out, as the caller
// sees it. ErrNoItem: nothing of it waits, or it is not for them.
func (s *Service) About(ctx context.Context, caller bank.Caller, kind, ref string) (e Entry, err error) {
	var id string
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		item, found, err := findOpen(tx, caller.Institution, caller.Organization, kind, ref)
		if err == nil && !found {
			err = ErrNoItem
		}
		id = item.ID
		return err
	})
	if err != nil {
		return Entry{}, err
	}
	return s.Get(ctx, caller, id)
}

// looking is the action of looking at what waits, with all of the
// organization's people.
func looking(caller bank.Caller) guard.Action {
	return guard.Action{
		Event: "approval.viewed", Organization: caller.Organization, Others: []bank.ActorKind{bank.ActorMember},
		Target: activity.Target{Kind: activity.TargetOrganization, ID: string(caller.Organization)},
		Scope:  entitlement.Scope{AllMembers: true, AllAccounts: true},
	}
}

// entry judges an item for the caller.
func (s *Service) entry(v *guard.View, caller bank.Caller, item Item) (e Entry, visible bool, err error) {
	e = Entry{Item: item}
	matter, found, err := s.matterOf(v.Tx, &item)
	if err != nil || !found {
		return e, false, err
	}
	hands, err := handsIn(v.Tx, &item)
	if err != nil {
		return e, false, err
	}
	me := caller.Member()
	d := mayApprove(v.Policy, &matter, hands, me, v.Tx.Now)
	e.Lines, e.Operation = matter.Lines, matter.Approve(me).Operation
	e.Own, e.Reasons = slices.Contains(hands, me), d.Reasons
	if !d.Allowed {
		e.Fix = whyNot(v.Policy, &matter, d, me, v.Tx.Now).Fix
	}
	if item.State == Waiting {
		e.Stale = matter.Hash() != item.Hash
		e.Mine = d.Allowed && !e.Stale
		for _, id := range Approvers(v.Policy, &matter, hands, v.Tx.Now) {
			e.Approvers = append(e.Approvers, Somebody{ID: id})
		}
	}
	see := matter.See(me)
	see.Member, see.Now = me, v.Tx.Now
	concerned := e.Own || item.By.ID == me || item.open() && d.Allowed
	return e, concerned || entitlement.Decide(v.Policy, see).Allowed, nil
}

// name fills in what the approvers are called.
func (s *Service) name(v *guard.View, caller bank.Caller, entries []Entry) error {
	var ids []bank.UserID
	for _, e := range entries {
		for _, a := range e.Approvers {
			ids = append(ids, a.ID)
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) == 0 {
		return nil
	}
	names, err := s.names(v.Tx, caller.Institution, caller.Organization, ids)
	if err != nil {
		return err
	}
	for i := range entries {
		for j := range entries[i].Approvers {
			entries[i].Approvers[j].Name = names[entries[i].Approvers[j].ID]
		}
	}
	return nil
}
