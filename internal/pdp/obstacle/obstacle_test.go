package obstacle

import (
	"slices"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

// Of a wire every kind of reason comes up that can come from a setting, and the
// open world allows everything.
func TestObstaclesOfEveryOperation(t *testing.T) {
	accounts := []bank.AccountID{"operating", "payroll"}
	institution := entitlement.Institution{ID: "first", Location: time.UTC, Edition: bank.EditionBank}
	codes := map[catalog.Operation][]entitlement.Code{}
	for _, op := range catalog.Operations() {
		if op.Info().Power != "" {
			continue // what roles decide is walked in the room of users
		}
		ask := Ask{Operation: op, Member: "dana", Cents: 500_00, Context: map[string]any{"last_editor": false}}
		switch op.Info().Accounts {
		case catalog.AccountPair:
			ask.Account, ask.ToAccount = "operating", "payroll"
		case catalog.AccountRequired, catalog.AccountOptional:
			ask.Account = "operating"
		}
		if d := Open(ask, institution.Edition).decide(ask, institution, accounts); !d.Allowed {
			if op.Info().Needs[0].In(institution.Edition) {
				t.Errorf("%s is refused in the open world: %+v", op, d.Reasons)
			}
			continue
		}
		for _, o := range Of(ask, institution, accounts) {
			for _, r := range o.Reasons {
				if !slices.Contains(codes[op], r.Code) {
					codes[op] = append(codes[op], r.Code)
				}
			}
		}
		if len(codes[op]) < 3 {
			t.Errorf("%s is blocked by %v only", op, codes[op])
		}
	}
	want := []entitlement.Code{
		entitlement.MemberStatus, entitlement.MemberHeld, entitlement.InstitutionOff, entitlement.OrganizationOff, entitlement.UserOff,
		entitlement.AccountAccessOff, entitlement.AccountOff, entitlement.LimitPerTransaction, entitlement.LimitDaily,
	}
	for _, code := range want {
		if !slices.Contains(codes[catalog.WiresTransmitOperation], code) {
			t.Errorf("nothing makes a wire fail by %s", code)
		}
	}
}
