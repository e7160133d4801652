package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// Classic is the host's older channel. Its people have the credentials of Online,
// so the host asks here: their sign-ins are sign-ins like any other, of the
// channel of Classic, and of no use elsewhere. A ticket leads from there into
// Online.

// signOnTicket is how long a ticket works.
const signOnTicket = time.Minute

// errSignOn is for a ticket that was used, is older than a minute, or was never
// given.
var errSignOn = fault.New(fault.Conflict, "This way into Online works once, and for one minute. Go back to Classic and choose “Go to Online” again, or sign in here.").With("SIGN_ON_TICKET")

// sameChannel refuses a sign-in of Classic anywhere else, and any other in
// Classic.
func sameChannel(row *signInRow, from Source) error {
	if (row.Channel == bank.ChannelClassic) != (from.Channel == bank.ChannelClassic) {
		return ErrSignedOut
	}
	return nil
}

// SignOnTicket gives whoever is signed in to Classic a ticket to Online.
func (s *Service) SignOnTicket(ctx context.Context, institution bank.InstitutionID, token Secret, from Source) (ticket Secret, err error) {
	found, err := s.Session(ctx, institution, token, from)
	if err != nil {
		return "", err
	}
	if found.Channel != bank.ChannelClassic {
		return "", ErrSignedOut
	}
	ticket = newToken()
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`delete from sign_on where ends_micros <= $1`, tx.Now.UnixMicro())
		if err == nil {
			_, err = tx.Exec(`insert into sign_on (institution_id, ticket_hash, member_id, sign_in_id, ends_micros) values ($1, $2, $3, $4, $5)`,
				institution, digest("sign-on", ticket), found.Subject.ID, found.ID, tx.Now.Add(signOnTicket).UnixMicro())
		}
		if err != nil {
			return fmt.Errorf("give a ticket: %w", err)
		}
		return nil
	})
	return ticket, err
}

// SignOn turns a ticket into a sign-in of Online. Whatever stands between a right
// password and a sign-in stands here as well: a hold, a lock, a second factor.
func (s *Service) SignOn(ctx context.Context, institution bank.InstitutionID, ticket Secret, from Source) (g Granted, err error) {
	if err := s.throttles.allow(redeemRates, from.IP); err != nil {
		return Granted{}, err
	}
	var p Person
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		member, err := db.One(tx, db.Value[string], `select member_id from sign_on where institution_id = $1 and ticket_hash = $2 and ends_micros > $3`,
			institution, digest("sign-on", ticket), tx.Now.UnixMicro())
		if errors.Is(err, db.ErrNoRows) {
			return errSignOn
		}
		if err == nil {
			p, err = s.people.Find(tx, Member(institution, bank.UserID(member)))
		}
		if errors.Is(err, ErrNoPerson) {
			return errSignOn
		}
		return err
	})
	if err != nil {
		return Granted{}, err
	}
	err = s.guard.Do(ctx, p.caller(from), s.signInAction(&p), func(c *guard.Change) error {
		g, err = s.signOn(c, p.Subject, ticket, from)
		return err
	})
	if err != nil {
		return Granted{}, err
	}
	return g, nil
}

// signOn redeems a ticket with the organization locked. The sign-in in Classic
// must still be there.
func (s *Service) signOn(c *guard.Change, who Subject, ticket Secret, from Source) (Granted, error) {
	signIn, err := db.One(c.Tx, db.Value[string], `
		delete from sign_on where institution_id = $1 and ticket_hash = $2 and member_id = $3 and ends_micros > $4 returning sign_in_id`,
		who.Institution, digest("sign-on", ticket), who.ID, c.Tx.Now.UnixMicro())
	if errors.Is(err, db.ErrNoRows) {
		return Granted{}, errSignOn // somebody was faster
	}
	if err != nil {
		return Granted{}, fmt.Errorf("redeem the ticket: %w", err)
	}
	row, err := scanSignIn(who.Institution)(c.Tx.QueryRow(`select `+signInColumns+` from sign_in where institution_id = $1 and id = $2`, who.Institution, signIn))
	if errors.Is(err, db.ErrNoRows) || err == nil && !row.live(c.Tx.Now) {
		return Granted{}, errSignOn
	}
	if err != nil {
		return Granted{}, fmt.Errorf("find the sign-in: %w", err)
	}
	credential, err := credentialOf(c.Tx, who)
	if errors.Is(err, db.ErrNoRows) {
		return Granted{}, errSignOn
	}
	if err != nil {
		return Granted{}, fmt.Errorf("find the credential: %w", err)
	}
	person, err := s.stillAdmitted(c.Tx, credential, entry{})
	if err != nil {
		return Granted{}, err
	}
	stage, err := nextStage(c.Tx, &person)
	if err != nil {
		return Granted{}, err
	}
	if stage == StageComplete {
		return s.complete(c, &person, entry{username: credential.username}, from)
	}
	return s.open(c.Tx, &person, entry{username: credential.username}, stage, from)
}

// EnrolInClassic makes the credentials of a pending person who came by a link of
// the host's, which vouches for it. An invitation of ours is of no use after it.
// All problems are told at once.
func (s *Service) EnrolInClassic(ctx context.Context, institution bank.InstitutionID, member bank.UserID, username string, password Secret, from Source) error {
	if err := s.throttles.allow(finishRates, from.IP); err != nil {
		return err
	}
	who := Member(institution, member)
	var p Person
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		p, err = s.enrollable(tx, who)
		return err
	})
	if err != nil {
		return err
	}
	e := Enrolment{Link: Link{Subject: who, Purpose: PurposeInvitation}, Person: p}
	if err := e.check(username, password); err != nil {
		return err
	}
	phc, err := s.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	action := guard.Action{Event: p.event("credentials_created"), Organization: p.Organization, Target: p.target(), Self: true}
	return s.guard.Do(ctx, p.caller(from), action, func(c *guard.Change) error {
		if e.Person, err = s.enrollable(c.Tx, who); err != nil {
			return err
		}
		if _, err := s.CancelInvitation(c.Tx, who); err != nil {
			return err
		}
		return s.storeEnrolment(c, &e, username, phc)
	})
}

// errEnrolled is for somebody who cannot make credentials any more.
var errEnrolled = fault.New(fault.Conflict, "The credentials have been created already. Sign in with them, or ask for a new password.").With("HAS_CREDENTIALS")

func (s *Service) enrollable(tx *db.Tx, who Subject) (Person, error) {
	p, err := s.find(tx, who)
	if err != nil {
		return p, err
	}
	has, err := HasCredentials(tx, who)
	if err == nil && (has || p.Status != bank.StatusPending) {
		err = errEnrolled
	}
	return p, err
}
