package identity

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
)

// Waiting returns a sign-in that is not complete, by its token: the password
// was right, and its Stage says what must follow. methods are the second
// factors that may be shown.
func (s *Service) Waiting(ctx context.Context, institution bank.InstitutionID, token Secret, from Source) (found Session, methods []Method, err error) {
	found, err = s.session(ctx, institution, token, from, StageSecondFactor, StageEnrol)
	if err != nil || found.Stage != StageSecondFactor {
		return found, nil, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		methods, err = methodsOf(tx, found.Subject)
		return err
	})
	return found, methods, err
}

// AskPasskeyToSignIn returns what a browser is asked to complete a waiting
// sign-in with a passkey, as JSON.
func (s *Service) AskPasskeyToSignIn(ctx context.Context, institution bank.InstitutionID, token Secret) (options []byte, err error) {
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		row, err := s.liveSignIn(tx, institution, token, []Stage{StageSecondFactor})
		if err != nil {
			return err
		}
		options, err = s.ask(tx, row.Subject, row.ID, purposeSignIn)
		return err
	})
	return options, err
}

// SecondFactor completes a waiting sign-in. Wrong answers count with the wrong
// passwords, and every refusal reads like theirs.
func (s *Service) SecondFactor(ctx context.Context, institution bank.InstitutionID, token Secret, answer Answer, from Source) (Granted, error) {
	if err := s.throttles.allow(signInRates, from.IP); err != nil {
		return Granted{}, err
	}
	began := time.Now()
	g, err := s.secondFactor(context.WithoutCancel(ctx), institution, token, answer, from)
	if errors.Is(err, ErrSignIn) {
		s.hideTime(ctx, began)
	}
	return g, err
}

// secondFactor counts and evaluates in one transaction, since nothing is slow.
// A wrong answer is committed as a strike.
func (s *Service) secondFactor(ctx context.Context, institution bank.InstitutionID, token Secret, answer Answer, from Source) (Granted, error) {
	var r reservation
	var right bool
	var n strikes
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		right, n = false, strikes{}
		row, err := s.liveSignIn(tx, institution, token, []Stage{StageSecondFactor})
		if err != nil {
			return err
		}
		if r, err = s.waitingPerson(tx, row, answer); err != nil {
			return err
		}
		if _, err := activity.Lock(tx, institution, r.person.Organization); err != nil {
			return err // the history is locked before the strikes, as everywhere
		}
		if n, err = spend(tx, r.who, doorSignIn, true); err != nil {
			return err
		}
		if n.spent > strikesOf(r.who.Kind) {
			n, err = settleUnused(tx, r.who, doorSignIn)
			return err
		}
		if right, err = s.checkFactor(tx, r.who, row.ID, purposeSignIn, answer); err != nil || right {
			return err
		}
		if err := noteFailure(tx, &r.person, "auth.signin_failed", "WRONG_SECOND_FACTOR", from); err != nil {
			return err
		}
		n, err = settleWrong(tx, r.who, doorSignIn)
		return err
	})
	switch {
	case err != nil:
		return Granted{}, err
	case right:
		return s.promote(ctx, institution, token, StageSecondFactor, answer.Method(), from)
	case n.wrong >= strikesOf(r.who.Kind):
		if err := s.lock(ctx, &r.person, doorSignIn, from); err != nil {
			return Granted{}, err
		}
	}
	return Granted{}, ErrSignIn
}

func (s *Service) waitingPerson(tx *db.Tx, row signInRow, answer Answer) (r reservation, err error) {
	methods, err := methodsOf(tx, row.Subject)
	if err != nil {
		return r, err
	}
	if answer.Method() == MethodPassword || !slices.Contains(methods, answer.Method()) {
		return r, errWrongMethod
	}
	r.who = row.Subject
	r.person, err = s.people.Find(tx, row.Subject)
	if errors.Is(err, ErrNoPerson) || err == nil && !maySit(&r.person, row.Stage, row.entry()) {
		return r, ErrSignedOut
	}
	return r, err
}

// FinishEnrolment completes a sign-in that waited for a second factor to be
// enrolled, once there is one.
func (s *Service) FinishEnrolment(ctx context.Context, institution bank.InstitutionID, token Secret, from Source) (Granted, error) {
	return s.promote(ctx, institution, token, StageEnrol, "", from)
}

// promote replaces a waiting sign-in by a complete one with a new token.
func (s *Service) promote(ctx context.Context, institution bank.InstitutionID, token Secret, stage Stage, factor Method, from Source) (g Granted, err error) {
	p, err := s.waiter(ctx, institution, token, stage)
	if err != nil {
		return Granted{}, err
	}
	err = s.guard.Do(ctx, p.caller(from), s.signInAction(&p), func(c *guard.Change) error {
		row, err := s.liveSignIn(c.Tx, institution, token, []Stage{stage})
		if err != nil {
			return err
		}
		credential, err := credentialOf(c.Tx, row.Subject)
		if err != nil {
			return fmt.Errorf("find the credential: %w", err)
		}
		how := entry{username: credential.username, factor: string(factor), outside: row.Outside}
		person, err := s.stillAdmitted(c.Tx, credential, how)
		if err != nil {
			return err
		}
		has, err := HasSecondFactor(c.Tx, row.Subject)
		if err != nil {
			return err
		}
		if !has {
			return errWrongMethod
		}
		if _, err := c.Tx.Exec(`delete from sign_in where institution_id = $1 and id = $2`, institution, row.ID); err != nil {
			return fmt.Errorf("end the waiting sign-in: %w", err)
		}
		g, err = s.complete(c, &person, how, from)
		return err
	})
	return g, err
}

func (s *Service) waiter(ctx context.Context, institution bank.InstitutionID, token Secret, stage Stage) (p Person, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		row, err := s.liveSignIn(tx, institution, token, []Stage{stage})
		if err != nil {
			return err
		}
		p, err = s.people.Find(tx, row.Subject)
		if errors.Is(err, ErrNoPerson) {
			return ErrSignedOut
		}
		return err
	})
	return p, err
}
