package matrix_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"mandate/internal/app"
	"mandate/internal/bank"
	"mandate/internal/demo"
	"mandate/internal/host/hostsim"
	"mandate/internal/web/office"
)

// openOffice lets the simulator's screens reach the program, which they do by
// the network, and a provider that is as much of one as sends people to it.
func (w *world) openOffice() {
	w.t.Helper()
	api := httptest.NewServer(w.app.APIHandler())
	w.t.Cleanup(api.Close)
	provider := httptest.NewUnstartedServer(nil)
	at := "http://" + provider.Listener.Addr().String()
	provider.Config.Handler = http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(out, `{"issuer": %q, "authorization_endpoint": %q, "token_endpoint": %q, "jwks_uri": %q}`, at, at+"/authorize", at+"/token", at+"/keys")
	})
	provider.Start()
	w.t.Cleanup(provider.Close)
	w.app.Config.OfficeFile = filepath.Join(w.app.Config.Data, demo.OfficeFile)
	text, err := os.ReadFile(w.app.Config.OfficeFile)
	w.must(err)
	var settings office.Settings
	w.must(json.Unmarshal(text, &settings))
	for i := range settings.Institutions {
		settings.Institutions[i].API, settings.Institutions[i].Issuer = api.URL, at
	}
	text, err = json.Marshal(settings)
	w.must(err)
	w.must(os.WriteFile(w.app.Config.OfficeFile, text, 0o600))
}

func asOffice(w *world, l app.Listener) asker {
	s := w.site(l, w.app.Config.OfficeOrigin)
	stranger := func() *browser {
		b := &browser{cookies: map[string]string{}}
		s.renew(b, "/"+string(w.institution)+"/classic/sign-in")
		return b
	}
	people := map[string]*browser{"nobody": stranger()}
	clerk := func(name string, institution bank.InstitutionID, permissions ...string) {
		token, err := w.app.Bank.OpenClerk(w.t.Context(), institution, hostsim.Clerk{Subject: name, Name: "Matrix " + name, Permissions: permissions})
		w.must(err)
		people[name] = stranger()
		people[name].cookies["mandate_office"] = token
		s.renew(people[name], "/"+string(w.institution)+"/classic/sign-in")
	}
	clerk("nothing", w.institution)
	clerk("looks", w.institution, "backoffice.users.view")
	clerk("manages", w.institution, "backoffice.users.view", "backoffice.users.manage")
	clerk("defaults", w.institution, "backoffice.users.view", "backoffice.defaults.manage")
	clerk("elm", w.elsewhere, "backoffice.users.view", "backoffice.users.manage", "backoffice.defaults.manage")
	for name, username := range map[string]string{"admin": "ana.ruiz", "user": "dana.reyes", "stranger": "mia.fontaine"} {
		in := w.demoSignIn(w.institution, username)
		people[name] = stranger()
		at := "/" + string(w.institution) + "/classic"
		out := s.do(people[name], http.MethodPost, at+"/sign-in", url.Values{"username": {in.Username}, "password": {in.Password}})
		if out.Header().Get("Location") != at {
			w.t.Fatalf("%s did not get into Classic: %d %s", username, out.Code, out.Header().Get("Location"))
		}
		people[name].keep(out)
	}
	return s.browsers(people)
}

// inCore is what an address of the simulator's screens is called with, as the
// core names it: somebody of the organization of the matrix. Empty: not its own.
func (w *world) inCore(param string) string {
	w.t.Helper()
	found, err := w.app.Bank.Search(w.t.Context(), w.institution, hostsim.Search{Text: "dana.reyes", Most: 1})
	w.must(err)
	switch u := found[0]; param {
	case "user":
		return string(u.Ref)
	case "organization":
		return string(u.Organization)
	case "account":
		return string(slices.Sorted(maps.Keys(u.Accounts))[0])
	case "role":
		return u.Role.String()
	}
	return ""
}
