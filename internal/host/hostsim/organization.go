package hostsim

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/host"
)

// Named limits.
const (
	maxPeople           = 500 // organizations, users or events that one look shows
	maxOrganizationName = 100
)

// Organizations lists them with their accounts, in the order of their refs.
func (b *Bank) Organizations(ctx context.Context, institution bank.InstitutionID, after host.Ref, most int) (all []host.Organization, err error) {
	err = b.db.Read(ctx, func(tx *db.Tx) error {
		all, err = organizationsAfter(tx, institution, after, min(most, maxPeople))
		return err
	})
	return all, err
}

// Organization is one of them.
func (b *Bank) Organization(ctx context.Context, institution bank.InstitutionID, ref host.Ref) (o host.Organization, err error) {
	err = b.db.Read(ctx, func(tx *db.Tx) error {
		o, err = findOrganization(tx, institution, ref)
		return err
	})
	return o, err
}

// PutOrganization makes an organization, or names it anew, and tells so.
func (b *Bank) PutOrganization(ctx context.Context, institution bank.InstitutionID, by By, ref host.Ref, name string) error {
	var problems fault.Problems
	if n := utf8.RuneCountInString(name); n == 0 || n > maxOrganizationName || !bank.Printable(name) {
		problems.Addf("name", "Enter a name of 1 to %d characters.", maxOrganizationName)
	}
	if ref == "" {
		problems.Add("ref", "Enter the organization's number.")
	}
	if err := problems.Err("The organization cannot be kept like this."); err != nil {
		return err
	}
	return b.write(ctx, institution, func(tx *db.Tx, number int64) error {
		_, err := tx.Exec(`
			insert into core_organization (institution_id, ref, version, name) values ($1, $2, 1, $3)
			on conflict (institution_id, ref) do update set name = excluded.name, version = core_organization.version + 1`, institution, ref, name)
		if err != nil {
			return fmt.Errorf("store the organization: %w", err)
		}
		return tellOrganization(tx, number, institution, by, ref)
	})
}

// PutAccount gives an organization an account, or changes its name, kind and
// whether it is closed, and tells so. Money stays where it is.
func (b *Bank) PutAccount(ctx context.Context, institution bank.InstitutionID, by By, organization host.Ref, a host.Account) error {
	if a.Ref == "" || a.Name == "" || host.IsInternal(bank.AccountID(a.Ref)) {
		return fault.New(fault.Invalid, "An account needs a number of its own and a name.")
	}
	return b.write(ctx, institution, func(tx *db.Tx, number int64) error {
		if _, err := findOrganization(tx, institution, organization); err != nil {
			return err
		}
		page, known, err := findAccount(tx, institution, bank.AccountID(a.Ref))
		switch {
		case err != nil:
			return err
		case !known:
			err = insertAccount(tx, institution, account{
				id: bank.AccountID(a.Ref), organization: bank.OrganizationID(organization), name: a.Name, kind: a.Kind, lastFour: a.LastFour, closed: a.Closed,
			})
		case page.organization != bank.OrganizationID(organization):
			return fault.New(fault.Conflict, "The account is another organization's.")
		default:
			_, err = tx.Exec(`update core_account set name = $1, kind = $2, closed = $3 where institution_id = $4 and id = $5`, a.Name, a.Kind, a.Closed, institution, a.Ref)
		}
		if err == nil {
			_, err = tx.Exec(`update core_organization set version = version + 1 where institution_id = $1 and ref = $2`, institution, organization)
		}
		if err != nil {
			return fmt.Errorf("keep the account: %w", err)
		}
		return tellOrganization(tx, number, institution, by, organization)
	})
}

func tellOrganization(tx *db.Tx, number int64, institution bank.InstitutionID, by By, ref host.Ref) error {
	o, err := findOrganization(tx, institution, ref)
	if err != nil {
		return err
	}
	return record(tx, number, institution, by, tx.Now, host.Event{Organization: &o})
}

// addOrganization makes an organization where there is none of that ref.
func addOrganization(tx *db.Tx, institution bank.InstitutionID, ref host.Ref, name string) error {
	_, err := tx.Exec(`
		insert into core_organization (institution_id, ref, version, name) values ($1, $2, 1, $3)
		on conflict (institution_id, ref) do nothing`, institution, ref, name)
	if err != nil {
		return fmt.Errorf("store the organization: %w", err)
	}
	return nil
}

func scanOrganization(s db.Scanner) (o host.Organization, err error) {
	err = s.Scan(&o.Ref, &o.Version, &o.Name)
	return o, err
}

func organizationsAfter(tx *db.Tx, institution bank.InstitutionID, after host.Ref, most int) ([]host.Organization, error) {
	all, err := db.All(tx, scanOrganization, `
		select ref, version, name from core_organization where institution_id = $1 and ref > $2 order by ref limit $3`, institution, after, most)
	if err != nil {
		return nil, fmt.Errorf("read the organizations: %w", err)
	}
	if len(all) == 0 {
		return nil, nil
	}
	return all, withAccounts(tx, institution, all)
}

func findOrganization(tx *db.Tx, institution bank.InstitutionID, ref host.Ref) (host.Organization, error) {
	o, err := db.One(tx, scanOrganization, `select ref, version, name from core_organization where institution_id = $1 and ref = $2`, institution, ref)
	if errors.Is(err, db.ErrNoRows) {
		return o, fault.New(fault.NotFound, "There is no such organization.")
	}
	if err != nil {
		return o, fmt.Errorf("read the organization: %w", err)
	}
	one := []host.Organization{o}
	err = withAccounts(tx, institution, one)
	return one[0], err
}

// withAccounts gives organizations that follow each other their accounts.
func withAccounts(tx *db.Tx, institution bank.InstitutionID, all []host.Organization) error {
	type placed struct {
		organization host.Ref
		host.Account
	}
	accounts, err := db.All(tx, func(s db.Scanner) (p placed, err error) {
		err = s.Scan(&p.organization, &p.Ref, &p.Name, &p.Kind, &p.LastFour, &p.Closed)
		return p, err
	}, `
		select organization_id, id, name, kind, last_four, closed from core_account
		 where institution_id = $1 and organization_id >= $2 and organization_id <= $3 and internal = false
		 order by organization_id, id`, institution, all[0].Ref, all[len(all)-1].Ref)
	if err != nil {
		return fmt.Errorf("read the organizations' accounts: %w", err)
	}
	of := map[host.Ref][]host.Account{}
	for _, p := range accounts {
		of[p.organization] = append(of[p.organization], p.Account)
	}
	for i := range all {
		all[i].Accounts = of[all[i].Ref]
	}
	return nil
}
