package identity

import (
	"context"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

const eventPasswordChanged = "auth.password_changed"

// PasswordChange is the challenge that must be proven before the caller's own
// password is changed. It has no content: whatever was made of the new password
// would be stored with the proof.
func PasswordChange(caller bank.Caller) Challenge {
	return Challenge{Action: eventPasswordChanged, Target: caller.ID}
}

// An OwnPassword is what somebody may know of their own password.
type OwnPassword struct {
	Username string
	Changed  time.Time
	Rules    PasswordRules // for a new one
}

// OwnPassword tells a caller who is signed in about their own password.
func (s *Service) OwnPassword(ctx context.Context, caller bank.Caller) (own OwnPassword, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		p, err := s.prover(tx, caller)
		if err != nil {
			return err
		}
		var changed int64
		err = tx.QueryRow(`
			select username, changed_micros from credential where institution_id = $1 and subject_kind = $2 and subject_id = $3`,
			p.Subject.Institution, p.Subject.Kind, p.Subject.ID).Scan(&own.Username, &changed)
		if err != nil {
			return fmt.Errorf("find the credential: %w", err)
		}
		own.Changed, own.Rules = time.UnixMicro(changed).UTC(), p.PasswordRules(own.Username)
		return nil
	})
	return own, err
}

// ChangePassword gives the caller a new password. It needs the high-risk
// authorization of PasswordChange, which a password that cannot be used does
// not spend. Every other sign-in of theirs ends, and no reset link that is on
// its way works any more.
func (s *Service) ChangePassword(ctx context.Context, caller bank.Caller, password Secret) error {
	own, err := s.OwnPassword(ctx, caller)
	if err != nil {
		return err
	}
	if err := fault.Problems(CheckPassword(password, own.Rules)).Err("This password cannot be used."); err != nil {
		return err
	}
	phc, err := s.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	who, ok := SubjectOf(caller)
	if !ok {
		return ErrSignedOut
	}
	me := Person{Subject: who, FirstName: caller.Name}
	action := guard.Action{Event: eventPasswordChanged, Organization: caller.Organization, Target: me.target(), Self: true}
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		p, err := s.prover(c.Tx, caller)
		if err != nil {
			return err
		}
		if err := c.RequireProof(nil); err != nil {
			return err
		}
		if err := setPassword(c.Tx, p.Subject, phc); err != nil {
			return err
		}
		if err := endOthers(c.Tx, caller, p.Subject); err != nil {
			return err
		}
		if _, err := s.endLinks(c.Tx, p.Subject, PurposeReset, LinkCancelled); err != nil {
			return err
		}
		c.RecordAs(eventPasswordChanged, p.target(), "")
		return s.tell(c.Tx, &p, eventPasswordChanged, "Your password was changed", "The password for "+own.Username+" was changed, and every other sign-in was ended.")
	})
}

func endOthers(tx *db.Tx, caller bank.Caller, who Subject) error {
	_, err := tx.Exec(`delete from sign_in where institution_id = $1 and subject_kind = $2 and subject_id = $3 and id <> $4`,
		who.Institution, who.Kind, who.ID, caller.SignIn)
	if err != nil {
		return fmt.Errorf("end the other sign-ins: %w", err)
	}
	return nil
}
