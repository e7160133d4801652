package console_test

import (
	"net/url"
	"strings"
	"testing"

	"mandate/internal/application"
	"mandate/internal/bank"
	"mandate/internal/catalog"
)

const (
	wirePermissions = `{"version": 1, "permissions": [
		{"id": "wires.view", "label": "View wires", "area": "Wires"},
		{"id": "wires.release", "label": "Release wires", "area": "Wires", "views": ["wires.view"]}]}`
	fewerPermissions = `{"version": 2, "permissions": [{"id": "wires.view", "label": "View wires", "area": "Wires"}]}`
)

// The second example of the source: who manages external applications, and who
// manages users and groups, are different people. A product declares its
// permissions, a group of it gives them, and what it no longer declares goes.
func TestDutiesAreSplitAndAProductHasGroupsOfItsOwn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		root := w.as("root")
		for _, start := range []struct{ id, name string }{{"users-groups", "Users &amp; Groups Admin"}, {"applications", "External applications"}} {
			page := root.get("/cedar/groups/new?start=" + start.id)
			if !strings.Contains(page.body, `value="`+start.name+`"`) {
				t.Errorf("the ready-made group %s does not begin with its name", start.id)
			}
		}
		w.group("Users & Groups Admin", catalog.StaffUsersInvite, catalog.StaffUsersAssignGroups, catalog.StaffGroupsCreate, catalog.StaffGroupsEdit)
		w.group("Applications", catalog.StaffExternalAppsManage)
		w.group("No Permissions")
		w.add("uma", "Users & Groups Admin")
		w.add("ann", "Applications")
		ned := w.add("ned", "No Permissions")
		uma, ann := w.as("uma"), w.as("ann")

		ann.proven("/cedar/applications/new", product("Wire desk")).says(t, "The secret of Wire desk")
		page, err := w.apps.List(t.Context(), operator, application.Query{})
		w.must(err)
		id := page.Applications[0].ID
		at := "/cedar/applications/" + string(id)
		ann.get(at).says(t, "It declares none.")
		ann.post(at+"/permissions", url.Values{"declaration": {`{"version": 1, "permissions": [{"id": "staff.users.invite", "label": "x"}]}`}}).says(t, "is a permission of the console")
		ann.post(at+"/permissions", url.Values{"declaration": {wirePermissions}}).says(t, "The first declaration: version 1", "View wires, Release wires", "Nothing has been saved yet.")
		ann.post(at+"/permissions/save", url.Values{"declaration": {wirePermissions}}).says(t, "The permissions were declared", "View wires, Release wires")
		uma.post(at+"/permissions/save", url.Values{"declaration": {fewerPermissions}}).says(t, "Your groups do not permit this.")
		if got := ann.get("/cedar/groups"); got.status != 403 {
			t.Errorf("who manages applications sees groups: %d", got.status)
		}

		// Neither half may be the first to give them; who holds both may.
		form := url.Values{"name": {"Releasers"}, "product": {string(id)}, "right.wires.release": {"on"}}
		uma.get("/cedar/groups/new").says(t, "A group of a product", "Wire desk")
		uma.get("/cedar/groups/new?product="+string(id)).says(t, "Wire desk: Wires", "Release wires You do not hold this yourself.")
		uma.post("/cedar/groups/new", form).says(t, "rights that you do not hold yourself: View wires (Wire desk), Release wires (Wire desk).")
		got := root.proven("/cedar/groups/new", form)
		got.says(t, "The group was created", "Releasers")
		group := got.url[strings.LastIndex(got.url, "/")+1:]
		if body := root.get("/cedar/groups/" + group).body; !strings.Contains(body, `name="right.wires.view" value="on" checked`) {
			t.Error("ticking Release did not tick View")
		}
		root.get("/cedar/groups").says(t, "2 rights of a product")
		uma.get("/cedar/groups/"+group).says(t, "(Release wires, View wires), so only somebody who holds it can change the group.")
		uma.get("/cedar/users/invite").says(t, "It permits what you do not hold yourself: Release wires, View wires.")
		root.proven("/cedar/users/"+string(ned)+"/groups", url.Values{"version": {"2"}, "groups": {group}}).says(t, "Groups saved")
		root.get("/cedar/users/"+string(ned)).says(t, "Wire desk", "Release wires Yes Releasers", "View wires Yes Releasers")

		change := url.Values{"name": {"Releasers"}, "version": {"1"}, "product": {string(id)}, "right.wires.view": {"on"}}
		root.post("/cedar/groups/"+group+"/review", change).says(t, "The group no longer permits “Release wires” in Wire desk.", "Ned Cedar None Release wires")

		ann.post(at+"/permissions", url.Values{"declaration": {fewerPermissions}}).says(t, "1 becomes 2", "Removed Release wires", "Releasers 1 member None Release wires")
		ann.proven(at+"/permissions/save", url.Values{"declaration": {fewerPermissions}}).says(t, "The permissions were declared")
		root.get("/cedar/users/"+string(ned)).saysNot(t, "Release wires")
		ann.post(at+"/permissions", url.Values{"declaration": {wirePermissions}}).says(t, "Version 2 is declared already.")
		ann.get(at+"/delete").says(t, "The group Releasers (1 member) stays and permits nothing any more.")
		ann.proven(at+"/delete", url.Values{}).says(t, "The application was deleted")
		root.get("/cedar/users/"+string(ned)).saysNot(t, "Wire desk", "View wires")
		root.get("/cedar/groups").says(t, "Releasers Nothing")
	})
}

// A product's declaration and its group, looked at.
func TestAProductsGroupInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, w *world, p colleague) {
		made, _, err := w.apps.Create(t.Context(), operator, application.Draft{Name: "Wire desk", Method: application.SecretBasic, Enabled: true,
			Grants: []application.Grant{application.GrantCode}, Scopes: []string{"openid"}, Redirects: []string{"https://wires.example/return"}})
		w.must(err)
		p.signIn("root")
		p.open("/cedar/applications/" + string(made.ID) + "/permissions")
		p.Fill("Declaration", strings.Join(strings.Fields(wirePermissions), " "))
		p.Click("Review changes")
		p.See("The first declaration: version 1")
		p.look("declaration")
		p.Click("Declare")
		p.See("The permissions were declared")
		p.open("/cedar/groups/new?product=" + string(bank.ApplicationID(made.ID)))
		p.Fill("Name", "Releasers")
		p.Set("Release wires", true)
		p.look("product-group-new")
		p.Click("Create group")
		p.confirm()
		p.See("The group was created")
		p.look("product-group")
	})
}
