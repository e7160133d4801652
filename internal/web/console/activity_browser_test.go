package console_test

import "testing"

// The activity is narrowed, the filter is kept and used, and what is new is
// counted and shown.
func TestActivityInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, w *world, p colleague) {
		w.customer().auditor()
		w.happens(didTo("dana", "hra.failed"), didTo("dana", "orguser.permission_changed"))
		p.signIn("ada")
		p.open("/cedar/activity?kind=high_risk")
		p.See("Ana Ruiz did not prove that it was them")
		p.NotSee("changed the permissions of Dana")
		p.Fill("Keep this filter as", "Failed proofs")
		p.Click("Keep filter")
		p.See("The filter “Failed proofs” was kept")
		p.open("/cedar/activity")
		p.See("changed the permissions of Dana")
		p.Click("Failed proofs")
		p.NotSee("changed the permissions of Dana")
		p.look("activity")
		w.happens(didTo("lee", "hra.failed"))
		p.Click("Look for new events")
		p.See("1 new event")
	})
}
