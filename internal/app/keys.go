package app

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"mandate/internal/seal"
)

// rootKeySize is the length of the secret from which all others are derived.
const rootKeySize = 32

// A rootKey is the installation's secret. It lies beside the database, never in
// it, so that a copy of the database alone opens nothing.
type rootKey []byte

// openRootKey reads the secret from the data folder, or makes it at the first
// start.
func openRootKey(dir string) (rootKey, error) {
	path := filepath.Join(dir, "root.key")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeRootKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the root key: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != rootKeySize {
		return nil, fmt.Errorf("%s is not a root key: it must hold %d bytes in hexadecimal", path, rootKeySize)
	}
	return key, nil
}

// makeRootKey writes a new secret and makes sure that it stays: a key that is
// lost with the machine's cache would lock up what it has sealed.
func makeRootKey(path string) (rootKey, error) {
	key := make(rootKey, rootKeySize)
	rand.Read(key)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make the root key: %w", err)
	}
	_, err = file.WriteString(hex.EncodeToString(key) + "\n")
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return nil, fmt.Errorf("make the root key: %w", err)
	}
	return key, nil
}

// OpenKeys is the keyring of the installation whose data lies in a folder. It
// seals small secrets in the database.
func OpenKeys(dir string) (*seal.Keyring, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	root, err := openRootKey(dir)
	if err != nil {
		return nil, err
	}
	return root.keyring()
}

func (k rootKey) keyring() (*seal.Keyring, error) {
	return seal.Parse("root " + base64.StdEncoding.EncodeToString(k.derive("seal")))
}

// derive is the key for one purpose.
func (k rootKey) derive(purpose string) []byte {
	key, err := hkdf.Key(sha256.New, k, nil, "mandate "+purpose, rootKeySize)
	if err != nil {
		panic("app: derive a key: " + err.Error()) // only for lengths that no hash can give
	}
	return key
}
