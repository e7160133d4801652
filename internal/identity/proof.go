package identity

import (
	"crypto/sha256"
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// ErrStepUp asks for a high-risk authorization.
var ErrStepUp = fault.New(fault.StepUp, "Confirm that it is you to go on.").With("HIGH_RISK_AUTHORIZATION")

// Proofs are the high-risk authorizations that guard asks for. It needs
// nothing but the transaction, so that the guard can be built before the room.
type Proofs struct{}

var _ guard.Proofs = Proofs{}

// Consume takes the caller's proof for exactly this action, target and
// content. It is gone with the transaction that it allowed.
func (Proofs) Consume(tx *db.Tx, caller bank.Caller, action, target string, content []byte) error {
	if caller.Through != "" {
		return vouched(tx, caller)
	}
	who, ok := SubjectOf(caller)
	if !ok || caller.SignIn == "" {
		return ErrStepUp
	}
	sum := sha256.Sum256(content)
	n, err := tx.Exec(`
		delete from proof
		 where institution_id = $1 and sign_in_id = $2 and subject_kind = $3 and subject_id = $4
		   and action = $5 and target = $6 and content_hash = $7 and expires_micros > $8`,
		who.Institution, caller.SignIn, who.Kind, who.ID, action, target, sum[:], tx.Now.UnixMicro())
	if err != nil {
		return fmt.Errorf("take the high-risk authorization: %w", err)
	}
	if n == 0 {
		return ErrStepUp
	}
	return nil
}

// vouched takes the word of the program that acts for a person: it must say how
// it made sure of them for this very request. Who has a second factor is not
// made sure of by the password alone, there as on a screen. History keeps what
// the program said.
func vouched(tx *db.Tx, caller bank.Caller) error {
	who, ok := SubjectOf(caller)
	if !ok || caller.Vouched == "" {
		return fault.New(fault.StepUp, "Make sure that it is the person, and say how, to go on.").With(ErrStepUp.Code)
	}
	if Method(caller.Vouched) != MethodPassword {
		return nil
	}
	enrolled, err := HasSecondFactor(tx, who)
	if err != nil || !enrolled {
		return err
	}
	return fault.New(fault.StepUp, "This person has a second factor, so the password alone is not enough. Make sure of them by their second factor, and say so.").
		With(errWrongMethod.Code)
}

// insertProof keeps a proof on the sign-in record, with which it ends.
func insertProof(tx *db.Tx, who Subject, signIn string, challenge Challenge) error {
	sum := sha256.Sum256(challenge.Content)
	if _, err := tx.Exec(`delete from proof where institution_id = $1 and sign_in_id = $2 and expires_micros <= $3`,
		who.Institution, signIn, tx.Now.UnixMicro()); err != nil {
		return fmt.Errorf("clear expired proofs: %w", err)
	}
	_, err := tx.Exec(`
		insert into proof (institution_id, sign_in_id, subject_kind, subject_id, action, target, content_hash, expires_micros)
		values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (institution_id, sign_in_id, action, target, content_hash) do update set expires_micros = excluded.expires_micros`,
		who.Institution, signIn, who.Kind, who.ID, challenge.Action, challenge.Target, sum[:], tx.Now.Add(proofLifetime).UnixMicro())
	if err != nil {
		return fmt.Errorf("keep the high-risk authorization: %w", err)
	}
	return nil
}
