// Package authzen is the edge that speaks the AuthZEN Authorization API 1.0:
// one decision, batches of decisions, searches, and the metadata that says
// where they are. It reads and writes the protocol and knows nothing of what is decided:
// a Decider behind it does, and may be any other.
//
// The protocol asks for members that are not known to be ignored, so that
// everything here is read by hand.
package authzen

import (
	"context"
	"net/http"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/client"
	"mandate/internal/fault"
	"mandate/internal/gate"
	"mandate/internal/route"
)

// Named limits.
const (
	MaxEvaluations = 1000 // of one batch
	maxDepth       = 16   // of a request's JSON
	maxValues      = 200_000
)

// An Entity is a subject or a resource.
type Entity struct {
	Type       string
	ID         string
	Properties map[string]any // as decoded from JSON; nil where there are none
}

// An Action is what the subject wants to do.
type Action struct {
	Name       string
	Properties map[string]any
}

// An Evaluation is one question.
type Evaluation struct {
	Subject  Entity
	Action   Action
	Resource Entity
	Context  map[string]any
}

// A Decision is the answer to one evaluation. The zero Decision is a refusal.
type Decision struct {
	Allowed bool
	Context map[string]any // nil: the answer has none
	Failure *Failure       // the evaluation could not be judged as it was asked; it counts as a refusal
}

// Say puts a member into the decision's context.
func (d *Decision) Say(name string, value any) {
	if d.Context == nil {
		d.Context = map[string]any{}
	}
	d.Context[name] = value
}

// A Failure says what is wrong with one evaluation, as an HTTP status and a
// message. Alone it is the answer of the request; in a batch it stands in the
// item.
type Failure struct {
	Status  int
	Message string
}

// Questions are evaluations of one request.
type Questions struct {
	Evaluations []Evaluation
	AtLeast     string // the revision that the caller demands for all of them; empty: none
}

// Answers are the decisions of one request, in the order of the evaluations.
type Answers struct {
	Decisions []Decision
	Revision  string // what all of them know; empty where they have none in common
}

// A Decider answers evaluations. Answers to the evaluations of one call are of
// one moment.
type Decider interface {
	Evaluate(ctx context.Context, caller client.Client, q Questions) (Answers, error)
}

// Config is what an edge is made of.
type Config struct {
	Decider Decider // one that is a Searcher too answers searches
	Gate    *gate.Gate
	Origin  string // under which callers find the API, such as "https://api.example.com"

	// HasInstitution reports whether there is an institution of a name, each
	// of which has metadata of its own.
	HasInstitution func(context.Context, bank.InstitutionID) (bool, error)
}

// An Edge serves the protocol.
type Edge struct {
	Config
	quick Quick // nil: the decider has no quick way
}

// New returns the edge.
func New(c Config) *Edge {
	quick, _ := c.Decider.(Quick)
	return &Edge{c, quick}
}

// Paths of the endpoints.
const (
	prefix          = "/access/v1/"
	evaluationPath  = "/access/v1/evaluation"
	evaluationsPath = "/access/v1/evaluations"
	metadataPath    = "/.well-known/authzen-configuration"
)

// HotPaths are the addresses that payment systems ask with every payment.
func HotPaths() []string { return []string{evaluationPath, evaluationsPath} }

// Mount puts every route of the edge on mux.
func (e *Edge) Mount(mux *route.Mux) {
	mux.Handle(asked(evaluationPath), e.known(e.evaluation))
	mux.Handle(asked(evaluationsPath), e.known(e.evaluations))
	if searcher, ok := e.Decider.(Searcher); ok {
		for _, sought := range []Sought{Subjects, Resources, Actions} {
			mux.Handle(asked(searchPath(sought)), e.known(e.search(searcher, sought)))
		}
	}
	if requester, ok := e.requester(); ok {
		mux.Handle(asked(RequestPath), e.known(e.request(requester)))
		mux.Handle(route.Route{Method: "GET", Pattern: RequestPath + "/{task}", Needs: route.Needs{Who: route.KnownProgram, May: route.Own, Institution: route.FromKey}}, e.known(e.task(requester)))
	}
	mux.Mount(prefix, e.open(elsewhere(mux)))
	mux.Handle(route.Route{Method: "GET", Pattern: metadataPath, Needs: route.Needs{Who: route.Anybody, Institution: route.Nowhere}}, e.open(e.metadata))
	mux.Handle(route.Route{Method: "GET", Pattern: metadataPath + "/{institution}", Needs: route.Needs{Who: route.Anybody, Institution: route.FromPath}}, e.open(e.institutionMetadata))
}

// elsewhere answers where nothing is, or where only other methods are.
func elsewhere(mux *route.Mux) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		allowed := mux.Allowed(r, prefix)
		if len(allowed) == 0 {
			return errNothing
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		writeFailure(w, &Failure{http.StatusMethodNotAllowed, "This address does not know this method."})
		return nil
	}
}

var errNothing = fault.New(fault.NotFound, "There is nothing at this address.")

// asked is an address whose requests name the operations that they are about.
func asked(path string) route.Route {
	return route.Route{Method: "POST", Pattern: path, Needs: route.Needs{Who: route.KnownProgram, May: route.Asked, Institution: route.FromKey}}
}

// A handler answers a request or returns why it cannot.
type handler func(w http.ResponseWriter, r *http.Request) error

func (e *Edge) known(h handler) http.Handler { return e.Gate.Known(refuse, e.plain(h)) }
func (e *Edge) open(h handler) http.Handler  { return e.Gate.Open(e.plain(h)) }

func (e *Edge) plain(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			e.Gate.Refuse(w, r, refuse, err)
		}
	})
}
