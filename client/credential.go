package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// A credential proves who asks.
type credential interface {
	prove(context.Context, *http.Request) error

	// renew forgets the Authorization that was refused, and reports whether it can
	// be made anew.
	renew(refused string) bool
}

const bearer = "Bearer "

// none proves nothing in a request: the connection's certificate does.
type none struct{}

func (none) prove(context.Context, *http.Request) error { return nil }
func (none) renew(string) bool                          { return false }

// An apiKey is secret and does not print.
type apiKey string

func (k apiKey) prove(_ context.Context, r *http.Request) error {
	r.Header.Set("Authorization", bearer+string(k))
	return nil
}

func (apiKey) renew(string) bool            { return false }
func (apiKey) Format(s fmt.State, _ rune)   { _, _ = io.WriteString(s, "(secret)") }
func (apiKey) MarshalText() ([]byte, error) { return []byte("(secret)"), nil }

// ClientCredentials are how a program proves itself to the institution's
// provider (OAuth 2, client credentials).
type ClientCredentials struct {
	TokenAddress string // where tokens are fetched
	ID           string
	Secret       string
	Scope        string // what the token is asked to be for; empty: what the provider gives
	Resource     string // which API the token is for (RFC 8707); empty: not said

	// Assertion makes a signed statement of who asks, where the program proves
	// itself by a key instead of a secret (RFC 7523). It is called for every
	// token.
	Assertion func(ctx context.Context) (string, error)
}

// Format does not print the secret.
func (c ClientCredentials) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "client credentials of %q", c.ID)
}

// Bounds of tokens.
const (
	maxToken   = 64 << 10
	usualToken = time.Minute // of a token that does not say how long it lasts
	tokenEdge  = 30 * time.Second
)

// tokens are fetched by one at a time and used by all.
type tokens struct {
	ClientCredentials
	client func() *http.Client
	once   sync.Once
	http   *http.Client

	lock  chan struct{} // held by whoever fetches
	mu    sync.Mutex
	token string
	until time.Time
}

func newTokens(cc ClientCredentials, client func() *http.Client) (*tokens, error) {
	if _, err := readAddress(cc.TokenAddress); err != nil {
		return nil, fmt.Errorf("%w (where tokens are fetched)", err)
	}
	if cc.ID == "" || (cc.Secret == "") == (cc.Assertion == nil) {
		return nil, errors.New("mandate: client credentials are an id, and a secret or an assertion")
	}
	return &tokens{ClientCredentials: cc, client: client, lock: make(chan struct{}, 1)}, nil
}

func (t *tokens) prove(ctx context.Context, r *http.Request) error {
	token, err := t.get(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrToken, err)
	}
	r.Header.Set("Authorization", bearer+token)
	return nil
}

// renew forgets the token that was refused. One that somebody else fetched
// meanwhile stays.
func (t *tokens) renew(refused string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if refused == bearer+t.token {
		t.token = ""
	}
	return true
}

func (t *tokens) kept() (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.token, t.token != "" && time.Now().Before(t.until)
}

func (t *tokens) get(ctx context.Context) (string, error) {
	if token, ok := t.kept(); ok {
		return token, nil
	}
	select {
	case t.lock <- struct{}{}:
		defer func() { <-t.lock }()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	if token, ok := t.kept(); ok { // somebody else fetched it meanwhile
		return token, nil
	}
	token, lasts, err := t.fetch(ctx)
	if err != nil {
		return "", err
	}
	t.mu.Lock()
	t.token, t.until = token, time.Now().Add(lasts-min(tokenEdge, lasts/4))
	t.mu.Unlock()
	return token, nil
}

func (t *tokens) fetch(ctx context.Context) (string, time.Duration, error) {
	form, err := t.form(ctx)
	if err != nil {
		return "", 0, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.TokenAddress, strings.NewReader(form.Encode()))
	if err != nil {
		return "", 0, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	if t.Assertion == nil {
		r.SetBasicAuth(url.QueryEscape(t.ID), url.QueryEscape(t.Secret))
	}
	t.once.Do(func() { t.http = t.client() })
	response, err := t.http.Do(r)
	if err != nil {
		return "", 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxToken))
	if err != nil {
		return "", 0, err
	}
	if response.StatusCode != http.StatusOK {
		return "", 0, refusedToken(response.StatusCode, response.Header, text)
	}
	return readToken(text)
}

// refusedToken is why a provider gives no token. What it refuses for good is not
// asked for again.
func refusedToken(status int, header http.Header, text []byte) *Problem {
	p := &Problem{Status: status, Message: http.StatusText(status), RetryAfter: retryAfter(header, time.Now())}
	if o, err := readObject(text); err == nil {
		t := taker{of: o}
		p.Code, p.Message = short(t.text("error")), cmp.Or(short(t.text("error_description")), p.Message)
	}
	return p
}

func (t *tokens) form(ctx context.Context) (url.Values, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	if t.Scope != "" {
		form.Set("scope", t.Scope)
	}
	if t.Resource != "" {
		form.Set("resource", t.Resource)
	}
	if t.Assertion == nil {
		return form, nil
	}
	assertion, err := t.Assertion(ctx)
	if err != nil {
		return nil, err
	}
	form.Set("client_id", t.ID)
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", assertion)
	return form, nil
}

func readToken(text []byte) (string, time.Duration, error) {
	o, err := readObject(text)
	if err != nil {
		return "", 0, fmt.Errorf("the provider's answer cannot be read: %w", err)
	}
	m := taker{of: o}
	token := m.text("access_token")
	if m.wrong != nil || token == "" || !visible(token, maxToken) || !strings.EqualFold(m.text("token_type"), "Bearer") {
		return "", 0, errors.New("the provider's answer holds no bearer token")
	}
	lasts := usualToken
	if n, ok := o["expires_in"].(json.Number); ok {
		if seconds, err := n.Int64(); err == nil && seconds > 0 && seconds < 1<<30 {
			lasts = time.Duration(seconds) * time.Second
		}
	}
	return token, lasts, nil
}
