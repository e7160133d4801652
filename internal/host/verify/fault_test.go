package verify_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/host"
	"mandate/internal/host/hosttest"
	"mandate/internal/host/protocol"
	"mandate/internal/host/verify"
)

// A mistake is a host that is wrong in one way and right in all others.
type mistake struct {
	protocol.Server
	carry  func(ctx context.Context, right protocol.Server, o protocol.Order) (protocol.Receipt, error)
	events func([]protocol.Event) []protocol.Event
	user   func(*protocol.User)
}

func (m *mistake) Carry(ctx context.Context, institution bank.InstitutionID, o protocol.Order) (protocol.Receipt, error) {
	if m.carry == nil || institution != hosttest.Institution {
		return m.Server.Carry(ctx, institution, o)
	}
	return m.carry(ctx, m.Server, o)
}

func (m *mistake) Events(ctx context.Context, institution bank.InstitutionID, after string, most int) ([]protocol.Event, error) {
	all, err := m.Server.Events(ctx, institution, after, most)
	if m.events != nil && err == nil {
		all = m.events(all)
	}
	return all, err
}

func (m *mistake) User(ctx context.Context, institution bank.InstitutionID, ref host.Ref) (protocol.User, error) {
	u, err := m.Server.User(ctx, institution, ref)
	if m.user != nil && err == nil {
		m.user(&u)
	}
	return u, err
}

// right carries an order as it should be.
func right(ctx context.Context, s protocol.Server, o protocol.Order) (protocol.Receipt, error) {
	return s.Carry(ctx, hosttest.Institution, o)
}

// as carries an order under another key and answers under its own.
func as(ctx context.Context, s protocol.Server, o protocol.Order, suffix string) (protocol.Receipt, error) {
	key := o.Key
	o.Key += suffix
	r, err := right(ctx, s, o)
	r.Key = key
	return r, err
}

// counted says how often a key was there before.
func counted() func(string) int {
	var mu sync.Mutex
	seen := map[string]int{}
	return func(key string) int {
		mu.Lock()
		defer mu.Unlock()
		seen[key]++
		return seen[key] - 1
	}
}

// leaks answers everybody as the suite's institution.
type leaks struct{ protocol.Server }

func (l leaks) Balances(ctx context.Context, _ bank.InstitutionID, accounts []host.Ref) ([]protocol.Balance, error) {
	return l.Server.Balances(ctx, hosttest.Institution, accounts)
}

func (l leaks) Users(ctx context.Context, _ bank.InstitutionID, after host.Ref, most int) ([]protocol.User, error) {
	return l.Server.Users(ctx, hosttest.Institution, after, most)
}

// mistakes are hosts that are wrong, with the check that must find it and what
// it must say.
var mistakes = map[string]struct {
	check, says string
	of          func(protocol.Server) protocol.Server
}{
	"forgets what it has done": {"SameKey", "asked again it answers", func(s protocol.Server) protocol.Server {
		before := counted()
		return &mistake{Server: s, carry: func(ctx context.Context, s protocol.Server, o protocol.Order) (protocol.Receipt, error) {
			return as(ctx, s, o, "#"+strconv.Itoa(before(o.Key)))
		}}
	}},
	"forgets it when asked at once": {"RaceSameKey", "once: acc_operating", func(s protocol.Server) protocol.Server {
		before := counted()
		return &mistake{Server: s, carry: func(ctx context.Context, s protocol.Server, o protocol.Order) (protocol.Receipt, error) {
			return as(ctx, s, o, "#"+strconv.Itoa(before(o.Key)%2))
		}}
	}},
	"answers the same key otherwise": {"SameKey", "asked again it answers", func(s protocol.Server) protocol.Server {
		before := counted()
		return &mistake{Server: s, carry: func(ctx context.Context, s protocol.Server, o protocol.Order) (protocol.Receipt, error) {
			r, err := right(ctx, s, o)
			if before(o.Key) > 0 {
				r.Reference += "0"
			}
			return r, err
		}}
	}},
	"takes another order for the same": {"KeyReused", "under the same key: {Reference", func(s protocol.Server) protocol.Server {
		return &mistake{Server: s, carry: func(ctx context.Context, s protocol.Server, o protocol.Order) (protocol.Receipt, error) {
			r, err := right(ctx, s, o)
			if errors.Is(err, host.ErrReused) {
				return as(ctx, s, o, "#")
			}
			return r, err
		}}
	}},
	"does half of an order": {"AllOrNothing", "after it: acc_operating", func(s protocol.Server) protocol.Server {
		return &mistake{Server: s, carry: func(ctx context.Context, s protocol.Server, o protocol.Order) (protocol.Receipt, error) {
			r, err := right(ctx, s, o)
			if half := (protocol.Order{Key: o.Key + "#", Organization: o.Organization, Day: o.Day, Legs: o.Legs}); r.Outcome == protocol.Refused && o.Hold != nil && len(o.Legs) > 0 {
				_, err = right(ctx, s, half)
			}
			return r, err
		}}
	}},
	"takes legs that do not add up": {"Balanced", "a cent lost", func(s protocol.Server) protocol.Server {
		return &mistake{Server: s, carry: func(ctx context.Context, s protocol.Server, o protocol.Order) (protocol.Receipt, error) {
			sum := bank.Cents(0)
			for _, leg := range o.Legs {
				sum += leg.Cents
			}
			if sum != 0 {
				o.Legs = append(slices.Clone(o.Legs), protocol.Leg{Internal: "suspense", Cents: -sum})
			}
			return right(ctx, s, o)
		}}
	}},
	"pays what is not there": {"Overdraft", "one cent too much", func(s protocol.Server) protocol.Server {
		return &mistake{Server: s, carry: func(ctx context.Context, s protocol.Server, o protocol.Order) (protocol.Receipt, error) {
			r, err := right(ctx, s, o)
			if r.Code != host.NotCovered {
				return r, err
			}
			credit := protocol.Order{Key: o.Key + "#", Organization: o.Organization, Day: o.Day, Legs: []protocol.Leg{{Internal: "credit", Cents: -1}, {Account: r.Account, Cents: 1}}}
			if _, err := right(ctx, s, credit); err != nil {
				return r, err
			}
			return as(ctx, s, o, "##")
		}}
	}},
	"tries a refused order again": {"RefusesForGood", "asked again it answers", func(s protocol.Server) protocol.Server {
		before := counted()
		return &mistake{Server: s, carry: func(ctx context.Context, s protocol.Server, o protocol.Order) (protocol.Receipt, error) {
			r, err := right(ctx, s, o)
			if n := before(o.Key); r.Code == host.NotCovered && n > 0 {
				return as(ctx, s, o, "#"+strconv.Itoa(n))
			}
			return r, err
		}}
	}},
	"loses events": {"Events", "versions [1 2 4 5 6 7 8] are told", func(s protocol.Server) protocol.Server {
		return &mistake{Server: s, events: func(all []protocol.Event) []protocol.Event {
			kept := slices.DeleteFunc(slices.Clone(all), func(e protocol.Event) bool { return e.User != nil && e.User.Version == 3 })
			return kept
		}}
	}},
	"tells an old state as the new one": {"Events", "want that the user is deleted", func(s protocol.Server) protocol.Server {
		return &mistake{Server: s, events: func(all []protocol.Event) []protocol.Event {
			for i := range all {
				if u := all[i].User; u != nil && u.Deleted {
					all[i].User = &protocol.User{Ref: u.Ref, Organization: u.Organization, Member: u.Member, Version: u.Version, Role: "user", Status: "active"}
				}
			}
			return all
		}}
	}},
	"gives marks twice": {"Marks", "twice", func(s protocol.Server) protocol.Server {
		return &mistake{Server: s, events: func(all []protocol.Event) []protocol.Event {
			for i := 1; i < len(all); i++ {
				all[i].Mark = all[0].Mark
			}
			return all
		}}
	}},
	"lies about versions": {"UpdateUser", "after version 1", func(s protocol.Server) protocol.Server {
		return &mistake{Server: s, user: func(u *protocol.User) { u.Version = 1 }, carry: func(ctx context.Context, s protocol.Server, o protocol.Order) (protocol.Receipt, error) {
			r, err := right(ctx, s, o)
			r.Version = min(r.Version, 1)
			return r, err
		}}
	}},
	"takes fields that are not named": {"UpdateUser", "role and hold: the user is", func(s protocol.Server) protocol.Server {
		return &mistake{Server: s, carry: func(ctx context.Context, s protocol.Server, o protocol.Order) (protocol.Receipt, error) {
			if o.User != nil && o.User.Step == host.UpdateUser {
				asked := *o.User
				asked.Fields = append(slices.Clone(asked.Fields), "name")
				o.User = &asked
			}
			return right(ctx, s, o)
		}}
	}},
	"brings the deleted back": {"DeleteUser", "change who was deleted", func(s protocol.Server) protocol.Server {
		return &mistake{Server: s, carry: func(ctx context.Context, s protocol.Server, o protocol.Order) (protocol.Receipt, error) {
			r, err := right(ctx, s, o)
			if r.Code == host.UnknownUser && o.User.Step == host.UpdateUser {
				again := *o.User
				again.Step, again.User.Ref, again.User.Member = host.CreateUser, "", ""
				ref := o.User.User.Ref
				o.User = &again
				r, err = as(ctx, s, o, "#")
				r.User = ref
			}
			return r, err
		}}
	}},
	"keeps the deleted": {"DeleteUser", "want one deleted", func(s protocol.Server) protocol.Server {
		return &mistake{Server: s, user: func(u *protocol.User) {
			if u.Deleted {
				*u = protocol.User{Ref: u.Ref, Organization: u.Organization, Version: u.Version, Role: "user", Status: "active"}
			}
		}}
	}},
	"shows everybody everything": {"Institutions", "elm reads", func(s protocol.Server) protocol.Server { return leaks{s} }},
}

// asked is the suite's bench before a host that is asked by the protocol, with
// one key for everybody.
func asked(s protocol.Server) verify.Bench {
	return before(protocol.Handler(s, func(_ bank.InstitutionID, k string) bool { return k == key }, silent))
}

const key = "the-key-of-the-suite"

func before(h http.Handler) verify.Bench {
	client := protocol.NewClient(protocol.Everywhere(protocol.Address{URL: "http://host.inside", Key: key}), host.Same{}, protocol.Inside(h))
	b := hosttest.Bench(client)
	b.Raw = func(ctx context.Context, r verify.Request) (int, []byte, error) {
		q := protocol.RawRequest{Institution: b.Institution, Key: key, Method: r.Method, Name: r.Name, IdempotencyKey: r.IdempotencyKey, Body: r.Body}
		if r.WrongKey {
			q.Key = "another"
		}
		return client.Raw(ctx, q)
	}
	return b
}

// A host that is wrong in one way fails the check that is about it, and for
// that reason: with the mistake taken away it passes.
func TestEveryMistakeIsFound(t *testing.T) {
	if len(mistakes) < 10 {
		t.Fatalf("there are %d mistakes", len(mistakes))
	}
	for name, m := range mistakes {
		t.Run(name, func(t *testing.T) {
			checks := verify.Checks()
			at := slices.IndexFunc(checks, func(c verify.Check) bool { return c.Name == m.check })
			s := core(t).Server()
			if r := checks[at].Run(t.Context(), asked(s)); r.Outcome != verify.Passed {
				t.Fatalf("the host without the mistake: %s %q", r.Outcome, r.Problems)
			}
			b := asked(m.of(s))
			b.Run = "again"
			r := checks[at].Run(t.Context(), b)
			if r.Outcome != verify.Failed || !strings.Contains(strings.Join(r.Problems, "\n"), m.says) {
				t.Errorf("%s %s: %q, want %q", r.Check.Name, r.Outcome, r.Problems, m.says)
			}
		})
	}
}

// So does one that takes requests which it should not.
func TestLaxHandlersAreFound(t *testing.T) {
	checks := verify.Checks()
	at := slices.IndexFunc(checks, func(c verify.Check) bool { return c.Name == "Requests" })
	for says, lax := range map[string]func(r *http.Request){
		"a wrong key":            func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+key) },
		"no idempotency key":     func(r *http.Request) { r.Header.Set("Idempotency-Key", "made/up") },
		"a member that is new":   func(r *http.Request) { without(r, `"urgent":true,`) },
		"an order about nothing": func(r *http.Request) { without(r, `{"organization":"org_northwind"}`) },
	} {
		right := protocol.Handler(core(t).Server(), func(_ bank.InstitutionID, k string) bool { return k == key }, silent)
		got := checks[at].Run(t.Context(), before(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			lax(r)
			if r.ContentLength == 0 && r.Method == http.MethodPost {
				w.WriteHeader(http.StatusOK) // nothing was asked, so all is well
				return
			}
			right.ServeHTTP(w, r)
		})))
		if got.Outcome != verify.Failed || !strings.Contains(strings.Join(got.Problems, "\n"), says+": it answers 200") {
			t.Errorf("%s: %s %q", says, got.Outcome, got.Problems)
		}
	}
}

// without takes a part out of a request's body.
func without(r *http.Request, part string) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err) // it is in memory
	}
	left := strings.Replace(string(body), part, "", 1)
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(left)), int64(len(left))
}
