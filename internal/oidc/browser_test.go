package oidc_test

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	rp "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"mandate/internal/application"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/identity"
	"mandate/internal/web/browsertest"
)

// A site is a product with pages: a link to sign in, and a greeting of whoever
// came back.
type site struct {
	w      *world
	server *httptest.Server
	config oauth2.Config
	party  *rp.Provider
	begun  map[string]string // verifiers by state
}

// site registers a product at an issuer and starts it.
func (w *world) site(at bank.InstitutionID, issuer string) *site {
	w.t.Helper()
	s := &site{w: w, begun: map[string]string{}}
	s.server = httptest.NewServer(s)
	w.t.Cleanup(s.server.Close)
	origin := strings.Replace(s.server.URL, "127.0.0.1", "localhost", 1)
	id, secret := w.productAt(at, func(d *application.Draft) {
		d.Name, d.Consent, d.Groups = "Loan desk", true, true
		d.Redirects, d.PostLogouts = []string{origin + "/callback"}, nil
	})
	var err error
	s.party, err = rp.NewProvider(w.t.Context(), w.server.URL+"/"+issuer)
	w.must(err)
	s.config = oauth2.Config{ClientID: id, ClientSecret: secret, Endpoint: s.party.Endpoint(), RedirectURL: origin + "/callback", Scopes: []string{"openid", "profile", "email"}}
	return s
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	page := func(text string) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!DOCTYPE html><html lang="en"><title>Loan desk</title><main><h1>Loan desk</h1><p>%s</p><p><a href="/start">Sign in with Mandate</a></p></main>`, text)
	}
	switch r.URL.Path {
	case "/start":
		verifier := oauth2.GenerateVerifier()
		s.begun["s"+verifier[:8]] = verifier
		http.Redirect(w, r, s.config.AuthCodeURL("s"+verifier[:8], oauth2.S256ChallengeOption(verifier)), http.StatusFound)
	case "/callback":
		token, err := s.config.Exchange(r.Context(), r.URL.Query().Get("code"), oauth2.VerifierOption(s.begun[r.URL.Query().Get("state")]))
		if err != nil {
			page("Refused: " + html.EscapeString(r.URL.Query().Get("error")))
			return
		}
		raw, _ := token.Extra("id_token").(string)
		id, err := s.party.Verifier(&rp.Config{ClientID: s.config.ClientID}).Verify(r.Context(), raw)
		if err != nil {
			page(html.EscapeString(err.Error()))
			return
		}
		var claims struct{ Name, Institution string }
		if err := id.Claims(&claims); err != nil {
			page(html.EscapeString(err.Error()))
			return
		}
		page("Hello " + html.EscapeString(claims.Name) + " of " + html.EscapeString(claims.Institution))
	default:
		page("Welcome")
	}
}

// From a product's own page to the sign-in, the choice of an institution, the
// question, and back: in a browser that keeps cookies as browsers do.
func TestSignInAtAProductInABrowser(t *testing.T) {
	for _, run := range []struct {
		name    string
		open    func(testing.TB) *db.DB
		scripts bool
	}{{"SQLite with scripts", dbtest.SQLite, true}, {"PostgreSQL without scripts", dbtest.PostgreSQL, false}} {
		t.Run(run.name, func(t *testing.T) {
			w := newWorld(t, run.open(t))
			w.add(harbor, "ada", "Tellers", catalog.PeopleViewAll)
			w.connect("ada", cedar, harbor)
			p := browsertest.Open(t)
			p.Scripts(run.scripts)
			look := func(name string) {
				if run.scripts {
					p.Look("openid-" + name)
				}
			}

			own := w.site(cedar, "cedar")
			p.Goto(own.config.RedirectURL[:len(own.config.RedirectURL)-len("/callback")] + "/")
			p.Click("Sign in with Mandate")
			p.Fill("Email", address("ada"))
			p.Fill("Password", password)
			p.Click("Sign in")
			p.See("wants to know who you are")
			look("consent")
			p.Click("Allow")
			p.See("Hello Ada Stone of cedar")
			p.Click("Sign in with Mandate") // and nobody is asked anything
			p.See("Hello Ada Stone of cedar")
			p.Goto(w.server.URL + "/cedar/account/products")
			look("products")

			anywhere := w.site("", "_any")
			p.Goto(anywhere.config.RedirectURL[:len(anywhere.config.RedirectURL)-len("/callback")] + "/")
			p.Click("Sign in with Mandate")
			p.See("Institution")
			p.Fill("Institution", "cedar")
			p.Click("Continue")
			p.See("Choose your institution")
			look("choose")
			p.Click("Harbor Credit Union")
			p.See("wants to know who you are")
			p.Click("Allow")
			p.See("Hello Ada Stone of harbor")
			p.Goto(w.server.URL + "/harbor/openid/sign-out")
			p.Click("Sign out")
			p.See("You have signed out")
		})
	}
}

// connect makes one person of somebody's staff users at two institutions.
func (w *world) connect(name string, here, there bank.InstitutionID) {
	w.t.Helper()
	var granted [2]identity.Granted
	for i, at := range []bank.InstitutionID{here, there} {
		var err error
		granted[i], err = w.identity.SignIn(w.t.Context(), identity.Attempt{Institution: at, Kind: identity.KindStaff, Username: address(name), Password: password, From: from})
		w.must(err)
	}
	w.must(w.identity.Connect(w.t.Context(), granted[0].Session.Caller, there, granted[1].Token))
}
