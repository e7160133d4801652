// Package hosttest is the suite that every host passes, the one inside the
// program and any other. It is for tests only.
package hosttest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/host"
)

// Where the suite's accounts are.
const (
	Institution  = bank.InstitutionID("cedar")
	Organization = bank.OrganizationID("org_northwind")
	Operating    = bank.AccountID("acc_operating") // opens with 1,000.00, and has the number OperatingNumber
	Payroll      = bank.AccountID("acc_payroll")   // opens with 0.00
	Foreign      = bank.AccountID("acc_foreign")   // of another organization, with 1,000.00

	OperatingNumber = "5500000137"
)

// Run asks a host everything that a room relies on. Each test gets a fresh one
// with the suite's accounts.
func Run(t *testing.T, fresh func(t *testing.T) host.Connector) {
	for name, test := range map[string]func(*testing.T, host.Connector){
		"Numbers":        numbers,
		"Moves":          moves,
		"RefusesForGood": refusesForGood,
		"Refuses":        refuses,
		"Holds":          holds,
		"Stops":          stops,
		"Cards":          cards,
		"PositivePay":    positivePay,
		"RaceRulings":    raceRulings,
		"RaceSameKey":    raceSameKey,
		"RaceLastCent":   raceLastCent,
	} {
		t.Run(name, func(t *testing.T) { test(t, fresh(t)) })
	}
}

func order(ref string, legs ...host.Leg) host.Order {
	return host.Order{Institution: Institution, Organization: Organization, Room: "test", Ref: ref, Day: "2026-03-02", Memo: "Test", Legs: legs}
}

func carry(t *testing.T, h host.Connector, o host.Order) host.Receipt {
	t.Helper()
	r, err := h.Carry(t.Context(), o)
	if err != nil {
		t.Fatalf("Carry(%s): %v", o.Key(), err)
	}
	return r
}

// Want compares an account's balances.
func Want(t *testing.T, h host.Connector, account bank.AccountID, ledger, available bank.Cents) {
	t.Helper()
	got, err := h.Balances(t.Context(), Institution, []bank.AccountID{account})
	if err != nil {
		t.Fatal(err)
	}
	if want := (host.Balance{Ledger: ledger, Available: available}); got[account] != want {
		t.Errorf("%s has %+v, want %+v", account, got[account], want)
	}
}

func numbers(t *testing.T, h host.Connector) {
	got, err := h.Numbers(t.Context(), Institution, []bank.AccountID{Operating, Payroll, "acc_none"})
	if err != nil || len(got) != 1 || got[Operating] != OperatingNumber {
		t.Errorf("Numbers: %v, %v, want %s alone", got, err, OperatingNumber)
	}
}

func moves(t *testing.T, h host.Connector) {
	o := order("1", host.Move(Operating, Payroll, 250_00)...)
	first := carry(t, h, o)
	if !first.Done() || first.Reference == "" {
		t.Fatalf("receipt %+v", first)
	}
	if again := carry(t, h, o); again != first {
		t.Errorf("asked again it answers %+v, want %+v", again, first)
	}
	Want(t, h, Operating, 750_00, 750_00)
	Want(t, h, Payroll, 250_00, 250_00)
	o.Legs = host.Move(Operating, Payroll, 250_01)
	if _, err := h.Carry(t.Context(), o); !errors.Is(err, host.ErrReused) {
		t.Errorf("another order under the same key: %v, want ErrReused", err)
	}
	lines, err := h.Statement(t.Context(), Institution, Operating, 10)
	if err != nil || len(lines) != 2 || lines[0].Cents != -250_00 || lines[0].After != 750_00 || lines[0].Reference != first.Reference {
		t.Errorf("the statement is %+v, %v", lines, err)
	}
}

// What was refused stays refused under its key, whatever came in since.
func refusesForGood(t *testing.T, h host.Connector) {
	o := order("1", host.Move(Payroll, Operating, 1)...)
	refused := carry(t, h, o)
	if refused.Refused != host.NotCovered || refused.Account != Payroll {
		t.Fatalf("an empty account pays: %+v", refused)
	}
	carry(t, h, order("2", host.Move(Operating, Payroll, 100_00)...))
	if again := carry(t, h, o); again != refused {
		t.Errorf("asked again it answers %+v, want %+v", again, refused)
	}
	Want(t, h, Payroll, 100_00, 100_00)
}

func refuses(t *testing.T, h host.Connector) {
	for name, test := range map[string]struct {
		order host.Order
		code  host.Code
	}{
		"one cent too much":       {order("1", host.Move(Operating, Payroll, 1_000_01)...), host.NotCovered},
		"in two legs":             {order("2", host.Leg{Account: Operating, Cents: -600_00}, host.Leg{Account: Operating, Cents: -400_01}, host.Leg{Account: Payroll, Cents: 1_000_01}), host.NotCovered},
		"not balanced":            {order("3", host.Leg{Account: Operating, Cents: -2}, host.Leg{Account: Payroll, Cents: 1}), host.NotBalanced},
		"nothing":                 {order("4", host.Move(Operating, Payroll, 0)...), host.NotBalanced},
		"unknown":                 {order("5", host.Move(Operating, "acc_none", 1)...), host.UnknownAccount},
		"another organization's":  {order("6", host.Move(Foreign, Operating, 1)...), host.UnknownAccount},
		"to another organization": {order("7", host.Move(Operating, Foreign, 1)...), host.UnknownAccount},
		"a stop there":            {host.Order{Institution: Institution, Organization: Organization, Room: "test", Ref: "8", Stop: &host.Stop{Account: Foreign, First: 1, Last: 1}}, host.UnknownAccount},
		"a hold that is none":     {host.Order{Institution: Institution, Organization: Organization, Room: "test", Ref: "9", Free: "test/none"}, host.UnknownHold},
		"a hold of nothing":       {host.Order{Institution: Institution, Organization: Organization, Room: "test", Ref: "10", Hold: &host.Hold{Account: Operating}}, host.NotBalanced},
	} {
		if r := carry(t, h, test.order); r.Refused != test.code {
			t.Errorf("%s: %+v, want %s", name, r, test.code)
		}
	}
	Want(t, h, Operating, 1_000_00, 1_000_00)
	Want(t, h, Payroll, 0, 0)
}

func holds(t *testing.T, h host.Connector) {
	set := order("hold")
	set.Hold = &host.Hold{Account: Operating, Cents: 900_00}
	carry(t, h, set)
	carry(t, h, set)
	Want(t, h, Operating, 1_000_00, 100_00)
	if r := carry(t, h, order("1", host.Move(Operating, Payroll, 100_01)...)); r.Refused != host.NotCovered {
		t.Errorf("what is set aside was moved: %+v", r)
	}
	theirs := host.Order{Institution: Institution, Organization: "org_other", Room: "test", Ref: "theirs", Free: set.Key()}
	if r := carry(t, h, theirs); r.Refused != host.UnknownHold {
		t.Errorf("another organization freed it: %+v", r)
	}
	use := order("2", host.Move(Operating, Payroll, 950_00)...)
	use.Free = set.Key()
	if r := carry(t, h, use); !r.Done() {
		t.Errorf("what was set aside for it cannot be used: %+v", r)
	}
	Want(t, h, Operating, 50_00, 50_00)
	again := order("3", host.Move(Operating, Payroll, 1)...)
	again.Free = set.Key()
	if r := carry(t, h, again); r.Refused != host.UnknownHold {
		t.Errorf("a hold was freed twice: %+v", r)
	}
}

// A stop and what is charged for it happen together or not at all.
func stops(t *testing.T, h host.Connector) {
	place := func(ref string, fee bank.Cents) host.Order {
		o := order(ref, host.Move(Operating, host.Internal("fees"), fee)...)
		o.Stop = &host.Stop{Account: Operating, First: 1001, Last: 1005, Until: "2026-09-02"}
		return o
	}
	if r := carry(t, h, place("dear", 1_000_01)); r.Refused != host.NotCovered {
		t.Errorf("a fee that is not covered: %+v", r)
	}
	lift := order("lift")
	lift.Lift = "test/dear"
	if r := carry(t, h, lift); r.Refused != host.UnknownStop {
		t.Errorf("a stop that was refused was lifted: %+v", r)
	}
	set := place("cheap", 30_00)
	carry(t, h, set)
	Want(t, h, Operating, 970_00, 970_00)
	for _, want := range []host.Code{"", host.UnknownStop} {
		lift := order("lift " + string(want))
		lift.Lift = set.Key()
		if r := carry(t, h, lift); r.Refused != want {
			t.Errorf("lift it: %+v, want %q", r, want)
		}
	}
}

// Card is the suite's card: active, on Operating.
var Card = host.Card{
	ID: "crd_operating", Organization: Organization, Account: Operating, Holder: "Dana Diaz", Kind: "debit", LastFour: "4821", Expires: "2029-04", State: host.CardActive,
}

// cards lists a card, changes it once for each key, and replaces it.
func cards(t *testing.T, h host.Connector) {
	about := func(ref string, id host.CardID, step host.CardStep) host.Order {
		o := order(ref)
		o.Card = &host.CardOrder{Card: id, Step: step, Replace: step == host.LoseCard}
		return o
	}
	one := func(id host.CardID) host.Card {
		all, err := h.Cards(t.Context(), Institution, Organization)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			if c.ID == id {
				return c
			}
		}
		t.Fatalf("the host has no card %s: %+v", id, all)
		return host.Card{}
	}
	if c := one(Card.ID); c.LastFour != Card.LastFour || c.State != host.CardActive || c.Account != Operating {
		t.Errorf("the card is %+v", c)
	}
	first := carry(t, h, about("1", Card.ID, host.LockCard))
	if again := carry(t, h, about("1", Card.ID, host.LockCard)); !first.Done() || again != first || one(Card.ID).State != host.CardLocked {
		t.Errorf("locked: %+v, then %+v, and it is %s", first, again, one(Card.ID).State)
	}
	for name, refused := range map[string]struct {
		order host.Order
		code  host.Code
	}{
		"twice":         {about("2", Card.ID, host.LockCard), host.CardStanding},
		"unknown":       {about("3", "crd_none", host.LockCard), host.UnknownCard},
		"not one's own": {host.Order{Institution: Institution, Organization: "org_other", Room: "test", Ref: "4", Card: &host.CardOrder{Card: Card.ID, Step: host.UnlockCard}}, host.UnknownCard},
	} {
		if r := carry(t, h, refused.order); r.Refused != refused.code {
			t.Errorf("%s: %+v, want %s", name, r, refused.code)
		}
	}
	carry(t, h, about("5", Card.ID, host.LoseCard))
	lost := one(Card.ID)
	if lost.State != host.CardLost || lost.Replacement == "" {
		t.Fatalf("lost: %+v", lost)
	}
	fresh := one(lost.Replacement)
	if fresh.State != host.CardOrdered || fresh.Replaces != Card.ID || fresh.Account != Operating || len(fresh.LastFour) != 4 {
		t.Errorf("sent instead: %+v", fresh)
	}
	if r := carry(t, h, about("6", fresh.ID, host.ActivateCard)); !r.Done() || one(fresh.ID).State != host.CardActive {
		t.Errorf("activated: %+v, and it is %s", r, one(fresh.ID).State)
	}
}

// together runs n orders at once and counts what was done.
func together(t *testing.T, h host.Connector, n int, ask func(i int) host.Order) (done int) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			r, err := h.Carry(t.Context(), ask(i))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("order %d: %v", i, err)
			} else if r.Done() {
				done++
			}
		})
	}
	wg.Wait()
	return done
}

func raceSameKey(t *testing.T, h host.Connector) {
	if done := together(t, h, 8, func(int) host.Order { return order("1", host.Move(Operating, Payroll, 300_00)...) }); done != 8 {
		t.Errorf("%d of 8 heard that it was done", done)
	}
	Want(t, h, Operating, 700_00, 700_00)
}

func raceLastCent(t *testing.T, h host.Connector) {
	done := together(t, h, 12, func(i int) host.Order { return order(fmt.Sprint(i), host.Move(Operating, Payroll, 333_33)...) })
	if done != 3 {
		t.Errorf("%d of 12 were done, want 3", done)
	}
	Want(t, h, Operating, 1, 1)
	Want(t, h, Payroll, 999_99, 999_99)
}
