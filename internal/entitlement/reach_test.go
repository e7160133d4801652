package entitlement

import (
	"math/rand/v2"
	"slices"
	"testing"

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
