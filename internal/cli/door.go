package cli

import (
	"mandate/internal/db"
	"mandate/internal/guard"
	"mandate/internal/identity"
	"mandate/internal/staff"
	"mandate/internal/usermgmt"
	"mandate/internal/webhook"
)

// doorOf is the door of a database for the command line. What it records is queued
// for the institution's receivers as anywhere else; a server sends it.
func doorOf(d *db.DB) *guard.Guard {
	door := guard.New(d, usermgmt.LoadPolicy, staff.Rights{}, identity.Proofs{})
	door.Watch(webhook.New(d, door, nil, nil, nil, nil).Watch)
	return door
}
