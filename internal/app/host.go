package app

import (
	"context"
	"crypto/subtle"
	"encoding/hex"

	"mandate/internal/bank"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/host/protocol"
	"mandate/internal/usermgmt"
)

// A Host is both halves of an institution's core.
type Host interface {
	host.Connector
	host.People
}

// openHost opens the simulator, and asks it like any other host: by the
// protocol, with a key.
func (a *App) openHost(ctx context.Context) (err error) {
	if a.hostDB, err = hostsim.OpenDB(ctx, a.Config.HostDB, a.Clock); err != nil {
		return err
	}
	a.Bank = hostsim.New(a.hostDB, hostsim.Options{})
	address := protocol.Address{URL: "http://host.inside", Key: hex.EncodeToString(a.root.derive("host"))}
	inside := protocol.Handler(a.Bank.Server(), oneKey(address.Key), a.Log)
	a.Host = protocol.NewClient(protocol.Everywhere(address), usermgmt.NewHostNames(a.DB), protocol.Inside(inside))
	return nil
}

// oneKey is one key for all institutions.
func oneKey(key string) protocol.Keys {
	return func(_ bank.InstitutionID, given string) bool {
		return subtle.ConstantTimeCompare([]byte(given), []byte(key)) == 1
	}
}
