package app_test

import (
	"bytes"
	"log/slog"
	"testing"

	"mandate/internal/activity"
	"mandate/internal/app"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/hostsync"
	"mandate/internal/usermgmt"
)

// With the simulated core behind the real protocol: what an admin changes here
// arrives there, what its staff and its own customers change there takes effect
// here, and in the end both sides are the same.
func TestPeopleAreTheSameOnBothSides(t *testing.T) {
	ctx, clock := t.Context(), dbtest.NewClock(dbtest.Start)
	cfg := config.Config{Store: config.Store{Data: t.TempDir()}}
	a, err := app.Open(ctx, cfg, clock, slog.New(slog.DiscardHandler))
	must(t, err)
	defer a.Close()
	const cedar, northwind = bank.InstitutionID("cedar"), bank.OrganizationID("org_northwind")
	services := catalog.EntitlementSet(0).With(catalog.UserManagement).With(catalog.Transfers)
	must(t, a.DB.Write(ctx, func(tx *db.Tx) error {
		must(t, usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: cedar, Name: "Cedar Bank", TimeZone: "America/New_York", Offers: services}))
		o := usermgmt.Organization{Institution: cedar, ID: northwind, ExternalID: "4400", Name: "Northwind", Entitlements: services}
		must(t, usermgmt.InsertOrganization(tx, &o))
		must(t, usermgmt.InsertAccount(tx, o.Num, &usermgmt.Account{ID: "acc_operating", ExternalID: "4401", Name: "Operating", Kind: "checking"}))
		for _, m := range []usermgmt.Member{
			{ID: "usr_ana", ExternalID: "u1", FirstName: "Ana", LastName: "Ruiz", Email: "ana@northwind.example", Role: bank.RoleAdmin, Status: bank.StatusActive,
				Settings: entitlement.Settings{On: catalog.SetOf(catalog.UserManagementEnabled)}},
			{ID: "usr_dana", ExternalID: "u2", FirstName: "Dana", LastName: "Diaz", Email: "dana@northwind.example", Status: bank.StatusActive},
		} {
			must(t, usermgmt.InsertMember(tx, cedar, o.Num, &m))
		}
		return nil
	}))
	var everybody []host.User
	must(t, a.DB.Read(ctx, func(tx *db.Tx) (err error) {
		everybody, err = hostsync.Everybody(tx, cedar)
		return err
	}))
	must(t, a.Bank.Fill(ctx, cedar, hostsim.Filling{Organizations: []host.Organization{{Ref: "4400", Name: "Northwind"}}, Users: everybody}))
	must(t, a.Bank.PutAccount(ctx, cedar, hostsim.By{Channel: host.Core}, "4400", host.Account{Ref: "4401", Name: "Operating", Kind: "checking"}))

	ana := bank.Caller{Kind: bank.ActorMember, ID: "usr_ana", Name: "Ana Ruiz", Institution: cedar, Organization: northwind, Channel: bank.ChannelOnline}
	dana := usermgmt.Person{Organization: northwind, User: "usr_dana"}
	_, err = a.Users.SavePermissions(ctx, ana, usermgmt.Edit{Person: dana, Version: -1, Changes: []entitlement.Change{
		{Set: map[string]entitlement.Value{catalog.TransfersEnabled.ID(): entitlement.SwitchTo(true)}},
		{Account: "acc_operating", Set: map[string]entitlement.Value{catalog.AccountAccess.ID(): entitlement.SwitchTo(true)}},
	}})
	must(t, err)
	a.HostSync.Now(ctx)
	u, err := a.Bank.User(ctx, cedar, "u2")
	if err != nil || u.Permissions["transfers.enabled"] != "true" || u.Accounts["4401"] == nil {
		t.Fatalf("the core has %+v, %v", u, err)
	}

	kim, chris := hostsim.By{Channel: host.BackOffice, Name: "Kim"}, hostsim.By{Channel: host.BackOffice, Name: "Chris"}
	_, err = a.Bank.SetHeld(ctx, cedar, kim, "u2", u.Version, true)
	must(t, err)
	made, err := a.Bank.Create(ctx, cedar, chris, hostsim.NewUser{Organization: "4400", FirstName: "Bea", LastName: "Cole", Email: "bea@northwind.example"})
	must(t, err)
	must(t, a.HostSync.Sync(ctx, cedar))
	_, bea, err := a.HostSync.Arriving(ctx, ana, northwind, made.Ref)
	must(t, err)
	var events []activity.Event
	must(t, a.DB.Read(ctx, func(tx *db.Tx) (err error) {
		held, err := usermgmt.FindProfile(tx, cedar, dana)
		if err != nil || !held.Member.Held {
			t.Errorf("%+v, %v", held.Member, err)
		}
		newcomer, err := usermgmt.FindProfile(tx, cedar, usermgmt.Person{Organization: northwind, User: bea})
		if err != nil || newcomer.Member.Name() != "Bea Cole" || newcomer.Member.Status != bank.StatusPending {
			t.Errorf("%+v, %v", newcomer.Member, err)
		}
		events, err = activity.Feed(tx, activity.Filter{Institution: cedar, Organization: northwind})
		return err
	}))
	by := map[string]string{}
	for _, e := range events {
		by[e.Name] = e.Actor.Name + " " + string(e.Channel)
	}
	if by["orguser.hold_placed"] != "Kim backoffice" || by["orguser.created"] != "Chris backoffice" {
		t.Errorf("history %v", by)
	}
	operator := bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: cedar, Channel: bank.ChannelCommand}
	var report bytes.Buffer
	sum, err := a.HostSync.Reconcile(ctx, operator, &report, "")
	if err != nil || sum.Ours != 3 || sum.Theirs != 3 || sum.Differ+sum.OnlyHere+sum.OnlyThere+sum.Moving != 0 {
		t.Errorf("%s, %v\n%s", sum, err, report.String())
	}
	if parked, err := a.HostSync.Parked(ctx, operator, 10); err != nil || len(parked) != 0 {
		t.Errorf("parked %+v, %v", parked, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
