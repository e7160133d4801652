package console_test

import (
	"net/url"
	"strings"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/staff"
)

// The acceptance vectors of staff that a browser without scripts can try.
// 38, 39, 48, 51 and 52 are about customers and stand with People and Activity;
// 42 and 49 with products and federation.

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
