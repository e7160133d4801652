package console_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"mandate/internal/activity"
	"mandate/internal/application"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/identity"
	"mandate/internal/staff"
)

// The acceptance vectors of staff, each tried as a browser without scripts does:
//
//	38  TestVector38StaffUnlock (people_help_test.go); by an admin: web/online
//	39  TestVector39ThroughPeople (people_help_test.go); by the room: usermgmt
//	40  web/online
//	41  TestVector41AnInvitationNeedsAnAddressAndAGroup
//	42  TestVector42OneGroupOfEitherKindIsEnough
//	43  TestVector43RightsAreTheUnionOfTheGroups
//	44  TestVector44And45NothingHappensBeforeAGroupIsSaved
//	45  the same
//	46  TestVector46DeletingAGroupKeepsItsUsers
//	47  TestVector47FiveWrongPasswordsLockAndAnotherUnlocks
//	48  TestVector48SecurityIsReadOnlyWithoutASecondFactor (people_help_test.go)
//	49  TestVector49OutsideOnlyIsRefusedHere; with a provider: federation
//	50  TestVector50WithoutPermissionsNoAppIsSeen; at a product: oidc
//	51  TestVector51WhatStaffDoLeavesOneEvent; what admins do: web/online
//	52  TestVector52PermissionChangesAreFoundUnderPermissions

func TestVector41AnInvitationNeedsAnAddressAndAGroup(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		none := string(w.group("No Permissions"))
		root := w.as("root")
		root.post("/cedar/users/invite", url.Values{"emails": {"a@x.example"}}).says(t, "Choose at least one group.")
		root.post("/cedar/users/invite", url.Values{"groups": {none}}).says(t, "Enter at least one email address.")
		root.proven("/cedar/users/invite", url.Values{"emails": {"a@x.example, b@x.example"}, "groups": {none}}).says(t, "2 invitations sent")
		root.get("/cedar/users?status=pending").says(t, "2 of 3 users", "a@x.example", "b@x.example")
	})
}

// A group of a product alone is as good as one of the console: here one group of
// either kind is enough.
func TestVector42OneGroupOfEitherKindIsEnough(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		root := w.as("root")
		root.proven("/cedar/applications/new", product("Wire desk")).says(t, "The secret of Wire desk")
		page, err := w.apps.List(t.Context(), operator, application.Query{})
		w.must(err)
		id := string(page.Applications[0].ID)
		root.post("/cedar/applications/"+id+"/permissions/save", url.Values{"declaration": {wirePermissions}}).says(t, "The permissions were declared")
		ofProduct := root.proven("/cedar/groups/new", url.Values{"name": {"Releasers"}, "product": {id}, "right.wires.release": {"on"}})
		ofProduct.says(t, "The group was created")
		w.groups["Releasers"] = staffGroup(ofProduct.url)
		for name, group := range map[string]bank.GroupID{"pat": w.groups["Releasers"], "con": w.group("No Permissions")} {
			root.proven("/cedar/users/invite", url.Values{"emails": {address(name)}, "groups": {string(group)}}).says(t, "1 invitation sent")
			w.join(name)
			w.as(name).get("/cedar/home").says(t, "Nothing to do here")
		}
	})
}

func TestVector43RightsAreTheUnionOfTheGroups(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.group("Writers", catalog.CMSPagesEdit)
		w.group("Publishers", catalog.CMSPagesPublish)
		ada := w.add("ada", "Writers", "Publishers")
		w.as("ada").get("/cedar/home").says(t, "View pages, Edit pages, Publish pages")
		root, at := w.as("root"), "/cedar/users/"+string(ada)
		root.get(at).says(t, "View pages Yes Publishers Writers", "Edit pages Yes Writers", "Publish pages Yes Publishers")
		root.post(at+"/groups", url.Values{"version": {"2"}, "groups": {string(w.groups["Publishers"])}}).says(t, "Groups saved")
		w.as("ada").get("/cedar/home").says(t, "View pages, Publish pages")
	})
}

func TestVector44And45NothingHappensBeforeAGroupIsSaved(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		at := "/cedar/groups/" + string(w.group("Editors"))
		w.add("ada", "Editors")
		root := w.as("root")
		form := url.Values{"name": {"Editors"}, "version": {"1"}, "permission.cms.pages.delete": {"on"}}
		root.post(at+"/review", form).says(t, "The group permits “View pages”.", "The group permits “Delete pages”.", "Nothing has been saved yet.")
		w.as("ada").get("/cedar/home").says(t, "Nothing to do here")
		root.proven(at+"/save", form).says(t, "The group was saved")
		w.as("ada").get("/cedar/home").says(t, "View pages, Delete pages")
	})
}

func TestVector46DeletingAGroupKeepsItsUsers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.group("Editors", catalog.CMSPagesEdit)
		w.group("No Permissions")
		w.add("ada", "Editors", "No Permissions")
		root := w.as("root")
		root.proven("/cedar/groups/"+string(w.groups["Editors"])+"/delete", url.Values{}).says(t, "The group was deleted")
		root.get("/cedar/users").says(t, "Ada Cedar")
		w.as("ada").get("/cedar/home").says(t, "By your groups: No Permissions.")
	})
}

func TestVector47FiveWrongPasswordsLockAndAnotherUnlocks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.group("Help desk", catalog.StaffUsersUnlock)
		ada := w.add("ada", "Help desk")
		w.add("hal", "Help desk")
		for range 4 {
			w.visitor().post("/cedar/sign-in", url.Values{"username": {address("ada")}, "password": {"wrong"}})
		}
		w.as("ada") // four are forgotten by a right one
		for range 5 {
			w.visitor().post("/cedar/sign-in", url.Values{"username": {address("ada")}, "password": {"wrong"}})
		}
		if got := w.visitor().signIn("ada"); strings.HasSuffix(got.url, "/home") {
			t.Fatal("the right password signs in somebody who is locked")
		}
		w.as("hal").post("/cedar/users/"+string(ada)+"/unlock", url.Values{}).says(t, "User successfully unlocked")
		w.as("ada")
	})
}

// Whoever is permitted to come in by the outside provider alone is refused here,
// with the right password and the reason.
func TestVector49OutsideOnlyIsRefusedHere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.group("Tellers", catalog.PeopleViewAll)
		w.add("ada", "Tellers")
		w.must(w.staff.SetProvider(t.Context(), operator, 0, identity.Provider{Issuer: "https://id.cedar.example", ClientID: "mandate", Label: "Cedar ID"}, "a secret of Cedar ID"))
		w.as("ada")
		g, err := w.staff.Group(t.Context(), operator, w.groups["Tellers"])
		w.must(err)
		g.Permissions = catalog.StaffSetOf(catalog.PeopleViewAll, catalog.StaffSignInOutside)
		w.must(w.staff.EditGroup(t.Context(), operator, g.ID, g.Version, g.Draft))
		got := w.visitor().signIn("ada")
		got.says(t, "None of your groups permits signing in with a password here.")
		if strings.HasSuffix(got.url, "/home") {
			t.Errorf("signed in to %s", got.url)
		}
	})
}

func TestVector50WithoutPermissionsNoAppIsSeen(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		root := w.as("root")
		page := root.get("/cedar/groups/new?start=no-permissions")
		page.says(t, "No permissions", "Set them up there first")
		if !strings.Contains(page.body, `value="No Permissions"`) {
			t.Error("the ready-made group does not fill in its name")
		}
		got := root.post("/cedar/groups/new", url.Values{"name": {"No Permissions"}})
		got.says(t, "The group was created")
		w.groups["No Permissions"] = staffGroup(got.url)
		w.add("tom", "No Permissions")
		tom := w.as("tom")
		tom.get("/cedar/home").says(t, "Nothing to do here")
		tom.get("/cedar/home").saysNot(t, "Organizations", "Who works here", "Approvals")
		for _, path := range []string{"/cedar/users", "/cedar/groups", "/cedar/people"} {
			if got := tom.get(path); got.status != 403 {
				t.Errorf("%s: %d", path, got.status)
			}
		}
	})
}

// What staff do in People leaves one event, with what was and what is, who did it
// and where; what is refused is kept as refused.
func TestVector51WhatStaffDoLeavesOneEvent(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.customer().support()
		val, _ := w.strong("val")
		sam, bo := w.as("sam"), w.as("bo")
		for _, c := range []struct {
			does     *visitor
			who      string
			path     string
			form     url.Values
			event    string
			refused  string // the event of the attempt
			old, new string
		}{
			{sam, "Sam Cedar", atDana + "/permissions/save", url.Values{"version": {"0"}, "set": {"transfers.enabled=true"}}, "orguser.entitlement_changed", "orguser.permission_changed", "false", "true"},
			{sam, "Sam Cedar", atDana + "/name", url.Values{"preferred_name": {"Danny"}}, "orguser.preferred_name_changed", "orguser.preferred_name_changed", "", "Danny"},
			{val, "Val Cedar", atLee + "/unlock", url.Values{}, "orguser.unlocked", "orguser.unlocked", "locked", "active"},
			{sam, "Sam Cedar", atNorthwind + "/permissions/save", url.Values{"was.wires.enabled": {"on"}, "was.transfers.enabled": {"on"}, "was.user_management.enabled": {"on"},
				"was.ceiling.wires.per_wire_limit": {"$50,000.00"}, "transfers.enabled": {"off"}}, "org.entitlement_changed", "org.entitlement_changed", "true", "false"},
		} {
			names := activity.Filter{Names: []string{c.event, c.refused}}
			before := len(w.events(names))
			if got := bo.post(c.path, c.form); got.status != 403 {
				t.Errorf("%s by somebody who may only look: %d", c.path, got.status)
			}
			w.tells(c.refused, true, "Bo Cedar")
			if got := c.does.post(c.path, c.form); got.status != 200 {
				t.Fatalf("%s: %d %s", c.path, got.status, got.text())
			}
			if n := len(w.events(names)) - before; n != 2 {
				t.Errorf("%s left %d events, want what was refused and what was done", c.path, n)
			}
			if e := w.tells(c.event, false, c.who); !slices.ContainsFunc(e.Changes, func(d activity.Change) bool { return d.Old == c.old && d.New == c.new }) {
				t.Errorf("%s says %+v", c.event, e.Changes)
			}
		}
	})
}

// Changes of permissions are found under that kind, of one member and of all.
func TestVector52PermissionChangesAreFoundUnderPermissions(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.customer().support().auditor()
		sam := w.as("sam")
		sam.post(atDana+"/permissions/save", url.Values{"version": {"0"}, "set": {"wires.enabled=false"}}).says(t, "Permissions saved")
		sam.post(atDana+"/name", url.Values{"preferred_name": {"Danny"}}).says(t, "Preferred name saved")
		for who, feed := range map[string]string{"sam": atDana + "/activity", "ada": "/cedar/activity"} {
			of := w.as(who)
			of.get(feed).says(t, "User: Permissions")
			found := of.get(feed + "?kind=permissions")
			found.says(t, "Wires enabled", "Sam Cedar")
			found.saysNot(t, "changed the preferred name")
			of.get(feed+"?kind=profile").says(t, "changed the preferred name")
		}
	})
}

// The first example of the source: a group that is made from the ready-made one
// lets its members bring in everybody else, and gives nothing besides.
func TestBackOfficeAdministratorsFromTheReadyMadeGroup(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		root := w.as("root")
		page := root.get("/cedar/groups/new?start=back-office")
		form := url.Values{"name": {"Users & Groups Admin"}}
		for p := range staff.Starts()[0].Draft.Permissions.All() {
			if !strings.Contains(page.body, `name="permission.`+p.ID()+`" value="on" checked`) {
				t.Errorf("%s is not ticked", p)
			}
			form.Set("permission."+p.ID(), "on")
		}
		if strings.Contains(page.body, `name="permission.people.view_all" value="on" checked`) {
			t.Error("it gives People, too")
		}
		got := root.proven("/cedar/groups/new", form)
		got.says(t, "The group was created")
		w.groups["Users & Groups Admin"] = staffGroup(got.url)
		w.add("amy", "Users & Groups Admin")
		none := w.group("No Permissions")
		amy := w.as("amy")
		amy.proven("/cedar/users/invite", url.Values{"emails": {"new@cedar.example"}, "groups": {string(none)}}).says(t, "1 invitation sent")
		if got := amy.get("/cedar/people"); got.status != 403 {
			t.Errorf("People: %d", got.status)
		}
		// Whoever holds less is shown which boxes they cannot tick.
		w.group("Makers", catalog.StaffGroupsCreate)
		w.add("max", "Makers")
		w.as("max").get("/cedar/groups/new?start=back-office").says(t, "You do not hold this yourself.")
	})
}

// staffGroup is the group whose page an address is.
func staffGroup(address string) bank.GroupID {
	return bank.GroupID(address[strings.LastIndex(address, "/")+1:])
}
