// Package bank holds the nouns that every room speaks: identifiers, money,
// days, roles, statuses, and who is asking. It states facts and bounds, decides
// nothing, and imports the standard library only.
package bank

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"
)

// Each kind of identifier is a type of its own, so that the compiler catches a
// swap. The empty value names nothing and never matches anything.
type (
	InstitutionID  string // the bank or credit union; also the first part of a path
	OrganizationID string // a business customer of an institution
	AccountID      string // an account of an organization
	UserID         string // an organization user, never a staff user
	StaffID        string // a staff user of an institution, never an organization user
	GroupID        string // a group of staff users
	ClientID       string // a caller of the API
	ApplicationID  string // an external application, which signs staff users in or acts as a service
)

// Prefixes of the identifiers that the product makes itself. A bank's own
// number for the same thing is kept beside it as the external id.
const (
	PrefixOrganization = "org"
	PrefixAccount      = "acc"
	PrefixUser         = "usr"
	PrefixStaff        = "stf"
	PrefixGroup        = "grp"
	PrefixClient       = "cli"
	PrefixApplication  = "app"
	PrefixEvent        = "evt"
	PrefixSave         = "sav"
)

// NewID returns prefix_<UUIDv7> for the moment now: ids made later sort later,
// which keeps indexes compact, and the random part (74 bits) cannot be guessed.
func NewID(prefix string, now time.Time) string {
	var b [16]byte
	rand.Read(b[:]) // never fails: the runtime stops the program instead
	return writeID(prefix, now, b)
}

// NthID is the id of what comes as number n of a series that began at a moment,
// such as the payments of a standing order: always the same, so that a database
// that is restored from a backup names a payment as the one did that has made it
// already. Whoever cannot guess the series' id cannot guess this one.
func NthID(prefix string, i InstitutionID, o OrganizationID, series string, began time.Time, n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %d", prefix, i, o, series, n))
	return writeID(prefix, began, [16]byte(sum[:16]))
}

func writeID(prefix string, now time.Time, b [16]byte) string {
	ms := uint64(now.UnixMilli())
	binary.BigEndian.PutUint32(b[0:4], uint32(ms>>16))
	binary.BigEndian.PutUint16(b[4:6], uint16(ms))
	b[6] = b[6]&0x0f | 0x70
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%s_%x-%x-%x-%x-%x", prefix, b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
