package product_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"mandate/internal/authzen"
	"mandate/internal/authzen/product"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/gate"
	"mandate/internal/pdp"
	"mandate/internal/pdp/pdptest"
	"mandate/internal/route"
	"mandate/internal/usermgmt"
)

// recalling is a decision service whose quick way gives the answers of the other
// one: what is left to compare is how the two read and write.
type recalling struct {
	*pdp.Service
	asked int
}

func (r *recalling) QuickAll(ctx context.Context, institution bank.InstitutionID, questions []pdp.Question, allowed []bool) (pdp.Revision, bool) {
	answers, err := r.DecideAll(ctx, institution, questions)
	if err != nil {
		return pdp.Revision{}, false
	}
	r.asked += len(questions)
	for i, a := range answers {
		allowed[i] = a.Outcome() == pdp.Allowed
	}
	return pdp.Common(answers), true
}

// thorough hides that a decider has a quick way.
type thorough struct{ authzen.Decider }

// A pair is one service behind two edges, of which one knows no quick way.
type pair struct {
	t       *testing.T
	handler [2]http.Handler
}

func newPair(t *testing.T, d *db.DB, service product.Questions, clients gate.Clients) *pair {
	p := &pair{t: t}
	for i, decider := range []authzen.Decider{product.New(service), thorough{product.New(service)}} {
		mux := route.NewMux()
		authzen.New(authzen.Config{
			Decider: decider,
			Gate:    gate.New(clients, gate.NewLimiter(dbtest.ClockOf(t, d), gate.Rate{PerSecond: 1e6, Burst: 1e6}), slog.New(slog.DiscardHandler)),
		}).Mount(mux)
		p.handler[i] = mux
	}
	return p
}

// same asks both and says where they differ, to the byte.
func (p *pair) same(path, key, body, revision string) (status int, answer string) {
	p.t.Helper()
	var got [2]*httptest.ResponseRecorder
	for i, h := range p.handler {
		r := httptest.NewRequest(http.MethodPost, "/access/v1/"+path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+key)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Request-ID", "same")
		if revision != "" {
			r.Header.Set("Mandate-Revision", revision)
		}
		got[i] = httptest.NewRecorder()
		h.ServeHTTP(got[i], r)
	}
	a, b := got[0], got[1]
	if a.Code != b.Code || a.Body.String() != b.Body.String() || !maps.EqualFunc(a.Header(), b.Header(), func(x, y []string) bool { return fmt.Sprint(x) == fmt.Sprint(y) }) {
		p.t.Fatalf("%s %s, revision %q:\nquickly    %d %v %s\nthoroughly %d %v %s", path, body, revision, a.Code, a.Header(), a.Body, b.Code, b.Header(), b.Body)
	}
	return a.Code, a.Body.String()
}

// Whatever is asked, the quick way and the other one say the same, with the same
// headers, whether what is asked is plain, odd or wrong.
func TestTheQuickWayAnswersAsTheOther(t *testing.T) {
	d := dbtest.SQLite(t)
	p := start(t, d)
	service := &recalling{Service: pdp.New(pdptest.Memory(d), usermgmt.DecisionSources(), nil)}
	both := newPair(t, d, service, p.clients)
	_, all := p.caller("first", "Hub")
	_, wires := p.caller("first", "Wires", "wires.transmit")
	_, header, _ := p.ask(all, "evaluation", wire("dana", "operating", "1.00", "{}"))
	known := header.Get("Mandate-Revision")
	_, header, _ = p.ask(all, "evaluation", wire("nobody", "operating", "1.00", "{}"))
	institution := header.Get("Mandate-Revision")
	later := pdp.Revision{Institution: "first", Organization: "acme", OfOrganization: 1 << 40}.String()
	if known == "" || institution == "" {
		t.Fatal("the answers have no revision")
	}
	r := rand.New(rand.NewPCG(5, 6))
	odd := oddities{r, []string{known, institution, later, "x"}}
	yes, refused := 0, 0
	for range 2500 {
		key := [...]string{all, all, all, wires}[r.IntN(4)]
		path, body := "evaluation", odd.evaluation()
		if r.IntN(3) == 0 {
			path, body = "evaluations", odd.batch()
		}
		revision := ""
		if r.IntN(5) == 0 {
			revision = odd.revision()
		}
		status, answer := both.same(path, key, body, revision)
		yes += strings.Count(answer, "true")
		if status != http.StatusOK {
			refused++
		}
	}
	if service.asked < 800 || yes < 100 || refused < 50 {
		t.Errorf("%d questions went the quick way, %d had a yes for an answer, %d requests were refused: too few to compare", service.asked, yes, refused)
	}
}

// oddities are bodies near and far from what is usual.
type oddities struct {
	*rand.Rand
	revisions []string
}

func (o oddities) of(usual string, other ...string) string {
	if o.IntN(12) > 0 || len(other) == 0 {
		return usual
	}
	return other[o.IntN(len(other))]
}

func (o oddities) revision() string { return o.revisions[o.IntN(len(o.revisions))] }

func (o oddities) operation() string {
	all := catalog.Operations()
	return o.of("wires.transmit", "wires.view", "account.view", "wires.approve", "transfers.create", "ach.batch.initiate", "user_management.create_user",
		all[o.IntN(len(all))].ID(), "fly", "")
}

func (o oddities) subject() string {
	return o.of(fmt.Sprintf(`{"type":"user","id":%q}`, o.of("dana", "ana", "bea", "cleo", "nobody", "")),
		`{"type":"staff","id":"dana"}`, `{"type":"user"}`, `{"id":"dana","type":"user"}`, `{"type":"user","id":"dana","properties":{"type":"staff"}}`,
		`{"type":"user","id":"dana","id":"ana"}`, `{"type":"user","id":"da\u006ea"}`, `{"type":"user","id":"dana","name":"Dana"}`, `{"type":"user","id":"d\u0000"}`, `"dana"`, `null`)
}

func (o oddities) action() string {
	return o.of(fmt.Sprintf(`{"name":%q%s}`, o.operation(), o.of(`,"properties":{"amount":"10000.00"}`, "",
		`,"properties":{"amount":"10000.01"}`, `,"properties":{"amount":"25000.01"}`, `,"properties":{"amount":100}`, `,"properties":{"amount":null}`,
		`,"properties":{"amount":""}`, `,"properties":{"amount":"1e3"}`, `,"properties":{"amount":"1.00","amount":"2.00"}`, `,"properties":{"to_account":"payroll","amount":"1.00"}`,
		`,"properties":{"to_account":7,"amount":"1.00"}`, `,"properties":{"amount":"1.00","more":{"a":[1]}}`, `,"properties":[]`, `,"properties":null`, `,"properties":{}`)),
		`{}`, `{"name":7}`, `{"name":"wires.transmit","name":"account.view"}`)
}

func (o oddities) resource() string {
	return o.of(fmt.Sprintf(`{"type":"account","id":%q}`, o.of("operating", "payroll", "savings", "vault", "")),
		`{"type":"organization","id":"acme"}`, `{"type":"organization","id":"birch"}`, `{"type":"organization","id":""}`, `{"type":"card","id":"1"}`,
		`{"type":"account"}`, `{}`, `{"type":"account","id":"operating","properties":{"owner":"dana","open":true,"since":2020.5,"note":null}}`)
}

func (o oddities) context() string {
	return o.of(`{}`, `null`, `[]`, `{"explain":"user"}`, `{"explain":"admin"}`, `{"explain":"x"}`, `{"recurring":true}`, `{"recurring":"yes"}`, `{"effective_date":"2026-03-03"}`,
		`{"effective_date":"2020-01-01"}`, `{"effective_date":7}`, `{"last_editor":false,"debits":true,"same_day":false}`, `{"fields":"entry"}`, `{"time":"now","ip":"::1"}`,
		fmt.Sprintf(`{"at_least_revision":%q}`, o.revision()), fmt.Sprintf(`{"at_least_revision":%q,"recurring":false}`, o.revision()), `{"at_least_revision":1}`, `{"approval":"none"}`, `{"approval":{"id":"evl_1"}}`)
}

// parts are those of an evaluation, now and then without one, in any order.
func (o oddities) parts(least int) string {
	parts := []string{`"subject":` + o.subject(), `"action":` + o.action(), `"resource":` + o.resource(), `"context":` + o.context()}
	o.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	if o.IntN(4) == 0 {
		parts = parts[:max(least, o.IntN(len(parts)))]
	}
	return strings.Join(parts, o.of(",", " ,\n"))
}

func (o oddities) evaluation() string {
	return "{" + o.parts(1) + o.of("", `,"more":1`, `,"evaluations":[]`, `,`) + "}" + o.of("", " ", "x")
}

func (o oddities) batch() string {
	var items []string
	for range 1 + o.IntN(6) {
		items = append(items, o.of("{"+o.parts(0)+"}", "{}", "7"))
	}
	parts := []string{`"evaluations":` + o.of("["+strings.Join(items, ",")+"]", "[]", "{}")}
	if o.IntN(3) > 0 {
		parts = append(parts, o.parts(1))
	}
	if o.IntN(3) == 0 {
		parts = append(parts, `"options":`+o.of(fmt.Sprintf(`{"evaluations_semantic":%q}`, o.of("execute_all", "deny_on_first_deny", "permit_on_first_permit", "x", "")), "{}", "null", `{"other":1}`))
	}
	o.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	return "{" + strings.Join(parts, ",") + "}"
}

// What memory answers on the quick way is what the other way answers: the whole
// program of a decision, and no stand-in for it.
func TestMemoryAnswersQuicklyAsOtherwise(t *testing.T) {
	d := dbtest.SQLite(t)
	p := start(t, d)
	service := &counting{Service: pdp.New(pdptest.Memory(d), usermgmt.DecisionSources(), nil)}
	both := newPair(t, d, service, p.clients)
	_, key := p.caller("first", "Hub")
	_, header, _ := p.ask(key, "evaluation", wire("dana", "operating", "1.00", "{}"))
	known := header.Get("Mandate-Revision")
	later := pdp.Revision{Institution: "first", Organization: "acme", OfOrganization: 1 << 40}.String()
	r := rand.New(rand.NewPCG(7, 8))
	odd := oddities{r, []string{known, later}}
	yes := 0
	for n := range 1500 {
		if n%50 == 0 { // the next question knows it
			p.world.SetStanding("first", "acme", "dana", bank.StatusActive, r.IntN(4) == 0)
		}
		path, body, revision := "evaluation", odd.evaluation(), ""
		if r.IntN(3) == 0 {
			path, body = "evaluations", odd.batch()
		}
		if r.IntN(5) == 0 {
			revision = odd.revision()
		}
		_, answer := both.same(path, key, body, revision)
		yes += strings.Count(answer, "true")
	}
	if service.quick < 300 || service.left == 0 || yes < 100 {
		t.Errorf("%d requests were answered quickly, %d left to the other way, %d had a yes in them: too few to compare", service.quick, service.left, yes)
	}
}

// counting counts which requests the quick way answered.
type counting struct {
	*pdp.Service
	quick, left int
}

func (c *counting) QuickAll(ctx context.Context, institution bank.InstitutionID, questions []pdp.Question, allowed []bool) (pdp.Revision, bool) {
	known, ok := c.Service.QuickAll(ctx, institution, questions, allowed)
	if ok {
		c.quick++
	} else {
		c.left++
	}
	return known, ok
}
