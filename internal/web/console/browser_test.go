package console_test

import (
	"testing"

	"mandate/internal/catalog"
	"mandate/internal/db/dbtest"
	"mandate/internal/web/browsertest"
)

// From the sign-in to a saved group, in a browser; every screen is
// looked at.
func TestUsersAndGroupsInABrowser(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.group("Editors", catalog.CMSPagesEdit)
	w.group("No Permissions")
	ada := w.add("ada", "Editors")
	w.invite("eve", "No Permissions")
	p := browsertest.Open(t)
	p.Goto(w.server.URL + "/cedar/users")
	p.Look("console-sign-in")
	p.Fill("Email", address("root"))
	p.Fill("Password", password)
	p.Click("Sign in")
	p.See("The staff of Cedar Bank.")
	p.Look("console-users")
	p.Click("Invite users")
	p.Fill("Email addresses", "amy@cedar.example, nonsense")
	p.Set("No Permissions", true)
	p.Look("console-invite")
	p.Click("Send invite")
	p.See("Before you invite 2 addresses.")
	p.Fill("Password", password)
	p.Click("Confirm")
	p.See("1 invitation sent")
	p.Look("console-invited")
	p.Goto(w.server.URL + "/cedar/users/" + string(ada))
	p.Look("console-user")
	p.Click("Security")
	p.See("Password reset")
	p.Look("console-user-security")
	p.Goto(w.server.URL + "/cedar/users/" + string(ada) + "/groups")
	p.Look("console-user-groups")
	p.Goto(w.server.URL + "/cedar/groups")
	p.Look("console-groups")
	p.Click("Editors")
	p.Look("console-group")
	p.Set("Delete pages", true)
	p.Click("Review changes")
	p.See("The group permits “Delete pages”.")
	p.Look("console-review")
	p.Click("Save")
	p.Fill("Password", password)
	p.Click("Confirm")
	p.See("The group was saved")
	p.Click("Delete group")
	p.See("Delete Editors?")
	p.Look("console-delete-group")
	p.Goto(w.server.URL + "/cedar/home")
	p.Look("console-home")
	p.Goto(w.server.URL + "/cedar/account")
	p.Look("console-account")
}
