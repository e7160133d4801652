package hostsim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/host"
)

// Defaults are the permissions that a new user gets, for every role.
func (b *Bank) Defaults(ctx context.Context, institution bank.InstitutionID) (all []host.Defaults, err error) {
	err = b.db.Read(ctx, func(tx *db.Tx) error {
		all = nil
		for _, role := range []bank.Role{bank.RoleUser, bank.RoleViewer, bank.RoleAdmin} {
			d, err := findDefaults(tx, institution, role)
			if err != nil {
				return err
			}
			all = append(all, d)
		}
		return nil
	})
	return all, err
}

// SetDefaults changes what new users of a role get, and tells so. Who is there
// already keeps what they have.
func (b *Bank) SetDefaults(ctx context.Context, institution bank.InstitutionID, by By, role bank.Role, version int64, permissions map[string]string) error {
	var problems fault.Problems
	permissionProblems(&problems, "", catalog.AtUser, permissions)
	if err := problems.Err("The defaults cannot be kept like this."); err != nil {
		return err
	}
	return b.write(ctx, institution, func(tx *db.Tx, number int64) error {
		d, err := findDefaults(tx, institution, role)
		if err != nil {
			return err
		}
		if d.Version != version {
			return fault.New(fault.Conflict, "The defaults were changed meanwhile. Look again before you save.")
		}
		d.Version, d.Permissions = version+1, permissions
		if err := putDefaults(tx, institution, &d); err != nil {
			return err
		}
		return record(tx, number, institution, by, tx.Now, host.Event{Defaults: &d})
	})
}

func putDefaults(tx *db.Tx, institution bank.InstitutionID, d *host.Defaults) error {
	permissions, err := json.Marshal(d.Permissions)
	if err == nil {
		_, err = tx.Exec(`
			insert into core_default (institution_id, role, version, permissions) values ($1, $2, $3, $4)
			on conflict (institution_id, role) do update set version = excluded.version, permissions = excluded.permissions`,
			institution, d.Role.String(), d.Version, string(permissions))
	}
	if err != nil {
		return fmt.Errorf("store the defaults: %w", err)
	}
	return nil
}

// findDefaults are the defaults of a role; of one that has none, nothing is on.
func findDefaults(tx *db.Tx, institution bank.InstitutionID, role bank.Role) (host.Defaults, error) {
	d := host.Defaults{Role: role}
	var permissions string
	err := tx.QueryRow(`select version, permissions from core_default where institution_id = $1 and role = $2`, institution, role.String()).Scan(&d.Version, &permissions)
	if errors.Is(err, db.ErrNoRows) {
		return d, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(permissions), &d.Permissions)
	}
	if err != nil {
		return d, fmt.Errorf("read the defaults: %w", err)
	}
	return d, nil
}
