package usermgmt_test

import (
	"fmt"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	hosts "mandate/internal/host"
	"mandate/internal/usermgmt"
)

// The host's names are the external ids, within an institution, and an account's
// way back is within its organization.
func TestHostNames(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		add := func(tx *db.Tx, institution bank.InstitutionID, name string, accounts int) error {
			o := usermgmt.Organization{Institution: institution, ID: bank.OrganizationID(string(institution) + "_" + name), ExternalID: name, Name: name}
			if err := usermgmt.InsertOrganization(tx, &o); err != nil {
				return err
			}
			for n := range accounts {
				a := usermgmt.Account{ID: bank.AccountID(fmt.Sprintf("%s_%d", o.ID, n)), ExternalID: fmt.Sprint("a", n), Name: "Account", Number: "0001", Kind: "checking"}
				if err := usermgmt.InsertAccount(tx, o.Num, &a); err != nil {
					return err
				}
			}
			return nil
		}
		write := func(f func(tx *db.Tx) error) {
			t.Helper()
			if err := d.Write(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		write(func(tx *db.Tx) error {
			for _, institution := range []bank.InstitutionID{"cedar", "birch"} {
				if err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: institution, Name: "A bank", TimeZone: "UTC"}); err != nil {
					return err
				}
				for _, name := range []string{"north", "south"} {
					if err := add(tx, institution, name, 20); err != nil {
						return err
					}
				}
			}
			return nil
		})
		ctx, names := t.Context(), usermgmt.NewHostNames(d)
		for _, names := range []*usermgmt.HostNames{names, names, usermgmt.NewHostNames(d).Forgetful()} { // the second time from memory
			organizations, err := names.Organizations(ctx, "cedar", []bank.OrganizationID{"cedar_north", "birch_north", "none"})
			if err != nil || len(organizations) != 1 || organizations["cedar_north"] != "north" {
				t.Errorf("organizations %v, %v", organizations, err)
			}
			back, err := names.OrganizationsOf(ctx, "birch", []hosts.Ref{"north", "south", "none"})
			if err != nil || len(back) != 2 || back["south"] != "birch_south" {
				t.Errorf("organizations by the host's names %v, %v", back, err)
			}
			accounts, err := names.Accounts(ctx, "cedar", []bank.AccountID{"cedar_north_0", "cedar_north_19", "cedar_south_3", "birch_south_3", "none"})
			if err != nil || len(accounts) != 3 || accounts["cedar_north_19"] != "a19" || accounts["cedar_south_3"] != "a3" {
				t.Errorf("accounts %v, %v", accounts, err)
			}
			places, err := names.AccountsOf(ctx, "cedar", "cedar_south", []hosts.Ref{"a3", "a99"})
			if err != nil || len(places) != 1 || places["a3"] != "cedar_south_3" {
				t.Errorf("accounts by the host's names %v, %v", places, err)
			}
		}
		// What comes later is found as well.
		write(func(tx *db.Tx) error { return add(tx, "cedar", "west", 1) })
		if late, err := names.AccountsOf(ctx, "cedar", "cedar_west", []hosts.Ref{"a0"}); err != nil || late["a0"] != "cedar_west_0" {
			t.Errorf("added later: %v, %v", late, err)
		}
	})
}
