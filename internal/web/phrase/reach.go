// Package phrase says rights, values and accounts in words: what somebody may do,
// what a change means, and what a value is. Every app says it the same way. It
// decides nothing.
package phrase

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

// A ReachGroup is what somebody may do within one entitlement, in sentences
// that go on from "Dana may ...".
type ReachGroup struct {
	Title string
	Lines []string
}

// Reach says what a member may do with money and accounts, by entitlement
// in screen order; what they may not do at all is left out.
func Reach(p *entitlement.Policy, member bank.UserID, now time.Time, names entitlement.Names) []ReachGroup {
	var groups []ReachGroup
	lines := map[catalog.Entitlement][]string{}
	for _, one := range entitlement.ReachOf(p, member, now) {
		e := one.Operation.Info().Entitlement
		lines[e] = append(lines[e], Predicate(one.Sentence(names), names))
	}
	add := func(e catalog.Entitlement, title string) {
		if len(lines[e]) > 0 {
			groups = append(groups, ReachGroup{title, lines[e]})
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

// Predicate is a sentence without its "Dana Diaz may".
func Predicate(sentence string, n entitlement.Names) string {
	subject := n.Member
	if subject == "" {
		subject = "You"
	}
	return Capital(strings.TrimPrefix(sentence, subject+" may "))
}

// Capital writes a sentence's first letter large.
func Capital(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[size:]
}

// OnceActive is the policy as it would be if nothing but the member's status
// and hold were different.
func OnceActive(p *entitlement.Policy, member bank.UserID) *entitlement.Policy {
	return entitlement.With(p, member, []entitlement.Step{{Kind: entitlement.Unlock}, {Kind: entitlement.RemoveHold}})
}
