package usermgmt

import (
	"slices"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

// PackedSettings is the field of a change that holds many permissions at once:
// those that differ, each as its id, with "=value" where it is not a switch. An
// import that makes a member would else repeat the list of accounts for every
// permission. Unpack tells the same one permission at a time.
const PackedSettings = "settings"

// A settingsPacker writes what differs between settings, and remembers: many
// accounts have the same ones.
type settingsPacker map[settingsPair][2]string

func (k settingsPacker) pack(before, after entitlement.Settings) (old, now string) {
	pair := settingsPair{before, after}
	packed, known := k[pair]
	if !known {
		packed = packDifference(before, after)
		k[pair] = packed
	}
	return packed[0], packed[1]
}

func packDifference(before, after entitlement.Settings) [2]string {
	var old, now []string
	for perm := range catalog.PermissionCount {
		was, is := settingText(before, perm), settingText(after, perm)
		if was == is {
			continue
		}
		if was != "" {
			old = append(old, was)
		}
		if is != "" {
			now = append(now, is)
		}
	}
	return [2]string{strings.Join(old, " "), strings.Join(now, " ")}
}

// settingText is one permission as a packed change holds it; empty: off, none
// or not set.
func settingText(s entitlement.Settings, p catalog.Permission) string {
	switch value := WriteValue(p, s); value {
	case unpackedZero(p):
		return ""
	case "true":
		return p.ID()
	default:
		return p.ID() + "=" + value
	}
}

// unpackedZero is the value of a permission that a packed change leaves out.
func unpackedZero(p catalog.Permission) string { return WriteValue(p, entitlement.Settings{}) }

func limitText(l entitlement.Limits, limit catalog.Limit) string {
	if amount, set := l.Get(limit); set {
		return amount.String()
	}
	return ""
}

// Unpack replaces packed changes by one change for each permission, in
// catalogue order, with values as WriteValue writes them; others stay as they
// are.
func Unpack(changes []activity.Change) []activity.Change {
	if !slices.ContainsFunc(changes, func(c activity.Change) bool { return c.Field == PackedSettings }) {
		return changes
	}
	var out []activity.Change
	for _, c := range changes {
		if c.Field != PackedSettings {
			out = append(out, c)
			continue
		}
		old, now := unpackSettings(c.Old), unpackSettings(c.New)
		for p := range catalog.PermissionCount {
			was, before := old[p.ID()]
			is, after := now[p.ID()]
			if !before {
				was = unpackedZero(p)
			}
			if !after {
				is = unpackedZero(p)
			}
			if before || after {
				out = append(out, activity.Change{Field: p.ID(), Accounts: c.Accounts, Old: was, New: is})
			}
		}
	}
	return out
}

func unpackSettings(packed string) map[string]string {
	values := map[string]string{}
	for _, one := range strings.Fields(packed) {
		id, value, given := strings.Cut(one, "=")
		if !given {
			value = "true"
		}
		values[id] = value
	}
	return values
}
