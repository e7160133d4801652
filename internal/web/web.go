// Package web is what all web apps share: how a request is received, checked,
// answered and accounted for. An app gives a Site its routes; every handler
// parses, calls one verb, renders, and returns its error. The package knows no
// room, holds no rule of the trade and keeps nothing between requests.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"mandate/internal/bank"
	"mandate/internal/route"
	"mandate/internal/web/static"
)

// A HandlerFunc answers a request or returns why it could not. It must not have
// written anything when it returns an error.
type HandlerFunc func(http.ResponseWriter, *http.Request) error

// A Site is one web app at one origin. The zero fields work, except App, Origin
// and Key or Keys.
type Site struct {
	App    string          // names cookies, logs and metrics: "online"
	Origin string          // where browsers find it: "https://online.example.com"
	Hosts  []string        // other host names it answers to
	Key    []byte          // at least 32 secret bytes, kept over restarts: signs form tokens and flashes
	Keys   func() [][]byte // in place of Key, where keys change while the site runs: the first signs, all are taken for ours

	Clock   bank.Clock   // the machine's, unless set
	Log     *slog.Logger // the default one, unless set
	Metrics *Metrics     // counts nothing, unless set

	// SameSite of the session cookie: strict, unless set.
	SameSite http.SameSite
	// Proxies are the addresses whose word on the client's address is taken.
	Proxies []netip.Prefix

	// Also are routes beside the app's own, such as those that only a demo has.
	Also []Route

	// Authenticate finds out who asks and returns a context that says so (see
	// WithCaller). It answers fault.Unauthorized where nobody is signed in; on
	// routes open to anybody that is no failure.
	Authenticate func(*http.Request) (context.Context, error)
	// SignIn is where a page sends somebody who must sign in first.
	SignIn func(*http.Request) string
	// Dress puts the content of an error page into the app's shell.
	Dress func(r *http.Request, title string, content templ.Component) templ.Component

	https   bool
	allowed map[string]bool // host names, with ports as browsers send them
}

// Limits that hold for every app.
const (
	maxBody   = 1 << 20 // bytes of a form
	minKey    = 32      // bytes of Site.Key
	maxHeader = 64 << 10
)

// Handler checks the site and its routes and makes one handler of them. It
// refuses to start with a route that does not say what it needs.
func (s *Site) Handler(routes []Route) (http.Handler, error) {
	if err := s.prepare(); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	declared := []route.Route{staticFiles}
	for _, one := range slices.Concat(s.ownRoutes(), s.Also, routes) {
		if err := one.check(); err != nil {
			return nil, fmt.Errorf("web: %s: route %s %s: %w", s.App, one.Method, one.Pattern, err)
		}
		mux.Handle(one.Method+" "+one.Pattern, s.serve(one))
		declared = append(declared, one.declared())
	}
	root := http.NewServeMux()
	root.Handle(static.Prefix, static.Handler())
	root.Handle("/", s.unmatched(mux))
	return app{s.guard(root), routes, declared}, nil
}

// staticFiles are the fonts, styles and scripts that every app has.
var staticFiles = route.Route{Method: "GET", Pattern: static.Prefix, Needs: Needs{Who: Anybody, Institution: Nowhere}}

// An app is a handler that knows its addresses, for tests that ask all of them.
type app struct {
	http.Handler
	routes   []Route
	declared []route.Route
}

// Routes are the app's own addresses.
func (a app) Routes() []Route { return a.routes }

// Declared is everything that the app answers, with what each needs.
func (a app) Declared() []route.Route { return a.declared }

func (s *Site) prepare() error {
	if s.App == "" || strings.ToLower(s.App) != s.App {
		return errors.New("web: a site needs a short lower-case App")
	}
	if keys := s.keys(); len(keys) == 0 || slices.ContainsFunc(keys, func(key []byte) bool { return len(key) < minKey }) {
		return fmt.Errorf("web: %s: a key needs at least %d bytes", s.App, minKey)
	}
	origin, err := url.Parse(s.Origin)
	if err != nil || origin.Host == "" || origin.Scheme != "https" && origin.Scheme != "http" {
		return fmt.Errorf("web: %s: Origin %q is not like https://online.example.com", s.App, s.Origin)
	}
	s.https = origin.Scheme == "https"
	s.allowed = map[string]bool{strings.ToLower(origin.Host): true}
	for _, host := range s.Hosts {
		s.allowed[strings.ToLower(host)] = true
	}
	if s.Clock == nil {
		s.Clock = bank.SystemClock{}
	}
	if s.Log == nil {
		s.Log = slog.Default()
	}
	if s.SameSite == 0 {
		s.SameSite = http.SameSiteStrictMode
	}
	return nil
}

// ownRoutes are those that every app has.
func (s *Site) ownRoutes() []Route {
	return []Route{
		{Method: "POST", Pattern: ThemePath, Handler: setTheme, Needs: Needs{Who: Anybody, Institution: Nowhere}},
	}
}

type key int

const (
	siteKey key = iota
	callerKey
	requestIDKey
	noteKey
)

// WithCaller returns a context that says who asks.
func WithCaller(ctx context.Context, c bank.Caller) context.Context {
	if n, ok := ctx.Value(noteKey).(*note); ok {
		n.caller = c
	}
	return context.WithValue(ctx, callerKey, c)
}

// CallerOf is who asks. Outside of a signed-in request it is the zero Caller,
// which may do nothing.
func CallerOf(ctx context.Context) bank.Caller {
	c, _ := ctx.Value(callerKey).(bank.Caller)
	return c
}

// RequestID is the reference of this request, in its log line and on its error
// page.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey).(string)
	return id
}

// siteOf is the site that serves a request; asking outside of one is a
// programmer's mistake.
func siteOf(ctx context.Context) *Site {
	return ctx.Value(siteKey).(*Site)
}
