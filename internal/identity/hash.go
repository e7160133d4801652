package identity

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// A Cost is what one argon2id hash costs an attacker, and us.
type Cost struct {
	MemoryKiB uint32
	Passes    uint32
	Lanes     uint8
}

var (
	// DefaultCost is about 40 ms of one processor and 19 MiB.
	DefaultCost = Cost{MemoryKiB: 19 * 1024, Passes: 2, Lanes: 1}

	// MinimumCost is for tests. It protects nothing.
	MinimumCost = Cost{MemoryKiB: 8, Passes: 1, Lanes: 1}
)

const (
	saltBytes  = 16
	hashBytes  = 32
	maxMemory  = 1 << 20 // KiB
	maxPasses  = 64
	maxLanes   = 16
	phcPattern = "$argon2id$v=%d$m=%d,t=%d,p=%d$"
)

func (c Cost) check() error {
	if c.Lanes < 1 || c.Lanes > maxLanes || c.Passes < 1 || c.Passes > maxPasses ||
		c.MemoryKiB < 8*uint32(c.Lanes) || c.MemoryKiB > maxMemory {
		return fmt.Errorf("identity: hash cost %+v; accepted are 1 to %d lanes, 1 to %d passes and 8 KiB per lane to %d KiB",
			c, maxLanes, maxPasses, maxMemory)
	}
	return nil
}

// hashPassword returns a PHC string with a fresh salt.
func hashPassword(c Cost, password Secret) string {
	salt := make([]byte, saltBytes)
	rand.Read(salt)
	return formatPHC(c, salt, derive(c, salt, password, hashBytes))
}

func derive(c Cost, salt []byte, password Secret, length uint32) []byte {
	return argon2.IDKey([]byte(password), salt, c.Passes, c.MemoryKiB, c.Lanes, length)
}

func formatPHC(c Cost, salt, hash []byte) string {
	b := base64.RawStdEncoding
	return fmt.Sprintf(phcPattern, argon2.Version, c.MemoryKiB, c.Passes, c.Lanes) + b.EncodeToString(salt) + "$" + b.EncodeToString(hash)
}

var errPHC = errors.New("identity: the stored hash is not an argon2id PHC string")

// parsePHC reads what formatPHC wrote, and refuses costs that would be an
// attack rather than a hash.
func parsePHC(phc string) (c Cost, salt, hash []byte, err error) {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" {
		return Cost{}, nil, nil, errPHC
	}
	var version int
	head := strings.Join(parts[:4], "$") + "$"
	if _, err := fmt.Sscanf(head, phcPattern, &version, &c.MemoryKiB, &c.Passes, &c.Lanes); err != nil || version != argon2.Version {
		return Cost{}, nil, nil, errPHC
	}
	salt, saltErr := base64.RawStdEncoding.Strict().DecodeString(parts[4])
	hash, hashErr := base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if saltErr != nil || hashErr != nil || len(salt) < 8 || len(hash) < 16 || len(hash) > 64 {
		return Cost{}, nil, nil, errPHC
	}
	return c, salt, hash, c.check()
}

// verifyPassword says whether the password is the one hashed, in a time that
// does not depend on where they differ.
func verifyPassword(phc string, password Secret) (match bool, stored Cost, err error) {
	c, salt, hash, err := parsePHC(phc)
	if err != nil {
		return false, Cost{}, err
	}
	got := derive(c, salt, password, uint32(len(hash)))
	return subtle.ConstantTimeCompare(got, hash) == 1, c, nil
}
