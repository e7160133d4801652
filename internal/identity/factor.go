package identity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
)

// A Method is a way to show that it is you.
type Method string

const (
	MethodPassword Method = "password"
	MethodTOTP     Method = "totp"     // six digits of an authenticator app
	MethodPasskey  Method = "passkey"  // a key in a device or a browser
	MethodRecovery Method = "recovery" // a code from the list made at enrolment, once
)

const (
	maxFactors      = 10
	maxFactorName   = 40
	enrolmentWindow = 10 * time.Minute // to confirm an authenticator app
)

// A Factor is a second factor of a subject.
type Factor struct {
	ID      string
	Method  Method
	Name    string // as its owner calls it
	Created time.Time
	Used    time.Time // zero where it never was
}

// factorRow is a factor as it stands in the database.
type factorRow struct {
	Factor
	who      Subject
	secret   []byte // sealed
	lastStep int64
}

// place is where the secret was sealed for.
func (f *factorRow) place() []string {
	return []string{"second_factor", string(f.who.Institution), string(f.who.Kind), f.who.ID, f.ID}
}

func scanFactor(who Subject) func(db.Scanner) (factorRow, error) {
	return func(row db.Scanner) (f factorRow, err error) {
		var created, used int64
		f.who = who
		err = row.Scan(&f.ID, &f.Method, &f.Name, &f.secret, &f.lastStep, &created, &used)
		f.Created = time.UnixMicro(created).UTC()
		if used != 0 {
			f.Used = time.UnixMicro(used).UTC()
		}
		return f, err
	}
}

// factorsOf are the confirmed factors of a subject, the oldest first.
func factorsOf(tx *db.Tx, who Subject) ([]factorRow, error) {
	rows, err := db.All(tx, scanFactor(who), `
		select id, method, name, secret, last_step, created_micros, used_micros from second_factor
		 where institution_id = $1 and subject_kind = $2 and subject_id = $3 and confirmed
		 order by created_micros, id`, who.Institution, who.Kind, who.ID)
	if err != nil {
		return nil, fmt.Errorf("read the second factors: %w", err)
	}
	return rows, nil
}

// methodsOf are the ways in which a subject can answer a challenge: their
// second factors, and only where they have none the password. Whoever came
// through a provider outside and has neither has none.
func methodsOf(tx *db.Tx, who Subject) ([]Method, error) {
	factors, err := factorsOf(tx, who)
	if err != nil {
		return nil, err
	}
	if len(factors) == 0 {
		has, err := hasPassword(tx, who)
		if err != nil || !has {
			return nil, err
		}
		return []Method{MethodPassword}, nil
	}
	var methods []Method
	for _, f := range factors {
		if !slices.Contains(methods, f.Method) {
			methods = append(methods, f.Method)
		}
	}
	left, err := recoveryCodesLeft(tx, who)
	if left > 0 {
		methods = append(methods, MethodRecovery)
	}
	return methods, err
}

// Factors lists the caller's second factors, and how many recovery codes are
// left.
func (s *Service) Factors(ctx context.Context, caller bank.Caller) (factors []Factor, recoveryCodes int, err error) {
	who, ok := SubjectOf(caller)
	if !ok {
		return nil, 0, ErrSignedOut
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		factors, recoveryCodes, err = FactorsOf(tx, who)
		return err
	})
	return factors, recoveryCodes, err
}

// FactorsOf lists the second factors of a subject, the oldest first, and how
// many recovery codes are left.
func FactorsOf(tx *db.Tx, who Subject) (factors []Factor, recoveryCodes int, err error) {
	rows, err := factorsOf(tx, who)
	if err != nil {
		return nil, 0, err
	}
	for _, row := range rows {
		factors = append(factors, row.Factor)
	}
	recoveryCodes, err = recoveryCodesLeft(tx, who)
	return factors, recoveryCodes, err
}

// HasSecondFactor says whether a subject has one enrolled.
func HasSecondFactor(tx *db.Tx, who Subject) (bool, error) {
	factors, err := factorsOf(tx, who)
	return len(factors) > 0, err
}

// FactorHolders are the subjects of a kind who have a second factor enrolled.
func FactorHolders(tx *db.Tx, institution bank.InstitutionID, kind Kind) (map[string]bool, error) {
	ids, err := db.All(tx, db.Value[string], `
		select distinct subject_id from second_factor where institution_id = $1 and subject_kind = $2 and confirmed`, institution, kind)
	if err != nil {
		return nil, fmt.Errorf("list who has a second factor: %w", err)
	}
	holders := make(map[string]bool, len(ids))
	for _, id := range ids {
		holders[id] = true
	}
	return holders, nil
}

func insertFactor(tx *db.Tx, f factorRow, lookup []byte, confirmed bool) error {
	factors, err := factorsOf(tx, f.who)
	if err != nil {
		return err
	}
	if len(factors) >= maxFactors {
		return fault.Newf(fault.Conflict, "You have %d second factors, which is the most. Remove one first.", maxFactors)
	}
	_, err = tx.Exec(`
		insert into second_factor (institution_id, subject_kind, subject_id, id, method, name, secret, lookup, last_step, confirmed, created_micros, used_micros)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0)`,
		f.who.Institution, f.who.Kind, f.who.ID, f.ID, f.Method, f.Name, f.secret, lookup, f.lastStep, confirmed, tx.Now.UnixMicro())
	if db.IsUnique(err, "second_factor_lookup") {
		return fault.New(fault.Conflict, "This passkey is already enrolled.")
	}
	if err != nil {
		return fmt.Errorf("store the second factor: %w", err)
	}
	return nil
}

// checkFactor says whether an answer is one of the subject's second factors,
// and uses it up where it can be used once. signIn and purpose are where a
// passkey was asked for.
func (s *Service) checkFactor(tx *db.Tx, who Subject, signIn, purpose string, answer Answer) (bool, error) {
	switch answer.Method() {
	case MethodTOTP:
		return s.checkTOTP(tx, who, answer.Code)
	case MethodRecovery:
		return useRecoveryCode(tx, who, answer.Recovery)
	case MethodPasskey:
		return s.checkPasskey(tx, who, signIn, purpose, answer.Passkey)
	}
	return false, nil
}

// An Answer is what somebody shows. Exactly one field is filled.
type Answer struct {
	Password Secret
	Code     Secret // of an authenticator app
	Recovery Secret
	Passkey  []byte // what the browser returned, as JSON
}

// Method is how the answer answers.
func (a Answer) Method() Method {
	switch {
	case a.Passkey != nil:
		return MethodPasskey
	case a.Code != "":
		return MethodTOTP
	case a.Recovery != "":
		return MethodRecovery
	}
	return MethodPassword
}

var errNoFactor = fault.New(fault.NotFound, "There is no such second factor.")

func oneFactor(tx *db.Tx, who Subject, id string, confirmed bool) (factorRow, error) {
	f, err := scanFactor(who)(tx.QueryRow(`
		select id, method, name, secret, last_step, created_micros, used_micros from second_factor
		 where institution_id = $1 and subject_kind = $2 and subject_id = $3 and id = $4 and confirmed = $5`,
		who.Institution, who.Kind, who.ID, id, confirmed))
	if errors.Is(err, db.ErrNoRows) {
		return f, errNoFactor
	}
	return f, err
}
