package authzen

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math"
	"net/http"
	"slices"

	"mandate/internal/client"
	"mandate/internal/fault"
	"mandate/internal/gate"
)

// MaxResults is the most results that one answer holds.
const MaxResults = 1000

// searchCost is as how many decisions a search counts when callers take turns.
const searchCost = 100

// Sought is what a search leaves open.
type Sought string

const (
	Subjects  Sought = "subject"
	Resources Sought = "resource"
	Actions   Sought = "action"
)

// A Search asks for everything that would make an evaluation a yes. What is
// sought has no id in it, or no name.
type Search struct {
	Sought     Sought
	Evaluation Evaluation
	AtLeast    string // the revision that the caller demands; empty: none
}

// Results are the ids, or names, of everything that was found, in any order.
type Results struct {
	IDs      []string
	Revision string
	Context  map[string]any // nil: the answer has none
}

// A Searcher is a Decider that answers searches too. What it finds is what it
// would allow. What it has never heard of finds nothing.
type Searcher interface {
	Search(ctx context.Context, caller client.Client, s Search) (Results, error)
}

func searchPath(s Sought) string { return "/access/v1/search/" + string(s) }

// POST /access/v1/search/{sought}
func (e *Edge) search(searcher Searcher, sought Sought) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		body, err := readBody(r)
		if err != nil {
			return err
		}
		asked, failure := readSearch(sought, body)
		if failure != nil {
			writeFailure(w, failure)
			return nil
		}
		page, err := readPage(sought, body)
		if err != nil {
			return err
		}
		c := gate.Calling(r.Context())
		if err := e.Gate.Turns().Enter(r.Context(), c, searchCost); err != nil {
			return err
		}
		defer e.Gate.Turns().Leave(c)
		found, err := searcher.Search(r.Context(), *c, Search{sought, asked, r.Header.Get(revisionHeader)})
		if err != nil {
			return err
		}
		setRevision(w, found.Revision)
		results := page.cut(found.IDs, func(id string) any {
			if sought == Actions {
				return actionBody{id}
			}
			return entityBody{typeOf(sought, asked), id}
		})
		results.Context = found.Context
		return writeJSON(w, results)
	}
}

func typeOf(sought Sought, e Evaluation) string {
	if sought == Subjects {
		return e.Subject.Type
	}
	return e.Resource.Type
}

type (
	actionBody struct {
		Name string `json:"name"`
	}
	entityBody struct {
		Type string `json:"type"`
		ID   string `json:"id"`
	}
)

// readSearch reads an evaluation of which one part is left open: of a subject
// or resource the id, which is ignored where it is given; an action is left
// open whole.
func readSearch(sought Sought, members object) (Evaluation, *Failure) {
	var r reader
	e := Evaluation{Context: r.optional(members, "", "context")}
	if sought == Subjects {
		e.Subject = r.open(members, "subject")
	} else {
		e.Subject = r.entity(members, "subject")
	}
	if sought == Resources {
		e.Resource = r.open(members, "resource")
	} else {
		e.Resource = r.entity(members, "resource")
	}
	if sought != Actions {
		e.Action = r.action(members)
	}
	if r.wrong != "" {
		return Evaluation{}, &Failure{http.StatusBadRequest, r.wrong}
	}
	return e, nil
}

// open is an entity of which only the type is known.
func (r *reader) open(members object, name string) Entity {
	m := r.required(members, name)
	return Entity{Type: r.text(m, name, "type"), Properties: r.optional(m, name, "properties")}
}

// A page says which part of the results is asked for.
type page struct {
	asked bool   // the caller knows of pages
	after string // the last id of the page before
	limit int
	sum   string // of the request without its page
}

// A token is a page that follows another, as the caller carries it: where the
// page before ended, how many results it held at most, and of which request.
type token struct {
	After string `json:"a"`
	Limit int    `json:"l"`
	Sum   string `json:"s"`
}

func (t token) String() string {
	text, err := json.Marshal(t)
	if err != nil {
		panic(err) // two texts and a number
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func parseToken(text string) (t token, ok bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &t)
	}
	return t, err == nil && t.String() == text && t.Limit >= 0 && t.Limit <= MaxResults
}

// readPage reads which page is asked for. The limit travels in the token: a
// caller may leave it out of the following requests, and may not change it, nor
// anything else that is asked.
func readPage(sought Sought, body object) (page, error) {
	p := page{limit: MaxResults, sum: sumOf(sought, body)}
	value, given := body["page"]
	if !given {
		return p, nil
	}
	members, ok := value.(object)
	if !ok {
		return page{}, fault.New(fault.Invalid, "The member page must be an object.")
	}
	p.asked = true
	limit, limited, err := readLimit(members)
	if err != nil {
		return page{}, err
	}
	if limited {
		p.limit = min(limit, MaxResults)
	}
	value, given = members["token"]
	text, ok := value.(string)
	if given && !ok {
		return page{}, fault.New(fault.Invalid, "The member page.token must be a string.")
	}
	if text == "" { // also what a caller sends that carries on from the end
		return p, nil
	}
	t, ok := parseToken(text)
	if !ok {
		return page{}, fault.New(fault.Invalid, "The member page.token is not a token of this service.")
	}
	if t.Sum != p.sum || limited && p.limit != t.Limit {
		return page{}, fault.New(fault.Invalid, "The request is another than that of the first page. Begin again without a token.")
	}
	p.after, p.limit = t.After, t.Limit
	return p, nil
}

func readLimit(members object) (limit int, given bool, err error) {
	value, given := members["limit"]
	if !given {
		return 0, false, nil
	}
	n, ok := value.(float64)
	if !ok || n < 0 || n != math.Trunc(n) {
		return 0, true, fault.New(fault.Invalid, "The member page.limit must be a whole number, not below zero.")
	}
	return int(min(n, MaxResults)), true, nil
}

// sumOf tells requests apart by all that they ask but the page.
func sumOf(sought Sought, body object) string {
	asked := make(object, len(body)+1)
	for name, value := range body {
		if name != "page" {
			asked[name] = value
		}
	}
	text, err := json.Marshal([]any{sought, asked}) // names in order, whatever order they came in
	if err != nil {
		panic(err) // it was JSON
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

type resultsBody struct {
	Page    *pageBody      `json:"page,omitempty"`
	Context map[string]any `json:"context,omitempty"`
	Results []any          `json:"results"`
}

type pageBody struct {
	NextToken string `json:"next_token"`
	Count     int    `json:"count"`
	Total     int    `json:"total"`
}

// cut takes the page out of all results, in the order of their ids. A result
// that went away between two pages is left out, and a new one is found if it
// stands further on.
func (p page) cut(ids []string, bodyOf func(string) any) resultsBody {
	if !slices.IsSorted(ids) { // nearly always they come in this order
		ids = slices.Sorted(slices.Values(ids))
	}
	start, found := slices.BinarySearch(ids, p.after)
	if found {
		start++
	}
	rest := ids[start:]
	b := resultsBody{Results: []any{}}
	for _, id := range rest[:min(p.limit, len(rest))] {
		b.Results = append(b.Results, bodyOf(id))
		p.after = id
	}
	more := len(rest) > len(b.Results)
	if p.asked || more {
		b.Page = &pageBody{Count: len(b.Results), Total: len(ids)}
	}
	if more {
		b.Page.NextToken = token{p.after, p.limit, p.sum}.String()
	}
	return b
}
