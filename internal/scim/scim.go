// Package scim is the edge that speaks SCIM 2.0 (RFC 7643, 7644) with outside
// directories: staff users and their groups, for the institution of the path. It
// reads and writes the protocol, with the habits of the directories that are in
// wide use; what may be done is the staff room's, through the one door.
//
// What a directory sends and we do not keep is ignored, as the protocol asks.
package scim

import (
	"context"
	"net/http"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/gate"
	"mandate/internal/route"
	"mandate/internal/staff"
)

// Named limits.
const (
	maxDepth      = 16 // of a request's JSON
	maxValues     = 100_000
	maxOperations = 1000 // of one bulk request, and of one PATCH
	maxResults    = 1000 // of one page
	pageSize      = 100  // unless asked otherwise
)

// Config is what an edge is made of.
type Config struct {
	Rooms  *staff.Provisioning
	Gate   *gate.Gate
	Origin string // under which directories find the API, such as "https://api.example.com"
}

// An Edge serves the protocol.
type Edge struct{ Config }

// New returns the edge.
func New(c Config) *Edge { return &Edge{c} }

const prefix = "/scim/{institution}/v2"

// Mount puts every route of the edge on mux.
func (e *Edge) Mount(mux *route.Mux) {
	for _, one := range []struct {
		method, path, event string
		h                   handler
	}{
		{"GET", "/ServiceProviderConfig", "", e.serviceProviderConfig},
		{"GET", "/ResourceTypes", "", e.resourceTypes},
		{"GET", "/ResourceTypes/{id}", "", e.resourceTypes},
		{"GET", "/Schemas", "", e.schemas},
		{"GET", "/Schemas/{id}", "", e.schemas},
		{"GET", "/Users", "", e.resource},
		{"GET", "/Users/{id}", "", e.resource},
		{"GET", "/Groups", "", e.resource},
		{"GET", "/Groups/{id}", "", e.resource},
		{"POST", "/.search", "", e.search},
		{"POST", "/Users/.search", "", e.search},
		{"POST", "/Groups/.search", "", e.search},
		{"POST", "/Users", staff.EventInvited, e.resource},
		{"PUT", "/Users/{id}", staff.EventProfileChanged, e.resource},
		{"PATCH", "/Users/{id}", staff.EventProfileChanged, e.resource},
		{"DELETE", "/Users/{id}", staff.EventDeleted, e.resource},
		{"POST", "/Groups", staff.EventGroupCreated, e.resource},
		{"PUT", "/Groups/{id}", staff.EventGroupChanged, e.resource},
		{"PATCH", "/Groups/{id}", staff.EventGroupChanged, e.resource},
		{"DELETE", "/Groups/{id}", staff.EventGroupDeleted, e.resource},
		{"POST", "/Bulk", staff.EventProfileChanged, e.bulk},
	} {
		needs := route.Needs{Who: route.KnownProgram, May: "directory", Institution: route.FromKey, Event: one.event}
		mux.Handle(route.Route{Method: one.method, Pattern: prefix + one.path, Needs: needs}, e.known(one.h))
	}
}

// A request is one call, or one operation of a bulk request.
type request struct {
	ctx     context.Context
	caller  bank.Caller
	base    string // the address of the institution's SCIM
	method  string
	kind    *kind  // nil: not about one kind of resource
	id      string // empty: about the whole kind
	ifMatch string
	ifNone  string
	body    map[string]any
	query   query
}

// An answer is what a request is answered with.
type answer struct {
	status   int
	body     any    // nil: none
	location string // of the resource
	version  string // its ETag
}

type handler func(request) (answer, error)

// known lets directories of the path's institution through.
func (e *Edge) known(h handler) http.Handler {
	return e.Gate.Known(refuse, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, err := e.serve(r, h)
		if err != nil {
			e.Gate.Refuse(w, r, refuse, err)
			return
		}
		write(w, a)
	}))
}

func (e *Edge) serve(r *http.Request, h handler) (answer, error) {
	caller := gate.CallerOf(r.Context())
	caller.Channel = bank.ChannelSCIM
	institution := bank.InstitutionID(r.PathValue("institution"))
	if institution != caller.Institution {
		return answer{}, fault.New(fault.Forbidden, "This key is not for that institution.").With("OTHER_INSTITUTION")
	}
	if err := e.Rooms.Recognize(r.Context(), caller); err != nil {
		return answer{}, err
	}
	req := request{ctx: r.Context(), caller: caller, base: e.Origin + "/scim/" + string(institution) + "/v2",
		method: r.Method, id: r.PathValue("id"), ifMatch: r.Header.Get("If-Match"), ifNone: r.Header.Get("If-None-Match")}
	req.kind = kindOf(strings.TrimPrefix(r.URL.Path, "/scim/"+string(institution)+"/v2/"))
	var err error
	if req.query, err = readQuery(r.URL.Query()); err != nil {
		return answer{}, err
	}
	if r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch {
		if req.body, err = readBody(r); err != nil {
			return answer{}, err
		}
	}
	return h(req)
}

// kindOf is the kind of resource that a path below the base is about.
func kindOf(path string) *kind {
	first, _, _ := strings.Cut(path, "/")
	for _, k := range kinds {
		if k.endpoint == first {
			return k
		}
	}
	return nil
}

// resource does what a method asks of one resource, or of a kind.
func (e *Edge) resource(r request) (answer, error) {
	switch {
	case r.method == http.MethodGet || r.method == http.MethodHead:
		if r.id == "" {
			return e.list(r, r.query)
		}
		return e.read(r)
	case r.method == http.MethodPost && r.id == "":
		return e.create(r)
	case r.method == http.MethodPut && r.id != "":
		return e.change(r, func(is map[string]any) (map[string]any, error) { return r.kind.replaced(is, r.body), nil })
	case r.method == http.MethodPatch && r.id != "":
		operations, err := readOperations(r.body)
		if err != nil {
			return answer{}, err
		}
		return e.change(r, func(is map[string]any) (map[string]any, error) { return patch(r.kind.schema, is, operations) })
	case r.method == http.MethodDelete && r.id != "":
		return answer{status: http.StatusNoContent}, r.kind.remove(e, r)
	}
	return answer{}, fault.New(fault.Invalid, "This cannot be asked of a resource.").With(invalidSyntax)
}

func (e *Edge) read(r request) (answer, error) {
	found, _, err := r.kind.find(e, r, lookup{id: r.id, bare: !r.query.wants("members")})
	if err != nil {
		return answer{}, err
	}
	if len(found) == 0 {
		return answer{}, r.kind.missing()
	}
	a := e.shown(r, http.StatusOK, found[0])
	if r.ifNone != "" && matches(r.ifNone, a.version) {
		a.status, a.body = http.StatusNotModified, nil
	}
	return a, nil
}

func (e *Edge) create(r request) (answer, error) {
	made, err := r.kind.create(e, r, r.kind.schema.canonical(r.body))
	if err != nil {
		return answer{}, err
	}
	return e.shown(r, http.StatusCreated, made), nil
}

// change makes of a resource what to makes of it, if it is still the one that
// the caller has seen.
func (e *Edge) change(r request, to func(is map[string]any) (map[string]any, error)) (answer, error) {
	now, err := r.kind.change(e, r, func(is map[string]any) (map[string]any, error) {
		if err := r.unchanged(is); err != nil {
			return nil, err
		}
		return to(is)
	})
	if err != nil {
		return answer{}, err
	}
	return e.shown(r, http.StatusOK, now), nil
}

// unchanged refuses what is asked of a version that is no more.
func (r request) unchanged(is map[string]any) error {
	if r.ifMatch != "" && !matches(r.ifMatch, etag(is)) {
		return errStale
	}
	return nil
}

// shown is the answer that shows a resource.
func (e *Edge) shown(r request, status int, resource map[string]any) answer {
	version := etag(resource)
	resource["meta"].(map[string]any)["version"] = version
	location := resource["meta"].(map[string]any)["location"].(string)
	return answer{status, r.query.project(r.kind.schema, resource), location, version}
}
