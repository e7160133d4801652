package bank

import "fmt"

// A Role says what an organization user may do inside User management, and
// nothing else: money movement is decided by entitlements alone.
type Role uint8

// The zero role can change nobody.
const (
	RoleUser Role = iota
	RoleViewer
	RoleAdmin
)

var roleNames = [...]string{RoleUser: "user", RoleViewer: "viewer", RoleAdmin: "admin"}

func (r Role) String() string { return name(roleNames[:], int(r)) }

// Label is the role as screens show it.
func (r Role) Label() string { return [...]string{"User", "Viewer", "Admin"}[r] }

// ParseRole reads "user", "viewer" or "admin".
func ParseRole(s string) (Role, error) {
	i, err := parse(roleNames[:], s)
	return Role(i), err
}

// A Status is where an organization user stands in their life cycle. A hold is
// not a status: it stands beside it.
type Status uint8

// The zero status cannot sign in.
const (
	StatusPending Status = iota
	StatusActive
	StatusLocked
	StatusDisabled
)

var statusNames = [...]string{StatusPending: "pending", StatusActive: "active", StatusLocked: "locked", StatusDisabled: "disabled"}

func (s Status) String() string { return name(statusNames[:], int(s)) }

// Label is the status as screens show it.
func (s Status) Label() string { return [...]string{"Pending", "Active", "Locked", "Disabled"}[s] }

// ParseStatus reads "pending", "active", "locked" or "disabled".
func ParseStatus(s string) (Status, error) {
	i, err := parse(statusNames[:], s)
	return Status(i), err
}

// An Edition is the kind of institution; it decides which permissions exist.
type Edition uint8

const (
	EditionBank        Edition = iota // four levels
	EditionCreditUnion                // five levels: organization accounts carry switches of their own
)

// Label is what people call the edition.
func (e Edition) Label() string {
	return [...]string{EditionBank: "Bank (four levels)", EditionCreditUnion: "Credit union (five levels)"}[e]
}

var editionNames = [...]string{EditionBank: "bank", EditionCreditUnion: "credit_union"}

func (e Edition) String() string { return name(editionNames[:], int(e)) }

// ParseEdition reads "bank" or "credit_union".
func ParseEdition(s string) (Edition, error) {
	i, err := parse(editionNames[:], s)
	return Edition(i), err
}

// Bounds of what people may write about themselves, in characters.
const (
	MaxName  = 40 // first name, space and last name together
	MaxEmail = 80
)

func name(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("unknown(%d)", i)
}

func parse(names []string, s string) (int, error) {
	for i, n := range names {
		if n == s {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%q is not one of %q", s, names)
}
