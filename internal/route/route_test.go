package route

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

var nothing = http.NotFoundHandler()

// A program with a route that leaves something open does not start.
func TestAMuxTakesNoAddressWithoutItsNeeds(t *testing.T) {
	whole := Route{"POST", "/a/b", Needs{Who: KnownProgram, May: Asked, Institution: FromKey, Event: "happened"}}
	for name, change := range map[string]func(*Route){
		"method":           func(r *Route) { r.Method = "FETCH" },
		"path":             func(r *Route) { r.Pattern = "a/b" },
		"who":              func(r *Route) { r.Needs.Who = 0 },
		"what":             func(r *Route) { r.Needs.May = "" },
		"institution":      func(r *Route) { r.Needs.Institution = 0 },
		"key of nobody":    func(r *Route) { r.Needs.Who = Anybody },
		"change by a look": func(r *Route) { r.Method = "GET" },
	} {
		r := whole
		change(&r)
		for how, put := range map[string]func(*Mux){
			"handled": func(m *Mux) { m.Handle(r, nothing) },
			"mounted": func(m *Mux) { m.Mount("/a/", nothing, r) },
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s: %s was %s", name, r, how)
					}
				}()
				put(NewMux())
			}()
		}
	}
	m := NewMux()
	m.Handle(whole, nothing)
	m.Mount("/c/", nothing, Route{"GET", "/c/{d}", Needs{Who: Anybody, Institution: Nowhere}})
	var all []string
	for _, r := range m.Declared() {
		all = append(all, r.String())
	}
	if got := strings.Join(all, ", "); got != "POST /a/b, GET /c/{d}" {
		t.Errorf("declared: %s", got)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a route was mounted where it is not served")
			}
		}()
		NewMux().Mount("/e/", nothing, Route{"GET", "/c/{d}", Needs{Who: Anybody, Institution: Nowhere}})
	}()
	w := httptest.NewRecorder()
	m.ServeHTTP(w, httptest.NewRequest("DELETE", "/a/b", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("DELETE where only POST is: %d", w.Code)
	}
}
