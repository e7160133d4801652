package online

import (
	"maps"
	"slices"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
)

// values are permissions with their values as files and APIs write them:
// "true", "full", "25000.00", empty where a limit is not set.
type values map[catalog.Permission]string

func valuesOf(s entitlement.Settings, permissions []catalog.Permission) values {
	v := make(values, len(permissions))
	for _, p := range permissions {
		v[p] = usermgmt.WriteValue(p, s)
	}
	return v
}

// String packs the values for a hidden field.
func (v values) String() string {
	var parts []string
	for _, p := range slices.Sorted(maps.Keys(v)) {
		parts = append(parts, p.ID()+"="+v[p])
	}
	return strings.Join(parts, ";")
}

// parseValues reads what String wrote; whatever it cannot read is left out.
func parseValues(s string) values {
	v := values{}
	for part := range strings.SplitSeq(s, ";") {
		id, value, _ := strings.Cut(part, "=")
		if p, ok := catalog.ParsePermission(id); ok {
			v[p] = value
		}
	}
	return v
}

// readValue makes of a written value what the rules judge. What cannot be read
// is refused by them, with all other problems.
func readValue(p catalog.Permission, level bank.AccountID, written string) entitlement.Value {
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

// writeValue is the reverse of readValue.
func writeValue(v entitlement.Value) string {
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

// typedValue is a form field's text as a written value. Text that is no amount
// stays as it is and is refused by the rules.
func typedValue(p catalog.Permission, text string) string {
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

// off is the value of a switch or choice that allows nothing.
func off(p catalog.Permission) string {
	if p == catalog.ACHEditLevel {
		return catalog.EditNone.String()
	}
	return "false"
}

// same reports whether two written values of a permission mean the same. At
// user level a limit that is not set is zero.
func same(p catalog.Permission, level bank.AccountID, a, b string) bool {
	return a == b || readValue(p, level, a) == readValue(p, level, b) && readValue(p, level, a).Kind != entitlement.Unreadable
}
