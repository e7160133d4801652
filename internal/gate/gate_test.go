package gate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/client"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
)

func TestALimiterGivesBackWithTime(t *testing.T) {
	clock := dbtest.NewClock(dbtest.Start)
	l := NewLimiter(clock, Rate{PerSecond: 10, Burst: 20})
	take := func(who string, n int, wait time.Duration) {
		t.Helper()
		got, ok := l.take(&client.Client{ID: bank.ClientID(who)}, n)
		if ok != (wait == 0) || got != wait {
			t.Errorf("%s takes %d: wait %v, %t; want %v", who, n, got, ok, wait)
		}
	}
	take("a", 20, 0)
	take("a", 1, 100*time.Millisecond)
	take("b", 1, 0) // each has their own
	clock.Advance(100 * time.Millisecond)
	take("a", 1, 0)
	take("a", 1, 100*time.Millisecond)
	clock.Advance(time.Hour) // no more than the burst comes back
	take("a", 1000, 0)
	take("a", 1, 98100*time.Millisecond)
	clock.Advance(-time.Hour) // a clock that is set back gives nothing and takes nothing
	take("a", 1, 98100*time.Millisecond)
	clock.Advance(time.Hour + 98*time.Second)
	take("a", 1, 100*time.Millisecond)
	clock.Advance(100 * time.Millisecond)
	take("a", 1, 0)
}

// nobody knows every key as the same client.
type nobody struct{ err error }

func (n nobody) Authenticate(context.Context, string) (client.Client, error) {
	return client.Client{ID: "cli_1", Institution: "first", Name: "Hub"}, n.err
}

// Our failures are logged with their cause and shown with a reference alone.
func TestFailuresAreLoggedUnderTheirReference(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		status int
		logged bool
		wait   string
	}{
		"ours":           {errors.New("the cause"), 500, true, ""},
		"a fault inside": {fault.New(fault.Internal, "the sentence").Because(errors.New("the cause")), 500, true, ""},
		"busy":           {fmt.Errorf("look up: %w", db.ErrBusy), 503, false, "1"},
		"text":           {fmt.Errorf("look up: %w", db.ErrText), 400, false, ""},
		"a stranger":     {client.ErrUnknownKey, 401, false, ""},
	} {
		var log bytes.Buffer
		g := New(nobody{c.err}, NewLimiter(dbtest.NewClock(dbtest.Start), Rate{}), slog.New(slog.NewTextHandler(&log, nil)))
		var said string
		handler := g.Known(func(w http.ResponseWriter, _ *http.Request, status int, err *fault.Error) {
			said = err.Sentence
			w.WriteHeader(status)
		}, http.NotFoundHandler())
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/x", nil)
		r.Header.Set("X-Request-Id", "ref-1")
		handler.ServeHTTP(w, r)
		if w.Code != c.status || w.Header().Get("Retry-After") != c.wait || (log.Len() > 0) != c.logged || strings.Contains(said, "cause") || said == "" {
			t.Errorf("%s: %d, wait %q, said %q, logged %q", name, w.Code, w.Header().Get("Retry-After"), said, log.String())
		}
		if c.logged && (!strings.Contains(log.String(), "the cause") || !strings.Contains(log.String(), "ref-1") || !strings.Contains(said, "ref-1")) {
			t.Errorf("%s: said %q, logged %q", name, said, log.String())
		}
	}
}

func TestTheCallerIsKnownToWhatComesAfter(t *testing.T) {
	g := New(nobody{}, NewLimiter(dbtest.NewClock(dbtest.Start), Rate{}), slog.New(slog.DiscardHandler))
	called := false
	handler := g.Known(nil, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		called = true
		caller := CallerOf(r.Context())
		if caller.ID != "cli_1" || caller.Institution != "first" || caller.IP != "192.0.2.1" || caller.Device != strings.Repeat("é", maxDevice/2) {
			t.Errorf("caller = %+v", caller)
		}
	}))
	r := httptest.NewRequest("GET", "/x", nil)
	r.Header.Set("User-Agent", strings.Repeat("é", maxDevice))
	handler.ServeHTTP(httptest.NewRecorder(), r)
	if !called {
		t.Error("nothing was called")
	}
}
