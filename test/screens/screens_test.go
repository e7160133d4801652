// Package screens_test looks at every screen that people have, with the demo's
// people and data behind them: nothing may break the rules of accessibility or
// be wider than the screen, light or dark, on a desk or on a phone.
package screens_test

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"mandate/internal/app"
	"mandate/internal/bank"
	"mandate/internal/config"
	"mandate/internal/demo"
	"mandate/internal/identity"
	"mandate/internal/mail/mailbox"
	"mandate/internal/web"
	"mandate/internal/web/browsertest"
)

func TestMain(m *testing.M) { browsertest.Main(m) }

// A walk goes from screen to screen in the demo and looks at each once.
type walk struct {
	t      *testing.T
	app    *app.App
	world  *demo.World
	origin string
	routes *http.ServeMux
	looks  int
	screen map[string]bool // the patterns that show a screen; true once it was looked at
	*browsertest.Page
}

func newWalk(t *testing.T) *walk {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	origin := "http://" + strings.Replace(server.Listener.Addr().String(), "127.0.0.1", "localhost", 1)
	clock := demo.NewClock(bank.SystemClock{})
	box, err := mailbox.Listen("localhost:0", clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close() })
	cfg := config.Config{ThrottleFactor: 1000, HashMemory: identity.MinimumCost.MemoryKiB, HashPasses: identity.MinimumCost.Passes, PublicOrigin: origin}
	cfg.Data, cfg.SMTP = t.TempDir(), box.Address()
	a, err := app.Open(t.Context(), cfg, clock, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	a.Mailbox, a.Components = box, true
	w := &walk{t: t, app: a, origin: origin, routes: http.NewServeMux(), screen: map[string]bool{}}
	if w.world, err = demo.Open(t.Context(), a, clock, io.Discard); err != nil {
		t.Fatal(err)
	}
	handler, err := a.OnlineHandler()
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = handler
	server.Start()
	t.Cleanup(server.Close)
	for _, r := range handler.(interface{ Routes() []web.Route }).Routes() {
		w.routes.HandleFunc(r.Method+" "+r.Pattern, func(http.ResponseWriter, *http.Request) {})
		if r.Method == "GET" {
			w.screen["GET "+r.Pattern] = false
		}
	}
	w.Page = browsertest.Open(t)
	return w
}

// pattern is the route of an address.
func (w *walk) pattern(path string) string {
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.origin+path, nil)
	if err != nil {
		return ""
	}
	_, pattern := w.routes.Handler(r)
	return pattern
}

// look judges what the browser shows: once on a desk in the light and once on a
// phone in the dark, and every other way in the slow check or for pictures.
func (w *walk) look(name string) {
	w.t.Helper()
	all := os.Getenv("MANDATE_SLOW") != "" || os.Getenv("MANDATE_SCREENSHOTS") != ""
	for _, phone := range []bool{false, true} {
		for _, dark := range []bool{false, true} {
			if phone != dark && !all {
				continue
			}
			w.Desktop()
			w.Light()
			how := "wide"
			if phone {
				w.Phone()
				how = "phone"
			}
			if dark {
				w.Dark()
				how += "-dark"
			}
			w.Eval("new Promise((done) => setTimeout(done, 60))", nil) // until the colours have changed
			w.Fits()
			w.Axe()
			w.Screenshot("screen-" + name + "-" + how)
		}
	}
	w.Desktop()
	w.Light()
}

// visit opens an address, looks at it where nobody has, and returns where it
// leads on.
func (w *walk) visit(path string, again bool) []string {
	w.t.Helper()
	pattern := w.pattern(path)
	if seen, is := w.screen[pattern]; !is || seen && !again {
		return nil
	}
	var kind string
	w.Eval(`fetch("`+path+`").then((answer) => answer.headers.get("Content-Type") ?? "")`, &kind)
	if !strings.HasPrefix(kind, "text/html") {
		delete(w.screen, pattern) // a file or a picture
		return nil
	}
	w.Goto(w.origin + path)
	w.here()
	var links []string
	w.Eval(`[...document.querySelectorAll("a[href], [hx-get], form[method=get]")].map((e) =>
		new URL(e.getAttribute("href") ?? e.getAttribute("hx-get") ?? e.getAttribute("action") ?? "", location.href))
		.filter((u) => u.origin === location.origin).map((u) => u.pathname + u.search)`, &links)
	return links
}

// here looks at the screen that is open.
func (w *walk) here() {
	w.t.Helper()
	pattern := w.pattern(strings.TrimPrefix(w.URL(), w.origin))
	w.screen[pattern] = true
	w.looks++
	w.look(fmt.Sprintf("%03d%s", w.looks, strings.NewReplacer("GET /", "-", "{institution}", "", "/", "-", "{", "", "}", "").Replace(pattern)))
}

// from looks at everything that some addresses lead to, nearest first. The
// addresses themselves are looked at even when others like them were.
func (w *walk) from(paths ...string) {
	w.t.Helper()
	var next []string
	for _, path := range paths {
		next = append(next, w.visit(path, true)...)
	}
	for len(next) > 0 {
		path := next[0]
		next = append(next[1:], w.visit(path, false)...)
	}
}

func (w *walk) as(username string) (institution string, member func(username string) string) {
	w.t.Helper()
	i := slices.IndexFunc(w.world.SignIns, func(s demo.SignIn) bool { return s.Username == username })
	who := w.world.SignIns[i]
	w.Goto(w.origin + "/" + who.Institution + "/sign-in")
	w.Fill("Username", who.Username)
	w.Fill("Password", who.Password)
	w.Click("Sign in")
	w.See("Welcome")
	place := w.world.Institutions[slices.IndexFunc(w.world.Institutions, func(i demo.Institution) bool { return i.ID == who.Institution })]
	return who.Institution, func(username string) string { return cmp.Or(place.Members[username], "nobody") }
}

// elsewhere are the screens that only a way of several steps leads to, and the
// tests of internal/web/online that go it and look at them.
var elsewhere = map[string]string{
	"GET /{institution}/sign-in/second": "TestAuthenticatorAppInABrowser",
	"GET /{institution}/sign-in/factor": "TestRequiredSecondFactorInABrowser",
}

func TestEveryScreen(t *testing.T) {
	w := newWalk(t)
	cedar, _ := w.as("ana.ruiz")
	t.Log(cedar)
	w.from("/" + cedar + "/home")
	for _, pattern := range slices.Sorted(maps.Keys(w.screen)) {
		if _, is := elsewhere[pattern]; !w.screen[pattern] && !is {
			t.Errorf("nobody looked at %s", pattern)
		}
	}
}
