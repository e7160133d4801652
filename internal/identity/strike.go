package identity

import (
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// A door is a place where secrets are tried. Each counts its own strikes, over
// all screens and protocols that lead to it.
type door string

const (
	doorSignIn   door = "sign-in"
	doorHighRisk door = "high-risk"
)

// strikes are the attempts of a subject at a door.
type strikes struct {
	spent int64     // under way or wrong
	wrong int64     // evaluated and wrong
	noted time.Time // when an attempt on somebody blocked was last put into the history
}

// spend reserves an attempt before anything is hashed. That is what makes
// exactly three evaluated, however many come at once: each sees its own place
// in the count. With reserve false the row is written all the same, so that
// people whose attempts do not count cost the same.
func spend(tx *db.Tx, who Subject, at door, reserve bool) (strikes, error) {
	one := int64(0)
	if reserve {
		one = 1
	}
	var n strikes
	var noted int64
	err := tx.QueryRow(`
		insert into strike (institution_id, subject_kind, subject_id, door, spent, wrong, last_micros, noted_micros)
		values ($1, $2, $3, $4, $5, 0, $6, 0)
		on conflict (institution_id, subject_kind, subject_id, door) do update
		   set spent = $5 + case when strike.last_micros < $7 then strike.wrong else strike.spent end,
		       last_micros = $6
		returning spent, wrong, noted_micros`,
		who.Institution, who.Kind, who.ID, at, one, tx.Now.UnixMicro(), tx.Now.Add(-strikeStale).UnixMicro()).Scan(&n.spent, &n.wrong, &noted)
	if err != nil {
		return strikes{}, fmt.Errorf("reserve an attempt: %w", err)
	}
	n.noted = time.UnixMicro(noted)
	return n, nil
}

// settleWrong turns a reserved attempt into a strike.
func settleWrong(tx *db.Tx, who Subject, at door) (strikes, error) {
	return settle(tx, who, at, `
		update strike set wrong = wrong + 1, spent = case when spent > wrong then spent else wrong + 1 end
		 where institution_id = $1 and subject_kind = $2 and subject_id = $3 and door = $4
		returning spent, wrong`)
}

// settleUnused gives a reserved attempt back: nothing was evaluated.
func settleUnused(tx *db.Tx, who Subject, at door) (strikes, error) {
	return settle(tx, who, at, `
		update strike set spent = case when spent > wrong then spent - 1 else spent end
		 where institution_id = $1 and subject_kind = $2 and subject_id = $3 and door = $4
		returning spent, wrong`)
}

// settleRight forgets the strikes so far. Attempts that are under way beside
// this one keep their places.
func settleRight(tx *db.Tx, who Subject, at door) error {
	_, err := settle(tx, who, at, `
		update strike set spent = case when spent > wrong + 1 then spent - wrong - 1 else 0 end, wrong = 0
		 where institution_id = $1 and subject_kind = $2 and subject_id = $3 and door = $4
		returning spent, wrong`)
	return err
}

// Two ways to settle an attempt that has no place: the row is written all the
// same. An attempt on somebody who cannot sign in goes into the history once in
// a while only, so that a stranger cannot fill it.
const (
	touchStrike = `
		update strike set spent = spent
		 where institution_id = $1 and subject_kind = $2 and subject_id = $3 and door = $4
		returning spent, wrong`
	markNoted = `
		update strike set noted_micros = last_micros
		 where institution_id = $1 and subject_kind = $2 and subject_id = $3 and door = $4
		returning spent, wrong`
)

// settle does not fail where the row is gone: somebody was unlocked or deleted
// meanwhile.
func settle(tx *db.Tx, who Subject, at door, query string) (n strikes, err error) {
	err = tx.QueryRow(query, who.Institution, who.Kind, who.ID, at).Scan(&n.spent, &n.wrong)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return strikes{}, fmt.Errorf("settle an attempt: %w", err)
	}
	return n, nil
}

func strikesAt(tx *db.Tx, who Subject, at door) (n strikes, err error) {
	err = tx.QueryRow(`
		select spent, wrong from strike
		 where institution_id = $1 and subject_kind = $2 and subject_id = $3 and door = $4`,
		who.Institution, who.Kind, who.ID, at).Scan(&n.spent, &n.wrong)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return strikes{}, fmt.Errorf("read the attempts: %w", err)
	}
	return n, nil
}

// ClearStrikes forgets the wrong attempts of a subject at every door. It is
// part of unlocking; a password reset must not call it.
func ClearStrikes(tx *db.Tx, who Subject) error {
	_, err := tx.Exec(`delete from strike where institution_id = $1 and subject_kind = $2 and subject_id = $3`,
		who.Institution, who.Kind, who.ID)
	if err != nil {
		return fmt.Errorf("forget the wrong attempts: %w", err)
	}
	return nil
}

// decoys is how many rows stand for all the usernames that nobody has.
const decoys = 256

// decoy is nobody: an attempt on an unknown username is counted there, so that
// it costs what an attempt on a known one costs.
func decoy(institution bank.InstitutionID, kind Kind, usernameKey string) Subject {
	h := fnv.New32a()
	h.Write([]byte(usernameKey))
	return Subject{Institution: institution, Kind: kind, ID: fmt.Sprintf("nobody/%d", h.Sum32()%decoys)}
}
