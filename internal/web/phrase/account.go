package phrase

import (
	"fmt"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
)

// An AccountGroup is one or more accounts on which a member may do the same.
type AccountGroup struct {
	Title    string
	Preview  string // of several: the first names
	Accounts []AccountLink
	Access   bool
	Summary  []string
}

// An AccountLink is an account's name, and where its page is; empty where there is
// none.
type AccountLink struct{ Name, Href string }

// GroupAccounts collapses accounts with equal settings into one row each, those
// with access first, in the order in which the first of each comes.
func GroupAccounts(accounts []usermgmt.MemberAccount, edition bank.Edition, collapse bool, href func(bank.AccountID) string) []AccountGroup {
	type bunch struct {
		settings entitlement.Settings
		accounts []usermgmt.MemberAccount
	}
	var bunches []*bunch
	bySettings := map[entitlement.Settings]*bunch{}
	for _, account := range accounts {
		b := bySettings[account.Settings]
		if b == nil || !collapse {
			b = &bunch{settings: account.Settings}
			bySettings[account.Settings] = b
			bunches = append(bunches, b)
		}
		b.accounts = append(b.accounts, account)
	}
	var with, without []AccountGroup
	for _, b := range bunches {
		g := AccountGroup{Title: GroupTitle(b.accounts), Preview: GroupPreview(b.accounts), Access: b.accounts[0].Access(), Summary: Summary(b.settings, edition)}
		for _, account := range b.accounts {
			g.Accounts = append(g.Accounts, AccountLink{account.Target().Name, href(account.ID)})
		}
		if g.Access {
			with = append(with, g)
		} else {
			without = append(without, g)
		}
	}
	return append(with, without...)
}

// GroupTitle names accounts together: by the kind where all are of one.
func GroupTitle(accounts []usermgmt.MemberAccount) string {
	if len(accounts) == 1 {
		return accounts[0].Target().Name
	}
	kind := accounts[0].Kind
	for _, account := range accounts {
		if account.Kind != kind {
			return fmt.Sprintf("%d accounts", len(accounts))
		}
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s accounts", len(accounts), kind))
}

// GroupPreview names the first of several accounts.
func GroupPreview(accounts []usermgmt.MemberAccount) string {
	if len(accounts) == 1 {
		return ""
	}
	var names []string
	for _, account := range accounts[:min(2, len(accounts))] {
		names = append(names, account.Target().Name)
	}
	if more := len(accounts) - len(names); more > 0 {
		return strings.Join(names, ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(names, " and ")
}

// Summary says in few words what is on for an account, by entitlement.
func Summary(s entitlement.Settings, edition bank.Edition) []string {
	var all []string
	for _, e := range catalog.Entitlements() {
		if words := summaryOf(s, e, edition); words != "" {
			all = append(all, e.Label()+": "+words)
		}
	}
	return all
}

func summaryOf(s entitlement.Settings, e catalog.Entitlement, edition bank.Edition) string {
	var on, limits []string
	switches := 0
	for _, p := range catalog.Of(e, edition, catalog.AtAccount) {
		if p.IsLimit() {
			if amount, set := s.Limits.Get(p.Limit()); set {
				limits = append(limits, p.Info().Label+" "+amount.Dollars())
			}
			continue
		}
		switches++
		if s.On.Has(p) {
			on = append(on, p.Info().Label)
		}
	}
	words := strings.Join(on, ", ")
	switch {
	case len(on) > 0 && len(on) == switches:
		words = "all"
	case len(on) > 3:
		words = fmt.Sprintf("%d of %d", len(on), switches)
	}
	return strings.Join(append(nonEmpty(words), limits...), ", ")
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}
