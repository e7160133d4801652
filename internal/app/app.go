// Package app assembles the program: it opens every part in order, in one
// readable function, and closes them again. The server, the command line, the
// demo, end-to-end tests and benchmarks all use it. It holds no rules.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"mandate/internal/alert"
	"mandate/internal/application"
	"mandate/internal/approval"
	"mandate/internal/authorization"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/client"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/gate"
	"mandate/internal/grant"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/hostsync"
	"mandate/internal/identity"
	"mandate/internal/mail"
	"mandate/internal/mail/mailbox"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/moneymovement/card"
	"mandate/internal/moneymovement/positivepay"
	"mandate/internal/moneymovement/statement"
	"mandate/internal/moneymovement/stoppayment"
	"mandate/internal/moneymovement/transfer"
	"mandate/internal/moneymovement/wire"
	"mandate/internal/oidc"
	"mandate/internal/outbox"
	"mandate/internal/pdp"
	"mandate/internal/pdp/memory"
	"mandate/internal/scim"
	"mandate/internal/seal"
	"mandate/internal/staff"
	"mandate/internal/support"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/webhook"
)

// An App is the program, open.
type App struct {
	Config         config.Config
	Clock          bank.Clock
	Log            *slog.Logger
	DB             *db.DB
	Guard          *guard.Guard
	Identity       *identity.Service
	Users          *usermgmt.Service
	Staff          *staff.Service
	Provisioning   *staff.Provisioning
	Support        *support.Service
	Alerts         *alert.Service
	Memory         *memory.Memory // what decisions are made of
	Decisions      *pdp.Service
	Clients        *client.Service
	Applications   *application.Service
	Grants         *grant.Service
	Products       *oidc.Provider
	Authorizations *authorization.Service
	Calendar       *calendar.Service
	Bank           *hostsim.Bank // the host inside the program; nil where the host is another's
	Host           host.Whole    // the institutions' host, wherever it is
	Desk           *host.Desk    // the way of orders to it
	HostSync       *hostsync.Service
	Approvals      *approval.Service
	Statements     *statement.Service
	ACH            *ach.Service
	Transfers      *transfer.Service
	Stops          *stoppayment.Service
	Cards          *card.Service
	PositivePay    *positivepay.Service
	Wires          *wire.Service
	Webhooks       *webhook.Service
	Metrics        *prometheus.Registry
	Notice         string       // one line above every page, such as that all of it is made up
	Mailbox        *mailbox.Box // the demo's mail server, shown on an address of its own; nil elsewhere
	ListenMailbox  string       // that address
	Components     bool         // the page of the visual language is served: in the demo, nowhere else

	callers    *gate.Callers
	following  *following // on PostgreSQL; nil elsewhere
	root       atomic.Pointer[rootKeys]
	hostDB     *db.DB // the simulator's own; nil where the host is another's
	keys       *seal.Keyring
	post       *mail.Post
	courier    *outbox.Dispatcher
	logouts    *outbox.Dispatcher
	webMetrics *web.Metrics
	up         atomic.Bool // everything listens, and the program is not ending
}

// Open opens the database, migrates it and builds every room. cfg may be the
// zero Config.
func Open(ctx context.Context, cfg config.Config, clock bank.Clock, log *slog.Logger) (_ *App, err error) {
	if cfg, err = cfg.WithDefaults(); err != nil {
		return nil, err
	}
	a := &App{Config: cfg, Clock: clock, Log: log, Metrics: prometheus.NewRegistry()}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	root, err := openRootKeys(cfg.Data)
	if err != nil {
		return nil, err
	}
	a.root.Store(&root)
	if a.DB, err = OpenDB(ctx, cfg.Store, clock); err != nil {
		return nil, err
	}
	if err = usermgmt.KeepPastFromNow(ctx, a.DB, a.tellKeeping); err != nil {
		return nil, err
	}
	if err = a.openHost(ctx); err != nil {
		return nil, err
	}
	return a, a.openRooms()
}

// tellKeeping logs how far a first start of this version is with keeping what
// decisions are made of.
func (a *App) tellKeeping(done, all int) {
	if done == all || done%1000 == 0 {
		a.Log.Info("keeping the present for questions about the past", "organizations", done, "of", all)
	}
}

// OpenDB opens the database of a store and brings it up to date.
func OpenDB(ctx context.Context, store config.Store, clock bank.Clock) (*db.DB, error) {
	store, err := store.WithDefaults()
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(store.DB, "sqlite:"+store.Data) {
		if err := os.MkdirAll(store.Data, 0o700); err != nil {
			return nil, fmt.Errorf("make the data folder: %w", err)
		}
	}
	d, err := db.Open(ctx, db.Config{URL: store.DB, Clock: clock})
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	if err := d.Migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("migrate the database: %w", err), d.Close())
	}
	usermgmt.KeepPast(d)
	return d, nil
}

// openRooms builds the rooms on the database.
func (a *App) openRooms() (err error) {
	a.Guard = guard.New(a.DB, usermgmt.LoadPolicy, staff.Rights{}, identity.Proofs{})
	if a.keys, err = a.root.Load().keyring(); err != nil {
		return err
	}
	a.openMail()
	a.Grants = grant.New(a.DB, a.Guard, ProductPeople{}, a.keys)
	a.Grants.Closes = LogoutAddress
	a.Guard.Watch(a.Grants.Watch)
	a.Identity, err = identity.New(identity.Config{
		DB: a.DB, Guard: a.Guard, People: People(), Mailer: staff.Letters{Mailer: a.post}, Keys: a.keys, Clock: a.Clock,
		Origins:        []string{a.Config.PublicOrigin, a.Config.ConsoleOrigin},
		Cost:           identity.Cost{MemoryKiB: a.Config.HashMemory, Passes: a.Config.HashPasses, Lanes: 1},
		ThrottleFactor: a.Config.ThrottleFactor,
		SignedOut:      a.Grants.SignedOut,
	})
	if err != nil {
		return err
	}
	a.Users = usermgmt.New(a.Guard, a.Identity).WithSafeguard(staff.Rights{})
	a.Support = support.New(a.Guard)
	a.Staff = staff.New(a.Guard, a.Identity, House)
	a.Provisioning = staff.NewProvisioning(a.Staff, scim.Keys{})
	a.Alerts = alert.New(a.DB, a.post, usermgmt.Admins)
	a.Guard.Watch(a.Alerts.Watch)
	a.Clients = client.New(a.DB, a.Guard, a.Log)
	a.Applications = application.New(a.DB, a.Guard, staff.Rights{}, a.Log)
	if err := a.openProducts(); err != nil {
		return err
	}
	a.openCallers()
	a.openWebhooks()
	a.Authorizations = authorization.New(a.DB, a.Guard, a.Config.ReservationLimit)
	a.openMoney()
	a.Users.WithOversight(staff.Rights{}, a.Approvals, staff.Teller{Mailer: staff.Letters{Mailer: a.post}, House: House})
	a.Users.WithWork(authorized{a.Authorizations}, waiting{a.Approvals}, transferred{a.Transfers}, batched{a.ACH}, wired{a.Wires})
	a.Metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if err := a.Metrics.Register(newBacklogs(a.DB, a.Clock)); err != nil {
		return err
	}
	if a.webMetrics, err = web.NewMetrics(a.Metrics); err != nil {
		return err
	}
	meter, err := newDecisionMeter(a.Metrics)
	if err != nil {
		return err
	}
	if err := a.openMemory(); err != nil {
		return err
	}
	if err := a.Metrics.Register(newMemoryMeter(a.Memory)); err != nil {
		return err
	}
	a.Users.WithMemory(a.Memory)
	a.Decisions = pdp.New(a.Memory, usermgmt.DecisionSources(), meter).NamesFrom(a.DB.Read)
	return nil
}

// Close undoes Open.
func (a *App) Close() error {
	var err error
	for _, d := range []*db.DB{a.DB, a.hostDB} {
		if d != nil {
			err = errors.Join(err, d.Close())
		}
	}
	if a.following != nil {
		err = errors.Join(err, a.following.db.Close())
	}
	return err
}
