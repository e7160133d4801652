package online_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
)

func TestForgotAnswersTheSameToEverybody(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.newcomer("pia")
		o.visitor().get("/cedar/sign-in").says(t, "Forgot your password?")
		first := o.visitor().post("/cedar/forgot", url.Values{"name": {"nobody"}})
		first.is(t, 200)
		first.says(t, "Check your email", "If what you entered belongs to somebody")
		for _, name := range []string{"dana", "DANA@northwind.example", "pia@northwind.example"} {
			got := o.visitor().post("/cedar/forgot", url.Values{"name": {name}})
			if csrf.ReplaceAllString(got.body, "") != csrf.ReplaceAllString(first.body, "") || got.url != first.url || got.status != first.status {
				t.Errorf("%s can be told from nobody: %d at %s:\n%s", name, got.status, got.url, got.text())
			}
		}
		if n := len(o.letters("dana")); n != 1 { // the second has replaced the first before it went out
			t.Errorf("dana has got %d mails, want 1", n)
		}
		if n := len(o.letters("pia")); n != 0 {
			t.Errorf("pia, who has no password, has got %d mails", n)
		}
		empty := o.visitor().post("/cedar/forgot", url.Values{"name": {""}})
		empty.is(t, 422)
		empty.says(t, "Enter your username or your email address.")
	})
}

func TestResetByLink(t *testing.T) {
	eachOffice(t, func(o *office) {
		dana, elsewhere := o.visitor(), o.as("dana")
		dana.post("/cedar/forgot", url.Values{"name": {"dana"}})
		link := o.link("dana")
		dana.get(link).says(t, "Reset your password", "Northwind Trading", "close this page")
		form := dana.press(link)
		if form.url != "/cedar/new-password" {
			t.Fatalf("after the button: at %s: %s", form.url, form.text())
		}
		form.says(t, "Choose a new password", "For the username dana", "At least 15 characters")
		dana.post("/cedar/new-password/rules", url.Values{"password": {"dana diaz"}}).says(t, "9 so far", "Not yet: Not mostly words about you")
		wrong := dana.post("/cedar/new-password", url.Values{"password": {"dana diaz"}})
		wrong.is(t, 422)
		wrong.says(t, "Use at least 15 characters. This has 9.")
		elsewhere.get("/cedar/home").says(t, "Welcome, Dana") // until it is done
		done := dana.post("/cedar/new-password", url.Values{"password": {ownChoice}})
		done.is(t, 200)
		done.says(t, "Your password was changed", "Sign in")
		if got := elsewhere.get("/cedar/home"); !strings.HasPrefix(got.url, "/cedar/sign-in") {
			t.Errorf("a sign-in outlived the old password: at %s", got.url)
		}
		dana.get(link).says(t, "Reset link failed", "already been used")
		dana.tryPassword("dana", password).is(t, 422)
		if got := dana.tryPassword("dana", ownChoice); got.url != "/cedar/home" {
			t.Errorf("with the new password: at %s: %s", got.url, got.text())
		}
		if newest := o.letters("dana")[0]; !strings.Contains(newest.Subject, "new device") && !strings.Contains(newest.Subject, "Your password was changed") {
			t.Errorf("the newest mail is %q", newest.Subject)
		}
	})
}

func TestResetLinkIsTheNewestForThirtyMinutesOnce(t *testing.T) {
	eachOffice(t, func(o *office) {
		first, second := o.sendReset("dana"), o.sendReset("dana")
		replaced := o.visitor().get(first)
		replaced.is(t, http.StatusGone)
		replaced.says(t, "Reset link failed", "A newer link has replaced this one.")
		o.clock.Advance(30*time.Minute - time.Second)
		dana := o.visitor()
		dana.get(second).says(t, "Reset your password")
		o.clock.Advance(time.Second)
		late := dana.get(second)
		late.is(t, http.StatusGone)
		late.says(t, "Reset link failed", "expired", "Send a new link")

		third := o.sendReset("dana")
		o.clock.Advance(30*time.Minute - time.Second)
		if got := dana.press(third); got.url != "/cedar/new-password" {
			t.Fatalf("a second before thirty minutes: at %s", got.url)
		}
		o.visitor().get(third).says(t, "Reset link failed", "already been used")
		o.clock.Advance(30 * time.Minute)
		dana.get("/cedar/new-password").says(t, "Reset link failed", "The half hour for choosing a new password is over")
		o.visitor().get(third+"x").is(t, http.StatusNotFound)
	})
}

// Neither by an admin nor by the person themself does a reset unlock, remove a
// hold or bring back somebody disabled.
func TestResetNeverUnlocks(t *testing.T) {
	eachOffice(t, func(o *office) {
		for range 3 {
			o.visitor().tryPassword("dana", "wrong")
		}
		o.wantStatus("dana", bank.StatusLocked)
		dana := o.visitor()
		dana.post("/cedar/forgot", url.Values{"name": {"dana"}})
		dana.press(o.link("dana"))
		dana.post("/cedar/new-password", url.Values{"password": {ownChoice}}).says(t, "Your password was changed")
		o.wantStatus("dana", bank.StatusLocked)
		dana.tryPassword("dana", ownChoice).is(t, 422)
		if err := o.users.Unlock(t.Context(), o.ana(), who("dana")); err != nil {
			t.Fatal(err)
		}
		if got := dana.tryPassword("dana", ownChoice); got.url != "/cedar/home" {
			t.Errorf("unlocked: at %s", got.url)
		}
	})
}

func TestResetDoesNotSkipTheSecondFactor(t *testing.T) {
	eachOffice(t, func(o *office) {
		seed, _ := o.as("dana").addApp(t, o)
		dana := o.visitor()
		dana.press(o.sendReset("dana"))
		dana.post("/cedar/new-password", url.Values{"password": {ownChoice}}).says(t, "Your password was changed")
		second := dana.tryPassword("dana", ownChoice)
		if !strings.HasPrefix(second.url, "/cedar/sign-in/second") {
			t.Fatalf("after the new password: at %s", second.url)
		}
		o.later()
		if got := dana.post("/cedar/sign-in/second", with(second.hidden(), "code", o.code(seed))); got.url != "/cedar/home" {
			t.Errorf("with the code: at %s: %s", got.url, got.text())
		}
	})
}
