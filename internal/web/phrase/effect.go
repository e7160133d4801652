package phrase

import (
	"slices"

	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

// An Effect is something that a member may do afterwards and could not before,
// or the other way round.
type Effect struct {
	Sentence string
	Before   string // what they may do now; empty: not at all
	Risk     string // in what way it is more; empty where it is less
}

// Effects compares what a member may do before and after; what lets more happen
// stands first.
func Effects(before, after []entitlement.Reach, names entitlement.Names) []Effect {
	var all []Effect
	was, is := byOperation(before), byOperation(after)
	for _, op := range catalog.Operations() {
		old, had := was[op]
		now, has := is[op]
		switch {
		case had && has && old.Sentence(names) != now.Sentence(names):
			c := Effect{Sentence: now.Sentence(names), Before: Predicate(old.Sentence(names), names)}
			if now.UpTo > old.UpTo || now.Alone > old.Alone || len(now.Accounts) > len(old.Accounts) {
				c.Risk = "More than before."
			}
			all = append(all, c)
		case !had && has:
			all = append(all, Effect{Sentence: now.Sentence(names), Risk: "New."})
		case had && !has:
			all = append(all, Effect{Sentence: names.Member + " may no longer " + op.Info().Label + ".", Before: Predicate(old.Sentence(names), names)})
		}
	}
	slices.SortStableFunc(all, func(a, b Effect) int { return RiskFirst(a.Risk, b.Risk) })
	return all
}

func byOperation(all []entitlement.Reach) map[catalog.Operation]entitlement.Reach {
	m := make(map[catalog.Operation]entitlement.Reach, len(all))
	for _, r := range all {
		m[r.Operation] = r
	}
	return m
}

// RiskFirst puts what asks for a second look on top.
func RiskFirst(a, b string) int {
	switch {
	case a != "" && b == "":
		return -1
	case a == "" && b != "":
		return 1
	}
	return 0
}
