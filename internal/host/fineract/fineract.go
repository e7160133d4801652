// Package fineract is a host.Connector for Apache Fineract, a core that was not
// written for us, through its published API. It does what that API can do all of
// or nothing, and refuses the rest with NOT_OFFERED before anything is done.
//
// It stores nothing. What it asked for is found again in Fineract: under the
// Idempotency-Key, and by a mark that every transaction of ours carries.
// docs/host-fineract.md says what is offered; decisions 0077 and 0078 say why.
package fineract

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/host"
)

// Scheme begins the address of a Fineract where a host is configured:
// fineract+https://core.example/fineract-provider/api/v1.
const Scheme = "fineract+"

// Named limits.
const (
	requestTime  = 8 * time.Second
	lookTime     = 3 * time.Second // for what stands on a screen, which says so when the host does not answer
	maxAnswer    = 4 << 20         // bytes
	atOnce       = 8               // reads beside each other
	pageSize     = 200
	maxPages     = 50
	maxAttempts  = 9 // at one order that Fineract failed for good, see ask
	maxMemo      = 60
	maxStatement = 1000
	maxMoves     = 4 // of a list while it is read

	underWayPause = 100 * time.Millisecond
	maxWaits      = 5
)

// Config says which Fineract is spoken to. Names are the refs that decision 0078
// describes.
type Config struct {
	Address   string // begins with Scheme
	Settings  Settings
	Names     host.Names
	Transport http.RoundTripper // nil: the usual one
	Timeout   time.Duration     // of one request; zero: the usual one
}

// A Connector speaks to one Fineract, in a tenant for each institution.
type Connector struct {
	base     *url.URL
	settings Settings
	names    host.Names
	http     *http.Client
}

var _ host.Connector = (*Connector)(nil)
var _ host.People = (*Connector)(nil)

// New returns a connector. It connects to nothing yet.
func New(c Config) (*Connector, error) {
	base, err := address(c.Address)
	if err != nil {
		return nil, err
	}
	if c.Timeout == 0 {
		c.Timeout = requestTime
	}
	return &Connector{base: base, settings: c.Settings, names: c.Names, http: &http.Client{
		Transport:     c.Transport,
		Timeout:       c.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// address reads where the API is. Credentials go over it, so that only this
// machine is spoken to without TLS.
func address(text string) (*url.URL, error) {
	rest, ours := strings.CutPrefix(text, Scheme)
	base, err := url.Parse(rest)
	switch {
	case err != nil || !ours || base.Host == "" || base.Scheme != "https" && base.Scheme != "http":
		return nil, errors.New("the host's address is not one like fineract+https://core.example/fineract-provider/api/v1")
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return nil, errors.New("the host's address has more than scheme, host, port and path; credentials belong into the settings")
	case base.Scheme == "http" && base.Hostname() != "localhost" && base.Hostname() != "127.0.0.1":
		return nil, errors.New("the host's address must be https: only this machine is spoken to without")
	}
	base.Path = strings.TrimSuffix(base.Path, "/")
	return base, nil
}

// house finds the tenant of an institution.
func (c *Connector) house(institution bank.InstitutionID) (*House, error) {
	house, known := c.settings.Institutions[institution]
	if !known {
		return nil, fmt.Errorf("fineract: no tenant is set for the institution %s", institution)
	}
	return &house, nil
}

// Cards are none: Fineract has no cards.
func (c *Connector) Cards(context.Context, bank.InstitutionID, bank.OrganizationID) ([]host.Card, error) {
	return nil, nil
}

// Presented is nothing: Fineract clears no checks.
func (c *Connector) Presented(context.Context, bank.InstitutionID, string, int) ([]host.Presented, error) {
	return nil, nil
}

// Image is never there.
func (c *Connector) Image(context.Context, bank.InstitutionID, string, host.Side) ([]byte, error) {
	return nil, host.ErrNoImage
}
