// Package idempotency remembers what a client was told under a key of its own
// choosing, so that asking again (after a lost answer, a timeout, a restart)
// does nothing twice and tells the same. What is remembered commits with what
// was done, or not at all. It knows nothing of what is asked.
package idempotency

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
)

// Lifetime is how long a key is remembered.
const Lifetime = 7 * 24 * time.Hour

// MaxKey is the most characters of a key.
const MaxKey = 255

// A Key is a client's name for one request.
type Key struct {
	Institution bank.InstitutionID
	Client      bank.ClientID
	Text        string
}

// CheckText refuses what cannot be a key: it is 1 to 255 visible ASCII
// characters.
func CheckText(text string) error {
	ok := text != "" && len(text) <= MaxKey
	for i := range len(text) {
		ok = ok && text[i] > ' ' && text[i] < 0x7f
	}
	if !ok {
		var problems fault.Problems
		problems.Addf("Idempotency-Key", "An idempotency key has 1 to %d visible ASCII characters.", MaxKey)
		return problems.Err("The idempotency key cannot be used.")
	}
	return nil
}

// ErrReused refuses a key that stands for another request already.
var ErrReused = fault.New(fault.Invalid, "This idempotency key was used for another request. Use a new one.").With("IDEMPOTENCY_KEY_REUSED")

// Recall returns what was answered under a key; there may be nothing. The
// content is all that the request asks: another one under the same key is
// refused with ErrReused.
func Recall(tx *db.Tx, key Key, content []byte) (answer string, known bool, err error) {
	var hash []byte
	err = tx.QueryRow(`
		select content_hash, answer from idempotency_key
		 where institution_id = $1 and client_id = $2 and key = $3`, key.Institution, key.Client, key.Text).Scan(&hash, &answer)
	if errors.Is(err, db.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("look up the idempotency key: %w", err)
	}
	if sum := sha256.Sum256(content); !bytes.Equal(hash, sum[:]) {
		return "", false, ErrReused
	}
	return answer, true, nil
}

// Keep remembers what is answered under a key that Recall did not know. Two
// requests at once may both get here: the later one fails with ErrReused, and
// must change nothing.
func Keep(tx *db.Tx, key Key, content []byte, answer string) error {
	hash := sha256.Sum256(content)
	n, err := tx.Exec(`
		insert into idempotency_key (institution_id, client_id, key, content_hash, answer, created_micros)
		values ($1, $2, $3, $4, $5, $6)
		on conflict (institution_id, client_id, key) do nothing`,
		key.Institution, key.Client, key.Text, hash[:], answer, tx.Now.UnixMicro())
	if err != nil {
		return fmt.Errorf("keep the idempotency key: %w", err)
	}
	if n == 0 {
		return ErrReused
	}
	return nil
}

// Purge forgets the keys that are older than Lifetime.
func Purge(tx *db.Tx) error {
	_, err := tx.Exec(`delete from idempotency_key where created_micros < $1`, tx.Now.Add(-Lifetime).UnixMicro())
	if err != nil {
		return fmt.Errorf("forget old idempotency keys: %w", err)
	}
	return nil
}
