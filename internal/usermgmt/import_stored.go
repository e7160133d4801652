package usermgmt

import (
	"errors"
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/entitlement"
)

// storedOrganization is all that is stored of one organization.
type storedOrganization struct {
	Organization
	accounts map[string]Account // by external id
	members  map[string]Member  // by external id
	access   map[accessKey]entitlement.Settings
}

type accessKey struct{ member, account int64 } // ordinals

// readStored reads an organization by its external id; nil means that there is
// none.
func readStored(tx *db.Tx, institution bank.InstitutionID, externalID string) (*storedOrganization, error) {
	o, err := db.One(tx, scanOrganization, selectOrganization+` where institution_id = $1 and external_id = $2`, institution, externalID)
	if errors.Is(err, db.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the organization %s: %w", externalID, err)
	}
	s := &storedOrganization{Organization: o, accounts: map[string]Account{}, members: map[string]Member{}, access: map[accessKey]entitlement.Settings{}}
	accounts, err := db.All(tx, scanAccount, selectAccount+` where organization_num = $1`, o.Num)
	if err != nil {
		return nil, fmt.Errorf("read the accounts of %s: %w", externalID, err)
	}
	for _, a := range accounts {
		s.accounts[a.ExternalID] = a
	}
	members, err := db.All(tx, scanMember, selectMember+` where m.organization_num = $1`, o.Num)
	if err != nil {
		return nil, fmt.Errorf("read the members of %s: %w", externalID, err)
	}
	for _, m := range members {
		s.members[m.ExternalID] = m
	}
	access, err := db.All(tx, scanMemberAccountRow, `
		select member_ordinal, account_ordinal, switches, wire, wires_day, wires_dual
		  from member_account where organization_num = $1`, o.Num)
	if err != nil {
		return nil, fmt.Errorf("read the member accounts of %s: %w", externalID, err)
	}
	for _, a := range access {
		s.access[accessKey{a.member, a.account}] = a.Settings
	}
	return s, nil
}

func scanAccount(s db.Scanner) (a Account, err error) {
	err = s.Scan(&a.Ordinal, &a.ID, &a.ExternalID, &a.Name, &a.Number, &a.Kind, &a.Off)
	return a, err
}

// NotMentioned counts the organizations of an institution that an import does
// not mention.
func NotMentioned(tx *db.Tx, institution bank.InstitutionID, mentions func(externalID string) bool) (n int64, err error) {
	ids, err := db.All(tx, db.Value[string], `select external_id from organization where institution_id = $1`, institution)
	if err != nil {
		return 0, fmt.Errorf("read the organizations: %w", err)
	}
	for _, id := range ids {
		if !mentions(id) {
			n++
		}
	}
	return n, nil
}
