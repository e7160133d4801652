package console_test

import (
	"testing"

	"mandate/internal/catalog"
)

// From the sign-in to a saved group; every screen is looked at.
func TestUsersAndGroupsInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, w *world, p colleague) {
		w.group("Editors", catalog.CMSPagesEdit)
		w.group("No Permissions")
		ada := w.add("ada", "Editors")
		w.invite("eve", "No Permissions")
		p.open("/cedar/users")
		p.look("sign-in")
		p.Fill("Email", address("root"))
		p.Fill("Password", password)
		p.Click("Sign in")
		p.See("The staff of Cedar Bank.")
		p.look("users")
		p.Click("Invite users")
		if p.scripts {
			p.See("Enter at least one email address and choose at least one group, then it can be sent.")
			off := false
			if p.Eval(`document.querySelector("#invite-ready button").matches(":disabled, [aria-disabled=true]")`, &off); !off {
				t.Error("an invitation to nobody can be sent")
			}
		}
		p.Attach("CSV file", "people.csv", "text/csv", []byte("name,email\nAmy,amy@cedar.example\n"))
		p.Click("Add addresses")
		if got := p.Value("Email addresses"); got != "amy@cedar.example" {
			t.Errorf("from the file: %q", got)
		}
		p.Fill("Email addresses", "amy@cedar.example, nonsense")
		p.Set("No Permissions", true)
		if p.scripts {
			p.See("1 address gets an invitation; 1 is no address.")
		}
		p.look("invite")
		p.Click("Send invite")
		p.See("Before you invite 2 addresses.")
		p.confirm()
		p.See("1 invitation sent")
		p.look("invited")
		p.open("/cedar/users/" + string(ada))
		p.look("user")
		p.Click("Security")
		p.See("Password reset")
		p.look("user-security")
		p.open("/cedar/users/" + string(ada) + "/groups")
		p.look("user-groups")
		p.open("/cedar/groups")
		p.look("groups")
		p.Click("Editors")
		p.look("group")
		p.Set("Delete pages", true)
		p.Click("Review changes")
		p.See("The group permits “Delete pages”.")
		p.look("review")
		p.Click("Save")
		p.confirm()
		p.See("The group was saved")
		p.Click("Delete group")
		p.See("Delete Editors?")
		p.look("delete-group")
		p.open("/cedar/home")
		p.look("home")
		p.open("/cedar/account")
		p.look("account")
	})
}
