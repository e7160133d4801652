package usermgmt

import (
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// A PlacedAccount is an account with the organization that it belongs to.
type PlacedAccount struct {
	Organization bank.OrganizationID
	Account
}

// EveryAccount lists all accounts of an institution by organization and number:
// for the host, which keeps a page for each.
func EveryAccount(tx *db.Tx, institution bank.InstitutionID) ([]PlacedAccount, error) {
	all, err := db.All(tx, func(s db.Scanner) (a PlacedAccount, err error) {
		err = s.Scan(&a.Organization, &a.Ordinal, &a.ID, &a.ExternalID, &a.Name, &a.Number, &a.Kind, &a.Off)
		return a, err
	}, `
		select o.id, a.ordinal, a.id, a.external_id, a.name, a.number, a.kind, a.off
		  from account a join organization o on o.num = a.organization_num
		 where o.institution_id = $1 order by o.id, a.ordinal`, institution)
	if err != nil {
		return nil, fmt.Errorf("list the accounts of %s: %w", institution, err)
	}
	return all, nil
}
