package online

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

// A reachGroup is what somebody may do within one entitlement, in sentences
// that go on from "Dana may ...".
type reachGroup struct {
	Title string
	Lines []string
}

// moneyReach says what a member may do with money and accounts, by entitlement
// in screen order; what they may not do at all is left out.
func moneyReach(p *entitlement.Policy, member bank.UserID, now time.Time, names entitlement.Names) []reachGroup {
	var groups []reachGroup
	lines := map[catalog.Entitlement][]string{}
	for _, reach := range entitlement.ReachOf(p, member, now) {
		e := reach.Operation.Info().Entitlement
		lines[e] = append(lines[e], predicate(reach.Sentence(names), names))
	}
	add := func(e catalog.Entitlement, title string) {
		if len(lines[e]) > 0 {
			groups = append(groups, reachGroup{title, lines[e]})
		}
	}
	add(catalog.NoEntitlement, "Accounts")
	for _, e := range catalog.Entitlements() {
		if e != catalog.UserManagement {
			add(e, e.Label())
		}
	}
	return groups
}

// predicate is a sentence without its "Dana Diaz may".
func predicate(sentence string, n entitlement.Names) string {
	subject := n.Member
	if subject == "" {
		subject = "You"
	}
	return capital(strings.TrimPrefix(sentence, subject+" may "))
}

func capital(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[size:]
}

// onceActive is the policy as it would be if nothing but the member's status
// and hold were different.
func onceActive(p *entitlement.Policy, member bank.UserID) *entitlement.Policy {
	return entitlement.With(p, member, []entitlement.Step{{Kind: entitlement.Unlock}, {Kind: entitlement.RemoveHold}})
}
