package product_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/pdp"
	"mandate/internal/pdp/pdptest"
)

// found posts a search and returns what it found, joined.
func (p *program) found(key, sought, body string) string {
	p.t.Helper()
	status, _, content := p.ask(key, "search/"+sought, body)
	var f struct {
		Results []struct{ ID, Name string }
	}
	if err := json.Unmarshal([]byte(content), &f); err != nil || status != 200 {
		return fmt.Sprint(status)
	}
	var ids []string
	for _, r := range f.Results {
		ids = append(ids, r.ID+r.Name)
	}
	return strings.Join(ids, " ")
}

// What a search finds is what single evaluations allow, neither more nor less.
func TestSearchesAreTheirEvaluations(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		_, key := p.caller("first", "Hub")
		p.world.SetMember("first", "acme", "ana", entitlement.Settings{On: pdptest.Sender.On.With(catalog.UserManagementEnabled), Limits: pdptest.Sender.Limits})
		p.world.SetAccount("first", "acme", "ana", "payroll", pdptest.SenderAccount)
		members := []string{"ana", "bea", "cleo", "dana", "nobody"}
		resources := []string{
			`"type":"account","id":"operating"`, `"type":"account","id":"payroll"`, `"type":"account","id":"savings"`, `"type":"account","id":"vault"`,
			`"type":"organization","id":"acme"`, `"type":"organization","id":"birch"`, `"type":"organization","id":"cedar"`, `"type":"card","id":"x"`,
		}
		var actions []string
		for _, op := range catalog.Operations() {
			for _, amount := range []string{"", "5.00", "10000.01"} {
				action := fmt.Sprintf(`{"name":%q}`, op.ID())
				if amount != "" {
					if len(op.Info().Limits) == 0 {
						continue
					}
					action = fmt.Sprintf(`{"name":%q,"properties":{"amount":%q,"to_account":"payroll"}}`, op.ID(), amount)
				}
				actions = append(actions, action)
			}
		}
		allowed := func(member, action, resource string) bool {
			return p.decision(key, fmt.Sprintf(`{"subject":{"type":"user","id":%q},"action":%s,"resource":{%s}}`, member, action, resource)) == "yes"
		}
		yes := 0
		for _, action := range actions {
			for _, resource := range resources {
				var want []string
				for _, member := range members {
					if allowed(member, action, resource) {
						want = append(want, member)
					}
				}
				yes += len(want)
				body := fmt.Sprintf(`{"subject":{"type":"user"},"action":%s,"resource":{%s}}`, action, resource)
				if got := p.found(key, "subject", body); got != strings.Join(want, " ") {
					t.Errorf("who may %s on %s: %q, want %q", action, resource, got, want)
				}
			}
			for _, member := range members {
				for _, kind := range []string{"account", "organization", "card"} {
					var want []string
					for _, resource := range resources {
						if id, ok := strings.CutPrefix(resource, fmt.Sprintf(`"type":%q,"id":`, kind)); ok && allowed(member, action, resource) {
							want = append(want, strings.Trim(id, `"`))
						}
					}
					body := fmt.Sprintf(`{"subject":{"type":"user","id":%q},"action":%s,"resource":{"type":%q}}`, member, action, kind)
					if got := p.found(key, "resource", body); got != strings.Join(want, " ") {
						t.Errorf("on which %s may %s %s: %q, want %q", kind, member, action, got, want)
					}
				}
			}
		}
		for _, member := range members {
			for _, resource := range resources {
				var want []string
				for _, op := range catalog.Operations() {
					if allowed(member, fmt.Sprintf(`{"name":%q}`, op.ID()), resource) {
						want = append(want, op.ID())
					}
				}
				slices.Sort(want)
				body := fmt.Sprintf(`{"subject":{"type":"user","id":%q},"resource":{%s}}`, member, resource)
				if got := p.found(key, "action", body); got != strings.Join(want, " ") {
					t.Errorf("what may %s on %s: %q, want %q", member, resource, got, want)
				}
			}
		}
		if yes < 10 {
			t.Errorf("the world allows %d things: the test compares nothing", yes)
		}
	})
}

func TestSearchesStayInTheirBounds(t *testing.T) {
	d := dbtest.SQLite(t)
	p := start(t, d)
	_, first := p.caller("first", "Hub")
	_, second := p.caller("second", "Hub")
	_, wires := p.caller("first", "Wires", "wires.transmit", "wires.view")
	// Both institutions have an account of this name.
	who := `{"subject":{"type":"user"},"action":{"name":"wires.view"},"resource":{"type":"account","id":"operating"},"context":%s}`
	for key, want := range map[string]string{first: "dana", second: "cleo"} {
		if got := p.found(key, "subject", fmt.Sprintf(who, "{}")); got != want {
			t.Errorf("who may: %q, want %q", got, want)
		}
	}
	view := `{"subject":{"type":"user","id":"dana"},"action":{"name":"account.view"},"resource":{"type":"account"}}`
	if got := p.found(wires, "resource", view); got != "403" {
		t.Errorf("another operation: %s", got)
	}
	if got := p.found(wires, "action", `{"subject":{"type":"user","id":"dana"},"resource":{"type":"account","id":"operating"}}`); got != "wires.view" {
		t.Errorf("its operations: %s", got)
	}
	// A revision that is not reached, or a context that is not understood,
	// allows nothing, and so finds nothing.
	_, header, _ := p.ask(first, "search/subject", fmt.Sprintf(who, "{}"))
	revision := header.Get("Mandate-Revision")
	if revision == "" {
		t.Fatal("a search about one organization has no revision")
	}
	if got := p.found(first, "subject", fmt.Sprintf(who, fmt.Sprintf(`{"at_least_revision":%q}`, revision))); got != "dana" {
		t.Errorf("at least this revision: %q", got)
	}
	p.world.SetStanding("second", "cedar", "cleo", bank.StatusActive, false)
	_, header, _ = p.ask(second, "search/subject", fmt.Sprintf(who, "{}"))
	for name, context := range map[string]string{
		"a revision of others": fmt.Sprintf(`{"at_least_revision":%q}`, header.Get("Mandate-Revision")),
		"a revision of digits": `{"at_least_revision":1}`, "an unknown reader": `{"explain":"x"}`,
	} {
		if got := p.found(first, "subject", fmt.Sprintf(who, context)); got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
	for _, body := range []string{
		`{"subject":{"type":"user","id":"da\u0000na"},"action":{"name":"account.view"},"resource":{"type":"account"}}`,
		`{"subject":{"type":"staff","id":"dana"},"action":{"name":"account.view"},"resource":{"type":"account"}}`,
		`{"subject":{"type":"user","id":"dana"},"action":{"name":"fly"},"resource":{"type":"account"}}`,
	} {
		if got := p.found(first, "resource", body); got != "" {
			t.Errorf("%s: %q", body, got)
		}
	}
	if got := p.found(first, "subject", `{"subject":{"type":"user"},"action":{"name":"account.view"},"resource":{"type":"account","id":"\u0000"}}`); got != "" {
		t.Errorf("an account that cannot be: %q", got)
	}
}

// A search that is asked for an explanation gives the one that each of its results
// has, and says why it could find nothing where it could not even look.
func TestSearchesAreExplained(t *testing.T) {
	d := dbtest.SQLite(t)
	p := start(t, d)
	_, key := p.caller("first", "Hub")
	contextOf := func(path, body string) string {
		t.Helper()
		status, _, content := p.ask(key, path, body)
		var answer struct{ Context json.RawMessage }
		if err := json.Unmarshal([]byte(content), &answer); err != nil || status != 200 {
			t.Fatalf("%s: %d %s", body, status, content)
		}
		return string(answer.Context)
	}
	const dana, view, operating, why = `"subject":{"type":"user","id":"dana"}`, `"action":{"name":"account.view"}`, `"resource":{"type":"account","id":"operating"}`, `"context":{"explain":"user"}`
	const anybody, anywhere = `"subject":{"type":"user"}`, `"resource":{"type":"account"}`
	single := contextOf("evaluation", members(dana, view, operating, why))
	if !strings.HasPrefix(single, `{"reasons":[],"revision":"`) {
		t.Fatalf("the evaluation says %s", single)
	}
	for sought, body := range map[string]string{
		"subject": members(anybody, view, operating, why), "resource": members(dana, view, anywhere, why), "action": members(dana, operating, why),
	} {
		if got := contextOf("search/"+sought, body); got != single {
			t.Errorf("%s: %s, and each of its results %s", sought, got, single)
		}
		if got := contextOf("search/"+sought, strings.Replace(body, why, `"context":{}`, 1)); got != "" {
			t.Errorf("%s without being asked: %s", sought, got)
		}
	}
	organization := members(dana, `"action":{"name":"user_management.create_user"}`, `"resource":{"type":"organization"}`, why)
	if got := contextOf("search/resource", organization); !strings.Contains(got, `"code":"ROLE"`) {
		t.Errorf("the one organization that there is: %s", got)
	}
	later := pdp.Revision{Institution: "first", Organization: "acme", OfOrganization: 1 << 40}.String()
	for want, parts := range map[string][3]string{
		"REVISION_NOT_REACHED": {anybody, view, operating}, "UNKNOWN_RESOURCE_TYPE": {anybody, view, `"resource":{"type":"card","id":"x"}`}, "UNKNOWN_SUBJECT_TYPE": {`"subject":{"type":"staff"}`, view, operating},
	} {
		context := why
		if want == "REVISION_NOT_REACHED" {
			context = fmt.Sprintf(`"context":{"explain":"admin","at_least_revision":%q}`, later)
		}
		if got := contextOf("search/subject", members(parts[0], parts[1], parts[2], context)); !strings.Contains(got, want) {
			t.Errorf("%s: %s", want, got)
		}
	}
	if got := contextOf("search/action", members(dana, `"resource":{"type":"card","id":"x"}`, why)); !strings.Contains(got, "UNKNOWN_RESOURCE_TYPE") {
		t.Errorf("what may be done with a card: %s", got)
	}
	if got := contextOf("search/subject", members(anybody, view, operating, `"context":{"explain":"everybody"}`)); !strings.Contains(got, "INVALID_CONTEXT") {
		t.Errorf("an unknown reader: %s", got)
	}
}
