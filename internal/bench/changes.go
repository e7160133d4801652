package bench

import (
	"context"
	"errors"
	"os"
	"time"

	"mandate/internal/app"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
)

// durableChanges measures how many changes of what people may do are made in a
// second so that they survive a crash: admins hold and release somebody, each in
// an organization of their own.
func durableChanges(ctx context.Context, admins int, each time.Duration) (r row, err error) {
	dir, err := os.MkdirTemp("", "mandate-bench-")
	if err != nil {
		return row{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	cfg := config.Config{Store: config.Store{Data: dir}, LogLevel: "error"}
	a, err := app.Open(ctx, cfg, bank.SystemClock{}, cfg.Logger())
	if err != nil {
		return row{}, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	var callers []bank.Caller
	var people []usermgmt.Person
	err = a.DB.Write(ctx, func(tx *db.Tx) error {
		offers := catalog.EntitlementSet(0).With(catalog.UserManagement)
		err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: crowdInstitution, Name: "Bench Bank", TimeZone: "America/Chicago", Offers: offers})
		for n := 0; n < admins && err == nil; n++ {
			o := usermgmt.Organization{Institution: crowdInstitution, ID: bank.OrganizationID(crowdID(bank.PrefixOrganization, n, 0)), Name: "Bench", Entitlements: offers}
			if err = usermgmt.InsertOrganization(tx, &o); err != nil {
				return err
			}
			admin := usermgmt.Member{ID: crowdMember(n, 0), FirstName: "Admin", Role: bank.RoleAdmin, Status: bank.StatusActive,
				Settings: entitlement.Settings{On: catalog.SetOf(catalog.UserManagementEnabled)}}
			other := usermgmt.Member{ID: crowdMember(n, 1), FirstName: "Bench", Status: bank.StatusActive}
			err = errors.Join(usermgmt.InsertMember(tx, crowdInstitution, o.Num, &admin), usermgmt.InsertMember(tx, crowdInstitution, o.Num, &other))
			callers = append(callers, bank.Caller{Kind: bank.ActorMember, ID: string(admin.ID), Name: "Admin", Institution: crowdInstitution, Organization: o.ID, Channel: bank.ChannelOnline})
			people = append(people, usermgmt.Person{Organization: o.ID, User: other.ID})
		}
		return err
	})
	if err != nil {
		return row{}, err
	}
	held := make([]bool, admins)
	return measure(ctx, each, admins, 1, func(ctx context.Context, n, _ int) error {
		held[n] = !held[n]
		if held[n] {
			return a.Users.Hold(ctx, callers[n], people[n], "")
		}
		return a.Users.Release(ctx, callers[n], people[n])
	})
}
