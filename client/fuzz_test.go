package client

import (
	"encoding/json"
	"testing"
)

// FuzzAnswers holds that no bytes panic, that a batch has as many decisions as
// questions or is no answer, and that a yes is in the bytes as a yes: the
// standard library's reading, exact or not, finds it there too.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`{"decision":true}`, `{"decision":false,"context":{"reasons":[{"code":"X"}]}}`, `{"Decision":true}`, `{"decision":true,"decision":false}`,
		`{"evaluations":[{"decision":true},{"decision":false}]}`, `{"decision":true,"context":{"obligations":[{"id":"1","type":"x"}]}}`,
		`{"decision":true,"context":{"error":{"status":1e9}}}`, `[]`, `{"decision":tru`, "{\"decision\":true}\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		ones, err := parseDecisions(body, 1, false)
		if err == nil && ones[0].Allowed {
			var plain struct{ Decision bool }
			if ones[0].Err != nil || json.Unmarshal(body, &plain) != nil || !plain.Decision {
				t.Errorf("%q is a yes", body)
			}
		}
		if two, err := parseDecisions(body, 2, true); err == nil && len(two) != 2 {
			t.Errorf("%q: %d decisions", body, len(two))
		}
		if a, err := parseAuthorization(body); err != nil && a.Allowed {
			t.Errorf("%q is allowed with %v", body, err)
		}
		if task, err := parseTask(body); err != nil && task.Approved() {
			t.Errorf("%q is approved with %v", body, err)
		}
		_, _ = parseExplanation(body)
		if o, err := readObject(body); err == nil {
			_, _, _ = parsePage(o, "subject")
		}
		_, _ = ReadEvent(body)
	})
}

func FuzzRevision(f *testing.F) {
	f.Add(revision{institution: "first", organization: "acme", ofInstitution: 3, ofOrganization: 700}.String())
	f.Fuzz(func(t *testing.T, token string) {
		if r, err := parseRevision(token); err == nil && r.String() != token {
			t.Errorf("%q is read as %q", token, r)
		}
	})
}
