package online_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
)

const ownChoice = "quiet evenings by a northern lake"

func TestInvitationToFirstSignIn(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.newcomer("pia")
		link := o.invite("pia")
		letter := o.letters("pia")[0]
		if !strings.Contains(letter.Subject, "Ana Ruiz") || !strings.Contains(letter.Text, "Join:") || !strings.Contains(letter.HTML, ">Join</a>") {
			t.Errorf("the mail is %q:\n%s", letter.Subject, letter.Text)
		}
		pia := o.visitor()
		page := pia.get(link)
		page.is(t, 200)
		page.says(t, "Join Northwind Trading", "Ana Ruiz invited you to use online banking for Northwind Trading at Cedar Bank.", "Join", "until Mar 9, 2026")
		form := pia.press(link)
		if form.url != "/cedar/enrol" {
			t.Fatalf("after Join: at %s: %s", form.url, form.text())
		}
		form.says(t, "Create your account", "For Pia Ende at Northwind Trading", "At least 15 characters")
		pia.get("/cedar/enrol").says(t, "Create your account") // a refresh

		wrong := pia.post("/cedar/enrol", url.Values{"username": {"p"}, "password": {"northwind"}})
		wrong.is(t, 422)
		wrong.says(t, "Use at least 3 characters.", "Use at least 15 characters. This has 9.", "mostly “northwind”")
		if strings.Contains(wrong.body, `value="northwind"`) || !strings.Contains(wrong.body, `value="p"`) {
			t.Error("the username must come back and the password must not")
		}
		taken := pia.post("/cedar/enrol", url.Values{"username": {"DANA"}, "password": {ownChoice}})
		taken.is(t, 422)
		taken.says(t, "Create your account", "This username is already in use. Choose another one.")

		done := pia.post("/cedar/enrol", url.Values{"username": {"pia.e"}, "password": {ownChoice}})
		done.is(t, 200)
		done.says(t, "Successfully created account", "Sign in")
		pia.get("/cedar/enrol").says(t, "Successfully created account")
		o.wantStatus("pia", bank.StatusPending) // until the first sign-in
		used := pia.get(link)
		used.is(t, http.StatusGone)
		used.says(t, "Invitation link failed", "already been used", "Sign in")

		if in := pia.tryPassword("Pia.E", ownChoice); in.url != "/cedar/home" {
			t.Fatalf("signing in led to %s: %s", in.url, in.text())
		}
		o.wantStatus("pia", bank.StatusActive)
	})
}

func TestInvitationAtSevenDays(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.newcomer("pia")
		link := o.invite("pia")
		o.clock.Advance(7*24*time.Hour - time.Second)
		o.visitor().get(link).says(t, "Join Northwind Trading")
		early := o.visitor()
		page := early.get(link)
		o.clock.Advance(2 * time.Second)
		late := o.visitor().get(link)
		late.is(t, http.StatusGone)
		late.says(t, "Invitation link failed", "expired on Mar 9, 2026", "Ask Ana Ruiz to send you a new one.")
		pressed := early.post(link, url.Values{"nonce": {nonce.FindStringSubmatch(page.body)[1]}})
		pressed.is(t, http.StatusGone)
		pressed.says(t, "Invitation link failed", "expired")

		second := o.invite("pia")
		o.clock.Advance(7*24*time.Hour - time.Second)
		if got := o.visitor().press(second); got.url != "/cedar/enrol" {
			t.Errorf("a second before seven days: at %s", got.url)
		}
	})
}

func TestOnlyTheNewestInvitationWorks(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.newcomer("pia")
		first, second := o.invite("pia"), o.invite("pia")
		failed := o.visitor().get(first)
		failed.is(t, http.StatusGone)
		failed.says(t, "Invitation link failed", "A newer invitation has replaced this one.", "newest email from Cedar Bank")
		pia := o.visitor()
		if got := pia.press(second); got.url != "/cedar/enrol" {
			t.Fatalf("the second: at %s: %s", got.url, got.text())
		}
		o.invite("pia") // makes even a redeemed one useless
		pia.get("/cedar/enrol").says(t, "Invitation link failed", "A newer invitation has replaced this one.")
		pia.post("/cedar/enrol", url.Values{"username": {"pia"}, "password": {ownChoice}}).says(t, "Invitation link failed")
	})
}

func TestInvitationFailuresSayWhichItWas(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.newcomer("pia")
		link := o.invite("pia")
		if err := o.users.CancelInvitation(t.Context(), o.ana(), who("pia")); err != nil {
			t.Fatal(err)
		}
		o.visitor().get(link).says(t, "Invitation link failed", "This invitation was cancelled.", "Ask Ana Ruiz")
		unknown := o.visitor().get(link + "x")
		unknown.is(t, http.StatusNotFound)
		unknown.says(t, "Invitation link failed", "not complete")

		link = o.invite("pia")
		pia := o.visitor()
		pia.press(link)
		elsewhere := o.visitor().get(link)
		elsewhere.says(t, "Invitation link failed", "already been used", "ask Ana Ruiz to send you a new one")
		pia.get(link).says(t, "Invitation link failed", "You can go on in this browser.", "Go on")
		o.visitor().get("/cedar/enrol").says(t, "Invitation link failed")
		o.clock.Advance(30*time.Minute - time.Second)
		pia.get("/cedar/enrol").says(t, "Create your account")
		o.clock.Advance(time.Second)
		pia.get("/cedar/enrol").says(t, "Invitation link failed", "The half hour for creating your account is over")
	})
}

// A button works in the browser that was shown it, and for its own link.
func TestJoinIsBoundToTheBrowserAndTheLink(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.newcomer("pia")
		o.newcomer("rex")
		link, other := o.invite("pia"), o.invite("rex")
		pia, stranger := o.visitor(), o.visitor()
		shown := nonce.FindStringSubmatch(pia.get(link).body)[1]
		stranger.get(link)
		for name, got := range map[string]answer{
			"another browser": stranger.post(link, url.Values{"nonce": {shown}}),
			"another link":    pia.post(other, url.Values{"nonce": {shown}}),
			"no nonce":        pia.post(link, url.Values{}),
		} {
			if got.status != http.StatusConflict || !strings.Contains(got.text(), "Press the button once more.") {
				t.Errorf("%s: %d: %s", name, got.status, got.text())
			}
		}
		if got := pia.post(link, url.Values{"nonce": {shown}}); got.url != "/cedar/enrol" {
			t.Errorf("its own: at %s", got.url)
		}
	})
}

var address = regexp.MustCompile(`(?:href|src|action|formaction|hx-get|hx-post|data-passkey-ask)="(/[^"]*)"`)

// A scanner fetches the link and everything that the page names, by GET and
// HEAD, again and again: nothing is changed, and the person gets in.
func TestScannerChangesNothing(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.newcomer("pia")
		links := []string{o.invite("pia"), o.sendReset("dana")}
		before := o.everythingStored()
		scanner := o.visitor()
		for range 2 {
			for _, link := range links {
				page := scanner.get(link)
				page.is(t, 200)
				for _, m := range append(address.FindAllStringSubmatch(page.body, -1), []string{"", link}) {
					scanner.get(m[1])
					scanner.head(m[1])
				}
			}
		}
		if after := o.everythingStored(); after != before {
			t.Errorf("the scanner changed what is stored, from\n%s\nto\n%s", before, after)
		}
		for _, link := range links {
			o.visitor().press(link).is(t, 200)
		}
	})
}

func (v *visitor) head(path string) {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), "HEAD", v.w.server.URL+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	v.do(r)
}

// The live rules are those that decide, and change nothing.
func TestRulesWhileTyping(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.newcomer("pia")
		pia := o.visitor()
		pia.press(o.invite("pia"))
		before := o.everythingStored()
		ask := func(username, password string) string {
			return pia.post("/cedar/enrol/rules", url.Values{"username": {username}, "password": {password}}).text()
		}
		for _, c := range []struct {
			username, password string
			keeps              int
			says               string
		}{
			{"", "", 0, "Not yet: At least 15 characters"},
			{"pia.e", "", 1, "Kept: Username"},
			{"pia.e", "a quiet", 4, "7 so far"},
			{"pia.e", "password1234567", 4, "Not yet: Not one that many people use"},
			{"pia.e", "NorthwindTrading", 4, "mostly “northwindtrading”"},
			{"evenings", "evenings!evenings", 4, "mostly “evenings”"}, // the username counts as well
			{"pia.e", ownChoice, 5, ""},
		} {
			got := ask(c.username, c.password)
			if n := strings.Count(got, "Kept: "); n != c.keeps || !strings.Contains(got, c.says) {
				t.Errorf("%q, %q: %d rules kept, want %d and %q; it says %s", c.username, c.password, n, c.keeps, c.says, got)
			}
		}
		if o.everythingStored() != before {
			t.Error("judging changed what is stored")
		}
		o.visitor().post("/cedar/enrol/rules", url.Values{}).says(t, "Invitation link failed")
	})
}

// Somebody whose invitation failed asks for a new one: the admins are told,
// once a day, and nothing else happens.
func TestAskingForANewInvitation(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.newcomer("pia")
		first := o.invite("pia")
		if got := o.visitor().post(first+"/want", url.Values{}); got.url != first {
			t.Errorf("asking while it works led to %s", got.url)
		}
		o.clock.Advance(7 * 24 * time.Hour)
		pia := o.visitor()
		pia.get(first).says(t, "Invitation link failed", "Ask for a new invitation")
		for range 2 {
			asked := pia.post(first+"/want", url.Values{})
			asked.is(t, 200)
			asked.says(t, "Your admins were asked")
		}
		for _, admin := range []string{"ana", "ben"} {
			got := o.letters(admin)
			if len(got) != 1 || got[0].Subject != "Invitation wanted at Northwind Trading" || !strings.Contains(got[0].Text, "The invitation of Pia Ende failed") {
				t.Errorf("%s has got %+v", admin, got)
			}
		}
		if n := len(o.letters("pia")); n != 1 {
			t.Errorf("pia has got %d mails", n)
		}
		o.as("ana").get("/cedar/settings/users/usr_pia").says(t, "Pia Ende asked for a new invitation")

		second := o.invite("pia")
		replaced := pia.get(first)
		replaced.saysNot(t, "Ask for a new invitation") // there is a newer one
		pia.post(first+"/want", url.Values{}).says(t, "A newer invitation has replaced this one.")
		o.visitor().press(second) // by somebody else
		used := pia.get(second)
		used.says(t, "already been used", "Ask for a new invitation")
		pia.post(second+"/want", url.Values{}).says(t, "Your admins were asked")
		if n := len(o.letters("ana")); n != 2 {
			t.Errorf("ana has got %d mails", n)
		}
		pia.post(second+"x/want", url.Values{}).is(t, http.StatusNotFound)
	})
}
