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
	ask(inAcme, token("acme", 5, 8), token("acme", 3, 9)) // an older answer of an organization takes nothing away
	ask(inAcme, "", token("acme", 5, 9))
	ask(other, token("birch", 5, 2), token("", 5, 0))
	if err := c.Saw(token("birch", 6, 4)); err != nil {
		t.Fatal(err)
	}
	ask(other, "", token("birch", 6, 4))
	ask(inAcme, "", token("acme", 6, 9))
	withOwn := inAcme
	withOwn.AtLeast = token("acme", 6, 20)
	ask(withOwn, "", token("acme", 6, 20))
	ask(inAcme, "", token("acme", 6, 20))

	answer, answered = `{"decision":false}`, token("acme", 6, 19)
	if d := c.Evaluate(t.Context(), inAcme); d.Allowed || !errors.Is(d.Err, ErrStale) {
		t.Errorf("a copy that knows less: %+v", d)
	}
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
