package authorization_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/authorization"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/usermgmt"
)

var ctx = context.Background() // of a process that ends by being killed

func TestMain(m *testing.M) {
	dbtest.ToBeKilled(payForEver)
	os.Exit(m.Run())
}

// payForEver lets several payment systems authorize, approve, confirm and void,
// each step under a key, and says every step that was acknowledged.
func payForEver(url string, say func(string)) error {
	d, err := db.Open(ctx, db.Config{URL: url, Clock: bank.SystemClock{}})
	if err != nil {
		return err
	}
	s := authorization.New(d, guard.New(d, usermgmt.LoadPolicy, nil, nil), 0)
	failed := make(chan error)
	for system := range 3 {
		go func() {
			for n := 0; ; n++ {
				ref := bank.NewID("ref", time.Now())
				for _, verb := range []string{"authorize", "approve", []string{"confirm", "void"}[(n+system)%2]} {
					answer, err := once(s, verb, ref)
					if err != nil || !answer.Allowed {
						failed <- fmt.Errorf("%s: %v, %w", verb, answer.Reasons, err)
						return
					}
					say(verb + " " + ref)
				}
			}
		}()
	}
	return <-failed
}

// once asks for one step of a payment that needs a second person.
func once(s *authorization.Service, verb, ref string) (authorization.Answer, error) {
	s, err := s.Once(verb + ref)
	if err != nil {
		return authorization.Answer{}, err
	}
	switch verb {
	case "authorize":
		return s.Authorize(ctx, client, acme, ref, wire("dana", "0.02"))
	case "approve":
		return s.Approve(ctx, client, ref, "lee")
	case "confirm":
		return s.Confirm(ctx, client, ref)
	}
	return s.Void(ctx, client, ref)
}

// Killed between any two steps, nothing that was acknowledged is lost, nothing
// is counted twice or released without approval, and asking again under the
// same key is told the same.
func TestKilledPaymentsAreWhole(t *testing.T) {
	for name, makeURL := range map[string]func() string{
		"SQLite":     func() string { return dbtest.SQLiteURL(t, nil) },
		"PostgreSQL": func() string { return dbtest.PostgreSQLURL(t, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			url := makeURL()
			w := openWorld(t, url)
			w.must(w.db.Write(t.Context(), seed))
			w.change("dana", func(m *entitlement.Member) {
				dual(m)
				m.Settings.Limits = m.Settings.Limits.With(catalog.LimitWiresDual, 1)
			})
			w.must(w.db.Close())
			rounds := dbtest.Rounds(5, 500)
			for round := range rounds {
				said := dbtest.RunAndKill(t, url, 60*time.Millisecond)
				w := openWorld(t, url)
				w.kept(said)
				if round%50 == 49 || round == rounds-1 {
					w.addsUp()
					w.verifies()
				}
				w.must(w.db.Close())
			}
		})
	}
}

func openWorld(t *testing.T, url string) *world {
	d, err := db.Open(t.Context(), db.Config{URL: url, Clock: bank.SystemClock{}})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, db: d, door: guard.New(d, usermgmt.LoadPolicy, nil, nil)}
	w.service = authorization.New(d, w.door, 0)
	return w
}

// kept checks every payment of a process that was killed, of which it said how
// far it had come.
func (w *world) kept(said []string) {
	w.t.Helper()
	steps := map[string][]string{}
	for _, line := range said {
		verb, ref, _ := strings.Cut(line, " ")
		steps[ref] = append(steps[ref], verb)
	}
	var all sync.WaitGroup
	for ref, done := range steps {
		all.Go(func() {
			a := w.find(ref)
			far := len(done)
			ok := a.State == authorization.Pending && far < 3 || a.ApprovedBy == "lee" && a.State != authorization.Refused
			if far >= 2 {
				ok = ok && a.ApprovedBy == "lee"
			}
			if far == 3 {
				ok = ok && a.State == map[string]authorization.State{"confirm": authorization.Confirmed, "void": authorization.Voided}[done[2]]
			}
			if !ok {
				w.t.Errorf("acknowledged were %v, and it stands at %d, approved by %q", done, a.State, a.ApprovedBy)
			}
			last := done[far-1]
			if again, err := once(w.service, last, ref); err != nil || !again.Allowed || !again.Repeated {
				w.t.Errorf("%s again: %+v, %v", last, again, err)
			}
		})
	}
	all.Wait()
}

func (w *world) find(ref string) (a authorization.Authorization) {
	err := w.db.Read(w.t.Context(), func(tx *db.Tx) (err error) {
		a, _, err = authorization.Find(tx, first, authorization.Ref{Client: bank.ClientID(client.ID), Name: ref})
		return err
	})
	if err != nil {
		w.t.Error(err)
	}
	return a
}

// verifies proves the chains of the history, and that nothing went out that
// nobody had approved.
func (w *world) verifies() {
	w.t.Helper()
	w.must(w.db.Read(w.t.Context(), func(tx *db.Tx) error {
		result, err := activity.Verify(tx, "", nil)
		if err != nil {
			return err
		}
		if len(result.Broken) > 0 {
			w.t.Errorf("the history is broken: %+v", result.Broken)
		}
		var alone, all int
		err = tx.QueryRow(`
			select count(*), coalesce(sum(case when state = 2 and approved_by = '' then 1 else 0 end), 0)
			  from payment_authorization`).Scan(&all, &alone)
		if alone != 0 || all == 0 {
			w.t.Errorf("%d of %d payments went out without approval", alone, all)
		}
		return err
	}))
}
