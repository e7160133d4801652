// Package outward calls addresses that somebody outside has chosen: where a
// product hears of a sign-out, or where an institution's own provider lives. It
// goes to no address on this machine or on a private network, follows nothing,
// waits for nobody, and reads no more than it was told to.
package outward

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// ErrInside refuses an address that lies on this machine or on a private network.
var ErrInside = errors.New("this address is not called: it lies on this machine or on a private network")

// ErrLong says that an answer is longer than is read.
var ErrLong = errors.New("the answer is too long")

// A Caller is how addresses are called.
type Caller struct {
	Patience time.Duration // for a whole answer
	MaxBody  int64         // of an answer, in bytes
	// Local lets addresses on this machine and on private networks be called:
	// where the product itself is served on one.
	Local bool
}

// Client calls like this. The address is judged after its name was looked up and
// as the connection is made, so that a name cannot mean something else then.
func (c Caller) Client() *http.Client {
	dialer := &net.Dialer{Timeout: c.Patience, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("read the address: %w", err)
		}
		if !c.Local && Inside(at.Addr()) {
			return ErrInside
		}
		return nil
	}}
	plain := &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: c.Patience, ResponseHeaderTimeout: c.Patience,
		MaxResponseHeaderBytes: 64 << 10, DisableKeepAlives: true}
	return &http.Client{
		Timeout:       c.Patience,
		Transport:     bounded{plain, c.MaxBody},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// reserved are networks that are nobody's on the internet, beside those that the
// standard library knows: shared by carriers, for tests, and ways of writing an
// older address as a newer one.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32"),
}

// Inside reports whether an address lies where nobody outside could be.
func Inside(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	for _, network := range reserved {
		if network.Contains(ip) {
			return true
		}
	}
	return !ip.IsValid() || ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsLinkLocalMulticast() || ip.IsUnspecified() || ip.IsMulticast()
}

// bounded cuts off answers that are too long.
type bounded struct {
	http.RoundTripper
	most int64
}

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	got, err := b.RoundTripper.RoundTrip(r)
	if err != nil || b.most == 0 {
		return got, err
	}
	got.Body = &body{got.Body, b.most}
	return got, nil
}

type body struct {
	io.ReadCloser
	left int64
}

// Read fails where the answer goes on: a part of it is not the answer.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, ErrLong
	}
	return n, err
}
