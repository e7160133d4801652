package app

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/config"
)

func openApp(t *testing.T) *App {
	t.Helper()
	a, err := Open(t.Context(), config.Config{
		Store: config.Store{Data: t.TempDir()}, HashMemory: 8, HashPasses: 1,
		ListenOnline: "localhost:0", ListenConsole: "localhost:0", ListenAPI: "localhost:0", ListenMetrics: "localhost:0",
		PublicOrigin: "http://localhost:1", ConsoleOrigin: "http://localhost:2", APIOrigin: "http://localhost:3",
	}, bank.SystemClock{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// Readiness says no before everything listens, while the program ends, and
// while the database is away; health says yes all the while.
func TestReadiness(t *testing.T) {
	a := openApp(t)
	behind := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	h := withHealth(a.ready, behind)
	want := func(path string, status int, text string) {
		t.Helper()
		out := httptest.NewRecorder()
		h.ServeHTTP(out, httptest.NewRequest(http.MethodGet, path, nil))
		if out.Code != status || !strings.Contains(out.Body.String(), text) {
			t.Errorf("GET %s: %d %s, want %d with %q", path, out.Code, out.Body, status, text)
		}
	}
	want("/readyz", http.StatusServiceUnavailable, "not serving")
	want("/healthz", http.StatusOK, "alive")
	want("/elsewhere", http.StatusTeapot, "")
	a.up.Store(true)
	want("/readyz", http.StatusOK, "ready")
	if err := a.DB.Close(); err != nil {
		t.Fatal(err)
	}
	want("/readyz", http.StatusServiceUnavailable, "the database does not answer")
	want("/healthz", http.StatusOK, "alive")
}

// A program that is asked to end finishes the requests under way, and ends.
func TestEndsGracefully(t *testing.T) {
	a := openApp(t)
	arrived, leave := make(chan struct{}), make(chan struct{})
	servers, err := listen([]Listener{{Name: "slow", Address: "localhost:0", Handler: withHealth(a.ready, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-leave
		w.WriteHeader(http.StatusTeapot)
	}))}}, a.Log)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = servers[0].server.Serve(servers[0].socket) }() // it ends with ErrServerClosed
	status := make(chan int, 1)
	go func() {
		out, err := http.Get("http://" + servers[0].socket.Addr().String())
		if err != nil {
			status <- 0
			return
		}
		_ = out.Body.Close()
		status <- out.StatusCode
	}()
	<-arrived
	time.AfterFunc(50*time.Millisecond, func() { close(leave) })
	if err := shutDown(servers); err != nil {
		t.Errorf("shut down: %v", err)
	}
	if got := <-status; got != http.StatusTeapot {
		t.Errorf("the request under way was answered with %d", got)
	}
}

// A busy address is a failed start that names it, and leaves nothing open.
func TestBusyAddress(t *testing.T) {
	a := openApp(t)
	servers, err := listen([]Listener{{Name: "one", Address: "localhost:0", Handler: http.NotFoundHandler()}}, a.Log)
	if err != nil {
		t.Fatal(err)
	}
	busy := servers[0].socket.Addr().String()
	_, err = listen([]Listener{{Name: "two", Address: "localhost:0", Handler: http.NotFoundHandler()}, {Name: "three", Address: busy, Handler: http.NotFoundHandler()}}, a.Log)
	if err == nil || !strings.Contains(err.Error(), busy) || !strings.Contains(err.Error(), "three") {
		t.Errorf("listen on a busy address: %v", err)
	}
	if err := servers[0].socket.Close(); err != nil {
		t.Error(err)
	}
}

// Serve ends without an error when it is asked to, and its background work with it.
func TestServeEnds(t *testing.T) {
	a := openApp(t)
	ctx, cancel := context.WithCancel(t.Context())
	if err := a.Serve(ctx, cancel); err != nil {
		t.Errorf("serve: %v", err)
	}
}

// The page of the visual language is the demo's; a deployment has none.
func TestComponentsAreTheDemos(t *testing.T) {
	a := openApp(t)
	for _, c := range []struct {
		components bool
		status     int
	}{{false, http.StatusNotFound}, {true, http.StatusOK}} {
		a.Components = c.components
		h, err := a.OnlineHandler()
		if err != nil {
			t.Fatal(err)
		}
		out := httptest.NewRecorder()
		h.ServeHTTP(out, httptest.NewRequest(http.MethodGet, "http://localhost:1/_components", nil))
		if out.Code != c.status {
			t.Errorf("components %v: status %d, want %d", c.components, out.Code, c.status)
		}
	}
}
