package entitlement

import (
	"mandate/internal/bank"
	"mandate/internal/catalog"
)

// An UnmetNeed is a setting that stands on and lacks one of its prerequisites
// at its own level.
type UnmetNeed struct{ Permission, Needs catalog.Permission }

// Unmet lists what stands on in s at a level without what it needs there. own
// are the member's settings at user level, whose limits count where an account
// has none. Imported and host data may be like that: it is stored as it comes
// and reported, and deciding refuses what lacks its needs (spec, section 4,
// rule 7).
func Unmet(edition bank.Edition, level catalog.Levels, own, s Settings) []UnmetNeed {
	e := editing{
		policy: &Policy{Institution: Institution{Edition: edition}},
		member: &Member{Settings: own},
		level:  level,
	}
	var unmet []UnmetNeed
	for p := range catalog.PermissionCount {
		if p.IsLimit() || !e.exists(p) || !isOn(s, p) {
			continue
		}
		for _, need := range e.missing(s, p) {
			unmet = append(unmet, UnmetNeed{p, need})
		}
	}
	return unmet
}
