package usermgmt

import (
	"mandate/internal/pdp"
	"mandate/internal/pdp/memory"
	"mandate/internal/usage"
)

// DecisionSources are where what the decision service tells besides its answers
// comes from.
func DecisionSources() pdp.Sources {
	return pdp.Sources{
		Policy:          LoadPolicy,
		OrganizationsOf: OrganizationsOf,
		OrganizationsAt: OrganizationsAt,
		Names:           NamesOf,
		Used:            usage.For,
		At:              PastSources,
	}
}

// MemorySources are where its memory finds the facts.
func MemorySources() memory.Sources {
	return memory.Sources{
		Institutions:    InstitutionIDs,
		Terms:           StandingTerms,
		Policy:          LoadPolicy,
		OrganizationsOf: OrganizationsOf,
		Numbers:         OrganizationNumbers,
		FactsBetween:    FactsBetween,
		FactsOf:         FactsOf,
	}
}
