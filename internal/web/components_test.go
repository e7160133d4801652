package web_test

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"mandate/internal/web"
	"mandate/internal/web/browsertest"
	"mandate/internal/web/gallery"
)

func TestMain(m *testing.M) { browsertest.Main(m) }

// site serves routes on a loopback address as http://localhost does.
func site(t *testing.T, s *web.Site, routes []web.Route) string {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	s.App, s.Origin, s.Key = "test", "http://"+server.Listener.Addr().String(), make([]byte, 32)
	rand.Read(s.Key)
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	handler, err := s.Handler(routes)
	if err != nil {
		t.Fatal(err)
	}
	server.Config = web.NewServer(handler, s.Log)
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

func components(t *testing.T) string {
	return site(t, &web.Site{}, web.ComponentRoutes())
}

// Every component, in both schemes and both widths, without one violation.
func TestComponentsAreAccessible(t *testing.T) {
	p := browsertest.Open(t)
	base := components(t)
	for _, screen := range []struct {
		name string
		set  func()
	}{{"1440", p.Desktop}, {"390", p.Phone}} {
		for _, scheme := range []struct {
			name string
			set  func()
		}{{"light", p.Light}, {"dark", p.Dark}} {
			screen.set()
			scheme.set()
			for _, page := range []struct{ name, path string }{
				{"components", gallery.Path}, {"entry", gallery.EntryPath}, {"refusal", gallery.RefusalPath}, {"dialog-page", gallery.DialogPath}, {"missing", "/nothing"},
			} {
				p.Goto(base + page.path)
				p.Axe()
				p.Fits()
				p.Screenshot(page.name + "-" + screen.name + "-" + scheme.name)
			}
		}
	}
}

func get(t *testing.T, url string) *http.Response {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Body.Close() })
	return r
}

func deadline(t *testing.T, what string, done func() bool) {
	t.Helper()
	for start := time.Now(); !done(); time.Sleep(30 * time.Millisecond) {
		if time.Since(start) > 30*time.Second {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
