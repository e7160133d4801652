package client

import (
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

const denialText = `{"decision":false,"context":{"evaluation_id":"evl_1","reason":"APPROVAL_REQUIRED","access_request":{"endpoint":"https://elsewhere.example/request","binding_token":"b"}}}`

func taskText(id, status string) string {
	return fmt.Sprintf(`{"task":{"id":%q,"status":%q,"status_endpoint":"x","expires_at":"2026-03-09T10:00:00Z"}}`, id, status)
}

// accepts answers as the server does when an access request was made.
func accepts(w http.ResponseWriter, r *http.Request, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Request-Id", r.Header.Get("X-Request-Id"))
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, text)
}

// requestable is the wire whose refusal a second person can turn around.
var requestable = Question{Member: "dana", Operation: "wires.transmit", Account: "operating", Amount: Cents(1200000), Context: map[string]any{"effective_date": "2026-03-02"}, Explain: User, Requestable: true}

// An access request goes to the first address with the question that was
// refused, is made again after a failure, and is polled until it is decided.
func TestARequestIsMadeAndAwaited(t *testing.T) {
	copied := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("a copy was asked %s", r.URL) }))
	t.Cleanup(copied.Close)
	var made, polled atomic.Int64
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch r.Method + " " + r.URL.Path {
		case "POST /access/v1/evaluation":
			if strings.Contains(string(body), "approval") {
				says(`{"decision":true}`)(w, r)
				return
			}
			says(denialText)(w, r)
		case "POST /access/v1/request":
			want := `{"subject":{"type":"user","id":"dana"},"action":{"name":"wires.transmit","properties":{"amount":"12000.00"}},"resource":{"type":"account","id":"operating"},"context":{"effective_date":"2026-03-02"},"denial":{"binding_token":"b","evaluation_id":"evl_1"}}`
			if string(body) != want || r.Header.Get("Authorization") != "Bearer mk_test" {
				t.Errorf("asked %s\nwant  %s", body, want)
			}
			if made.Add(1) == 1 {
				panic(http.ErrAbortHandler) // it is made, and nobody hears of it
			}
			accepts(w, r, taskText("evl_1", "pending"))
		case "GET /access/v1/request/evl_1":
			switch polled.Add(1) {
			case 1:
				says(taskText("evl_1", "pending"))(w, r)
			case 2:
				w.WriteHeader(http.StatusServiceUnavailable)
			default:
				says(taskText("evl_1", "approved"))(w, r)
			}
		default:
			t.Errorf("%s %s", r.Method, r.URL)
		}
	}, WithCopies(copied.URL), WithPolling(time.Millisecond, 5*time.Millisecond), Gather(time.Millisecond, 10))
	ctx := t.Context()
	for range 3 { // whichever copy's turn it is
		if d := c.Evaluate(ctx, requestable); d.AccessRequest == nil {
			t.Fatalf("%+v", d)
		}
	}
	d := c.EvaluateAll(ctx, []Question{requestable})[0]
	task := c.Request(ctx, requestable, d)
	if task.Err != nil || task.ID != "evl_1" || task.Status != TaskPending || task.Approved() || task.Expires.Year() != 2026 || made.Load() != 2 {
		t.Fatalf("%+v after %d requests", task, made.Load())
	}
	if task = c.Await(ctx, task.ID); !task.Approved() || polled.Load() != 3 {
		t.Errorf("awaited %+v after %d looks", task, polled.Load())
	}
	again := requestable
	again.Approval = task.ID
	if d := c.Evaluate(ctx, again); !d.Allowed {
		t.Errorf("with the approval named: %+v", d)
	}
}

// Whatever is not a clear answer approves nothing and says why.
func TestWhatIsNotAnApproval(t *testing.T) {
	denial := Decision{AccessRequest: &AccessRequest{EvaluationID: "evl_1", Members: map[string]any{"binding_token": "b"}}}
	for name, handler := range map[string]http.HandlerFunc{
		"nothing": says(``), "no task": says(`{}`), "a decision": says(`{"decision":true}`), "another's": says(taskText("evl_2", "approved")),
		"a new status": says(taskText("evl_1", "blessed")), "twice": says(`{"task":{"id":"evl_1","status":"pending","status":"approved"}}`),
		"no time":  says(`{"task":{"id":"evl_1","status":"approved","expires_at":"soon"}}`),
		"cut off":  says(`{"task":{"id":"evl_1","status":"approved"}`),
		"a 403":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) },
		"accepted": func(w http.ResponseWriter, r *http.Request) { accepts(w, r, `{"task":{"id":"evl_1","status":true}}`) },
	} {
		c := serve(t, handler, WithTries(1), WithPolling(time.Millisecond, time.Millisecond))
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		for verb, task := range map[string]Task{"made": c.Request(ctx, wire, denial), "read": c.Task(ctx, "evl_1"), "awaited": c.Await(ctx, "evl_1"), "cancelled": c.Cancel(ctx, "evl_1", "")} {
			if task.Approved() || task.Err == nil {
				t.Errorf("%s, %s: %+v", name, verb, task)
			}
		}
		cancel()
	}
	silent := serve(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("it was asked %s", r.URL) })
	for name, task := range map[string]Task{
		"a yes": silent.Request(t.Context(), wire, Decision{Allowed: true, AccessRequest: denial.AccessRequest}), "a plain no": silent.Request(t.Context(), wire, Decision{}),
		"a failure": silent.Request(t.Context(), wire, Decision{Err: ErrStale, AccessRequest: denial.AccessRequest}),
		"no token":  silent.Request(t.Context(), wire, Decision{AccessRequest: &AccessRequest{EvaluationID: "evl_1"}}),
		"a way out": silent.Request(t.Context(), wire, Decision{AccessRequest: &AccessRequest{EvaluationID: "..", Members: denial.AccessRequest.Members}}),
		"no id":     silent.Await(t.Context(), ""), "dots": silent.Task(t.Context(), ".."), "none to cancel": silent.Cancel(t.Context(), "", ""),
	} {
		if task.Approved() || task.Err == nil {
			t.Errorf("%s: %+v", name, task)
		}
	}
}

// Await ends with its context, keeps what it last heard, and looks no sooner than
// the server wants it.
func TestAwaitEnds(t *testing.T) {
	var looks atomic.Int64
	pending := func(w http.ResponseWriter, r *http.Request) { looks.Add(1); says(taskText("evl_1", "pending"))(w, r) }
	c := serve(t, pending, WithPolling(5*time.Millisecond, 10*time.Millisecond))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	task := c.Await(ctx, "evl_1")
	if task.Approved() || task.Status != TaskPending || !errors.Is(task.Err, context.DeadlineExceeded) || looks.Load() < 3 {
		t.Errorf("%+v after %d looks", task, looks.Load())
	}
	gone, stop := context.WithCancelCause(t.Context())
	stop(errors.New("nobody waits"))
	if task := c.Await(gone, "evl_1"); task.Approved() || task.Err == nil {
		t.Errorf("%+v", task)
	}
	looks.Store(0)
	busy := func(w http.ResponseWriter, r *http.Request) {
		looks.Add(1)
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(http.StatusTooManyRequests)
	}
	began := time.Now()
	ctx, cancel = context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	task = serve(t, busy, WithPolling(time.Millisecond, time.Millisecond), WithPatience(time.Second, time.Second)).Await(ctx, "evl_1")
	if task.Err == nil || looks.Load() != 1 || time.Since(began) > 900*time.Millisecond {
		t.Errorf("%+v after %d looks and %s", task, looks.Load(), time.Since(began))
	}
	looks.Store(0)
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	away := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if looks.Add(1) == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		cancel()
		<-r.Context().Done()
	}, WithPolling(time.Millisecond, time.Millisecond), WithTries(1))
	task = away.Await(ctx, "evl_1")
	if p, ok := errors.AsType[*Problem](task.Err); !ok || p.Status != http.StatusBadGateway || !errors.Is(task.Err, context.Canceled) {
		t.Errorf("where nobody could be asked: %+v", task)
	}
	looks.Store(0)
	forbidden := func(w http.ResponseWriter, _ *http.Request) { looks.Add(1); w.WriteHeader(http.StatusNotFound) }
	if task := serve(t, forbidden).Await(t.Context(), "evl_1"); task.Err == nil || looks.Load() != 1 {
		t.Errorf("%+v after %d looks", task, looks.Load())
	}
}

// Pauses grow up to the longest and stay there, however long somebody waits.
func TestPausesGrow(t *testing.T) {
	for _, c := range []struct {
		first, most time.Duration
		try         int
		want        time.Duration
	}{
		{time.Second, 30 * time.Second, 0, time.Second}, {time.Second, 30 * time.Second, 3, 8 * time.Second}, {time.Second, 30 * time.Second, 5, 30 * time.Second},
		{3 * time.Hour, 3 * time.Hour, 30, 3 * time.Hour}, {time.Millisecond, 1 << 62, 1 << 40, 1 << 62},
	} {
		if got := between(c.first, c.most, c.try); got < c.want/2 || got > c.want+time.Millisecond {
			t.Errorf("between %s and %s, try %d: %s, want half of %s to all of it", c.first, c.most, c.try, got, c.want)
		}
	}
}

func TestARequestIsCancelled(t *testing.T) {
	allowed := true
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.Method + " " + r.URL.Path {
		case "POST /api/v1/authorizations/evl_1/void":
			if r.Header.Get("Idempotency-Key") != "k" {
				t.Errorf("%v", r.Header)
			}
			says(fmt.Sprintf(`{"ref":"evl_1","decision":%t,"approval_required":false,"reasons":[{"code":"CONFIRMED","level":"request","message":"It is confirmed."}],"state":"x","repeated":false}`, allowed))(w, r)
		case "GET /access/v1/request/evl_1":
			says(taskText("evl_1", "cancelled"))(w, r)
		default:
			t.Errorf("%s %s", r.Method, r.URL)
		}
	})
	if task := c.Cancel(t.Context(), "evl_1", "k"); task.Err != nil || task.Status != TaskCancelled {
		t.Errorf("%+v", task)
	}
	allowed = false
	if task := c.Cancel(t.Context(), "evl_1", "k"); task.Err == nil || !strings.Contains(task.Err.Error(), "It is confirmed.") {
		t.Errorf("%+v", task)
	}
}

// One question that cannot be asked takes nobody else's answer away, gathered or
// in a batch.
func TestABadQuestionIsRefusedAlone(t *testing.T) {
	handler := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		answerAll(w, r, body)
	}
	bad, lost := wire, wire
	bad.Context, lost.AtLeast = map[string]any{"x": func() {}}, "no revision"
	c := serve(t, handler, RememberRevisions())
	for i, d := range c.EvaluateAll(t.Context(), []Question{wire, bad, lost, wire}) {
		if good := i == 0 || i == 3; d.Allowed != good || (d.Err == nil) != good {
			t.Errorf("question %d: %+v", i, d)
		}
	}
	gathering := serve(t, handler, Gather(20*time.Millisecond, 2))
	answer := make(chan Decision)
	go func() { answer <- gathering.Evaluate(t.Context(), bad) }()
	if d := gathering.Evaluate(t.Context(), wire); !d.Allowed {
		t.Errorf("beside one that cannot be asked: %+v", d)
	}
	if d := <-answer; d.Allowed || d.Err == nil {
		t.Errorf("%+v", d)
	}
}

// Whoever has given up may change what they asked with: nobody reads it any more.
// The race detector sees it where that is not so.
func TestAQuestionIsTheCallersAgain(t *testing.T) {
	c := serve(t, says(`{"decision":true}`), Gather(5*time.Millisecond, 10))
	q := wire
	q.Context = map[string]any{"recurring": false}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = c.Evaluate(ctx, q) // either way
	for i := range 1000 {
		q.Context[fmt.Sprint(i)] = true
	}
	time.Sleep(20 * time.Millisecond) // until what was gathered has gone
}

// A search that knows less than is demanded finds nothing: that is no list.
func TestAStaleSearchIsNoList(t *testing.T) {
	known := revision{institution: "first", organization: "acme", ofInstitution: 3, ofOrganization: 7}.String()
	answer, knows := `{"context":{"reasons":[{"code":"REVISION_NOT_REACHED","level":"request","message":"No."}]},"results":[]}`, ""
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if !strings.Contains(string(body), `"context":{"at_least_revision":"`+known+`","explain":"user"}`) {
			t.Errorf("asked %s", body)
		}
		w.Header().Set("Mandate-Revision", knows)
		says(answer)(w, r)
	}, RememberRevisions(), WithTries(2))
	if err := c.Saw(known); err != nil {
		t.Fatal(err)
	}
	q := wire
	q.Organization = "acme"
	for range 2 {
		if found, err := c.SearchSubjects(t.Context(), q); !errors.Is(err, ErrStale) {
			t.Errorf("found %q, %v", found, err)
		}
		answer, knows = `{"results":[{"type":"user","id":"dana"}]}`, revision{institution: "first", organization: "acme", ofInstitution: 3, ofOrganization: 6}.String()
	}
}

// A server that can read nothing at all is not asked about each question.
func TestAServerThatReadsNothing(t *testing.T) {
	var requests atomic.Int64
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		w.WriteHeader(http.StatusBadRequest)
	})
	for i, d := range c.EvaluateAll(t.Context(), slices.Repeat([]Question{wire}, 1000)) {
		if p, refused := errors.AsType[*Problem](d.Err); d.Allowed || !refused || p.Status != http.StatusBadRequest {
			t.Fatalf("question %d: %+v", i, d)
		}
	}
	if n := requests.Load(); n < 2 || n > maxHalves+1 {
		t.Errorf("%d requests", n)
	}
}

// A question that the server cannot read takes nobody else's answer away, and
// those of more bytes than a request may have travel in several.
func TestABatchTheServerCannotRead(t *testing.T) {
	var largest, requests atomic.Int64
	handler := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		requests.Add(1)
		largest.Store(max(largest.Load(), int64(len(body))))
		switch {
		case len(body) > 1<<20:
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		case strings.Contains(string(body), "9007199254740993"):
			w.WriteHeader(http.StatusBadRequest)
		default:
			answerAll(w, r, body)
		}
	}
	c := serve(t, handler)
	bad, heavy := wire, wire
	bad.Context = map[string]any{"invoice": int64(9007199254740993)}
	heavy.Context = map[string]any{"note": strings.Repeat("x", 5000)}
	questions := make([]Question, 900)
	for i := range questions {
		if questions[i] = heavy; i%300 == 7 {
			questions[i] = bad
		}
	}
	for i, d := range c.EvaluateAll(t.Context(), questions) {
		p, refused := errors.AsType[*Problem](d.Err)
		if isBad := i%300 == 7; d.Allowed == isBad || isBad && (!refused || p.Status != http.StatusBadRequest) {
			t.Fatalf("question %d: %+v", i, d)
		}
	}
	if largest.Load() < 900_000 || requests.Load() > 90 {
		t.Errorf("%d requests, the largest of %d bytes", requests.Load(), largest.Load())
	}
	heavy.Context = map[string]any{"note": strings.Repeat("x", 1<<20)}
	decisions := c.EvaluateAll(t.Context(), []Question{wire, heavy, wire})
	if !decisions[0].Allowed || !errors.Is(decisions[1].Err, ErrTooLong) || !decisions[2].Allowed {
		t.Errorf("one that is too long: %+v", decisions)
	}

	requests.Store(0)
	heavy.Context = map[string]any{"note": strings.Repeat("x", 400_000)}
	gathering := serve(t, handler, Gather(20*time.Millisecond, 100))
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			q := heavy
			if i == 3 {
				q = bad
			}
			if d := gathering.Evaluate(t.Context(), q); d.Allowed == (i == 3) {
				t.Errorf("gathered %d: %+v", i, d)
			}
		})
	}
	all.Wait()
	if requests.Load() > 12 {
		t.Errorf("ten that were gathered travelled in %d requests", requests.Load())
	}
}

// answerAll says yes to every question of a body.
func answerAll(w http.ResponseWriter, r *http.Request, body []byte) {
	var asked struct{ Evaluations []json.RawMessage }
	text := `{"decision":true}`
	if json.Unmarshal(body, &asked) == nil && asked.Evaluations != nil {
		text = `{"evaluations":[` + strings.Repeat(text+",", len(asked.Evaluations)-1) + text + `]}`
	}
	says(text)(w, r)
}
