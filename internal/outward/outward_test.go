package outward_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"mandate/internal/outward"
)

func TestInside(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1": true, "::1": true, "10.0.0.1": true, "192.168.1.1": true, "172.16.0.1": true, "169.254.169.254": true, "0.0.0.0": true,
		"::ffff:127.0.0.1": true, "fe80::1": true, "fd00::1": true, "100.64.0.1": true, "224.0.0.1": true, "255.255.255.255": true,
		"64:ff9b::7f00:1": true, "2002:7f00:1::": true, "192.0.2.1": false, "8.8.8.8": false, "2606:4700::1111": false,
	} {
		if got := outward.Inside(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %t, want %t", address, got, want)
		}
	}
}

// A server on this machine is not called, nor is what leads there followed; one
// that says more than is read is not heard, and one that is slow is not waited
// for.
func TestCalls(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/long":
			io.WriteString(w, strings.Repeat("x", 2000))
		case "/away":
			http.Redirect(w, r, "/short", http.StatusFound)
		case "/slow":
			select {
			case <-r.Context().Done():
			case <-time.After(10 * time.Second):
			}
		default:
			io.WriteString(w, strings.Repeat("x", 1000))
		}
	}))
	t.Cleanup(server.Close)
	call := func(c outward.Caller, path string) (int, int, error) {
		r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Client().Do(r)
		if err != nil {
			return 0, 0, err
		}
		defer got.Body.Close()
		text, err := io.ReadAll(got.Body)
		return got.StatusCode, len(text), err
	}
	if _, _, err := call(outward.Caller{Patience: time.Second, MaxBody: 1000}, "/short"); !errors.Is(err, outward.ErrInside) {
		t.Errorf("this machine is called: %v", err)
	}
	local := outward.Caller{Patience: time.Second, MaxBody: 1000, Local: true}
	if status, n, err := call(local, "/short"); status != 200 || n != 1000 || err != nil {
		t.Errorf("a thousand bytes: %d %d %v", status, n, err)
	}
	if _, _, err := call(local, "/long"); !errors.Is(err, outward.ErrLong) {
		t.Errorf("two thousand: %v", err)
	}
	if status, _, err := call(local, "/away"); status != http.StatusFound || err != nil {
		t.Errorf("a redirect: %d %v", status, err)
	}
	local.Patience = 100 * time.Millisecond
	if _, _, err := call(local, "/slow"); err == nil {
		t.Error("a slow server is waited for")
	}
}
