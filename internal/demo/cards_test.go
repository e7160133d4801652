package demo

import (
	"testing"

	"mandate/internal/bank"
	"mandate/internal/usermgmt"
)

// Ids are made anew with each demo; the cards of an account are the same.
func TestEachDemoHasTheSameCards(t *testing.T) {
	of := func(organization bank.OrganizationID, account bank.AccountID) usermgmt.PlacedAccount {
		return usermgmt.PlacedAccount{Organization: organization, Account: usermgmt.Account{ID: account, ExternalID: "4711", Name: "Operating", Kind: "checking"}}
	}
	first := issued("cedar", []usermgmt.PlacedAccount{of("org_one", "acc_one")})
	second := issued("cedar", []usermgmt.PlacedAccount{of("org_two", "acc_two")})
	if len(first) == 0 || len(first) != len(second) {
		t.Fatalf("one demo has %d cards, the next %d", len(first), len(second))
	}
	for i, a := range first {
		if b := second[i]; a.Holder != b.Holder || a.LastFour != b.LastFour || a.Expires != b.Expires || a.State != b.State {
			t.Errorf("card %d is %+v once and %+v then", i, a, b)
		}
	}
}
