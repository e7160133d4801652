package identity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
)

// A Challenge is what a high-risk authorization is for: one action on one
// target with one content. The cause of guard's step-up names the same three.
type Challenge struct {
	Action, Target string
	Content        []byte
}

var errWrongMethod = fault.New(fault.Invalid, "Confirm with your second factor; the password alone is not enough.").With("SECOND_FACTOR_NEEDED")

// ErrLockedOut is the answer to the last wrong one. It is an ErrSignedOut as
// well. Whoever hears it was signed in and had been told what would come.
var ErrLockedOut = fault.New(fault.Unauthorized, "It could not be confirmed that it is you, so you are signed out and locked.").
	With("LOCKED_OUT").Because(ErrSignedOut)

// Prove answers a challenge. A right answer is kept on the caller's sign-in for
// five minutes and one action. A wrong one is counted before it is evaluated;
// the third signs the person out and locks them. An answer to a question that
// no longer stands is neither counted nor evaluated.
func (s *Service) Prove(ctx context.Context, caller bank.Caller, challenge Challenge, answer Answer) error {
	r, late, err := s.reserveProof(ctx, caller, challenge, answer)
	if err != nil {
		return err
	}
	if late {
		return errAskedLongAgo
	}
	ctx = context.WithoutCancel(ctx) // whoever hangs up has tried all the same
	right := false
	if answer.Method() == MethodPassword {
		if right, _, err = s.hasher.verify(ctx, r.hash, answer.Password); err != nil {
			return errors.Join(err, s.giveBack(ctx, r, doorHighRisk))
		}
	}
	return s.settleProof(ctx, r, caller, challenge, answer, right)
}

// reserveProof counts the attempt, unless it comes too late.
func (s *Service) reserveProof(ctx context.Context, caller bank.Caller, challenge Challenge, answer Answer) (r reservation, late bool, err error) {
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		p, err := s.prover(tx, caller)
		if err != nil {
			return err
		}
		if late, err = endAsked(tx, &p, caller.SignIn, &challenge); err != nil || late {
			return err
		}
		methods, err := methodsOf(tx, p.Subject)
		if err != nil {
			return err
		}
		if !slices.Contains(methods, answer.Method()) {
			return errWrongMethod
		}
		c, err := credentialOf(tx, p.Subject)
		if err != nil {
			return fmt.Errorf("find the credential: %w", err)
		}
		r = reservation{credential: c, person: p, known: true, reserved: true}
		if r.strikes, err = spend(tx, p.Subject, doorHighRisk, true); err != nil {
			return err
		}
		r.evaluated = r.strikes.spent <= strikesOf(p.Subject.Kind)
		if !r.evaluated {
			r.hash = s.hasher.dummy
		}
		return nil
	})
	return r, late, err
}

// prover is the person behind a caller, fully signed in at this moment.
func (s *Service) prover(tx *db.Tx, caller bank.Caller) (Person, error) {
	return s.signedIn(tx, caller, StageComplete)
}

func (s *Service) signedIn(tx *db.Tx, caller bank.Caller, stage Stage) (Person, error) {
	who, ok := SubjectOf(caller)
	if !ok {
		return Person{}, ErrSignedOut
	}
	var idle, ends int64
	var how entry
	err := tx.QueryRow(`
		select idle_micros, ends_micros, outside from sign_in
		 where institution_id = $1 and id = $2 and subject_kind = $3 and subject_id = $4 and stage = $5`,
		who.Institution, caller.SignIn, who.Kind, who.ID, stage).Scan(&idle, &ends, &how.outside)
	if errors.Is(err, db.ErrNoRows) || err == nil && tx.Now.UnixMicro() >= min(idle, ends) {
		return Person{}, ErrSignedOut
	}
	if err != nil {
		return Person{}, fmt.Errorf("find the sign-in: %w", err)
	}
	p, err := s.people.Find(tx, who)
	if errors.Is(err, ErrNoPerson) || err == nil && !maySit(&p, stage, how) {
		return Person{}, ErrSignedOut
	}
	return p, err
}

// settleProof evaluates what has not been evaluated yet, and keeps the proof or
// counts the strike.
func (s *Service) settleProof(ctx context.Context, r reservation, caller bank.Caller, challenge Challenge, answer Answer, match bool) error {
	from := Source{Channel: caller.Channel, IP: caller.IP, Device: caller.Device}
	n, kept := r.strikes, false
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		kept = false
		if _, err := s.prover(tx, caller); err != nil {
			return err // signed out meanwhile: the attempt stays spent
		}
		if !r.evaluated {
			_, err := settleUnused(tx, r.who, doorHighRisk)
			return err
		}
		right, err := match, error(nil)
		if answer.Method() != MethodPassword {
			right, err = s.checkFactor(tx, r.who, caller.SignIn, challenge.purpose(), answer)
		}
		if err != nil {
			return err
		}
		if right {
			kept = true
			return s.keepProof(tx, r, caller, challenge, from)
		}
		if err := noteFailure(tx, &r.person, "hra.failed", "WRONG_"+strings.ToUpper(string(answer.Method())), from); err != nil {
			return err
		}
		n, err = settleWrong(tx, r.who, doorHighRisk)
		return err
	})
	switch {
	case err != nil || kept:
		return err
	case n.wrong < strikesOf(r.who.Kind):
		return wrongProof(strikesOf(r.who.Kind) - n.wrong)
	}
	if err := s.lock(ctx, &r.person, doorHighRisk, from); err != nil {
		return err
	}
	return ErrLockedOut
}

func (s *Service) keepProof(tx *db.Tx, r reservation, caller bank.Caller, challenge Challenge, from Source) error {
	if err := note(tx, &r.person, activity.Event{Name: "hra.passed", Quiet: true, Note: challenge.Action}, from); err != nil {
		return err
	}
	if err := settleRight(tx, r.who, doorHighRisk); err != nil {
		return err
	}
	if err := answered(tx, r.who, caller.SignIn, challenge); err != nil {
		return err
	}
	return insertProof(tx, r.who, caller.SignIn, challenge)
}

// wrongProof tells somebody who is signed in how many attempts are left: the
// count is no secret from them.
func wrongProof(left int64) error {
	sentence := fmt.Sprintf("This was not right. After %d more wrong attempts you are signed out and locked.", left)
	if left == 1 {
		sentence = "This was not right. After one more wrong attempt you are signed out and locked."
	}
	return &fault.Error{Kind: fault.StepUp, Code: "HIGH_RISK_WRONG", Sentence: sentence,
		Problems: []fault.Problem{{Field: "answer", Code: "HIGH_RISK_WRONG", Sentence: sentence}}}
}

// proofLifetime is how long a high-risk authorization may wait for its action.
const proofLifetime = 5 * time.Minute
