// Package api is the edge of our own API under /api/v1: what payment systems
// ask besides a bare decision, and what the screens can do. It parses, calls
// one verb, and answers; wrong requests get problem documents (RFC 9457) that
// say everything that is wrong and repeat nothing of what was sent.
//
// Other than AuthZEN and SCIM it refuses members and parameters that it does
// not know: whoever misspells a limit is told so.
package api

import (
	"context"
	_ "embed"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"mandate/internal/activity"
	"mandate/internal/authorization"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/gate"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/pdp"
	"mandate/internal/route"
	"mandate/internal/usermgmt"
)

// Version is the version of the API's description.
const Version = "1.0.0"

const prefix = "/api/v1"

// Decisions is the decision service.
type Decisions interface {
	ExplainAt(context.Context, bank.InstitutionID, pdp.Question, pdp.Past) (pdp.Explained, error)
	OrganizationOf(context.Context, bank.InstitutionID, bank.UserID) (bank.OrganizationID, bool, error)
}

// Users is the room of organizations and their people.
type Users interface {
	List(context.Context, bank.Caller, bank.OrganizationID, usermgmt.MemberQuery) (usermgmt.MemberPage, error)
	History(context.Context, bank.Caller, usermgmt.Person, activity.Filter) ([]activity.Event, error)
	Standing(context.Context, bank.Caller) (usermgmt.Standing, error)
	Mine(context.Context, bank.Caller) (usermgmt.Profile, error)
}

// Config is what an edge is made of.
type Config struct {
	Gate           *gate.Gate
	Decisions      Decisions
	Users          Users
	Reverse        Reverse
	Authorizations *authorization.Service
	Statements     Statements
	Approvals      Approvals
	Transfers      Transfers
	Stops          Stops
	ACH            ACH
	PositivePay    PositivePay
	Cards          Cards
	Wires          Wires
	Classic        Classic
	Hosted         Hosted // nil: the host keeps no people
}

// An Edge serves the API.
type Edge struct {
	Config
}

// New returns the edge.
func New(c Config) *Edge { return &Edge{c} }

//go:embed openapi.json
var description []byte

// Mount puts every route of the edge on mux.
func (e *Edge) Mount(mux *route.Mux) {
	inner := http.NewServeMux()
	described := e.register(inner).OpenAPI()
	inner.Handle(prefix+"/", e.elsewhere(inner))
	mux.Mount(prefix+"/", e.Gate.KnownUpTo(bounds(described), refuse, inner), declared(described)...)
	mux.Handle(route.Route{Method: "GET", Pattern: prefix + "/openapi.json", Needs: route.Needs{Who: route.Anybody, Institution: route.Nowhere}}, e.Gate.Open(http.HandlerFunc(describe)))
}

func describe(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/vnd.oai.openapi+json")
	_, _ = w.Write(description) // the caller is gone; nothing is left to tell it
}

// register puts the operations on mux and returns their description.
func (e *Edge) register(mux *http.ServeMux) huma.API {
	a := humago.New(mux, humaConfig())
	a.UseMiddleware(func(ctx huma.Context, next func(huma.Context)) { onlyJSON(a, ctx, next) })

	add(e, a, http.MethodPost, "/explain", "explain", "Explain a decision", asks(route.Asked), e.explain)
	add(e, a, http.MethodGet, "/organizations/{organization}/members", "list-members", "List an organization's users", asks(catalog.ViewUsers.ID()), e.members)
	add(e, a, http.MethodGet, "/organizations/{organization}/history", "list-history", "Read an organization's history", asks(catalog.ViewUsers.ID()), e.history)
	add(e, a, http.MethodPost, "/authorizations", "authorize", "Authorize a payment and count it", asks(route.Asked), e.authorize)
	add(e, a, http.MethodPost, "/authorizations/{ref}/approve", "approve-authorization", "Approve a payment as a second person", asks(route.Own), e.approve)
	add(e, a, http.MethodPost, "/authorizations/{ref}/confirm", "confirm-authorization", "Confirm a payment at its release", asks(route.Own), e.confirm)
	add(e, a, http.MethodPost, "/authorizations/{ref}/void", "void-authorization", "Void a payment and give its amount back", asks(route.Own), e.void)
	e.registerReverse(a)
	e.registerAccounts(a)
	e.registerApprovals(a)
	e.registerTransfers(a)
	e.registerStops(a)
	e.registerACH(a)
	e.registerPositivePay(a)
	e.registerCards(a)
	e.registerWires(a)
	e.registerClassic(a)
	return a
}

// needsKey is where an operation of the library keeps what it needs.
const needsKey = "needs"

// asks is what an operation needs that is about the program's own institution.
func asks(may string) route.Needs {
	return route.Needs{Who: route.KnownProgram, May: may, Institution: route.FromKey}
}

// acts is what an operation needs that is done for a person: the program must
// be one that acts for people, and the person is judged as on a screen.
func acts(may catalog.Operation) route.Needs {
	return route.Needs{Who: route.ActingProgram, May: may.ID(), Institution: route.FromKey}
}

// actsOn is what an operation needs whose room asks about each item: what
// waits for a second person says itself what that person must be allowed.
var actsOn = route.Needs{Who: route.ActingProgram, May: route.Own, Institution: route.FromKey}

// declared are the operations of a description, with what they need.
func declared(described *huma.OpenAPI) (routes []route.Route) {
	for _, path := range slices.Sorted(maps.Keys(described.Paths)) {
		item := described.Paths[path]
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				routes = append(routes, route.Route{Method: op.Method, Pattern: path, Needs: op.Metadata[needsKey].(route.Needs)})
			}
		}
	}
	return routes
}

// bounds is how large a request may be: of addresses that take files as large as
// they say, of all others as the gate has it.
func bounds(described *huma.OpenAPI) func(*http.Request) int64 {
	return func(r *http.Request) int64 {
		if item := described.Paths[r.URL.Path]; item != nil && item.Post != nil {
			return item.Post.MaxBodyBytes
		}
		return gate.MaxBody
	}
}

// Named limits of a request that carries a file: in JSON every end of a line is
// longer than in the file, and it may come over a slow line.
const (
	maxFile  = ach.MaxFile + ach.MaxFile/8
	fileTime = 2 * time.Minute
)

// withFile is for operations that take a file.
func withFile(op *huma.Operation) { op.MaxBodyBytes, op.BodyReadTimeout = maxFile, fileTime }

// add registers one operation with what it needs. Its errors become problem
// documents.
func add[I, O any](e *Edge, a huma.API, method, path, id, summary string, needs route.Needs, handle func(context.Context, *I) (*O, error), but ...func(*huma.Operation)) {
	op := huma.Operation{
		Metadata:    map[string]any{needsKey: needs},
		OperationID: id, Method: method, Path: prefix + path, Summary: summary,
		MaxBodyBytes: gate.MaxBody, RejectUnknownQueryParameters: true,
		Errors:   []int{400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503},
		Security: []map[string][]string{{"key": {}}},
	}
	for _, change := range but {
		change(&op)
	}
	huma.Register(a, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, e.judge(ctx, err)
		}
		return out, nil
	})
}

// onlyJSON refuses a body that does not say that it is JSON.
func onlyJSON(a huma.API, ctx huma.Context, next func(huma.Context)) {
	kind, _, _ := strings.Cut(ctx.Header("Content-Type"), ";")
	if ctx.Operation().RequestBody != nil && !strings.EqualFold(strings.TrimSpace(kind), "application/json") {
		_ = huma.WriteErr(a, ctx, http.StatusUnsupportedMediaType, "The Content-Type must be application/json.") // the caller is gone
		return
	}
	next(ctx)
}

// elsewhere answers where nothing is, or where only other methods are.
func (e *Edge) elsewhere(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		allowed := route.Allowed(mux, r, prefix+"/")
		if len(allowed) == 0 {
			writeProblem(w, http.StatusNotFound, fault.New(fault.NotFound, "There is nothing at this address."))
			return
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		writeProblem(w, http.StatusMethodNotAllowed, fault.New(fault.NotFound, "This address does not know this method."))
	})
}

// may refuses a caller that is bound to other operations.
func may(ctx context.Context, operation catalog.Operation) error {
	if gate.ClientOf(ctx).May(operation) {
		return nil
	}
	return fault.New(fault.Forbidden, "This caller may not ask about this operation.").With("CALLER_NOT_ALLOWED")
}

// setGlobals sets what the library keeps for all its users: how an error looks,
// and that names are exact.
var setGlobals = sync.OnceFunc(func() {
	huma.NewError, huma.ValidateStrictCasing = newProblem, true
})

// humaConfig is the library's configuration: strict, and without pages that
// load anything from elsewhere.
func humaConfig() huma.Config {
	setGlobals()
	config := huma.DefaultConfig("Mandate", Version)
	config.Info.Description = "Who may move whose money. Every address wants an API key that is bound to an institution."
	config.OpenAPIPath, config.DocsPath, config.SchemasPath, config.CreateHooks = "", "", "", nil
	config.Formats = map[string]huma.Format{"application/json": strictJSON, "json": strictJSON}
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"key": {Type: "http", Scheme: "bearer", Description: "An API key, such as mk_..."},
	}
	return config
}
