package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"mandate/internal/web"
)

// shutdownTime is how long requests under way may take once the program is
// asked to end.
const shutdownTime = 10 * time.Second

// A listener is one address with what answers there.
type listener struct {
	name    string
	address string
	handler http.Handler
}

// Serve answers on every address until ctx ends, then finishes what is under
// way. ready is called once everything listens; it may be nil.
func (a *App) Serve(ctx context.Context, ready func()) error {
	listeners, err := a.listeners()
	if err != nil {
		return err
	}
	var up atomic.Bool
	listeners = append(listeners, listener{"operators", a.Config.ListenMetrics, a.operators(&up)})
	servers, err := a.listen(listeners)
	if err != nil {
		return err
	}
	failed := make(chan error, len(servers))
	for _, s := range servers {
		go func() { failed <- s.server.Serve(s.socket) }()
	}
	background, stop := context.WithCancel(ctx)
	done := a.runBackground(background)
	up.Store(true)
	if ready != nil {
		ready()
	}
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	up.Store(false)
	stop()
	err = errors.Join(err, shutDown(servers))
	<-done
	return err
}

type served struct {
	server *http.Server
	socket net.Listener
}

// listen opens every address before anything answers: a busy port is a failed
// start, not half a product.
func (a *App) listen(listeners []listener) ([]served, error) {
	var servers []served
	for _, l := range listeners {
		socket, err := net.Listen("tcp", l.address)
		if err != nil {
			for _, s := range servers {
				err = errors.Join(err, s.socket.Close())
			}
			return nil, fmt.Errorf("listen for %s on %s: %w", l.name, l.address, err)
		}
		a.Log.Info("listening", "app", l.name, "address", socket.Addr().String())
		servers = append(servers, served{web.NewServer(l.handler, a.Log), socket})
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

// operators is health, readiness and metrics, on an address of its own.
func (a *App) operators(up *atomic.Bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, "alive", nil)
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if !up.Load() {
			answer(w, http.StatusServiceUnavailable, "not serving", nil)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if err := a.DB.Ping(ctx); err != nil {
			a.Log.Warn("not ready", "error", err)
			answer(w, http.StatusServiceUnavailable, "not ready", []string{"the database does not answer"})
			return
		}
		answer(w, http.StatusOK, "ready", nil)
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.Metrics, promhttp.HandlerOpts{}))
	return mux
}

func answer(w http.ResponseWriter, status int, state string, because []string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct { // a client that has gone needs no answer
		State   string   `json:"state"`
		Because []string `json:"because,omitempty"`
	}{state, because})
}
