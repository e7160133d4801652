package online_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"mandate/internal/bank"
)

// What was typed is still there afterwards, whatever the answer.
func TestAuthorizationKeepsWhatWasTyped(t *testing.T) {
	eachOffice(t, func(o *office) {
		dana := o.as("dana")
		typed := url.Values{"note": {`a "quoted" <b>`}, "many": {"1", "2"}}
		asked := dana.post("/cedar/security/app", url.Values{"note": typed["note"], "many": typed["many"]})
		asked.says(t, "Confirm that it is you", "Before you add an authenticator app.", "nothing that you typed is lost")
		for _, answer := range []url.Values{{}, {"prove_password": {""}}, {"prove_password": {"wrong"}}} {
			form := asked.hidden()
			for name, values := range answer {
				form[name] = values
			}
			asked = dana.post("/cedar/security/app", form)
			asked.is(t, http.StatusForbidden)
			got := asked.hidden()
			if len(got["many"]) != 2 || got.Get("prove_password") != "" || !strings.Contains(asked.body, "&lt;b&gt;") {
				t.Errorf("after %v the page carries %v", answer, got)
			}
		}
		asked.says(t, "After 2 more wrong attempts you are signed out and locked.")
	})
}

// The third wrong high-risk authorization signs out and locks, and says so to
// the person, who was warned.
func TestThirdWrongAuthorizationSignsOutAndLocks(t *testing.T) {
	eachOffice(t, func(o *office) {
		dana, elsewhere := o.as("dana"), o.as("dana")
		o.visitor().tryPassword("dana", "wrong") // counts at its own door
		o.visitor().tryPassword("dana", "wrong")
		for _, left := range []string{"After 2 more", "After one more"} {
			dana.post("/cedar/security/app", url.Values{"prove_password": {"wrong"}}).says(t, left)
		}
		o.wantStatus("dana", bank.StatusActive)
		dana.get("/cedar/home").says(t, "Welcome, Dana")
		last := dana.post("/cedar/security/app", url.Values{"prove_password": {"wrong"}})
		last.says(t, "You have been signed out", "Your access is locked until an admin of your organization unlocks it.")
		o.wantStatus("dana", bank.StatusLocked)
		for _, v := range []*visitor{dana, elsewhere} {
			if got := v.get("/cedar/home"); !strings.HasPrefix(got.url, "/cedar/sign-in") {
				t.Errorf("a sign-in goes on: at %s", got.url)
			}
		}
		o.visitor().tryPassword("dana", password).is(t, 422)
	})
}

// A proof is for one action: it is of no use for another.
func TestAuthorizationIsForOneAction(t *testing.T) {
	eachOffice(t, func(o *office) {
		dana := o.as("dana")
		dana.post("/cedar/security/password", url.Values{"prove_password": {password}}).says(t, "Choose a new password")
		dana.post("/cedar/security/app", url.Values{}).says(t, "Confirm that it is you")
		dana.post("/cedar/security/passkey", url.Values{}).says(t, "Confirm that it is you")
		session := dana.post("/cedar/security/app", url.Values{"prove_password": {password}})
		session.says(t, "Scan this picture")
		dana.post("/cedar/security/app", url.Values{}).says(t, "Confirm that it is you") // once
	})
}
