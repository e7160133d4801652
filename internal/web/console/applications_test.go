package console_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"mandate/internal/application"
	"mandate/internal/catalog"
	"mandate/internal/identity"
)

// product is the form of a product that signs people in by a secret.
func product(name string) url.Values {
	return url.Values{"name": {name}, "enabled": {"off", "on"}, "method": {"client_secret_basic"}, "grant.authorization_code": {"on"}, "scope.openid": {"on"},
		"redirects": {"https://ledger.example/return\nhttp://localhost:9000/return"}}
}

var shownSecret = regexp.MustCompile(`ms_[A-Za-z0-9_-]{43}`)

// The second example's other half: who manages external applications need not
// be who manages users and groups.
func TestExternalApplicationsAreManagedByWhoMay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.group("Applications", catalog.StaffExternalAppsManage)
		w.group("Users & Groups Admin", catalog.StaffUsersInvite, catalog.StaffGroupsEdit)
		w.add("ann", "Applications")
		w.add("uma", "Users & Groups Admin")
		ann, uma := w.as("ann"), w.as("uma")
		uma.get("/cedar/home").saysNot(t, "External applications")
		for _, path := range []string{"", "/new"} {
			if got := uma.get("/cedar/applications" + path); path == "" && got.status != 403 {
				t.Errorf("who lacks the right sees %s: %d", got.url, got.status)
			}
		}
		uma.post("/cedar/applications/new", product("Mine")).says(t, "Your groups do not permit this.")
		ann.get("/cedar/home").says(t, "External applications")
		ann.get("/cedar/applications").says(t, "No applications yet")

		wrong := product(" ")
		wrong.Set("redirects", "http://ledger.example/return\nhttps://*.example/")
		wrong.Set("method", "none")
		ann.post("/cedar/applications/new", wrong).says(t, "Give the application a name.", "Choose how the application proves who it is.",
			"The address must begin with https://.", "A wildcard is not possible")

		got := ann.proven("/cedar/applications/new", product("Ledger"))
		got.says(t, "The secret of Ledger", "This is shown only now")
		first := shownSecret.FindString(got.body)
		page, err := w.apps.List(t.Context(), operator, application.Query{})
		w.must(err)
		a := page.Applications[0]
		if !a.Proves(identity.Secret(first), w.clock.Now()) {
			t.Fatalf("the secret that was shown does not work: %q", first)
		}
		at := "/cedar/applications/" + string(a.ID)
		ann.get(at).says(t, "Ledger", "On", "Sign staff users in", "https://ledger.example/return", "http://localhost:9000/return", "Last used Never")
		if strings.Contains(ann.get(at).body, first) {
			t.Error("the secret is shown again")
		}
		ann.get("/cedar/applications?q=LEDG").says(t, "1 application “LEDG”", "Signs staff users in")
		ann.get("/cedar/applications?q=nothing").says(t, "No application fits")

		edit := product("Ledger")
		edit.Set("revision", "1")
		edit.Set("groups", "on")
		ann.proven(at+"/edit", edit).says(t, "The application was saved", "The groups of whoever signs in")
		ann.post(at+"/edit", edit).says(t, "Somebody else changed this meanwhile")
		got = ann.proven(at+"/secret", url.Values{"overlap": {"24h"}})
		second := shownSecret.FindString(got.body)
		a, err = w.apps.Get(t.Context(), operator, a.ID)
		w.must(err)
		if second == first || !a.Proves(identity.Secret(first), w.clock.Now()) || !a.Proves(identity.Secret(second), w.clock.Now()) || a.Proves(identity.Secret(first), w.clock.Now().Add(24*time.Hour)) {
			t.Error("the secrets do not overlap for a day")
		}
		ann.get(at).says(t, "the one before it works until")
		ann.get(at+"/secret").says(t, "The one before it, which still works, ends now.")
		ann.post(at+"/secret", url.Values{"overlap": {"9000h"}}).says(t, "Choose when the present secret ends.")
		ann.get(at+"/delete").says(t, "Delete Ledger?", "Nobody can sign in to it", "It was never used.")
		ann.proven(at+"/delete", url.Values{}).says(t, "The application was deleted", "No applications yet")
		if got := ann.get(at); got.status != 404 {
			t.Errorf("a deleted application: %d", got.status)
		}
	})
}

// A service may do what its staff user may, so whoever makes it must hold that.
func TestAServiceIsNoWayUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.group("Applications", catalog.StaffExternalAppsManage)
		w.group("Service", catalog.PeopleViewAll)
		w.group("No Permissions")
		w.add("ann", "Applications")
		w.add("robot", "Service")
		w.add("placeholder", "No Permissions")
		ann := w.as("ann")
		form := product("Night batch")
		form.Set("grant.client_credentials", "on")
		for who, says := range map[string]string{
			"": "Enter the email address of the staff user", "nobody": "There is no active user with the address nobody@cedar.example.",
			"robot": "You can’t let a service act for, or change the service of, somebody who has rights that you do not hold yourself: View everything.",
			"root":  "rights that you do not hold yourself",
		} {
			if who != "" {
				who = address(who)
			}
			form.Set("service", who)
			ann.post("/cedar/applications/new", form).says(t, says)
		}
		form.Set("service", address("placeholder"))
		ann.proven("/cedar/applications/new", form).says(t, "The secret of Night batch")
		page, err := w.apps.List(t.Context(), operator, application.Query{})
		w.must(err)
		if a := page.Applications[0]; a.Service != w.users["placeholder"] {
			t.Errorf("it acts for %q", a.Service)
		}
		ann.get("/cedar/applications/"+string(page.Applications[0].ID)).says(t, "Acts for placeholder@cedar.example, and may do what they may")
	})
}

// From no application to a replaced secret and a deletion; every screen is
// looked at.
func TestExternalApplicationsInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, w *world, p colleague) {
		p.signIn("root")
		p.Click("External applications")
		p.See("No applications yet")
		p.look("applications-none")
		p.Click("Add an application")
		p.Fill("Name", "Ledger")
		p.Fill("Made by", "Northwind Software")
		p.Click("Add application")
		p.See("Enter at least one address")
		p.look("application-wrong")
		p.Set("Secret in the header", true)
		p.Fill("Where people return to after they signed in", "https://ledger.example/return")
		p.Set("Email address", true)
		p.Click("Add application")
		p.confirm()
		p.See("This is shown only now")
		p.look("application-secret")
		p.Click("I have kept it")
		p.See("Compared letter by letter.")
		p.look("application")
		p.Click("Replace secret")
		p.See("Replace the secret of Ledger?")
		p.look("application-rotate")
		p.Set("At once", true)
		p.Click("Replace secret")
		p.confirm()
		p.See("This is shown only now")
		p.Click("I have kept it")
		p.Click("Edit")
		p.look("application-edit")
		p.Set("Let it in", false)
		p.Click("Save changes")
		p.See("This application is off")
		p.open("/cedar/applications")
		p.look("applications")
		p.Click("Ledger")
		p.Click("Delete application")
		p.See("Nobody can sign in to it")
		p.look("application-delete")
	})
}
