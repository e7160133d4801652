package oidc_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"mandate/internal/app"
	"mandate/internal/application"
	"mandate/internal/bank"
	"mandate/internal/client"
	"mandate/internal/gate"
	"mandate/internal/route"
	"mandate/internal/scim"
	"mandate/internal/staff"
)

// A directory comes with an access token that its application got for itself, as
// well as with its key. Nothing else is taken for either.
func TestADirectoryComesWithAnAccessToken(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		own, other := w.service("scim"), w.service("scim")
		home, err := w.staff.CreateGroup(t.Context(), operator(cedar), staff.Draft{Name: "No Permissions"})
		w.must(err)
		rooms := staff.NewProvisioning(w.staff, scim.Keys{})
		d, key, err := rooms.Connect(t.Context(), operator(cedar), staff.DirectoryDraft{Name: "Cedar directory", Home: home, Application: bank.ApplicationID(own.id)})
		w.must(err)
		if _, _, err := rooms.Connect(t.Context(), operator(cedar), staff.DirectoryDraft{Name: "Another", Home: home, Application: bank.ApplicationID(own.id)}); err == nil {
			t.Error("one application acts as two directories")
		}
		clients := client.New(w.d, w.guard, w.provider.Log)
		mux := route.NewMux()
		scim.New(scim.Config{Rooms: rooms, Origin: "https://api.bank.example",
			Gate: gate.New(app.Directories{DB: w.d, Clients: clients, Products: w.provider}, gate.NewLimiter(w.clock, gate.Rate{}), w.provider.Log)}).Mount(mux)
		ask := func(institution, token string) int {
			r := httptest.NewRequest("GET", "/scim/"+institution+"/v2/Users", nil)
			r.Header.Set("Authorization", "Bearer "+token)
			got := httptest.NewRecorder()
			mux.ServeHTTP(got, r)
			return got.Code
		}
		token := func(p secretParty) string {
			got := p.token(url.Values{"grant_type": {"client_credentials"}, "scope": {"scim"}})
			if got.status != http.StatusOK {
				t.Fatalf("%d %s", got.status, got.body)
			}
			return got.text("access_token")
		}
		good := token(own)
		person := w.secretParty(func(d *application.Draft) { d.Scopes = append(d.Scopes, "scim") })
		persons := person.token(redeem(person.code("scope", "openid scim")))
		cut := strings.LastIndex(good, ".")
		for what, c := range map[string]struct {
			institution, token string
			want               int
		}{
			"its token":                        {"cedar", good, http.StatusOK},
			"its key":                          {"cedar", string(key), http.StatusOK},
			"its token at another institution": {"harbor", good, http.StatusForbidden},
			"another application's":            {"cedar", token(other), http.StatusUnauthorized},
			"a person's":                       {"cedar", persons.text("access_token"), http.StatusUnauthorized},
			"an ID token":                      {"cedar", persons.text("id_token"), http.StatusUnauthorized},
			"signed by nobody":                 {"cedar", good[:cut+1] + strings.Repeat("A", 86), http.StatusUnauthorized},
			"cut":                              {"cedar", good[:cut+1], http.StatusUnauthorized},
		} {
			if got := ask(c.institution, c.token); got != c.want {
				t.Errorf("%s: %d, want %d", what, got, c.want)
			}
		}
		w.call("POST", w.issuer()+"/openid/revoke", url.Values{"token": {good}}, "Authorization", basic(own.id, own.secret))
		if got := ask("cedar", good); got != http.StatusUnauthorized {
			t.Errorf("given back: %d", got)
		}
		late, gone := token(own), token(own)
		w.clock.Advance(16 * time.Minute)
		if got := ask("cedar", late); got != http.StatusUnauthorized {
			t.Errorf("after sixteen minutes: %d", got)
		}
		w.clock.Advance(-16 * time.Minute)
		w.must(rooms.Disconnect(t.Context(), operator(cedar), d.Client))
		if got := ask("cedar", gone); got != http.StatusUnauthorized {
			t.Errorf("disconnected: %d", got)
		}
	})
}
