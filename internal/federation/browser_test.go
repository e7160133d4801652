package federation_test

import (
	"testing"

	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/web/browsertest"
)

// From the door to the provider and back, in a browser that keeps cookies as
// browsers do: the provider is another site, so what is strict does not come
// along. Without a script the way back waits for a button.
func TestComingInThroughTheProviderInABrowser(t *testing.T) {
	for _, run := range []struct {
		name    string
		open    func(testing.TB) *db.DB
		scripts bool
	}{{"SQLite with scripts", dbtest.SQLite, true}, {"PostgreSQL without scripts", dbtest.PostgreSQL, false}} {
		t.Run(run.name, func(t *testing.T) {
			w := newWorld(t, run.open(t))
			w.outside.person = someone("u-root", "root")
			w.outside.discover["authorization_endpoint"] = w.outside.server.URL + "/authorize"
			p := browsertest.Open(t)
			p.Scripts(run.scripts)
			look := func(name string) {
				if run.scripts {
					p.Look("outside-" + name)
				}
			}
			p.Goto(w.server.URL + "/cedar/security")
			p.See("Continue with Cedar ID")
			look("door")
			p.Click("Continue with Cedar ID")
			if !run.scripts {
				p.See("You come from your institution’s own sign-in.")
				p.Click("Continue")
			}
			p.See("Linked since")
			look("security")
			if !run.scripts {
				return
			}
			p.Goto(w.server.URL + "/cedar/settings/provider")
			look("settings")
			w.outside.person = someone("u-zoe", "zoe")
			p.Goto(w.server.URL + "/cedar/sign-in")
			p.Click("Continue with Cedar ID")
			p.See("You are not signed in")
			look("refused")
		})
	}
}
