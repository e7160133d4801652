package oidc_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"mandate/internal/application"
	"mandate/internal/bank"
	"mandate/internal/client"
	"mandate/internal/fault"
	"mandate/internal/gate"
	"mandate/internal/grant"
	"mandate/internal/oidc"
)

// A client of the decision service may show what its application got at the
// token endpoint in place of its key, as long as all of it stands.
func TestAClientShowsATokenInPlaceOfItsKey(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		own := w.service("decisions")
		other := w.service("decisions")
		narrow := w.service("scim")
		clients := client.New(w.d, w.guard, w.provider.Log)
		made, _, err := clients.Create(t.Context(), operator(cedar), client.Draft{Name: "Hub", Operations: []string{"wires.transmit"}, Access: client.Access{Application: bank.ApplicationID(own.id)}})
		w.must(err)
		callers := gate.NewCallers(clients, w.provider, w.clock)
		w.grants.Ended = callers.Forget
		door := gate.New(callers, gate.NewLimiter(w.clock, gate.Rate{}), w.provider.Log)
		is := func(what, token string, want bank.ClientID) {
			t.Helper()
			c, challenge, err := door.Identify(t.Context(), "Bearer "+token, nil)
			switch {
			case want != "" && (err != nil || c.ID != want || c.Institution != cedar || len(c.Operations) != 1):
				t.Errorf("%s: %+v, %v", what, c, err)
			case want == "" && (fault.KindOf(err) != fault.Unauthorized || !strings.Contains(challenge, "invalid_token")):
				t.Errorf("%s: %s, %q, %v", what, c.ID, challenge, err)
			}
		}
		token := func(p secretParty, scope string) string {
			w.clock.Set(time.Now()) // by which the library stamps it
			return p.token(url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}).text("access_token")
		}
		good := token(own, "decisions")
		is("its token", good, made.ID)
		is("its token, known by now", good, made.ID)

		// A copy, which is not the provider, has no keyring and writes nothing,
		// knows it as well.
		copied := gate.NewCallers(clients, oidc.Tokens{Origin: w.provider.Origin, Grants: grant.New(w.d, w.guard, nil, nil), Applications: w.applications, Clock: w.clock,
			HasInstitution: func(_ context.Context, id bank.InstitutionID) (bool, error) { return id == cedar, nil }}, w.clock)
		if c, err := copied.Authenticate(t.Context(), good); err != nil || c.ID != made.ID {
			t.Errorf("at a copy: %s, %v", c.ID, err)
		}
		is("of an application that is no client's", token(other, "decisions"), "")
		is("for something else", token(narrow, "scim"), "")
		is("of nobody", "a.b.c", "")
		is("cut", good[:len(good)-4], "")

		w.call("POST", w.issuer()+"/openid/revoke", url.Values{"token": {good}}, "Authorization", basic(own.id, own.secret))
		is("given back", good, "")

		// Where it is given back at another process this one does not hear of it,
		// and looks again after a second.
		elsewhere := token(own, "decisions")
		is("another token", elsewhere, made.ID)
		w.grants.Ended = nil
		w.call("POST", w.issuer()+"/openid/revoke", url.Values{"token": {elsewhere}}, "Authorization", basic(own.id, own.secret))
		w.clock.Advance(2 * time.Second)
		is("given back elsewhere", elsewhere, "")

		late := token(own, "decisions")
		is("a fresh one", late, made.ID)
		w.clock.Advance(16 * time.Minute)
		is("after its time", late, "")
		w.clock.Advance(-16 * time.Minute)

		last := token(own, "decisions")
		is("while the client is in use", last, made.ID)
		w.must(clients.Revoke(t.Context(), operator(cedar), made.ID))
		is("of a client that has ended", last, "")
	})
}

// A token is stamped by the machine that signs it and read by others: one whose
// clock is some seconds behind takes it at once, and none takes it for longer.
func TestATokenIsReadByAClockThatIsBehind(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.clock.Advance(time.Hour) // the database forgets it long after its own end
		p := w.service("decisions")
		token := p.token(url.Values{"grant_type": {"client_credentials"}, "scope": {"decisions"}}).text("access_token")
		parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256})
		w.must(err)
		var claims jwt.Claims
		w.must(parsed.UnsafeClaimsWithoutVerification(&claims))
		for _, c := range []struct {
			what string
			at   time.Time
			good bool
		}{
			{"a clock that agrees", claims.IssuedAt.Time(), true},
			{"ten seconds behind", claims.IssuedAt.Time().Add(-10 * time.Second), true},
			{"more than that", claims.IssuedAt.Time().Add(-11 * time.Second), false},
			{"a minute behind", claims.IssuedAt.Time().Add(-time.Minute), false},
			{"just before its end", claims.Expiry.Time().Add(-time.Microsecond), true},
			{"at its end", claims.Expiry.Time(), false},
			{"a second after", claims.Expiry.Time().Add(time.Second), false},
		} {
			w.clock.Set(c.at)
			_, _, _, err := w.provider.Service(t.Context(), token, "decisions")
			if good := err == nil; good != c.good || !good && !errors.Is(err, oidc.ErrToken) {
				t.Errorf("%s: %v", c.what, err)
			}
		}
	})
}

// service lets a service of the institution in.
func (w *world) service(scopes ...string) secretParty {
	return w.secretParty(func(d *application.Draft) {
		d.Grants, d.Scopes, d.ServiceEmail = []application.Grant{application.GrantService}, scopes, address("ada")
		d.Redirects, d.PostLogouts = nil, nil
	})
}
