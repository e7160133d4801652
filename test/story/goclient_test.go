package story

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"mandate/client"
	"mandate/internal/bank"
	"mandate/internal/db/dbtest"
	"mandate/internal/pdp"
)

// The Go client asks the running program: what it is told is what the program
// says, and its own reads follow what it was told, over several addresses.
func TestGoClient(t *testing.T) {
	p := run(t, dbtest.SQLiteURL(t, nil))
	first := p.world.Institutions[0]
	dana, operating := first.Members["dana.reyes"], first.Accounts["larkspur/operating"]
	dead := "http://localhost:1"
	mandate, err := client.New(p.world.Addresses["api"], client.WithKey(p.world.Clients[0].Key), client.WithCopies(dead),
		client.RememberRevisions(), client.WithPatience(5*time.Second, 20*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	wire := client.Question{Member: dana, Operation: "wires.transmit", Account: operating, Amount: client.Cents(9_000_00), Explain: client.Admin}
	over := wire
	over.Amount = client.Cents(900_000_00)
	if d := mandate.Evaluate(t.Context(), wire); !d.Allowed || d.Err != nil || d.Revision == "" {
		t.Errorf("9,000: %+v", d)
	}
	if d := mandate.Evaluate(t.Context(), over); d.Allowed || d.Err != nil || len(d.Reasons) == 0 {
		t.Errorf("900,000: %+v", d)
	}
	many := make([]client.Question, 1500)
	for i := range many {
		if many[i] = wire; i%2 == 1 {
			many[i] = over
		}
		many[i].Explain = client.Nobody
	}
	for i, d := range mandate.EvaluateAll(t.Context(), many) {
		if d.Err != nil || d.Allowed != (i%2 == 0) {
			t.Fatalf("question %d: %+v", i, d)
		}
	}
	// What the program cannot read is refused alone.
	unreadable := wire
	unreadable.Context = map[string]any{"invoice": int64(1<<53 + 1)} // no double is that number
	if some := mandate.EvaluateAll(t.Context(), []client.Question{wire, unreadable, wire}); !some[0].Allowed || some[1].Allowed || some[1].Err == nil || !some[2].Allowed {
		t.Errorf("beside one that cannot be read: %+v", some)
	}
	if who, err := mandate.SearchSubjects(t.Context(), client.Question{Operation: "wires.transmit", Account: operating, Amount: client.Cents(9_000_00)}); err != nil || !slices.Contains(who, dana) {
		t.Errorf("who: %q %v", who, err)
	}
	if where, err := mandate.SearchResources(t.Context(), client.Question{Member: dana, Operation: "account.view"}); err != nil || !slices.Contains(where, operating) {
		t.Errorf("where: %q %v", where, err)
	}
	if what, err := mandate.SearchActions(t.Context(), client.Question{Member: dana, Account: operating}); err != nil || !slices.Contains(what, "wires.view") {
		t.Errorf("what: %q %v", what, err)
	}
	e, err := mandate.Explain(t.Context(), over)
	if err != nil || e.Decision || len(e.Reasons) == 0 || len(e.Levels) == 0 || e.Revision == "" {
		t.Errorf("why: %+v %v", e, err)
	}

	payment := client.Payment{Ref: "go/1", Member: dana, Operation: "wires.transmit", Account: operating, Amount: client.Cents(1_000_00)}
	a := mandate.Authorize(t.Context(), payment, "go-1")
	again := mandate.Authorize(t.Context(), payment, "go-1")
	if a.Err != nil || !a.Allowed || a.State != "pending" || a.Repeated || again.Err != nil || !again.Allowed || !again.Repeated {
		t.Errorf("authorize: %+v, again %+v", a, again)
	}
	if a := mandate.Confirm(t.Context(), "go/1", ""); a.Err != nil || !a.Allowed || a.State != "confirmed" {
		t.Errorf("confirm: %+v", a)
	}
	if a := mandate.Void(t.Context(), "go/1", ""); a.Err != nil || a.Allowed {
		t.Errorf("void what is confirmed: %+v", a)
	}

	// A revision of the future is not reached: that is a refusal that says so.
	known, err := pdp.ParseRevision(e.Revision)
	if err != nil {
		t.Fatal(err)
	}
	known.OfOrganization++
	if err := mandate.Saw(known.String()); err != nil {
		t.Fatal(err)
	}
	if d := mandate.Evaluate(t.Context(), wire); d.Allowed || d.Err == nil {
		t.Errorf("before its time: %+v", d)
	}

	// The stranger's key is nobody's.
	stranger, err := client.New(p.world.Addresses["api"], client.WithKey("mk_nobody"))
	if err != nil {
		t.Fatal(err)
	}
	if d := stranger.Evaluate(t.Context(), wire); d.Allowed || d.Err == nil {
		t.Errorf("a stranger: %+v", d)
	}
}

// A network in front of the real server that loses answers, says it twice and
// cuts it off makes no yes of a no, and no payment counts twice.
func TestGoClientOverABadNetwork(t *testing.T) {
	p := run(t, dbtest.SQLiteURL(t, nil))
	first := p.world.Institutions[0]
	target, err := url.Parse(p.world.Addresses["api"])
	if err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	proxy := httputil.NewSingleHostReverseProxy(target)
	bad := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch n.Add(1) % 4 {
		case 0: // it is done, and nobody hears of it
			proxy.ServeHTTP(lost{http.Header{}}, r)
			panic(http.ErrAbortHandler)
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(bad.Close)
	mandate, err := client.New(bad.URL, client.WithKey(p.world.Clients[0].Key), client.WithPatience(5*time.Second, 20*time.Second), client.WithTries(8))
	if err != nil {
		t.Fatal(err)
	}
	wire := client.Question{Member: first.Members["dana.reyes"], Operation: "wires.transmit", Account: first.Accounts["larkspur/operating"], Amount: client.Cents(1_000_00)}
	over := wire
	over.Amount = client.Cents(900_000_00)
	for range 10 {
		if d := mandate.Evaluate(t.Context(), wire); !d.Allowed {
			t.Errorf("%+v", d)
		}
		if d := mandate.Evaluate(t.Context(), over); d.Allowed || d.Err != nil {
			t.Errorf("%+v", d)
		}
	}
	before, err := mandate.Explain(t.Context(), over)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		a := mandate.Authorize(t.Context(), client.Payment{Ref: fmt.Sprint("bad-", i), Member: wire.Member, Operation: wire.Operation, Account: wire.Account, Amount: client.Cents(10_00)}, "")
		if a.Err != nil || !a.Allowed {
			t.Errorf("%+v", a)
		}
	}
	after, err := mandate.Explain(t.Context(), over)
	if err != nil {
		t.Fatal(err)
	}
	if counted := used(t, after) - used(t, before); counted != 4*10_00 {
		t.Errorf("four payments of 10.00 count %s", counted)
	}
}

// lost is where an answer goes that nobody hears.
type lost struct{ header http.Header }

func (l lost) Header() http.Header         { return l.header }
func (l lost) Write(b []byte) (int, error) { return len(b), nil }
func (l lost) WriteHeader(int)             {}

// used is what counts against the user's own daily limit.
func used(t *testing.T, e client.Explanation) bank.Cents {
	t.Helper()
	for _, level := range e.Levels {
		for _, c := range level.Checks {
			if c.Code == "LIMIT_DAILY" && level.Level == "organization_user" && c.Used != "" {
				n, err := bank.ParseAmount(c.Used)
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
		}
	}
	t.Fatalf("no daily limit in %+v", e.Levels)
	return 0
}
