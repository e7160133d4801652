package identity

import (
	"errors"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
)

// A Kind says what sort of people a subject belongs to.
type Kind string

const (
	KindMember Kind = "member" // organization users
	KindStaff  Kind = "staff"  // staff users of the institution
)

// A Subject is somebody who can have credentials.
type Subject struct {
	Institution bank.InstitutionID
	Kind        Kind
	ID          string
}

// Member is the subject of an organization user.
func Member(institution bank.InstitutionID, user bank.UserID) Subject {
	return Subject{Institution: institution, Kind: KindMember, ID: string(user)}
}

// Staff is the subject of a staff user.
func Staff(institution bank.InstitutionID, user bank.StaffID) Subject {
	return Subject{Institution: institution, Kind: KindStaff, ID: string(user)}
}

// SubjectOf is who calls, where a person calls.
func SubjectOf(caller bank.Caller) (Subject, bool) {
	switch caller.Kind {
	case bank.ActorMember:
		return Subject{Institution: caller.Institution, Kind: KindMember, ID: caller.ID}, caller.ID != ""
	case bank.ActorStaff:
		return Subject{Institution: caller.Institution, Kind: KindStaff, ID: caller.ID}, caller.ID != ""
	}
	return Subject{}, false
}

// A Person is what the room must know of a subject, as it stands now.
type Person struct {
	Subject          Subject
	Organization     bank.OrganizationID // of a member; empty for staff
	OrganizationName string
	InstitutionName  string
	FirstName        string
	LastName         string
	Email            string
	Username         string // of a member, as stored beside them: an import brings some without a password
	Status           bank.Status
	Held             bool
	NeedsSecond      bool // a second factor is required of them
	Barred           Way  // ways of signing in that their groups do not permit
}

// Name is the person's name as history shows it.
func (p *Person) Name() string {
	if p.LastName == "" {
		return p.FirstName
	}
	return p.FirstName + " " + p.LastName
}

// brought reports whether somebody came here from elsewhere, with a username and
// without a password: a link to a new password is their first way in. Whoever is
// pending is invited instead.
func (p *Person) brought() bool {
	return p.Username != "" && (p.Status == bank.StatusActive || p.Status == bank.StatusLocked)
}

// CanReset reports whether a link to a new password is of use: they have a
// password here, or choose their first one by it.
func (p *Person) CanReset(tx *db.Tx) (bool, error) {
	if p.brought() {
		return true, nil
	}
	return HasCredentials(tx, p.Subject)
}

// event is the history event of a name, with the prefix of the person's kind.
func (p *Person) event(name string) string {
	if p.Subject.Kind == KindStaff {
		return "staff." + name
	}
	return "orguser." + name
}

func (p *Person) target() activity.Target {
	kind := activity.TargetMember
	if p.Subject.Kind == KindStaff {
		kind = activity.TargetStaff
	}
	return activity.Target{Kind: kind, ID: p.Subject.ID, Name: p.Name()}
}

// caller is the person acting from a source.
func (p *Person) caller(from Source) bank.Caller {
	kind := bank.ActorMember
	if p.Subject.Kind == KindStaff {
		kind = bank.ActorStaff
	}
	return bank.Caller{
		Kind: kind, ID: p.Subject.ID, Name: p.Name(), Institution: p.Subject.Institution, Organization: p.Organization,
		Channel: from.Channel, IP: from.IP, Device: from.Device,
	}
}

// system is the product acting on what came from a source.
func (p *Person) system(from Source) bank.Caller {
	caller := bank.System(p.Subject.Institution)
	caller.IP, caller.Device = from.IP, from.Device
	return caller
}

// ErrNoPerson is what People answers where there is nobody of that id.
var ErrNoPerson = errors.New("no such person")

// People is what the room needs of the rooms that keep the people. It is
// implemented by them and wired when the program is assembled.
type People interface {
	// Find returns the person, or ErrNoPerson.
	Find(tx *db.Tx, who Subject) (Person, error)

	// FindByEmail returns everybody of a kind with this email in the
	// institution, in any organization.
	FindByEmail(tx *db.Tx, institution bank.InstitutionID, kind Kind, email string) ([]Person, error)

	// SetStatus stores a status. The organization is locked by the caller's
	// transaction, which also records the change.
	SetStatus(tx *db.Tx, who Subject, status bank.Status) error

	// SetUsername stores the copy of the username that lists show, with the
	// key that it is found under. Both are empty where it is taken away.
	SetUsername(tx *db.Tx, who Subject, username, key string) error
}
