package app

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"

	"mandate/internal/api"
	"mandate/internal/authzen"
	"mandate/internal/authzen/product"
	"mandate/internal/bank"
	"mandate/internal/config"
	"mandate/internal/fault"
	"mandate/internal/federation"
	"mandate/internal/gate"
	"mandate/internal/route"
	"mandate/internal/scim"
	"mandate/internal/web"
	"mandate/internal/web/console"
	"mandate/internal/web/mailbox"
	"mandate/internal/web/online"
)

// A Listener is one address with everything that answers there.
type Listener struct {
	Name    string
	Address string
	Handler http.Handler
	Routes  []route.Route
	TLS     *tls.Config // nil: a proxy before it ends TLS
}

// Listeners are all addresses of the program, each with the questions of load
// balancers. No route is served that does not stand here.
func (a *App) Listeners() ([]Listener, error) {
	all, err := a.apps()
	if err != nil {
		return nil, err
	}
	all = append(all, Listener{"operators", a.Config.ListenMetrics, a.operators(), nil, nil})
	for i, l := range all {
		all[i].Routes = append(slices.Clone(healthRoutes), l.Handler.(interface{ Declared() []route.Route }).Declared()...)
		all[i].Handler = withHealth(a.ready, l.Handler)
	}
	return all, nil
}

// apps are the addresses that people and programs use.
func (a *App) apps() ([]Listener, error) {
	onlineApp, err := a.OnlineHandler()
	if err != nil {
		return nil, err
	}
	consoleApp, err := a.ConsoleHandler()
	if err != nil {
		return nil, err
	}
	ends, err := endsTLS(a.Config.TLS, a.Clock, a.Log)
	if err != nil {
		return nil, err
	}
	all := []Listener{
		{"online", a.Config.ListenOnline, onlineApp, nil, nil},
		{"console", a.Config.ListenConsole, consoleApp, nil, nil},
		{"api", a.Config.ListenAPI, a.APIHandler(), nil, ends},
	}
	officeApp, err := a.OfficeHandler()
	if err != nil {
		return nil, err
	}
	if officeApp != nil {
		all = append(all, Listener{"office", a.Config.ListenOffice, officeApp, nil, nil})
	}
	if a.Mailbox == nil {
		return all, nil
	}
	mailboxApp, err := a.mailbox()
	return append(all, Listener{"mailbox", a.ListenMailbox, mailboxApp, nil, nil}), err
}

// endsTLS is how the address of the API ends TLS itself; nil where a proxy does.
func endsTLS(cfg config.TLS, clock bank.Clock, log *slog.Logger) (*tls.Config, error) {
	if cfg.TLSCert == "" {
		return nil, nil
	}
	return gate.Certificates{Cert: cfg.TLSCert, Key: cfg.TLSKey, ClientCA: cfg.ClientCA}.TLS(clock, log)
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
	cfg := online.Config{Money: a.money(), Users: a.Users, Host: a.HostSync, Identity: a.Identity, Alerts: a.Alerts, Notice: a.Notice}
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
	handler, err := console.New(site, console.Config{Institutions: a.Users, Staff: a.Staff, Customers: a.Users, Support: a.Support, Identity: a.Identity, Online: a.Config.PublicOrigin, Notice: a.Notice,
		Applications: a.Applications, Approvals: a.Approvals, Elsewhere: a.Identity,
		Settings:     &console.Settings{House: a.Users, Calendar: a.Calendar, ACH: a.ACH, Wires: a.Wires, Stops: a.Stops, PositivePay: a.PositivePay},
		Host:         a.HostSync,
		Webhooks:     a.Webhooks,
		Provisioning: &console.Provisioning{Directories: a.Provisioning, Programs: a.Clients, Origin: a.Config.APIOrigin},
		Products:     a.Products, Grants: a.Grants,
		Outside: federation.New(a.Config.ConsoleOrigin, a.Identity, a.Clock, a.Log, a.Config.OnThisMachine())})
	if err != nil {
		return nil, fmt.Errorf("open the console: %w", err)
	}
	return a.withProducts(handler), nil
}

// site is what every web app of the program has in common.
func (a *App) site(origin, app string) (web.Site, error) {
	site := web.Site{Origin: origin, Keys: a.derived("web " + app), Clock: a.Clock, Log: a.Log, Metrics: a.webMetrics}
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
	return a.APIHandlerWith(product.New(a.Decisions).With(product.Requests{
		Payments: a.Authorizations, Clock: a.Clock, Keys: a.derived("access requests"), Origin: a.Config.APIOrigin,
	}))
}

// APIHandlerWith is the same with something else behind AuthZEN: a benchmark
// compares what deciding costs with what everything around it does.
func (a *App) APIHandlerWith(decider authzen.Decider) http.Handler {
	mux := route.NewMux()
	limiter := gate.NewLimiter(a.Clock, gate.Rate{})
	door := gate.New(a.callers, limiter, a.Log)
	directories := gate.New(Directories{a.DB, a.Clients, a.Products}, limiter, a.Log)
	authzen.New(authzen.Config{
		Decider: decider, Gate: door, Origin: a.Config.APIOrigin, HasInstitution: a.hasInstitution,
	}).Mount(mux)
	scim.New(scim.Config{Rooms: a.Provisioning, Gate: directories, Origin: a.Config.APIOrigin}).Mount(mux)
	api.New(api.Config{Gate: door, Decisions: a.Decisions, Users: a.Users, Reverse: a.Users, Authorizations: a.Authorizations,
		Statements: a.Statements, Approvals: a.Approvals, Transfers: a.Transfers, Stops: a.Stops, Cards: a.Cards, ACH: a.ACH, PositivePay: a.PositivePay, Wires: a.Wires,
		Classic: a.Identity, Hosted: a.HostSync}).Mount(mux)
	return observed{a.webMetrics.Observe("api", a.Log, mux, authzen.HotPaths()...), mux}
}

// An observed mux is counted and logged, and still knows its addresses.
type observed struct {
	http.Handler
	mux *route.Mux
}

func (o observed) Declared() []route.Route { return o.mux.Declared() }

func (a *App) hasInstitution(ctx context.Context, id bank.InstitutionID) (bool, error) {
	_, err := a.Users.Institution(ctx, id)
	if fault.KindOf(err) == fault.NotFound {
		return false, nil
	}
	return err == nil, err
}
