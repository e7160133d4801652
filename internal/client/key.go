package client

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
)

// A Key is the secret of a client. It is shown once, when it is made, and does
// not print: whoever needs the text asks for it by name.
type Key struct{ text string }

const (
	keyPrefix = "mk_"
	keyBytes  = 32
)

// newKey makes a key that cannot be guessed.
func newKey() Key {
	var b [keyBytes]byte
	rand.Read(b[:]) // never fails: the runtime stops the program instead
	return Key{keyPrefix + base64.RawURLEncoding.EncodeToString(b[:])}
}

// Reveal is the key's text, to be shown once.
func (k Key) Reveal() string { return k.text }

func (k Key) String() string       { return keyPrefix + "..." }
func (k Key) GoString() string     { return k.String() }
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

func (k Key) hash() []byte {
	sum := sha256.Sum256([]byte(k.text))
	return sum[:]
}
