package online

import (
	"fmt"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
)

// An accountGroup is one or more accounts on which a member may do the same.
type accountGroup struct {
	Title    string
	Preview  string // of several: the first names
	Accounts []accountLink
	Access   bool
	Summary  []string
}

type accountLink struct{ Name, Href string }

// groupAccounts collapses accounts with equal settings into one row each, those
// with access first, in the order in which the first of each comes.
func groupAccounts(accounts []usermgmt.MemberAccount, edition bank.Edition, collapse bool, href func(bank.AccountID) string) []accountGroup {
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
	var with, without []accountGroup
	for _, b := range bunches {
		g := accountGroup{Title: groupTitle(b.accounts), Preview: groupPreview(b.accounts), Access: b.accounts[0].Access(), Summary: summarize(b.settings, edition)}
		for _, account := range b.accounts {
			g.Accounts = append(g.Accounts, accountLink{accountName(account.Account), href(account.ID)})
		}
		if g.Access {
			with = append(with, g)
		} else {
			without = append(without, g)
		}
	}
	return append(with, without...)
}

// groupTitle names accounts together: by the kind where all are of one.
func groupTitle(accounts []usermgmt.MemberAccount) string {
	if len(accounts) == 1 {
		return accountName(accounts[0].Account)
	}
	kind := accounts[0].Kind
	for _, account := range accounts {
		if account.Kind != kind {
			return fmt.Sprintf("%d accounts", len(accounts))
		}
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s accounts", len(accounts), kind))
}

func groupPreview(accounts []usermgmt.MemberAccount) string {
	if len(accounts) == 1 {
		return ""
	}
	var names []string
	for _, account := range accounts[:min(2, len(accounts))] {
		names = append(names, accountName(account.Account))
	}
	if more := len(accounts) - len(names); more > 0 {
		return strings.Join(names, ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(names, " and ")
}

// summarize says in few words what is on for an account, by entitlement.
func summarize(s entitlement.Settings, edition bank.Edition) []string {
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
