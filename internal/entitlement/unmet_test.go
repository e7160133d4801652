package entitlement

import (
	"slices"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
)

func TestUnmetNamesWhatStandsOnWithoutItsNeeds(t *testing.T) {
	own := Settings{Limits: Limits{}.With(catalog.LimitPerWire, 100_00)}
	transmit := Settings{On: catalog.SetOf(catalog.WiresWork, catalog.WiresTransmit)}
	for _, c := range []struct {
		name    string
		edition bank.Edition
		level   catalog.Levels
		own, s  Settings
		want    []UnmetNeed
	}{
		{"nothing on", bank.EditionBank, catalog.AtUser, own, Settings{}, nil},
		{"a user's switch without its parent and limits", bank.EditionBank, catalog.AtUser, Settings{}, transmit, []UnmetNeed{
			{catalog.WiresWork, catalog.WiresEnabled},
			{catalog.WiresTransmit, catalog.WiresPerWireLimit},
			{catalog.WiresTransmit, catalog.WiresDailyLimit},
		}},
		{"an account takes the member's limits where it has none", bank.EditionBank, catalog.AtAccount, own, transmit, []UnmetNeed{
			{catalog.WiresTransmit, catalog.WiresDailyLimit},
		}},
		{"an account's zero is not the member's", bank.EditionBank, catalog.AtAccount, own,
			Settings{On: transmit.On, Limits: Limits{}.With(catalog.LimitPerWire, 0).With(catalog.LimitWiresDaily, 1)}, []UnmetNeed{
				{catalog.WiresTransmit, catalog.WiresPerWireLimit},
			}},
		{"a choice without its parent", bank.EditionBank, catalog.AtUser, own, Settings{EditLevel: catalog.EditFull}, []UnmetNeed{
			{catalog.ACHEditLevel, catalog.ACHView},
		}},
		{"what the edition lacks does not exist", bank.EditionCreditUnion, catalog.AtUser, own,
			Settings{On: catalog.SetOf(catalog.ARPUpload)}, nil},
	} {
		if got := Unmet(c.edition, c.level, c.own, c.s); !slices.Equal(got, c.want) {
			t.Errorf("%s: Unmet = %v, want %v", c.name, got, c.want)
		}
	}
}
