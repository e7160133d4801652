package oidc_test

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"mandate/internal/application"
	"mandate/internal/fault"
	"mandate/internal/grant"
)

// Whoever tries too often from one place waits; people at the same place do not
// wait for programs.
func TestProgramsThatAskTooOftenWait(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.secretParty()
		code := p.code()
		left := 3
		w.provider.Allow = func(string) error {
			if left--; left < 0 {
				return fault.New(fault.TooMany, "There were too many attempts from where you are.")
			}
			return nil
		}
		for range 3 {
			refused(t, "a guess", w.call("POST", w.issuer()+"/openid/token", redeem(code), "Authorization", basic(p.id, "ms_guess")), "invalid_client")
		}
		got := p.token(redeem(code))
		if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") == "" {
			t.Errorf("the fourth: %d %s", got.status, got.body)
		}
		if at := w.visitor().get(p.request()); !strings.HasSuffix(at.url.Path, "/sign-in") {
			t.Errorf("a person: %s", at.url)
		}
	})
}

// Somebody whose groups permit nothing can sign in to a product, and sees no
// app in the console.
func TestSomebodyWithoutPermissionsSignsInToAProduct(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add(cedar, "tom", "No Permissions")
		p := w.secretParty(func(d *application.Draft) { d.Permissions, d.Groups = true, true })
		v := w.visitor()
		at := v.signIn(v.get(p.request()), "tom")
		claims := w.unverified(p.token(redeem(at.query("code"))).text("id_token"))
		if claims["sub"] != string(w.users["tom"]) || sprint(claims["permissions"]) != "[]" || sprint(claims["groups"]) != "[No Permissions]" {
			t.Errorf("the product learns %v", claims)
		}
		if home := v.get(w.server.URL + "/cedar/home"); strings.Contains(home.body, `href="/cedar/users"`) || strings.Contains(home.body, `href="/cedar/people"`) {
			t.Error("the console shows an app")
		}
	})
}

// What has ended is forgotten, and nothing else.
func TestWhatHasEndedIsForgotten(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.secretParty()
		got := p.token(redeem(p.code()))
		w.clock.Advance(grant.RequestLifetime + time.Minute)
		w.must(w.grants.Purge(t.Context()))
		next := p.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.text("refresh_token")}})
		if next.status != http.StatusOK {
			t.Fatalf("what lives was forgotten: %d %s", next.status, next.body)
		}
		refused(t, "the spent token", p.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.text("refresh_token")}}), "invalid_grant")
		w.clock.Advance(grant.RefreshLongest)
		w.must(w.grants.Purge(t.Context()))
		for table, left := range w.rows() {
			if left != 0 {
				t.Errorf("%s keeps %d rows", table, left)
			}
		}
	})
}

// Keys rotate while products renew their tokens, and no product notices.
func TestKeysRotateWhileProductsRenew(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		products := 5
		if os.Getenv("MANDATE_SLOW") != "" {
			products = 100
		}
		p := w.secretParty()
		tokens := make([]string, products)
		for i := range tokens {
			tokens[i] = p.token(redeem(p.code())).text("refresh_token")
		}
		var wg sync.WaitGroup
		for i := range tokens {
			wg.Go(func() {
				for range 4 {
					got := p.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens[i]}})
					if got.status != http.StatusOK {
						t.Errorf("product %d: %d %s", i, got.status, got.body)
						return
					}
					tokens[i] = got.text("refresh_token")
				}
			})
		}
		for range 3 {
			_, err := w.grants.Rotate(t.Context(), operator(cedar), true)
			w.must(err)
		}
		wg.Wait()
	})
}
