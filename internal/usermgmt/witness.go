package usermgmt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/guard"
	"mandate/internal/identity"
)

// History events of staff who look at a customer.
const (
	EventViewed             = "orguser.viewed"
	EventOrganizationViewed = "org.viewed"
)

// witnessEvery is how long a record of a look stands for the looks after it.
const witnessEvery = time.Hour

// Witness puts into the organization's history that the calling staff user looks
// at a profile: of a member, or of the organization where User is empty. The
// same user is recorded once an hour for each profile. Nobody but staff is
// recorded: a customer's own people look at what is theirs.
//
// It is asked before a page is shown. Where it fails, nothing is shown.
func (s *Service) Witness(ctx context.Context, caller bank.Caller, p Person) error {
	if caller.Kind != bank.ActorStaff {
		return nil
	}
	action := guard.Action{Event: EventViewed, Organization: p.Organization, Staff: staffView, Brief: true,
		Target: activity.Target{Kind: activity.TargetMember, ID: string(p.User)}}
	if p.User == "" {
		action.Event, action.Target = EventOrganizationViewed, activity.Target{Kind: activity.TargetOrganization, ID: string(p.Organization)}
	}
	known := false
	err := s.guard.Look(ctx, caller, action, func(v *guard.View) (err error) {
		known, err = witnessed(v.Tx, caller, p.Organization, action.Target.ID)
		return err
	})
	if err != nil || known {
		return err
	}
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error { return witness(c, p, action) })
}

func witness(c *guard.Change, p Person, action guard.Action) error {
	organization, err := FindOrganization(c.Tx, c.Caller.Institution, p.Organization)
	if err != nil {
		return err
	}
	target := action.Target
	target.Name = organization.Name
	if p.User != "" {
		m, err := findMember(c.Tx, organization.Num, p.User)
		if err != nil {
			return err
		}
		target.Name = m.Name()
	}
	isNew, err := insertRead(c.Tx, c.Caller, p.Organization, target.ID)
	if err == nil && isNew {
		c.RecordQuiet(action.Event, target, "")
	}
	return err
}

// witnessed reports whether a look was recorded of late.
func witnessed(tx *db.Tx, caller bank.Caller, organization bank.OrganizationID, target string) (bool, error) {
	var since int64
	err := tx.QueryRow(`
		select read_micros from staff_read
		 where institution_id = $1 and staff_id = $2 and organization_id = $3 and target_id = $4 and read_micros > $5`,
		caller.Institution, caller.ID, organization, target, tx.Now.Add(-witnessEvery).UnixMicro()).Scan(&since)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("find the last look: %w", err)
	}
	return true, nil
}

// insertRead notes a look, unless one of late was noted meanwhile.
func insertRead(tx *db.Tx, caller bank.Caller, organization bank.OrganizationID, target string) (isNew bool, err error) {
	if _, err := tx.Exec(`delete from staff_read where institution_id = $1 and staff_id = $2 and read_micros <= $3`,
		caller.Institution, caller.ID, tx.Now.Add(-witnessEvery).UnixMicro()); err != nil {
		return false, fmt.Errorf("forget old looks: %w", err)
	}
	n, err := tx.Exec(`
		insert into staff_read (institution_id, staff_id, organization_id, target_id, read_micros) values ($1, $2, $3, $4, $5)
		on conflict (institution_id, staff_id, organization_id, target_id) do nothing`,
		caller.Institution, caller.ID, organization, target, tx.Now.UnixMicro())
	if err != nil {
		return false, fmt.Errorf("note the look: %w", err)
	}
	return n == 1, nil
}

// watching are the events by which the institution looks at a customer. The
// customer learns that it did, and not which employee: that name is in the
// history, for the institution.
var watching = []string{EventViewed, EventOrganizationViewed, identity.EventSeeAsStarted, identity.EventSeeAsEnded}

// nameless takes the names of employees who only looked out of what a member
// reads.
func nameless(v *guard.View, institution bank.InstitutionID, events []activity.Event) error {
	i, _, err := FindInstitution(v.Tx, institution)
	if err != nil {
		return err
	}
	for n := range events {
		e := &events[n]
		if e.Actor.Kind == bank.ActorStaff && slices.Contains(watching, e.Name) {
			e.Actor.ID, e.Actor.Name, e.IP, e.Device = "", "Staff of "+i.Name, "", ""
		}
	}
	return nil
}
