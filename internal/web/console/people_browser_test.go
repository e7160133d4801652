package console_test

import (
	"testing"

	"mandate/internal/bank"
)

// From the search to a member, who is unlocked and helped, and whose entitlements
// are switched; every screen is looked at.
func TestPeopleInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, w *world, p colleague) {
		w.customer().support()
		p.signIn("sam")
		p.open("/cedar/people?kind=member")
		p.Fill("Keep this filter as", "Only people")
		p.Set("Begin with it", true)
		p.Click("Keep filter")
		p.See("The filter “Only people” was kept")
		p.open("/cedar/people")
		p.See("Begins with it")
		p.look("people")
		p.open("/cedar/people?q=lee")
		p.Click("Lee Tran")
		p.See("Lee Tran's account access is locked due to multiple incorrect login attempts.")
		p.look("people-member-locked")
		p.Click("Unlock")
		p.See("User successfully unlocked")
		p.look("people-unlocked")
		if got := w.member("lee").Status; got != bank.StatusActive {
			t.Errorf("after Unlock: %v", got)
		}
		p.open(atIngrid)
		p.See("Only an admin at their organization can remove the hold on their account.")
		p.look("people-member-held")
		p.open(atDana + "/permissions")
		p.look("people-permissions")
		p.Within("Wires").Set("Enabled", false)
		p.Click("Review changes")
		p.See("Dana Reyes may no longer send a wire")
		p.look("people-permissions-review")
		p.Click("Save changes")
		p.See("Permissions saved")
		p.open(atDana + "/name")
		p.Fill("Preferred name", "Danny")
		p.look("people-name")
		p.Click("Save")
		p.See("Preferred name saved")
		p.open(atDana + "/cases")
		p.Fill("What is it about?", "Cannot send wires")
		p.Click("Open case")
		p.See("Case #1 was opened")
		p.look("people-cases")
		p.open(atDana + "/security")
		p.look("people-security")
		p.open(atNorthwind)
		p.look("people-organization")
		p.open(atNorthwind + "/permissions")
		p.look("people-organization-permissions")
	})
}
