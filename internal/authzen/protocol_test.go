package authzen_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"mandate/internal/authzen"
	"mandate/internal/client"
	"mandate/internal/fault"
	"mandate/internal/gate"
)

// fixture is the policy of the certification scenario, as far as single
// decisions go.
var fixture = yesNo(func(e authzen.Evaluation) bool {
	status, _ := e.Resource.Properties["status"].(string)
	switch subject := e.Subject.ID; e.Action.Name {
	case "read":
		return e.Resource.ID == "record-1"
	case "write":
		return status == "archived" && e.Subject.Properties["role"] == "admin" || status != "archived" && subject == "alice"
	case "delete":
		return subject == "alice" && e.Action.Properties["soft"] == true
	}
	return false
})

const (
	evaluation  = "/access/v1/evaluation"
	evaluations = "/access/v1/evaluations"

	alice  = `"subject":{"type":"user","id":"alice"}`
	bob    = `"subject":{"type":"user","id":"bob"}`
	read   = `"action":{"name":"read"}`
	write  = `"action":{"name":"write"}`
	record = `"resource":{"type":"record","id":"record-1"}`
	other  = `"resource":{"type":"record","id":"record-2"}`
)

func object(members ...string) string { return "{" + strings.Join(members, ",") + "}" }

func TestSingleDecisions(t *testing.T) {
	s := serve(t, fixture)
	archived := `"resource":{"type":"record","id":"record-2","properties":{"status":"archived"}}`
	for name, c := range map[string]struct{ body, want string }{
		"allowed":             {object(alice, read, record), `{"decision":true}`},
		"denied":              {object(bob, write, record), `{"decision":false}`},
		"with a context":      {object(alice, read, record, `"context":{"time":"2025-06-27T18:03-07:00","ip":"192.168.1.1"}`), `{"decision":true}`},
		"resource properties": {object(alice, write, archived), `{"decision":false}`},
		"subject properties":  {object(`"subject":{"type":"user","id":"bob","properties":{"role":"admin"}}`, write, archived), `{"decision":true}`},
		"action properties":   {object(alice, `"action":{"name":"delete","properties":{"soft":true}}`, record), `{"decision":true}`},
		"more properties":     {object(`"subject":{"type":"user","id":"alice","properties":{"department":"Sales"}}`, `"action":{"name":"read","properties":{"method":"GET"}}`, record), `{"decision":true}`},
		"unknown members":     {object(alice, read, record, `"foo":"bar"`, `"futureField":{"nested":true}`), `{"decision":true}`},
		"another order":       {object(`"context":{}`, record, alice, read), `{"decision":true}`},
		"an unknown type":     {object(`"subject":{"type":"spaceship","id":"x"}`, write, record), `{"decision":false}`},
		"empty texts":         {object(`"subject":{"type":"","id":""}`, `"action":{"name":""}`, `"resource":{"type":"","id":""}`), `{"decision":false}`},
		"blanks around":       {" \n" + object(alice, read, record) + "\r\n\t", `{"decision":true}`},
	} {
		a := s.post(evaluation, c.body)
		if a.status != 200 || a.body != c.want || a.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s %q, want 200 %s", name, a.status, a.header.Get("Content-Type"), a.body, c.want)
		}
		if again := s.post(evaluations, c.body); again.status != a.status || again.body != a.body {
			t.Errorf("%s: the batch endpoint without a batch says %d %q", name, again.status, again.body)
		}
	}
}

func TestWhatIsNotARequestIsRefused(t *testing.T) {
	s := serve(t, yesNo(func(authzen.Evaluation) bool { return true }))
	for name, body := range map[string]string{
		"no subject":            object(read, record),
		"no action":             object(alice, record),
		"no resource":           object(alice, read),
		"no subject type":       object(`"subject":{"id":"alice"}`, read, record),
		"no subject id":         object(`"subject":{"type":"user"}`, read, record),
		"no action name":        object(alice, `"action":{}`, record),
		"no resource type":      object(alice, read, `"resource":{"id":"record-1"}`),
		"no resource id":        object(alice, read, `"resource":{"type":"record"}`),
		"a subject of text":     object(`"subject":"alice"`, read, record),
		"a subject of nothing":  object(`"subject":null`, read, record),
		"an action of text":     object(alice, `"action":"read"`, record),
		"a resource in a list":  object(alice, read, `"resource":[{"type":"record","id":"record-1"}]`),
		"a name of digits":      object(alice, `"action":{"name":123}`, record),
		"an id of digits":       object(`"subject":{"type":"user","id":1}`, read, record),
		"a type of nothing":     object(alice, read, `"resource":{"type":null,"id":"x"}`),
		"a context of text":     object(alice, read, record, `"context":"x"`),
		"a context of nothing":  object(alice, read, record, `"context":null`),
		"properties of text":    object(`"subject":{"type":"user","id":"alice","properties":"x"}`, read, record),
		"properties in a list":  object(alice, `"action":{"name":"read","properties":[]}`, record),
		"a name twice":          object(alice, alice, read, record),
		"a name twice, inside":  object(alice, read, record, `"context":{"a":1,"a":2}`),
		"a name twice, escaped": object(alice, read, record, `"context":{"a":1,"\u0061":2}`),
		"half a character":      object(`"subject":{"type":"user","id":"\ud800"}`, read, record),
		"broken text":           object("\"subject\":{\"type\":\"user\",\"id\":\"\xff\"}", read, record),
		"a number beyond":       object(alice, read, record, `"context":{"a":1e999}`),
		"too deep":              object(alice, read, record, `"context":{"a":`+strings.Repeat("[", 15)+strings.Repeat("]", 15)+`}`),
		"nothing":               "",
		"blanks":                "  ",
		"not JSON":              "subject=alice",
		"cut off":               object(alice, read, record)[:40],
		"two values":            object(alice, read, record) + "{}",
		"a list":                "[" + object(alice, read, record) + "]",
		"null":                  "null",
	} {
		for _, path := range []string{evaluation, evaluations} {
			a := s.post(path, body)
			if a.status != 400 || a.body == "" || !strings.HasPrefix(a.header.Get("Content-Type"), "text/plain") {
				t.Errorf("%s at %s: %d %s %q, want 400 and a message", name, path, a.status, a.header.Get("Content-Type"), a.body)
			}
			if strings.Contains(a.body, "alice") || strings.Contains(a.body, "record-1") {
				t.Errorf("%s at %s: the message repeats what was sent: %q", name, path, a.body)
			}
		}
	}
}

func TestDepthAndSizeHaveBounds(t *testing.T) {
	s := serve(t, yesNo(func(authzen.Evaluation) bool { return true }))
	deep := object(alice, read, record, `"context":{"a":`+strings.Repeat("[", 14)+strings.Repeat("]", 14)+`}`)
	if a := s.post(evaluation, deep); a.status != 200 {
		t.Errorf("as deep as allowed: %d %q", a.status, a.body)
	}
	body := func(size int) string {
		empty := object(alice, read, record, `"context":{"a":""}`)
		return strings.Replace(empty, `"a":""`, `"a":"`+strings.Repeat("x", size-len(empty))+`"`, 1)
	}
	if a := s.post(evaluation, body(gate.MaxBody)); a.status != 200 {
		t.Errorf("as large as allowed: %d %q", a.status, a.body)
	}
	if a := s.post(evaluation, body(gate.MaxBody+1)); a.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a byte larger: %d %q", a.status, a.body)
	}
}

func TestContentTypes(t *testing.T) {
	s := serve(t, fixture)
	for kind, want := range map[string]int{
		"application/json": 200, "application/json; charset=utf-8": 200, "Application/JSON": 200,
		"": 400, "text/plain": 400, "application/x-www-form-urlencoded": 400, "application/jsonp": 400, "application/problem+json": 400, "json": 400, ";": 400,
	} {
		if a := s.post(evaluation, object(alice, read, record), "Content-Type", kind); a.status != want {
			t.Errorf("%q: %d %q, want %d", kind, a.status, a.body, want)
		}
	}
}

func TestCallersProveWhoTheyAre(t *testing.T) {
	s := serve(t, fixture)
	for header, challenge := range map[string]string{
		"":                `Bearer realm="mandate"`,
		"Bearer":          `Bearer realm="mandate", error="invalid_token"`,
		"Bearer mk_other": `Bearer realm="mandate", error="invalid_token"`,
		"Basic bWt0ZXN0":  `Bearer realm="mandate"`,
		key:               `Bearer realm="mandate"`,
	} {
		for _, path := range []string{evaluation, evaluations} {
			a := s.post(path, "no JSON", "Authorization", header, "X-Request-ID", "r-1")
			if a.status != 401 || a.header.Get("WWW-Authenticate") != challenge || a.body == "" || a.header.Get("X-Request-ID") != "r-1" {
				t.Errorf("%q at %s: %d %q %q", header, path, a.status, a.header.Get("WWW-Authenticate"), a.body)
			}
		}
	}
	if a := s.post(evaluation, object(alice, read, record), "Authorization", "bearer  "+key); a.status != 200 {
		t.Errorf("the scheme in small letters: %d %q", a.status, a.body)
	}
}

func TestHeadersOfAnswers(t *testing.T) {
	s := serve(t, fixture)
	for _, body := range []string{object(alice, read, record), "", object(bob, write, record)} {
		a := s.post(evaluation, body, "X-Request-ID", "bfe9eb29-ab87 \"x\"")
		if got := a.header.Get("X-Request-ID"); got != "bfe9eb29-ab87 \"x\"" {
			t.Errorf("X-Request-ID = %q", got)
		}
		if a.header.Get("Content-Security-Policy") != "default-src 'none'; frame-ancestors 'none'" || a.header.Get("Cache-Control") != "no-store" ||
			a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("headers = %v", a.header)
		}
	}
	if a := s.post(evaluation, object(alice, read, record)); a.header.Get("X-Request-ID") != "" {
		t.Errorf("X-Request-ID that nobody sent: %q", a.header.Get("X-Request-ID"))
	}
}

func TestOtherMethodsAndPaths(t *testing.T) {
	s := serve(t, fixture)
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"} {
		a := s.do(method, evaluation, "", "X-Request-ID", "r-3")
		if a.status != http.StatusMethodNotAllowed || a.header.Get("X-Request-ID") != "r-3" || a.header.Get("Allow") != "POST" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", method, a.status, a.header)
		}
	}
	for _, path := range []string{"/access/v1/evaluation/x", "/access/v1/", "/access/v1/search", "/access/v1/request", "/access/v1/evaluation/"} {
		if a := s.post(path, object(alice, read, record), "X-Request-ID", "r-4"); a.status != 404 || a.header.Get("X-Request-ID") != "r-4" || a.header.Get("Allow") != "" {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
	}
}

func TestBatches(t *testing.T) {
	s := serve(t, fixture)
	const missing = `{"decision":false,"context":{"error":{"message":"The member resource is missing.","status":400}}}`
	semantic := func(name string) string { return `"options":{"evaluations_semantic":"` + name + `"}` }
	list := func(items ...string) string { return `"evaluations":[` + strings.Join(items, ",") + `]` }
	for name, c := range map[string]struct{ body, want string }{
		"defaults":             {object(alice, read, list(object(record), object(other))), `true false`},
		"in order":             {object(bob, record, list(object(read), object(write))), `true false`},
		"no defaults":          {object(list(object(alice, read, record), object(bob, write, record))), `true false`},
		"an empty item":        {object(alice, read, record, list("{}", "{}")), `true true`},
		"a default replaced":   {object(alice, read, `"resource":{}`, list(object(record), object(other))), `true false`},
		"a broken default":     {object(`"subject":"alice"`, read, record, list(object(bob), "{}")), `true error`},
		"nothing is merged":    {object(alice, read, `"resource":{"type":"record"}`, list(`{"resource":{"id":"record-1"}}`)), `error`},
		"context is inherited": {object(alice, read, record, `"context":{"a":1}`, list("{}", `{"context":{"b":2}}`)), `true true`},
		"an item lacks a key":  {object(alice, read, list(object(record), "{}")), `true error`},
		"an item is broken":    {object(alice, read, record, list(`{"subject":"bob"}`, `{"action":{"name":1}}`, "{}")), `error error true`},
		"unknown members":      {object(alice, read, record, `"x":1`, list(`{"y":2}`)), `true`},
		"unknown options":      {object(alice, read, record, `"options":{"x":1}`, list("{}")), `true`},

		"all are executed":        {object(alice, read, semantic("execute_all"), list(object(record), object(other), object(record))), `true false true`},
		"to the first deny":       {object(alice, read, semantic("deny_on_first_deny"), list(object(record), object(other), object(record))), `true false`},
		"no deny":                 {object(alice, read, semantic("deny_on_first_deny"), list(object(record), object(record))), `true true`},
		"to the first permit":     {object(alice, read, semantic("permit_on_first_permit"), list(object(other), object(record), object(other))), `false true`},
		"no permit":               {object(alice, read, semantic("permit_on_first_permit"), list(object(other), object(other))), `false false`},
		"an error is a deny":      {object(alice, read, semantic("deny_on_first_deny"), list(object(record), "{}", object(record))), `true error`},
		"an error is no permit":   {object(alice, read, semantic("permit_on_first_permit"), list("{}", object(record), "{}")), `error true`},
		"errors and nothing else": {object(alice, read, list("{}", "{}")), `error error`},
	} {
		a := s.post(evaluations, c.body)
		if got := shape(t, a); got != c.want {
			t.Errorf("%s: %d %s, want %s", name, a.status, a.body, c.want)
		}
		if strings.Contains(a.body, `"decision":true,"evaluations"`) {
			t.Errorf("%s: a decision beside the batch: %s", name, a.body)
		}
	}
	a := s.post(evaluations, object(alice, read, list(object(record), "{}")))
	if want := `{"evaluations":[{"decision":true},` + missing + `]}`; a.body != want {
		t.Errorf("got %s, want %s", a.body, want)
	}
}

// shape writes the decisions of a batch as words.
func shape(t *testing.T, a answer) string {
	t.Helper()
	var body struct {
		Evaluations []struct {
			Decision *bool
			Context  map[string]any
		}
	}
	if a.status != 200 {
		return fmt.Sprint(a.status)
	}
	if err := json.Unmarshal([]byte(a.body), &body); err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, e := range body.Evaluations {
		switch {
		case e.Decision == nil:
			words = append(words, "nothing")
		case e.Context["error"] != nil && !*e.Decision:
			words = append(words, "error")
		default:
			words = append(words, fmt.Sprint(*e.Decision))
		}
	}
	return strings.Join(words, " ")
}

func TestBatchesThatAreNone(t *testing.T) {
	s := serve(t, fixture)
	all := object(alice, read, record)
	with := func(member string) string { return all[:len(all)-1] + "," + member + "}" }
	for name, c := range map[string]struct {
		body   string
		status int
		want   string
	}{
		"missing":             {all, 200, `{"decision":true}`},
		"empty":               {with(`"evaluations":[]`), 200, `{"decision":true}`},
		"empty and broken":    {object(alice, read, `"evaluations":[]`), 400, "The member resource is missing."},
		"null":                {with(`"evaluations":null`), 400, "The member evaluations must be an array."},
		"an object":           {with(`"evaluations":{}`), 400, "The member evaluations must be an array."},
		"items of text":       {with(`"evaluations":["x"]`), 400, "Each of the evaluations must be an object."},
		"one item is null":    {with(`"evaluations":[{},null]`), 400, "Each of the evaluations must be an object."},
		"options of text":     {with(`"evaluations":[{}],"options":"x"`), 400, "The member options must be an object."},
		"an unknown semantic": {with(`"evaluations":[{}],"options":{"evaluations_semantic":"first"}`), 400, `options.evaluations_semantic must be "execute_all", "deny_on_first_deny" or "permit_on_first_permit".`},
		"a semantic of null":  {with(`"evaluations":[{}],"options":{"evaluations_semantic":null}`), 400, `options.evaluations_semantic must be "execute_all", "deny_on_first_deny" or "permit_on_first_permit".`},
		"one too many":        {with(`"evaluations":[{}` + strings.Repeat(",{}", authzen.MaxEvaluations) + `]`), 400, "A request may hold at most 1000 evaluations."},
	} {
		if a := s.post(evaluations, c.body); a.status != c.status || a.body != c.want {
			t.Errorf("%s: %d %q, want %d %q", name, a.status, a.body, c.status, c.want)
		}
	}
	full := s.post(evaluations, with(`"evaluations":[{}`+strings.Repeat(",{}", authzen.MaxEvaluations-1)+`]`))
	if got := strings.Count(full.body, `{"decision":true}`); got != authzen.MaxEvaluations {
		t.Errorf("a full batch has %d answers", got)
	}
}

// failing cannot answer.
type failing struct{ err error }

func (f failing) Evaluate(context.Context, client.Client, authzen.Questions) (authzen.Answers, error) {
	return authzen.Answers{}, f.err
}

func TestFailuresAreNeitherYesNorNo(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		status int
	}{
		"our failure":   {errors.New("the disk, at secret-place"), 500},
		"wrong input":   {fault.New(fault.Invalid, "No."), 400},
		"unavailable":   {fault.New(fault.Unavailable, "Later."), 503},
		"not allowed":   {fault.New(fault.Forbidden, "No."), 403},
		"a wrapped one": {fmt.Errorf("deep down: %w", fault.New(fault.Unavailable, "Later.")), 503},
	} {
		s := serve(t, failing{c.err})
		for path, body := range map[string]string{evaluation: object(alice, read, record), evaluations: object(alice, read, `"evaluations":[`+object(record)+`]`)} {
			a := s.post(path, body, "X-Request-ID", "ref-7")
			if a.status != c.status || strings.Contains(a.body, "decision") || strings.Contains(a.body, "secret-place") || strings.Contains(a.body, "deep down") {
				t.Errorf("%s at %s: %d %q, want %d", name, path, a.status, a.body, c.status)
			}
			if c.status == 500 && !strings.Contains(a.body, "ref-7") {
				t.Errorf("%s: no reference in %q", name, a.body)
			}
		}
	}
}

func TestAFailureOfOneEvaluation(t *testing.T) {
	s := serve(t, decider(func(e authzen.Evaluation) authzen.Decision {
		if e.Subject.ID == "bob" {
			return authzen.Decision{Allowed: true, Failure: &authzen.Failure{Status: 403, Message: "Not yours."}}
		}
		return authzen.Decision{Allowed: true, Context: map[string]any{"why": "<because>"}}
	}))
	if a := s.post(evaluation, object(bob, read, record)); a.status != 403 || a.body != "Not yours." {
		t.Errorf("alone: %d %q", a.status, a.body)
	}
	a := s.post(evaluations, object(read, record, `"evaluations":[`+object(alice)+","+object(bob)+`]`))
	want := `{"evaluations":[{"decision":true,"context":{"why":"<because>"}},{"decision":false,"context":{"error":{"message":"Not yours.","status":403}}}]}`
	if a.status != 200 || a.body != want {
		t.Errorf("in a batch: %d %s, want %s", a.status, a.body, want)
	}
}

func TestACallerThatAsksTooMuchWaits(t *testing.T) {
	s := serveAt(t, fixture, gate.Rate{PerSecond: 2, Burst: 3})
	batch := object(alice, read, record, `"evaluations":[{},{},{},{},{},{},{}]`)
	if a := s.post(evaluations, batch); a.status != 200 { // whoever has anything left is served whole
		t.Fatalf("%d %q", a.status, a.body)
	}
	for path, body := range map[string]string{evaluation: object(alice, read, record), evaluations: batch} {
		a := s.post(path, body)
		if a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") != "3" {
			t.Errorf("%s: %d, wait %q, %q", path, a.status, a.header.Get("Retry-After"), a.body)
		}
	}
}

func TestMetadata(t *testing.T) {
	s := serve(t, fixture)
	for path, point := range map[string]string{"": "https://api.example.com", "/first": "https://api.example.com/first"} {
		a := s.do("GET", "/.well-known/authzen-configuration"+path, "", "Authorization", "")
		want := `{"policy_decision_point":"` + point + `","access_evaluation_endpoint":"https://api.example.com/access/v1/evaluation",` +
			`"access_evaluations_endpoint":"https://api.example.com/access/v1/evaluations"}`
		if a.status != 200 || a.body != want || a.header.Get("Content-Type") != "application/json" {
			t.Errorf("%q: %d %s, want %s", path, a.status, a.body, want)
		}
	}
	for _, path := range []string{"/second", "/first/x", "/%00", "/%ff", "/"} {
		if a := s.do("GET", "/.well-known/authzen-configuration"+path, ""); a.status != 404 {
			t.Errorf("%q: %d %q", path, a.status, a.body)
		}
	}
}
