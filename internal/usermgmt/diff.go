package usermgmt

import (
	"fmt"
	"slices"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
)

// diff lists what differs between two settings of one level, as history keeps
// it: a permission's id with its old and new value.
func diff(account bank.AccountID, before, after entitlement.Settings) []activity.Change {
	var changes []activity.Change
	for p := range catalog.PermissionCount {
		was, is := WriteValue(p, before), WriteValue(p, after)
		if was == is {
			continue
		}
		change := activity.Change{Field: p.ID(), Old: was, New: is}
		if account != "" {
			change.Accounts = []string{string(account)}
		}
		changes = append(changes, change)
	}
	return changes
}

// WriteValue writes one value of settings as files and APIs carry it: "true",
// "full", "25000.00"; empty where a limit is not set.
func WriteValue(p catalog.Permission, s entitlement.Settings) string {
	switch {
	case p == catalog.ACHEditLevel:
		return s.EditLevel.String()
	case p.IsLimit():
		amount, set := s.Limits.Get(p.Limit())
		if !set {
			return ""
		}
		return amount.String()
	case s.On.Has(p):
		return "true"
	}
	return "false"
}

// describe names what a change was made to, for people.
func describe(c activity.Change) string {
	label := c.Field
	if p, ok := catalog.ParsePermission(c.Field); ok {
		label = p.Info().Label
		if p.At(catalog.AtOrganization) {
			label = p.Info().Entitlement.Label()
		}
	}
	if len(c.Accounts) > 0 {
		label += " on " + strings.Join(c.Accounts, ", ")
	}
	return label
}

// since reads what was changed on the member after the version that an editor
// saw.
func since(tx *db.Tx, institution bank.InstitutionID, e Edit) ([]activity.Event, error) {
	events, err := feed(tx, activity.Filter{
		Institution: institution, Organization: e.Person.Organization, Target: string(e.Person.User), AfterRevision: e.Version,
	})
	if err != nil {
		return nil, fmt.Errorf("read what changed meanwhile: %w", err)
	}
	return events, nil
}

var errNoAccount = fault.New(fault.NotFound, "The organization has no such account.")

// accountOrdinals finds the numbers of accounts within their organization. One
// that the organization does not have is absent.
func accountOrdinals(tx *db.Tx, num int64, accounts []bank.AccountID) (map[bank.AccountID]int64, error) {
	ordinals := make(map[bank.AccountID]int64, len(accounts))
	for ids := range slices.Chunk(accounts, chunk) {
		_, err := db.All(tx, func(s db.Scanner) (struct{}, error) {
			var id bank.AccountID
			var ordinal int64
			err := s.Scan(&id, &ordinal)
			ordinals[id] = ordinal
			return struct{}{}, err
		}, `select id, ordinal from account where organization_num = $1 and id in ($2, $3, $4, $5, $6, $7, $8, $9)`, in8([]any{num}, ids)...)
		if err != nil {
			return nil, fmt.Errorf("find the accounts: %w", err)
		}
	}
	return ordinals, nil
}
