// Package pdptest makes a small world for tests of the decision service and of
// the edges in front of it. It is for tests only.
//
// The institution "first" is a bank with the organizations "acme" and "birch";
// "second" is another bank with the organization "cedar". Acme's accounts are
// "operating" and "payroll". Ana is its admin. Dana may send wires up to
// $25,000 from operating, alone up to $10,000; nobody else may.
package pdptest

import (
	"context"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/pdp/memory"
	"mandate/internal/usage"
	"mandate/internal/usermgmt"
)

const zone = "America/Chicago"

// Everything are all entitlements.
var Everything = func() (s catalog.EntitlementSet) {
	for _, e := range catalog.Entitlements() {
		s = s.With(e)
	}
	return s
}()

// Sender are the settings of somebody who may send wires: up to $25,000 each,
// $60,000 a day, over $10,000 with a second person.
var Sender = entitlement.Settings{
	On: catalog.SetOf(catalog.WiresEnabled, catalog.WiresWork, catalog.WiresTransmit, catalog.WiresDualControl),
	Limits: entitlement.Limits{}.With(catalog.LimitPerWire, 25_000_00).With(catalog.LimitWiresDaily, 60_000_00).
		With(catalog.LimitWiresDual, 10_000_00),
}

// SenderAccount is what they have on an account.
var SenderAccount = entitlement.Settings{On: catalog.SetOf(catalog.AccountAccess, catalog.WiresWork, catalog.WiresTransmit)}

// Memory is an empty memory over a database.
func Memory(d *db.DB) *memory.Memory {
	return memory.New(d, usermgmt.MemorySources(), memory.Options{})
}

// A World is a database with the world in it.
type World struct {
	t  testing.TB
	DB *db.DB
}

// In is the world of a database that was filled before.
func In(t testing.TB, d *db.DB) *World { return &World{t, d} }

// New fills a database.
func New(t testing.TB, d *db.DB) *World {
	t.Helper()
	w := &World{t, d}
	t.Cleanup(usermgmt.KeepPast(d))
	w.write(func(tx *db.Tx) error {
		for _, id := range []bank.InstitutionID{"first", "second"} {
			err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: id, Name: "The " + string(id) + " bank", TimeZone: zone, Offers: Everything})
			if err != nil {
				return err
			}
		}
		admin := entitlement.Settings{On: catalog.SetOf(catalog.UserManagementEnabled)}
		return errorsOf(
			addOrganization(tx, "first", "acme", []bank.AccountID{"operating", "payroll"},
				usermgmt.Member{ID: "ana", FirstName: "Ana", LastName: "Ito", Role: bank.RoleAdmin, Status: bank.StatusActive, Settings: admin},
				usermgmt.Member{ID: "dana", FirstName: "Dana", LastName: "Reyes", Status: bank.StatusActive, Settings: Sender}),
			addOrganization(tx, "first", "birch", []bank.AccountID{"savings"},
				usermgmt.Member{ID: "bea", FirstName: "Bea", LastName: "Ek", Status: bank.StatusActive, Settings: Sender}),
			addOrganization(tx, "second", "cedar", []bank.AccountID{"operating"},
				usermgmt.Member{ID: "cleo", FirstName: "Cleo", LastName: "Day", Status: bank.StatusActive, Settings: Sender}),
		)
	})
	w.SetAccount("first", "acme", "dana", "operating", SenderAccount)
	w.SetAccount("first", "birch", "bea", "savings", SenderAccount)
	w.SetAccount("second", "cedar", "cleo", "operating", SenderAccount)
	return w
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func addOrganization(tx *db.Tx, institution bank.InstitutionID, id bank.OrganizationID, accounts []bank.AccountID, members ...usermgmt.Member) error {
	o := usermgmt.Organization{Institution: institution, ID: id, Name: "The " + string(id) + " company", Entitlements: Everything}
	if err := usermgmt.InsertOrganization(tx, &o); err != nil {
		return err
	}
	for _, account := range accounts {
		if err := usermgmt.InsertAccount(tx, o.Num, &usermgmt.Account{ID: account, Name: "The " + string(account) + " account"}); err != nil {
			return err
		}
	}
	for i := range members {
		if err := usermgmt.InsertMember(tx, institution, o.Num, &members[i]); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) write(f func(*db.Tx) error) {
	w.t.Helper()
	if err := w.DB.Write(context.Background(), f); err != nil {
		w.t.Fatal(err)
	}
}

// change does something to an organization and raises its revision, as every
// change in the product does.
func (w *World) change(institution bank.InstitutionID, organization bank.OrganizationID, f func(*db.Tx) error) {
	w.t.Helper()
	w.write(func(tx *db.Tx) error {
		stream, err := activity.Lock(tx, institution, organization)
		if err != nil {
			return err
		}
		if err := f(tx); err != nil {
			return err
		}
		return stream.Append("sav_test", activity.Event{Name: "orguser.permission_changed"})
	})
}

// Use counts an amount against a member's daily limit for wires, as a payment
// does: the revision stays.
func (w *World) Use(institution bank.InstitutionID, organization bank.OrganizationID, member bank.UserID, account bank.AccountID, amount bank.Cents) {
	w.t.Helper()
	w.write(func(tx *db.Tx) error {
		stream, err := activity.Lock(tx, institution, organization)
		if err != nil {
			return err
		}
		place, err := time.LoadLocation(zone)
		if err != nil {
			return err
		}
		err = usage.Reserve(tx, usage.Reservation{Institution: institution, Organization: organization, ID: usage.ID(bank.NewID("res", tx.Now)),
			Limit: catalog.LimitWiresDaily, Day: bank.DayOf(tx.Now, place), Member: member, Account: account, Cents: amount})
		if err != nil {
			return err
		}
		return stream.Append("sav_test", activity.Event{Name: "payment.authorized", Quiet: true})
	})
}

// numbers are the numbers under which a member and an account are stored.
func numbers(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, member bank.UserID, account bank.AccountID) (num, m, a int64, err error) {
	err = tx.QueryRow(`
		select o.num, m.ordinal, coalesce((select a.ordinal from account a where a.organization_num = o.num and a.id = $4), 0)
		  from organization o join member m on m.organization_num = o.num
		 where o.institution_id = $1 and o.id = $2 and m.id = $3`, institution, organization, member, account).Scan(&num, &m, &a)
	return num, m, a, err
}

// Member adds an active organization user of role user.
func (w *World) Member(institution bank.InstitutionID, organization bank.OrganizationID, id bank.UserID, name string, s entitlement.Settings) {
	w.t.Helper()
	w.change(institution, organization, func(tx *db.Tx) error {
		o, err := usermgmt.FindOrganization(tx, institution, organization)
		if err != nil {
			return err
		}
		return usermgmt.InsertMember(tx, institution, o.Num, &usermgmt.Member{ID: id, FirstName: name, Status: bank.StatusActive, Settings: s})
	})
}

// SetMember stores a member's user-level settings.
func (w *World) SetMember(institution bank.InstitutionID, organization bank.OrganizationID, member bank.UserID, s entitlement.Settings) {
	w.t.Helper()
	w.change(institution, organization, func(tx *db.Tx) error {
		num, m, _, err := numbers(tx, institution, organization, member, "")
		if err != nil {
			return err
		}
		return usermgmt.SetMemberSettings(tx, num, m, s, 1)
	})
}

// SetAccount stores what a member has on an account.
func (w *World) SetAccount(institution bank.InstitutionID, organization bank.OrganizationID, member bank.UserID, account bank.AccountID, s entitlement.Settings) {
	w.t.Helper()
	w.change(institution, organization, func(tx *db.Tx) error {
		num, m, a, err := numbers(tx, institution, organization, member, account)
		if err != nil {
			return err
		}
		return usermgmt.SetMemberAccount(tx, num, m, a, s)
	})
}

// SetStanding stores a member's status and hold.
func (w *World) SetStanding(institution bank.InstitutionID, organization bank.OrganizationID, member bank.UserID, status bank.Status, held bool) {
	w.t.Helper()
	w.change(institution, organization, func(tx *db.Tx) error {
		num, m, _, err := numbers(tx, institution, organization, member, "")
		if err != nil {
			return err
		}
		return usermgmt.SetMemberStanding(tx, num, m, bank.RoleUser, status, held)
	})
}
