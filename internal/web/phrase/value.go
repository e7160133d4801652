package phrase

import (
	"mandate/internal/bank"
	"mandate/internal/catalog"
)

// Value is a written value as people read it.
func Value(p catalog.Permission, written string) string {
	switch {
	case p == catalog.ACHEditLevel:
		if choice, ok := catalog.ParseEditLevel(written); ok {
			return choice.Label()
		}
	case p.IsLimit():
		if written == "" {
			return "Not set"
		}
		if amount, err := bank.ParseAmount(written); err == nil {
			return amount.Dollars()
		}
	case written == "true":
		return "On"
	case written == "false":
		return "Off"
	}
	return written
}

// Permission is a permission's label where its section is not seen beside
// it: every entitlement has an "Enabled" of its own.
func Permission(p catalog.Permission) string {
	info := p.Info()
	if info.Label == "Enabled" {
		return info.Entitlement.Label() + " enabled"
	}
	return info.Label
}
