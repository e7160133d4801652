package web

import (
	"errors"

	"mandate/internal/route"
)

// A Route is one line of an app's list: an address, its handler and what it
// needs. All routes of an app stand in one place, to be read by reviewers and
// tests.
type Route struct {
	Method     string // GET or POST
	Pattern    string // of the standard library's ServeMux
	Handler    HandlerFunc
	Needs      Needs
	Private    bool  // shows secrets, factors or links: never to staff who see as a member sees
	EndsSeeing bool  // the one thing such staff may send: that they are done
	MaxBody    int64 // bytes; a form's limit unless set, for uploads
}

// What a route needs is said as everywhere in the program.
type (
	Needs  = route.Needs
	Who    = route.Who
	Source = route.Source
)

// Who may use a route, and where it learns which institution it is about.
const (
	Anybody  = route.Anybody
	SignedIn = route.SignedIn

	Own = route.Own

	Nowhere     = route.Nowhere
	FromPath    = route.FromPath
	FromSession = route.FromSession
)

func (r Route) declared() route.Route {
	return route.Route{Method: r.Method, Pattern: r.Pattern, Needs: r.Needs}
}

func (r Route) check() error {
	switch {
	case r.Method != "GET" && r.Method != "POST":
		return errors.New("Method must be GET or POST")
	case r.Handler == nil:
		return errors.New("Handler is missing")
	}
	return r.declared().Check()
}
