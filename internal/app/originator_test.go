package app

import (
	"testing"

	"mandate/internal/moneymovement/wire/message"
)

func TestPartyOf(t *testing.T) {
	for address, want := range map[string]message.Party{
		"18 Harbor Street, Portland, ME 04101":       {Street: "18 Harbor Street", Town: "Portland", State: "ME", PostCode: "04101"},
		"Suite 4, 18 Harbor St, São Paulo, TX 75001": {Street: "Suite 4, 18 Harbor St", Town: "Sao Paulo", State: "TX", PostCode: "75001"},
		"Somewhere": {Street: "Somewhere"},
		"":          {},
		"1 Road, Town, Germany, 12345 Berlin Mitte 7": {Street: "1 Road, Town, Germany, 12345 Berlin"},
	} {
		want.Name = "Sorensen Inc."
		if got := partyOf("Sørensen Inc.", address); got != want {
			t.Errorf("partyOf(%q) = %+v, want %+v", address, got, want)
		}
	}
}
