package app

import (
	"bytes"
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
	"slices"
	"strings"

	"mandate/internal/backup"
	"mandate/internal/fault"
	"mandate/internal/seal"
)

const (
	rootKeyFile = "root.key"
	rootKeySize = 32 // bytes of the secret from which all others are derived

	// firstRootKey is the id of the key that a data folder begins with; its line
	// is the key alone.
	firstRootKey = "root"
)

// A rootKey is a secret of the installation. It lies beside the database, never
// in it, so that a copy of the database alone opens nothing.
type rootKey struct {
	id     string
	secret []byte
}

// rootKeys are those of an installation, the one in use first. The others open
// what was sealed before, or will be used next.
type rootKeys []rootKey

// openRootKeys reads the secrets from the data folder, or makes the first at the
// first start.
func openRootKeys(dir string) (rootKeys, error) {
	path := filepath.Join(dir, rootKeyFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		keys := rootKeys{newRootKey(firstRootKey)}
		return keys, writeNew(path, keys.text())
	}
	if err != nil {
		return nil, fmt.Errorf("read the root key: %w", err)
	}
	keys, err := parseRootKeys(text)
	if err != nil {
		return nil, fmt.Errorf("%s is not a root key: %w", path, err)
	}
	return keys, nil
}

func newRootKey(id string) rootKey {
	key := rootKey{id, make([]byte, rootKeySize)}
	rand.Read(key.secret)
	return key
}

// parseRootKeys reads a line per key: its id and the key in hexadecimal, or the
// key alone. An error never repeats what stands there.
func parseRootKeys(text []byte) (keys rootKeys, err error) {
	for number, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		fields := strings.Fields(line)
		if len(fields) == 1 {
			fields = []string{firstRootKey, fields[0]}
		}
		if len(fields) != 2 {
			return nil, fmt.Errorf("line %d must hold an id and a key", number+1)
		}
		secret, err := hex.DecodeString(fields[1])
		if err != nil || len(secret) != rootKeySize {
			return nil, fmt.Errorf("line %d must hold %d bytes in hexadecimal", number+1, rootKeySize)
		}
		if keys.find(fields[0]) >= 0 {
			return nil, fmt.Errorf("line %d repeats an id", number+1)
		}
		keys = append(keys, rootKey{fields[0], secret})
	}
	return keys, nil
}

func (k rootKeys) find(id string) int {
	return slices.IndexFunc(k, func(one rootKey) bool { return one.id == id })
}

func (k rootKeys) text() []byte {
	var b bytes.Buffer
	for _, one := range k {
		if one.id != firstRootKey {
			b.WriteString(one.id + " ")
		}
		b.WriteString(hex.EncodeToString(one.secret) + "\n")
	}
	return b.Bytes()
}

func (k rootKeys) ids() (ids []string) {
	for _, one := range k {
		ids = append(ids, one.id)
	}
	return ids
}

// writeNew writes secrets that were not there and makes sure that they stay: a
// key that is lost with the machine's cache would lock up what it has sealed.
func writeNew(path string, text []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make the root key: %w", err)
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("make the root key: %w", err)
	}
	return backup.SyncFolder(filepath.Dir(path))
}

// OpenKeys is the keyring of the installation whose data lies in a folder. It
// seals small secrets in the database.
func OpenKeys(dir string) (*seal.Keyring, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	root, err := openRootKeys(dir)
	if err != nil {
		return nil, err
	}
	return root.keyring()
}

func (k rootKeys) keyring() (*seal.Keyring, error) {
	var lines strings.Builder
	for _, one := range k {
		lines.WriteString(one.id + " " + base64.StdEncoding.EncodeToString(one.derive("seal")) + "\n")
	}
	return seal.Parse(lines.String())
}

// derive is the key in use for one purpose.
func (k rootKeys) derive(purpose string) []byte { return k[0].derive(purpose) }

func (k rootKey) derive(purpose string) []byte {
	key, err := hkdf.Key(sha256.New, k.secret, nil, "mandate "+purpose, rootKeySize)
	if err != nil {
		panic("app: derive a key: " + err.Error()) // only for lengths that no hash can give
	}
	return key
}

// RootKeys are the ids of a data folder's keys, and the file that holds them. A
// folder that has none has no ids.
func RootKeys(dir string) (ids []string, text []byte, err error) {
	text, err = os.ReadFile(filepath.Join(dir, rootKeyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the root key: %w", err)
	}
	keys, err := parseRootKeys(text)
	return keys.ids(), text, err
}

// KeepRootKeys puts keys that came with a backup into a data folder. Others that
// are there are never written over.
func KeepRootKeys(dir string, text []byte) error {
	if _, err := parseRootKeys(text); err != nil {
		return fmt.Errorf("the backup's root key: %w", err)
	}
	path := filepath.Join(dir, rootKeyFile)
	here, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("make the data folder: %w", err)
		}
		return writeNew(path, text)
	case err != nil:
		return fmt.Errorf("read the root key: %w", err)
	case !bytes.Equal(here, text):
		return fault.Newf(fault.Conflict, "The backup brings another root key than %s holds. Put that file aside, or restore into another data folder.", path)
	}
	return nil
}

// MissingRootKeys are those of some ids that a data folder does not hold.
func MissingRootKeys(dir string, ids []string) (missing []string) {
	here, _, _ := RootKeys(dir) // what cannot be read is missing
	for _, id := range ids {
		if !slices.Contains(here, id) {
			missing = append(missing, id)
		}
	}
	return missing
}
