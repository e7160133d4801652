package story

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mandate/client"
	"mandate/internal/db/dbtest"
)

// A gateway carries wires that need a second person through the Go client. The
// first answer to every access request is lost on the way.
func TestGoClientAsksForASecondPerson(t *testing.T) {
	p := run(t, dbtest.SQLiteURL(t, nil))
	g := p.gateway(t)
	g.asksInVain(p.world.Addresses["api"], p.world.Clients[0].Key)
	g.isApproved()
}

// isApproved asks for a second person, waits until that person has approved, is
// told that the wire may go, and lets it go. What cannot be had is refused, and
// what is given up counts no more.
func (g *gateway) isApproved() {
	t, ctx := g.t, g.t.Context()
	small, large, third := g.wire(20_000_00), g.wire(20_000_00), g.wire(24_000_00)
	refusedSmall, refusedLarge, refusedThird := g.refusal(small), g.refusal(large), g.refusal(third)

	// Made, and made again for the same refusal: one wire that waits.
	task := g.mandate.Request(ctx, small, refusedSmall)
	if again := g.mandate.Request(ctx, small, refusedSmall); !is(task, client.TaskPending) || !is(again, client.TaskPending) || again.ID != task.ID || task.Expires.IsZero() {
		t.Fatalf("made %+v, again %+v", task, again)
	}
	if other := g.mandate.Request(ctx, third, refusedSmall); other.Err == nil || other.Status != "" {
		t.Errorf("for another question than was refused: %+v", other)
	}
	named := small
	named.Approval = task.ID
	g.isNo("nobody has approved it", named)

	// Awaited by one, approved by another, who is not who made it.
	select {
	case <-g.looked: // before
	default:
	}
	awaited := make(chan client.Task, 1)
	go func() { awaited <- g.mandate.Await(ctx, task.ID) }()
	<-g.looked
	if a := g.mandate.Approve(ctx, task.ID, g.dana, ""); a.Allowed || a.Err != nil {
		t.Errorf("she approves her own wire: %+v", a)
	}
	if a := g.mandate.Approve(ctx, task.ID, g.ben, "ben-approves"); !a.Allowed || a.ApprovedBy != g.ben {
		t.Fatalf("approved: %+v", a)
	}
	if now := <-awaited; !now.Approved() || now.ID != task.ID {
		t.Errorf("awaited: %+v", now)
	}
	if d := g.mandate.Evaluate(ctx, named); !d.Allowed || d.Err != nil || g.proved.Load() != 1 {
		t.Errorf("with the approval named: %+v, %d proofs of the person", d, g.proved.Load())
	}
	g.isNo("the approval is not named", small)
	dearer := named
	dearer.Amount = client.Cents(20_000_01)
	g.isNo("another wire under the approval", dearer)

	// What the day's limit does not hold any more is refused when it is asked for.
	waits := g.mandate.Request(ctx, large, refusedLarge)
	if !is(waits, client.TaskPending) {
		t.Fatalf("the second wire: %+v", waits)
	}
	denied := g.mandate.Request(ctx, third, refusedThird)
	if now := g.mandate.Await(ctx, denied.ID); !is(denied, client.TaskDenied) || !is(now, client.TaskDenied) || now.Approved() {
		t.Errorf("the third wire: %+v, awaited %+v", denied, now)
	}
	third.Approval = denied.ID
	g.isNo("it was refused", third)
	if a := g.mandate.Approve(ctx, denied.ID, g.ben, ""); a.Allowed || a.Err != nil {
		t.Errorf("what was refused is approved: %+v", a)
	}

	// Given up, it counts no more: what was refused for its sake can be asked for.
	for range 2 {
		if now := g.mandate.Cancel(ctx, waits.ID, "cancel"); !is(now, client.TaskCancelled) {
			t.Errorf("cancelled: %+v", now)
		}
	}
	if now := g.mandate.Await(ctx, waits.ID); !is(now, client.TaskCancelled) {
		t.Errorf("awaited after that: %+v", now)
	}
	if a := g.mandate.Approve(ctx, waits.ID, g.ben, ""); a.Allowed || a.Err != nil {
		t.Errorf("what was cancelled is approved: %+v", a)
	}
	third.Approval = ""
	if task := g.mandate.Request(ctx, third, g.refusal(third)); !is(task, client.TaskPending) {
		t.Errorf("the third wire in its place: %+v", task)
	}

	// Confirmed, it is gone.
	if a := g.mandate.Confirm(ctx, task.ID, ""); !a.Allowed || a.State != "confirmed" {
		t.Errorf("confirmed: %+v", a)
	}
	if now := g.mandate.Cancel(ctx, task.ID, ""); !errors.Is(now.Err, client.ErrNotCancelled) {
		t.Errorf("cancelled after that: %+v", now)
	}
	if now := g.mandate.Task(ctx, task.ID); !now.Approved() {
		t.Errorf("after that: %+v", now)
	}
}

// asksInVain asks nobody about what a second person cannot turn around, gives up
// waiting, and has its task alone: another caller can do nothing with it.
func (g *gateway) asksInVain(address, other string) {
	t, ctx := g.t, g.t.Context()
	over := g.wire(25_000_01)
	if d := g.mandate.Evaluate(ctx, over); d.Allowed || d.Err != nil || d.AccessRequest != nil || !errors.Is(g.mandate.Request(ctx, over, d).Err, client.ErrNotRequestable) {
		t.Errorf("over her limit: %+v", d)
	}
	wire := g.wire(12_000_00)
	task := g.mandate.Request(ctx, wire, g.refusal(wire))
	if !is(task, client.TaskPending) {
		t.Fatalf("%+v", task)
	}
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	if now := g.mandate.Await(short, task.ID); now.Approved() || now.Status != client.TaskPending || !errors.Is(now.Err, context.DeadlineExceeded) {
		t.Errorf("nobody approves it: %+v", now)
	}
	hub, err := client.New(address, client.WithKey(other), client.WithPatience(5*time.Second, 20*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if d := hub.Evaluate(ctx, wire); d.Allowed || d.Err != nil || d.AccessRequest != nil {
		t.Errorf("to a caller that cannot ask for it: %+v", d)
	}
	for verb, now := range map[string]client.Task{"reads": hub.Task(ctx, task.ID), "awaits": hub.Await(ctx, task.ID), "cancels": hub.Cancel(ctx, task.ID, "")} {
		if now.Err == nil || now.Status != "" {
			t.Errorf("another caller %s it: %+v", verb, now)
		}
	}
	if now := g.mandate.Task(ctx, "evl_unknown"); now.Err == nil {
		t.Errorf("a task that is none: %+v", now)
	}
	if now := g.mandate.Task(ctx, task.ID); !is(now, client.TaskPending) {
		t.Errorf("after all that: %+v", now)
	}
	if now := g.mandate.Cancel(ctx, task.ID, ""); !is(now, client.TaskCancelled) {
		t.Errorf("cancelled: %+v", now)
	}
}

// A gateway is a program that can ask for second persons, with whom it knows.
type gateway struct {
	t                    *testing.T
	mandate              *client.Client
	dana, ben, operating string
	looked               chan struct{} // an access request was looked at
	proved               atomic.Int64  // how often a person proved anew who they are
}

func (p *program) gateway(t *testing.T) *gateway {
	t.Helper()
	house := p.world.Institutions[0]
	g := &gateway{t: t, dana: house.Members["dana.reyes"], ben: house.Members["ben.okafor"], operating: house.Accounts["larkspur/operating"], looked: make(chan struct{}, 1)}
	for _, c := range p.world.Clients {
		if c.Name != "Payment gateway" || c.Institution != house.ID {
			continue
		}
		var err error
		g.mandate, err = client.New(g.forgetful(p.world.Addresses["api"]), client.WithKey(c.Key), client.WithCopies("http://localhost:1"),
			client.RememberRevisions(), client.WithPatience(5*time.Second, 20*time.Second), client.WithPolling(5*time.Millisecond, 20*time.Millisecond),
			client.OnObligation("step-up", func(_ context.Context, q client.Question, o client.Obligation) error {
				if o.Properties["subject"] != q.Member {
					t.Errorf("somebody else is to prove who they are: %+v", o)
				}
				g.proved.Add(1)
				return nil
			}))
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	t.Fatal("the demo has no gateway")
	return nil
}

// forgetful stands in front of the program and loses the first answer to every
// access request that is made: it is made, and nobody hears of it.
func (g *gateway) forgetful(address string) string {
	target, err := url.Parse(address)
	if err != nil {
		g.t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		made := r.URL.Path == "/access/v1/request"
		if made && requests.Add(1)%2 == 1 {
			proxy.ServeHTTP(lost{http.Header{}}, r)
			panic(http.ErrAbortHandler)
		}
		proxy.ServeHTTP(w, r)
		if strings.HasPrefix(r.URL.Path, "/access/v1/request/") {
			select {
			case g.looked <- struct{}{}:
			default:
			}
		}
	}))
	g.t.Cleanup(server.Close)
	return server.URL
}

// wire is Dana's, of an amount, asked about where a second person can be had.
func (g *gateway) wire(cents int64) client.Question {
	return client.Question{Member: g.dana, Operation: "wires.transmit", Account: g.operating, Amount: client.Cents(cents), Explain: client.User, Requestable: true}
}

// refusal is the answer to a wire that lacks a second person and nothing else.
func (g *gateway) refusal(wire client.Question) client.Decision {
	g.t.Helper()
	d := g.mandate.Evaluate(g.t.Context(), wire)
	if d.Allowed || d.Err != nil || d.AccessRequest == nil || !slices.ContainsFunc(d.Reasons, func(r client.Reason) bool { return r.Code == "APPROVAL_REQUIRED" }) {
		g.t.Fatalf("%s: %+v", wire.Amount, d)
	}
	return d
}

func (g *gateway) isNo(why string, q client.Question) {
	g.t.Helper()
	if d := g.mandate.Evaluate(g.t.Context(), q); d.Allowed || d.Err != nil || len(d.Reasons) == 0 {
		g.t.Errorf("%s: %+v", why, d)
	}
}

// is reports whether a task stands so, and nothing went wrong.
func is(task client.Task, status client.TaskStatus) bool {
	return task.Err == nil && task.Status == status
}
