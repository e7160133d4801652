package online_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
)

// Admins are told by mail of what others do, unless they want it otherwise; of a
// new device everybody is told.
func TestAlertsInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, o *office, p guest) {
		username := p.called("alma")
		last := map[bool]string{true: "Berg", false: "Bergen"}[p.scripts]
		o.add(p.called("cora"), "Cora", last, bank.RoleAdmin, bank.StatusActive, entitlement.Settings{On: catalog.SetOf(catalog.UserManagementEnabled)})
		told := func(subject, sentence string) {
			t.Helper()
			o.deliver()
			p.Goto(o.mailbox + "/?q=" + p.called("cora"))
			p.Click(subject)
			p.See(sentence)
		}
		ana := o.as("ana")
		alma := ana.create("Alma", last+p.called(""), "user")
		name := "Alma " + last + p.called("")
		told("New user at Northwind Trading", "Ana Ruiz created the user "+name+".")
		save := func(field, value string) {
			t.Helper()
			form := ana.get(alma + "/permissions").form(t)
			form.Set("transfers.enabled", "on")
			form.Set(field, value)
			ana.confirm(alma+"/save", ana.post(alma+"/review", form).carried(t)).says(t, "Permissions saved")
		}
		save("transfers.limit", "$500.00")
		told("Limit raised at Northwind Trading", "Ana Ruiz raised what "+name+" may move: Transfer limit.")
		edited := details("Alma", last+p.called(""), username+".new@northwind.example", "admin")
		ana.confirm(alma+"/edit", edited).says(t, "Profile saved")
		told("New admin at Northwind Trading", "Ana Ruiz made "+name+" an admin.")
		told("Email changed at Northwind Trading", "Ana Ruiz changed the email address of "+name+".")
		holdAndRelease := func() {
			t.Helper()
			ana.confirm(pageOf("dana")+"/hold", url.Values{}).says(t, "is on hold")
			ana.post(pageOf("dana")+"/release", url.Values{}).says(t, "has been removed")
		}
		holdAndRelease()
		told("Hold removed at Northwind Trading", "Ana Ruiz removed the hold on Dana Diaz's account access.")

		o.as(p.called("cora")) // another browser of theirs, the first one
		p.open("/cedar/sign-in")
		p.signIn(p.called("cora"))
		told("Sign-in from a new device", "Chrome on Linux")
		p.open("/cedar/home")
		p.Click("Alerts")
		for _, kind := range []string{"New user", "New admin", "Limit raised", "Hold removed", "Email changed", "New account"} {
			if !p.Checked(kind) {
				t.Errorf("%s is not on by default", kind)
			}
		}
		p.picture("alerts")
		p.Set("Hold removed", false)
		p.Click("Save")
		p.See("Your alerts are saved")
		if p.Checked("Hold removed") || !p.Checked("New user") {
			t.Error("the choice was not kept")
		}
		before := len(o.letters(p.called("cora")))
		holdAndRelease()
		if now := len(o.letters(p.called("cora"))); now != before {
			t.Errorf("%d letters more, and none was wanted", now-before)
		}
	})
}

// Every end of an invitation has its page, and the admin sees which it was.
func TestInvitationEndsInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, o *office, p guest) {
		pia := p.called("pia")
		o.newcomer(pia)
		first := o.invite(pia)
		second := o.invite(pia)
		p.open(first)
		p.See("Invitation link failed")
		p.See("A newer invitation has replaced this one.")
		p.picture("invitation-replaced")
		if err := o.users.CancelInvitation(t.Context(), o.ana(), who(pia)); err != nil {
			t.Fatal(err)
		}
		p.open(second)
		p.See("This invitation was cancelled.")
		third := o.invite(pia)
		o.clock.Advance(7 * 24 * time.Hour)
		if err := o.identity.Expire(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.open(third)
		p.See("Invitation link failed")
		p.See("expired")
		p.picture("invitation-expired")
		p.Click("Ask for a new invitation")
		p.See("Your admins were asked")
		p.picture("invitation-wanted")
		o.deliver()
		p.openMail("ana", "Invitation wanted at Northwind Trading", "All mail")

		p.asAna(t)
		p.open(pageOf(pia))
		p.See("Expired")
		p.See("2 earlier invitations")
		p.picture("invitation-state")
		p.Click("History")
		p.See("The invitation of " + theName(o.profile(pia).Member) + " expired")
		p.open(pageOf(pia))
		p.Click("Resend invitation")
		p.See("Invitation sent successfully")
		o.deliver()
		p.open(o.link(pia))
		p.See("Ana Ruiz invited you to use online banking for Northwind Trading at Cedar Bank.")
	})
}

// Three wrong passwords lock, and the page says what it always says.
func TestLockInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, o *office, p guest) {
		lee := p.called("lee")
		o.add(lee, "Lee", "Marsh", bank.RoleUser, bank.StatusActive, danas(), "acc_operating")
		p.open("/cedar/sign-in")
		const refusal = "We couldn't sign you in."
		for _, attempt := range []string{"wrong", "wrong again", "wrong once more", password} {
			p.Fill("Username", lee)
			p.Fill("Password", attempt)
			p.Click("Sign in")
			p.See(refusal)
			if attempt == "wrong" {
				p.picture("sign-in-refused")
			}
		}
		p.NotSee("locked")
		o.wantStatus(lee, bank.StatusLocked)
		p.asAna(t)
		p.open("/cedar/settings/users?q=" + lee)
		p.See("Locked")
		p.Click("Lee Marsh")
		p.See("Lee Marsh's account access is locked due to multiple incorrect login attempts.")
	})
}

// Three wrong high-risk authorizations sign out and lock; what was typed is
// there until then.
func TestWrongAuthorizationInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, o *office, p guest) {
		ada := p.called("ada")
		o.add(ada, "Ada", "Lund", bank.RoleAdmin, bank.StatusActive, entitlement.Settings{On: catalog.SetOf(catalog.UserManagementEnabled)})
		p.signIn(ada)
		p.open("/cedar/settings/users/new")
		p.Fill("First name", "Niko")
		p.Fill("Last name", "Reed")
		p.Fill("Email", "niko@northwind.example")
		p.Set("Viewer", true)
		p.Click("Create user")
		p.See("Confirm that it is you")
		p.Click("Cancel")
		p.open("/cedar/settings/users/new")
		if p.Value("First name") != "Niko" || p.Value("Email") != "niko@northwind.example" || !p.Checked("Viewer") {
			t.Error("what was typed is lost")
		}
		p.Click("Create user")
		for _, left := range []string{"After 2 more wrong attempts", "After one more wrong attempt"} {
			p.Fill("Password", "wrong")
			p.Click("Confirm")
			p.See(left)
		}
		p.Fill("Password", "wrong")
		p.Click("Confirm")
		p.See("Your access is locked until an admin of your organization unlocks it.")
		p.picture("locked-out")
		o.wantStatus(ada, bank.StatusLocked)
		p.open("/cedar/home")
		p.See("Sign in")

		p.asAna(t)
		p.open(pageOf(ada) + "/history?kind=high_risk")
		p.See("Ada Lund was asked to confirm that it is them")
		p.See("Ada Lund did not prove that it was them")
	})
}

// A picture of one's own, seen by admins, and removed by one.
func TestPictureInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, o *office, p guest) {
		paz := p.called("paz")
		o.add(paz, "Paz", "Ibarra", bank.RoleUser, bank.StatusActive, danas(), "acc_operating")
		p.signIn(paz)
		p.open("/cedar/profile")
		p.Click("Your picture")
		p.Attach("Picture", "notes.txt", "text/plain", []byte("not a picture"))
		p.Click("Upload")
		p.See("PNG or JPEG")
		p.picture("picture-wrong")
		p.Attach("Picture", "me.png", "image/png", pngOf(t, 300, 200))
		p.Click("Upload")
		p.See("Picture saved")
		p.picture("picture")
		p.asAna(t)
		p.open(pageOf(paz))
		var drawn bool
		p.Eval(`[...document.querySelectorAll("main img")].some((i) => i.src.includes("/picture") && i.complete && i.naturalWidth > 0)`, &drawn)
		if !drawn {
			t.Error("the admin does not see the picture")
		}
		p.Click("Settings")
		p.Click("Remove picture")
		p.Click("Remove")
		p.See("removed")
		if m := o.profile(paz).Member; m.Avatar != "" {
			t.Error("it is still there")
		}
	})
}

// Without User management an organization's admins have none, and everybody else
// goes on; what somebody with the role User has switched on by mistake is none.
func TestUserManagementSwitchInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, o *office, p guest) {
		mike := p.called("mike")
		o.add(mike, "Mike", "Stake", bank.RoleUser, bank.StatusActive, entitlement.Settings{On: catalog.SetOf(catalog.UserManagementEnabled)}, "acc_operating")
		operator := bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: cedar, Channel: bank.ChannelCommand}
		set := func(on bool) {
			t.Helper()
			if _, err := o.users.SwitchEntitlement(t.Context(), operator, northwind, catalog.UserManagement, on); err != nil {
				t.Fatal(err)
			}
		}
		p.asAna(t)
		p.Click("User management")
		p.See("Dana Diaz")
		set(false)
		p.Reload()
		p.See("User management is not open to you")
		p.NotSee("Dana Diaz")
		p.picture("user-management-off")
		p.open("/cedar/home")
		p.See("Welcome, Ana")
		p.NotSee("User management")
		set(true)
		p.Reload()
		p.See("User management")
		p.Click("Ana Ruiz , your menu")
		p.Click("Sign out")
		p.signIn(mike)
		p.NotSee("User management")
		p.open("/cedar/settings/users")
		p.See("User management is not open to you")
	})
}

// Two admins save what cannot both be: the second is shown what the first did,
// with what they typed still there.
func TestConflictInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, o *office, p guest) {
		tess := p.called("tess")
		o.add(tess, "Tess", "Vogel", bank.RoleUser, bank.StatusActive, danas(), "acc_operating")
		form := pageOf(tess) + "/permissions"
		p.asAna(t)
		p.open(form)
		ben := o.as("ben")
		bens := turn(ben.get(form).form(t), "ach.enabled", "off")
		ben.post(pageOf(tess)+"/save", ben.post(pageOf(tess)+"/review", bens).carried(t)).says(t, "Permissions saved")

		wires := person{p.Within("Wires"), o.world}
		wires.changeLimit("Per wire limit", "20000")
		if !p.scripts {
			p.Click("Review changes")
		}
		p.See("This has changed meanwhile")
		p.See("Ben Chen changed")
		p.picture("conflict")
		if got := strings.TrimSuffix(wires.Value("Per wire limit"), ".00"); got != "20,000" {
			t.Errorf("what was typed reads %q", got)
		}
		p.Click("Review changes")
		p.See("$20,000.00")
		p.Click("Save changes")
		p.See("Permissions saved")
		if s := o.profile(tess).Member.Settings; s.On.Has(catalog.ACHEnabled) || s.Limits == danas().Limits {
			t.Errorf("stored is %+v", s)
		}
	})
}

// Where one is signed in, and the end of it, there or by signing in elsewhere.
func TestSignInsAreEndedInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, o *office, p guest) {
		rex := p.called("rex")
		o.add(rex, "Rex", "Holm", bank.RoleUser, bank.StatusActive, danas(), "acc_operating")
		other := o.as(rex)
		o.clock.Advance(200 * time.Second)
		p.signIn(rex)
		p.Click("Sign-in and security")
		p.Within("Where you are signed in").See("Chrome on Linux")
		p.See("Go-http-client")
		p.picture("sign-ins")
		p.Click("Sign out everywhere else")
		p.See("You are signed out everywhere else")
		p.NotSee("Go-http-client")
		if got := other.get("/cedar/home"); !strings.HasPrefix(got.url, "/cedar/sign-in") {
			t.Errorf("the other is still signed in, at %s", got.url)
		}
	})
}

// A new account opens to nobody, and admins are told, by mail and in the feed.
func TestNewAccountInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, o *office, p guest) {
		all := p.called("olla")
		o.add(all, "Olla", "Reyes", bank.RoleUser, bank.StatusActive, danas(), "acc_operating", "acc_payroll", "acc_tax")
		name := fmt.Sprintf("Escrow %t", p.scripts)
		o.bankAdds(name)
		o.deliver()
		p.Goto(o.mailbox + "/?q=ana")
		p.Click("New account at Northwind Trading")
		p.See("Nobody has access to it until an admin gives it.")
		p.asAna(t)
		p.open(pageOf(all))
		p.See("Access to 3 of")
		p.NotSee("Access to all accounts")
		p.open("/cedar/settings/history?kind=permissions")
		p.See("The account " + name + " was added; nobody has access to it yet")
	})
}

// bankAdds brings an account with the data of the bank's own system.
func (o *office) bankAdds(name string) {
	o.t.Helper()
	importing := bank.Caller{Kind: bank.ActorOperator, Name: "Nightly import", Institution: cedar, Channel: bank.ChannelImport}
	in := &usermgmt.ImportedOrganization{Organization: usermgmt.Organization{Institution: cedar, ExternalID: o.org.ExternalID, Name: o.org.Name}}
	in.Accounts = []usermgmt.ImportedAccount{{Account: usermgmt.Account{ExternalID: name, Name: name, Number: "9001", Kind: "checking"}}}
	if _, err := usermgmt.ImportOrganization(o.t.Context(), o.door, importing, in, northwind, false); err != nil {
		o.t.Fatal(err)
	}
}

func theName(m usermgmt.Member) string { return m.Name() }
