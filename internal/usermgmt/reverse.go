package usermgmt

import (
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// MembersAt finds everybody of the organizations of an institution that have an
// account, by id.
func MembersAt(tx *db.Tx, institution bank.InstitutionID, account bank.AccountID) ([]bank.UserID, error) {
	ids, err := db.All(tx, db.Value[bank.UserID], `
		select m.id from member m
		 where m.institution_id = $1 and m.organization_num in (select a.organization_num from account a where a.id = $2)
		 order by m.id`, institution, account)
	if err != nil {
		return nil, fmt.Errorf("find the members at the account: %w", err)
	}
	return ids, nil
}

// MembersOf finds everybody of an organization, by id; nobody where there is no
// such organization.
func MembersOf(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID) ([]bank.UserID, error) {
	ids, err := db.All(tx, db.Value[bank.UserID], `
		select m.id from member m join organization o on o.num = m.organization_num
		 where o.institution_id = $1 and o.id = $2 order by m.id`, institution, organization)
	if err != nil {
		return nil, fmt.Errorf("find the members of the organization: %w", err)
	}
	return ids, nil
}

// AccountsOf finds every account of a member's organization, by id, whether or
// not the member sees it.
func AccountsOf(tx *db.Tx, institution bank.InstitutionID, member bank.UserID) ([]bank.AccountID, error) {
	ids, err := db.All(tx, db.Value[bank.AccountID], `
		select a.id from account a join member m on m.organization_num = a.organization_num
		 where m.institution_id = $1 and m.id = $2 order by a.id`, institution, member)
	if err != nil {
		return nil, fmt.Errorf("find the accounts of the member's organization: %w", err)
	}
	return ids, nil
}
