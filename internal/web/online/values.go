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
	return a == b || usermgmt.ReadValue(p, level, a) == usermgmt.ReadValue(p, level, b) && usermgmt.ReadValue(p, level, a).Kind != entitlement.Unreadable
}
