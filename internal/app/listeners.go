package app

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"

	"mandate/internal/api"
	"mandate/internal/authzen"
	"mandate/internal/authzen/product"
	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/gate"
	"mandate/internal/web"
	"mandate/internal/web/console"
	"mandate/internal/web/mailbox"
	"mandate/internal/web/online"
)

// listeners are the addresses that people and programs use.
func (a *App) listeners() ([]listener, error) {
	onlineApp, err := a.OnlineHandler()
	if err != nil {
		return nil, err
	}
	consoleApp, err := a.ConsoleHandler()
	if err != nil {
		return nil, err
	}
	all := []listener{
		{"online", a.Config.ListenOnline, onlineApp},
		{"console", a.Config.ListenConsole, consoleApp},
		{"api", a.Config.ListenAPI, a.APIHandler()},
	}
	if a.Mailbox == nil {
		return all, nil
	}
	mailboxApp, err := a.mailbox()
	return append(all, listener{"mailbox", a.ListenMailbox, mailboxApp}), err
}

func (a *App) mailbox() (http.Handler, error) {
	site, err := a.site("http://"+a.ListenMailbox, "mailbox")
	if err != nil {
		return nil, err
	}
	return mailbox.New(site, a.Mailbox)
}

// OnlineHandler is Online without an address, for benchmarks and tests.
func (a *App) OnlineHandler() (http.Handler, error) {
	site, err := a.site(a.Config.PublicOrigin, "online")
	if err != nil {
		return nil, err
	}
	if a.Components {
		site.Also = web.ComponentRoutes()
	}
	cfg := online.Config{Money: a.money(), Users: a.Users, Identity: a.Identity, Alerts: a.Alerts, Notice: a.Notice}
	if a.Components { // a demo
		cfg.Faults = &online.Faults{}
	}
	handler, err := online.New(site, cfg)
	if err != nil {
		return nil, fmt.Errorf("open Online: %w", err)
	}
	return handler, nil
}

// ConsoleHandler is the console without an address, for benchmarks and tests.
func (a *App) ConsoleHandler() (http.Handler, error) {
	site, err := a.site(a.Config.ConsoleOrigin, "console")
	if err != nil {
		return nil, err
	}
	handler, err := console.New(site, console.Config{Institutions: a.Users, Staff: a.Staff, Identity: a.Identity, Notice: a.Notice})
	if err != nil {
		return nil, fmt.Errorf("open the console: %w", err)
	}
	return handler, nil
}

// site is what every web app of the program has in common.
func (a *App) site(origin, app string) (web.Site, error) {
	site := web.Site{Origin: origin, Key: a.root.derive("web " + app), Clock: a.Clock, Log: a.Log, Metrics: a.webMetrics}
	for _, network := range a.Config.TrustedProxies {
		prefix, err := netip.ParsePrefix(network)
		if err != nil {
			return web.Site{}, fmt.Errorf("trusted proxy %q: %w", network, err)
		}
		site.Proxies = append(site.Proxies, prefix)
	}
	return site, nil
}

// APIHandler is everything that programs call, without an address.
func (a *App) APIHandler() http.Handler {
	mux := http.NewServeMux()
	door := gate.New(a.Clients, gate.NewLimiter(a.Clock, gate.Rate{}), a.Log)
	authzen.New(authzen.Config{
		Decider: product.New(a.Decisions), Gate: door, Origin: a.Config.APIOrigin, HasInstitution: a.hasInstitution,
	}).Mount(mux)
	api.New(api.Config{Gate: door, Decisions: a.Decisions, Users: a.Users, Authorizations: a.Authorizations,
		Statements: a.Statements, Approvals: a.Approvals, Transfers: a.Transfers, Stops: a.Stops, Cards: a.Cards, ACH: a.ACH, PositivePay: a.PositivePay, Wires: a.Wires}).Mount(mux)
	return a.webMetrics.Observe("api", a.Log, mux)
}

func (a *App) hasInstitution(ctx context.Context, id bank.InstitutionID) (bool, error) {
	_, err := a.Users.Institution(ctx, id)
	if fault.KindOf(err) == fault.NotFound {
		return false, nil
	}
	return err == nil, err
}
