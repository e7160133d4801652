package identity

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
)

// answerWithin is how long a question for a high-risk authorization stands. A
// later answer is not evaluated: the question is asked anew.
const answerWithin = 5 * time.Minute

var errAskedLongAgo = fault.New(fault.StepUp, "You were asked more than five minutes ago. Confirm it again.").With("HIGH_RISK_EXPIRED")

// errNothingToShow is for whoever came through a provider outside and has nothing
// here by which they could be known again.
var errNothingToShow = fault.New(fault.Conflict, "Nothing here could show that it is you: you have neither a second factor nor a password here. Sign in again, and add a second factor under Sign-in and security.").With("NOTHING_TO_SHOW")

// AskProof says how the caller can answer a challenge, and notes in the history
// that they were asked. Asking again while the question stands, such as after a
// wrong answer, is the same question.
func (s *Service) AskProof(ctx context.Context, caller bank.Caller, challenge Challenge) (methods []Method, err error) {
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		p, err := s.prover(tx, caller)
		if err != nil {
			return err
		}
		if methods, err = methodsOf(tx, p.Subject); err != nil {
			return err
		}
		if len(methods) == 0 {
			return errNothingToShow
		}
		if _, err := endAsked(tx, &p, caller.SignIn, nil); err != nil {
			return err
		}
		isNew, err := insertAsked(tx, p.Subject, caller.SignIn, challenge)
		if err != nil || !isNew {
			return err
		}
		from := Source{Channel: caller.Channel, IP: caller.IP, Device: caller.Device}
		return note(tx, &p, activity.Event{Name: "hra.requested", Quiet: true, Note: challenge.Action}, from)
	})
	return methods, err
}

func insertAsked(tx *db.Tx, who Subject, signIn string, challenge Challenge) (isNew bool, err error) {
	sum := sha256.Sum256(challenge.Content)
	n, err := tx.Exec(`
		insert into proof_asked (institution_id, sign_in_id, subject_kind, subject_id, action, target, content_hash, asked_micros)
		values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (institution_id, sign_in_id, action, target, content_hash) do nothing`,
		who.Institution, signIn, who.Kind, who.ID, challenge.Action, challenge.Target, sum[:], tx.Now.UnixMicro())
	if err != nil {
		return false, fmt.Errorf("note that a high-risk authorization was asked for: %w", err)
	}
	return n == 1, nil
}

// answered ends the question of a challenge.
func answered(tx *db.Tx, who Subject, signIn string, challenge Challenge) error {
	sum := sha256.Sum256(challenge.Content)
	_, err := tx.Exec(`
		delete from proof_asked where institution_id = $1 and sign_in_id = $2 and action = $3 and target = $4 and content_hash = $5`,
		who.Institution, signIn, challenge.Action, challenge.Target, sum[:])
	if err != nil {
		return fmt.Errorf("end the question for a high-risk authorization: %w", err)
	}
	return nil
}

// endAsked ends the questions of a sign-in that nobody answered in time, and
// puts each into the history. It says whether that of a challenge was one.
func endAsked(tx *db.Tx, p *Person, signIn string, challenge *Challenge) (was bool, err error) {
	type question struct {
		action, target string
		sum            []byte
	}
	over, err := db.All(tx, func(row db.Scanner) (q question, err error) {
		err = row.Scan(&q.action, &q.target, &q.sum)
		return q, err
	}, `delete from proof_asked where institution_id = $1 and sign_in_id = $2 and asked_micros <= $3 returning action, target, content_hash`,
		p.Subject.Institution, signIn, tx.Now.Add(-answerWithin).UnixMicro())
	if err != nil {
		return false, fmt.Errorf("end what nobody answered: %w", err)
	}
	system := bank.System(p.Subject.Institution)
	for _, q := range over {
		if challenge != nil && q.action == challenge.Action && q.target == challenge.Target {
			sum := sha256.Sum256(challenge.Content)
			was = was || string(q.sum) == string(sum[:])
		}
		stream, err := activity.Lock(tx, p.Subject.Institution, p.Organization)
		if err != nil {
			return false, err
		}
		e := activity.Event{Name: "hra.expired", Quiet: true, Note: q.action, Target: p.target(), Channel: system.Channel, Actor: activity.Actor{Kind: system.Kind, Name: system.Name}}
		if err := stream.Append(bank.NewID(bank.PrefixSave, tx.Now), e); err != nil {
			return false, err
		}
	}
	return was, nil
}

// sweepAtOnce is how much of a kind one sweep ends.
const sweepAtOnce = 500

// Expire puts into the history what has ended because nobody used it in time:
// invitations, and questions for high-risk authorization. It may run at any
// time, and several at once.
func (s *Service) Expire(ctx context.Context) error {
	return errors.Join(s.expireInvitations(ctx), s.expireAsked(ctx), s.expireSeeAs(ctx))
}

func (s *Service) expireAsked(ctx context.Context) error {
	type asked struct {
		who    Subject
		signIn string
	}
	var over []asked
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		over, err = db.All(tx, func(row db.Scanner) (a asked, err error) {
			err = row.Scan(&a.who.Institution, &a.who.Kind, &a.who.ID, &a.signIn)
			return a, err
		}, `select distinct institution_id, subject_kind, subject_id, sign_in_id from proof_asked where asked_micros <= $1 limit $2`,
			tx.Now.Add(-answerWithin).UnixMicro(), sweepAtOnce)
		return err
	})
	for _, a := range over {
		err = errors.Join(err, s.db.Write(ctx, func(tx *db.Tx) error {
			p, err := s.people.Find(tx, a.who)
			if errors.Is(err, ErrNoPerson) {
				return nil // their sign-ins go with them
			}
			if err != nil {
				return fmt.Errorf("find the person: %w", err)
			}
			_, err = endAsked(tx, &p, a.signIn, nil)
			return err
		}))
	}
	return err
}

// expireInvitations tells the history of every invitation that ended without
// anybody having pressed its button.
func (s *Service) expireInvitations(ctx context.Context) error {
	var over []Link
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		over, err = db.All(tx, func(row db.Scanner) (l Link, err error) {
			err = row.Scan(&l.Subject.Institution, &l.Subject.Kind, &l.Subject.ID, &l.Version, &l.Email)
			l.Purpose = PurposeInvitation
			return l, err
		}, `
			select institution_id, subject_kind, subject_id, version, email from link
			 where completed_micros = 0 and cancelled_micros = 0 and replaced_micros = 0 and redeemed_micros = 0 and refused_micros = 0 and expired_micros = 0
			   and expires_micros <= $1 and purpose = $2 order by expires_micros limit $3`, tx.Now.UnixMicro(), PurposeInvitation, sweepAtOnce)
		return err
	})
	for _, l := range over {
		err = errors.Join(err, s.db.Write(ctx, func(tx *db.Tx) error { return s.expireInvitation(tx, l) }))
	}
	return err
}

func (s *Service) expireInvitation(tx *db.Tx, l Link) error {
	n, err := tx.Exec(`
		update link set expired_micros = $1
		 where institution_id = $2 and subject_kind = $3 and subject_id = $4 and purpose = $5 and version = $6
		   and completed_micros = 0 and cancelled_micros = 0 and replaced_micros = 0 and redeemed_micros = 0 and expired_micros = 0`,
		tx.Now.UnixMicro(), l.Subject.Institution, l.Subject.Kind, l.Subject.ID, l.Purpose, l.Version)
	if err != nil {
		return fmt.Errorf("note that an invitation expired: %w", err)
	}
	if n == 0 {
		return nil // somebody was faster
	}
	return s.noteLink(tx, l, "invite_expired", "", activity.Change{Field: "invitation", Old: l.Email})
}
