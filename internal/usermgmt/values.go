package usermgmt

import (
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

// ReadValue makes of a written value what the rules judge. What cannot be read
// is refused by them, with all other problems.
func ReadValue(p catalog.Permission, level bank.AccountID, written string) entitlement.Value {
	switch {
	case p == catalog.ACHEditLevel:
		if choice, ok := catalog.ParseEditLevel(written); ok {
			return entitlement.ChooseLevel(choice)
		}
	case p.IsLimit():
		if written == "" && level != "" {
			return entitlement.Value{Kind: entitlement.Unset}
		}
		if written == "" {
			return entitlement.LimitTo(0)
		}
		if amount, err := bank.ParseAmount(written); err == nil {
			return entitlement.LimitTo(amount)
		}
	case written == "true" || written == "false":
		return entitlement.SwitchTo(written == "true")
	}
	return entitlement.Value{}
}

// ValueText is the reverse of ReadValue.
func ValueText(v entitlement.Value) string {
	switch v.Kind {
	case entitlement.SwitchValue:
		if v.On {
			return "true"
		}
		return "false"
	case entitlement.ChoiceValue:
		return v.Level.String()
	case entitlement.LimitValue:
		return v.Cents.String()
	}
	return ""
}
