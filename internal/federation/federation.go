// Package federation is the other side of OpenID Connect: an institution's staff
// sign in through a provider of its own, and we are the product that asks. It
// goes out and comes back with what the provider has said, and proves that it was
// that provider, to us, now, about this browser's sign-in. Whom that lets in is
// identity's to say; what is kept between going and coming, too.
//
// Authorization code with an S256 challenge, and nothing else. The secret of each
// sign-in comes back once, in the browser that took it there, at an address that
// is this institution's alone.
package federation

import (
	"context"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/outward"
)

// Named limits.
const (
	patience     = 8 * time.Second
	maxAnswer    = 1 << 20
	maxParameter = 4096      // characters of what comes back in an address
	knownFor     = time.Hour // a provider's description is read again after
	maxAge       = 10 * time.Minute
	skew         = time.Minute
)

// CallbackPath is where people come back, below the institution's part of the
// path.
const CallbackPath = "/sign-in/outside/back"

// Identity is what it needs of the room of proving who somebody is.
type Identity interface {
	Provider(context.Context, bank.InstitutionID) (identity.Provider, error)
	BeginOutside(ctx context.Context, institution bank.InstitutionID, browser identity.Secret, back string, from identity.Source) (identity.Errand, error)
	TakeOutside(ctx context.Context, institution bank.InstitutionID, state, browser identity.Secret, from identity.Source) (identity.Errand, error)
	SignInOutside(ctx context.Context, institution bank.InstitutionID, said identity.Claimed, from identity.Source) (identity.Granted, error)
}

// A Relying is us, as providers know us.
type Relying struct {
	origin   string // of the console: where people come back to
	identity Identity
	clock    bank.Clock
	log      *slog.Logger
	client   *http.Client
	local    bool

	mu    sync.Mutex
	known map[bank.InstitutionID]*described
}

// New returns it. local lets providers on this machine and on private networks be
// called.
func New(origin string, who Identity, clock bank.Clock, log *slog.Logger, local bool) *Relying {
	return &Relying{origin: origin, identity: who, clock: clock, log: log, local: local,
		client: outward.Caller{Patience: patience, MaxBody: maxAnswer, Local: local}.Client(), known: map[bank.InstitutionID]*described{}}
}

// A described is a provider as it describes itself.
type described struct {
	*oidc.Provider
	issuer string
	read   time.Time
	names  bool // it names itself in its answers
	posts  bool // it wants our secret in the body
}

// Refusals. What is wrong in an answer is for the log: whoever made it up should
// not be helped, and whoever did not cannot.
var (
	errAway   = fault.New(fault.Unavailable, "Your institution’s provider does not answer now. Try again in a minute, or sign in with your password where you have one.").With("PROVIDER_AWAY")
	errAnswer = fault.New(fault.Forbidden, "What came back from the provider cannot be trusted, so you are not signed in. Start again. If it happens twice, tell your administrator.").With("PROVIDER_ANSWER")
	errDenied = fault.New(fault.Forbidden, "You were not signed in there. Start again, or sign in with your password where you have one.").With("PROVIDER_DENIED")
)

// describe reads what a provider says of itself, or remembers it.
func (r *Relying) describe(ctx context.Context, institution bank.InstitutionID, issuer string) (*described, error) {
	now := r.clock.Now()
	r.mu.Lock()
	d := r.known[institution]
	r.mu.Unlock()
	if d != nil && d.issuer == issuer && now.Sub(d.read) < knownFor {
		return d, nil
	}
	d, err := r.read(ctx, issuer, now)
	if err != nil {
		return nil, errAway.Because(err)
	}
	r.mu.Lock()
	r.known[institution] = d
	r.mu.Unlock()
	return d, nil
}

func (r *Relying) read(ctx context.Context, issuer string, now time.Time) (*described, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, r.client), issuer)
	if err != nil {
		return nil, err
	}
	d := &described{Provider: found, issuer: issuer, read: now}
	var more struct {
		Names   bool     `json:"authorization_response_iss_parameter_supported"`
		Methods []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := found.Claims(&more); err != nil {
		return nil, err
	}
	d.names = more.Names
	d.posts = len(more.Methods) > 0 && !contains(more.Methods, "client_secret_basic")
	for _, address := range []string{found.Endpoint().AuthURL, found.Endpoint().TokenURL} {
		if at, err := url.Parse(address); err != nil || at.Host == "" || at.Scheme != "https" && !(r.local && at.Scheme == "http") {
			return nil, errors.New("an address of the provider is not https: " + address)
		}
	}
	return d, nil
}

func contains(all []string, one string) bool {
	for _, each := range all {
		if each == one {
			return true
		}
	}
	return false
}

// Try reads a provider's description, so that whoever connects it hears at once
// what is wrong with the issuer.
func (r *Relying) Try(ctx context.Context, issuer string) error {
	if _, err := r.read(ctx, issuer, r.clock.Now()); err != nil {
		r.log.WarnContext(ctx, "provider cannot be read", "issuer", issuer, "error", err)
		if mismatch, ok := errors.AsType[*oidc.IssuerMismatchError](err); ok {
			return fault.Problems{{Field: "issuer", Sentence: "There is a provider, but it calls itself " + mismatch.Provided + ". Enter the issuer exactly as it does."}}.Err("The provider cannot be saved like this.")
		}
		return fault.Problems{{Field: "issuer", Sentence: "There is no provider that can be read at this issuer. Its description must be at " + strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration, reachable from here by https."}}.Err("The provider cannot be saved like this.")
	}
	return nil
}

// Callback is the address at which an institution's people come back. The
// provider must know it.
func (r *Relying) Callback(institution bank.InstitutionID) string {
	return r.origin + "/" + url.PathEscape(string(institution)) + CallbackPath
}

func (r *Relying) config(institution bank.InstitutionID, d *described, e *identity.Errand) oauth2.Config {
	endpoint := d.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if d.posts {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return oauth2.Config{ClientID: e.Provider.ClientID, ClientSecret: string(e.Secret), Endpoint: endpoint,
		RedirectURL: r.Callback(institution), Scopes: []string{oidc.ScopeOpenID, "email", "profile"}}
}

// Label is what an institution's provider is called; empty where there is none.
func (r *Relying) Label(ctx context.Context, institution bank.InstitutionID) (string, error) {
	p, err := r.identity.Provider(ctx, institution)
	return p.Label, err
}

// Begin begins a sign-in: where the browser goes, and what it must keep until it
// comes back. login is whom we think it is; it may be empty.
func (r *Relying) Begin(ctx context.Context, institution bank.InstitutionID, browser identity.Secret, back, login string, from identity.Source) (to string, kept identity.Secret, err error) {
	e, err := r.identity.BeginOutside(ctx, institution, browser, back, from)
	if err != nil {
		return "", "", err
	}
	d, err := r.describe(ctx, institution, e.Provider.Issuer)
	if err != nil {
		r.log.WarnContext(ctx, "provider cannot be read", "institution", institution, "error", err)
		return "", "", err
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(string(e.Nonce)), oauth2.S256ChallengeOption(string(e.Verifier))}
	if login != "" {
		options = append(options, oauth2.SetAuthURLParam("login_hint", login))
	}
	config := r.config(institution, d, &e)
	return config.AuthCodeURL(string(e.State), options...), e.Browser, nil
}

// Finish takes a browser back that comes from the provider with an answer.
func (r *Relying) Finish(ctx context.Context, institution bank.InstitutionID, answer url.Values, browser identity.Secret, from identity.Source) (g identity.Granted, back string, err error) {
	for name, values := range answer {
		if len(values) != 1 || len(values[0]) > maxParameter {
			return g, "", r.distrust(ctx, institution, errors.New("the parameter "+name+" is there twice, or too long"))
		}
	}
	e, err := r.identity.TakeOutside(ctx, institution, identity.Secret(answer.Get("state")), browser, from)
	if err != nil {
		return g, "", err
	}
	d, err := r.describe(ctx, institution, e.Provider.Issuer)
	if err != nil {
		return g, e.Back, err
	}
	if iss := answer.Get("iss"); iss != e.Provider.Issuer && (iss != "" || d.names) {
		return g, e.Back, r.distrust(ctx, institution, errors.New("the answer is another issuer's: "+iss))
	}
	if code := answer.Get("error"); code != "" {
		r.log.InfoContext(ctx, "provider refused", "institution", institution, "error", code)
		return g, e.Back, errDenied
	}
	said, err := r.claims(ctx, institution, d, &e, answer.Get("code"))
	if err != nil {
		return g, e.Back, err
	}
	g, err = r.identity.SignInOutside(ctx, institution, said, from)
	return g, e.Back, err
}

// distrust refuses an answer, and says in the log why.
func (r *Relying) distrust(ctx context.Context, institution bank.InstitutionID, why error) error {
	r.log.WarnContext(ctx, "provider's answer refused", "institution", institution, "error", why)
	return errAnswer.Because(why)
}

// claims exchanges the code and reads what the provider says of somebody.
func (r *Relying) claims(ctx context.Context, institution bank.InstitutionID, d *described, e *identity.Errand, code string) (said identity.Claimed, err error) {
	if code == "" {
		return said, r.distrust(ctx, institution, errors.New("there is no code"))
	}
	ctx = oidc.ClientContext(ctx, r.client)
	config := r.config(institution, d, e)
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(string(e.Verifier)))
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.Response.StatusCode < http.StatusInternalServerError {
		return said, r.distrust(ctx, institution, err)
	}
	if err != nil {
		r.log.WarnContext(ctx, "provider does not exchange codes", "institution", institution, "error", err)
		return said, errAway.Because(err)
	}
	raw, _ := token.Extra("id_token").(string)
	found, err := d.VerifierContext(ctx, &oidc.Config{ClientID: e.Provider.ClientID, Now: r.clock.Now}).Verify(ctx, raw)
	if err != nil {
		return said, r.distrust(ctx, institution, err)
	}
	if err := r.check(found, e); err != nil {
		return said, r.distrust(ctx, institution, err)
	}
	all, err := r.allClaims(ctx, d, found, token, e)
	if err != nil {
		return said, r.distrust(ctx, institution, err)
	}
	return claimedOf(&e.Provider, all)
}

// check looks at what the library leaves to us.
func (r *Relying) check(t *oidc.IDToken, e *identity.Errand) error {
	var more struct {
		Party string `json:"azp"`
	}
	if err := t.Claims(&more); err != nil {
		return err
	}
	now := r.clock.Now()
	switch {
	case subtle.ConstantTimeCompare([]byte(t.Nonce), []byte(e.Nonce)) != 1:
		return errors.New("the ID token is of another sign-in")
	case more.Party != "" && more.Party != e.Provider.ClientID, len(t.Audience) > 1 && more.Party == "":
		return errors.New("the ID token is somebody else's")
	case t.IssuedAt.After(now.Add(skew)) || now.Sub(t.IssuedAt) > maxAge:
		return errors.New("the ID token is not of now")
	case t.Subject == "":
		return errors.New("the ID token says of nobody")
	}
	return nil
}

// allClaims are those of the ID token, and where the address is not among them
// those of the address that tells more.
func (r *Relying) allClaims(ctx context.Context, d *described, t *oidc.IDToken, token *oauth2.Token, e *identity.Errand) (map[string]any, error) {
	all := map[string]any{}
	if err := t.Claims(&all); err != nil {
		return nil, err
	}
	if _, there := all[e.Provider.EmailClaim]; there || d.UserInfoEndpoint() == "" {
		return all, nil
	}
	info, err := d.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return all, nil // whoever is linked needs no address; nobody else gets in without one
	}
	if info.Subject != t.Subject {
		return nil, errors.New("the provider tells of somebody else than it signed in")
	}
	more := map[string]any{}
	if err := info.Claims(&more); err != nil {
		return nil, err
	}
	for _, name := range []string{e.Provider.EmailClaim, "email_verified"} {
		if value, there := more[name]; there {
			all[name] = value
		}
	}
	return all, nil
}

// claimedOf reads the claims that the institution has named.
func claimedOf(p *identity.Provider, all map[string]any) (said identity.Claimed, err error) {
	text := func(name string) string {
		value, _ := all[name].(string)
		return strings.TrimSpace(value)
	}
	said = identity.Claimed{Issuer: p.Issuer, Subject: text(p.SubjectClaim)}
	if said.Subject == "" || len(said.Subject) > maxParameter {
		return said, errAnswer
	}
	if verified, _ := all["email_verified"].(bool); verified && p.EmailClaim == "email" || p.Vouches {
		said.Email = text(p.EmailClaim)
	}
	shown := []string{text("acr")}
	if methods, ok := all["amr"].([]any); ok {
		for _, m := range methods {
			if word, ok := m.(string); ok {
				shown = append(shown, word)
			}
		}
	}
	said.SecondShown = p.CountsFactor(shown...)
	return said, nil
}
