package product_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"mandate/internal/authzen"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/pdp/pdptest"
)

// The rules of the working group's certification scenario, asked of the product
// about its own people. Each level is Core, which names types and ids alone, or
// Properties, where entities, action and context say more.

// want is what a rule wants of an answer.
type want func(status int, header http.Header, body string) bool

func says(decision bool) want {
	return func(status int, header http.Header, body string) bool {
		return status == 200 && header.Get("Content-Type") == "application/json" && body == fmt.Sprintf(`{"decision":%t}`, decision)
	}
}

func saysAll(decisions ...bool) want {
	var items []string
	for _, d := range decisions {
		items = append(items, fmt.Sprintf(`{"decision":%t}`, d))
	}
	return func(status int, _ http.Header, body string) bool {
		return status == 200 && body == `{"evaluations":[`+strings.Join(items, ",")+`]}`
	}
}

// isBroken is a message in place of an answer.
func isBroken(status int, _ http.Header, body string) bool {
	return status == 400 && body != "" && !json.Valid([]byte(body))
}

func finds(names ...string) want {
	return func(status int, _ http.Header, body string) bool {
		var f struct {
			Page    map[string]any
			Results []map[string]any
		}
		if status != 200 || json.Unmarshal([]byte(body), &f) != nil || f.Results == nil {
			return false
		}
		var got []string
		for _, r := range f.Results {
			if r["name"] != nil {
				got = append(got, fmt.Sprint(r["name"]))
				continue
			}
			got = append(got, fmt.Sprintf("%s:%s", r["type"], r["id"]))
		}
		return strings.Join(got, " ") == strings.Join(names, " ")
	}
}

const (
	dana      = `"subject":{"type":"user","id":"dana"}`
	ana       = `"subject":{"type":"user","id":"ana"}`
	view      = `"action":{"name":"account.view"}`
	send      = `"action":{"name":"wires.transmit","properties":{"amount":"1.00"}}`
	operating = `"resource":{"type":"account","id":"operating"}`
	payroll   = `"resource":{"type":"account","id":"payroll"}`
)

func members(all ...string) string { return "{" + strings.Join(all, ",") + "}" }

func items(all ...string) string { return `"evaluations":[` + strings.Join(all, ",") + `]` }

func semantic(name string) string { return `"options":{"evaluations_semantic":"` + name + `"}` }

var certification = []struct {
	level, rule, endpoint, body string
	want                        want
	headers                     []string
}{
	{"Basic Core", "a permit", "evaluation", members(dana, view, operating), says(true), nil},
	{"Basic Core", "a denial is an answer", "evaluation", members(ana, view, operating), says(false), nil},
	{"Basic Core", "an unknown subject", "evaluation", members(`"subject":{"type":"user","id":"nobody"}`, view, operating), says(false), nil},
	{"Basic Core", "an unknown subject type", "evaluation", members(`"subject":{"type":"robot","id":"dana"}`, view, operating), says(false), nil},
	{"Basic Core", "an unknown resource", "evaluation", members(dana, view, `"resource":{"type":"account","id":"none"}`), says(false), nil},
	{"Basic Core", "an unknown resource type", "evaluation", members(dana, view, `"resource":{"type":"ship","id":"operating"}`), says(false), nil},
	{"Basic Core", "an unknown action", "evaluation", members(dana, `"action":{"name":"fly"}`, operating), says(false), nil},
	{"Basic Core", "a context", "evaluation", members(dana, view, operating, `"context":{"time":"2026-03-02T08:00Z"}`), says(true), nil},
	{"Basic Core", "unknown members", "evaluation", members(dana, `"future":{"x":[1]}`, view, operating, `"y":2`), says(true), nil},
	{"Basic Core", "any order", "evaluation", members(operating, view, dana), says(true), nil},
	{"Basic Core", "a charset", "evaluation", members(dana, view, operating), says(true), []string{"Content-Type", "application/json; charset=utf-8"}},
	{"Basic Core", "no subject", "evaluation", members(view, operating), isBroken, nil},
	{"Basic Core", "no action", "evaluation", members(dana, operating), isBroken, nil},
	{"Basic Core", "no resource", "evaluation", members(dana, view), isBroken, nil},
	{"Basic Core", "no subject id", "evaluation", members(`"subject":{"type":"user"}`, view, operating), isBroken, nil},
	{"Basic Core", "no subject type", "evaluation", members(`"subject":{"id":"dana"}`, view, operating), isBroken, nil},
	{"Basic Core", "no action name", "evaluation", members(dana, `"action":{}`, operating), isBroken, nil},
	{"Basic Core", "no resource id", "evaluation", members(dana, view, `"resource":{"type":"account"}`), isBroken, nil},
	{"Basic Core", "a subject of text", "evaluation", members(`"subject":"dana"`, view, operating), isBroken, nil},
	{"Basic Core", "a name of digits", "evaluation", members(dana, `"action":{"name":1}`, operating), isBroken, nil},
	{"Basic Core", "not JSON", "evaluation", "{", isBroken, nil},
	{"Basic Core", "nothing", "evaluation", "", isBroken, nil},
	{"Basic Core", "another content type", "evaluation", members(dana, view, operating), isBroken, []string{"Content-Type", "text/plain"}},
	{"Basic Core", "a name that stands twice", "evaluation", members(dana, dana, view, operating), isBroken, nil},
	{"Basic Core", "a number beyond", "evaluation", members(dana, view, operating, `"context":{"n":1e400}`), isBroken, nil},
	{"Basic Core", "the request's id", "evaluation", members(dana, view, operating), func(status int, h http.Header, _ string) bool {
		return status == 200 && h.Get("X-Request-ID") == "r 1/2"
	}, []string{"X-Request-ID", "r 1/2"}},
	{"Basic Core", "the request's id in an error", "evaluation", "", func(status int, h http.Header, _ string) bool { return status == 400 && h.Get("X-Request-ID") == "r-2" }, []string{"X-Request-ID", "r-2"}},
	{"Basic Core", "no key", "evaluation", members(dana, view, operating), func(status int, h http.Header, body string) bool {
		return status == 401 && h.Get("WWW-Authenticate") != "" && body != ""
	}, []string{"Authorization", "Bearer no"}},

	{"Basic Properties", "of the action", "evaluation", members(dana, send, operating), says(true), nil},
	{"Basic Properties", "of the action, beyond", "evaluation", members(dana, strings.Replace(send, "1.00", "25000.01", 1), operating), says(false), nil},
	{"Basic Properties", "of the subject are not believed", "evaluation", members(`"subject":{"type":"user","id":"ana","properties":{"role":"owner"}}`, send, operating), says(false), nil},
	{"Basic Properties", "of the resource are not believed", "evaluation", members(dana, send, `"resource":{"type":"account","id":"payroll","properties":{"owner":"dana"}}`), says(false), nil},
	{"Basic Properties", "of a wrong kind", "evaluation", members(dana, `"action":{"name":"wires.transmit","properties":[]}`, operating), isBroken, nil},

	{"Batch Core", "defaults", "evaluations", members(dana, view, items(members(operating), members(payroll))), saysAll(true, false), nil},
	{"Batch Core", "an item may be empty", "evaluations", members(dana, view, operating, items("{}", "{}")), saysAll(true, true), nil},
	{"Batch Core", "no defaults", "evaluations", members(items(members(dana, view, operating), members(ana, view, operating))), saysAll(true, false), nil},
	{"Batch Core", "an empty default that all replace", "evaluations", members(dana, view, `"resource":{}`, items(members(operating), members(payroll))), saysAll(true, false), nil},
	{"Batch Core", "nothing is merged inside an entity", "evaluations", members(dana, view, `"resource":{"type":"account"}`, items(`{"resource":{"id":"operating"}}`)), func(status int, _ http.Header, body string) bool {
		return status == 200 && strings.Contains(body, `"decision":false`) && strings.Contains(body, `"status":400`)
	}, nil},
	{"Batch Core", "an item that lacks something fails alone", "evaluations", members(dana, view, items(members(operating), "{}")), func(status int, _ http.Header, body string) bool {
		return status == 200 && strings.HasPrefix(body, `{"evaluations":[{"decision":true},{"decision":false,"context":{"error":{`) && strings.Contains(body, `"status":400`)
	}, nil},
	{"Batch Core", "no evaluations", "evaluations", members(dana, view, operating), says(true), nil},
	{"Batch Core", "an empty list", "evaluations", members(dana, view, operating, `"evaluations":[]`), says(true), nil},
	{"Batch Core", "broken as a whole", "evaluations", members(dana, view, operating, `"evaluations":"x"`), isBroken, nil},
	{"Batch Core", "all", "evaluations", members(dana, view, semantic("execute_all"), items(members(payroll), members(operating), members(payroll))), saysAll(false, true, false), nil},
	{"Batch Core", "to the first denial", "evaluations", members(dana, view, semantic("deny_on_first_deny"), items(members(operating), members(payroll), members(operating))), saysAll(true, false), nil},
	{"Batch Core", "to the first permit", "evaluations", members(dana, view, semantic("permit_on_first_permit"), items(members(payroll), members(operating), members(payroll))), saysAll(false, true), nil},
	{"Batch Core", "unknown options", "evaluations", members(dana, view, `"options":{"another":1}`, items(members(operating))), saysAll(true), nil},
	{"Batch Properties", "of the action, by item", "evaluations", members(dana, operating, items(members(send), members(strings.Replace(send, "1.00", "25000.01", 1)))), saysAll(true, false), nil},
	{"Batch Properties", "a context, by item", "evaluations", members(dana, send, operating, `"context":{"recurring":true}`, items("{}", `{"context":{}}`)), saysAll(false, true), nil},

	{"Search Core", "subjects", "search/subject", members(`"subject":{"type":"user"}`, view, operating), finds("user:dana"), nil},
	{"Search Core", "subjects, with an id that is ignored", "search/subject", members(`"subject":{"type":"user","id":"ana"}`, view, operating), finds("user:dana"), nil},
	{"Search Core", "resources", "search/resource", members(dana, view, `"resource":{"type":"account"}`), finds("account:operating"), nil},
	{"Search Core", "resources, with an id that is ignored", "search/resource", members(dana, view, `"resource":{"type":"account","id":"payroll"}`), finds("account:operating"), nil},
	{"Search Core", "actions", "search/action", members(dana, operating), finds("account.view", "wires.view"), nil},
	{"Search Core", "nobody", "search/subject", members(`"subject":{"type":"user"}`, view, payroll), finds(), nil},
	{"Search Core", "an unknown subject", "search/resource", members(`"subject":{"type":"user","id":"nobody"}`, view, `"resource":{"type":"account"}`), finds(), nil},
	{"Search Core", "an unknown subject type", "search/subject", members(`"subject":{"type":"robot"}`, view, operating), finds(), nil},
	{"Search Core", "an unknown resource type", "search/resource", members(dana, view, `"resource":{"type":"ship"}`), finds(), nil},
	{"Search Core", "an unknown resource", "search/action", members(dana, `"resource":{"type":"ship","id":"x"}`), finds(), nil},
	{"Search Core", "an unknown action", "search/subject", members(`"subject":{"type":"user"}`, `"action":{"name":"fly"}`, operating), finds(), nil},
	{"Search Core", "a subject without an id", "search/resource", members(`"subject":{"type":"user"}`, view, `"resource":{"type":"account"}`), isBroken, nil},
	{"Search Core", "a resource without an id", "search/subject", members(`"subject":{"type":"user"}`, view, `"resource":{"type":"account"}`), isBroken, nil},
	{"Search Core", "no action", "search/subject", members(`"subject":{"type":"user"}`, operating), isBroken, nil},
	{"Search Core", "no key", "search/action", members(dana, operating), func(status int, h http.Header, body string) bool {
		return status == 401 && h.Get("WWW-Authenticate") != "" && body != ""
	}, []string{"Authorization", "Bearer no"}},
	{"Search Core", "the request's id", "search/action", members(dana, operating), func(status int, h http.Header, _ string) bool { return status == 200 && h.Get("X-Request-ID") == "r-3" }, []string{"X-Request-ID", "r-3"}},
	{"Search Core", "no type", "search/subject", members(`"subject":{}`, view, operating), isBroken, nil},
	{"Search Core", "a page of none", "search/subject", members(`"subject":{"type":"user"}`, view, operating, `"page":{"limit":0}`), func(status int, _ http.Header, body string) bool {
		return status == 200 && strings.HasPrefix(body, `{"page":{"next_token":`) && strings.HasSuffix(body, `"count":0,"total":1},"results":[]}`)
	}, nil},
	{"Search Core", "the last page", "search/subject", members(`"subject":{"type":"user"}`, view, operating, `"page":{"limit":5}`), func(status int, _ http.Header, body string) bool {
		return status == 200 && strings.HasPrefix(body, `{"page":{"next_token":"","count":1,"total":1}`)
	}, nil},
	{"Search Properties", "subjects", "search/subject", members(`"subject":{"type":"user","properties":{"department":"x"}}`, send, operating, `"context":{}`), finds("user:dana"), nil},
	{"Search Properties", "subjects, beyond", "search/subject", members(`"subject":{"type":"user"}`, strings.Replace(send, "1.00", "25000.01", 1), operating), finds(), nil},
	{"Search Properties", "resources", "search/resource", members(dana, send, `"resource":{"type":"account","properties":{"x":1}}`), finds("account:operating"), nil},
	{"Search Properties", "actions", "search/action", members(`"subject":{"type":"user","id":"dana","properties":{"x":1}}`, operating), finds("account.view", "wires.view"), nil},
}

func TestCertification(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := start(t, d)
		_, key := p.caller("first", "Hub")
		for _, c := range certification {
			status, header, body := p.ask(key, c.endpoint, c.body, c.headers...)
			if !c.want(status, header, body) {
				t.Errorf("%s: %s: %d %s", c.level, c.rule, status, body)
			}
		}
	})
}

// Pages follow each other by their token alone, together hold everything once in
// one order, and belong to one request.
func TestCertificationOfPages(t *testing.T) {
	d := dbtest.SQLite(t)
	p := start(t, d)
	_, key := p.caller("first", "Hub")
	p.world.SetAccount("first", "acme", "ana", "operating", pdptest.SenderAccount)
	body := func(subject, page string) string {
		return members(`"subject":{"type":"user"}`, view, operating, `"context":{"x":`+subject+`}`, `"page":`+page)
	}
	type found struct {
		Page struct {
			Next  string `json:"next_token"`
			Count int
			Total int
		}
		Results []struct{ ID string }
	}
	ask := func(body string) (f found) {
		t.Helper()
		status, _, content := p.ask(key, "search/subject", body)
		if err := json.Unmarshal([]byte(content), &f); err != nil || status != 200 {
			t.Fatalf("%d %s", status, content)
		}
		return f
	}
	first := ask(body("1", `{"limit":1}`))
	second := ask(body("1", fmt.Sprintf(`{"token":%q}`, first.Page.Next)))
	if first.Page.Next == "" || second.Page.Next != "" || first.Page.Total != 2 || second.Page.Total != 2 || second.Page.Count != 1 ||
		first.Results[0].ID != "ana" || second.Results[0].ID != "dana" {
		t.Errorf("two pages: %+v %+v", first, second)
	}
	for name, b := range map[string]string{
		"another context":  body("2", fmt.Sprintf(`{"token":%q}`, first.Page.Next)),
		"another limit":    body("1", fmt.Sprintf(`{"token":%q,"limit":2}`, first.Page.Next)),
		"no token of ours": body("1", `{"token":"x"}`),
	} {
		if status, _, content := p.ask(key, "search/subject", b); status != 400 {
			t.Errorf("%s: %d %s", name, status, content)
		}
	}
}

// Discovery: what the metadata names is where it says, and each institution has
// its own under its own path.
func TestCertificationOfDiscovery(t *testing.T) {
	p := start(t, dbtest.SQLite(t))
	_, key := p.caller("first", "Hub")
	for path, point := range map[string]string{"": origin, "/first": origin + "/first"} {
		status, content := p.get("", "/.well-known/authzen-configuration"+path)
		var m map[string]any
		if err := json.Unmarshal([]byte(content), &m); err != nil || status != 200 || m["policy_decision_point"] != point {
			t.Fatalf("%s: %d %s", path, status, content)
		}
		endpoints := 0
		for name, address := range m {
			if !strings.HasSuffix(name, "_endpoint") {
				continue
			}
			endpoints++
			below, ok := strings.CutPrefix(fmt.Sprint(address), origin+"/access/v1/")
			if status, _, _ := p.ask(key, below, ""); !ok || status != 400 && status != 403 {
				t.Errorf("%s is %s, which says %d", name, address, status)
			}
		}
		if endpoints != 6 || m["access_evaluation_endpoint"] == nil {
			t.Errorf("%d endpoints: %s", endpoints, content)
		}
	}
	if status, _ := p.get("", "/.well-known/authzen-configuration/third"); status != 404 {
		t.Errorf("of an institution that is none: %d", status)
	}
}

// A batch of as many as are allowed, each with a revision of its own.
func TestAThousandAtOnce(t *testing.T) {
	d := dbtest.SQLite(t)
	p := start(t, d)
	_, key := p.caller("first", "Hub")
	_, header, _ := p.ask(key, "evaluation", members(dana, view, operating))
	known := header.Get("Mandate-Revision")
	p.world.SetMember("first", "acme", "dana", pdptest.Sender)
	_, header, _ = p.ask(key, "evaluation", members(dana, view, operating))
	now := header.Get("Mandate-Revision")
	_, other := p.caller("second", "Hub")
	_, header, _ = p.ask(other, "evaluation", members(`"subject":{"type":"user","id":"cleo"}`, view, operating))
	unknown := header.Get("Mandate-Revision")
	var all []string
	for i := range authzen.MaxEvaluations {
		all = append(all, fmt.Sprintf(`{"context":{"at_least_revision":%q}}`, []string{known, now, unknown}[i%3]))
	}
	status, header, content := p.ask(key, "evaluations", members(dana, view, operating, items(all...)))
	var answer struct{ Evaluations []struct{ Decision bool } }
	if err := json.Unmarshal([]byte(content), &answer); err != nil || status != 200 || len(answer.Evaluations) != authzen.MaxEvaluations || header.Get("Mandate-Revision") != now {
		t.Fatalf("%d %s, %d answers, %v", status, header.Get("Mandate-Revision"), len(answer.Evaluations), err)
	}
	for i, e := range answer.Evaluations {
		if e.Decision != (i%3 != 2) {
			t.Errorf("the answer %d is %t", i, e.Decision)
			break
		}
	}
	if status, _, _ := p.ask(key, "evaluations", members(dana, view, operating, items(append(all, "{}")...))); status != 400 {
		t.Errorf("one more: %d", status)
	}
}
