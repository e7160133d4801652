package entitlement_test

import (
	"testing"

	"mandate/internal/entitlement/decisions"
	"mandate/internal/entitlement/reference"
)

// TestDecisions asks the engine what the text files say, and the second reading
// of the specification too, so that a wrong line is noticed by both.
func TestDecisions(t *testing.T) {
	cases, err := decisions.ReadAll("testdata/decisions")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		w := newWorld(t, c.World)
		for _, before := range c.Before {
			if d := w.authorize(before.Request); !d.Allowed {
				t.Errorf("%s: %+v was refused: %v", c.Name, before, d.Reasons)
			}
		}
		d, _ := w.ask(c.Ask)
		if got := written(d); !c.Want.Met(got) {
			t.Errorf("%s: %+v\n got %v\nwant %v", c.Name, c.Ask, got, c.Want)
		}
		if got, err := askReference(c); err != nil || !c.Want.Met(got) {
			t.Errorf("%s: the reference: %+v\n got %v, %v\nwant %v", c.Name, c.Ask, got, err, c.Want)
		}
	}
	t.Logf("%d decisions", len(cases))
}

func askReference(c decisions.Case) (reference.Answer, error) {
	r, err := reference.NewRunner(c.World)
	if err != nil {
		return reference.Answer{}, err
	}
	for i := range c.Before {
		if _, err := r.Do(reference.Step{Authorize: &c.Before[i]}); err != nil {
			return reference.Answer{}, err
		}
	}
	return r.Do(reference.Step{Decide: &c.Ask})
}
