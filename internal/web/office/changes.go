package office

import (
	"maps"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/host"
)

// changes are what, before and after of two states of a user.
func changes(before, after *host.User) (all [][3]string) {
	add := func(what, was, is string) {
		if was != is {
			all = append(all, [3]string{what, was, is})
		}
	}
	add("Name", nameOf(before), nameOf(after))
	add("Email", before.Email, after.Email)
	add("Username", before.Username, after.Username)
	add("Role", before.Role.Label(), after.Role.Label())
	add("Status", before.Status.Label(), after.Status.Label())
	add("Hold", onOff(before.Held), onOff(after.Held))
	for _, id := range allOf(before.Permissions, after.Permissions) {
		add(labelOf(id), valueText(id, before.Permissions[id]), valueText(id, after.Permissions[id]))
	}
	for _, account := range allOf(before.Accounts, after.Accounts) {
		was, had := before.Accounts[account]
		is, has := after.Accounts[account]
		add("Access to "+string(account), onOff(had), onOff(has))
		for _, id := range allOf(was, is) {
			if had && has {
				add(labelOf(id)+" on "+string(account), valueText(id, was[id]), valueText(id, is[id]))
			}
		}
	}
	return all
}

func allOf[K ~string, V any](a, b map[K]V) []K {
	both := slices.Collect(maps.Keys(a))
	for k := range b {
		if _, there := a[k]; !there {
			both = append(both, k)
		}
	}
	slices.Sort(both)
	return both
}

func onOff(on bool) string {
	if on {
		return "On"
	}
	return "Off"
}

// labelOf is what a permission is called: the entitlement and the permission.
func labelOf(id string) string {
	p, known := catalog.ParsePermission(id)
	if !known {
		return id
	}
	info := p.Info()
	if info.Entitlement == catalog.NoEntitlement {
		return info.Label
	}
	return info.Entitlement.Label() + ": " + info.Label
}

// valueText is a value of a permission in words.
func valueText(id, value string) string {
	p, known := catalog.ParsePermission(id)
	switch {
	case !known:
		return value
	case p.IsLimit():
		amount, err := bank.ParseAmount(value)
		if err != nil {
			return "None"
		}
		return amount.Dollars()
	case p.Info().Type == catalog.Choice:
		level, _ := catalog.ParseEditLevel(value)
		return level.Label()
	}
	return onOff(value == "true")
}
