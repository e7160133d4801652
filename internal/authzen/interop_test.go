package authzen_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"mandate/internal/authzen"
	"mandate/internal/client"
)

// The public interoperability scenarios, each with its own small policy behind
// the edge. What is compared, and how, is the scenarios' rule: a decision by its
// value, a batch as a whole, a search without regard to order.

// cases are the requests of a scenario by endpoint.
type cases map[string][]struct {
	Request  json.RawMessage `json:"request"`
	Expected json.RawMessage `json:"expected"`
}

func readInterop(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "interop", filepath.FromSlash(name)))
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// run sends every case to its endpoint and counts those that agree.
func (c cases) run(t *testing.T, s server, endpoint func(string) string, got func(kind string, body map[string]any) any) (passed int) {
	t.Helper()
	for kind, all := range c {
		for i, one := range all {
			a := s.post(endpoint(kind), string(one.Request))
			var body map[string]any
			var want any
			if err := json.Unmarshal([]byte(a.body), &body); a.status != 200 || err != nil {
				t.Errorf("%s %d: status %d, %q", kind, i, a.status, a.body)
				continue
			}
			if err := json.Unmarshal(one.Expected, &want); err != nil {
				t.Fatal(err)
			}
			if have := got(kind, body); !reflect.DeepEqual(have, want) {
				t.Errorf("%s %d: %s\ngot  %v\nwant %v", kind, i, one.Request, have, want)
				continue
			}
			passed++
		}
	}
	return passed
}

func accessEndpoint(kind string) string { return "/access/v1/" + kind }

func decisions(kind string, body map[string]any) any {
	if kind == "evaluation" {
		return body["decision"]
	}
	return body[kind]
}

func TestInteropTodo(t *testing.T) {
	const suffix = "2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs"
	emails := map[string]string{
		"CiRmZDA" + suffix: "rick@the-citadel.com", "CiRmZDE" + suffix: "morty@the-citadel.com",
		"CiRmZDI" + suffix: "summer@the-smiths.com",
	}
	roles := map[string][]string{
		"rick@the-citadel.com": {"admin", "evil_genius"}, "morty@the-citadel.com": {"editor"}, "summer@the-smiths.com": {"editor"},
	}
	s := serve(t, yesNo(func(e authzen.Evaluation) bool {
		email := emails[e.Subject.ID]
		is := func(role string) bool { return slices.Contains(roles[email], role) }
		owns := e.Resource.Properties["ownerID"] == email
		switch e.Action.Name {
		case "can_read_user", "can_read_todos":
			return true
		case "can_create_todo":
			return is("editor") || is("admin") || is("evil_genius")
		case "can_update_todo":
			return is("evil_genius") || owns && (is("editor") || is("admin"))
		case "can_delete_todo":
			return is("admin") || owns && (is("editor") || is("evil_genius"))
		}
		return false
	}))
	var c cases
	readInterop(t, "todo/decisions-authorization-api-1_0-02.json", &c)
	if passed := c.run(t, s, accessEndpoint, decisions); passed != 43 {
		t.Errorf("%d of 43 passed", passed)
	}
}

func TestInteropGateway(t *testing.T) {
	const suffix = "2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs"
	viewers := []string{"CiRmZDM" + suffix, "CiRmZDQ" + suffix}
	s := serve(t, yesNo(func(e authzen.Evaluation) bool {
		if e.Subject.Type != "identity" || e.Resource.Type != "route" {
			return false
		}
		return e.Action.Name == "GET" || slices.Contains([]string{"POST", "PUT", "DELETE"}, e.Action.Name) && !slices.Contains(viewers, e.Subject.ID)
	}))
	var c cases
	readInterop(t, "gateway/decisions.json", &c)
	if passed := c.run(t, s, accessEndpoint, decisions); passed != 25 {
		t.Errorf("%d of 25 passed", passed)
	}
}

// A shop is the search scenario: records of people in departments.
type shop struct {
	Users []struct{ ID, Role, Department string }
	// The two scenarios write a record's id as a number and as a text.
	Records []struct {
		ID                any
		Department, Owner string
	}
}

func (s *shop) allows(e authzen.Evaluation) bool {
	for _, u := range s.Users {
		for _, r := range s.Records {
			if u.ID != e.Subject.ID || fmt.Sprint(r.ID) != e.Resource.ID {
				continue
			}
			owns, near, manages := r.Owner == u.ID, r.Department == u.Department, u.Role == "manager"
			switch e.Action.Name {
			case "view":
				return owns || near || manages
			case "edit":
				return owns || near && manages
			case "delete":
				return owns
			}
		}
	}
	return false
}

func (s *shop) Evaluate(ctx context.Context, c client.Client, q authzen.Questions) (authzen.Answers, error) {
	return yesNo(s.allows).Evaluate(ctx, c, q)
}

func (s *shop) Search(_ context.Context, _ client.Client, asked authzen.Search) (results authzen.Results, err error) {
	try := func(id string, e authzen.Evaluation) {
		if s.allows(e) {
			results.IDs = append(results.IDs, id)
		}
	}
	e := asked.Evaluation
	switch {
	case asked.Sought == authzen.Subjects && e.Subject.Type == "user":
		for _, u := range s.Users {
			e.Subject.ID = u.ID
			try(u.ID, e)
		}
	case asked.Sought == authzen.Resources && e.Resource.Type == "record":
		for _, r := range s.Records {
			e.Resource.ID = fmt.Sprint(r.ID)
			try(e.Resource.ID, e)
		}
	case asked.Sought == authzen.Actions:
		for _, name := range []string{"view", "edit", "delete"} {
			e.Action.Name = name
			try(name, e)
		}
	}
	return results, nil
}

// inAnyOrder makes the results of two searches comparable.
func inAnyOrder(body map[string]any) any {
	results, _ := body["results"].([]any)
	slices.SortFunc(results, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return map[string]any{"results": results}
}

func (c cases) runSearch(t *testing.T, s server, endpoint string) int {
	t.Helper()
	for _, all := range c {
		for i := range all {
			var expected map[string]any
			if err := json.Unmarshal(all[i].Expected, &expected); err != nil {
				t.Fatal(err)
			}
			sorted, err := json.Marshal(inAnyOrder(expected))
			if err != nil {
				t.Fatal(err)
			}
			all[i].Expected = sorted
		}
	}
	return c.run(t, s, func(string) string { return endpoint }, func(_ string, body map[string]any) any { return inAnyOrder(body) })
}

func TestInteropSearch(t *testing.T) {
	var world shop
	readInterop(t, "search/users.json", &world.Users)
	readInterop(t, "search/records.json", &world.Records)
	s := serve(t, &world)
	for _, kind := range []struct {
		name  string
		cases int
	}{{"subject", 60}, {"resource", 18}, {"action", 120}} {
		var c cases
		readInterop(t, "search/"+kind.name+".json", &c)
		if passed := c.runSearch(t, s, "/access/v1/search/"+kind.name); passed != kind.cases {
			t.Errorf("%s: %d of %d passed", kind.name, passed, kind.cases)
		}
	}
}

func TestInteropIdentityProvider(t *testing.T) {
	var world shop
	readInterop(t, "idp/users.json", &world.Users)
	readInterop(t, "idp/records.json", &world.Records)
	var c cases
	readInterop(t, "idp/results.json", &c)
	if passed := c.runSearch(t, serve(t, &world), "/access/v1/search/resource"); passed != 6 {
		t.Errorf("%d of 6 passed", passed)
	}
}
