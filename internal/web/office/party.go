package office

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/route"
	"mandate/internal/web"
)

// A Provider signs an institution's staff in: an OpenID provider at which
// BackOffice is registered.
type Provider struct {
	Issuer   string
	ClientID string
	Secret   string
}

// providerTime is how long the provider may take to answer.
const providerTime = 10 * time.Second

// A party is BackOffice at one provider. It finds the provider when it first
// needs it.
type party struct {
	provider Provider
	callback string

	mu    sync.Mutex
	found *oidc.Provider
}

var errNoProvider = fault.New(fault.Unavailable, "Signing in is not possible just now: whoever signs the staff in does not answer. Try again.")

func (p *party) discover(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	client := &http.Client{Timeout: providerTime}
	found, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), client), p.provider.Issuer) // it reads its keys again later
	if err != nil {
		return nil, errNoProvider.Because(err)
	}
	p.found = found
	return found, nil
}

func (p *party) config(found *oidc.Provider) oauth2.Config {
	return oauth2.Config{ClientID: p.provider.ClientID, ClientSecret: p.provider.Secret, Endpoint: found.Endpoint(), RedirectURL: p.callback,
		Scopes: []string{"openid", "profile", "email"}}
}

// begun is what one sign-in under way goes by: everything follows from a secret
// in the cookie of the browser that began it.
type begun struct{ state, nonce, verifier string }

func begunOf(secret string) begun {
	derive := func(purpose string) string {
		sum := sha256.Sum256([]byte(purpose + "\x00" + secret))
		return base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return begun{derive("state"), derive("nonce"), derive("verifier")}
}

const beginning = "begun."

// entryRoutes are the ways in and out of BackOffice.
func (a *app) entryRoutes() []web.Route {
	anybody := web.Needs{Who: web.Anybody, Institution: web.FromPath}
	return []web.Route{
		{Method: "GET", Pattern: "/{institution}/backoffice/sign-in", Handler: a.staffEntrance, Needs: anybody},
		{Method: "GET", Pattern: "/{institution}/backoffice/sign-in/begin", Handler: a.beginStaff, Needs: anybody},
		{Method: "GET", Pattern: "/{institution}/backoffice/callback", Handler: a.enterStaff, Needs: anybody},
		{Method: "GET", Pattern: "/{$}", Handler: a.front, Needs: web.Needs{Who: web.Anybody, Institution: web.Nowhere}},
	}
}

// front lists the institutions.
func (a *app) front(w http.ResponseWriter, r *http.Request) error {
	page := frontPage{Entry: a.entry(r, House{Name: "Host"}, "Host")}
	page.Entry.App, page.Entry.Wide = "", true
	for _, h := range a.Houses {
		line := frontLine{Name: h.Name, BackOffice: baseOf(h.ID, backOffice).at("")}
		if h.Edition == bank.EditionBank {
			line.Classic = baseOf(h.ID, classic).at("")
		}
		page.Houses = append(page.Houses, line)
	}
	return web.Render(w, r, http.StatusOK, frontView(page))
}

func (a *app) staffEntrance(w http.ResponseWriter, r *http.Request) error {
	h, err := a.house(r)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, staffEntranceView(a.entry(r, h, "Sign in"), baseOf(h.ID, backOffice).at("/sign-in/begin")))
}

// beginStaff sends a browser to the provider. It changes nothing here.
func (a *app) beginStaff(w http.ResponseWriter, r *http.Request) error {
	h, err := a.house(r)
	if err != nil {
		return err
	}
	p := a.parties[h.ID]
	found, err := p.discover(r.Context())
	if err != nil {
		return err
	}
	secret := beginning + rand.Text()
	a.site.SetSession(w, secret)
	b, config := begunOf(secret), p.config(found)
	http.Redirect(w, r, config.AuthCodeURL(b.state, oauth2.S256ChallengeOption(b.verifier), oidc.Nonce(b.nonce)), http.StatusSeeOther)
	return nil
}

var errEntrance = fault.New(fault.Conflict, "This sign-in cannot be finished: it was begun elsewhere, or too long ago. Sign in again.")

// enterStaff is where the provider sends the browser back to.
func (a *app) enterStaff(w http.ResponseWriter, r *http.Request) error {
	h, err := a.house(r)
	if err != nil {
		return err
	}
	secret, q := a.site.Session(r), r.URL.Query()
	b := begunOf(secret)
	if !strings.HasPrefix(secret, beginning) || subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(b.state)) != 1 {
		return errEntrance
	}
	if q.Get("error") != "" || q.Get("code") == "" {
		http.Redirect(w, r, baseOf(h.ID, backOffice).at("/sign-in"), http.StatusSeeOther)
		return nil
	}
	c, err := a.parties[h.ID].clerk(r.Context(), h.ID, q.Get("code"), b)
	if err != nil {
		return err
	}
	token, err := a.Bank.OpenClerk(r.Context(), h.ID, c)
	if err != nil {
		return err
	}
	a.site.SetSession(w, token)
	http.Redirect(w, r, baseOf(h.ID, backOffice).at(""), http.StatusSeeOther)
	return nil
}

// clerk is who a code stands for.
func (p *party) clerk(ctx context.Context, institution bank.InstitutionID, code string, b begun) (c hostsim.Clerk, err error) {
	found, err := p.discover(ctx)
	if err != nil {
		return c, err
	}
	ctx, cancel := context.WithTimeout(ctx, providerTime)
	defer cancel()
	config := p.config(found)
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(b.verifier))
	if err != nil {
		return c, errEntrance.Because(err)
	}
	raw, _ := token.Extra("id_token").(string)
	verified, err := found.Verifier(&oidc.Config{ClientID: p.provider.ClientID}).Verify(ctx, raw)
	if err != nil {
		return c, errEntrance.Because(err)
	}
	var claims struct {
		Institution bank.InstitutionID `json:"institution"`
		SignIn      string             `json:"sid"`
		Name        string             `json:"name"`
		Email       string             `json:"email"`
		Permissions []string           `json:"permissions"`
	}
	if err := verified.Claims(&claims); err != nil {
		return c, errEntrance.Because(err)
	}
	if subtle.ConstantTimeCompare([]byte(verified.Nonce), []byte(b.nonce)) != 1 || claims.Institution != institution {
		return c, errEntrance.Because(errors.New("the ID token was made for another sign-in or institution"))
	}
	return hostsim.Clerk{Subject: verified.Subject, SignIn: claims.SignIn, Name: claims.Name, Email: claims.Email, Permissions: ours(claims.Permissions)}, nil
}

// ours are the permissions that BackOffice declared; a group can have others.
func ours(permissions []string) (all []string) {
	for _, p := range Declaration.Permissions {
		for _, has := range permissions {
			if has == p.ID {
				all = append(all, p.ID)
			}
		}
	}
	return all
}

// clerk is who of the bank asks.
func (a *app) clerk(r *http.Request, h House) (*seat, error) {
	token := a.site.Session(r)
	c, err := a.Bank.ClerkOf(r.Context(), h.ID, token)
	if err != nil {
		return nil, err
	}
	return &seat{house: h, desk: backOffice, by: hostsim.By{Channel: host.BackOffice, Name: c.Name}, name: c.Name, detail: c.Email, may: c.Permissions, token: token}, nil
}

// POST /{institution}/backoffice/sign-out
func (a *app) leaveBackOffice(w http.ResponseWriter, r *http.Request, s *seat) error {
	if err := a.Bank.EndClerk(r.Context(), s.house.ID, s.token); err != nil {
		return err
	}
	a.site.ClearSession(w)
	http.Redirect(w, r, s.base().at("/sign-in"), http.StatusSeeOther)
	return nil
}

// maxLogout bounds a notice that a sign-in ended at the provider, in bytes.
const maxLogout = 16 << 10

// withLogout adds the address at which a provider says that a sign-in has ended
// there (OpenID Connect Back-Channel Logout). It is for a program, so it stands
// beside the pages.
func (a *app) withLogout(pages http.Handler) http.Handler {
	mux := route.NewMux()
	notice := route.Route{Method: "POST", Pattern: "/{institution}/backoffice/logout", Needs: route.Needs{Who: route.Anybody, Institution: route.FromPath}}
	mux.Handle(notice, http.HandlerFunc(a.logout))
	declared, _ := pages.(interface{ Declared() []route.Route })
	mux.Mount("/", pages, declared.Declared()...)
	return mux
}

func (a *app) logout(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, maxLogout)
	err := a.endedThere(r)
	if err != nil {
		a.site.Log.WarnContext(r.Context(), "a notice that a sign-in ended was refused", "error", err)
		w.WriteHeader(http.StatusBadRequest)
	}
}

// logoutEvent is what a logout token must state.
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

func (a *app) endedThere(r *http.Request) error {
	h, err := a.house(r)
	if err != nil {
		return err
	}
	p := a.parties[h.ID]
	found, err := p.discover(r.Context())
	if err != nil {
		return err
	}
	verified, err := found.Verifier(&oidc.Config{ClientID: p.provider.ClientID}).Verify(r.Context(), r.PostFormValue("logout_token"))
	if err != nil {
		return err
	}
	var claims struct {
		SignIn string         `json:"sid"`
		Nonce  string         `json:"nonce"`
		Events map[string]any `json:"events"`
	}
	if err := verified.Claims(&claims); err != nil {
		return err
	}
	if _, states := claims.Events[logoutEvent]; !states || claims.Nonce != "" || verified.Subject == "" && claims.SignIn == "" {
		return fmt.Errorf("this is no logout token")
	}
	return a.Bank.EndClerks(r.Context(), h.ID, verified.Subject, claims.SignIn)
}
