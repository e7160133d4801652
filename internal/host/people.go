package host

import (
	"context"
	"errors"
	"time"

	"mandate/internal/bank"
)

// A Ref is the host's own name of an organization, an account or a person. What
// we keep beside our ids as the external id is a Ref.
type Ref string

// People is the half of a host that knows the customers: their organizations,
// accounts and users. A host that has none leaves user management to us alone.
// It names everything by Ref, for it may speak of what we do not have yet.
type People interface {
	// Organizations lists them with their accounts, in the order of their refs,
	// after one; the empty ref is the beginning. A list that is shorter than asked
	// for is not the end: an empty one is. This holds for users and events as well.
	Organizations(ctx context.Context, institution bank.InstitutionID, after Ref, most int) ([]Organization, error)

	// Users lists the users of all organizations, in the order of their refs, after
	// one. Who was deleted is absent.
	Users(ctx context.Context, institution bank.InstitutionID, after Ref, most int) ([]User, error)

	// User is one of them as it stands, deleted or not, or ErrNoUser.
	User(ctx context.Context, institution bank.InstitutionID, ref Ref) (User, error)

	// Defaults are the permissions that a new user of a role gets.
	Defaults(ctx context.Context, institution bank.InstitutionID) ([]Defaults, error)

	// Events lists what changed, after a mark, in the order in which the host tells
	// it; the empty mark is the beginning. One may come twice, late, or before an
	// older one: versions tell.
	Events(ctx context.Context, institution bank.InstitutionID, after string, most int) ([]Event, error)
}

// What a host says instead of an answer.
var (
	ErrNoUser     = errors.New("host: there is no such user")               // and there never was
	ErrNoMark     = errors.New("host: there is no such mark")               // or it is too long ago
	ErrNotOffered = errors.New("host: the host does not offer this at all") // such as all of People
)

// An Organization is a business customer as the host has it.
type Organization struct {
	Ref      Ref
	Version  int64 // rises with every change
	Name     string
	Accounts []Account
}

// An Account of an organization.
type Account struct {
	Ref      Ref
	Name     string
	Kind     string // as the import names it
	LastFour string
	Closed   bool
}

// A User is somebody of an organization, as the host has them. Permissions go by
// the catalogue's ids and are written as an import writes them; a permission
// that is absent is off, a limit that is absent is none given.
type User struct {
	Ref          Ref
	Organization Ref
	Member       bank.UserID // ours, where we asked for this user; empty: made at the host
	Version      int64       // rises with every change, whoever made it

	FirstName string
	LastName  string
	Email     string
	Username  string // empty: no credentials yet
	Role      bank.Role
	Status    bank.Status
	Held      bool
	Deleted   bool // for good; nothing else of it counts

	Permissions map[string]string
	Accounts    map[Ref]map[string]string // only accounts that the user has access to
}

// Defaults are what a new user of a role gets.
type Defaults struct {
	Role        bank.Role
	Version     int64
	Permissions map[string]string
}

// A Channel is where a change was made at the host.
type Channel string

const (
	BackOffice Channel = "backoffice" // by the institution's staff
	Classic    Channel = "classic"    // by the customer, in the older channel
	Core       Channel = "core"       // by the core itself
	Ordered    Channel = "order"      // by one of our orders: an echo
)

// An Event tells of one change at the host, by the state after it. Exactly one
// of Announced, User, Organization and Defaults is set, or none where Unreadable
// says why: it counts as told, and those after it are read.
type Event struct {
	ID      string // the same when it is told again
	Mark    string // asked for what comes after it, the host goes on from here
	At      time.Time
	Channel Channel
	By      string // who made it, as the host knows them; empty: not known
	Order   string // the key of our order that it echoes; empty: none

	Announced    *Announced
	User         *User
	Organization *Organization
	Defaults     *Defaults

	Unreadable string // what is wrong with what the host sent; empty: nothing
}

// Announced tells that a user is being made at the host; the user follows when
// the host has all of it.
type Announced struct {
	Ref          Ref
	Organization Ref
	FirstName    string
	LastName     string
}

// A UserStep is what an order asks about a user.
type UserStep string

const (
	CreateUser UserStep = "create"
	UpdateUser UserStep = "update"
	DeleteUser UserStep = "delete"
)

// A UserOrder asks the host to take a change of a user over. Fields names what
// changed, so that what the host changed meanwhile elsewhere stays; the state
// of those fields is in User.
type UserOrder struct {
	Step   UserStep
	User   User
	Fields []string // "name", "email", "username", "role", "status", "held", a permission's id, "account/REF", "account/REF/PERMISSION"
}

// Why an order about a user is refused.
const (
	UnknownUser         Code = "UNKNOWN_USER"         // the host has no such user, or deleted them
	UnknownOrganization Code = "UNKNOWN_ORGANIZATION" // the host has no such organization
	UserExists          Code = "USER_EXISTS"          // the ref or the member is somebody else's
	NotOffered          Code = "NOT_OFFERED"          // the host cannot do this kind of thing at all
)
