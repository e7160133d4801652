package authzen_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"mandate/internal/authzen"
	"mandate/internal/client"
	"mandate/internal/fault"
)

// finder finds the same whatever is asked.
type finder struct {
	decider
	ids   []string
	asked *authzen.Search
	err   error
}

func (f finder) Search(_ context.Context, _ client.Client, s authzen.Search) (authzen.Results, error) {
	if f.asked != nil {
		*f.asked = s
	}
	return authzen.Results{IDs: f.ids}, f.err
}

const (
	subjects  = "/access/v1/search/subject"
	resources = "/access/v1/search/resource"
	actions   = "/access/v1/search/action"

	anyUser   = `"subject":{"type":"user"}`
	anyRecord = `"resource":{"type":"record"}`
)

func TestSearchAnswers(t *testing.T) {
	var asked authzen.Search
	s := serve(t, finder{ids: []string{"b", "a"}, asked: &asked})
	for name, c := range map[string]struct{ path, body, want string }{
		"subjects":             {subjects, object(anyUser, read, record), `{"results":[{"type":"user","id":"a"},{"type":"user","id":"b"}]}`},
		"a subject's id":       {subjects, object(alice, read, record), `{"results":[{"type":"user","id":"a"},{"type":"user","id":"b"}]}`},
		"with context":         {subjects, object(anyUser, read, record, `"context":{"a":1}`), `{"results":[{"type":"user","id":"a"},{"type":"user","id":"b"}]}`},
		"unknown members":      {subjects, object(anyUser, read, record, `"x":[]`), `{"results":[{"type":"user","id":"a"},{"type":"user","id":"b"}]}`},
		"resources":            {resources, object(alice, read, anyRecord), `{"results":[{"type":"record","id":"a"},{"type":"record","id":"b"}]}`},
		"a resource's id":      {resources, object(alice, read, record), `{"results":[{"type":"record","id":"a"},{"type":"record","id":"b"}]}`},
		"actions":              {actions, object(alice, record), `{"results":[{"name":"a"},{"name":"b"}]}`},
		"an action is ignored": {actions, object(alice, record, `"action":7`), `{"results":[{"name":"a"},{"name":"b"}]}`},
	} {
		a := s.post(c.path, c.body, "X-Request-ID", "r-2")
		if a.status != 200 || a.body != c.want || a.header.Get("Content-Type") != "application/json" || a.header.Get("X-Request-ID") != "r-2" {
			t.Errorf("%s: %d %s, want %s", name, a.status, a.body, c.want)
		}
	}
	s.post(subjects, object(`"subject":{"type":"user","id":"alice","properties":{"a":1}}`, read, record), "Mandate-Revision", "rev")
	if asked.Evaluation.Subject.ID != "" || asked.Evaluation.Subject.Properties["a"] == nil || asked.AtLeast != "rev" || asked.Sought != authzen.Subjects {
		t.Errorf("asked for %+v", asked)
	}
	if a := serve(t, finder{}).post(subjects, object(anyUser, read, record)); a.body != `{"results":[]}` {
		t.Errorf("nothing is found: %s", a.body)
	}
}

func TestSearchesThatAreNone(t *testing.T) {
	s := serve(t, finder{ids: []string{"a"}})
	for name, c := range map[string]struct{ path, body string }{
		"no subject":               {subjects, object(read, record)},
		"no subject type":          {subjects, object(`"subject":{}`, read, record)},
		"a subject of text":        {subjects, object(`"subject":"user"`, read, record)},
		"no action":                {subjects, object(anyUser, record)},
		"no resource":              {subjects, object(anyUser, read)},
		"a resource without id":    {subjects, object(anyUser, read, anyRecord)},
		"nobody's resources":       {resources, object(read, anyRecord)},
		"anybody's resources":      {resources, object(anyUser, read, anyRecord)},
		"resources by no action":   {resources, object(alice, anyRecord)},
		"resources of no type":     {resources, object(alice, read, `"resource":{"id":"x"}`)},
		"nobody's actions":         {actions, object(record)},
		"anybody's actions":        {actions, object(anyUser, record)},
		"actions on nothing":       {actions, object(alice)},
		"actions on anything":      {actions, object(alice, anyRecord)},
		"a context of text":        {actions, object(alice, record, `"context":"x"`)},
		"not JSON":                 {actions, "x"},
		"nothing":                  {actions, ""},
		"a page of text":           {actions, object(alice, record, `"page":"x"`)},
		"a page of nothing":        {actions, object(alice, record, `"page":null`)},
		"a limit of text":          {actions, object(alice, record, `"page":{"limit":"1"}`)},
		"a limit below zero":       {actions, object(alice, record, `"page":{"limit":-1}`)},
		"half a limit":             {actions, object(alice, record, `"page":{"limit":1.5}`)},
		"a token of digits":        {actions, object(alice, record, `"page":{"token":1}`)},
		"a token that is none":     {actions, object(alice, record, `"page":{"token":"x"}`)},
		"a token that says little": {actions, object(alice, record, `"page":{"token":"e30"}`)},
	} {
		if a := s.post(c.path, c.body); a.status != 400 || a.body == "" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if a := s.post(actions, object(alice, record), "Content-Type", "text/plain"); a.status != 400 {
		t.Errorf("another content type: %d", a.status)
	}
	if a := s.post(actions, object(alice, record), "Authorization", ""); a.status != 401 {
		t.Errorf("without a key: %d", a.status)
	}
	refusing := serve(t, finder{err: fault.New(fault.Forbidden, "Not yours.")})
	if a := refusing.post(actions, object(alice, record)); a.status != 403 || a.body != "Not yours." {
		t.Errorf("refused: %d %s", a.status, a.body)
	}
}

type foundPage struct {
	Page *struct {
		NextToken *string `json:"next_token"`
		Count     int
		Total     int
	}
	Results []struct{ Name string }
}

func readFound(t *testing.T, a answer) (f foundPage) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), &f); err != nil || a.status != 200 {
		t.Fatalf("%d %s: %v", a.status, a.body, err)
	}
	return f
}

// Pages together hold every result once, whatever their size; the limit travels
// in the token.
func TestPages(t *testing.T) {
	var ids []string
	for i := range 7 {
		ids = append(ids, fmt.Sprintf("op-%d", 6-i))
	}
	s := serve(t, finder{ids: ids})
	for limit := 1; limit <= 8; limit++ {
		var got []string
		body := object(alice, record, fmt.Sprintf(`"page":{"limit":%d}`, limit))
		for requests := 0; ; requests++ {
			a := s.post(actions, body)
			f := readFound(t, a)
			if !strings.HasPrefix(a.body, `{"page":{`) || f.Page.NextToken == nil || f.Page.Count != len(f.Results) || f.Page.Total != 7 || len(f.Results) > limit {
				t.Fatalf("limit %d: %s", limit, a.body)
			}
			for _, r := range f.Results {
				got = append(got, r.Name)
			}
			if *f.Page.NextToken == "" {
				break
			}
			if requests > 7 {
				t.Fatal("the pages have no end")
			}
			body = object(record, alice, fmt.Sprintf(`"page":{"token":%q}`, *f.Page.NextToken)) // in another order
		}
		if strings.Join(got, " ") != "op-0 op-1 op-2 op-3 op-4 op-5 op-6" {
			t.Errorf("limit %d: %v", limit, got)
		}
	}
}

func TestPageRules(t *testing.T) {
	s := serve(t, finder{ids: []string{"a", "b", "c"}})
	ask := func(body string) answer { return s.post(actions, body) }
	first := readFound(t, ask(object(alice, record, `"page":{"limit":1}`)))
	token := *first.Page.NextToken
	next := func(members ...string) answer { return ask(object(members...)) }
	carry := fmt.Sprintf(`"page":{"token":%q}`, token)
	for name, c := range map[string]struct {
		answer
		status int
	}{
		"the token alone":        {next(alice, record, carry), 200},
		"the same limit":         {next(alice, record, fmt.Sprintf(`"page":{"token":%q,"limit":1}`, token)), 200},
		"another limit":          {next(alice, record, fmt.Sprintf(`"page":{"token":%q,"limit":2}`, token)), 400},
		"another subject":        {next(bob, record, carry), 400},
		"another resource":       {next(alice, other, carry), 400},
		"another context":        {next(alice, record, `"context":{}`, carry), 400},
		"another search":         {s.post(resources, object(alice, read, anyRecord, carry)), 400},
		"a token that is broken": {next(alice, record, fmt.Sprintf(`"page":{"token":%q}`, token[1:])), 400},
	} {
		if c.answer.status != c.status {
			t.Errorf("%s: %d %s, want %d", name, c.answer.status, c.body, c.status)
		}
	}
	none := readFound(t, ask(object(alice, record, `"page":{"limit":0}`)))
	if len(none.Results) != 0 || *none.Page.NextToken == "" {
		t.Errorf("a page of nothing: %+v", none)
	}
	again := readFound(t, ask(object(alice, record, fmt.Sprintf(`"page":{"token":%q}`, *none.Page.NextToken))))
	if len(again.Results) != 0 {
		t.Errorf("the page after nothing, of nothing: %+v", again)
	}
	for _, page := range []string{`{}`, `{"token":""}`, `{"limit":3}`, `{"limit":1e300}`, `{"properties":{"sort":"x"}}`} {
		all := readFound(t, ask(object(alice, record, `"page":`+page)))
		if len(all.Results) != 3 || *all.Page.NextToken != "" {
			t.Errorf("page %s: %+v", page, all)
		}
	}
	if a := ask(object(alice, record)); strings.Contains(a.body, "page") {
		t.Errorf("pages that nobody asked for: %s", a.body)
	}
}

// Whoever knows nothing of pages is told that there are more.
func TestManyResultsArePagedUnasked(t *testing.T) {
	var ids []string
	for i := range authzen.MaxResults + 1 {
		ids = append(ids, fmt.Sprintf("op-%05d", i))
	}
	s := serve(t, finder{ids: ids})
	first := readFound(t, s.post(actions, object(alice, record)))
	if len(first.Results) != authzen.MaxResults || *first.Page.NextToken == "" {
		t.Fatalf("%d results, page %+v", len(first.Results), first.Page)
	}
	rest := readFound(t, s.post(actions, object(alice, record, fmt.Sprintf(`"page":{"token":%q}`, *first.Page.NextToken))))
	if len(rest.Results) != 1 || rest.Results[0].Name != "op-01000" || *rest.Page.NextToken != "" {
		t.Errorf("%d results, page %+v", len(rest.Results), rest.Page)
	}
}

func TestMetadataNamesSearchesWhereTheyAreOffered(t *testing.T) {
	s := serve(t, finder{})
	a := s.do("GET", "/.well-known/authzen-configuration", "")
	for _, kind := range []string{"subject", "resource", "action"} {
		if !strings.Contains(a.body, fmt.Sprintf(`"search_%s_endpoint":"https://api.example.com/access/v1/search/%s"`, kind, kind)) {
			t.Errorf("no %s search in %s", kind, a.body)
		}
	}
	if a := serve(t, fixture).post(actions, object(alice, record)); a.status != 404 {
		t.Errorf("a search that is not offered: %d", a.status)
	}
}
