package authzen_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"mandate/internal/authzen"
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
