package grant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/guard"
	"mandate/internal/identity"
	"mandate/internal/outbox"
)

// Logout is the kind of messages that tell applications of the end of a
// sign-in.
const Logout = outbox.Kind("logout")

// Why a family ended, as the history says it.
const (
	ReusedCode  = "a code was brought a second time"
	ReusedToken = "a refresh token was brought a second time"
	Revoked     = "the application gave it back"
	SignedOut   = "signed out"
	NotAllowed  = "the person may not be signed in any more"
	Gone        = "the application was removed or changed"
	Withdrawn   = "the person took back what they had allowed"
	WrongRedeem = "a code was brought in the wrong way"
	Emergency   = "everybody was signed out"
	Restored    = "a backup was restored"
)

// A Notice tells an application that somebody's sign-in ended.
type Notice struct {
	Issuer      bank.InstitutionID
	Application bank.ApplicationID
	Subject     bank.StaffID
	SignIn      string // the sid that its tokens carried
	To          string
}

// End ends one family.
func (s *Service) End(ctx context.Context, issuer bank.InstitutionID, id, why string) error {
	var f Family
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		f, err = scanFamily(tx.QueryRow(selectFamily+` where issuer = $1 and id = $2 and ended_micros = 0`, issuer, id))
		return err
	})
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	if err != nil {
		return wrap("find the grant", err)
	}
	if f.Staff == "" { // an application's own: nobody's sign-in ends
		return s.db.Write(ctx, func(tx *db.Tx) error { return s.endOne(tx, issuer, f, why) })
	}
	event := EventEnded
	if why == ReusedCode || why == ReusedToken {
		event = EventReused
	}
	action := guard.Action{Event: event, Target: activity.Target{Kind: activity.TargetStaff, ID: string(f.Staff)}, Others: []bank.ActorKind{bank.ActorSystem}}
	return s.guard.Do(ctx, bank.System(f.Institution), action, func(c *guard.Change) error {
		if p, err := s.people.Person(c.Tx, f.Institution, f.Staff); err == nil {
			action.Target = personTarget(&p)
		} else if !errors.Is(err, ErrNobody) {
			return err
		}
		if err := s.endOne(c.Tx, issuer, f, why); err != nil {
			return err
		}
		c.RecordAs(action.Event, action.Target, why, activity.Change{Field: "application", Old: string(f.Application)})
		return nil
	})
}

// endOne ends a family and its tokens, and queues the notice to its
// application. Ending twice says it once.
func (s *Service) endOne(tx *db.Tx, issuer bank.InstitutionID, f Family, why string) error {
	n, err := tx.Exec(`update sign_in_grant set ended_micros = $1, ended_why = $2, version = version + 1 where issuer = $3 and id = $4 and ended_micros = 0`,
		tx.Now.UnixMicro(), why, issuer, f.ID)
	if err != nil || n == 0 {
		return wrap("end the grant", err)
	}
	s.ended(tx)
	if f.Staff == "" || why == Revoked {
		return nil
	}
	return s.tell(tx, issuer, f, string(issuer)+" "+f.ID)
}

// ended says, after the commit, that something has ended.
func (s *Service) ended(tx *db.Tx) {
	if s.Ended != nil {
		tx.AfterCommit(s.Ended)
	}
}

// tell queues the notice that a sign-in ended, once under its key.
func (s *Service) tell(tx *db.Tx, issuer bank.InstitutionID, f Family, key string) error {
	if s.Closes == nil {
		return nil
	}
	to, err := s.Closes(tx, issuer, f.Application)
	if err != nil || to == "" {
		return wrap("find where the application hears of logouts", err)
	}
	payload, err := json.Marshal(Notice{issuer, f.Application, f.Staff, f.SignIn, to})
	if err != nil {
		return wrap("write the notice", err)
	}
	if _, err := outbox.Queue(tx, outbox.Message{Institution: f.Institution, Kind: Logout, Key: key, Payload: payload}); err != nil {
		return err
	}
	if s.Wake != nil {
		tx.AfterCommit(s.Wake)
	}
	return nil
}

type issued struct {
	Family
	issuer bank.InstitutionID
}

func scanIssued(row db.Scanner) (i issued, err error) {
	var used, ended, created, last int64
	err = row.Scan(&i.issuer, &i.ID, &i.Application, &i.Institution, &i.Staff, &i.SignIn, &i.Scopes, &used, &ended, &i.Body, &i.Version, &created, &last)
	i.CodeUsed, i.Created, i.Used = moment(used), moment(created), moment(last)
	return i, err
}

const selectLiving = `
	select issuer, id, client_id, institution_id, staff_id, sign_in_id, scopes, code_used_micros, ended_micros, body, version, created_micros, used_micros
	  from sign_in_grant where ended_micros = 0 and`

func (s *Service) endAll(tx *db.Tx, found []issued, err error, why string) error {
	if err != nil {
		return fmt.Errorf("find the grants: %w", err)
	}
	for _, f := range found {
		if err := s.endOne(tx, f.issuer, f.Family, why); err != nil {
			return err
		}
	}
	return nil
}

// EndPerson ends everything that products have of a staff user, in the
// transaction that locks, resets or deletes them.
func (s *Service) EndPerson(tx *db.Tx, institution bank.InstitutionID, id bank.StaffID) error {
	found, err := db.All(tx, scanIssued, selectLiving+` institution_id = $1 and staff_id = $2`, institution, id)
	return s.endAll(tx, found, err, NotAllowed)
}

// SignOutEverybody ends every sign-in of an institution, every open link, and all
// that products have of its people. It is for an emergency; only the operator may.
func (s *Service) SignOutEverybody(ctx context.Context, caller bank.Caller) error {
	return s.endEverything(ctx, caller, EventEverybody, Emergency, func(c *guard.Change) error {
		c.Record()
		return nil
	})
}

// Restored does the same for an institution in a database that was restored,
// with what else ends there: what was ended after the backup must not come back.
func (s *Service) Restored(ctx context.Context, caller bank.Caller, note string, also func(*db.Tx) error) error {
	return s.endEverything(ctx, caller, EventRestored, Restored, func(c *guard.Change) error {
		c.RecordAs(EventRestored, wholeInstitution(caller), note)
		return also(c.Tx)
	})
}

func wholeInstitution(caller bank.Caller) activity.Target {
	return activity.Target{Kind: activity.TargetInstitution, ID: string(caller.Institution)}
}

func (s *Service) endEverything(ctx context.Context, caller bank.Caller, event, why string, record func(*guard.Change) error) error {
	action := guard.Action{Event: event, Target: wholeInstitution(caller), Others: []bank.ActorKind{bank.ActorOperator}}
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		if err := identity.VoidAll(c.Tx, caller.Institution); err != nil {
			return err
		}
		found, err := db.All(c.Tx, scanIssued, selectLiving+` institution_id = $1`, caller.Institution)
		if err := s.endAll(c.Tx, found, err, why); err != nil {
			return err
		}
		if _, err := c.Tx.Exec(`delete from authorization_request where issuer in ($1, '')`, caller.Institution); err != nil {
			return fmt.Errorf("end the sign-ins under way: %w", err)
		}
		return record(c)
	})
}

// offline is the scope of what lives on after a sign-out.
const offline = "offline_access"

// EndSignIn ends what products got of one sign-in, when it is signed out. What
// was given for longer lives on, and its product is told all the same.
func (s *Service) EndSignIn(tx *db.Tx, institution bank.InstitutionID, signIn string) error {
	if signIn == "" {
		return nil
	}
	found, err := db.All(tx, scanIssued, selectLiving+` institution_id = $1 and sign_in_id = $2 and staff_id <> ''`, institution, signIn)
	if err != nil {
		return wrap("find the grants", err)
	}
	for _, f := range found {
		if slices.Contains(strings.Fields(f.Scopes), offline) {
			err = s.tell(tx, f.issuer, f.Family, string(f.issuer)+" "+f.ID+" "+signIn)
		} else {
			err = s.endOne(tx, f.issuer, f.Family, SignedOut)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// EndApplication ends everything that an application has.
func (s *Service) EndApplication(tx *db.Tx, issuer bank.InstitutionID, id bank.ApplicationID) error {
	found, err := db.All(tx, scanIssued, selectLiving+` issuer = $1 and client_id = $2`, issuer, id)
	return s.endAll(tx, found, err, Gone)
}

// endings are the events after which nobody is signed in as a person any more.
var endings = map[string]bool{"staff.locked": true, "staff.deleted": true, "staff.deactivated": true, "staff.password_reset_completed": true}

// Watch ends what products have of whoever was locked, deleted, switched off by
// a directory or given a new password, and of applications that were removed, in the same transaction.
func (s *Service) Watch(c *guard.Change, events []activity.Event) error {
	for _, e := range events {
		var err error
		switch {
		case endings[e.Name] && e.Target.Kind == activity.TargetStaff:
			err = s.EndPerson(c.Tx, c.Caller.Institution, bank.StaffID(e.Target.ID))
		case e.Name == "external_app.deleted" || e.Name == "external_app.changed" && disabled(e.Changes):
			err = s.EndApplication(c.Tx, c.Caller.Institution, bank.ApplicationID(e.Target.ID))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func disabled(changes []activity.Change) bool {
	for _, c := range changes {
		if c.Field == "enabled" && c.New == "false" {
			return true
		}
	}
	return false
}

// SignedOut ends what products got of sign-ins that their people ended.
func (s *Service) SignedOut(tx *db.Tx, ended []identity.Ended) error {
	for _, e := range ended {
		if e.Subject.Kind != identity.KindStaff {
			continue
		}
		if err := s.EndSignIn(tx, e.Subject.Institution, e.ID); err != nil {
			return err
		}
	}
	return nil
}
