// Package usermgmt is the room of organizations and their people: institutions,
// organizations, accounts, organization users, their permissions and account
// access. Every change here passes the guard. It does not know how people sign
// in (identity) nor what moves money (moneymovement).
package usermgmt

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
)

// ErrNoOrganization says that the institution has no such organization.
var ErrNoOrganization = fault.New(fault.NotFound, "There is no such organization here.")

// LoadPolicy reads the stored facts that bear on questions within a scope: the
// institution, the organization, its usable admins, and the members and
// accounts that the scope names. What the organization does not have is absent.
func LoadPolicy(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, scope entitlement.Scope) (*entitlement.Policy, error) {
	p := &entitlement.Policy{Accounts: map[bank.AccountID]entitlement.Account{}, Members: map[bank.UserID]*entitlement.Member{}}
	num, err := loadOrganization(tx, institution, organization, p)
	if err != nil {
		return nil, err
	}
	if p.UsableAdmins, err = usableAdmins(tx, num); err != nil {
		return nil, err
	}
	accounts, err := loadAccounts(tx, num, scope, p)
	if err != nil {
		return nil, err
	}
	return p, loadMembers(tx, num, scope, accounts, p)
}

func loadOrganization(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, p *entitlement.Policy) (num int64, err error) {
	var zone string
	var ceilings limitColumns
	err = tx.QueryRow(`
		select i.edition, i.time_zone, i.offers, o.num, o.entitlements, o.ceiling_ach_daily, o.ceiling_ach_batch,
		       o.ceiling_transfer, o.ceiling_wire, o.ceiling_wires_day, o.ceiling_wires_dual
		  from organization o join institution i on i.id = o.institution_id
		 where o.institution_id = $1 and o.id = $2`, institution, organization).
		Scan(append([]any{&p.Institution.Edition, &zone, &p.Institution.Offers, &num, &p.Organization.Entitlements}, ceilings.all()...)...)
	if errors.Is(err, db.ErrNoRows) {
		return 0, ErrNoOrganization
	}
	if err != nil {
		return 0, fmt.Errorf("read the organization: %w", err)
	}
	p.Institution.ID, p.Organization.ID = institution, organization
	p.Organization.Ceilings = ceilings.limits()
	p.Institution.Location, err = time.LoadLocation(zone)
	if err != nil {
		return 0, fmt.Errorf("time zone of %s: %w", institution, err)
	}
	return num, nil
}

func usableAdmins(tx *db.Tx, num int64) ([]bank.UserID, error) {
	// Role and status stand as numbers here, as they stand in the index for this.
	ids, err := db.All(tx, db.Value[bank.UserID], `
		select id from member where organization_num = $1 and role = 2 and status = 1 and not held and switches & $2 <> 0 order by ordinal`,
		num, uint64(catalog.SetOf(catalog.UserManagementEnabled)))
	if err != nil {
		return nil, fmt.Errorf("read the usable admins: %w", err)
	}
	return ids, nil
}

// chunk is how many ids one statement asks for; the lists below have as many
// places. Ids beyond a chunk take another statement.
const chunk = 8

// in8 fills the places of a list of eight with ids, the last one repeated.
func in8[T any](before []any, ids []T) []any {
	args := before[:len(before):len(before)]
	for i := range chunk {
		args = append(args, ids[min(i, len(ids)-1)])
	}
	return args
}

type accountRow struct {
	ordinal int64
	entitlement.Account
}

func scanAccountRow(s db.Scanner) (r accountRow, err error) {
	err = s.Scan(&r.ordinal, &r.ID, &r.Off)
	return r, err
}

// loadAccounts puts the accounts of the scope into p and returns their ids by
// ordinal.
func loadAccounts(tx *db.Tx, num int64, scope entitlement.Scope, p *entitlement.Policy) (map[int64]bank.AccountID, error) {
	byOrdinal := map[int64]bank.AccountID{}
	take := func(rows []accountRow, err error) error {
		for _, r := range rows {
			p.Accounts[r.ID] = r.Account
			byOrdinal[r.ordinal] = r.ID
		}
		return err
	}
	if scope.AllAccounts {
		return byOrdinal, take(db.All(tx, scanAccountRow, `select ordinal, id, off from account where organization_num = $1`, num))
	}
	for ids := range slices.Chunk(scope.Accounts, chunk) {
		err := take(db.All(tx, scanAccountRow, `
			select ordinal, id, off from account
			 where organization_num = $1 and id in ($2, $3, $4, $5, $6, $7, $8, $9)`, in8([]any{num}, ids)...))
		if err != nil {
			return nil, fmt.Errorf("read the accounts: %w", err)
		}
	}
	return byOrdinal, nil
}

type memberRow struct {
	ordinal int64
	*entitlement.Member
}

func scanMemberRow(s db.Scanner) (memberRow, error) {
	r := memberRow{Member: &entitlement.Member{Accounts: map[bank.AccountID]entitlement.Settings{}}}
	var limits limitColumns
	err := s.Scan(append([]any{&r.ordinal, &r.ID, &r.Role, &r.Status, &r.Held, &r.Settings.On, &r.Settings.EditLevel}, limits.all()...)...)
	r.Settings.Limits = limits.limits()
	return r, err
}

func loadMembers(tx *db.Tx, num int64, scope entitlement.Scope, accounts map[int64]bank.AccountID, p *entitlement.Policy) error {
	byOrdinal := map[int64]*entitlement.Member{}
	take := func(rows []memberRow, err error) error {
		for _, r := range rows {
			p.Members[r.ID] = r.Member
			byOrdinal[r.ordinal] = r.Member
		}
		return err
	}
	if scope.AllMembers {
		err := take(db.All(tx, scanMemberRow, `
			select ordinal, id, role, status, held, switches, edit_level, ach_daily, ach_batch, transfer, wire, wires_day, wires_dual
			  from member where organization_num = $1`, num))
		if err != nil {
			return fmt.Errorf("read the members: %w", err)
		}
	} else {
		for ids := range slices.Chunk(scope.Members, chunk) {
			err := take(db.All(tx, scanMemberRow, `
				select ordinal, id, role, status, held, switches, edit_level, ach_daily, ach_batch, transfer, wire, wires_day, wires_dual
				  from member where organization_num = $1 and id in ($2, $3, $4, $5, $6, $7, $8, $9)`, in8([]any{num}, ids)...))
			if err != nil {
				return fmt.Errorf("read the members: %w", err)
			}
		}
	}
	if len(accounts) == 0 || len(byOrdinal) == 0 {
		return nil
	}
	return loadMemberAccounts(tx, num, scope, accounts, byOrdinal)
}

type memberAccountRow struct {
	member, account int64
	entitlement.Settings
}

func scanMemberAccountRow(s db.Scanner) (r memberAccountRow, err error) {
	var limits limitColumns
	err = s.Scan(&r.member, &r.account, &r.On, &limits[catalog.LimitPerWire], &limits[catalog.LimitWiresDaily], &limits[catalog.LimitWiresDual])
	r.Limits = limits.limits()
	return r, err
}

func loadMemberAccounts(tx *db.Tx, num int64, scope entitlement.Scope, accounts map[int64]bank.AccountID, members map[int64]*entitlement.Member) error {
	take := func(rows []memberAccountRow, err error) error {
		for _, r := range rows {
			if m, id := members[r.member], accounts[r.account]; m != nil && id != "" {
				m.Accounts[id] = r.Settings
			}
		}
		return err
	}
	if scope.AllMembers && !scope.AllAccounts && len(accounts) <= chunk {
		return take(db.All(tx, scanMemberAccountRow, `
			select member_ordinal, account_ordinal, switches, wire, wires_day, wires_dual
			  from member_account
			 where organization_num = $1 and account_ordinal in ($2, $3, $4, $5, $6, $7, $8, $9)`,
			in8([]any{num}, slices.Collect(maps.Keys(accounts)))...))
	}
	ordinals := slices.Collect(maps.Keys(members))
	for some := range slices.Chunk(ordinals, chunk) {
		var err error
		switch {
		case scope.AllMembers:
			return take(db.All(tx, scanMemberAccountRow, `
				select member_ordinal, account_ordinal, switches, wire, wires_day, wires_dual
				  from member_account where organization_num = $1`, num))
		case scope.AllAccounts || len(accounts) > chunk:
			err = take(db.All(tx, scanMemberAccountRow, `
				select member_ordinal, account_ordinal, switches, wire, wires_day, wires_dual
				  from member_account
				 where organization_num = $1 and member_ordinal in ($2, $3, $4, $5, $6, $7, $8, $9)`, in8([]any{num}, some)...))
		default:
			err = take(db.All(tx, scanMemberAccountRow, `
				select member_ordinal, account_ordinal, switches, wire, wires_day, wires_dual
				  from member_account
				 where organization_num = $1 and member_ordinal in ($2, $3, $4, $5, $6, $7, $8, $9)
				   and account_ordinal in ($10, $11, $12, $13, $14, $15, $16, $17)`,
				in8(in8([]any{num}, some), slices.Collect(maps.Keys(accounts)))...))
		}
		if err != nil {
			return fmt.Errorf("read the member accounts: %w", err)
		}
	}
	return nil
}
