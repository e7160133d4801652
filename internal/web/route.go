package web

import (
	"errors"
	"strings"
)

// A Route is one line of an app's list: an address, its handler and what it
// needs. All routes of an app stand in one place, to be read by reviewers and
// tests.
type Route struct {
	Method  string // GET or POST
	Pattern string // of the standard library's ServeMux
	Handler HandlerFunc
	Needs   Needs
	MaxBody int64 // bytes; a form's limit unless set, for uploads
}

// Needs says what must be true before a route does its work. The rooms enforce
// all but Who, each inside its transaction; here it is written down, so that a
// missing line is a failed start and not a hole.
type Needs struct {
	Who         Who
	May         string // the operation or staff permission asked of the engine, or Own
	Institution Source // where the institution comes from
	Proof       bool   // high-risk authorization
	Second      bool   // a second person must agree
	Event       string // the history event that a change records
}

// Who may use a route at all. The zero value is refused at start.
type Who uint8

const (
	_ Who = iota
	Anybody
	SignedIn
)

// Own is what a route needs that shows or changes nothing but what belongs to
// the person who is signed in.
const Own = "own"

// A Source is where a route learns which institution it is about. The zero
// value is refused at start.
type Source uint8

const (
	_           Source = iota
	Nowhere            // it is about none
	FromPath           // the first part of the path, compared with the sign-in
	FromSession        // the sign-in alone
)

func (r Route) check() error {
	switch {
	case r.Method != "GET" && r.Method != "POST":
		return errors.New("Method must be GET or POST")
	case !strings.HasPrefix(r.Pattern, "/"):
		return errors.New("Pattern must be a path; the host is checked for all")
	case r.Handler == nil:
		return errors.New("Handler is missing")
	case r.Needs.Who == 0:
		return errors.New("Needs.Who is not stated")
	case r.Needs.Institution == 0:
		return errors.New("Needs.Institution is not stated")
	case r.Needs.Who == SignedIn && r.Needs.May == "":
		return errors.New("Needs.May is not stated")
	case r.Needs.Institution == FromSession && r.Needs.Who == Anybody:
		return errors.New("Needs.Institution cannot come from a session that need not be there")
	case r.Method == "GET" && (r.Needs.Event != "" || r.Needs.Proof || r.Needs.Second):
		return errors.New("a GET never changes anything")
	}
	return nil
}
