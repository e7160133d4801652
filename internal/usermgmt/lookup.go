package usermgmt

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
)

// OrganizationsOf finds the organization of each member by the member's id
// alone. A member that the institution does not have is absent.
func OrganizationsOf(tx *db.Tx, institution bank.InstitutionID, members []bank.UserID) (map[bank.UserID]bank.OrganizationID, error) {
	found := make(map[bank.UserID]bank.OrganizationID, len(members))
	for ids := range slices.Chunk(members, chunk) {
		rows, err := db.All(tx, scanPlace, `
			select m.id, o.id from member m join organization o on o.num = m.organization_num
			 where m.institution_id = $1 and m.id in ($2, $3, $4, $5, $6, $7, $8, $9)`, in8([]any{institution}, ids)...)
		if err != nil {
			return nil, fmt.Errorf("find the members' organizations: %w", err)
		}
		for _, row := range rows {
			found[row.member] = row.organization
		}
	}
	return found, nil
}

type place struct {
	member       bank.UserID
	organization bank.OrganizationID
}

func scanPlace(s db.Scanner) (p place, err error) {
	err = s.Scan(&p.member, &p.organization)
	return p, err
}

// NamesOf reads what people call the parties of questions about an
// organization, as far as a scope names them.
func NamesOf(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, scope entitlement.Scope) (func(bank.UserID) entitlement.Names, error) {
	var num int64
	var common entitlement.Names
	err := tx.QueryRow(`
		select i.name, o.name, o.num from organization o join institution i on i.id = o.institution_id
		 where o.institution_id = $1 and o.id = $2`, institution, organization).
		Scan(&common.Institution, &common.Organization, &num)
	if errors.Is(err, db.ErrNoRows) {
		return nil, ErrNoOrganization
	}
	if err != nil {
		return nil, fmt.Errorf("read the organization's name: %w", err)
	}
	accounts, err := namesIn(tx, num, scope.Accounts, `
		select id, name, '' from account where organization_num = $1 and id in ($2, $3, $4, $5, $6, $7, $8, $9)`)
	if err != nil {
		return nil, fmt.Errorf("read the accounts' names: %w", err)
	}
	members, err := namesIn(tx, num, scope.Members, `
		select id, first_name, last_name from member where organization_num = $1 and id in ($2, $3, $4, $5, $6, $7, $8, $9)`)
	if err != nil {
		return nil, fmt.Errorf("read the members' names: %w", err)
	}
	common.Account = func(id bank.AccountID) string { return accounts[id] }
	return func(id bank.UserID) entitlement.Names {
		names := common
		names.Member = members[id]
		return names
	}, nil
}

// namesIn reads ids with their names, which stand in one column or two.
func namesIn[ID ~string](tx *db.Tx, num int64, ids []ID, query string) (map[ID]string, error) {
	names := make(map[ID]string, len(ids))
	for some := range slices.Chunk(ids, chunk) {
		_, err := db.All(tx, func(s db.Scanner) (ID, error) {
			var id ID
			var first, last string
			err := s.Scan(&id, &first, &last)
			names[id] = strings.TrimSpace(first + " " + last)
			return id, err
		}, query, in8([]any{num}, some)...)
		if err != nil {
			return nil, err
		}
	}
	return names, nil
}

// Keys are the ids of an organization's parts by the bank's own numbers.
type Keys struct {
	Organization bank.OrganizationID
	Accounts     map[string]bank.AccountID
	Members      map[string]bank.UserID
}

// KeysOf reads the ids of an organization that the bank knows by a number.
func KeysOf(tx *db.Tx, institution bank.InstitutionID, externalID string) (Keys, error) {
	keys := Keys{Accounts: map[string]bank.AccountID{}, Members: map[string]bank.UserID{}}
	var num int64
	err := tx.QueryRow(`select id, num from organization where institution_id = $1 and external_id = $2`, institution, externalID).
		Scan(&keys.Organization, &num)
	if errors.Is(err, db.ErrNoRows) {
		return Keys{}, ErrNoOrganization
	}
	if err != nil {
		return Keys{}, fmt.Errorf("find the organization %s: %w", externalID, err)
	}
	pairs, err := db.All(tx, func(s db.Scanner) (p [3]string, err error) {
		err = s.Scan(&p[0], &p[1], &p[2])
		return p, err
	}, `select 'account', external_id, id from account where organization_num = $1
		union all select 'member', external_id, id from member where organization_num = $1`, num)
	if err != nil {
		return Keys{}, fmt.Errorf("read the keys of %s: %w", externalID, err)
	}
	for _, p := range pairs {
		if p[0] == "account" {
			keys.Accounts[p[1]] = bank.AccountID(p[2])
		} else {
			keys.Members[p[1]] = bank.UserID(p[2])
		}
	}
	return keys, nil
}

// AnyAdmin finds a usable admin of an institution: the first by id. Benchmarks
// sign them in.
func AnyAdmin(tx *db.Tx, institution bank.InstitutionID) (bank.UserID, error) {
	id, err := db.One(tx, db.Value[bank.UserID], `
		select id from member where institution_id = $1 and role = $2 and status = $3 and not held and switches & $4 <> 0
		 order by id limit 1`,
		institution, bank.RoleAdmin, bank.StatusActive, uint64(catalog.SetOf(catalog.UserManagementEnabled)))
	if err != nil {
		return "", fmt.Errorf("find an admin of %s: %w", institution, err)
	}
	return id, nil
}
