package entitlement

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
)

// Largest is exact: the amount it names passes and one cent more does not, in
// any world.
func TestLargestIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	found := 0
	for range 20_000 {
		p, req := randomPolicy(r), randomRequest(r)
		if len(req.Operation.Info().Limits) == 0 {
			continue
		}
		if e := Explain(p, req); e.Fixable && r.IntN(2) == 0 { // worlds in which little is missing
			p = With(p, "m", e.Fix)
		}
		upTo, alone := Largest(p, req)
		at := func(c bank.Cents) Decision {
			req.Amount = AmountOf(c)
			return Decide(p, req)
		}
		switch {
		case upTo == 0:
			if at(1).Allowed {
				t.Fatalf("%s: a cent is allowed and Largest says nothing is", req.Operation)
			}
			continue
		case !at(upTo).Allowed || upTo < bank.MaxAmount && at(upTo+1).Allowed:
			t.Fatalf("%s: Largest says %s", req.Operation, upTo)
		case alone > 0 && at(alone).ApprovalRequired, alone < upTo && !at(alone+1).ApprovalRequired:
			t.Fatalf("%s: alone up to %s of %s", req.Operation, alone, upTo)
		}
		found++
	}
	if found < 500 {
		t.Errorf("only %d amounts were found", found)
	}
}

// The accounts that a reach names are those from which a single cent may move,
// asked pair by pair.
func TestReachOfPairs(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	some := 0
	for range 5_000 {
		p := randomPolicy(r)
		var want []bank.AccountID
		for _, from := range p.accountIDs() {
			for _, to := range p.accountIDs() {
				req := Request{Member: "m", Operation: catalog.TransfersCreate, Account: from, ToAccount: to, Amount: AmountOf(1), Now: explainNow}
				if Decide(p, req).Allowed && !slices.Contains(want, from) {
					want = append(want, from)
				}
			}
		}
		got, _ := reachOf(p, "m", catalog.TransfersCreate, explainNow)
		if !slices.Equal(got.Accounts, want) {
			t.Fatalf("accounts %v, want %v", got.Accounts, want)
		}
		some += len(want)
	}
	if some == 0 {
		t.Error("no transfer was ever possible")
	}
}

// A reach over several accounts does not promise the most on all of them.
func TestReachSaysWhereItIsLess(t *testing.T) {
	on := catalog.SetOf(catalog.AccountAccess, catalog.WiresWork, catalog.WiresTransmit)
	wires := catalog.EntitlementSet(0).With(catalog.Wires)
	m := &Member{ID: "m", Status: bank.StatusActive, Settings: Settings{
		On:     catalog.SetOf(catalog.WiresEnabled, catalog.WiresWork, catalog.WiresTransmit, catalog.WiresDualControl),
		Limits: Limits{}.With(catalog.LimitPerWire, 500_00).With(catalog.LimitWiresDaily, 900_00).With(catalog.LimitWiresDual, 200_00),
	}, Accounts: map[bank.AccountID]Settings{
		"a": {On: on}, "b": {On: on, Limits: Limits{}.With(catalog.LimitPerWire, 300_00)}, "c": {On: on, Limits: Limits{}.With(catalog.LimitPerWire, 100_00)},
	}}
	p := &Policy{
		Institution: Institution{Location: time.UTC, Offers: wires}, Organization: Organization{Entitlements: wires},
		Accounts: map[bank.AccountID]Account{"a": {ID: "a"}, "b": {ID: "b"}, "c": {ID: "c"}}, Members: map[bank.UserID]*Member{"m": m},
	}
	var got string
	for _, reach := range ReachOf(p, "m", explainNow) {
		if reach.Operation == catalog.WiresTransmitOperation {
			got = reach.Sentence(Names{Member: "Dana"})
		}
	}
	want := "Dana may send a wire up to $500.00 from 3 accounts, less on 2 of them, alone up to $200.00."
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
