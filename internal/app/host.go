package app

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/host"
	"mandate/internal/host/fineract"
	"mandate/internal/host/hostsim"
	"mandate/internal/host/protocol"
	"mandate/internal/hostsync"
	"mandate/internal/usermgmt"
)

// openHost finds the way to the institutions' cores: those that the operator
// names, or else the simulator.
func (a *App) openHost(ctx context.Context) (err error) {
	names := usermgmt.NewHostNames(a.DB)
	if a.Config.Remote() {
		a.Host, err = dialHosts(a.Config.Hosts, names)
		return err
	}
	return a.openBank(ctx, names)
}

// openBank opens the simulator, and asks it like any other host: by the
// protocol, with a key.
func (a *App) openBank(ctx context.Context, names host.Names) (err error) {
	if a.hostDB, err = hostsim.OpenDB(ctx, a.Config.HostDB, a.Clock); err != nil {
		return err
	}
	a.Bank = hostsim.New(a.hostDB, hostsim.Options{})
	if err := a.takeOverBooks(ctx); err != nil {
		return fmt.Errorf("take the books over into the simulator: %w", err)
	}
	address := protocol.Address{URL: "http://host.inside", Key: hex.EncodeToString(a.root.Load().derive("host"))}
	inside := protocol.Handler(a.Bank.Server(), oneKey(address.Key), a.Log)
	a.Host = protocol.NewClient(protocol.Everywhere(address), names, protocol.Inside(inside))
	return nil
}

// takeOverBooks gives the simulator what an earlier version kept of it in our
// own database, once, with everybody who is here.
func (a *App) takeOverBooks(ctx context.Context) error {
	var institutions []usermgmt.Institution
	err := a.DB.Read(ctx, func(tx *db.Tx) (err error) {
		institutions, err = usermgmt.Institutions(tx)
		return err
	})
	for i := 0; i < len(institutions) && err == nil; i++ {
		err = a.takeOverBooksOf(ctx, institutions[i].ID)
	}
	return err
}

func (a *App) takeOverBooksOf(ctx context.Context, institution bank.InstitutionID) error {
	return a.Bank.TakeOver(ctx, a.DB, institution, func() (b hostsim.Before, err error) {
		err = a.DB.Read(ctx, func(tx *db.Tx) error {
			accounts, err := usermgmt.EveryAccount(tx, institution)
			if err != nil {
				return err
			}
			b.Places = make([]hostsim.Place, len(accounts))
			for i, p := range accounts {
				b.Places[i] = hostsim.Place{
					OrganizationID: p.Organization, AccountID: p.ID, Organization: host.Ref(p.OrganizationRef), Account: host.Ref(p.ExternalID),
					OrganizationNow: p.OrganizationName, Name: p.Name, Kind: p.Kind, LastFour: p.Number,
				}
			}
			b.Users, err = hostsync.Everybody(tx, institution)
			return err
		})
		return b, err
	})
}

// dialHosts makes the connectors of the cores that the operator names. It
// connects to nothing yet: a core that is down keeps nobody from starting.
func dialHosts(named config.Hosts, names host.Names) (host.Whole, error) {
	all, err := named.Read()
	if err != nil {
		return nil, err
	}
	hosts := map[bank.InstitutionID]host.Whole{}
	for _, h := range all {
		if hosts[h.Institution], err = dial(h, names); err != nil {
			return nil, fmt.Errorf("the host %s: %w", h.URL, err)
		}
	}
	return host.Each(func(institution bank.InstitutionID) (host.Whole, bool) {
		if own, named := hosts[institution]; named {
			return own, true
		}
		common, named := hosts[""]
		return common, named
	}), nil
}

func dial(h config.Host, names host.Names) (host.Whole, error) {
	if !h.Fineract() {
		return protocol.NewClient(protocol.Everywhere(protocol.Address{URL: h.URL, Key: h.Key}), names, nil), nil
	}
	settings, err := fineract.ReadSettings([]byte(h.Key))
	if err != nil {
		return nil, err
	}
	return fineract.New(fineract.Config{Address: h.URL, Settings: settings, Names: names})
}

// oneKey is one key for all institutions.
func oneKey(key string) protocol.Keys {
	return func(_ bank.InstitutionID, given string) bool {
		return subtle.ConstantTimeCompare([]byte(given), []byte(key)) == 1
	}
}
