package identity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

var (
	redeemRates = []rate{{"redeem", 10, time.Minute, false}}
	finishRates = []rate{{"finish", 30, time.Minute, false}}
)

// An Enrolment is what a page shows to somebody who came by a link.
type Enrolment struct {
	Link     Link
	Person   Person
	Username string        // of a reset: the one they have
	Rules    PasswordRules // for CheckPassword while they type
}

// linkFailures say of each end of a link what to do. Every page titles them
// "Invitation link failed" or "Reset link failed".
var linkFailures = map[LinkState]*fault.Error{
	LinkExpired:   fault.New(fault.Conflict, "This link has expired. Ask for a new one.").With("LINK_EXPIRED"),
	LinkReplaced:  fault.New(fault.Conflict, "A newer link was sent. Use the newest email; this one no longer works.").With("LINK_REPLACED"),
	LinkRedeemed:  fault.New(fault.Conflict, "This link has already been used. Go on in the browser where you opened it, or ask for a new link.").With("LINK_USED"),
	LinkCompleted: fault.New(fault.Conflict, "This link has already been used. Sign in, or ask for a new link.").With("LINK_USED"),
	LinkRefused:   fault.New(fault.Conflict, "This link could not be delivered. Ask for a new one.").With("LINK_CANCELLED"),
	LinkCancelled: fault.New(fault.Conflict, "This link was cancelled. Ask your administrator for a new one.").With("LINK_CANCELLED"),
}

// ErrUnknownLink is for a link that was never sent, or cut when it was copied.
var ErrUnknownLink = fault.New(fault.NotFound, "This link is not one of ours. Copy the whole link from the email, or ask for a new one.").With("LINK_UNKNOWN")

// Look says whether a link can be redeemed and for whom, and changes nothing:
// it is what fetching the link does, however often. A link that cannot be
// redeemed is a fault whose code tells which of LINK_EXPIRED, LINK_REPLACED,
// LINK_USED, LINK_CANCELLED and LINK_UNKNOWN it is; whose link it was is
// returned as well, without the person.
func (s *Service) Look(ctx context.Context, institution bank.InstitutionID, purpose Purpose, token Secret) (e Enrolment, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		e, err = s.byToken(tx, institution, purpose, token)
		return err
	})
	return e, err
}

func (s *Service) byToken(tx *db.Tx, institution bank.InstitutionID, purpose Purpose, token Secret) (Enrolment, error) {
	l, err := scanLink(institution, tx.Now)(tx.QueryRow(`select `+linkColumns+` from link where institution_id = $1 and token_hash = $2 and purpose = $3`,
		institution, digest(string(purpose), token), purpose))
	if errors.Is(err, db.ErrNoRows) {
		return Enrolment{}, ErrUnknownLink
	}
	if err != nil {
		return Enrolment{}, fmt.Errorf("find the link: %w", err)
	}
	if !l.Fresh() {
		return Enrolment{Link: l}, linkFailures[l.State]
	}
	return s.enrolment(tx, l)
}

// enrolment adds the person. A link to nobody, or to somebody for whom it can
// do nothing any more, is as good as cancelled.
func (s *Service) enrolment(tx *db.Tx, l Link) (Enrolment, error) {
	p, err := s.people.Find(tx, l.Subject)
	if errors.Is(err, ErrNoPerson) || err == nil && !useful(&p, l.Purpose) {
		return Enrolment{}, linkFailures[LinkCancelled]
	}
	if err != nil {
		return Enrolment{}, fmt.Errorf("find the person: %w", err)
	}
	e := Enrolment{Link: l, Person: p}
	if l.Purpose == PurposeReset {
		c, err := credentialOf(tx, l.Subject)
		switch {
		case errors.Is(err, db.ErrNoRows) && p.brought():
			c.username = p.Username
		case err != nil:
			return Enrolment{}, fmt.Errorf("find the credential: %w", err)
		}
		e.Username = c.username
	}
	e.Rules = p.PasswordRules(e.Username)
	return e, nil
}

func useful(p *Person, purpose Purpose) bool {
	if purpose == PurposeInvitation {
		return p.Status == bank.StatusPending
	}
	return p.Status != bank.StatusDisabled
}

// Redeem uses a link up. Of any number that come at once exactly one gets the
// token of the browser that may finish; it goes into a cookie and survives a
// refresh.
func (s *Service) Redeem(ctx context.Context, institution bank.InstitutionID, purpose Purpose, token Secret, from Source) (browser Secret, e Enrolment, err error) {
	if err := s.throttles.allow(redeemRates, from.IP); err != nil {
		return "", Enrolment{}, err
	}
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		if e, err = s.byToken(tx, institution, purpose, token); err != nil {
			return err
		}
		// One at a time: the history of their organization is the lock.
		if err := note(tx, &e.Person, activity.Event{Name: e.openedEvent(), Quiet: true}, from); err != nil {
			return err
		}
		browser = newToken()
		e.Link, err = scanLink(institution, tx.Now)(tx.QueryRow(`
			update link set redeemed_micros = $1, browser_hash = $2, browser_ends_micros = $3
			 where institution_id = $4 and token_hash = $5 and purpose = $6
			   and redeemed_micros = 0 and completed_micros = 0 and cancelled_micros = 0 and replaced_micros = 0 and expires_micros > $1
			returning `+linkColumns,
			tx.Now.UnixMicro(), digest("browser", browser), tx.Now.Add(redeemedLifetime).UnixMicro(), institution, digest(string(purpose), token), purpose))
		if errors.Is(err, db.ErrNoRows) {
			_, err = s.byToken(tx, institution, purpose, token) // somebody was faster: say what became of it
			return cmp.Or(err, error(linkFailures[LinkRedeemed]))
		}
		return err
	})
	if err != nil {
		return "", Enrolment{}, err
	}
	return browser, e, nil
}

func (e *Enrolment) openedEvent() string {
	if e.Link.Purpose == PurposeInvitation {
		return e.Person.event("invite_opened")
	}
	return e.Person.event("password_reset_opened")
}

// Resume returns what the browser that redeemed a link may still finish.
func (s *Service) Resume(ctx context.Context, institution bank.InstitutionID, purpose Purpose, browser Secret) (e Enrolment, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		e, err = s.byBrowser(tx, institution, purpose, browser)
		return err
	})
	return e, err
}

func (s *Service) byBrowser(tx *db.Tx, institution bank.InstitutionID, purpose Purpose, browser Secret) (Enrolment, error) {
	if browser == "" {
		return Enrolment{}, ErrUnknownLink
	}
	l, err := scanLink(institution, tx.Now)(tx.QueryRow(`select `+linkColumns+` from link where institution_id = $1 and browser_hash = $2 and purpose = $3`,
		institution, digest("browser", browser), purpose))
	if errors.Is(err, db.ErrNoRows) {
		return Enrolment{}, ErrUnknownLink
	}
	if err != nil {
		return Enrolment{}, fmt.Errorf("find the link: %w", err)
	}
	switch {
	case l.State != LinkRedeemed:
		return Enrolment{Link: l}, linkFailures[l.State]
	case !tx.Now.Before(l.BrowserEnds):
		return Enrolment{Link: l}, linkFailures[LinkExpired]
	}
	return s.enrolment(tx, l)
}

// Enrol finishes an invitation with a username and a password. The person stays
// pending until they sign in. All problems of both are told at once. The
// username of a staff user is the address that they were invited by, whatever
// is passed.
func (s *Service) Enrol(ctx context.Context, institution bank.InstitutionID, browser Secret, username string, password Secret, from Source) error {
	return s.finish(ctx, institution, PurposeInvitation, browser, username, password, from)
}

// ResetPassword finishes a password reset. Every sign-in of the person ends.
// It unlocks nobody, removes no hold and no second factor.
func (s *Service) ResetPassword(ctx context.Context, institution bank.InstitutionID, browser, password Secret, from Source) error {
	return s.finish(ctx, institution, PurposeReset, browser, "", password, from)
}

func (s *Service) finish(ctx context.Context, institution bank.InstitutionID, purpose Purpose, browser Secret, username string, password Secret, from Source) error {
	if err := s.throttles.allow(finishRates, from.IP); err != nil {
		return err
	}
	e, err := s.Resume(ctx, institution, purpose, browser)
	if err != nil {
		return err
	}
	if e.Link.Subject.Kind == KindStaff {
		username = e.Person.Email
	}
	if err := e.check(username, password); err != nil {
		return err
	}
	phc, err := s.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	event := e.Person.event("credentials_created")
	if purpose == PurposeReset {
		event = e.Person.event("password_reset_completed")
	}
	action := guard.Action{Event: event, Organization: e.Person.Organization, Target: e.Person.target(), Self: true}
	return s.guard.Do(ctx, e.Person.caller(from), action, func(c *guard.Change) error {
		e, err := s.byBrowser(c.Tx, institution, purpose, browser) // as it stands with the organization locked
		if err != nil {
			return err
		}
		if err := completeLink(c.Tx, e.Link); err != nil {
			return err
		}
		if purpose == PurposeReset {
			return s.storeReset(c, &e, phc)
		}
		return s.storeEnrolment(c, &e, username, phc)
	})
}

// check tells all problems of a form at once.
func (e *Enrolment) check(username string, password Secret) error {
	var problems fault.Problems
	rules := e.Rules
	if e.Link.Purpose == PurposeInvitation {
		if problem := usernameProblem(username); problem != "" && e.Link.Subject.Kind != KindStaff {
			problems.Add("username", problem)
		}
		rules = e.Person.PasswordRules(username)
	}
	problems = append(problems, CheckPassword(password, rules)...)
	return problems.Err("Some of this cannot be used.")
}

func completeLink(tx *db.Tx, l Link) error {
	n, err := tx.Exec(`
		update link set completed_micros = $1
		 where institution_id = $2 and subject_kind = $3 and subject_id = $4 and purpose = $5 and version = $6 and completed_micros = 0`,
		tx.Now.UnixMicro(), l.Subject.Institution, l.Subject.Kind, l.Subject.ID, l.Purpose, l.Version)
	if err != nil {
		return fmt.Errorf("complete the link: %w", err)
	}
	if n == 0 {
		return linkFailures[LinkCompleted]
	}
	return nil
}

func (s *Service) storeEnrolment(c *guard.Change, e *Enrolment, username, phc string) error {
	key := UsernameKey(username)
	if err := upsertCredential(c.Tx, e.Person.Subject, username, key, phc); err != nil {
		return err
	}
	if err := s.people.SetUsername(c.Tx, e.Person.Subject, username, key); err != nil {
		return fmt.Errorf("show the username: %w", err)
	}
	c.Record(activity.Change{Field: "username", New: username})
	return nil
}

func (s *Service) storeReset(c *guard.Change, e *Enrolment, phc string) error {
	has, err := HasCredentials(c.Tx, e.Person.Subject)
	switch {
	case err != nil:
		return err
	case has:
		err = setPassword(c.Tx, e.Person.Subject, phc)
	default: // their first, under the username that they came with
		err = upsertCredential(c.Tx, e.Person.Subject, e.Username, UsernameKey(e.Username), phc)
	}
	if err != nil {
		return err
	}
	if err := EndSignIns(c.Tx, e.Person.Subject); err != nil {
		return err
	}
	c.Record()
	return s.tell(c.Tx, &e.Person, e.Person.event("password_reset_completed"), "Your password was changed", "The password for "+e.Username+" was changed by a reset link.")
}
