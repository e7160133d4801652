package console_test

import (
	"fmt"
	"strings"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/identity"
	"mandate/internal/usermgmt"
)

// northwind is the customer of these tests: Ana is its admin, Dana sends wires,
// Lee is locked, Ingrid on hold, Priya has not joined.
const northwind = bank.OrganizationID("org_northwind")

func of(name string) usermgmt.Person {
	return usermgmt.Person{Organization: northwind, User: bank.UserID("usr_" + name)}
}

const (
	atNorthwind = "/cedar/people/org_northwind"
	atDana      = atNorthwind + "/members/usr_dana"
	atLee       = atNorthwind + "/members/usr_lee"
	atIngrid    = atNorthwind + "/members/usr_ingrid"
	atPriya     = atNorthwind + "/members/usr_priya"
)

// sendsWires are the permissions of somebody who sends wires up to $25,000.
var sendsWires = entitlement.Settings{
	On:     catalog.SetOf(catalog.WiresEnabled, catalog.WiresWork, catalog.WiresTransmit),
	Limits: entitlement.Limits{}.With(catalog.LimitPerWire, 25_000_00).With(catalog.LimitWiresDaily, 60_000_00),
}

// customer stores Northwind with its people and three accounts.
func (w *world) customer() *world {
	w.t.Helper()
	o := usermgmt.Organization{Institution: cedar, ID: northwind, ExternalID: "100042", Name: "Northwind Paper", Address: "1 Mill Lane", Email: "office@northwind.example",
		Entitlements: catalog.EntitlementSet(0).With(catalog.Wires).With(catalog.Transfers).With(catalog.UserManagement),
		Ceilings:     entitlement.Limits{}.With(catalog.LimitPerWire, 50_000_00)}
	manages := entitlement.Settings{On: catalog.SetOf(catalog.UserManagementEnabled)}
	idle := sendsWires
	idle.On = idle.On.Without(catalog.WiresEnabled)
	people := []usermgmt.Member{
		{FirstName: "Ana", LastName: "Ruiz", Role: bank.RoleAdmin, Status: bank.StatusActive, Settings: manages},
		{FirstName: "Dana", LastName: "Reyes", Role: bank.RoleUser, Status: bank.StatusActive, Settings: sendsWires},
		{FirstName: "Lee", LastName: "Tran", Role: bank.RoleUser, Status: bank.StatusLocked, Settings: sendsWires},
		{FirstName: "Ingrid", LastName: "Moe", Role: bank.RoleUser, Status: bank.StatusActive, Held: true, Settings: idle},
		{FirstName: "Priya", LastName: "Nair", Role: bank.RoleUser, Status: bank.StatusPending},
	}
	hash, err := w.identity.Hash(w.t.Context(), password)
	w.must(err)
	w.must(w.d.Write(w.t.Context(), func(tx *db.Tx) error {
		if err := usermgmt.InsertOrganization(tx, &o); err != nil {
			return err
		}
		var accounts []usermgmt.Account
		for i, name := range []string{"Operating", "Payroll", "Tax reserve"} {
			a := usermgmt.Account{ID: bank.AccountID("acc_" + strings.ToLower(strings.Fields(name)[0])), Name: name, Number: fmt.Sprintf("044%d", i), Kind: "checking"}
			if err := usermgmt.InsertAccount(tx, o.Num, &a); err != nil {
				return err
			}
			accounts = append(accounts, a)
		}
		for i := range people {
			if err := w.insert(tx, &o, &people[i], accounts[0], hash); err != nil {
				return err
			}
		}
		return nil
	}))
	return w
}

// insert stores a person; all but pending ones have credentials.
func (w *world) insert(tx *db.Tx, o *usermgmt.Organization, m *usermgmt.Member, account usermgmt.Account, hash identity.PasswordHash) error {
	name := strings.ToLower(m.FirstName)
	m.ID, m.Email = of(name).User, name+"@northwind.example"
	if err := usermgmt.InsertMember(tx, cedar, o.Num, m); err != nil {
		return err
	}
	here := entitlement.Settings{On: catalog.SetOf(catalog.AccountAccess, catalog.WiresWork, catalog.WiresTransmit)}
	if err := usermgmt.SetMemberAccount(tx, o.Num, m.Ordinal, account.Ordinal, here); err != nil || m.Status == bank.StatusPending {
		return err
	}
	return w.identity.PutCredential(tx, identity.Member(cedar, m.ID), name+".northwind", hash)
}

// support are staff who may see and manage everybody, and those who only see.
func (w *world) support() *world {
	w.group("Support", catalog.PeopleManageAll)
	w.group("Branch", catalog.PeopleViewAll)
	w.group("Website", catalog.CMSPagesEdit)
	w.add("sam", "Support")
	w.add("bo", "Branch")
	w.add("web", "Website")
	return w
}

func TestStaffFindCustomers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sam := w.customer().support().as("sam")
		sam.get("/cedar/home").says(t, "People", "Organizations and their members")
		sam.get("/cedar/people").says(t, "6 customers", "Northwind Paper", "Dana Reyes", "dana.northwind · dana@northwind.example", "100042", "On hold",
			"It cannot be created in People.")
		for search, want := range map[string]string{
			"eye": "1 customer ", "ANA": "2 customers", "dana.north": "1 customer ", "an@": "0 customers", "reyes+dana": "1 customer ", "reyes+lee": "0 customers",
			"0004": "6 customers", "paper": "1 customer ", "100%25": "0 customers", "_": "0 customers",
		} {
			sam.get("/cedar/people?q="+search).says(t, want)
		}
		sam.get("/cedar/people?kind=organization").says(t, "1 customer ", "Northwind Paper")
		sam.get("/cedar/people?kind=member").says(t, "5 customers")
		sam.get("/cedar/people?status=locked").says(t, "1 customer ", "Lee Tran")
		sam.get("/cedar/people?status=held").says(t, "1 customer ", "Ingrid Moe")
		sam.get("/cedar/people?q=zzz").says(t, "Nobody fits", "Show every customer")
	})
}

func TestOrganizationProfile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sam := w.customer().support().as("sam")
		sam.get(atNorthwind).says(t, "Northwind Paper", "Customer number 100042", "1 Mill Lane", "Locked 1", "On hold 1", "Admins who can sign in 1",
			"The organization has Transfers, Wires, User management", "Offered, and off here ACH")
		sam.get(atNorthwind+"/members").says(t, "5 members", "Lee Tran", "Locked")
		sam.get(atNorthwind+"/members?q=ruiz").says(t, "1 of 5 members", "Ana Ruiz")
		sam.get(atNorthwind+"/accounts").says(t, "3 accounts", "Operating ••0440")
		sam.get(atNorthwind+"/accounts?q=tax").says(t, "1 of 3 accounts", "Tax reserve")
		if got := sam.get("/cedar/people/org_other"); got.status != 404 {
			t.Errorf("an organization that is not there: %d", got.status)
		}
	})
}

// The lock banner stands on every page of the profile; the hold banner on
// Overview and Security.
func TestMemberProfileAndItsBanners(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sam := w.customer().support().as("sam")
		sam.get(atDana).says(t, "Dana Reyes", "User", "Send a wire", "Has no part in User management.", "Northwind Paper")
		sam.get(atDana+"/accounts").says(t, "Access to 1 of 3 accounts", "Operating ••0440", "Not shown to this person")
		const locked = "Lee Tran's account access is locked due to multiple incorrect login attempts."
		const held = "Ingrid Moe's account access is temporarily on hold. Only an admin at their organization can remove the hold on their account."
		for _, page := range []string{"", "/accounts"} {
			sam.get(atLee+page).says(t, locked)
		}
		sam.get(atIngrid).says(t, held)
		sam.get(atIngrid+"/accounts").saysNot(t, "temporarily on hold")
		sam.get(atPriya).says(t, "has not joined yet. An admin at their organization invites them.")
	})
}

func TestWhoeverLacksPeopleDoesNotSeeIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		web := w.customer().support().as("web")
		web.get("/cedar/home").saysNot(t, "Organizations and their members")
		for _, path := range []string{"/cedar/people", atNorthwind, atNorthwind + "/members", atNorthwind + "/accounts", atDana, atDana + "/accounts"} {
			if got := web.get(path); got.status != 403 || strings.Contains(got.text(), "Northwind") {
				t.Errorf("%s without a right of People: %d %s", path, got.status, got.text())
			}
		}
	})
}
