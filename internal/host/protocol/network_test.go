package protocol_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/host"
	"mandate/internal/host/protocol"
)

// over is a client that calls a server over the network.
func over(server *httptest.Server) *protocol.Client {
	return protocol.NewClient(protocol.Everywhere(protocol.Address{URL: server.URL + "/core/", Key: key}), host.Same{}, nil)
}

// Whoever answers for the host leads the client nowhere: not elsewhere, not into
// carrying a cookie, not into reading for ever.
func TestTheClientIsNotLedAstray(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	for name, answer := range map[string]http.HandlerFunc{
		"a redirect that keeps the method": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		},
		"a redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) },
		"no end": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for blanks := strings.Repeat(" ", 1<<16); ; {
				if _, err := io.WriteString(w, blanks); err != nil {
					return
				}
			}
		},
		"drops": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, " ")
				_ = http.NewResponseController(w).Flush()
				time.Sleep(5 * time.Millisecond)
			}
		},
		"half of what it promised": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"balances":[]}`)
		},
	} {
		server := httptest.NewServer(answer)
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		if got, err := over(server).Balances(ctx, "cedar", []bank.AccountID{"op"}); err == nil || strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v, %v, want an error without the key", name, got, err)
		}
		cancel()
		server.CloseClientConnections()
		server.Close()
	}
	if n := elsewhere.Load(); n > 0 {
		t.Errorf("it went elsewhere %d times", n)
	}
}

// Over the network the same comes out as in memory, below an address with a
// path, and no cookie comes back.
func TestOverTheNetwork(t *testing.T) {
	s := &script{carry: func(_ context.Context, o protocol.Order) (protocol.Receipt, error) {
		return protocol.Receipt{Outcome: protocol.Done, Reference: o.Key, At: noon, User: "u", Version: 4}, nil
	}}
	handler := protocol.Handler(s, func(i bank.InstitutionID, k string) bool { return i == "cedar" && k == key }, slog.New(slog.DiscardHandler))
	server := httptest.NewServer(http.StripPrefix("/core", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Cookies()) > 0 {
			t.Errorf("%s carries the cookies %v", r.URL.Path, r.Cookies())
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
		handler.ServeHTTP(w, r)
	})))
	defer server.Close()
	client := over(server)
	for range 2 {
		if r, err := client.Carry(t.Context(), everything()); err != nil || r.Reference != "test/1" || r.Version != 4 || !r.At.Equal(noon) {
			t.Errorf("Carry: %+v, %v", r, err)
		}
	}
	if about, err := client.About(t.Context(), "cedar"); err != nil || about.Name != "A script" {
		t.Errorf("About: %+v, %v", about, err)
	}
	if _, err := client.About(t.Context(), "elm"); err == nil {
		t.Error("a key of another institution is good")
	}
}
