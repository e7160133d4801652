package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// History events of staff who see Online as a member. Both stand in the
// organization's history, for its admins to read.
const (
	EventSeeAsStarted = "orguser.see_as_started"
	EventSeeAsEnded   = "orguser.see_as_ended"
)

const (
	seeAsTicket  = time.Minute
	SeeAsLongest = 15 * time.Minute
)

// errSeeAs is for a ticket that was used, is older than a minute, or was never
// given.
var errSeeAs = fault.New(fault.Conflict, "This does not open anything any more: it works once, and for one minute. Start again from the member's profile.").With("SEE_AS_TICKET")

// seeing is the action of seeing Online as a member, in whatever step.
func seeing(event string, who bank.UserID, name string, organization bank.OrganizationID) guard.Action {
	return guard.Action{Event: event, Organization: organization, Staff: catalog.PeopleManageAll.ID(),
		Target: activity.Target{Kind: activity.TargetMember, ID: string(who), Name: name}}
}

// SeeAs gives the calling staff user a ticket to Online as a member sees it. It
// needs a high-risk authorization.
func (s *Service) SeeAs(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, member bank.UserID) (ticket Secret, err error) {
	ticket = newToken()
	err = s.guard.Do(ctx, caller, seeing(EventSeeAsStarted, member, "", organization), func(c *guard.Change) error {
		p, err := s.people.Find(c.Tx, Member(caller.Institution, member))
		if errors.Is(err, ErrNoPerson) || err == nil && p.Organization != organization {
			return fault.New(fault.NotFound, "There is no such person in this organization. They may have been deleted.")
		}
		if err != nil {
			return fmt.Errorf("find whom to see as: %w", err)
		}
		if p.Status == bank.StatusPending || p.Status == bank.StatusDisabled {
			return fault.Newf(fault.Conflict, "%s cannot come into Online, so there is nothing to see.", p.Name()).With("SEE_AS_NOBODY")
		}
		if err := c.RequireProof(nil); err != nil {
			return err
		}
		_, err = c.Tx.Exec(`
			insert into see_as (institution_id, id, organization_id, member_id, staff_id, sign_in_id, ticket_hash, ticket_micros, token_hash, ends_micros)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)`,
			caller.Institution, bank.NewID("see", c.Tx.Now), organization, member, caller.ID, caller.SignIn, digest("see-as ticket", ticket),
			c.Tx.Now.Add(seeAsTicket).UnixMicro(), []byte{})
		if err != nil {
			return fmt.Errorf("give a ticket: %w", err)
		}
		return nil
	})
	return ticket, err
}

// A seeAs is a ticket or a session as it stands in the database.
type seeAs struct {
	id           string
	organization bank.OrganizationID
	member       bank.UserID
	staff        bank.StaffID
	signIn       string
	ends         time.Time
}

const selectSeeAs = `select id, organization_id, member_id, staff_id, sign_in_id, ends_micros from see_as`

func scanSeeAs(row db.Scanner) (v seeAs, err error) {
	var ends int64
	err = row.Scan(&v.id, &v.organization, &v.member, &v.staff, &v.signIn, &ends)
	v.ends = time.UnixMicro(ends).UTC()
	return v, err
}

// watcher is the staff user behind a seeing, still signed in where they asked
// for it.
func (s *Service) watcher(tx *db.Tx, institution bank.InstitutionID, v seeAs, from Source) (bank.Caller, error) {
	p, err := s.signedIn(tx, bank.Caller{Kind: bank.ActorStaff, ID: string(v.staff), Institution: institution, SignIn: v.signIn}, StageComplete)
	if err != nil {
		return bank.Caller{}, err
	}
	caller := p.caller(from)
	caller.SignIn = v.signIn
	return caller, nil
}

// RedeemSeeAs turns a ticket into the token of a session that sees and changes
// nothing. The right is asked for again, and the history says that it began.
func (s *Service) RedeemSeeAs(ctx context.Context, institution bank.InstitutionID, ticket Secret, from Source) (token Secret, err error) {
	var v seeAs
	var caller bank.Caller
	var member Person
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		v, err = db.One(tx, scanSeeAs, selectSeeAs+` where institution_id = $1 and ticket_hash = $2 and ends_micros = 0 and ticket_micros > $3`,
			institution, digest("see-as ticket", ticket), tx.Now.UnixMicro())
		if errors.Is(err, db.ErrNoRows) {
			return errSeeAs
		}
		if err != nil {
			return fmt.Errorf("find the ticket: %w", err)
		}
		if caller, err = s.watcher(tx, institution, v, from); err != nil {
			return err
		}
		member, err = s.people.Find(tx, Member(institution, v.member))
		return err
	})
	if err != nil {
		return "", err
	}
	token = newToken()
	err = s.guard.Do(ctx, caller, seeing(EventSeeAsStarted, v.member, member.Name(), v.organization), func(c *guard.Change) error {
		n, err := c.Tx.Exec(`
			update see_as set token_hash = $1, ends_micros = $2
			 where institution_id = $3 and id = $4 and ends_micros = 0 and ticket_micros > $5`,
			digest("see-as", token), c.Tx.Now.Add(SeeAsLongest).UnixMicro(), institution, v.id, c.Tx.Now.UnixMicro())
		if err != nil {
			return fmt.Errorf("redeem the ticket: %w", err)
		}
		if n != 1 {
			return errSeeAs // somebody was faster
		}
		c.RecordQuiet(EventSeeAsStarted, activity.Target{Kind: activity.TargetMember, ID: string(v.member), Name: member.Name()}, "")
		return nil
	})
	return token, err
}

// A Seeing is a session that sees Online as a member does.
type Seeing struct {
	Caller bank.Caller // the member, seen by a staff user: the guard lets it look, and change nothing
	Member string
	Staff  string
	Ends   time.Time
}

// Seeing returns the session of a token as it stands now. It ends after 15
// minutes, with the staff user's own sign-in, and with their right.
func (s *Service) Seeing(ctx context.Context, institution bank.InstitutionID, token Secret, from Source) (found Seeing, err error) {
	if token == "" {
		return Seeing{}, ErrSignedOut
	}
	var v seeAs
	var watcher bank.Caller
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		v, err = db.One(tx, scanSeeAs, selectSeeAs+` where institution_id = $1 and token_hash = $2 and ends_micros > $3 and ended_micros = 0`,
			institution, digest("see-as", token), tx.Now.UnixMicro())
		if errors.Is(err, db.ErrNoRows) {
			return ErrSignedOut
		}
		if err != nil {
			return fmt.Errorf("find who sees: %w", err)
		}
		if watcher, err = s.watcher(tx, institution, v, from); err != nil {
			return err
		}
		p, err := s.people.Find(tx, Member(institution, v.member))
		if errors.Is(err, ErrNoPerson) {
			return ErrSignedOut
		}
		if err != nil {
			return fmt.Errorf("find the member: %w", err)
		}
		found = Seeing{Caller: p.caller(from), Member: p.Name(), Staff: watcher.Name, Ends: v.ends}
		found.Caller.SeenBy, found.Caller.SeenByName = v.staff, watcher.Name
		return nil
	})
	if err != nil {
		return Seeing{}, err
	}
	err = s.guard.Look(ctx, watcher, seeing(EventSeeAsStarted, v.member, found.Member, v.organization), func(*guard.View) error { return nil })
	if fault.KindOf(err) == fault.Forbidden {
		err = ErrSignedOut
	}
	return found, err
}

// EndSeeAs ends the session of a token. It is no failure where there is none.
func (s *Service) EndSeeAs(ctx context.Context, institution bank.InstitutionID, token Secret) error {
	var open []seeAs
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		open, err = db.All(tx, scanSeeAs, selectSeeAs+` where institution_id = $1 and token_hash = $2 and ended_micros = 0`, institution, digest("see-as", token))
		return err
	})
	for _, v := range open {
		err = errors.Join(err, s.endSeeAs(ctx, institution, v, "ended"))
	}
	return err
}

// endSeeAs ends a session once, and the history says so. The product does it: a
// session ends also where its staff user may do nothing any more.
func (s *Service) endSeeAs(ctx context.Context, institution bank.InstitutionID, v seeAs, why string) error {
	action := seeing(EventSeeAsEnded, v.member, "", v.organization)
	action.Staff, action.Others = "", []bank.ActorKind{bank.ActorSystem}
	return s.guard.Do(ctx, bank.System(institution), action, func(c *guard.Change) error {
		n, err := c.Tx.Exec(`update see_as set ended_micros = $1 where institution_id = $2 and id = $3 and ended_micros = 0`, c.Tx.Now.UnixMicro(), institution, v.id)
		if err != nil {
			return fmt.Errorf("end who sees: %w", err)
		}
		if n == 0 || v.ends.UnixMicro() == 0 { // somebody was faster, or nobody used the ticket
			return nil
		}
		watcher, err := s.nameOf(c.Tx, Staff(institution, v.staff))
		if err != nil {
			return err
		}
		target := action.Target
		if target.Name, err = s.nameOf(c.Tx, Member(institution, v.member)); err != nil {
			return err
		}
		c.RecordBy(activity.Actor{Kind: bank.ActorStaff, ID: string(v.staff), Name: watcher}, bank.ChannelPeople, EventSeeAsEnded, target, why)
		return nil
	})
}

// nameOf is what somebody is called, empty where they are gone.
func (s *Service) nameOf(tx *db.Tx, who Subject) (string, error) {
	p, err := s.people.Find(tx, who)
	if errors.Is(err, ErrNoPerson) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("find what somebody is called: %w", err)
	}
	return p.Name(), nil
}

// expireSeeAs ends what has run out, or whose staff user has signed out.
func (s *Service) expireSeeAs(ctx context.Context) error {
	type over struct {
		institution bank.InstitutionID
		seeAs
	}
	var all []over
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		all, err = db.All(tx, func(row db.Scanner) (o over, err error) {
			var ends int64
			err = row.Scan(&o.institution, &o.id, &o.organization, &o.member, &o.staff, &o.signIn, &ends)
			o.ends = time.UnixMicro(ends).UTC()
			return o, err
		}, `
			select v.institution_id, v.id, v.organization_id, v.member_id, v.staff_id, v.sign_in_id, v.ends_micros from see_as v
			 where v.ended_micros = 0
			   and (v.ends_micros = 0 and v.ticket_micros <= $1 or v.ends_micros > 0 and v.ends_micros <= $1
			        or not exists (select 1 from sign_in i where i.institution_id = v.institution_id and i.id = v.sign_in_id and i.idle_micros > $1 and i.ends_micros > $1))
			 limit $2`, tx.Now.UnixMicro(), sweepAtOnce)
		return err
	})
	for _, o := range all {
		err = errors.Join(err, s.endSeeAs(ctx, o.institution, o.seeAs, "ran out"))
	}
	return err
}
