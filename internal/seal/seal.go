// Package seal keeps small secrets, such as the seed of an authenticator app,
// unreadable in the database and in its backups. The keys live outside of
// both. A sealed value opens only in the place it was sealed for, so that
// nobody can move one to another row.
//
// It is not for passwords, which are hashed, nor for backups as a whole.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
)

const (
	keyBytes = 32
	version  = 1
	maxID    = 40
)

// ErrOpen says that a sealed value cannot be opened: it was changed, moved to
// another place, or its key is not in the ring.
var ErrOpen = errors.New("seal: the value cannot be opened with these keys in this place")

// A Keyring holds the keys by id. New values are sealed with the first; the
// others open what was sealed before. It is safe for use by many goroutines, also
// while it becomes another.
type Keyring struct {
	now atomic.Pointer[ring]
}

type ring struct {
	active string
	keys   map[string]cipher.AEAD
}

// Parse reads a keyring: a line per key, its id and 32 bytes in base64 apart by
// a blank, the active one first. Empty lines and lines after # are left out.
// An error names the line, never what stands there.
func Parse(text string) (*Keyring, error) {
	ring := &ring{keys: map[string]cipher.AEAD{}}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := ring.add(strings.Fields(line)); err != nil {
			return nil, fmt.Errorf("seal: line %d of the keyring: %w", number, err)
		}
	}
	if ring.active == "" {
		return nil, errors.New("seal: the keyring has no key")
	}
	r := &Keyring{}
	r.now.Store(ring)
	return r, nil
}

// Become gives the ring the keys of another, for everybody who holds it.
func (r *Keyring) Become(other *Keyring) { r.now.Store(other.now.Load()) }

// Active is the id of the key that seals.
func (r *Keyring) Active() string { return r.now.Load().active }

// Beginning is how every value begins that is sealed with the key of an id.
func Beginning(id string) []byte { return append([]byte{version, byte(len(id))}, id...) }

func (r *ring) add(fields []string) error {
	if len(fields) != 2 || len(fields[0]) > maxID {
		return errors.New("write an id of at most 40 characters and a key")
	}
	key, err := base64.StdEncoding.DecodeString(fields[1])
	if err != nil || len(key) != keyBytes {
		return errors.New("the key must be 32 bytes in base64")
	}
	if r.keys[fields[0]] != nil {
		return errors.New("the id stands there twice")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return err
	}
	if r.keys[fields[0]], err = cipher.NewGCM(block); err != nil {
		return err
	}
	if r.active == "" {
		r.active = fields[0]
	}
	return nil
}

// NewLine makes a key and returns its line for a keyring.
func NewLine(id string) string {
	var key [keyBytes]byte
	rand.Read(key[:]) // never fails: the runtime stops the program instead
	return id + " " + base64.StdEncoding.EncodeToString(key[:]) + "\n"
}

// Seal seals a value for a place, such as a table, a row and a column.
func (r *Keyring) Seal(value []byte, place ...string) []byte {
	now := r.now.Load()
	key := now.keys[now.active]
	sealed := Beginning(now.active)
	nonce := make([]byte, key.NonceSize())
	rand.Read(nonce)
	sealed = append(sealed, nonce...)
	return key.Seal(sealed, nonce, value, bind(place))
}

// Open returns what was sealed for the same place.
func (r *Keyring) Open(sealed []byte, place ...string) ([]byte, error) {
	if r == nil { // no keyring opens nothing
		return nil, ErrOpen
	}
	id, rest, ok := split(sealed)
	key := r.now.Load().keys[id]
	if !ok || key == nil || len(rest) < key.NonceSize() {
		return nil, ErrOpen
	}
	value, err := key.Open(nil, rest[:key.NonceSize()], rest[key.NonceSize():], bind(place))
	if err != nil {
		return nil, ErrOpen
	}
	return value, nil
}

// Old reports whether a value is sealed with another key than the active one
// and should be sealed anew.
func (r *Keyring) Old(sealed []byte) bool {
	id, _, ok := split(sealed)
	return !ok || id != r.Active()
}

// Reseal seals a value anew, for the same place, with the key that seals now.
func (r *Keyring) Reseal(sealed []byte, place ...string) ([]byte, error) {
	value, err := r.Open(sealed, place...)
	if err != nil {
		return nil, err
	}
	return r.Seal(value, place...), nil
}

func split(sealed []byte) (id string, rest []byte, ok bool) {
	if len(sealed) < 2 || sealed[0] != version || len(sealed) < 2+int(sealed[1]) {
		return "", nil, false
	}
	n := 2 + int(sealed[1])
	return string(sealed[2:n]), sealed[n:], true
}

// bind writes the place with the length of each part, so that no two places
// have the same bytes.
func bind(place []string) []byte {
	var b []byte
	for _, part := range place {
		b = binary.BigEndian.AppendUint64(b, uint64(len(part)))
		b = append(b, part...)
	}
	return b
}
