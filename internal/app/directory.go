package app

import (
	"context"
	"errors"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/client"
	"mandate/internal/db"
	"mandate/internal/oidc"
	"mandate/internal/staff"
)

// Directories know outside directories by their keys, and by the access tokens of
// the applications that act as one.
type Directories struct {
	DB       *db.DB
	Clients  *client.Service
	Products *oidc.Provider
}

// scopeOfDirectories is what such a token must be for.
const scopeOfDirectories = "scim"

// Authenticate finds the directory that a bearer token is of.
func (d Directories) Authenticate(ctx context.Context, token string) (client.Client, error) {
	if strings.Count(token, ".") != 2 {
		return d.Clients.Authenticate(ctx, token)
	}
	institution, application, _, err := d.Products.Service(ctx, token, scopeOfDirectories)
	if err != nil {
		return client.Client{}, err
	}
	var id bank.ClientID
	err = d.DB.Read(ctx, func(tx *db.Tx) error {
		directory, err := staff.DirectoryOf(tx, institution, application)
		id = directory.Client
		return err
	})
	if errors.Is(err, staff.ErrNoDirectory) {
		return client.Client{}, oidc.ErrToken
	}
	if err != nil {
		return client.Client{}, err
	}
	return d.Clients.Program(ctx, institution, id)
}
