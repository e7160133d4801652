package application

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"time"

	"mandate/internal/identity"
)

// newSecret makes a secret that cannot be guessed. It is shown once.
func newSecret() identity.Secret {
	var b [32]byte
	rand.Read(b[:]) // never fails: the runtime stops the program instead
	return identity.Secret("ms_" + base64.RawURLEncoding.EncodeToString(b[:]))
}

// digest is what is stored of a secret. A secret has 256 random bits, so nothing
// slower is needed.
func digest(secret identity.Secret) []byte {
	sum := sha256.Sum256([]byte("external application\x00" + string(secret)))
	return sum[:]
}

// Proves reports whether a secret is the application's, or its old one before
// the end. How long it takes tells nothing about how near a guess was.
func (a *Application) Proves(secret identity.Secret, now time.Time) bool {
	given := digest(secret)
	current := subtle.ConstantTimeCompare(given, a.secret)
	old := subtle.ConstantTimeCompare(given, a.oldSecret)
	return a.HasSecret() && (current == 1 || old == 1 && now.Before(a.OldSecretEnds))
}
