package oidc_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"mandate/internal/grant"
)

// A product that renews its tokens over HTTP goes on through a change of the key:
// what it holds is good while the old key is published, what it gets is signed by
// the key that signs then, and what the old key signed ends with that key.
func TestTokensAreRenewedThroughAnOverlap(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.secretParty()
		held := p.token(redeem(p.code()))
		renew := func() {
			t.Helper()
			got := p.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {held.text("refresh_token")}})
			if got.status != http.StatusOK {
				t.Fatalf("renewed: %d %s", got.status, got.body)
			}
			held = got
		}
		pass := func(d time.Duration) {
			t.Helper()
			for range 4 {
				w.clock.Advance(d / 4)
				renew()
			}
		}
		takes := func(what string, token reply, want bool) {
			t.Helper()
			published := w.publishes(w.keyOf(token.text("id_token")))
			info := w.call("GET", w.issuer()+"/openid/userinfo", nil, "Authorization", "Bearer "+token.text("access_token")).status
			if published != want || (info == http.StatusOK) != want {
				t.Errorf("%s: its key published %t, the token answered with %d", what, published, info)
			}
		}
		rotate := func(atOnce bool) {
			t.Helper()
			_, err := w.grants.Rotate(t.Context(), operator(cedar), atOnce)
			w.must(err)
		}
		first := w.keyOf(held.text("id_token"))
		rotate(false)
		pass(grant.KeyAhead)
		old := held
		if w.keyOf(old.text("id_token")) != first {
			t.Error("the next key signs before its time")
		}
		rotate(false)
		renew()
		second := w.keyOf(held.text("id_token"))
		if second == first {
			t.Error("the new key does not sign")
		}
		takes("the old token within the overlap", old, true)
		takes("the new token", held, true)
		pass(grant.KeyBehind) // longer than any of the old key's tokens lives
		takes("the old token after the overlap", old, false)
		takes("the newest token", held, true)
		stolen := held
		w.clock.Advance(time.Second)
		rotate(true)
		if w.publishes(second) {
			t.Error("a key that may be stolen is still published")
		}
		renew()
		takes("a token by the newest key", held, true)
		if w.keyOf(held.text("id_token")) == w.keyOf(stolen.text("id_token")) {
			t.Error("the stolen key still signs")
		}
	})
}

// keyOf is the key that a token names.
func (w *world) keyOf(token string) string {
	w.t.Helper()
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256})
	w.must(err)
	return parsed.Headers[0].KeyID
}

// publishes reports whether a key stands in the issuer's set.
func (w *world) publishes(id string) bool {
	keys, _ := w.call("GET", w.issuer()+"/openid/keys", nil).values["keys"].([]any)
	for _, k := range keys {
		if k.(map[string]any)["kid"] == id {
			return true
		}
	}
	return false
}
