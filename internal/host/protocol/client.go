package protocol

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"mandate/internal/bank"
	"mandate/internal/host"
)

// How long somebody waits for a host. Screens say that it does not answer
// rather than wait with it; nobody looks at the other two.
const (
	lookTime  = 3 * time.Second  // balances and what else stands on a screen
	orderTime = 15 * time.Second // an order, which is asked again
	listTime  = 20 * time.Second // a page of items, users or events
)

// A host that let so many looks in a row wait in vain is left alone for a while:
// screens then say at once that it does not answer.
const (
	patience = 3
	rest     = 5 * time.Second
)

// errSlow is why a look ended that the host let wait.
var errSlow = errors.New("protocol: the host has not answered in time")

// errResting is a look that was not taken.
var errResting = errors.New("protocol: the host has not answered in time before, and is not asked for a moment")

// An Address is where an institution's host answers.
type Address struct {
	URL string // what the addresses of the protocol begin with
	Key string
}

// String never shows the key.
func (a Address) String() string { return a.URL }

// A Client asks hosts by the protocol. It is a host.Connector and host.People.
// Whatever is not a well-formed answer is an error, which says that it is not
// known what came of it: never a refusal, never a success.
type Client struct {
	at    func(bank.InstitutionID) (Address, bool)
	names host.Names
	http  *http.Client
	waits waits
}

var (
	_ host.Connector = (*Client)(nil)
	_ host.People    = (*Client)(nil)
)

// NewClient returns a client for the hosts of institutions. Without a transport
// it calls over the network.
func NewClient(at func(bank.InstitutionID) (Address, bool), names host.Names, transport http.RoundTripper) *Client {
	if transport == nil {
		transport = network()
	}
	return &Client{at: at, names: names, waits: waits{of: map[bank.InstitutionID]wait{}}, http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Everywhere is one address for all institutions.
func Everywhere(a Address) func(bank.InstitutionID) (Address, bool) {
	return func(bank.InstitutionID) (Address, bool) { return a, true }
}

// network calls what the operator named, wherever it is: a bank's core stands in
// its own network. Proxies of the environment are not asked.
func network() http.RoundTripper {
	dialer := &net.Dialer{Timeout: lookTime, KeepAlive: 30 * time.Second}
	return &http.Transport{
		DialContext: dialer.DialContext, TLSHandshakeTimeout: lookTime, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
		MaxConnsPerHost: 64, MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second, ResponseHeaderTimeout: listTime,
		MaxResponseHeaderBytes: 64 << 10, DisableCompression: true, ForceAttemptHTTP2: true,
	}
}

// A request is one question to a host.
type request struct {
	institution bank.InstitutionID
	method      string
	name        string // of the address
	query       url.Values
	key         string // of an order
	body        any
	time        time.Duration
	look        bool // somebody waits before a screen
}

// ask asks, and reads the answer into one of the types of this package.
func (c *Client) ask(ctx context.Context, q request, into any) error {
	kind, text, err := c.send(ctx, q, maxAnswer)
	if err == nil && kind != "application/json" {
		err = fmt.Errorf("it answers %q, and not application/json", kind)
	}
	if err == nil {
		err = read(text, into, false)
	}
	if err != nil {
		return fmt.Errorf("ask the host for %s: %w", q.name, err)
	}
	return nil
}

// send sends a request and takes the body of the one answer that counts, 200.
func (c *Client) send(ctx context.Context, q request, bound int64) (kind string, text []byte, err error) {
	at, known := c.at(q.institution)
	if !known {
		return "", nil, fmt.Errorf("no host is set for the institution %s", q.institution)
	}
	if q.look && !c.waits.may(q.institution, time.Now()) {
		return "", nil, errResting
	}
	within, cancel := context.WithTimeout(ctx, q.time)
	defer cancel()
	kind, text, err = c.carry(within, at, q, bound)
	if q.look && (ctx.Err() == nil || context.Cause(ctx) == errSlow) { // whoever went away says nothing about the host
		c.waits.note(q.institution, errors.Is(err, context.DeadlineExceeded), time.Now())
	}
	return kind, text, err
}

func (c *Client) carry(ctx context.Context, at Address, q request, bound int64) (kind string, text []byte, err error) {
	var body io.Reader
	if q.body != nil {
		written, err := json.Marshal(q.body)
		if err != nil {
			return "", nil, fmt.Errorf("write the request: %w", err)
		}
		body = bytes.NewReader(written)
	}
	address := strings.TrimSuffix(at.URL, "/") + prefix + url.PathEscape(string(q.institution)) + "/" + q.name
	if len(q.query) > 0 {
		address += "?" + q.query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, q.method, address, body)
	if err != nil {
		return "", nil, errors.New("the host's address is not one") // the library repeats it, with what stands in it
	}
	r.Header.Set("Authorization", "Bearer "+at.Key)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "mandate")
	if q.body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if q.key != "" {
		r.Header.Set(keyHeader, q.key)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return "", nil, fmt.Errorf("no answer: %w", err)
	}
	defer answer.Body.Close()
	text, err = io.ReadAll(io.LimitReader(answer.Body, bound+1))
	switch {
	case err != nil:
		return "", nil, fmt.Errorf("the answer was cut off: %w", err)
	case int64(len(text)) > bound:
		return "", nil, fmt.Errorf("the answer is larger than %d bytes", bound)
	}
	kind, _, _ = strings.Cut(answer.Header.Get("Content-Type"), ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	if answer.StatusCode != http.StatusOK {
		return "", nil, failure(answer.StatusCode, kind, text)
	}
	return kind, text, nil
}

// failure is what an answer other than 200 says. Only a problem with both its
// status and its code is one that is told apart: a gateway in between may answer
// 404 for reasons of its own.
func failure(status int, kind string, text []byte) error {
	var said Problem
	if kind != "application/problem+json" || read(text, &said, false) != nil {
		return fmt.Errorf("it answers %d", status)
	}
	for _, p := range problems {
		if p.status == status && p.code == said.Code {
			return p.err
		}
	}
	return fmt.Errorf("it answers %d %s: %.200s", status, said.Code, strings.Join(append([]string{said.Detail}, said.Errors...), "; "))
}

// page asks for a page of a list.
func (c *Client) page(ctx context.Context, institution bank.InstitutionID, name, after string, most int, into any) error {
	query := url.Values{"most": {strconv.Itoa(min(max(most, 1), maxPage))}}
	if after != "" {
		query.Set("after", after)
	}
	return c.ask(ctx, request{institution: institution, method: http.MethodGet, name: name, query: query, time: listTime}, into)
}

// About says what a host is, and what it offers to an institution.
func (c *Client) About(ctx context.Context, institution bank.InstitutionID) (about About, err error) {
	err = c.ask(ctx, request{institution: institution, method: http.MethodGet, name: "about", time: lookTime}, &about)
	if err == nil && about.Protocol != Version {
		err = fmt.Errorf("the host speaks version %d of the protocol, and not %d", about.Protocol, Version)
	}
	return about, err
}

// waits remembers which hosts let looks wait in vain.
type waits struct {
	mu sync.Mutex
	of map[bank.InstitutionID]wait
}

type wait struct {
	inVain int
	until  time.Time
}

func (w *waits) may(institution bank.InstitutionID, now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !now.Before(w.of[institution].until)
}

func (w *waits) note(institution bank.InstitutionID, inVain bool, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !inVain {
		delete(w.of, institution)
		return
	}
	one := w.of[institution]
	if one.inVain++; one.inVain >= patience {
		one.until = now.Add(rest)
	}
	w.of[institution] = one
}
