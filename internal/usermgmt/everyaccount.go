package usermgmt

import (
	"errors"
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// A PlacedAccount is an account with the organization that it belongs to, by our
// id and by the bank's.
type PlacedAccount struct {
	Organization     bank.OrganizationID
	OrganizationRef  string
	OrganizationName string
	Account
}

// FindAccount reads an account of an organization; there may be none.
func FindAccount(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, id bank.AccountID) (a Account, found bool, err error) {
	a, err = db.One(tx, scanAccount, `
		select a.ordinal, a.id, a.external_id, a.name, a.number, a.kind, a.off
		  from account a join organization o on o.num = a.organization_num
		 where o.institution_id = $1 and o.id = $2 and a.id = $3`, institution, organization, id)
	if errors.Is(err, db.ErrNoRows) {
		return Account{}, false, nil
	}
	if err != nil {
		return Account{}, false, fmt.Errorf("read the account %s: %w", id, err)
	}
	return a, true, nil
}

// EveryAccount lists all accounts of an institution by organization and number:
// for the host, which keeps a page for each.
func EveryAccount(tx *db.Tx, institution bank.InstitutionID) ([]PlacedAccount, error) {
	all, err := db.All(tx, func(s db.Scanner) (a PlacedAccount, err error) {
		err = s.Scan(&a.Organization, &a.OrganizationRef, &a.OrganizationName, &a.Ordinal, &a.ID, &a.ExternalID, &a.Name, &a.Number, &a.Kind, &a.Off)
		return a, err
	}, `
		select o.id, o.external_id, o.name, a.ordinal, a.id, a.external_id, a.name, a.number, a.kind, a.off
		  from account a join organization o on o.num = a.organization_num
		 where o.institution_id = $1 order by o.id, a.ordinal`, institution)
	if err != nil {
		return nil, fmt.Errorf("list the accounts of %s: %w", institution, err)
	}
	return all, nil
}
