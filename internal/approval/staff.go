package approval

import (
	"context"
	"fmt"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// What the institution's own staff ask for waits in the same queue, for staff
// of another group: one of them, or all. It is bound to its content in the same
// way, and everybody's rights are judged again before it is applied.

// An Oversight is whose agreement something that a staff user does needs, as it
// stands now. The zero Oversight is nobody's.
type Oversight struct {
	Group  bank.GroupID // empty: nobody's agreement is needed
	Name   string       // of the group
	Every  bool         // all of them must agree; otherwise one
	Voices []Voice      // who may agree now: active, with the right themselves, and not who asks
}

// A Voice is a staff user who may agree.
type Voice struct {
	ID          bank.StaffID
	Name, Email string
}

func (o *Oversight) has(id bank.StaffID) bool {
	for _, v := range o.Voices {
		if v.ID == id {
			return true
		}
	}
	return false
}

// A StaffMatter is what an item of the staff is about, as it stands now.
type StaffMatter struct {
	Title     string
	Lines     []Line    // what a person reads before they agree: sentences, with the value that was and the one that will be
	Content   []byte    // all that is agreed to, with what it is a change of
	Right     string    // the permission that it takes to ask and to agree
	MayAsk    bool      // whoever asked still has that right
	Oversight Oversight // whose agreement it needs
}

func (m *StaffMatter) hash() string {
	every := "one"
	if m.Oversight.Every {
		every = "everyone"
	}
	bound := Matter{Content: fmt.Appendf(nil, "%s\n%s\n%s", m.Oversight.Group, every, m.Content)}
	return bound.Hash()
}

// A StaffKind is a room whose items wait for staff.
type StaffKind interface {
	// StaffMatter reads what an item is about, as it stands now, for whoever
	// asked for it.
	StaffMatter(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, ref string) (StaffMatter, error)

	// StaffEvents are the history events of what happens to its items.
	StaffEvents() Events

	// Agreed applies what was agreed to, inside the change of whoever agreed
	// last, and records it.
	Agreed(c *guard.Change, item Item) error
}

// A StaffTeller tells staff by mail, in the transaction of what they are told.
type StaffTeller interface {
	// StaffAsked tells those who may agree that something waits.
	StaffAsked(tx *db.Tx, item Item, voices []Voice) error

	// StaffDecided tells whoever asked what came of it.
	StaffDecided(tx *db.Tx, item Item) error
}

// AddStaff names a room whose items wait here for staff, and who tells them. It
// is for assembling the program, before the first item.
func (s *Service) AddStaff(name string, k StaffKind, t StaffTeller) {
	s.office[name], s.staffTeller = k, t
}

func (s *Service) staffKind(name string) (StaffKind, error) {
	k, known := s.office[name]
	if !known {
		return nil, fmt.Errorf("approval: there is no kind %q that waits for staff", name)
	}
	return k, nil
}

// AskStaffIn makes what a staff user asks for wait for the group that oversees
// it. It is refused where nobody there could agree: it would wait for nobody.
func (s *Service) AskStaffIn(c *guard.Change, kind, ref string) (Item, error) {
	k, err := s.staffKind(kind)
	if err != nil {
		return Item{}, err
	}
	institution, organization := c.Caller.Institution, c.Policy.Organization.ID
	m, err := k.StaffMatter(c.Tx, institution, organization, ref)
	if err != nil {
		return Item{}, err
	}
	if len(m.Oversight.Voices) == 0 {
		return Item{}, fault.Newf(fault.Conflict, "This needs the agreement of %s, and nobody there could give it now. Somebody must be active there, with the right to do this themself, and be somebody else than you.", m.Oversight.Name).With("NOBODY_TO_APPROVE")
	}
	item := Item{
		Institution: institution, Organization: organization, ID: bank.NewID(prefixItem, c.Tx.Now), Kind: kind, Ref: ref, Title: m.Title,
		State: Waiting, Hash: m.hash(), Initiator: Somebody{bank.UserID(c.Caller.ID), c.Caller.Name}, Asked: c.Tx.Now, Expires: c.Tx.Now.Add(Lifetime),
		Overseer: m.Oversight.Group, side: staffSide,
	}
	if err := insertItem(c.Tx, &item); err != nil {
		return Item{}, err
	}
	return item, s.staffTeller.StaffAsked(c.Tx, item, m.Oversight.Voices)
}

// Agree is a staff user's yes to what they saw: hash is of the content that
// they were shown. Where all of the group must agree, the last one's applies
// it, which done tells. It asks for a high-risk authorization.
func (s *Service) Agree(ctx context.Context, caller bank.Caller, id, hash, comment string) (done bool, err error) {
	err = s.staffDecides(ctx, caller, id, comment, approve, func(c *guard.Change, k StaffKind, item *Item) error {
		m, err := k.StaffMatter(c.Tx, item.Institution, item.Organization, item.Ref)
		if err != nil {
			return err
		}
		if m.hash() != item.Hash || hash != item.Hash {
			return ErrChanged
		}
		if err := m.judge(item, bank.StaffID(caller.ID)); err != nil {
			return err
		}
		if err := c.RequireProof([]byte("agree " + item.ID + " " + item.Hash)); err != nil {
			return err
		}
		if done, err = s.spoken(c, item, &m); err != nil {
			return err
		}
		if !done {
			c.RecordQuiet(k.StaffEvents().Approved, staffTarget(item), comment, activity.Change{Field: "agreed", New: caller.Name})
			return nil
		}
		if err := s.settleStaff(c, item, approve, comment); err != nil {
			return err
		}
		if err := k.Agreed(c, *item); err != nil {
			return err
		}
		return item.to(c.Tx, release)
	})
	return done && err == nil, err
}

// judge refuses an agreement that may not be, by this person or at all.
func (m *StaffMatter) judge(item *Item, who bank.StaffID) error {
	switch {
	case bank.StaffID(item.Initiator.ID) == who:
		return fault.New(fault.Forbidden, "Somebody else must agree to this: you asked for it.").With("SELF_APPROVAL")
	case !m.Oversight.has(who):
		return fault.Newf(fault.Forbidden, "Only somebody of %s who may do this themself can agree to it.", m.Oversight.Name).With("APPROVER_NOT_ALLOWED")
	case !m.MayAsk:
		return fault.Newf(fault.Forbidden, "%s may no longer do this, so it cannot be done.", item.Initiator.Name).With("INITIATOR_NOT_ALLOWED")
	}
	return nil
}

// spoken notes a yes, and reports whether it was the last that is needed.
func (s *Service) spoken(c *guard.Change, item *Item, m *StaffMatter) (bool, error) {
	said, err := voicesIn(c.Tx, item)
	if err != nil {
		return false, err
	}
	if _, again := said[bank.StaffID(c.Caller.ID)]; again {
		return false, fault.New(fault.Conflict, "You have agreed already. It waits for the others.").With("ALREADY_AGREED")
	}
	said[bank.StaffID(c.Caller.ID)] = c.Caller.Name
	if err := addVoice(c.Tx, item, c.Caller); err != nil || !m.Oversight.Every {
		return err == nil, err
	}
	for _, v := range m.Oversight.Voices {
		if _, has := said[v.ID]; !has {
			return false, nil
		}
	}
	return true, nil
}

// Decline is a staff user's no, by anybody whose agreement was asked for. Whoever
// asked takes it back with it.
func (s *Service) Decline(ctx context.Context, caller bank.Caller, id, comment string) error {
	return s.staffDecides(ctx, caller, id, comment, reject, func(c *guard.Change, k StaffKind, item *Item) error {
		m, err := k.StaffMatter(c.Tx, item.Institution, item.Organization, item.Ref)
		if err != nil {
			return err
		}
		if bank.StaffID(item.Initiator.ID) != bank.StaffID(caller.ID) {
			m.MayAsk = true // a no does not depend on it
			if err := m.judge(item, bank.StaffID(caller.ID)); err != nil {
				return err
			}
		}
		c.RecordQuiet(k.StaffEvents().Rejected, staffTarget(item), comment, activity.Change{Field: "approval", Old: string(Waiting), New: string(Rejected)})
		return s.settleStaff(c, item, reject, comment)
	})
}

// staffDecides runs a decision as a change of its own and records it.
func (s *Service) staffDecides(ctx context.Context, caller bank.Caller, id, comment string, step Step, verb func(*guard.Change, StaffKind, *Item) error) error {
	if err := checkComment(comment); err != nil {
		return err
	}
	seen, k, right, err := s.lookStaff(ctx, caller, id)
	if err != nil {
		return err
	}
	event := k.StaffEvents().Approved
	if step == reject {
		event = k.StaffEvents().Rejected
	}
	action := guard.Action{Event: event, Organization: seen.Organization, Target: staffTarget(&seen), Staff: right}
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		item, found, err := findStaff(c.Tx, caller.Institution, id)
		switch {
		case err != nil:
			return err
		case !found:
			return ErrNoItem
		case item.State != Waiting:
			return ErrDecided
		case !c.Tx.Now.Before(item.Expires):
			return ErrExpired
		}
		return verb(c, k, &item)
	})
}

// lookStaff finds out which room an item belongs to and what right it takes,
// before the door is passed.
func (s *Service) lookStaff(ctx context.Context, caller bank.Caller, id string) (item Item, k StaffKind, right string, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		var found bool
		if item, found, err = findStaff(tx, caller.Institution, id); err != nil || !found {
			return orNoItem(err)
		}
		if k, err = s.staffKind(item.Kind); err != nil {
			return err
		}
		m, err := k.StaffMatter(tx, item.Institution, item.Organization, item.Ref)
		right = m.Right
		return err
	})
	return item, k, right, err
}

func orNoItem(err error) error {
	if err != nil {
		return err
	}
	return ErrNoItem
}

// settleStaff stores a decision and tells whoever asked, unless they took it
// back themself.
func (s *Service) settleStaff(c *guard.Change, item *Item, step Step, comment string) error {
	item.By, item.Comment = Somebody{bank.UserID(c.Caller.ID), c.Caller.Name}, strings.TrimSpace(comment)
	if err := item.to(c.Tx, step); err != nil || item.By.ID == item.Initiator.ID {
		return err
	}
	return s.staffTeller.StaffDecided(c.Tx, *item)
}

// staffTarget is an item of the staff as history names it: what it is about.
func staffTarget(i *Item) activity.Target {
	return activity.Target{Kind: activity.TargetOrganization, ID: string(i.Organization), Name: i.Title}
}

// expireStaff ends what no staff user decided in time.
func (s *Service) expireStaff(ctx context.Context, seen *Item) (done bool, err error) {
	k, err := s.staffKind(seen.Kind)
	if err != nil {
		return false, err
	}
	event := k.StaffEvents().Expired
	action := guard.Action{Event: event, Organization: seen.Organization, Target: staffTarget(seen), Others: []bank.ActorKind{bank.ActorSystem}}
	err = s.guard.Do(ctx, bank.System(seen.Institution), action, func(c *guard.Change) error {
		item, found, err := findStaff(c.Tx, seen.Institution, seen.ID)
		done = err == nil && found && item.State == Waiting && !c.Tx.Now.Before(item.Expires)
		if err != nil || !done {
			return err
		}
		if err := item.to(c.Tx, expire); err != nil {
			return err
		}
		c.RecordQuiet(event, staffTarget(&item), "Nobody decided in time.", activity.Change{Field: "approval", Old: string(Waiting), New: string(Expired)})
		return s.staffTeller.StaffDecided(c.Tx, item)
	})
	return done && err == nil, err
}
