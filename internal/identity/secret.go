package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// A Secret is a password, a token or a code. It refuses to be printed, logged
// or encoded; string(s) is the only way to its characters.
type Secret string

const hidden = "(secret)"

func (Secret) String() string               { return hidden }
func (Secret) GoString() string             { return hidden }
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// Format covers the verbs that would not ask String.
func (Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, hidden) }

// newToken makes 256 random bits as text that fits into a cookie or a link.
func newToken() Secret {
	var b [32]byte
	rand.Read(b[:]) // never fails: the runtime stops the program instead
	return Secret(base64.RawURLEncoding.EncodeToString(b[:]))
}

// digest is what is stored of a token. A token has 256 random bits, so nothing
// slower is needed. The purpose keeps a token of one table useless in another.
func digest(purpose string, token Secret) []byte {
	sum := sha256.Sum256([]byte(purpose + "\x00" + string(token)))
	return sum[:]
}
