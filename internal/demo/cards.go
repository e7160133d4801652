package demo

import (
	"fmt"
	"hash/fnv"

	"mandate/internal/bank"
	"mandate/internal/host"
	"mandate/internal/usermgmt"
)

// holders are made-up people whose names stand on cards.
var holders = []string{"Ana Ruiz", "Ben Okafor", "Dana Reyes", "Lee Tran", "Front desk", "Field crew 2", "Noor Siddiqui", "Joel Brandt"}

// issued are cards of checking accounts, one or two of each: the same for the
// same account whenever the demo is made. Most of them work;
// of an organization's first five one is locked and one on its way, and so on.
func issued(institution bank.InstitutionID, accounts []usermgmt.PlacedAccount) (cards []host.Card) {
	counts := map[bank.OrganizationID]int{}
	for _, a := range accounts {
		if a.Kind != "checking" {
			continue
		}
		sum := fnv.New32a()
		sum.Write([]byte(string(institution) + a.ExternalID + a.Name)) // a hash takes whatever is written
		seed := sum.Sum32()
		for n := range seed%2 + 1 {
			spread := seed/7 + 31*n
			c := host.Card{
				ID: host.CardID(fmt.Sprintf("crd_%s_%d", a.ExternalID, n)), Organization: bank.OrganizationID(a.OrganizationRef), Account: bank.AccountID(a.ExternalID), Holder: holders[int(spread)%len(holders)], Kind: "debit",
				LastFour: fmt.Sprintf("%04d", (seed/11+4_821*n)%10_000), Expires: fmt.Sprintf("%d-%02d", 2029+spread%3, spread%12+1), State: host.CardActive,
			}
			switch counts[a.Organization] % 10 {
			case 2:
				c.State = host.CardLocked
			case 4:
				c.State = host.CardOrdered
			}
			counts[a.Organization]++
			cards = append(cards, c)
		}
	}
	return cards
}
