// Package oidc is the OpenID Connect provider: the addresses that products
// call, one issuer for each institution and a neutral one. The protocol is the
// library's; what is kept, for how long and for whom is the room of grants',
// who the applications are is theirs. The screens are the console's. Nothing
// else knows the library.
package oidc

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/luikyv/go-oidc/pkg/provider"

	"mandate/internal/application"
	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/grant"
	"mandate/internal/identity"
	"mandate/internal/route"
)

// NeutralPath is the first part of the path at the neutral issuer. No
// institution can be called so.
const NeutralPath = "_any"

// Addresses below an issuer.
const (
	discoveryPath = "/.well-known/openid-configuration"
	keysPath      = "/openid/keys"
	authorizePath = "/openid/authorize"
	pushedPath    = "/openid/pushed"
	tokenPath     = "/openid/token"
	userInfoPath  = "/openid/userinfo"
	revokePath    = "/openid/revoke"
	logoutPath    = "/openid/logout"
	continuePath  = "/openid/continue/"
	signOutPath   = "/openid/sign-out"
)

// Named limits.
const (
	maxBody      = 64 << 10
	maxParameter = 4096 // characters of one parameter of an authorization request
)

// Applications are the external applications.
type Applications interface {
	Lookup(context.Context, bank.InstitutionID, bank.ApplicationID) (application.Application, error)
}

// Throttle counts tries from an address and refuses what is too much.
type Throttle func(ip string) error

// A Config is what the provider is made of.
type Config struct {
	Origin       string // where browsers and programs find it: "https://console.bank.example"
	Grants       *grant.Service
	Applications Applications
	Clock        bank.Clock
	Log          *slog.Logger

	// HasInstitution reports whether there is such an institution.
	HasInstitution func(context.Context, bank.InstitutionID) (bool, error)
	// Source is where a request comes from.
	Source func(*http.Request) identity.Source
	// Used notes that an application was here.
	Used func(context.Context, application.Application)
	// Allow is the throttle of the addresses that programs call.
	Allow Throttle
}

// A Provider is the provider with all its issuers.
type Provider struct {
	Config
	mu      sync.Mutex
	engines map[bank.InstitutionID]*provider.Provider
}

// New returns the provider.
func New(cfg Config) (*Provider, error) {
	if cfg.Origin == "" || cfg.Grants == nil || cfg.Applications == nil || cfg.Clock == nil || cfg.HasInstitution == nil {
		return nil, errors.New("oidc: Config.Origin, Grants, Applications, Clock and HasInstitution are needed")
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Source == nil {
		cfg.Source = func(*http.Request) identity.Source { return identity.Source{Channel: bank.ChannelPeople} }
	}
	if cfg.Used == nil {
		cfg.Used = func(context.Context, application.Application) {}
	}
	if cfg.Allow == nil {
		cfg.Allow = func(string) error { return nil }
	}
	return &Provider{Config: cfg, engines: map[bank.InstitutionID]*provider.Provider{}}, nil
}

type endpoint struct {
	method, path string
	program      bool // programs call it, not browsers
	needs        route.Needs
	serve        func(*Provider, http.ResponseWriter, *http.Request, *turn)
}

var (
	anybody = route.Needs{Who: route.Anybody, Institution: route.FromPath}
	program = route.Needs{Who: route.KnownProgram, May: route.Own, Institution: route.FromPath}
)

func recording(n route.Needs, event string) route.Needs {
	n.Event = event
	return n
}

var endpoints = []endpoint{
	{"GET", discoveryPath, true, anybody, (*Provider).discovery},
	{"GET", keysPath, true, anybody, (*Provider).pass},
	{"GET", authorizePath, false, anybody, (*Provider).authorize},
	{"POST", authorizePath, false, anybody, (*Provider).authorize},
	{"POST", pushedPath, true, program, (*Provider).pushed},
	{"POST", tokenPath, true, recording(program, grant.EventSignedIn), (*Provider).token},
	{"GET", userInfoPath, true, program, (*Provider).userInfo},
	{"POST", userInfoPath, true, program, (*Provider).userInfo},
	{"POST", revokePath, true, recording(program, grant.EventEnded), (*Provider).token},
	{"GET", logoutPath, false, anybody, (*Provider).logout},
	{"POST", logoutPath, false, anybody, (*Provider).logout},
}

// Mount adds the addresses to a mux.
func (p *Provider) Mount(mux *route.Mux) {
	for _, e := range endpoints {
		mux.Handle(route.Route{Method: e.method, Pattern: "/{issuer}" + e.path, Needs: e.needs},
			http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, e) }))
	}
}

// A turn is one request to the provider: what its parts must know of each
// other, which the library does not carry.
type turn struct {
	provider *Provider
	issuer   bank.InstitutionID
	from     identity.Source
	outcome  *grant.Outcome   // of the screens, where they are done
	expected bank.StaffID     // whom the product thinks it is
	waiting  string           // the request that now waits for the screens
	browser  identity.Secret  // ties it to this browser
	versions map[string]int64 // of what was read, by id
	apps     map[string]application.Application
	person   *grant.Person
	failure  error // what went wrong where the library does not ask
}

type turnKey struct{}

func turnOf(ctx context.Context) *turn {
	t, _ := ctx.Value(turnKey{}).(*turn)
	return t
}

func (p *Provider) newTurn(r *http.Request, issuer bank.InstitutionID) *turn {
	return &turn{provider: p, issuer: issuer, from: p.Source(r), versions: map[string]int64{}, apps: map[string]application.Application{}}
}

// issuerOf is the issuer that a path names.
func (p *Provider) issuerOf(r *http.Request) (bank.InstitutionID, error) {
	name := r.PathValue("issuer")
	if name == NeutralPath {
		return grant.Neutral, nil
	}
	id := bank.InstitutionID(name)
	there, err := p.HasInstitution(r.Context(), id)
	if err == nil && !there {
		err = fault.New(fault.NotFound, "There is no such issuer here.")
	}
	return id, err
}

// Issuer is the name of an issuer, as tokens carry it.
func (p *Provider) Issuer(id bank.InstitutionID) string { return issuerAt(p.Origin, id) }

func issuerAt(origin string, id bank.InstitutionID) string { return origin + "/" + pathOf(id) }

func pathOf(id bank.InstitutionID) string {
	if id == grant.Neutral {
		return NeutralPath
	}
	return url.PathEscape(string(id))
}

func (p *Provider) serve(w http.ResponseWriter, r *http.Request, e endpoint) {
	headers(w.Header(), strings.HasPrefix(p.Origin, "https://"))
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	issuer, err := p.issuerOf(r)
	if err != nil {
		p.refuse(w, r, e, err)
		return
	}
	t := p.newTurn(r, issuer)
	if e.program && e.method == http.MethodPost {
		if err := p.Allow(t.from.IP); err != nil {
			p.refuse(w, r, e, err)
			return
		}
	}
	e.serve(p, w, r, t)
}

// headers are those of every answer. None may be kept, framed, or run.
func headers(h http.Header, https bool) {
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if https {
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
}
