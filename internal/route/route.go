// Package route is how every address of the program says what it needs: who may
// use it, which operation or permission is asked about, where the institution
// comes from, what a change records. It is said in one form by the screens, the
// APIs and the operators' address, so that reviewers and tests can read all of
// them in one list. It enforces none of it: the rooms do, in their transactions.
package route

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// A Route is an address with what it needs.
type Route struct {
	Method  string // GET or POST; what reads, reads with HEAD as well
	Pattern string // of the standard library's ServeMux, without a host
	Needs   Needs
}

func (r Route) String() string { return r.Method + " " + r.Pattern }

// Needs says what must be true before a route does its work. The rooms enforce
// all but Who, each inside its transaction; here it is written down, so that a
// missing line is a failed start and not a hole.
type Needs struct {
	Who         Who
	May         string // the operation or staff permission asked of the engine, or Own, or Asked
	Institution Source // where the institution comes from
	Proof       bool   // high-risk authorization
	Second      bool   // a second person must agree
	Event       string // the history event that a change records
}

// Who may use a route at all. The zero value is refused at start.
type Who uint8

const (
	_             Who = iota
	Anybody           // who can reach the address
	SignedIn          // a person with a sign-in of the app
	KnownProgram      // a program with a key of the API
	ActingProgram     // one that may act for people, in the name of one of them
	HostProgram       // the institution's host
)

var whoNames = map[Who]string{Anybody: "anybody", SignedIn: "signed in", KnownProgram: "known program", ActingProgram: "acting program", HostProgram: "host program"}

func (w Who) String() string { return whoNames[w] }

const (
	// Own is what a route needs that shows or changes nothing but what belongs to
	// whoever asks, or finds out item by item what they may see.
	Own = "own"
	// Asked is what a route needs whose request names the operation itself.
	Asked = "asked"
)

// A Source is where a route learns which institution it is about. The zero
// value is refused at start.
type Source uint8

const (
	_           Source = iota
	Nowhere            // it is about none
	FromPath           // the first part of the path, compared with the sign-in
	FromSession        // the sign-in alone
	FromKey            // the key of the program
)

// Check says what a route leaves open.
func (r Route) Check() error {
	n := r.Needs
	switch {
	case !slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE"}, r.Method):
		return errors.New("Method must be GET, POST, PUT, PATCH or DELETE")
	case !strings.HasPrefix(r.Pattern, "/"):
		return errors.New("Pattern must be a path; the host is checked for all")
	case n.Who == 0:
		return errors.New("Needs.Who is not stated")
	case n.Institution == 0:
		return errors.New("Needs.Institution is not stated")
	case n.Who != Anybody && n.May == "":
		return errors.New("Needs.May is not stated")
	case (n.Institution == FromSession || n.Institution == FromKey) && n.Who == Anybody:
		return errors.New("Needs.Institution cannot come from whom nobody knows")
	case r.Method == "GET" && (n.Event != "" || n.Proof || n.Second):
		return errors.New("a GET never changes anything")
	}
	return nil
}

// A Mux is a ServeMux that takes no address without what it needs.
type Mux struct {
	mux    *http.ServeMux
	routes []Route
}

// NewMux returns a mux without addresses.
func NewMux() *Mux { return &Mux{mux: http.NewServeMux()} }

// Handle puts a handler at a route. A route that leaves something open is a
// mistake of the program, as a pattern is that the standard library refuses.
func (m *Mux) Handle(r Route, h http.Handler) {
	m.declare(r)
	m.mux.Handle(r.String(), h)
}

// Mount puts a handler at everything below a prefix, where it serves some
// routes and refuses everything else.
func (m *Mux) Mount(prefix string, h http.Handler, routes ...Route) {
	for _, r := range routes {
		if !strings.HasPrefix(r.Pattern, prefix) {
			panic(fmt.Sprintf("route: %s is not below %s", r, prefix))
		}
		m.declare(r)
	}
	m.mux.Handle(prefix, h)
}

func (m *Mux) declare(r Route) {
	if err := r.Check(); err != nil {
		panic(fmt.Sprintf("route: %s: %v", r, err))
	}
	m.routes = append(m.routes, r)
}

// Declared are all addresses of the mux, with what they need.
func (m *Mux) Declared() []Route { return m.routes }

// Allowed are the methods that an address of a mux knows, for the header Allow;
// none where nothing is. but is the pattern that answers everywhere else.
func Allowed(mux *http.ServeMux, r *http.Request, but string) (methods []string) {
	other := r.WithContext(r.Context()) // a copy, of which only the method becomes another
	for _, other.Method = range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if _, pattern := mux.Handler(other); pattern != but {
			methods = append(methods, other.Method)
		}
	}
	return methods
}

// Allowed are the methods that an address of the mux knows.
func (m *Mux) Allowed(r *http.Request, but string) []string { return Allowed(m.mux, r, but) }

func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.mux.ServeHTTP(w, r) }
