// Package staff is the room of the institution's own people: staff users, their
// groups, and what the groups permit. A staff user gets rights from groups only
// and has those of all their groups. Nobody grants, resets or edits above what
// they hold themself, on any path, and the institution never loses the last
// person who can administer it.
//
// It does not know how somebody proves who they are (identity), nor what a
// right is good for: whoever does something asks the guard, and the guard asks
// Rights.
package staff

import (
	"encoding/json"
	"fmt"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/identity"
)

// Named limits.
const (
	maxGroupName   = 60
	maxDescription = 200
	maxPhone       = 40
	maxGroups      = 1000 // of an institution
	maxInvitations = 200  // addresses of one form
	maxPageSize    = 200
)

// History events of the room.
const (
	EventInvited        = "staff.invited"
	EventInviteRevoked  = "staff.invite_revoked"
	EventProfileChanged = "staff.profile_changed"
	EventGroupsChanged  = "staff.groups_changed"
	EventUnlocked       = "staff.unlocked"
	EventResetSent      = "staff.password_reset_sent"
	EventDeleted        = "staff.deleted"
	EventGroupCreated   = "group.created"
	EventGroupChanged   = "group.changed"
	EventGroupDeleted   = "group.deleted"
	EventSecondFactor   = "group.2fa_enforced"
)

// A House is what the room must know of an institution.
type House struct {
	Name  string
	Place *time.Location // where its day begins and ends

	SecondFactorFrom bank.Day // from which day on every staff user needs a second factor; empty: where a group asks for it
}

// Houses finds an institution that is there.
type Houses func(tx *db.Tx, institution bank.InstitutionID) (House, error)

// Links are what the room needs of identity: links by mail, and with a provider
// outside, inside the change that records them.
type Links interface {
	Invite(tx *db.Tx, who identity.Subject, by bank.Caller) (identity.Link, error)
	CancelInvitation(tx *db.Tx, who identity.Subject) (bool, error)
	SendReset(tx *db.Tx, who identity.Subject, by bank.Caller) (identity.Link, error)
	CancelLinks(tx *db.Tx, who identity.Subject) (bool, error)
	PutProvider(tx *db.Tx, institution bank.InstitutionID, seen int64, will identity.Provider, secret identity.Secret) ([]activity.Change, error)
	RemoveProvider(tx *db.Tx, institution bank.InstitutionID) (identity.Provider, error)
	Unlink(tx *db.Tx, who identity.Subject) (identity.Outside, error)
}

// A Service is the verbs of the room.
type Service struct {
	guard *guard.Guard
	links Links
	house Houses
}

// New returns the room on a door. links send people their links.
func New(g *guard.Guard, links Links, house Houses) *Service {
	return &Service{guard: g, links: links, house: house}
}

// acting is the action of changing something for which staff need a permission.
// The operator may do everything here: it is how an institution begins, and how
// it gets back in.
func acting(event string, needs catalog.StaffPermission, target activity.Target) guard.Action {
	return guard.Action{Event: event, Target: target, Staff: needs.ID(), Others: []bank.ActorKind{bank.ActorOperator}}
}

// looking is the action of reading.
func looking(needs catalog.StaffPermission, target activity.Target) guard.Action {
	return acting("staff.viewed", needs, target)
}

func userTarget(id bank.StaffID, name string) activity.Target {
	return activity.Target{Kind: activity.TargetStaff, ID: string(id), Name: name}
}

func groupTarget(id bank.GroupID, name string) activity.Target {
	return activity.Target{Kind: activity.TargetGroup, ID: string(id), Name: name}
}

// content is what a high-risk authorization of a change covers: the same proof
// is of no use for anything else.
func content(of any) []byte {
	text, err := json.Marshal(of)
	if err != nil {
		panic("staff: " + err.Error()) // only values of this room are passed
	}
	return text
}

// errStale refuses a form that was filled in on something that has changed.
var errStale = fault.New(fault.Conflict, "Somebody else changed this meanwhile, so nothing was saved. Look at it as it is now and try again.").With("STALE")

// touchOne insists that a statement found its one row.
func touchOne(what string, n int64, err error) error {
	if err == nil && n != 1 {
		err = fmt.Errorf("%d rows where there must be one", n)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// diff lists what differs between two texts of a field.
func diff(changes []activity.Change, field, old, new string) []activity.Change {
	if old == new {
		return changes
	}
	return append(changes, activity.Change{Field: field, Old: old, New: new})
}
