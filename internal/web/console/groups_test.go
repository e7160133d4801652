package console_test

import (
	"net/url"
	"strings"
	"testing"

	"mandate/internal/catalog"
	"mandate/internal/identity"
)

// The three examples of the source: a back office administrator, duties that
// are split, and "No Permissions".
func TestUsersAndGroupsFromTheFirstAdministratorOn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		root := w.as("root")
		create := func(name string, permissions ...string) string {
			form := url.Values{"name": {name}}
			for _, p := range permissions {
				form.Set("permission."+p, "on")
			}
			send := root.post
			if len(permissions) > 0 {
				send = root.proven
			}
			got := send("/cedar/groups/new", form)
			got.says(t, "The group was created", name)
			return got.url[strings.LastIndex(got.url, "/")+1:]
		}
		admins := create("Users & Groups Admin", "staff.users.invite", "staff.users.assign_groups", "staff.users.unlock", "staff.users.delete",
			"staff.users.edit", "staff.users.reset_password", "staff.groups.create", "staff.groups.edit", "staff.groups.delete")
		apps := create("External applications", "staff.external_apps.manage")
		none := create("No Permissions")
		root.post("/cedar/groups/new", url.Values{"name": {"no permissions"}}).says(t, "There is a group called No Permissions already.")

		root.post("/cedar/users/invite", url.Values{"emails": {""}}).says(t, "Enter at least one email address.", "Choose at least one group.")
		got := root.proven("/cedar/users/invite", url.Values{"emails": {"amy@cedar.example, ed@cedar.example\nnonsense"}, "groups": {admins}})
		got.says(t, "2 invitations sent", "amy@cedar.example Invited", "nonsense Not invited", "Enter an email address like name@example.com.")
		w.join("amy")

		amy := w.as("amy")
		page := amy.get("/cedar/users")
		page.says(t, "3 users", "Amy Cedar", "ed@cedar.example", "Has not joined yet", "Invited")
		amy.get("/cedar/users?q=amy").says(t, "1 of 3 users")
		amy.get("/cedar/users?group="+apps).says(t, "Nobody fits")
		// Amy may give what Amy holds, and nothing above.
		amy.get("/cedar/users/invite").says(t, "It permits what you do not hold yourself: Manage external applications.")
		refused := amy.post("/cedar/users/invite", url.Values{"emails": {"x@cedar.example"}, "groups": {apps}})
		refused.says(t, "You can’t give somebody the group External applications, which has rights that you do not hold yourself: Manage external applications.")
		if refused.status != 403 {
			t.Errorf("inviting above oneself: %d", refused.status)
		}
		amy.get("/cedar/groups/"+apps).says(t, "so only somebody who holds it can change the group.")
		if body := amy.get("/cedar/users/" + string(w.users["root"])).body; strings.Contains(body, "/edit\"") || strings.Contains(body, "/delete\"") {
			t.Error("somebody above can be edited or deleted")
		}
		got = amy.proven("/cedar/users/invite", url.Values{"emails": {"tom@cedar.example"}, "groups": {none}})
		got.says(t, "1 invitation sent")
		w.join("tom")
		w.as("tom").get("/cedar/home").says(t, "Nothing to do here")
		if got := w.as("tom").get("/cedar/users"); got.status != 403 {
			t.Errorf("somebody without rights sees the users: %d", got.status)
		}
	})
}

// Vectors 44 and 45: ticking Delete pages ticks View pages, and nothing happens
// before it is saved.
func TestAGroupIsReviewedBeforeItIsSaved(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id := string(w.group("Editors", catalog.CMSPagesEdit))
		w.add("ada", "Editors")
		root := w.as("root")
		at := "/cedar/groups/" + id
		form := url.Values{"name": {"Editors"}, "version": {"1"}, "permission.cms.pages.delete": {"on"}, "second_factor": {"off", "on"}, "second_factor_from": {"2026-04-01"}}
		root.post(at+"/review", form).says(t, "The group permits “Delete pages”.", "The group no longer permits “Edit pages”.",
			"A second factor is required from Apr 1, 2026 on.", "Ada Cedar Delete pages Edit pages", "Who must add a second factor", "Nothing has been saved yet.")
		w.as("ada").get("/cedar/home").says(t, "View pages, Edit pages")
		if got := root.post(at, form); !strings.Contains(got.body, `name="permission.cms.pages.delete" value="on" checked`) {
			t.Error("going on editing has lost what was ticked")
		}
		root.proven(at+"/save", form).says(t, "The group was saved")
		w.as("ada").get("/cedar/home").says(t, "View pages, Delete pages")
		root.post(at+"/save", form).says(t, "Somebody else changed this meanwhile")
		form.Set("second_factor_from", "")
		form.Set("version", "2")
		root.post(at+"/review", form).says(t, "Enter a date like 2026-03-02, or switch the requirement off.")
	})
}

// Vector 46.
func TestDeletingAGroupAsksForAReplacement(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.group("Editors", catalog.CMSPagesEdit)
		w.group("Readers", catalog.CMSPagesView)
		w.add("ada", "Editors")
		root := w.as("root")
		at := "/cedar/groups/" + string(w.groups["Editors"])
		root.get(at+"/delete").says(t, "Delete Editors?", "Its 1 member stays.")
		root.post(at+"/delete", url.Values{"replacement": {""}}).says(t, "Editors is the only group of Ada Cedar. Choose another one for them.")
		root.proven(at+"/delete", url.Values{"replacement": {string(w.groups["Readers"])}}).says(t, "The group was deleted", "Readers")
		w.as("ada").get("/cedar/home").says(t, "By your groups: Readers.")
		everything := root.get("/cedar/groups").body
		i := strings.Index(everything, "/cedar/groups/grp_")
		root.post(everything[i:i+len("/cedar/groups/grp_")+36]+"/delete", url.Values{"replacement": {string(w.groups["Readers"])}}).says(t, "Confirm that it is you")
	})
}

func TestAUserIsLookedAfter(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.group("Support", catalog.PeopleManageAll)
		w.group("Help desk", catalog.StaffUsersUnlock)
		ada, hal := w.add("ada", "Support"), w.add("hal", "Help desk")
		root, desk := w.as("root"), w.as("hal")
		at := "/cedar/users/" + string(ada)
		root.get(at).says(t, "Manage everything Yes Support", "Suspend users Yes Support", "View pages No No group")
		root.proven(at+"/groups", url.Values{"version": {"2"}, "groups": {string(w.groups["Help desk"]), string(w.groups["Support"])}}).says(t, "Groups saved")
		root.post(at+"/groups", url.Values{"version": {"2"}, "groups": {string(w.groups["Support"])}}).says(t, "Somebody else changed this meanwhile")
		root.post(at+"/groups", url.Values{"version": {"3"}}).says(t, "Choose at least one group.")
		root.post(at+"/edit", url.Values{"version": {"3"}, "first_name": {"Adele"}, "last_name": {"Cedar"}, "phone": {"555"}}).says(t, "Profile saved", "Adele Cedar", "555")

		// Vector 47, and a reset that does not unlock.
		for range 5 {
			w.visitor().post("/cedar/sign-in", url.Values{"username": {address("ada")}, "password": {"wrong"}})
		}
		desk.get(at).says(t, "Adele Cedar's account access is locked due to multiple incorrect login attempts.", "Unlock")
		if body := desk.get(at + "/security").body; strings.Contains(body, at+"/reset") || strings.Contains(body, at+"/edit") {
			t.Error("the help desk is offered what it may not do")
		}
		desk.post(at+"/reset", url.Values{}).says(t, "Your groups do not permit this.")
		root.post(at+"/reset", url.Values{}).says(t, "Sent password reset link successfully", "Sent to ada@cedar.example")
		root.get(at+"/security").says(t, "locked")
		desk.post(at+"/unlock", url.Values{}).says(t, "User successfully unlocked")
		w.as("ada")

		root.get(at+"/delete").says(t, "Delete Adele Cedar?")
		root.proven(at+"/delete", url.Values{}).says(t, "Adele Cedar was successfully deleted")
		if got := root.get(at); got.status != 404 {
			t.Errorf("a deleted user: %d", got.status)
		}
		if got := w.visitor().signIn("ada"); !strings.Contains(got.text(), identity.ErrSignIn.Sentence) {
			t.Errorf("sign in after the deletion: %s", got.text())
		}
		root.post("/cedar/users/"+string(hal)+"/cancel", url.Values{}).says(t, "There is no open invitation to cancel.")
		eve := w.invite("eve", "Support")
		root.post("/cedar/users/"+string(eve)+"/invite", url.Values{}).says(t, "Invitation sent successfully", "eve@cedar.example was invited and has not joined yet.")
		root.post("/cedar/users/"+string(eve)+"/cancel", url.Values{}).says(t, "The invitation was cancelled")
	})
}

// Without a sign-in every page leads to the sign-in.
func TestNothingIsOpenToStrangers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.visitor()
		for _, path := range []string{"/cedar/users", "/cedar/users/invite", "/cedar/groups", "/cedar/groups/new", "/cedar/home", "/cedar/account", "/cedar/security"} {
			if got := v.get(path); !strings.HasPrefix(got.url, "/cedar/sign-in") {
				t.Errorf("%s is open to strangers: %s", path, got.url)
			}
		}
	})
}
