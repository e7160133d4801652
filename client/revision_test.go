package client

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"
)

func token(organization string, ofInstitution, ofOrganization uint64) string {
	return revision{7, "first", organization, ofInstitution, ofOrganization}.String()
}

// What the client was told once it demands from then on, of the organization it
// is about, whichever answer came first.
func TestRevisionsAreRemembered(t *testing.T) {
	demanded, answered, answer := "", "", `{"decision":true}`
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var asked struct {
			Context struct {
				AtLeast string `json:"at_least_revision"`
			}
		}
		_ = json.Unmarshal(body, &asked)
		demanded = asked.Context.AtLeast
		w.Header().Set("Mandate-Revision", answered)
		says(answer)(w, r)
	}, RememberRevisions(), WithTries(1))
	ask := func(q Question, tells, want string) {
		t.Helper()
		answered = tells
		if d := c.Evaluate(t.Context(), q); !d.Allowed || demanded != want {
			t.Errorf("%+v: demanded %q, want %q", d, demanded, want)
		}
	}
	inAcme, other := wire, Question{Member: "cleo", Operation: "account.view", Account: "a", Organization: "birch"}
	ask(inAcme, token("acme", 3, 7), "")
	ask(inAcme, token("acme", 3, 9), token("acme", 3, 7))
	if err := c.Saw(token("acme", 5, 8)); err != nil { // what is older takes nothing away
		t.Fatal(err)
	}
	ask(inAcme, "", token("acme", 5, 9))
	ask(other, token("birch", 5, 2), token("", 5, 0))
	if err := c.Saw(token("birch", 6, 4)); err != nil {
		t.Fatal(err)
	}
	ask(other, "", token("birch", 6, 4))
	ask(inAcme, "", token("acme", 6, 9))

	// What one question demands besides, whoever it comes from, no other demands.
	for demands, want := range map[string]string{
		token("acme", 6, 20): token("acme", 6, 20), token("acme", 4, 2): token("acme", 6, 9), token("", 8, 0): token("acme", 8, 9), token("birch", 7, 8): token("birch", 7, 8),
		revision{1 << 60, "first", "acme", 1 << 60, 1 << 60}.String(): revision{1 << 60, "first", "acme", 1 << 60, 1 << 60}.String(),
	} {
		withOwn := inAcme
		withOwn.AtLeast = demands
		ask(withOwn, "", want)
		ask(inAcme, "", token("acme", 6, 9))
	}
	for demands, want := range map[string]error{revision{6, "first", "acme", 9, 9}.String(): ErrStale, revision{7, "second", "", 1, 0}.String(): ErrRevision, "x": ErrRevision} {
		withOwn := inAcme
		withOwn.AtLeast = demands
		if d := c.Evaluate(t.Context(), withOwn); d.Allowed || !errors.Is(d.Err, want) {
			t.Errorf("demands %q: %+v", demands, d)
		}
	}

	for _, answer = range []string{`{"decision":false}`, `{"decision":true}`} {
		for _, answered = range []string{token("acme", 6, 8), token("acme", 5, 9)} {
			if d := c.Evaluate(t.Context(), inAcme); d.Allowed || !errors.Is(d.Err, ErrStale) {
				t.Errorf("a copy that knows less says %s: %+v", answer, d)
			}
		}
	}
	answer = `{"decision":false}`
	answered = token("acme", 6, 21)
	if d := c.Evaluate(t.Context(), inAcme); d.Allowed || d.Err != nil {
		t.Errorf("a no that knows enough: %+v", d)
	}
	// After a restore what was remembered is void; what comes from before it is
	// no answer.
	answer, answered = `{"decision":false}`, revision{8, "first", "acme", 1, 1}.String()
	if d := c.Evaluate(t.Context(), inAcme); d.Allowed || !errors.Is(d.Err, ErrStale) {
		t.Errorf("the first answer after a restore: %+v", d)
	}
	answer = `{"decision":true}`
	ask(inAcme, answered, answered)
	answered = token("acme", 6, 21)
	if d := c.Evaluate(t.Context(), inAcme); d.Allowed || !errors.Is(d.Err, ErrStale) {
		t.Errorf("a copy from before the restore: %+v", d)
	}
	answer, answered = `{"decision":true}`, "not a revision"
	if d := c.Evaluate(t.Context(), inAcme); d.Allowed || !errors.Is(d.Err, ErrRevision) {
		t.Errorf("a revision that cannot be read: %+v", d)
	}
	if err := c.Saw(revision{7, "second", "", 1, 0}.String()); err == nil {
		t.Error("another institution's revision is taken")
	}
}
