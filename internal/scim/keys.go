package scim

import (
	"mandate/internal/bank"
	"mandate/internal/client"
	"mandate/internal/guard"
	"mandate/internal/identity"
	"mandate/internal/staff"
)

// Keys gives directories their keys: they are programs like others, which may
// ask about nothing else.
type Keys struct{}

var _ staff.Keys = Keys{}

// Issue makes the program that a directory is.
func (Keys) Issue(c *guard.Change, name string) (bank.ClientID, identity.Secret, error) {
	made, key, err := client.Issue(c, client.Draft{Name: name, Operations: []string{}})
	return made.ID, identity.Secret(key.Reveal()), err
}

// Revoke ends it.
func (Keys) Revoke(c *guard.Change, id bank.ClientID) error { return client.End(c, id) }
