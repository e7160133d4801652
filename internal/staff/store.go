package staff

import (
	"errors"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
)

const selectGroup = `
	select g.id, g.name, g.description, g.permissions, g.second_factor_from, g.reports_to, g.approval_from, g.product, g.product_rights, g.version,
	       (select count(*) from staff_membership m where m.institution_id = g.institution_id and m.group_id = g.id)
	  from staff_group g`

func scanGroup(row db.Scanner) (g Group, err error) {
	var names string
	err = row.Scan(&g.ID, &g.Name, &g.Description, &names, &g.SecondFactorFrom, &g.ReportsTo, &g.ApprovalFrom, &g.Product, &g.Held, &g.Version, &g.Members)
	g.Permissions = parseSet(names)
	return g, err
}

func findGroup(tx *db.Tx, institution bank.InstitutionID, id bank.GroupID) (Group, error) {
	g, err := db.One(tx, scanGroup, selectGroup+` where g.institution_id = $1 and g.id = $2`, institution, id)
	if errors.Is(err, db.ErrNoRows) {
		return g, ErrNoGroup
	}
	if err != nil {
		return g, fmt.Errorf("read the group: %w", err)
	}
	return g, nil
}

func insertGroup(tx *db.Tx, institution bank.InstitutionID, id bank.GroupID, d Draft) error {
	_, err := tx.Exec(`
		insert into staff_group (institution_id, id, name, name_key, description, permissions, second_factor_from, reports_to, approval_from, product, product_rights, version, created_micros)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12)`,
		institution, id, d.Name, db.Fold(d.Name), d.Description, d.Permissions.String(), d.SecondFactorFrom, d.ReportsTo, d.ApprovalFrom, d.Product, d.Held, tx.Now.UnixMicro())
	if err != nil {
		return fmt.Errorf("store the group: %w", err)
	}
	return nil
}

func updateGroup(tx *db.Tx, institution bank.InstitutionID, id bank.GroupID, d Draft) error {
	n, err := tx.Exec(`
		update staff_group
		   set name = $1, name_key = $2, description = $3, permissions = $4, second_factor_from = $5, reports_to = $6, approval_from = $7,
		       product = $8, product_rights = $9, version = version + 1
		 where institution_id = $10 and id = $11`,
		d.Name, db.Fold(d.Name), d.Description, d.Permissions.String(), d.SecondFactorFrom, d.ReportsTo, d.ApprovalFrom, d.Product, d.Held, institution, id)
	return touchOne("store the group", n, err)
}

func removeGroup(tx *db.Tx, institution bank.InstitutionID, id bank.GroupID) error {
	if _, err := tx.Exec(`delete from staff_membership where institution_id = $1 and group_id = $2`, institution, id); err != nil {
		return fmt.Errorf("remove the group's members: %w", err)
	}
	if err := forgetExternals(tx, institution, string(id)); err != nil {
		return err
	}
	n, err := tx.Exec(`delete from staff_group where institution_id = $1 and id = $2`, institution, id)
	return touchOne("remove the group", n, err)
}

// clearReports has groups report to nobody that reported to one that is gone,
// and returns them.
func clearReports(tx *db.Tx, institution bank.InstitutionID, gone bank.GroupID) ([]Group, error) {
	orphans, err := db.All(tx, scanGroup, selectGroup+` where g.institution_id = $1 and g.reports_to = $2 order by g.name_key`, institution, gone)
	if err != nil {
		return nil, fmt.Errorf("find the groups that reported to it: %w", err)
	}
	_, err = tx.Exec(`
		update staff_group set reports_to = '', approval_from = '', version = version + 1 where institution_id = $1 and reports_to = $2`, institution, gone)
	if err != nil {
		return nil, fmt.Errorf("have groups report to nobody: %w", err)
	}
	return orphans, nil
}

func insertMembership(tx *db.Tx, institution bank.InstitutionID, user bank.StaffID, group bank.GroupID) error {
	_, err := tx.Exec(`insert into staff_membership (institution_id, staff_id, group_id) values ($1, $2, $3)`, institution, user, group)
	if err != nil {
		return fmt.Errorf("add the user to the group: %w", err)
	}
	return nil
}

func replaceMemberships(tx *db.Tx, institution bank.InstitutionID, user bank.StaffID, groups []bank.GroupID) error {
	if _, err := tx.Exec(`delete from staff_membership where institution_id = $1 and staff_id = $2`, institution, user); err != nil {
		return fmt.Errorf("remove the user's groups: %w", err)
	}
	for _, g := range groups {
		if err := insertMembership(tx, institution, user, g); err != nil {
			return err
		}
	}
	return nil
}

// groupsOf are the groups of a user by name.
func groupsOf(tx *db.Tx, institution bank.InstitutionID, user bank.StaffID) ([]Group, error) {
	groups, err := db.All(tx, scanGroup, selectGroup+`
		  join staff_membership own on own.institution_id = g.institution_id and own.group_id = g.id
		 where g.institution_id = $1 and own.staff_id = $2 order by g.name_key`, institution, user)
	if err != nil {
		return nil, fmt.Errorf("read the user's groups: %w", err)
	}
	return groups, nil
}

// statusNow is the status of a user of the table u. Whoever is switched off is
// disabled, whatever else they are.
const statusNow = `case when u.deactivated then 3 else u.status end`

const selectUser = `select u.id, u.first_name, u.last_name, u.email, u.phone, u.time_zone, ` + statusNow + `, u.version, u.created_micros from staff_user u`

func scanUser(row db.Scanner) (u User, err error) {
	var created int64
	err = row.Scan(&u.ID, &u.FirstName, &u.LastName, &u.Email, &u.Phone, &u.TimeZone, &u.Status, &u.Version, &created)
	u.Created = time.UnixMicro(created).UTC()
	return u, err
}

func findUser(tx *db.Tx, institution bank.InstitutionID, id bank.StaffID) (User, error) {
	u, err := db.One(tx, scanUser, selectUser+` where u.institution_id = $1 and u.id = $2`, institution, id)
	if errors.Is(err, db.ErrNoRows) {
		return u, ErrNoUser
	}
	if err != nil {
		return u, fmt.Errorf("read the staff user: %w", err)
	}
	return u, nil
}

// userByEmail is the staff user with an address; there may be none.
func userByEmail(tx *db.Tx, institution bank.InstitutionID, email string) (User, bool, error) {
	u, err := db.One(tx, scanUser, selectUser+` where u.institution_id = $1 and u.email_key = $2`, institution, db.Fold(email))
	if errors.Is(err, db.ErrNoRows) {
		return u, false, nil
	}
	if err != nil {
		return u, false, fmt.Errorf("look for the address: %w", err)
	}
	return u, true, nil
}

func insertUser(tx *db.Tx, institution bank.InstitutionID, u User) error {
	_, err := tx.Exec(`
		insert into staff_user (institution_id, id, first_name, last_name, name_key, email, email_key, phone, time_zone, status, version, created_micros)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11)`,
		institution, u.ID, u.FirstName, u.LastName, nameKey(u), u.Email, db.Fold(u.Email), u.Phone, u.TimeZone, u.Status, tx.Now.UnixMicro())
	if err != nil {
		return fmt.Errorf("store the staff user: %w", err)
	}
	return nil
}

// nameKey is what a user is sorted and found under: those who have no name yet
// under their address.
func nameKey(u User) string { return db.Fold(u.Name()) }

func updateUser(tx *db.Tx, institution bank.InstitutionID, u User) error {
	n, err := tx.Exec(`
		update staff_user set first_name = $1, last_name = $2, name_key = $3, phone = $4, time_zone = $5, version = version + 1
		 where institution_id = $6 and id = $7`, u.FirstName, u.LastName, nameKey(u), u.Phone, u.TimeZone, institution, u.ID)
	return touchOne("store the staff user", n, err)
}

func deleteUser(tx *db.Tx, institution bank.InstitutionID, id bank.StaffID) error {
	if err := replaceMemberships(tx, institution, id, nil); err != nil {
		return err
	}
	if err := forgetExternals(tx, institution, string(id)); err != nil {
		return err
	}
	n, err := tx.Exec(`delete from staff_user where institution_id = $1 and id = $2`, institution, id)
	return touchOne("delete the staff user", n, err)
}
