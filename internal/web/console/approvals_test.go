package console_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/staff"
	"mandate/internal/usermgmt"
)

const acme = bank.OrganizationID("org_acme")

// acme gives the bank a customer, which has wires and not ACH.
func (w *world) acme() {
	w.t.Helper()
	w.must(w.d.Write(w.t.Context(), func(tx *db.Tx) error {
		org := usermgmt.Organization{Institution: cedar, ID: acme, Name: "Acme Tools", Entitlements: catalog.EntitlementSet(0).With(catalog.Wires),
			Ceilings: entitlement.Limits{}.With(catalog.LimitPerWire, 10_000_00)}
		return usermgmt.InsertOrganization(tx, &org)
	}))
}

// overseen is the support, whose changes need the agreement of the seniors.
func (w *world) overseen(need staff.Approval) {
	w.t.Helper()
	w.group("Seniors", catalog.PeopleManageAll)
	id, err := w.staff.CreateGroup(w.t.Context(), operator, staff.Draft{
		Name: "Support", Permissions: catalog.StaffSetOf(catalog.PeopleManageAll), ReportsTo: w.groups["Seniors"], ApprovalFrom: need})
	w.must(err)
	w.groups["Support"] = id
	w.add("sam", "Support")
	w.add("sue", "Seniors")
}

// raise has somebody ask for a higher ceiling, less of another and ACH.
func (w *world) raise(name string) string {
	w.t.Helper()
	caller := w.caller(name)
	was := usermgmt.OrganizationRights{Entitlements: catalog.EntitlementSet(0).With(catalog.Wires), Ceilings: entitlement.Limits{}.With(catalog.LimitPerWire, 10_000_00)}
	will := usermgmt.OrganizationRights{Entitlements: was.Entitlements.With(catalog.ACH), Ceilings: was.Ceilings.With(catalog.LimitPerWire, 50_000_00).With(catalog.LimitWiresDaily, 90_000_00)}
	item := ""
	w.must(w.proving(caller, func() error {
		waits, err := w.people.ChangeOrganization(w.t.Context(), caller, acme, was, will)
		item = waits.ID
		return err
	}))
	return item
}

var hashField = regexp.MustCompile(`name="hash" value="([^"]+)"`)

// What a group changes waits for another: seen as sentences, decided by those
// who may, done once.
func TestAChangeOfAnOrganizationIsAgreedTo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.acme()
		w.overseen(staff.ApprovalOne)
		at := "/cedar/approvals/" + w.raise("sam")
		sam, sue := w.as("sam"), w.as("sue")
		sam.get(at).says(t, "Waits for others", "One of Seniors must agree: Sue Cedar.", "Take back")
		sam.get(at).saysNot(t, "Agree ")
		sue.get("/cedar/home").says(t, "Approvals 1")
		page := sue.get(at)
		page.says(t, "Change of what Acme Tools has", "Waits for you", "ACH: The organization gets ACH.", "The ceiling goes from $10,000.00 to $50,000.00.",
			"The ceiling goes from none to $90,000.00.", "Asked by Sam Cedar")
		if i, j := strings.Index(page.text(), "$50,000.00"), strings.Index(page.text(), "$90,000.00"); i > j {
			t.Error("what lets people do more does not come first")
		}
		sue.post(at+"/agree", url.Values{"hash": {"another"}}).says(t, "This was changed after you saw it.")
		hash := hashField.FindStringSubmatch(page.body)[1]
		sam.post(at+"/agree", url.Values{"hash": {hash}}).says(t, "Somebody else must agree to this: you asked for it.")
		sue.proven(at+"/agree", url.Values{"hash": {hash}, "comment": {"As agreed with them."}}).says(t, "You agreed, and the change was made", "Done", "As agreed with them.")
		w.must(w.d.Read(t.Context(), func(tx *db.Tx) error {
			o, err := usermgmt.FindOrganization(tx, cedar, acme)
			if limit, _ := o.Ceilings.Get(catalog.LimitPerWire); !o.Entitlements.Has(catalog.ACH) || limit != 50_000_00 {
				t.Errorf("Acme has %+v", o)
			}
			return err
		}))
		sue.get("/cedar/approvals").says(t, "Nothing here")
		sue.get("/cedar/approvals?decided=yes").says(t, "Change of what Acme Tools has", "Done")
		w.group("No Permissions")
		w.add("tom", "No Permissions")
		if got := w.as("tom").get(at); got.status != 404 {
			t.Errorf("somebody of no such group: %d", got.status)
		}
	})
}

func TestAnApprovalInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, w *world, p colleague) {
		w.acme()
		w.overseen(staff.ApprovalEveryone)
		w.add("sid", "Seniors")
		item := w.raise("sam")
		p.signIn("sue")
		p.Click("Approvals")
		p.look("approvals")
		p.Click("Change of what Acme Tools has")
		p.See("Everyone of Seniors must agree")
		p.look("approval")
		p.Click("Agree")
		p.confirm()
		p.See("You agreed. It waits for the others.")
		w.must(w.queue.Decline(t.Context(), w.caller("sid"), item, "Not yet."))
		p.Reload()
		p.See("Rejected")
		p.See("Not yet.")
	})
}
