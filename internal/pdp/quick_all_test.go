package pdp_test

import (
	"context"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/pdp"
	"mandate/internal/pdp/pdptest"
	"mandate/internal/usermgmt"
)

// QuickAll answers as DecideAll does, allocates nothing, and answers nothing at
// all where one of the questions needs more than memory.
func TestQuickAll(t *testing.T) {
	d := dbtest.SQLite(t)
	w := pdptest.New(t, d)
	s := pdp.New(pdptest.Memory(d), usermgmt.DecisionSources(), nil)
	ask := func(member bank.UserID, account bank.AccountID, cents bank.Cents) pdp.Question {
		return pdp.Question{Member: member, Operation: "wires.transmit", Account: account, Amount: entitlement.AmountOf(cents)}
	}
	acme := []pdp.Question{ask("dana", "operating", 10_000_00), ask("dana", "operating", 10_000_01), ask("dana", "payroll", 1), ask("ana", "operating", 1)}
	mixed := append(acme[:4:4], ask("bea", "savings", 5_00), ask("dana", "operating", 1))
	check := func(questions []pdp.Question) {
		t.Helper()
		answers, err := s.DecideAll(context.Background(), "first", questions)
		if err != nil {
			t.Fatal(err)
		}
		allowed := make([]bool, len(questions))
		known, ok := s.QuickAll(context.Background(), "first", questions, allowed)
		if !ok || known != pdp.Common(answers) {
			t.Fatalf("QuickAll = %v, %t; want %v", known, ok, pdp.Common(answers))
		}
		for i, a := range answers {
			if allowed[i] != (a.Outcome() == pdp.Allowed) {
				t.Errorf("question %d: %t, and %s", i, allowed[i], a.Outcome())
			}
		}
	}
	check(acme)
	check(mixed)
	nobody := ask("nobody", "operating", 1)
	check([]pdp.Question{nobody})
	check([]pdp.Question{nobody, ask("d\x00", "operating", 1)})
	check([]pdp.Question{{Operation: "fly"}})
	check(append(mixed[:3:3], nobody, ask("dana", "operating", 1))) // one stranger sends nobody else the long way
	w.SetStanding("first", "acme", "dana", bank.StatusActive, true) // the next question knows it
	check(mixed)
	allowed := make([]bool, len(mixed))
	if n := testing.AllocsPerRun(50, func() { s.QuickAll(context.Background(), "first", mixed, allowed) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	for name, q := range map[string]pdp.Question{
		"nobody, later": {Member: "nobody", Operation: "wires.view", Account: "savings", AtLeast: []pdp.Revision{{Institution: "first", OfInstitution: 1 << 40}}}, "words": {Member: "bea", Operation: "wires.view", Account: "savings", InWords: true},
		"a later revision": {Member: "bea", Operation: "wires.view", Account: "savings", AtLeast: []pdp.Revision{{Institution: "first", Organization: "birch", OfOrganization: 1 << 40}}},
		"elsewhere":        {Member: "bea", Operation: "wires.view", Account: "savings", Organization: "acme"},
	} {
		allowed := make([]bool, 2)
		if _, ok := s.QuickAll(context.Background(), "first", []pdp.Question{ask("bea", "savings", 5_00), q}, allowed); ok || allowed[0] {
			t.Errorf("%s: it is answered", name)
		}
	}
}
