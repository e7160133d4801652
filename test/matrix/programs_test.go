package matrix_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"mandate/internal/app"
	"mandate/internal/client"
	"mandate/internal/route"
)

// A program asks with a key, and may act for a person.
type program struct {
	key, member string
}

func asPrograms(w *world, l app.Listener) asker {
	hub := w.key(w.institution, client.Draft{Name: "Hub", Acts: true})
	people := map[string]program{
		"nobody":    {},
		"wrong-key": {"mk_no_such_key", string(w.members["admin-pays"])},
		"asks":      {w.key(w.institution, client.Draft{Name: "Asks"}), string(w.members["admin-pays"])},
		"bound":     {w.key(w.institution, client.Draft{Name: "Bound", Operations: []string{"account.view"}, Acts: true}), string(w.members["admin-pays"])},
		"pays":      {hub, string(w.members["admin-pays"])},
		"bare":      {hub, string(w.members["user"])},
		"stranger":  {hub, string(w.members["stranger"])},
		"abroad":    {w.key(w.elsewhere, client.Draft{Name: "Abroad", Acts: true}), w.demo.Institutions[1].Members["noor.siddiqui"]},
		"mixed":     {w.key(w.elsewhere, client.Draft{Name: "Mixed", Acts: true}), string(w.members["admin-pays"])},
	}
	s := w.site(l, w.app.Config.APIOrigin)
	d := s.describe()
	calls := 0
	return func(who string, r route.Route) *httptest.ResponseRecorder {
		p, known := people[who]
		if !known {
			w.t.Fatalf("nobody is called %s", who)
		}
		calls++
		in := httptest.NewRequestWithContext(w.t.Context(), r.Method, s.origin+w.address(r.Pattern), bytes.NewReader(s.body(d, r)))
		in.Header.Set("Content-Type", "application/json")
		if p.key != "" {
			in.Header.Set("Authorization", "Bearer "+p.key)
		}
		if r.Needs.Who == route.ActingProgram || who == "nobody" {
			in.Header.Set("Mandate-Member", p.member)
		}
		if r.Method == http.MethodPost {
			in.Header.Set("Idempotency-Key", fmt.Sprintf("%s-%d", who, calls))
		}
		out := httptest.NewRecorder()
		s.handler.ServeHTTP(out, in)
		return out
	}
}

// A description is as much of an OpenAPI document as a request needs.
type description struct {
	Paths map[string]map[string]struct {
		RequestBody struct {
			Content map[string]struct{ Schema schema }
		}
	}
	Components struct{ Schemas map[string]schema }
}

type schema struct {
	Ref        string `json:"$ref"`
	Type       any
	Format     string
	Enum       []any
	Properties map[string]schema
	Required   []string
	Items      *schema
	Pattern    string
	MinLength  int
	MinItems   int
	Minimum    float64
}

func (s *site) describe() (d description) {
	s.t.Helper()
	out := s.do(&browser{}, http.MethodGet, "/api/v1/openapi.json", nil)
	s.must(json.Unmarshal(out.Body.Bytes(), &d))
	return d
}

// asked is what AuthZEN's addresses and those that name their operation are
// asked: about somebody of the institution.
func (w *world) asked() map[string]any {
	return map[string]any{
		"subject": map[string]any{"type": "user", "id": string(w.members["admin-pays"])}, "action": map[string]any{"name": "wires.transmit"},
		"resource": map[string]any{"type": "account", "id": w.address("{account}")},
	}
}

// body is the least that a route reads: what its description requires.
func (s *site) body(d description, r route.Route) []byte {
	s.t.Helper()
	var content any
	switch described := d.Paths[r.Pattern][strings.ToLower(r.Method)].RequestBody.Content["application/json"]; {
	case r.Method != http.MethodPost:
		return nil
	case strings.HasPrefix(r.Pattern, "/access/"):
		content = s.asked()
	case bodies[r.String()] != nil:
		content = bodies[r.String()](s.world)
	case r.Pattern == "/api/v1/explain", r.Pattern == "/api/v1/authorizations":
		least := s.least(d, described.Schema).(map[string]any)
		least["member"], least["operation"] = string(s.members["admin-pays"]), "wires.transmit"
		content = least
	case described.Schema.Ref == "" && described.Schema.Type == nil:
		return nil
	default:
		content = s.least(d, described.Schema)
	}
	text, err := json.Marshal(content)
	s.must(err)
	return text
}

// A sent is the body of a request.
type sent = map[string]any

// bodies are what some routes are sent where the least that can be read would be
// sent back before anybody asks who may.
var bodies = map[string]func(*world) any{
	"POST /api/v1/transfers":             aTransfer,
	"POST /api/v1/transfers/preview":     aTransfer,
	"POST /api/v1/stop-payments":         aStop,
	"POST /api/v1/stop-payments/preview": aStop,
	"POST /api/v1/wires":                 aWire,
	"POST /api/v1/wires/preview":         aWire,
	"POST /api/v1/wire-templates":        aTemplate,
	"POST /api/v1/ach/batches": func(*world) any {
		return sent{"name": "Matrix", "class": "PPD", "company": "1363055500", "description": "MATRIX"}
	},
	"POST /api/v1/ach/layouts": func(*world) any {
		return sent{"format": "tab", "places": sent{"name": sent{"column": 1}, "amount": sent{"column": 2}, "account": sent{"column": 3}, "routing": sent{"column": 4}}}
	},
	"POST /api/v1/positive-pay/layouts": func(*world) any {
		return sent{"format": "tab", "dates": "2026-03-02", "places": sent{"number": sent{"column": 1}, "amount": sent{"column": 2}, "date": sent{"column": 3}}}
	},
	"POST /api/v1/positive-pay/lists": func(w *world) any {
		return sent{"account": w.id("account"), "checks": []any{sent{"number": 1, "amount": "1.00", "date": "2026-01-05"}}}
	},
	"POST /api/v1/approvals/{approval}/approve": func(w *world) any { return sent{"hash": w.hash()} },
}

func aTransfer(w *world) any {
	return sent{"from": w.id("account"), "to": w.id("other"), "amount": "1.00"}
}

func aStop(w *world) any {
	return sent{"account": w.id("account"), "first": 987654, "amount": "1.00", "payee": "Payee", "check_date": "2026-01-05"}
}

func aWire(w *world) any {
	return sent{"account": w.id("account"), "amount": "1.00", "bank": sent{"name": "A bank", "routing": "021000021"},
		"payee": sent{"name": "Payee", "account": "1", "town": "Town", "state": "IL"}}
}

func aTemplate(w *world) any {
	template := aWire(w).(sent)
	template["name"] = "Matrix"
	return template
}

// least is the smallest value that a schema takes.
func (s *site) least(d description, of schema) any {
	if of.Ref != "" {
		return s.least(d, d.Components.Schemas[of.Ref[strings.LastIndex(of.Ref, "/")+1:]])
	}
	if len(of.Enum) > 0 {
		return of.Enum[0]
	}
	kind := of.Type
	if several, ok := kind.([]any); ok {
		kind = several[0]
	}
	switch kind {
	case "object":
		value := map[string]any{}
		for _, name := range of.Required {
			value[name] = s.least(d, of.Properties[name])
		}
		return value
	case "array":
		value := []any{}
		for range of.MinItems {
			value = append(value, s.least(d, *of.Items))
		}
		return value
	case "integer", "number":
		return of.Minimum
	case "boolean":
		return false
	}
	switch {
	case of.Format == "date":
		return "2030-01-02"
	case strings.HasPrefix(of.Pattern, "^[0-9]{4}-("):
		return "2030-01" // a month
	}
	return strings.Repeat("1", max(1, of.MinLength))
}
