package identity

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"strings"

	"mandate/internal/db"
)

const recoveryCodes = 10

var codeAlphabet = base32.NewEncoding("ABCDEFGHJKMNPQRSTVWXYZ0123456789").WithPadding(base32.NoPadding)

// newRecoveryCode is 80 random bits in four groups, without letters that look
// like digits.
func newRecoveryCode() Secret {
	var b [10]byte
	rand.Read(b[:])
	c := codeAlphabet.EncodeToString(b[:])
	return Secret(c[:4] + "-" + c[4:8] + "-" + c[8:12] + "-" + c[12:])
}

// plainCode is a code as it was made, however it was typed.
func plainCode(typed Secret) Secret {
	return Secret(strings.NewReplacer(" ", "", "-", "", "I", "1", "L", "1", "O", "0").Replace(strings.ToUpper(string(typed))))
}

// replaceRecoveryCodes gives a subject ten new codes; the old ones are void.
// They are told once and stored hashed.
func replaceRecoveryCodes(tx *db.Tx, who Subject) ([]Secret, error) {
	if err := dropRecoveryCodes(tx, who); err != nil {
		return nil, err
	}
	var codes []Secret
	for range recoveryCodes {
		code := newRecoveryCode()
		codes = append(codes, code)
		_, err := tx.Exec(`
			insert into recovery_code (institution_id, subject_kind, subject_id, code_hash, created_micros) values ($1, $2, $3, $4, $5)`,
			who.Institution, who.Kind, who.ID, digest("recovery", plainCode(code)), tx.Now.UnixMicro())
		if err != nil {
			return nil, fmt.Errorf("store a recovery code: %w", err)
		}
	}
	return codes, nil
}

func dropRecoveryCodes(tx *db.Tx, who Subject) error {
	_, err := tx.Exec(`delete from recovery_code where institution_id = $1 and subject_kind = $2 and subject_id = $3`,
		who.Institution, who.Kind, who.ID)
	if err != nil {
		return fmt.Errorf("void the recovery codes: %w", err)
	}
	return nil
}

// useRecoveryCode says whether the code is one of the subject's, and is the
// only one to hear yes for it.
func useRecoveryCode(tx *db.Tx, who Subject, typed Secret) (bool, error) {
	n, err := tx.Exec(`
		delete from recovery_code where institution_id = $1 and subject_kind = $2 and subject_id = $3 and code_hash = $4`,
		who.Institution, who.Kind, who.ID, digest("recovery", plainCode(typed)))
	if err != nil {
		return false, fmt.Errorf("use a recovery code: %w", err)
	}
	return n == 1, nil
}

func recoveryCodesLeft(tx *db.Tx, who Subject) (n int, err error) {
	err = tx.QueryRow(`select count(*) from recovery_code where institution_id = $1 and subject_kind = $2 and subject_id = $3`,
		who.Institution, who.Kind, who.ID).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count the recovery codes: %w", err)
	}
	return n, nil
}
