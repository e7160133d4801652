// Package activity is the one history: who changed what, by which channel, with
// old and new values, in the transaction that made it true. Events of an
// organization form a chain of hashes; the institution's own changes form
// another. Nothing here decides, and nothing here is ever changed or removed.
package activity

import (
	"time"

	"mandate/internal/bank"
)

// An Event is one entry of the history. Name is of the event catalogue, such as
// "orguser.permission_changed".
type Event struct {
	Institution  bank.InstitutionID
	Organization bank.OrganizationID // empty in the institution's own chain
	Sequence     int64               // from 1, without gaps within a chain
	ID           string
	Time         time.Time
	Name         string
	Save         string // the same for all events of one save
	Revision     int64  // of the chain, once this save is in
	Refused      bool   // somebody tried, and nothing was changed
	Quiet        bool   // of Append only: it happened, and nothing that decisions are made of was changed
	Code         string // of a refusal
	Actor        Actor
	Channel      bank.Channel
	IP, Device   string
	Target       Target
	Note         string // why, where a reason was asked for
	Changes      []Change
	Hash         []byte
}

// An Actor is who did it. The name stays when the person is gone.
type Actor struct {
	Kind     bank.ActorKind
	ID, Name string
}

// A Target is what it was done to.
type Target struct {
	Kind     TargetKind
	ID, Name string
}

// A TargetKind says what sort of thing a target is.
type TargetKind string

const (
	TargetMember       TargetKind = "member"
	TargetOrganization TargetKind = "organization"
	TargetAccount      TargetKind = "account"
	TargetInstitution  TargetKind = "institution"
	TargetStaff        TargetKind = "staff"
	TargetGroup        TargetKind = "group"
	TargetClient       TargetKind = "client"
	TargetPayment      TargetKind = "payment"
)

// A Change is one value that became another. Values are written as files and
// APIs carry them; an absent one is empty.
type Change struct {
	Field    string   `json:"f"`           // a permission's id, or a field such as "email"
	Accounts []string `json:"a,omitempty"` // the accounts on which, where the value is one of an account
	Old      string   `json:"o,omitempty"`
	New      string   `json:"n,omitempty"`
}
