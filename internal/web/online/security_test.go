package online_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"mandate/internal/db"
	"mandate/internal/db/dbtest"
)

func sqlite(t *testing.T) *db.DB { return dbtest.SQLite(t) }

func TestOwnSignInsAreListedAndEnded(t *testing.T) {
	eachOffice(t, func(o *office) {
		first := o.as("dana")
		o.clock.Advance(time.Minute)
		second := o.as("dana")
		o.clock.Advance(time.Minute)
		third := o.as("dana")
		page := first.get("/cedar/security")
		page.is(t, 200)
		page.says(t, "Sign-in and security", "Where you are signed in", "Go-http-client", "127.0.0.1", "Mar 2, 2026, 10:00 AM", "This browser", "Sign out everywhere else")
		ends := regexp.MustCompile(`/cedar/security/sign-ins/[^/"]+/end"`).FindAllString(page.body, -1)
		if len(ends) != 3 {
			t.Fatalf("%d sign-ins are listed, want 3", len(ends))
		}
		first.post(strings.TrimSuffix(ends[0], `"`), url.Values{}).says(t, "The sign-in was ended")
		if got := third.get("/cedar/home"); !strings.HasPrefix(got.url, "/cedar/sign-in") {
			t.Errorf("the newest goes on: at %s", got.url)
		}
		second.get("/cedar/home").says(t, "Welcome, Dana")
		first.post("/cedar/security/sign-ins/end-others", url.Values{}).says(t, "You are signed out everywhere else")
		if got := second.get("/cedar/home"); !strings.HasPrefix(got.url, "/cedar/sign-in") {
			t.Errorf("the other goes on: at %s", got.url)
		}
		mine := strings.TrimSuffix(regexp.MustCompile(`/cedar/security/sign-ins/[^/"]+/end"`).FindString(first.get("/cedar/security").body), `"`)
		first.post(mine, url.Values{}).says(t, "You have signed out")
		if got := first.get("/cedar/home"); !strings.HasPrefix(got.url, "/cedar/sign-in") {
			t.Errorf("this one goes on: at %s", got.url)
		}
	})
}

func TestNobodyEndsTheSignInOfSomebodyElse(t *testing.T) {
	eachOffice(t, func(o *office) {
		dana, uma := o.as("dana"), o.as("uma")
		end := strings.TrimSuffix(regexp.MustCompile(`/cedar/security/sign-ins/[^/"]+/end"`).FindString(dana.get("/cedar/security").body), `"`)
		uma.post(end, url.Values{})
		dana.get("/cedar/home").says(t, "Welcome, Dana")
	})
}

func TestChangeOwnPassword(t *testing.T) {
	eachOffice(t, func(o *office) {
		dana, elsewhere := o.as("dana"), o.as("dana")
		asked := dana.post("/cedar/security/password", url.Values{})
		asked.is(t, http.StatusForbidden)
		asked.says(t, "Confirm that it is you", "Password")
		form := dana.post("/cedar/security/password", with(asked.hidden(), "prove_password", password))
		form.says(t, "Choose a new password", "At least 15 characters")
		dana.post("/cedar/security/password/rules", url.Values{"password": {"seven c"}}).says(t, "7 so far")
		weak := dana.post("/cedar/security/password/new", url.Values{"password": {"seven c"}})
		weak.is(t, 422)
		weak.says(t, "Use at least 15 characters. This has 7.")
		dana.post("/cedar/security/password/new", url.Values{"password": {ownChoice}}).says(t, "Your password was changed, and you are signed out everywhere else")
		if got := elsewhere.get("/cedar/home"); !strings.HasPrefix(got.url, "/cedar/sign-in") {
			t.Errorf("another sign-in goes on: at %s", got.url)
		}
		o.visitor().tryPassword("dana", password).is(t, 422)
		if got := o.visitor().tryPassword("dana", ownChoice); got.url != "/cedar/home" {
			t.Errorf("with the new password: at %s", got.url)
		}
		dana.post("/cedar/security/password/new", url.Values{"password": {ownChoice}}).says(t, "longer than five minutes") // once
		found := false
		for _, m := range o.letters("dana") {
			found = found || m.Subject == "Your password was changed"
		}
		if !found {
			t.Error("dana was not told by mail")
		}
	})
}

func TestChangeOfPasswordWaitsFiveMinutes(t *testing.T) {
	eachOffice(t, func(o *office) {
		dana := o.as("dana")
		dana.post("/cedar/security/password", url.Values{"prove_password": {password}})
		o.clock.Advance(5 * time.Minute)
		dana.post("/cedar/security/password/new", url.Values{"password": {ownChoice}}).says(t, "longer than five minutes")
		if got := o.visitor().tryPassword("dana", password); got.url != "/cedar/home" {
			t.Errorf("the old password: at %s", got.url)
		}
	})
}

func TestSecondFactorsAreListedAndRemoved(t *testing.T) {
	eachOffice(t, func(o *office) {
		dana := o.as("dana")
		dana.get("/cedar/security").says(t, "You have none yet.")
		seed, codes := dana.addApp(t, o)
		page := dana.get("/cedar/security")
		page.says(t, "Authenticator app Added Mar 2, 2026", "10 codes left", "Remove")
		told := o.as("ana").get(pageOf("dana") + "/history?kind=signin")
		told.says(t, "Dana Diaz added a second factor", "Second factor Authenticator app")
		told.saysNot(t, "totp", "second_factor")

		o.later()
		remove := regexp.MustCompile(`/cedar/security/factors/[^/"]+/remove`).FindString(page.body)
		dana.get(remove).says(t, "Remove “Authenticator app”?", "It is your only one")
		asked := dana.post(remove, url.Values{})
		asked.says(t, "Confirm that it is you", "Code from your authenticator app", "Recovery code")
		asked.saysNot(t, "Password") // the password alone is not enough any more
		refused := dana.post(remove, with(asked.hidden(), "prove_password", password))
		refused.is(t, http.StatusForbidden)
		refused.says(t, "the password alone is not enough")

		renew := dana.post("/cedar/security/codes", url.Values{})
		renew.says(t, "Confirm that it is you")
		fresh := dana.post("/cedar/security/codes", with(renew.hidden(), "prove_recovery", codes.recoveryCodes()[0]))
		fresh.says(t, "Keep your recovery codes", "The codes that you had are void.")
		if got := fresh.recoveryCodes(); len(got) != 10 || got[0] == codes.recoveryCodes()[0] {
			t.Errorf("the new codes are %v", got)
		}

		dana.post(remove, with(asked.hidden(), "prove_code", o.code(seed))).says(t, "The second factor was removed", "You have none yet.")
		if got := o.visitor().tryPassword("dana", password); got.url != "/cedar/home" {
			t.Errorf("without a second factor: at %s", got.url)
		}
		dana.get(remove).is(t, http.StatusNotFound)
	})
}

// A sign-in from a browser that was not used before is told by mail, and says
// which browser it was.
func TestNewDeviceIsTold(t *testing.T) {
	eachOffice(t, func(o *office) {
		dana := o.as("dana")
		dana.post("/cedar/sign-out", url.Values{})
		dana.tryPassword("dana", password) // the same browser
		if n := len(o.letters("dana")); n != 0 {
			t.Fatalf("the first browser and the same again: %d mails", n)
		}
		o.as("dana")
		told := o.letters("dana")
		if len(told) != 1 || !strings.Contains(told[0].Text, "Go-http-client, address 127.0.0.1") {
			t.Errorf("another browser: %+v", told)
		}
	})
}

func TestSecurityIsOnesOwn(t *testing.T) {
	o := newOffice(t, sqlite(t))
	for _, path := range []string{"/cedar/security", "/cedar/security/codes"} {
		if got := o.visitor().get(path); !strings.HasPrefix(got.url, "/cedar/sign-in?return=") {
			t.Errorf("%s without a sign-in: at %s", path, got.url)
		}
	}
}
