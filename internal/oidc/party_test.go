package oidc_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	rp "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"mandate/internal/application"
	"mandate/internal/db"
)

// A party is a product, made of libraries that know nothing of ours.
type party struct {
	t        testing.TB
	w        *world
	provider *rp.Provider
	config   oauth2.Config
}

func (w *world) party(id, secret string) *party {
	w.t.Helper()
	found, err := rp.NewProvider(w.t.Context(), w.issuer())
	w.must(err)
	return &party{w.t, w, found, oauth2.Config{ClientID: id, ClientSecret: secret, Endpoint: found.Endpoint(), RedirectURL: callback,
		Scopes: []string{"openid", "profile", "email", "offline_access"}}}
}

// begun is an authorization request under way.
type begun struct{ verifier, address string }

func (p *party) begin(more ...oauth2.AuthCodeOption) begun {
	verifier := oauth2.GenerateVerifier()
	options := append([]oauth2.AuthCodeOption{oauth2.S256ChallengeOption(verifier), rp.Nonce("n-" + verifier[:6])}, more...)
	return begun{verifier, p.config.AuthCodeURL("state of "+verifier[:6], options...)}
}

func (p *party) exchange(b begun, code string) (*oauth2.Token, error) {
	return p.config.Exchange(p.t.Context(), code, oauth2.VerifierOption(b.verifier))
}

// enter signs somebody in and returns their tokens.
func (p *party) enter(v *visitor, name string) *oauth2.Token {
	p.t.Helper()
	b := p.begin()
	at := v.get(b.address)
	if !at.away() {
		at = v.signIn(at, name)
	}
	if !at.away() || at.query("code") == "" {
		p.t.Fatalf("%s ended at %s (%d): %s", name, at.url, at.status, at.text())
	}
	token, err := p.exchange(b, at.query("code"))
	p.w.must(err)
	return token
}

func (p *party) claims(token *oauth2.Token) map[string]any {
	p.t.Helper()
	raw, _ := token.Extra("id_token").(string)
	verified, err := p.provider.Verifier(&rp.Config{ClientID: p.config.ClientID}).Verify(p.t.Context(), raw)
	p.w.must(err)
	claims := map[string]any{}
	p.w.must(verified.Claims(&claims))
	return claims
}

func TestAnIndependentPartySignsSomebodyIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.party(w.product(func(d *application.Draft) { d.Groups, d.Permissions = true, true }))
		v := w.visitor()
		b := p.begin()
		page := v.get(b.address)
		at := v.signIn(page, "ada")
		if !at.away() || !strings.HasPrefix(at.url.String(), callback+"?") {
			t.Fatalf("ended at %s (%d): %s", at.url, at.status, at.text())
		}
		if at.query("iss") != w.issuer() || !strings.HasPrefix(at.query("state"), "state of ") {
			t.Errorf("the answer says %s", at.url.RawQuery)
		}
		token, err := p.exchange(b, at.query("code"))
		w.must(err)
		claims := p.claims(token)
		for name, want := range map[string]any{
			"sub": string(w.users["ada"]), "institution": "cedar", "name": "Ada Stone", "email": address("ada"), "nonce": "n-" + b.verifier[:6],
			"acr": "urn:mandate:one-factor", "zoneinfo": "America/New_York",
		} {
			if claims[name] != want {
				t.Errorf("%s is %v, want %v", name, claims[name], want)
			}
		}
		if got := list(claims["groups"]); !slices.Equal(got, []string{"Editors"}) {
			t.Errorf("groups %v", got)
		}
		if got := list(claims["permissions"]); !slices.Equal(got, []string{"cms.pages.view", "cms.pages.edit"}) {
			t.Errorf("permissions %v", got)
		}
		if since, _ := claims["auth_time"].(float64); int64(since) != w.clock.Now().Unix() {
			t.Errorf("auth_time %v", claims["auth_time"])
		}
		info, err := p.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(token))
		w.must(err)
		if info.Subject != string(w.users["ada"]) || info.Email != address("ada") || !info.EmailVerified {
			t.Errorf("userinfo %+v", info)
		}
		if left := time.Until(token.Expiry); left > 15*time.Minute || left < 14*time.Minute {
			t.Errorf("the access token lives %v", left)
		}

		// Somebody who is signed in is not asked again, and is the same person.
		other := w.party(w.product())
		again := other.claims(other.enter(v, "nobody"))
		if again["sub"] != claims["sub"] || again["sid"] != claims["sid"] {
			t.Errorf("at the second product %v of %v", again["sub"], again["sid"])
		}
		if again["groups"] != nil || again["permissions"] != nil {
			t.Error("a product that may not know groups and permissions is told of them")
		}
	})
}

func list(value any) (all []string) {
	some, _ := value.([]any)
	for _, one := range some {
		text, _ := one.(string)
		all = append(all, text)
	}
	return all
}

// A code and a refresh token are nowhere in the database as they are.
func TestCodesAndTokensAreKeptAsHashes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.party(w.product())
		b := p.begin()
		v := w.visitor()
		at := v.signIn(v.get(b.address), "ada")
		code := at.query("code")
		token, err := p.exchange(b, code)
		w.must(err)
		secrets := []string{code, token.RefreshToken, token.AccessToken, p.config.ClientSecret}
		if slices.Contains(secrets, "") {
			t.Fatalf("there is nothing to look for: %d of them", len(secrets))
		}
		var bodies [][]byte
		w.must(w.d.Read(t.Context(), func(tx *db.Tx) (err error) {
			bodies, err = db.All(tx, db.Value[[]byte], `select body from sign_in_grant union all select body from access_token union all select body from authorization_request`)
			return err
		}))
		if len(bodies) < 3 {
			t.Fatalf("%d rows were read", len(bodies))
		}
		for _, body := range bodies {
			for _, secret := range secrets {
				if strings.Contains(string(body), secret) {
					t.Errorf("the database holds %q as it is", secret)
				}
			}
		}
		for _, secret := range secrets {
			if strings.Contains(w.log.String(), secret) {
				t.Errorf("the log holds %q", secret)
			}
		}
	})
}

func TestARefreshTokenRotatesAndASpentOneEndsTheFamily(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.party(w.product())
		first := p.enter(w.visitor(), "ada")
		second, err := p.refresh(first.RefreshToken)
		w.must(err)
		third, err := p.refresh(second.RefreshToken)
		w.must(err)
		if first.RefreshToken == second.RefreshToken || second.RefreshToken == third.RefreshToken {
			t.Fatal("a refresh token was handed out twice")
		}
		if _, err := p.refresh(first.RefreshToken); err == nil {
			t.Fatal("a spent refresh token was taken")
		}
		if _, err := p.refresh(third.RefreshToken); err == nil {
			t.Error("the newest token of a family that was stolen from still works")
		}
		if _, err := p.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(third)); err == nil {
			t.Error("an access token of that family still works")
		}
	})
}

func (p *party) refresh(token string) (*oauth2.Token, error) {
	return p.config.TokenSource(context.WithValue(p.t.Context(), oauth2.HTTPClient, p.w.server.Client()), &oauth2.Token{RefreshToken: token}).Token()
}
