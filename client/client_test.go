package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// serve returns a client of a server that answers as a test has it.
func serve(t *testing.T, handler http.HandlerFunc, options ...Option) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body) // the end of the caller is noticed only then
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	return of(t, server.URL, options...)
}

func of(t *testing.T, address string, options ...Option) *Client {
	t.Helper()
	c, err := New(address, append([]Option{WithKey("mk_test"), WithPatience(5*time.Second, 15*time.Second)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// says answers every question with a text.
func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Request-Id", r.Header.Get("X-Request-Id"))
		_, _ = io.WriteString(w, text)
	}
}

var wire = Question{Member: "dana", Operation: "wires.transmit", Account: "operating", Amount: Cents(2500000)}

func TestAYesAndANo(t *testing.T) {
	var asked map[string]any
	answer := `{"decision":true}`
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/access/v1/evaluation" || r.Header.Get("Authorization") != "Bearer mk_test" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %v", r.URL, r.Header)
		}
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &asked); err != nil {
			t.Error(err)
		}
		says(answer)(w, r)
	})
	if d := c.Evaluate(t.Context(), wire); !d.Allowed || d.Err != nil {
		t.Errorf("yes: %+v", d)
	}
	want := `map[action:map[name:wires.transmit properties:map[amount:25000.00]] resource:map[id:operating type:account] subject:map[id:dana type:user]]`
	if got := fmt.Sprint(asked); got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
	answer = `{"decision":false,"context":{"reasons":[{"code":"LIMIT_DAILY","level":"organization_user","message":"Over."}],"revision":"x","later":1}}`
	d := c.Evaluate(t.Context(), wire)
	if d.Allowed || d.Err != nil || len(d.Reasons) != 1 || d.Reasons[0].Code != "LIMIT_DAILY" || d.Revision != "x" {
		t.Errorf("no: %+v", d)
	}
}

// Whatever a server does that is not a clear yes is a refusal that says why.
func TestWhatIsNotAYesIsARefusal(t *testing.T) {
	status := func(n int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(n)
			_, _ = io.WriteString(w, text)
		}
	}
	for name, handler := range map[string]http.HandlerFunc{
		"nothing":             says(``),
		"no JSON":             says(`yes`),
		"no decision":         says(`{}`),
		"null":                says(`{"decision":null}`),
		"text":                says(`{"decision":"true"}`),
		"a number":            says(`{"decision":1}`),
		"another name":        says(`{"Decision":true}`),
		"twice":               says(`{"decision":false,"decision":true}`),
		"twice, yes first":    says(`{"decision":true,"decision":false}`),
		"more behind it":      says(`{"decision":true}{"decision":false}`),
		"cut off":             says(`{"decision":true`),
		"cut off in context":  says(`{"decision":true,"context":{"reasons":[`),
		"an array":            says(`[{"decision":true}]`),
		"a batch's answer":    says(`{"evaluations":[{"decision":true}]}`),
		"context is text":     says(`{"decision":true,"context":"ok"}`),
		"no UTF-8":            says("{\"decision\":true,\"context\":{\"x\":\"\xff\"}}"),
		"deep":                says(`{"decision":true,"context":` + strings.Repeat(`{"a":`, 200) + `1` + strings.Repeat(`}`, 200) + `}`),
		"an error as a yes":   says(`{"decision":true,"context":{"error":{"status":500,"message":"x"}}}`),
		"an obligation":       says(`{"decision":true,"context":{"obligations":[{"id":"1","type":"step-up"}]}}`),
		"a broken obligation": says(`{"decision":true,"context":{"obligations":["step-up"]}}`),
		"obligations as text": says(`{"decision":true,"context":{"obligations":"none"}}`),
		"another's answer": func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("X-Request-Id", "other")
			says(`{"decision":true}`)(w, r)
		},
		"HTML":                status(200, `<html>{"decision":true}`),
		"a yes that is a 500": status(500, `{"decision":true}`),
		"a yes that is a 403": status(403, `{"decision":true}`),
		"a yes that is a 201": status(201, `{"decision":true}`),
		"busy":                status(503, "busy"),
		"unknown caller":      status(401, "who"),
		"away":                func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/access/v1/evaluation?x", 307) },
		"hangs":               func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"hangs up":            func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"hangs in its answer": func(w http.ResponseWriter, r *http.Request) {
			says(`{"decision":true`)(w, r)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
		"promises more": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "900")
			says(`{"decision":true}`)(w, r)
		},
		"never ends": func(w http.ResponseWriter, r *http.Request) {
			says(`{"decision":true,"context":{"a":"`)(w, r)
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, strings.Repeat("x", 1<<16)); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := serve(t, handler, WithTries(2), WithPatience(100*time.Millisecond, 250*time.Millisecond))
			began := time.Now()
			d := c.Evaluate(t.Context(), wire)
			if d.Allowed || d.Err == nil {
				t.Errorf("%+v", d)
			}
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("it took %s", took)
			}
			for _, d := range c.EvaluateAll(t.Context(), []Question{wire, wire}) {
				if d.Allowed || d.Err == nil {
					t.Errorf("one of two: %+v", d)
				}
			}
			if found, err := c.SearchSubjects(t.Context(), wire); err == nil {
				t.Errorf("found %q", found)
			}
			if a := c.Confirm(t.Context(), "ref", ""); a.Allowed || a.Err == nil {
				t.Errorf("confirmed: %+v", a)
			}
			if _, err := c.Explain(t.Context(), wire); err == nil {
				t.Error("explained")
			}
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		server := httptest.NewServer(says(`{"decision":true}`))
		server.Close()
		if d := of(t, server.URL).Evaluate(t.Context(), wire); d.Allowed || d.Err == nil {
			t.Errorf("%+v", d)
		}
	})
}

func TestQuestionsThatCannotBeAsked(t *testing.T) {
	c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("it was asked") })
	for name, q := range map[string]Question{
		"nothing": {}, "nobody": {Operation: "account.view", Account: "a"}, "nowhere": {Member: "dana", Operation: "account.view"},
		"below nothing": {Member: "dana", Operation: "wires.transmit", Account: "a", Amount: Cents(-1)},
		"too much":      {Member: "dana", Operation: "wires.transmit", Account: "a", Amount: Cents(maxCents + 1)},
		"own revision":  {Member: "dana", Operation: "account.view", Account: "a", Context: map[string]any{"at_least_revision": "x"}},
		"a function":    {Member: "dana", Operation: "account.view", Account: "a", Context: map[string]any{"x": func() {}}},
	} {
		if d := c.Evaluate(t.Context(), q); d.Allowed || d.Err == nil {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// Decisions stand where their questions stood, however many requests it takes.
func TestBatches(t *testing.T) {
	var requests atomic.Int64
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		var asked struct {
			Evaluations []struct{ Subject struct{ ID string } }
		}
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || len(asked.Evaluations) > MaxBatch {
			t.Errorf("%d questions: %v", len(asked.Evaluations), err)
		}
		items := make([]string, len(asked.Evaluations))
		for i, e := range asked.Evaluations {
			items[i] = fmt.Sprintf(`{"decision":%t}`, strings.HasSuffix(e.Subject.ID, "7"))
		}
		says(`{"evaluations":[`+strings.Join(items, ",")+`]}`)(w, r)
	})
	questions := make([]Question, 2345)
	for i := range questions {
		questions[i] = Question{Member: fmt.Sprint("m", i), Operation: "account.view", Account: "a"}
	}
	questions[17].Member = ""
	decisions := c.EvaluateAll(t.Context(), questions)
	if len(decisions) != len(questions) || requests.Load() != 3 {
		t.Fatalf("%d decisions in %d requests", len(decisions), requests.Load())
	}
	for i, d := range decisions {
		if want := i%10 == 7 && i != 17; d.Allowed != want || (d.Err != nil) != (i == 17) {
			t.Errorf("question %d: %+v", i, d)
		}
	}
	if got := c.EvaluateAll(t.Context(), nil); len(got) != 0 {
		t.Errorf("nothing asked: %v", got)
	}
}

// An answer with too few or too many decisions answers nothing: nobody knows
// which is about what.
func TestABatchIsAnsweredWholeOrNot(t *testing.T) {
	for _, text := range []string{
		`{"evaluations":[{"decision":true}]}`, `{"evaluations":[{"decision":true},{"decision":true},{"decision":true}]}`,
		`{"evaluations":[{"decision":true},{}]}`, `{"evaluations":[{"decision":true},null]}`, `{"decision":true}`,
	} {
		for _, d := range serve(t, says(text)).EvaluateAll(t.Context(), []Question{wire, wire}) {
			if d.Allowed || d.Err == nil {
				t.Errorf("%s: %+v", text, d)
			}
		}
	}
	d := serve(t, says(`{"evaluations":[{"decision":true},{"decision":false,"context":{"error":{"status":400,"message":"No."}}}]}`)).EvaluateAll(t.Context(), []Question{wire, wire})
	p, ok := errors.AsType[*Problem](d[1].Err)
	if !d[0].Allowed || d[1].Allowed || !ok || p.Status != 400 || p.Message != "No." {
		t.Errorf("%+v", d)
	}
}

func TestObligations(t *testing.T) {
	answer := says(`{"decision":true,"context":{"obligations":[{"id":"1","type":"step-up","properties":{"acr":"2"}}]}}`)
	var done []Obligation
	ok := OnObligation("step-up", func(_ context.Context, _ Question, o Obligation) error { done = append(done, o); return nil })
	if d := serve(t, answer, ok).Evaluate(t.Context(), wire); !d.Allowed || d.Err != nil || len(done) != 1 || done[0].Properties["acr"] != "2" {
		t.Errorf("%+v %v", d, done)
	}
	fails := OnObligation("step-up", func(context.Context, Question, Obligation) error { return errors.New("no factor") })
	if d := serve(t, answer, fails).Evaluate(t.Context(), wire); d.Allowed || !errors.Is(d.Err, ErrObligation) {
		t.Errorf("%+v", d)
	}
	done = nil
	two := says(`{"decision":true,"context":{"obligations":[{"id":"1","type":"step-up"},{"id":"2","type":"fax"}]}}`)
	if d := serve(t, two, ok).Evaluate(t.Context(), wire); d.Allowed || !errors.Is(d.Err, ErrObligation) || len(done) != 0 {
		t.Errorf("one of two: %+v %v", d, done)
	}
}

// A refusal says where a second person could make it a yes.
func TestAccessRequests(t *testing.T) {
	answer := `{"decision":false,"context":{"evaluation_id":"evl_1","reason":"APPROVAL_REQUIRED","access_request":{"endpoint":"https://api.example/access/v1/request","binding_token":"b"}}}`
	d := serve(t, says(answer)).Evaluate(t.Context(), wire)
	if r := d.AccessRequest; d.Allowed || d.Err != nil || r == nil || r.Endpoint != "https://api.example/access/v1/request" || r.EvaluationID != "evl_1" || r.Members["binding_token"] != "b" {
		t.Errorf("%+v", d)
	}
}

// What can be repeated is; what a server refuses is not.
func TestRepeating(t *testing.T) {
	var n atomic.Int64
	failing := func(first int, after time.Duration) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1) == 1 {
				if after > 0 {
					w.Header().Set("Retry-After", fmt.Sprint(int(after.Seconds())))
				}
				w.WriteHeader(first)
				return
			}
			says(`{"decision":true}`)(w, r)
		}
	}
	for _, status := range []int{429, 500, 502, 503, 504} {
		n.Store(0)
		if d := serve(t, failing(status, 0)).Evaluate(t.Context(), wire); !d.Allowed || n.Load() != 2 {
			t.Errorf("%d: %+v after %d requests", status, d, n.Load())
		}
	}
	for _, status := range []int{400, 401, 403, 404, 409, 413, 422} {
		n.Store(0)
		if d := serve(t, failing(status, 0)).Evaluate(t.Context(), wire); d.Allowed || n.Load() != 1 {
			t.Errorf("%d: %+v after %d requests", status, d, n.Load())
		}
	}
	// Nobody is asked again before the server wants it: not within this call.
	n.Store(0)
	began := time.Now()
	if d := serve(t, failing(503, time.Minute)).Evaluate(t.Context(), wire); d.Allowed || n.Load() != 1 || time.Since(began) > time.Second {
		t.Errorf("a minute: %+v after %d requests and %s", d, n.Load(), time.Since(began))
	}
	n.Store(0)
	began = time.Now()
	if d := serve(t, failing(429, time.Second)).Evaluate(t.Context(), wire); !d.Allowed || time.Since(began) < time.Second {
		t.Errorf("a second: %+v after %s", d, time.Since(began))
	}
}

func TestTheContextEndsEverything(t *testing.T) {
	c := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, WithPatience(time.Minute, time.Hour))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if d := c.Evaluate(ctx, wire); d.Allowed || !errors.Is(d.Err, context.DeadlineExceeded) || time.Since(began) > 30*time.Second {
		t.Errorf("%+v after %s", d, time.Since(began))
	}
}

// A copy that fails is passed over, and asked again when nothing else is left.
func TestCopies(t *testing.T) {
	var good, bad atomic.Int64
	well := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { good.Add(1); says(`{"decision":true}`)(w, r) }))
	t.Cleanup(well.Close)
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { bad.Add(1); w.WriteHeader(503) }, WithCopies(well.URL))
	for range 20 {
		if d := c.Evaluate(t.Context(), wire); !d.Allowed {
			t.Fatalf("%+v", d)
		}
	}
	if good.Load() != 20 || bad.Load() > 3 {
		t.Errorf("the copy that answers was asked %d times, the other %d", good.Load(), bad.Load())
	}
	if copies := c.Copies(); copies[0].Healthy || copies[0].Last == nil || !copies[1].Healthy || copies[1].Last != nil {
		t.Errorf("%+v", copies)
	}
	well.Close()
	before := bad.Load()
	if d := c.Evaluate(t.Context(), wire); d.Allowed || d.Err == nil || bad.Load() == before {
		t.Errorf("%+v", d)
	}
}

// What changes something goes to the first address, with the same key each time.
func TestAuthorizations(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	answer := `{"ref":"p/1","decision":true,"approval_required":true,"reasons":[],"state":"pending","repeated":false}`
	fails := 1
	copied := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a copy was told of a payment") }))
	t.Cleanup(copied.Close)
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		seen = append(seen, r.URL.EscapedPath()+" "+r.Header.Get("Idempotency-Key")+" "+string(body))
		if fails--; fails >= 0 {
			panic(http.ErrAbortHandler) // after it was done, for all that anybody knows
		}
		says(answer)(w, r)
	}, WithCopies(copied.URL))
	p := Payment{Ref: "p/1", Member: "dana", Operation: "wires.transmit", Account: "operating", Amount: Cents(100)}
	a := c.Authorize(t.Context(), p, "k1")
	if a.Err != nil || !a.Allowed || !a.ApprovalRequired || a.State != "pending" {
		t.Errorf("%+v", a)
	}
	want := `/api/v1/authorizations k1 {"account":"operating","amount":"1.00","member":"dana","operation":"wires.transmit","ref":"p/1"}`
	if len(seen) != 2 || seen[0] != want || seen[1] != want {
		t.Errorf("%q", seen)
	}
	seen, fails = nil, 1
	if a := c.Approve(t.Context(), "p/1", "eve", ""); a.Err != nil {
		t.Error(a.Err)
	}
	if len(seen) != 2 || seen[0] != seen[1] || !strings.HasPrefix(seen[0], "/api/v1/authorizations/p%2F1/approve ") || !strings.HasSuffix(seen[0], ` {"member":"eve"}`) {
		t.Errorf("%q", seen)
	}
	if a := c.Confirm(t.Context(), "p/2", ""); a.Allowed || !errors.Is(a.Err, ErrUnreadable) {
		t.Errorf("the answer is about another payment: %+v", a)
	}
	for name, a := range map[string]Authorization{
		"no reference": c.Void(t.Context(), "", ""), "nobody": c.Approve(t.Context(), "p/1", "", ""), "nothing": c.Authorize(t.Context(), Payment{Ref: "x"}, ""),
	} {
		if a.Err == nil || a.Allowed {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestProblemsAreTold(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(422)
		_, _ = io.WriteString(w, `{"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"Wrong.","code":"X","errors":[{"field":"body.amount","detail":"No."}]}`)
	})
	a := c.Authorize(t.Context(), Payment{Ref: "r", Member: "m", Operation: "o"}, "")
	p, ok := errors.AsType[*Problem](a.Err)
	if !ok || p.Status != 422 || p.Code != "X" || !slices.Equal(p.Fields, []ProblemField{{"body.amount", "No."}}) {
		t.Errorf("%+v", a.Err)
	}
}

func TestSearchesFindAllOrFail(t *testing.T) {
	pages := map[string]string{
		"":  `{"page":{"next_token":"2"},"results":[{"type":"user","id":"ana"}]}`,
		"2": `{"page":{"next_token":""},"results":[{"type":"user","id":"dana"}]}`,
	}
	handler := func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ Page struct{ Token string } }
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			t.Error(err)
		}
		says(pages[asked.Page.Token])(w, r)
	}
	c := serve(t, handler)
	if found, err := c.SearchSubjects(t.Context(), wire); err != nil || !slices.Equal(found, []string{"ana", "dana"}) {
		t.Errorf("%q %v", found, err)
	}
	pages["2"] = `{"page":{"next_token":"2"},"results":[]}`
	if found, err := c.SearchSubjects(t.Context(), wire); err == nil {
		t.Errorf("a page without an end: %q", found)
	}
	pages["2"] = `{"page":{"next_token":""}}`
	if found, err := c.SearchSubjects(t.Context(), wire); err == nil {
		t.Errorf("half of them: %q", found)
	}
	pages[""] = `{"results":[]}`
	if found, err := c.SearchResources(t.Context(), wire); err != nil || found == nil || len(found) != 0 {
		t.Errorf("nothing: %q %v", found, err)
	}
	pages[""] = `{"results":[{"name":"account.view"}]}`
	if found, err := c.SearchActions(t.Context(), wire); err != nil || !slices.Equal(found, []string{"account.view"}) {
		t.Errorf("operations: %q %v", found, err)
	}
}

// Single questions that are asked at once travel together, each gets its own
// answer, and one who gives up takes nobody's answer away.
func TestGatheringConcurrently(t *testing.T) {
	var requests, largest atomic.Int64
	handler := func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		var asked struct {
			Evaluations []struct{ Subject struct{ ID string } }
			Subject     struct{ ID string }
		}
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			t.Error(err)
		}
		largest.Store(max(largest.Load(), int64(len(asked.Evaluations))))
		if asked.Subject.ID != "" {
			says(fmt.Sprintf(`{"decision":%t}`, strings.HasSuffix(asked.Subject.ID, "3")))(w, r)
			return
		}
		var items []string
		for _, e := range asked.Evaluations {
			items = append(items, fmt.Sprintf(`{"decision":%t}`, strings.HasSuffix(e.Subject.ID, "3")))
		}
		says(`{"evaluations":[`+strings.Join(items, ",")+`]}`)(w, r)
	}
	c := serve(t, handler, Gather(5*time.Millisecond, 50))
	var all sync.WaitGroup
	for i := range 500 {
		all.Go(func() {
			ctx := t.Context()
			if i%11 == 0 {
				gone, cancel := context.WithCancel(ctx)
				cancel()
				ctx = gone
			}
			d := c.Evaluate(ctx, Question{Member: fmt.Sprint("m", i), Operation: "account.view", Account: "a"})
			switch {
			case i%11 == 0: // either way, but never a yes that was none
				if d.Allowed && i%10 != 3 {
					t.Errorf("question %d: %+v", i, d)
				}
			case d.Err != nil || d.Allowed != (i%10 == 3):
				t.Errorf("question %d: %+v", i, d)
			}
		})
	}
	all.Wait()
	if requests.Load() > 250 || largest.Load() > 50 || largest.Load() < 2 {
		t.Errorf("%d requests, the largest of %d", requests.Load(), largest.Load())
	}
}

func TestSettings(t *testing.T) {
	for _, address := range []string{"", "api.example", "http://api.example", "https://key@api.example", "https://api.example/?x=1", "https://api.example?", "ftp://localhost", "://"} {
		if _, err := New(address); err == nil {
			t.Errorf("%q is taken", address)
		}
	}
	for _, address := range []string{"https://api.example", "https://api.example/base/", "http://localhost:8084", "http://127.0.0.1:1"} {
		if _, err := New(address); err != nil {
			t.Errorf("%q: %v", address, err)
		}
	}
	for name, option := range map[string]Option{
		"no key": WithKey(" "), "no tries": WithTries(0), "slow": Gather(time.Second, 10), "no certificate": WithTLS(nil), "no time": WithPatience(2, 1),
		"a bad copy": WithCopies("http://else.example"), "no secret": WithClientCredentials(ClientCredentials{TokenAddress: "https://x.example/t", ID: "a"}),
	} {
		if _, err := New("https://api.example", option); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := New("https://api.example", WithKey("a"), WithKey("b")); err == nil {
		t.Error("two credentials are taken")
	}
}
