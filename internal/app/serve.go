package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"mandate/internal/route"
	"mandate/internal/web"
)

// shutdownTime is how long requests under way may take once the program is
// asked to end.
const shutdownTime = 10 * time.Second

// readyTime is how long the database may take to say that it is there.
const readyTime = 2 * time.Second

// Serve answers on every address until ctx ends, then finishes what is under
// way. ready is called once everything listens; it may be nil.
func (a *App) Serve(ctx context.Context, ready func()) error {
	listeners, err := a.Listeners()
	if err != nil {
		return err
	}
	servers, err := listen(listeners, a.Log)
	if err != nil {
		return err
	}
	failed := make(chan error, len(servers))
	for _, s := range servers {
		go func() { failed <- s.serve() }()
	}
	background, stop := context.WithCancel(ctx)
	done := a.runBackground(background)
	a.up.Store(true)
	if ready != nil {
		ready()
	}
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	a.up.Store(false)
	stop()
	err = errors.Join(err, shutDown(servers))
	<-done
	return err
}

type served struct {
	server *http.Server
	socket net.Listener
}

func (s served) serve() error {
	if s.server.TLSConfig != nil {
		return s.server.ServeTLS(s.socket, "", "") // the files are the configuration's
	}
	return s.server.Serve(s.socket)
}

// listen opens every address before anything answers: a busy port is a failed
// start, not half a product.
func listen(listeners []Listener, log *slog.Logger) ([]served, error) {
	var servers []served
	for _, l := range listeners {
		socket, err := net.Listen("tcp", l.Address)
		if err != nil {
			for _, s := range servers {
				err = errors.Join(err, s.socket.Close())
			}
			return nil, fmt.Errorf("listen for %s on %s: %w", l.Name, l.Address, err)
		}
		log.Info("listening", "app", l.Name, "address", socket.Addr().String())
		server := web.NewServer(l.Handler, log)
		server.TLSConfig = l.TLS
		servers = append(servers, served{server, socket})
	}
	return servers, nil
}

func shutDown(servers []served) error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	var failures []error
	for _, s := range servers {
		if err := s.server.Shutdown(ctx); err != nil {
			failures = append(failures, err, s.server.Close())
		}
	}
	return errors.Join(failures...)
}

// operators is the metrics, on an address of its own.
func (a *App) operators() http.Handler {
	mux := route.NewMux() // while the database is away the other metrics are still worth having
	mux.Handle(openTo("/metrics"), promhttp.HandlerFor(a.Metrics, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	return mux
}

// openTo is an address for whoever can reach it: it says nothing about anybody.
func openTo(path string) route.Route {
	return route.Route{Method: "GET", Pattern: path, Needs: route.Needs{Who: route.Anybody, Institution: route.Nowhere}}
}

var healthRoutes = []route.Route{openTo("/healthz"), openTo("/readyz")}

// withHealth answers the questions of load balancers, which they put to the
// very address that they send people to.
func withHealth(ready http.HandlerFunc, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch asked := r.Method == http.MethodGet || r.Method == http.MethodHead; {
		case asked && r.URL.Path == "/healthz":
			answer(w, http.StatusOK, "alive")
		case asked && r.URL.Path == "/readyz":
			ready(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// ready says whether people can be sent here: not before everything listens,
// not while the program ends, and not while the database is away.
func (a *App) ready(w http.ResponseWriter, r *http.Request) {
	if !a.up.Load() {
		answer(w, http.StatusServiceUnavailable, "not serving")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyTime)
	defer cancel()
	if err := a.DB.Ping(ctx); err != nil {
		a.Log.Warn("not ready", "error", err)
		answer(w, http.StatusServiceUnavailable, "not ready", "the database does not answer")
		return
	}
	answer(w, http.StatusOK, "ready")
}

func answer(w http.ResponseWriter, status int, state string, because ...string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct { // a client that has gone needs no answer
		State   string   `json:"state"`
		Because []string `json:"because,omitempty"`
	}{state, because})
}
