package console_test

import (
	"net/url"
	"testing"

	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/staff"
)

// accountOff is what is off on an account of Northwind.
func (w *world) accountOff(id bank.AccountID) catalog.EntitlementSet {
	w.t.Helper()
	o, err := w.people.OrganizationProfile(w.t.Context(), operator, northwind)
	w.must(err)
	for _, a := range o.Accounts {
		if a.ID == id {
			return a.Off
		}
	}
	w.t.Fatalf("there is no account %s", id)
	return 0
}

// At a credit union staff switch services for each account of an organization,
// and see for whom something changes before they do. A bank has no such level.
func TestACreditUnionSwitchesAnAccount(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorldOf(t, d, bank.EditionCreditUnion)
		w.customer().support()
		sam, at := w.as("sam"), atNorthwind+"/accounts/acc_operating"
		sam.get(atNorthwind+"/permissions").says(t, "Each account has switches of its own, too")
		sam.get(atNorthwind+"/accounts").says(t, "Operating ••0440 checking Nothing")
		page := sam.get(at)
		page.says(t, "Wires on this account", "What is off here is off on this account for every member.", "Northwind Paper does not have ACH.", "Review changes")
		page.saysNot(t, "User management on this account", "ARP/Positive Pay on this account")
		off := func(wires string) url.Values {
			return url.Values{"was.wires.enabled": {"on"}, "was.transfers.enabled": {"on"}, "wires.enabled": {wires}, "transfers.enabled": {"on"}}
		}
		review := sam.post(at+"/review", off("off"))
		review.says(t, "Wires: It is off for Operating ••0440. None of the members can use it there.", "Dana Reyes may", "Operating", "Nothing is saved yet.")
		review.saysNot(t, "You will be asked to confirm", "Priya Nair may")
		if w.accountOff("acc_operating") != 0 {
			t.Fatal("a review saves")
		}
		sam.post(at+"/save", off("off")).says(t, "Permissions saved")
		wires := catalog.EntitlementSet(0).With(catalog.Wires)
		if w.accountOff("acc_operating") != wires || w.accountOff("acc_payroll") != 0 || w.member("dana").Settings != sendsWires {
			t.Errorf("off on Operating is %v, on Payroll %v", w.accountOff("acc_operating"), w.accountOff("acc_payroll"))
		}
		if e := w.tells("org.entitlement_changed", false, "Sam Cedar"); len(e.Changes) != 1 || e.Changes[0].Field != "wires.enabled" || e.Changes[0].New != "false" || e.Changes[0].Accounts[0] != "acc_operating" {
			t.Errorf("the history: %+v", e.Changes)
		}
		sam.get(atNorthwind+"/accounts").says(t, "Operating ••0440 checking Wires")
		sam.post(at+"/save", off("off")).says(t, "Somebody else changed this meanwhile")
		if stale := sam.post(at+"/review", off("off")); stale.status != 409 {
			t.Errorf("a review of what somebody else has changed: %d", stale.status)
		}
		on := url.Values{"was.wires.enabled": {"off"}, "was.transfers.enabled": {"on"}, "wires.enabled": {"on"}}
		sam.post(at+"/review", on).says(t, "It is on for Operating ••0440 again.", "You will be asked to confirm")
		sam.proven(at+"/save", on).says(t, "Permissions saved")
		// What the organization as a whole has is changed beside it, and stays.
		w.must(w.setOff(northwind, "acc_payroll", wires))
		ceiling := url.Values{"was.wires.enabled": {"on"}, "was.transfers.enabled": {"on"}, "was.user_management.enabled": {"on"}, "was.ceiling.wires.per_wire_limit": {"$50,000.00"}, "ceiling.wires.per_wire_limit": {"$9,000.00"}}
		sam.post(atNorthwind+"/permissions/save", ceiling).says(t, "Permissions saved")
		if w.accountOff("acc_payroll") != wires {
			t.Error("a change of the organization switched its accounts")
		}
		bo := w.as("bo")
		bo.get(at).says(t, "You may look here and change nothing.")
		for _, path := range []string{"/review", "/save"} {
			if got := bo.post(at+path, off("off")); got.status != 403 {
				t.Errorf("%s by somebody who may only look: %d", path, got.status)
			}
		}
		for _, gone := range []string{atNorthwind + "/accounts/acc_nowhere", "/cedar/people/org_nowhere/accounts/acc_operating"} {
			if got := sam.get(gone); got.status != 404 {
				t.Errorf("%s: %d", gone, got.status)
			}
		}
	})
}

// setOff switches an account in the name of the operator.
func (w *world) setOff(organization bank.OrganizationID, account bank.AccountID, will catalog.EntitlementSet) error {
	_, err := w.people.ChangeAccount(w.t.Context(), operator, organization, account, w.accountOff(account), will)
	return err
}

func TestABankSwitchesNoAccount(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sam := w.customer().support().as("sam")
		sam.get(atNorthwind+"/permissions").saysNot(t, "Each account has switches")
		if got := sam.get(atNorthwind + "/accounts/acc_operating"); got.status != 404 {
			t.Errorf("a bank shows the level of credit unions: %d", got.status)
		}
		off := url.Values{"was.wires.enabled": {"on"}, "wires.enabled": {"off"}}
		for _, path := range []string{"/review", "/save"} {
			if got := sam.post(atNorthwind+"/accounts/acc_operating"+path, off); got.status != 404 {
				t.Errorf("%s at a bank: %d", path, got.status)
			}
		}
		if w.accountOff("acc_operating") != 0 {
			t.Error("a bank switched an account")
		}
	})
}

// What waits for another group is seen by whoever looks at the organization; it
// is a switch of an account as much as anything else.
func TestASwitchOfAnAccountWaitsForAgreement(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorldOf(t, d, bank.EditionCreditUnion)
		w.customer().overseen(staff.ApprovalOne)
		w.group("Branch", catalog.PeopleViewAll)
		w.add("bo", "Branch")
		sam, at := w.as("sam"), atNorthwind+"/accounts/acc_operating"
		off := url.Values{"was.wires.enabled": {"on"}, "wires.enabled": {"off"}}
		sam.post(at+"/save", off).says(t, "Your change waits: somebody else must agree before it counts", "A change of what the organization has waits for agreement", "Sam Cedar asked for it on", "Look at it")
		bo := w.as("bo").get(atNorthwind)
		bo.says(t, "A change of what the organization has waits for agreement")
		bo.saysNot(t, "Look at it")
		if w.accountOff("acc_operating") != 0 {
			t.Fatal("what waits counts")
		}
		o, err := w.people.OrganizationProfile(t.Context(), operator, northwind)
		w.must(err)
		item, sue := o.Waits[0], w.caller("sue")
		w.as("sue").get("/cedar/approvals/"+item.ID).says(t, "Wires: It is off for Operating ••0440.")
		w.must(w.agree(sue, item))
		if w.accountOff("acc_operating") != catalog.EntitlementSet(0).With(catalog.Wires) {
			t.Error("what was agreed to does not count")
		}
		w.as("bo").get(atNorthwind).saysNot(t, "waits for agreement")
	})
}

func (w *world) agree(caller bank.Caller, item approval.Item) error {
	return w.proving(caller, func() error {
		_, err := w.queue.Agree(w.t.Context(), caller, item.ID, item.Hash, "")
		return err
	})
}
