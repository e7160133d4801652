package oidc

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/grant"
	"mandate/internal/outbox"
	"mandate/internal/outward"
)

const (
	logoutTokenLifetime = 2 * time.Minute
	logoutEvent         = "http://schemas.openid.net/event/backchannel-logout"
	logoutPatience      = 5 * time.Second
)

// logout begins a sign-out that a product asks for. Nothing ends by being sent
// here: the console asks the person, who may have come by anybody's link.
func (p *Provider) logout(w http.ResponseWriter, r *http.Request, t *turn) {
	if err := r.ParseForm(); err != nil {
		p.problem(w, r, fault.New(fault.Invalid, "The request could not be read.").Because(err))
		return
	}
	if err := onceEach(r.Form); err != nil {
		p.problem(w, r, err)
		return
	}
	at, client, to := t.issuer, r.Form.Get("client_id"), r.Form.Get("post_logout_redirect_uri")
	if token := r.Form.Get("id_token_hint"); token != "" {
		known, err := p.readHint(r.Context(), t.issuer, token)
		if err == nil && client != "" && !slices.Contains(known.Audience, client) {
			err = errHint
		}
		if err != nil {
			p.problem(w, r, err)
			return
		}
		if client == "" && len(known.Audience) == 1 {
			client = known.Audience[0]
		}
		if at == grant.Neutral {
			at = known.Institution
		}
	}
	if err := p.checkLeaving(r, t, client, to); err != nil {
		p.problem(w, r, err)
		return
	}
	if at == grant.Neutral {
		p.problem(w, r, fault.New(fault.Invalid, "The ID token of the sign-in that should end is missing."))
		return
	}
	onward(w, "/"+pathOf(at)+signOutPath+"?"+leaving(pathOf(t.issuer), client, to, r.Form.Get("state")).Encode(), "Continue to the sign-out")
}

func leaving(issuer, client, to, state string) url.Values {
	q := url.Values{"issuer": {issuer}}
	for name, value := range map[string]string{"client_id": client, "post_logout_redirect_uri": to, "state": state} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// checkLeaving refuses to lead anybody to an address that is not registered for
// that.
func (p *Provider) checkLeaving(r *http.Request, t *turn, client, to string) error {
	if to == "" {
		return nil
	}
	a, err := p.lookup(r, t, client)
	if err == nil && !slices.Contains(a.PostLogouts, to) {
		err = fault.New(fault.Invalid, "This is not one of the addresses to which the application may lead people after a sign-out.")
	}
	return err
}

// Leave leads somebody who has signed out back to the product that asked for
// it. It reports whether there is such a way.
func (p *Provider) Leave(w http.ResponseWriter, r *http.Request) (bool, error) {
	q := r.URL.Query()
	issuer := bank.InstitutionID(q.Get("issuer"))
	if issuer == NeutralPath {
		issuer = grant.Neutral
	}
	to := q.Get("post_logout_redirect_uri")
	if to == "" {
		return false, nil
	}
	t := p.newTurn(r, issuer)
	if err := p.checkLeaving(r, t, q.Get("client_id"), to); err != nil {
		return false, err
	}
	address, err := url.Parse(to)
	if err != nil {
		return false, fmt.Errorf("read a registered address: %w", err)
	}
	if state := q.Get("state"); state != "" {
		values := address.Query()
		values.Set("state", state)
		address.RawQuery = values.Encode()
	}
	onward(w, address.String(), "Continue")
	return true, nil
}

// A Courier tells applications that somebody's sign-in ended.
type Courier struct {
	Provider *Provider
	// Local lets addresses on this machine and on private networks be called:
	// where the product itself is served on one.
	Local bool
}

// client calls what was registered and nothing that it leads to.
func (c *Courier) client() *http.Client {
	return outward.Caller{Patience: logoutPatience, MaxBody: 2 * maxBody, Local: c.Local}.Client()
}

// Deliver tells one application. The same delivery carries the same name, so
// that it can be told from another.
func (c *Courier) Deliver(ctx context.Context, d outbox.Delivery) error {
	var n grant.Notice
	if err := json.Unmarshal(d.Payload, &n); err != nil {
		return fmt.Errorf("read the notice: %w: %w", err, outbox.ErrHopeless)
	}
	token, err := c.Provider.logoutToken(ctx, n, d.ID)
	if err != nil {
		return err
	}
	body := strings.NewReader(url.Values{"logout_token": {token}}.Encode())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, n.To, body)
	if err != nil {
		return fmt.Errorf("%w: %w", err, outbox.ErrHopeless)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	got, err := c.client().Do(r)
	if err != nil {
		return fmt.Errorf("call the application: %w", err)
	}
	defer got.Body.Close()
	io.CopyN(io.Discard, got.Body, maxBody) // what it says does not matter
	switch {
	case got.StatusCode < http.StatusMultipleChoices:
		return nil
	case got.StatusCode == http.StatusBadRequest:
		return fmt.Errorf("the application refuses the logout token: %w", outbox.ErrHopeless)
	}
	return fmt.Errorf("the application answered %d", got.StatusCode)
}

func (p *Provider) logoutToken(ctx context.Context, n grant.Notice, id string) (string, error) {
	keys, err := p.Grants.SigningKeys(ctx, n.Issuer)
	if err != nil {
		return "", err
	}
	if len(keys) == 0 || keys[0].Private == nil {
		return "", fmt.Errorf("the issuer %q has no key", n.Issuer)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: keys[0].Private, KeyID: keys[0].ID}},
		(&jose.SignerOptions{}).WithType("logout+jwt"))
	if err != nil {
		return "", fmt.Errorf("sign the logout token: %w", err)
	}
	now := p.Clock.Now()
	claims := map[string]any{
		"iss": p.Issuer(n.Issuer), "aud": string(n.Application), "sub": string(n.Subject), "sid": n.SignIn, "jti": id,
		"iat": now.Unix(), "exp": now.Add(logoutTokenLifetime).Unix(), "events": map[string]any{logoutEvent: map[string]any{}},
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		return "", fmt.Errorf("sign the logout token: %w", err)
	}
	return token, nil
}
