package oidc_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"mandate/internal/application"
	"mandate/internal/grant"
)

// What a product may ask of a sign-in: that nobody is asked, that somebody is
// asked anew, that it is young, or with two factors.
func TestWhatAProductMayAskOfASignIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.secretParty()
		stranger := w.visitor()
		told(t, "none, and nobody is signed in", stranger.get(p.request("prompt", "none")), "login_required")
		v := w.visitor()
		v.signIn(v.get(p.request()), "ada")
		silent := v.get(p.request("prompt", "none"))
		if silent.query("code") == "" {
			t.Errorf("none, and somebody is: %s", silent.url)
		}
		hint := p.token(redeem(silent.query("code"))).text("id_token")
		if at := v.get(p.request("prompt", "none", "id_token_hint", hint)); at.query("code") == "" {
			t.Errorf("none, for the same person: %s", at.url)
		}
		w.clock.Advance(time.Minute)
		asked := v.get(p.request("prompt", "login"))
		if !strings.HasSuffix(asked.url.Path, "/sign-in") || !strings.Contains(asked.text(), "Sign in again") {
			t.Fatalf("login: %s %s", asked.url, asked.text())
		}
		before := w.clock.Now()
		at := v.signIn(asked, "ada")
		claims := w.unverified(p.token(redeem(at.query("code"))).text("id_token"))
		if since, _ := claims["auth_time"].(float64); int64(since) < before.Unix() {
			t.Errorf("auth_time is that of the sign-in before: %v", claims["auth_time"])
		}
		w.clock.Advance(10 * time.Minute)
		told(t, "younger than a minute, and nobody may be asked", v.get(p.request("prompt", "none", "max_age", "60")), "login_required")
		if at := v.get(p.request("max_age", "60")); !strings.HasSuffix(at.url.Path, "/sign-in") {
			t.Errorf("younger than a minute: %s", at.url)
		}
		if at := v.get(p.request("max_age", "3600")); at.query("code") == "" {
			t.Errorf("younger than an hour: %s", at.url)
		}
		told(t, "two factors", v.get(p.request("acr_values", "urn:mandate:two-factor")), "unmet_authentication_requirements")
		if at := v.get(p.request("acr_values", "urn:mandate:two-factor urn:mandate:one-factor")); at.query("code") == "" {
			t.Errorf("two factors or one: %s", at.url)
		}
		other := w.visitor()
		other.signIn(other.get(p.request()), "root")
		told(t, "none, for somebody else", other.get(p.request("prompt", "none", "id_token_hint", hint)), "login_required")
		if page := stranger.get(p.request("login_hint", address("ada"))); !strings.Contains(page.body, `value="`+address("ada")+`"`) {
			t.Error("the name that the product gave is not in the form")
		}
	})
}

// Where an application asks first, people are asked once, and can take it back.
func TestConsentIsRememberedAndTakenBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.secretParty(func(d *application.Draft) { d.Consent, d.Groups = true, true })
		v := w.visitor()
		page := v.signIn(v.get(p.request()), "ada")
		for _, want := range []string{"of Loan Works", "Your email address", "The groups that you are in", "signed in as Ada Stone"} {
			if !strings.Contains(page.text(), want) {
				t.Errorf("the question does not say %q: %s", want, page.text())
			}
		}
		told(t, "none, and nobody allowed it", v.get(p.request("prompt", "none")), "consent_required")
		told(t, "no", v.submit(page, "", url.Values{"answer": {"deny"}}), "access_denied")
		at := v.submit(v.get(p.request()), "", url.Values{"answer": {"allow"}})
		got := p.token(redeem(at.query("code")))
		if got.text("id_token") == "" {
			t.Fatalf("allowed: %s %s", at.url, got.body)
		}
		if again := v.get(p.request()); again.query("code") == "" {
			t.Errorf("asked again: %s", again.text())
		}
		if asked := v.get(p.request("prompt", "consent")); asked.away() {
			t.Errorf("not asked, though the product wants it: %s", asked.url)
		}
		list := v.get(w.server.URL + "/cedar/account/products")
		if !strings.Contains(list.text(), "Loans") {
			t.Fatalf("the list says %s", list.text())
		}
		v.submit(list, "/cedar/account/products/"+p.id+"/withdraw", url.Values{})
		refused(t, "after it was taken back", p.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.text("refresh_token")}}), "invalid_grant")
		if asked := v.get(p.request()); asked.away() {
			t.Error("not asked after it was taken back")
		}
		for event, want := range map[string]int{grant.EventConsented: 1, grant.EventWithdrawn: 1, grant.EventSignedIn: 1} {
			if n := w.history(event); n != want {
				t.Errorf("%d events %s, want %d", n, event, want)
			}
		}
	})
}

// Keys change under applications without anybody noticing: the next one is
// published a day before it signs, the old one a day after.
func TestKeysRotateWithOverlap(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.party(w.product())
		v := w.visitor()
		first := p.enter(v, "ada")
		was := w.unverifiedHeader(first)
		published := func() int {
			keys, _ := w.call("GET", w.issuer()+"/openid/keys", nil).values["keys"].([]any)
			for _, k := range keys {
				if k.(map[string]any)["d"] != nil {
					t.Fatal("a private key is published")
				}
			}
			return len(keys)
		}
		rotate := func(atOnce bool) error {
			_, err := w.grants.Rotate(t.Context(), operator(cedar), atOnce)
			return err
		}
		w.must(rotate(false))
		if published() != 2 || w.unverifiedHeader(p.enter(v, "")) != was {
			t.Error("the next key signs at once, or is not published")
		}
		if rotate(false) == nil {
			t.Error("a key signs that nobody has seen")
		}
		w.clock.Advance(grant.KeyAhead)
		w.must(rotate(false))
		v = w.visitor()
		second := p.enter(v, "ada")
		if published() != 2 || w.unverifiedHeader(second) == was {
			t.Error("the next key does not sign, or the old one is gone")
		}
		p.claims(second)
		p.claims(first)
		w.clock.Advance(grant.KeyBehind)
		if published() != 1 {
			t.Errorf("%d keys are published after a day", published())
		}
		w.must(rotate(true))
		v = w.visitor()
		if third := p.enter(v, "ada"); published() != 1 || w.unverifiedHeader(third) == w.unverifiedHeader(second) {
			t.Error("a key that may be stolen is still published")
		}
		if w.history(grant.EventKeyMade) != 3 {
			t.Errorf("%d events", w.history(grant.EventKeyMade))
		}
		if other := w.call("GET", w.server.URL+"/harbor/openid/keys", nil); strings.Contains(other.body, w.unverifiedHeader(second)) {
			t.Error("two issuers have one key")
		}
	})
}
