package conformance

import (
	"bytes"
	"encoding/json"
	"testing"

	"mandate/internal/db"
	"mandate/internal/entitlement/decisions"
	"mandate/internal/entitlement/reference"
	"mandate/internal/pdp/memory"
	"mandate/internal/usermgmt"
)

// TestDecisions asks both databases what the engine's text files say.
func TestDecisions(t *testing.T) {
	cases, err := decisions.ReadAll("../entitlement/testdata/decisions")
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, d *db.DB, c *Clock) {
		known := memory.New(d, usermgmt.MemorySources(), memory.Options{})
		for _, one := range cases {
			if got := answerTo(t, newRun(t.Context(), d, c, known), one); !one.Want.Met(got) {
				t.Errorf("%s: %+v\n got %v\nwant %v", one.Name, one.Ask, got, one.Want)
			}
		}
	})
}

// answerTo makes the case's world and asks.
func answerTo(t *testing.T, r *run, c decisions.Case) (got reference.Answer) {
	t.Helper()
	v := vectorOf(t, c)
	if err := r.begin(&v.World); err != nil {
		t.Fatalf("%s: %v", c.Name, err)
	}
	for i := range v.Steps {
		answer, err := r.step(&v.Steps[i])
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		if v.Steps[i].Verb == "authorize" && !*answer.Decision {
			t.Errorf("%s: what was to be sent before was refused: %v", c.Name, answer)
		}
		got = written(answer)
	}
	return got
}

// vectorOf writes a case in the vector format and reads it back.
func vectorOf(t *testing.T, c decisions.Case) Vector {
	t.Helper()
	no, nothing := false, []reference.Reason{}
	unknown := &reference.Answer{Decision: &no, ApprovalRequired: &no, Reasons: nothing} // asked here, and compared by the caller
	v := reference.Vector{Name: c.Name, World: c.World}
	for i := range c.Before {
		v.Steps = append(v.Steps, reference.Step{Authorize: &c.Before[i], Expect: unknown})
	}
	v.Steps = append(v.Steps, reference.Step{Decide: &c.Ask, Expect: unknown})
	data, err := json.Marshal(reference.File{Format: reference.Format, Vectors: []reference.Vector{v}})
	if err != nil {
		t.Fatal(err)
	}
	vectors, err := Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s: %v", c.Name, err)
	}
	return vectors[0]
}

func written(a *answer) reference.Answer {
	out := reference.Answer{Decision: a.Decision, ApprovalRequired: a.ApprovalRequired}
	for _, r := range *a.Reasons {
		out.Reasons = append(out.Reasons, reference.Reason(r))
	}
	return out
}
