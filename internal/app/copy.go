package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"mandate/internal/application"
	"mandate/internal/authzen"
	"mandate/internal/authzen/product"
	"mandate/internal/bank"
	"mandate/internal/client"
	"mandate/internal/config"
	"mandate/internal/follow"
	"mandate/internal/gate"
	"mandate/internal/grant"
	"mandate/internal/guard"
	"mandate/internal/oidc"
	"mandate/internal/pdp"
	"mandate/internal/pdp/memory"
	"mandate/internal/route"
	"mandate/internal/staff"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
)

// A Copy is the decision service alone, answering from memory what it follows in
// the product's database. It changes nothing there but its own row in the list of
// copies, and serves nothing but AuthZEN, health and metrics.
type Copy struct {
	Config    config.Copy
	Clock     bank.Clock
	Log       *slog.Logger
	Decisions *pdp.Service
	Memory    *memory.Memory
	Metrics   *prometheus.Registry

	// Tokens reads access tokens of the server's Identity; nil: none are taken.
	Tokens gate.Tokens

	clients    *client.Service
	following  *following
	names      *names
	webMetrics *web.Metrics
	up         atomic.Bool // everything listens, and the copy is not ending
}

// openAgain is how long a copy waits before it tries again to reach its database.
const openAgain = time.Second

// OpenCopy connects to the database and builds the copy. It waits for a database
// that is not there, or that the product has not brought up to date yet.
func OpenCopy(ctx context.Context, cfg config.Copy, clock bank.Clock, log *slog.Logger) (*Copy, error) {
	cfg, err := cfg.WithDefaults()
	if err != nil {
		return nil, err
	}
	for {
		c, err := openCopy(ctx, cfg, clock, log)
		if err == nil {
			return c, nil
		}
		log.Warn("the copy cannot begin yet", "error", err)
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(openAgain):
		}
	}
}

func openCopy(ctx context.Context, cfg config.Copy, clock bank.Clock, log *slog.Logger) (_ *Copy, err error) {
	c := &Copy{Config: cfg, Clock: clock, Log: log, Metrics: prometheus.NewRegistry()}
	known := &remembered{}
	if c.following, err = openFollowing(ctx, cfg.Follow, cfg.CopyName, clock, log, known); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	d := c.following.db
	if err := d.Migrated(ctx); err != nil {
		return nil, err
	}
	if c.names, err = openNames(ctx, cfg.Follow, clock); err != nil {
		return nil, err
	}
	c.Memory = memory.New(d, usermgmt.MemorySources(), memory.Options{Freshness: memory.Followed, Read: c.following.Read})
	door := guard.New(d, usermgmt.LoadPolicy, nil, nil)
	c.clients = client.New(d, door, log)
	c.clients.Follow(c.Memory.Fresh)
	known.Memory, known.clients = c.Memory, c.clients
	if cfg.ConsoleOrigin != "" {
		c.Tokens = oidc.Tokens{
			Origin: cfg.ConsoleOrigin, Grants: grant.New(d, door, nil, nil), Applications: application.New(d, door, staff.Rights{}, log),
			Clock: clock, HasInstitution: c.hasInstitution,
		}
	}
	c.Metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		c.following.Metrics(), newMemoryMeter(c.Memory))
	if c.webMetrics, err = web.NewMetrics(c.Metrics); err != nil {
		return nil, err
	}
	meter, err := newDecisionMeter(c.Metrics)
	if err != nil {
		return nil, err
	}
	c.Decisions = pdp.New(c.Memory, usermgmt.DecisionSources(), meter).NamesFrom(c.names.Read)
	return c, nil
}

// Close undoes OpenCopy.
func (c *Copy) Close() error {
	err := c.following.db.Close()
	if c.names != nil {
		err = errors.Join(err, c.names.db.Close())
	}
	return err
}

// APIHandler is what programs call, without an address.
func (c *Copy) APIHandler() http.Handler {
	mux := route.NewMux()
	callers := gate.NewCallers(c.clients, c.Tokens, c.Clock)
	authzen.New(authzen.Config{
		Decider: product.New(c.Decisions), Gate: gate.New(callers, gate.NewLimiter(c.Clock, gate.Rate{}), c.Log),
		Origin: c.Config.APIOrigin, HasInstitution: c.hasInstitution,
	}).Mount(mux)
	return observed{c.webMetrics.Observe("api", c.Log, mux, authzen.HotPaths()...), mux}
}

func (c *Copy) hasInstitution(_ context.Context, id bank.InstitutionID) (bool, error) {
	return c.Memory.Store(id) != nil, c.Memory.Fresh()
}

// Listeners are the addresses of a copy, each with the questions of load
// balancers.
func (c *Copy) Listeners() ([]Listener, error) {
	ends, err := endsTLS(c.Config.TLS, c.Clock, c.Log)
	if err != nil {
		return nil, err
	}
	metrics := route.NewMux()
	metrics.Handle(openTo("/metrics"), promhttp.HandlerFor(c.Metrics, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	all := []Listener{{"api", c.Config.ListenAPI, c.APIHandler(), nil, ends}, {"operators", c.Config.ListenMetrics, metrics, nil, nil}}
	for i, l := range all {
		all[i].Routes = append(slices.Clone(healthRoutes), l.Handler.(interface{ Declared() []route.Route }).Declared()...)
		all[i].Handler = withHealth(c.ready, l.Handler)
	}
	return all, nil
}

// ready says whether decisions are answered. It asks nobody: what the copy knows
// of the database is what it answers from.
func (c *Copy) ready(w http.ResponseWriter, _ *http.Request) {
	state, lag := c.following.State(), c.following.Lag().Round(time.Millisecond)
	switch {
	case !c.up.Load():
		answer(w, http.StatusServiceUnavailable, "not serving")
	case state != follow.Following:
		answer(w, http.StatusServiceUnavailable, "not ready", string(state), fmt.Sprintf("nothing is known for certain since %v", lag))
	default:
		answer(w, http.StatusOK, "ready")
	}
}

// Serve follows and answers until ctx ends, then finishes what is under way.
// ready is called once everything listens and is loaded; it may be nil.
func (c *Copy) Serve(ctx context.Context, ready func()) error {
	listeners, err := c.Listeners()
	if err != nil {
		return err
	}
	servers, err := listen(listeners, c.Log)
	if err != nil {
		return err
	}
	failed := make(chan error, len(servers))
	for _, s := range servers {
		go func() { failed <- s.serve() }()
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx)) // the last requests are answered from what is followed
	var all sync.WaitGroup
	all.Go(func() { c.following.Run(background) })
	all.Go(func() { c.Memory.Run(background) })
	c.up.Store(true)
	if err = c.loaded(ctx, failed); err == nil {
		if ready != nil {
			ready()
		}
		select {
		case <-ctx.Done():
		case err = <-failed:
		}
	}
	c.up.Store(false)
	if err == nil && c.Config.Drain > 0 {
		c.Log.Info("not ready any more; ending soon", "drain", c.Config.Drain)
		time.Sleep(c.Config.Drain)
	}
	err = errors.Join(err, shutDown(servers))
	stop()
	all.Wait()
	return err
}

// loaded waits until the copy follows.
func (c *Copy) loaded(ctx context.Context, failed <-chan error) error {
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for c.following.State() != follow.Following {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case <-look.C:
		}
	}
	return nil
}
