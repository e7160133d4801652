package office_test

import (
	"net/http"
	"net/url"
	"strconv"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/host"
)

var everything = []string{"backoffice.users.view", "backoffice.users.manage", "backoffice.defaults.manage"}

func version(u host.User) string { return strconv.FormatInt(u.Version, 10) }

func path(u host.User, more string) string {
	return "/cedar/backoffice/users/" + string(u.Ref) + more
}

// From finding the organization to a user who is invited, held and deleted.
func TestBackOffice(t *testing.T) {
	w := newWorld(t)
	v := w.staff(everything...)
	v.get("/cedar/backoffice").at("/cedar/backoffice/organizations").sees("Acme Tools", "Birch & Sons", "Kim Park")
	v.get("/cedar/backoffice/organizations?q=birch").sees("Birch & Sons").missing("Acme Tools")
	v.get("/cedar/backoffice/organizations/1001").sees("Acme Tools", "This organization has no users yet.", "Operating", "4321")

	create := "/cedar/backoffice/organizations/1001/users/new"
	v.get(create).sees("What a new user gets", "Transfers: Enabled", "Wires: Per wire limit $500.00")
	v.post(create, url.Values{"first_name": {""}, "last_name": {"Diaz"}, "email": {"nothing"}, "role": {"user"}}).is(http.StatusUnprocessableEntity).sees("Enter a first name.")
	v.post(create, url.Values{"first_name": {"Dana"}, "last_name": {"Diaz"}, "email": {"dana@acme.example"}, "role": {"user"}}).is(http.StatusOK).
		sees("Dana Diaz was created", "Pending", "exactly the default permissions")
	found, err := w.bank.Users(t.Context(), cedar, "", 10)
	w.must(err)
	if len(found) != 1 || found[0].Permissions["wires.per_wire_limit"] != "500.00" {
		t.Fatalf("created: %+v", found)
	}
	dana := found[0]

	v.post(path(dana, "/invite"), url.Values{}).sees("Unable to invite user")
	v.post(path(dana, "/accounts"), url.Values{"version": {version(dana)}, "account/1001-op": {"off", "on"}, "account/1001-pay": {"off"}}).sees("Saved")
	dana = w.look(dana.Ref)
	if _, has := dana.Accounts["1001-op"]; !has || len(dana.Accounts) != 1 {
		t.Fatalf("accounts: %+v", dana.Accounts)
	}
	v.post(path(dana, "/invite"), url.Values{}).sees("Invitation sent successfully", "Invited", "by Kim Park")
	if len(w.letters) != 1 || w.letters[0].To != "dana@acme.example" || w.letters[0].AskedBy != "Kim Park" {
		t.Errorf("letters %+v", w.letters)
	}

	v.post(path(dana, "/edit"), url.Values{"version": {version(dana)}, "first_name": {"Dana"}, "last_name": {"Dias"}, "email": {"dana@acme.example"}, "role": {"admin"}}).sees("Saved", "Dana Dias", "Admin", "Name", "Dana Diaz")
	dana = w.look(dana.Ref)
	v.post(path(dana, "/hold"), url.Values{"version": {version(dana)}, "held": {"true"}}).sees("Dana Dias's account access is temporarily on hold.")
	dana = w.look(dana.Ref)
	v.post(path(dana, "/hold"), url.Values{"version": {version(dana)}, "held": {"false"}}).sees("The hold on Dana Dias's account access has been removed")
	dana = w.look(dana.Ref)
	v.post(path(dana, "/status"), url.Values{"version": {version(dana)}, "status": {"active"}}).sees("The status of Dana Dias is Active")
	dana = w.look(dana.Ref)
	v.post(path(dana, "/status"), url.Values{"version": {version(dana)}, "status": {"pending"}}).is(http.StatusUnprocessableEntity).sees("Nobody becomes pending again.")
	v.post(path(dana, "/status"), url.Values{"version": {version(dana)}, "status": {"disabled"}}).sees("A disabled user stays disabled.")
	dana = w.look(dana.Ref)
	v.post(path(dana, "/status"), url.Values{"version": {"1"}, "status": {"active"}}).is(http.StatusConflict)

	v.get(path(dana, "/delete")).sees("Delete Dana Dias?", "This cannot be undone.")
	v.post(path(dana, "/delete"), url.Values{"version": {version(dana)}}).at("/cedar/backoffice/organizations/1001").sees("Dana Dias was successfully deleted")
	v.get(path(dana, "")).is(http.StatusNotFound)
	if gone := w.look(dana.Ref); !gone.Deleted {
		t.Errorf("still there: %+v", gone)
	}
}

// Permissions of a user and of one account, with what differs from the defaults.
func TestPermissions(t *testing.T) {
	w := newWorld(t)
	v := w.staff(everything...)
	u := w.make(acme, "Dana", bank.RoleUser, bank.StatusActive)
	v.get(path(u, "/permissions")).sees("User permissions", "Wires", "Per wire limit", "Full edit/create")
	v.post(path(u, "/permissions"), url.Values{"version": {version(u)}, "wires.per_wire_limit": {"a lot"}, "stops.enabled": {"off", "on"}}).is(http.StatusUnprocessableEntity).sees("Write an amount like $25,000.00")
	v.post(path(u, "/permissions"), url.Values{"version": {version(u)}, "wires.per_wire_limit": {"$25,000.00"}, "stops.enabled": {"off", "on"}, "transfers.enabled": {"off"}, "ach.edit_create_level": {"full"}}).is(http.StatusOK).sees("Saved")
	u = w.look(u.Ref)
	if got := u.Permissions; got["wires.per_wire_limit"] != "25000.00" || got["stops.enabled"] != "true" || got["transfers.enabled"] != "" {
		t.Errorf("permissions %v", got)
	}
	v.get(path(u, "")).sees("Differs from defaults", "Wires: Per wire limit $25,000.00 $500.00", "Transfers: Enabled Off On", "Stop payments: Enabled On Off", "BackOffice")

	at := path(u, "/accounts/1001-pay")
	v.get(at).sees("Payroll ·· 8765", "Account access on Payroll")
	v.post(at, url.Values{"version": {version(u)}, "account.access": {"off", "on"}, "stops.view": {"off", "on"}}).sees("Saved")
	u = w.look(u.Ref)
	if on := u.Accounts["1001-pay"]; len(on) != 1 || on["stops.view"] != "true" {
		t.Errorf("on the account: %v", u.Accounts)
	}
	v.post(at, url.Values{"version": {version(u)}, "account.access": {"off"}, "stops.view": {"off", "on"}}).sees("Saved")
	if _, has := w.look(u.Ref).Accounts["1001-pay"]; has {
		t.Error("access was not taken away")
	}
	v.get(path(u, "/accounts/1002-op")).is(http.StatusNotFound)
}

func TestDefaults(t *testing.T) {
	w := newWorld(t)
	v := w.staff(everything...)
	v.get("/cedar/backoffice/defaults").sees("Viewer", "Transfers: Enabled")
	v.post("/cedar/backoffice/defaults/viewer", url.Values{"version": {"1"}, "cards.enabled": {"off", "on"}, "wires.per_wire_limit": {""}}).sees("Saved")
	if u := w.make(acme, "Vic", bank.RoleViewer, bank.StatusActive); u.Permissions["cards.enabled"] != "true" || u.Permissions["wires.per_wire_limit"] != "" || u.Permissions["transfers.enabled"] != "true" {
		t.Errorf("a new viewer gets %v", u.Permissions)
	}
	v.post("/cedar/backoffice/defaults/viewer", url.Values{"version": {"1"}}).is(http.StatusConflict)
	v.get("/cedar/backoffice/defaults/owner").is(http.StatusNotFound)
}

// Who may only look changes nothing, who may nothing sees nothing, and who is
// not signed in is sent to the entrance.
func TestWhoMayInBackOffice(t *testing.T) {
	w := newWorld(t)
	u := w.make(acme, "Dana", bank.RoleUser, bank.StatusActive)
	looks, none, nobody := w.staff("backoffice.users.view"), w.staff(), w.visitor()
	looks.get(path(u, "")).is(http.StatusOK).missing("Set status", "Delete user")
	looks.get(path(u, "/permissions")).is(http.StatusOK).missing("Save changes")
	for _, change := range []string{"/permissions", "/accounts", "/status", "/hold", "/delete", "/edit", "/invite", "/accounts/1001-op"} {
		for name, v := range map[string]*visitor{"looks": looks, "none": none} {
			if p := v.post(path(u, change), url.Values{"version": {version(u)}, "status": {"disabled"}, "held": {"true"}}); p.status != http.StatusForbidden {
				t.Errorf("%s at %s: %d", name, change, p.status)
			}
		}
	}
	looks.post("/cedar/backoffice/defaults/user", url.Values{"version": {"1"}}).is(http.StatusForbidden)
	none.get("/cedar/backoffice/organizations").is(http.StatusForbidden).sees("View users")
	nobody.get(path(u, "")).at("/cedar/backoffice/sign-in").missing("Dana")
	nobody.post(path(u, "/status"), url.Values{}).missing("Dana")
	if now := w.look(u.Ref); now.Version != u.Version {
		t.Errorf("somebody changed %+v", now)
	}
	elsewhere := looks.get("/elm/backoffice/organizations")
	elsewhere.at("/elm/backoffice/sign-in") // signed in at another institution
	looks.post("/cedar/backoffice/sign-out", url.Values{})
	looks.get("/cedar/backoffice/organizations").at("/cedar/backoffice/sign-in")
}
