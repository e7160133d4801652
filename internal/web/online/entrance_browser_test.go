package online_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/usermgmt"
	"mandate/internal/web/browsertest"
)

// A guest is somebody with a browser who is not signed in.
type guest struct {
	person
	o        *office
	scripts  bool
	pictures bool
}

// eachBrowser runs a test on both databases, with scripts and without. The gate
// takes one of each, so that everything is seen once; MANDATE_SLOW=1 takes all
// four. Pages are looked at once: they are the same every time.
func eachBrowser(t *testing.T, test func(t *testing.T, o *office, p guest)) {
	first := true
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		eachWay(t, d.Dialect(), func(t *testing.T, scripts bool) {
			p := guest{person{browsertest.Open(t), o.world}, o, scripts, first && scripts}
			p.Scripts(scripts)
			test(t, o, p)
		})
		first = false
	})
}

// eachWay runs a part of a test with scripts and without, of which the gate
// takes one on each database.
func eachWay(t *testing.T, on db.Dialect, test func(t *testing.T, scripts bool)) {
	for _, scripts := range []bool{true, false} {
		if os.Getenv("MANDATE_SLOW") == "" && scripts != (on == db.SQLite) {
			continue
		}
		t.Run(map[bool]string{true: "with scripts", false: "without scripts"}[scripts], func(t *testing.T) { test(t, scripts) })
	}
}

func (p guest) picture(name string) {
	if p.pictures {
		p.look("entrance-" + name)
	}
}

// openMail goes by the page of the mailbox: it finds the newest message to
// somebody and presses the button in it.
func (p guest) openMail(username, subject, button string) {
	p.Goto(p.o.mailbox + "/?q=" + username)
	p.Click(subject)
	p.See(username + "@northwind.example")
	p.Click(button)
}

func (p person) at(t *testing.T, path string) {
	t.Helper()
	if got := strings.TrimPrefix(p.URL(), p.w.server.URL); got != path {
		t.Fatalf("at %s, want %s; the page reads:\n%s", got, path, p.Text())
	}
}

// From the mail to the first sign-in.
func TestInvitationInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, o *office, p guest) {
		username := fmt.Sprintf("pia%t", p.scripts)
		o.newcomer(username)
		o.invite(username)
		p.openMail(username, "Ana Ruiz invited you to join Northwind Trading", "Join")
		p.See("Ana Ruiz invited you to use online banking for Northwind Trading at Cedar Bank.")
		p.picture("invitation")
		p.Click("Join")
		p.at(t, "/cedar/enrol")
		p.See("Create your account")
		p.picture("enrol-empty")
		p.Reload()
		p.Fill("Username", username)
		p.Fill("Password", "northwind")
		if p.scripts {
			p.See("9 so far")
			p.See("mostly “northwind”")
			p.picture("enrol-typing")
			p.Click("Show Password")
			p.Fill("Password", ownChoice)
			p.Within("What is asked for").NotSee("Not yet")
			p.picture("enrol-kept")
			p.Fill("Password", "northwind")
		}
		p.Click("Create account")
		p.See("Use at least 15 characters. This has 9.")
		if got := p.Value("Username"); got != username {
			t.Errorf("the username reads %q", got)
		}
		p.picture("enrol-wrong")
		p.Fill("Password", ownChoice)
		p.Click("Create account")
		p.See("Successfully created account")
		p.picture("enrolled")
		o.wantStatus(username, bank.StatusPending)
		p.Click("Sign in")
		p.Fill("Username", username)
		p.Fill("Password", ownChoice)
		p.Click("Sign in")
		p.See("Welcome, P")
		o.wantStatus(username, bank.StatusActive)
		p.open(o.link(username))
		p.See("Invitation link failed")
		p.See("This invitation has already been used.")
		p.picture("invitation-failed")
	})
}

func TestForgottenPasswordInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, o *office, p guest) {
		username := fmt.Sprintf("rex%t", p.scripts)
		o.add(username, "Rex", "Holm", bank.RoleUser, bank.StatusActive, danas())
		p.open("/cedar/sign-in")
		p.picture("sign-in")
		p.Click("Forgot your password?")
		p.picture("forgot")
		p.Fill("Username or email", username)
		p.Click("Send link")
		p.See("Check your email")
		p.picture("forgot-sent")
		o.deliver()
		p.openMail(username, "Reset your password for Cedar Bank", "Reset password")
		p.See("If it was not you, close this page")
		p.picture("reset")
		p.Click("Reset password")
		p.See("For the username " + username)
		p.Fill("New password", "rex holm rex")
		if p.scripts {
			p.See("12 so far")
		}
		p.Click("Change password")
		p.See("Use at least 15 characters. This has 12.")
		p.picture("reset-wrong")
		p.Fill("New password", ownChoice)
		p.Click("Change password")
		p.See("Your password was changed")
		p.picture("reset-done")
		p.Click("Sign in")
		p.Fill("Username", username)
		p.Fill("Password", ownChoice)
		p.Click("Sign in")
		p.See("Welcome, Rex")
		p.open(o.link(username))
		p.See("Reset link failed")
		p.picture("reset-failed")
	})
}

// An authenticator app: added on the page of one's security, used to sign in,
// asked for instead of the password, removed.
func TestAuthenticatorAppInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, o *office, p guest) {
		username := fmt.Sprintf("rex%t", p.scripts)
		o.add(username, "Rex", "Holm", bank.RoleUser, bank.StatusActive, danas())
		p.signIn(username)
		p.open("/cedar/security")
		p.picture("security-empty")
		p.Click("Add an authenticator app")
		p.See("Confirm that it is you")
		p.picture("prove-password")
		p.Fill("Password", "wrong")
		p.Click("Confirm")
		p.See("After 2 more wrong attempts you are signed out and locked.")
		p.picture("prove-wrong")
		p.Fill("Password", password)
		p.Click("Confirm")
		p.See("Scan this picture with the app.")
		p.Click("You cannot scan it?")
		p.picture("app")
		seed := seedIn(t, p.person)
		p.Fill("Code from the app", "000000")
		p.Click("Add app")
		p.See("This is not the code that the app shows now.")
		p.picture("app-wrong")
		p.Fill("Code from the app", o.code(seed))
		p.Click("Add app")
		p.See("Keep your recovery codes")
		p.picture("codes")
		p.Click("Continue")
		p.See("10 codes left")
		p.picture("security")

		p.Click("Rex Holm , your menu")
		p.Click("Sign out")
		o.later()
		p.Fill("Username", username)
		p.Fill("Password", password)
		p.Click("Sign in")
		p.See("Your password was right. One thing more.")
		p.picture("second-code")
		p.Click("Use a recovery code")
		p.See("One of the codes that you kept.")
		p.picture("second-recovery")
		p.Click("Use your authenticator app")
		p.Fill("Code", o.code(seed))
		p.Click("Continue")
		p.See("Welcome, Rex")

		o.later()
		p.open("/cedar/security")
		p.Click("Remove Authenticator app")
		p.See("Remove “Authenticator app”?")
		if p.scripts {
			p.Axe() // it is a dialog then
		}
		p.Click("Remove")
		p.See("Confirm that it is you")
		p.picture("prove-code")
		p.Fill("Code from your authenticator app", o.code(seed))
		p.Click("Confirm")
		p.See("You have none yet.")
	})
}

var seedPattern = regexp.MustCompile(`[A-Z2-7]{4}(?: [A-Z2-7]{4}){7}`)

// seedIn is the key that a page shows for typing.
func seedIn(t *testing.T, p person) string {
	t.Helper()
	seed := seedPattern.FindString(p.Text())
	if seed == "" {
		t.Fatalf("no key on the page:\n%s", p.Text())
	}
	return seed
}

// A passkey of the browser's own: added, used to sign in, used instead of a
// password, all with the one script that this takes.
func TestPasskeyInABrowser(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		p := person{browsertest.Open(t), o.world}
		p.Authenticator()
		p.signIn("dana")
		p.open("/cedar/security")
		p.Click("Add a passkey")
		p.Fill("Password", password)
		p.Click("Confirm")
		p.See("Make a passkey")
		if got := p.Value("Name"); got != "Chrome on Linux" {
			t.Errorf("the name is proposed as %q", got)
		}
		p.look("entrance-passkey")
		p.Fill("Name", "Office laptop")
		p.Click("Make a passkey")
		p.See("Keep your recovery codes")
		p.Click("Continue")
		p.See("Office laptop")

		p.Click("Dana Diaz , your menu")
		p.Click("Sign out")
		p.Fill("Username", "dana")
		p.Fill("Password", password)
		p.Click("Sign in")
		p.See("Your password was right. One thing more.")
		p.look("entrance-second-passkey")
		p.Click("Use your passkey")
		p.See("Welcome, Dana")

		p.open("/cedar/security")
		p.Click("Change password")
		p.See("Before you choose a new password.")
		p.look("entrance-prove-passkey")
		p.Click("Use your passkey")
		p.See("You stay signed in here")
		p.look("entrance-own-password")
		p.Fill("New password", ownChoice)
		p.Click("Change password")
		p.See("Your password was changed, and you are signed out everywhere else")
	})
}

// Without scripts a passkey cannot be used: the page says so and shows what
// else can be.
func TestPasskeyWithoutScripts(t *testing.T) {
	o := newOffice(t, dbtest.SQLite(t))
	p := person{browsertest.Open(t), o.world}
	p.Authenticator()
	p.signIn("dana")
	p.open("/cedar/security")
	p.Click("Add a passkey")
	p.Fill("Password", password)
	p.Click("Confirm")
	p.Click("Make a passkey")
	p.See("Keep your recovery codes")
	code := recoveryPattern.FindString(p.Text())
	p.Click("Continue")
	p.Click("Dana Diaz , your menu")
	p.Click("Sign out")
	p.Scripts(false)
	p.Fill("Username", "dana")
	p.Fill("Password", password)
	p.Click("Sign in")
	p.See("A passkey needs JavaScript, which is off in this browser.")
	p.Screenshot("entrance-second-passkey-no-script")
	p.Click("Use a recovery code")
	p.Fill("Recovery code", code)
	p.Click("Continue")
	p.See("Welcome, Dana")
}

var recoveryPattern = regexp.MustCompile(`[A-Z0-9]{4}(?:-[A-Z0-9]{4}){3}`)

// Somebody who cancels is told, and can try again.
func TestPasskeyThatIsNotThere(t *testing.T) {
	o := newOffice(t, dbtest.SQLite(t))
	p := person{browsertest.Open(t), o.world}
	stop := p.Authenticator()
	p.signIn("dana")
	p.open("/cedar/security")
	p.Click("Add a passkey")
	p.Fill("Password", password)
	p.Click("Confirm")
	p.Click("Make a passkey")
	p.See("Keep your recovery codes")
	p.Click("Continue")
	p.Click("Dana Diaz , your menu")
	p.Click("Sign out")
	stop()
	p.Authenticator() // another one, which does not have the passkey
	p.Fill("Username", "dana")
	p.Fill("Password", password)
	p.Click("Sign in")
	p.Click("Use your passkey")
	p.See("The passkey was not used")
	p.Axe()
	p.Screenshot("entrance-passkey-cancelled")
}

func TestRequiredSecondFactorInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, o *office, p guest) {
		operator := bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: cedar, Channel: bank.ChannelCommand}
		if err := o.users.RequireSecondFactor(t.Context(), operator, usermgmt.FactorPolicy{Members: usermgmt.OfAdmins}); err != nil {
			t.Fatal(err)
		}
		username := map[bool]string{true: "ana", false: "ben"}[p.scripts]
		p.open("/cedar/sign-in")
		p.Fill("Username", username)
		p.Fill("Password", password)
		p.Click("Sign in")
		p.See("Add a second factor")
		p.picture("first-factor")
		p.Click("Add an authenticator app")
		p.Click("You cannot scan it?")
		p.picture("first-app")
		p.Fill("Code from the app", o.code(seedIn(t, p.person)))
		p.Click("Add app")
		p.See("Keep your recovery codes")
		p.picture("first-codes")
		p.Click("Continue")
		p.See("Welcome")
	})
}

// A scanner with a real browser runs every script, waits, hovers, and fetches
// whatever the page names: nothing is changed.
func TestScannerThatRunsScriptsChangesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		o := newOffice(t, d)
		o.newcomer("pia")
		for _, link := range []string{o.invite("pia"), o.sendReset("dana")} {
			before := o.everythingStored()
			p := person{browsertest.Open(t), o.world}
			p.open(link)
			p.Eval(`(async () => {
				const named = [...document.querySelectorAll("[href], [src], [action], [hx-get], [hx-post]")]
					.flatMap((e) => ["href", "src", "action", "hx-get", "hx-post"].map((a) => e.getAttribute(a))).filter((a) => a && !a.startsWith("#"));
				for (const address of [...named, location.href]) {
					for (const method of ["GET", "HEAD"]) await fetch(address, { method, redirect: "follow" });
				}
				for (const e of document.querySelectorAll("a, button, form")) {
					for (const type of ["mouseover", "pointerenter", "focus"]) e.dispatchEvent(new Event(type, { bubbles: true }));
				}
				await new Promise((done) => setTimeout(done, 500));
			})()`, nil)
			p.Reload()
			if after := o.everythingStored(); after != before {
				t.Errorf("the scanner changed what is stored, from\n%s\nto\n%s", before, after)
			}
		}
	})
}

func TestSignInsInABrowser(t *testing.T) {
	o := newOffice(t, dbtest.SQLite(t))
	o.as("dana")
	o.clock.Advance(200e9)
	p := person{browsertest.Open(t), o.world}
	p.signIn("dana")
	p.open("/cedar/security")
	p.Within("Where you are signed in").See("Chrome on Linux")
	p.look("entrance-sign-ins")
	p.Click("Sign out everywhere else")
	p.See("You are signed out everywhere else")
	p.NotSee("Go-http-client")
}
