package identity

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"mandate/internal/db"
)

const (
	totpPeriod = 30 // seconds
	totpSkew   = 1  // steps before and after now that are accepted
	totpBytes  = 20
)

var seedText = base32.StdEncoding.WithPadding(base32.NoPadding)

func newSeed() []byte {
	seed := make([]byte, totpBytes)
	rand.Read(seed)
	return seed
}

// totpCode is the code of a step.
func totpCode(seed []byte, step int64) (string, error) {
	code, err := hotp.GenerateCodeCustom(seedText.EncodeToString(seed), uint64(step), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return "", fmt.Errorf("compute the code: %w", err)
	}
	return code, nil
}

// matchTOTP finds the step of a code around now, later than the last one used.
// Zero is none.
func matchTOTP(seed []byte, typed Secret, now time.Time, lastStep int64) (int64, error) {
	plain := strings.ReplaceAll(string(typed), " ", "")
	middle := now.Unix() / totpPeriod
	var found int64
	for step := middle - totpSkew; step <= middle+totpSkew; step++ {
		code, err := totpCode(seed, step)
		if err != nil {
			return 0, err
		}
		if subtle.ConstantTimeCompare([]byte(code), []byte(plain)) == 1 && step > lastStep {
			found = step
		}
	}
	return found, nil
}

// checkTOTP says whether a code is right for one of the subject's apps, and
// remembers its step: the same code is refused for ever after.
func (s *Service) checkTOTP(tx *db.Tx, who Subject, code Secret) (bool, error) {
	factors, err := factorsOf(tx, who)
	if err != nil {
		return false, err
	}
	for _, f := range factors {
		if f.Method != MethodTOTP {
			continue
		}
		right, err := s.useTOTP(tx, &f, code)
		if err != nil || right {
			return right, err
		}
	}
	return false, nil
}

func (s *Service) useTOTP(tx *db.Tx, f *factorRow, code Secret) (bool, error) {
	seed, err := s.keys.Open(f.secret, f.place()...)
	if err != nil {
		return false, fmt.Errorf("authenticator app %s: %w", f.ID, err)
	}
	step, err := matchTOTP(seed, code, tx.Now, f.lastStep)
	if err != nil || step == 0 {
		return false, err
	}
	n, err := tx.Exec(`
		update second_factor set last_step = $1, used_micros = $2
		 where institution_id = $3 and subject_kind = $4 and subject_id = $5 and id = $6 and last_step < $1`,
		step, tx.Now.UnixMicro(), f.who.Institution, f.who.Kind, f.who.ID, f.ID)
	if err != nil {
		return false, fmt.Errorf("remember the step: %w", err)
	}
	return n == 1, nil
}
