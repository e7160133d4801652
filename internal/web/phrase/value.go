package phrase

import (
	"strings"

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

// Typed is a form field's text as a written value. Text that is no amount
// stays as it is and is refused by the rules.
func Typed(p catalog.Permission, text string) string {
	switch {
	case p == catalog.ACHEditLevel:
		return text
	case p.IsLimit():
		text = strings.TrimSpace(text)
		if amount, err := bank.ParseMoney(text); err == nil {
			return amount.String()
		}
		return text
	case text == "on":
		return "true"
	}
	return "false"
}
