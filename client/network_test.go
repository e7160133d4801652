package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A copy that wants to be left alone for a while keeps nobody from asking
// another at once.
func TestAnotherCopyIsAskedInsteadOfWaiting(t *testing.T) {
	well := httptest.NewServer(says(`{"decision":true}`))
	t.Cleanup(well.Close)
	var busy atomic.Int64
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		busy.Add(1)
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusServiceUnavailable)
	}, WithCopies(well.URL))
	for range 3 {
		began := time.Now()
		if d := c.Evaluate(t.Context(), wire); !d.Allowed || time.Since(began) > 2*time.Second {
			t.Errorf("%+v after %s", d, time.Since(began))
		}
	}
	if busy.Load() == 0 {
		t.Error("the busy copy was never asked")
	}
	// Where all are busy, none is asked before its time.
	busy.Store(0)
	well.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		busy.Add(1)
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	if d := c.Evaluate(t.Context(), wire); d.Allowed || d.Err == nil || busy.Load() != 2 {
		t.Errorf("all busy: %+v after %d requests", d, busy.Load())
	}
}

// Whoever gives up is told so, also between two tries, and the copy that was
// asked is not held to have failed.
func TestGivingUp(t *testing.T) {
	asked := make(chan struct{}, 1)
	busy := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "2")
		w.WriteHeader(http.StatusServiceUnavailable)
		asked <- struct{}{}
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; time.Sleep(20 * time.Millisecond); cancel() }()
	if d := busy.Evaluate(ctx, wire); d.Allowed || !errors.Is(d.Err, context.Canceled) {
		t.Errorf("%+v", d)
	}

	hangs := serve(t, func(_ http.ResponseWriter, r *http.Request) { asked <- struct{}{}; <-r.Context().Done() })
	why := errors.New("the customer went away")
	gone, give := context.WithCancelCause(t.Context())
	go func() { <-asked; give(why) }()
	if d := hangs.Evaluate(gone, wire); d.Allowed || !errors.Is(d.Err, why) {
		t.Errorf("%+v", d)
	}
	if copies := hangs.Copies(); !copies[0].Healthy || copies[0].Failed != 0 {
		t.Errorf("the copy is blamed: %+v", copies)
	}
}

// A provider of tokens that fails says nothing about the servers, and is not
// asked again for what it refused.
func TestAProviderThatRefuses(t *testing.T) {
	var fetched atomic.Int64
	status := http.StatusUnauthorized
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fetched.Add(1)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"error":"invalid_client","error_description":"Nobody."}`)
	}))
	t.Cleanup(provider.Close)
	c, err := New("http://localhost:1", WithCopies("http://localhost:2"), WithClientCredentials(ClientCredentials{TokenAddress: provider.URL, ID: "hub", Secret: "s"}))
	if err != nil {
		t.Fatal(err)
	}
	d := c.Evaluate(t.Context(), wire)
	p, ok := errors.AsType[*Problem](d.Err)
	if d.Allowed || !errors.Is(d.Err, ErrToken) || !ok || p.Code != "invalid_client" || p.Message != "Nobody." || fetched.Load() != 1 {
		t.Errorf("%+v after %d fetches", d, fetched.Load())
	}
	fetched.Store(0)
	status = http.StatusServiceUnavailable
	began := time.Now()
	if d := c.Evaluate(t.Context(), wire); d.Allowed || !errors.Is(d.Err, ErrToken) || fetched.Load() != usualTries || time.Since(began) < 3*time.Millisecond {
		t.Errorf("%+v after %d fetches and %s", d, fetched.Load(), time.Since(began))
	}
	for _, one := range c.Copies() {
		if !one.Healthy || one.Last != nil {
			t.Errorf("a server is blamed: %+v", one)
		}
	}
}

// What cannot stand in a header is refused where it is given, and no server is
// held to have failed for it.
func TestWhatCannotTravelIsRefused(t *testing.T) {
	c := serve(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("it was asked %s", r.URL) })
	long := strings.Repeat("k", 256)
	for _, key := range []string{"two words", "two\nlines", "é", long} {
		for verb, err := range map[string]error{
			"authorized": c.Authorize(t.Context(), Payment{Ref: "r", Member: "m", Operation: "o"}, key).Err, "approved": c.Approve(t.Context(), "r", "m", key).Err,
			"confirmed": c.Confirm(t.Context(), "r", key).Err, "voided": c.Void(t.Context(), "r", key).Err, "cancelled": c.Cancel(t.Context(), "r", key).Err,
		} {
			if !errors.Is(err, ErrKey) {
				t.Errorf("%s under %q: %v", verb, key, err)
			}
		}
	}
	q := wire
	q.AtLeast = "two\nlines"
	if d := c.Evaluate(t.Context(), q); !errors.Is(d.Err, ErrRevision) {
		t.Errorf("%+v", d)
	}
	if _, err := c.Explain(t.Context(), q); !errors.Is(err, ErrRevision) {
		t.Error(err)
	}
	if copies := c.Copies(); copies[0].Last != nil {
		t.Errorf("%+v", copies)
	}
	for name, option := range map[string]Option{"key": WithKey("mk_\n1"), "agent": WithAgent("a\r\nb"), "no agent": WithAgent("")} {
		if _, err := New("https://api.example", option); err == nil {
			t.Errorf("the %s is taken", name)
		}
	}
}

// Each transport changes what it was given to trust and show: none is shared.
func TestTransportsShareNothing(t *testing.T) {
	s := settings{try: time.Second, tls: &tls.Config{MinVersion: tls.VersionTLS13}}
	of := func(c *http.Client) *tls.Config { return c.Transport.(*http.Transport).TLSClientConfig }
	if first, second := of(transport(s)), of(transport(s)); first == second || first == s.tls {
		t.Error("two transports have one configuration")
	}
}

// A connection whose other end is gone without a word is given up: questions do
// not go on waiting for it.
func TestASilentConnectionIsReplaced(t *testing.T) {
	server := httptest.NewUnstartedServer(says(`{"decision":true}`))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	net := silencer(t, server.Listener.Addr().String())
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	c, err := New("https://"+net.address, WithTLS(&tls.Config{RootCAs: roots}), WithTries(20), WithPatience(100*time.Millisecond, 20*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if d := c.Evaluate(t.Context(), wire); !d.Allowed {
		t.Fatalf("%+v", d)
	}
	net.silence()
	if d := c.Evaluate(t.Context(), wire); !d.Allowed {
		t.Errorf("after the connection fell silent: %+v", d)
	}
}

// A silencedNet carries connections until they are silenced: they stay open, and
// nothing comes through any more. New ones are carried.
type silencedNet struct {
	address string
	mu      sync.Mutex
	open    []*atomic.Bool
}

func (n *silencedNet) silence() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, silent := range n.open {
		silent.Store(true)
	}
}

func silencer(t *testing.T, to string) *silencedNet {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &silencedNet{address: listener.Addr().String()}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				_ = near.Close()
				continue
			}
			silent := &atomic.Bool{}
			n.mu.Lock()
			n.open = append(n.open, silent)
			n.mu.Unlock()
			go carry(far, near, silent)
			go carry(near, far, silent)
		}
	}()
	return n
}

// carry copies what comes until its connection ends, and keeps it to itself once
// it is silent.
func carry(to, from net.Conn, silent *atomic.Bool) {
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if silent.Load() {
			continue
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}
