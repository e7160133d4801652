package online_test

import (
	"fmt"
	"strings"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
)

// proves fills in the password where it is asked for.
func (p guest) proves() {
	p.See("Confirm that it is you")
	p.Fill("Password", password)
	p.Click("Confirm")
}

// each test has people of its own for each way of browsing.
func (p guest) called(name string) string { return fmt.Sprintf("%s%t", name, p.scripts) }

// Hold, the mark in the list, the banner, and removal.
func TestHoldInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, o *office, p guest) {
		username := p.called("hal")
		o.add(username, "Hal", strings.ToUpper(username), bank.RoleUser, bank.StatusActive, danas(), "acc_operating")
		name := "Hal " + strings.ToUpper(username)
		hal := o.as(username)
		p.asAna(t)
		p.open("/cedar/settings/users/" + string(userID(username)))
		p.Click("Settings")
		p.Click("Hold account access")
		p.See("They are not told why.")
		p.Fill("Reason", "Parental leave")
		p.Click("Hold")
		p.See(name + "'s account access is temporarily on hold.")
		p.See(name + "'s account access is on hold")
		p.picture("held")
		if got := hal.get("/cedar/home"); !strings.HasPrefix(got.url, "/cedar/sign-in") {
			t.Error("the held person is still signed in")
		}
		p.open("/cedar/settings/users?q=" + username)
		p.See("Account access on hold")
		p.See("Active")
		o.visitor().tryPassword(username, password).saysNot(t, "hold")
		p.Click(name)
		p.Click("Remove the hold")
		p.See("The hold on " + name + "'s account access has been removed")
		p.NotSee("temporarily on hold")
		if got := o.visitor().tryPassword(username, password); !strings.HasSuffix(got.url, "/cedar/home") {
			t.Errorf("after the hold they end at %s", got.url)
		}
	})
}

// An admin's hold takes a high-risk authorization, and the last usable admin
// cannot be held.
func TestHoldOfAnAdminInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, o *office, p guest) {
		p.asAna(t)
		p.open("/cedar/settings/users/usr_ben")
		p.Click("Settings")
		p.Click("Hold account access")
		p.Click("Hold")
		p.proves()
		p.See("Ben Chen's account access is on hold")
		p.open("/cedar/settings/users/usr_ana")
		p.Click("Settings")
		p.NotSee("Delete user")
		p.open("/cedar/settings/users/usr_ana/delete")
		p.See("Ana Ruiz cannot be deleted")
		p.picture("delete-blocked")
		p.open("/cedar/settings/users/usr_ben")
		p.Click("Remove the hold")
		p.See("has been removed")
	})
}

// A lock, above it a hold; both must go; then a reset link.
func TestUnlockInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, o *office, p guest) {
		username := p.called("lars")
		o.add(username, "Lars", "Holm", bank.RoleUser, bank.StatusActive, danas(), "acc_operating")
		for range 3 {
			o.visitor().tryPassword(username, "wrong")
		}
		if err := o.users.Hold(t.Context(), o.ana(), who(username), ""); err != nil {
			t.Fatal(err)
		}
		p.asAna(t)
		p.open("/cedar/settings/users/" + string(userID(username)))
		text := p.Text()
		hold, lock := strings.Index(text, "temporarily on hold"), strings.Index(text, "locked due to multiple incorrect login attempts")
		if hold < 0 || lock < hold {
			t.Errorf("the hold banner does not stand above the lock banner:\n%s", text)
		}
		p.picture("held-and-locked")
		p.Click("Unlock Lars Holm")
		p.See("User successfully unlocked")
		p.See("Their account access is still on hold, so they cannot sign in yet.")
		p.picture("unlocked")
		p.Click("I'm done")
		p.See("Lars Holm's account access is temporarily on hold.")
		p.NotSee("locked due to")
		p.Click("Remove the hold")
		p.See("has been removed")
		if got := o.visitor().tryPassword(username, password); !strings.HasSuffix(got.url, "/cedar/home") {
			t.Errorf("with both gone they end at %s", got.url)
		}

		for range 3 {
			o.visitor().tryPassword(username, "wrong")
		}
		p.Reload()
		p.Click("Unlock Lars Holm")
		p.Click("Send password reset link")
		p.See("Sent password reset link successfully")
		o.wantStatus(username, bank.StatusActive)
		if link := o.link(username); !strings.Contains(link, "/password-reset/") {
			t.Errorf("the newest letter leads to %s", link)
		}
	})
}

func TestSendResetInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, o *office, p guest) {
		username := p.called("rita")
		o.add(username, "Rita", "Moss", bank.RoleUser, bank.StatusActive, danas(), "acc_operating")
		p.asAna(t)
		p.open("/cedar/settings/users/" + string(userID(username)))
		p.Click("Settings")
		p.picture("menu")
		p.Reload()
		p.Click("Settings")
		p.Click("Send password reset link")
		p.See("A link to choose a new password goes to " + username + "@northwind.example.")
		p.Click("Email")
		p.See("Sent password reset link successfully")
		if n := len(o.letters(username)); n != 1 {
			t.Errorf("%d letters", n)
		}
	})
}

// Name, email and role, each with what it brings along.
func TestEditUserInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, o *office, p guest) {
		username := p.called("ed")
		o.add(username, "Ed", "Lane", bank.RoleUser, bank.StatusActive, danas(), "acc_operating")
		p.asAna(t)
		p.open("/cedar/settings/users/" + string(userID(username)) + "/edit")
		p.picture("edit")
		p.Fill("First name", "Eddie")
		p.Click("Save changes")
		p.See("Profile saved")
		p.See("Eddie Lane")
		link := o.sendReset(username) // dies with the address

		p.open("/cedar/settings/users/" + string(userID(username)) + "/edit")
		p.Fill("Email", "dana@northwind.example")
		p.Click("Save changes")
		p.See("Dana Diaz already has this email address in this organization.")
		p.Fill("Email", username+".new@northwind.example")
		p.Set("Admin", true)
		p.Click("Save changes")
		p.See("Before you change the email address and role of Eddie Lane.")
		p.proves()
		p.See("Profile saved")
		o.deliver()
		for _, address := range []string{username + "@northwind.example", username + ".new@northwind.example"} {
			p.Goto(o.mailbox + "/?q=" + address)
			p.Click("Your email address was changed")
			p.See("Ana Ruiz changed the email address of your user.")
		}
		p.open(link)
		p.See("Reset link failed")
		m := o.profile(username).Member
		if m.Role != bank.RoleAdmin || !m.Settings.On.Has(catalog.UserManagementEnabled) || m.Email != username+".new@northwind.example" {
			t.Errorf("stored is %+v", m)
		}
		p.open("/cedar/settings/users/" + string(userID(username)) + "/edit")
		p.See("What each role may do")
		p.Set("User", true)
		p.Click("Save changes")
		p.See("Profile saved")
		if m := o.profile(username).Member; m.Role != bank.RoleUser || m.Settings.On.Has(catalog.UserManagementEnabled) {
			t.Errorf("a user again: %+v", m)
		}
		p.open("/cedar/settings/users/usr_ana/edit")
		p.See("Nobody changes their own role. Ask another admin.")
	})
}

// What goes with somebody, their name typed, and gone.
func TestDeleteInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, o *office, p guest) {
		username := p.called("gus")
		o.add(username, "Gus", "Vale", bank.RoleUser, bank.StatusActive, danas(), "acc_operating", "acc_payroll")
		gus := o.as(username)
		o.users.WithWork(underWay(userID(username)))
		p.asAna(t)
		p.open("/cedar/settings/users/" + string(userID(username)))
		p.Click("Settings")
		p.Click("Delete user")
		p.See("their access to 2 accounts")
		p.See("They are signed in now, and are signed out at once.")
		p.See("Transfer of $250.00, from Operating ••0137: scheduled for Monday, March 9, 2026. It stops on that day, and the admins are told.")
		p.See("Transfer of $75.00 every month, from Payroll ••4821: every further one stops on its day")
		p.See("Wire of $900.00 of Dana Diaz, from Operating ••0137: waits for their approval, and nobody else may give it.")
		p.picture("delete")
		p.Click("Delete user")
		p.See("Type Gus Vale to confirm.")
		p.Fill("Type the name to confirm", "gus  vale")
		p.Click("Delete user")
		p.See("Before you delete Gus Vale. It cannot be undone.")
		p.proves()
		p.See("Gus Vale was successfully deleted")
		p.at(t, "/cedar/settings/users")
		if got := gus.get("/cedar/home"); !strings.HasPrefix(got.url, "/cedar/sign-in") {
			t.Error("the deleted person is still signed in")
		}
		p.open("/cedar/settings/history?kind=people")
		p.See("Ana Ruiz deleted Gus Vale")
	})
}

// underWay is what goes out on somebody's right, or waits for them.
type underWay bank.UserID

func (u underWay) OpenOf(_ *db.Tx, _ bank.InstitutionID, _ bank.OrganizationID, user bank.UserID) ([]usermgmt.OpenItem, error) {
	if user != bank.UserID(u) {
		return nil, nil
	}
	return []usermgmt.OpenItem{
		{Title: "Transfer of $250.00", Account: "acc_operating", Ends: usermgmt.Scheduled, Day: "2026-03-09"},
		{Title: "Transfer of $75.00 every month", Account: "acc_payroll", Ends: usermgmt.Repeats},
		{Title: "Wire of $900.00 of Dana Diaz", Account: "acc_operating", Ends: usermgmt.NobodyElse},
	}, nil
}

// Copy from a colleague, side by side, and make view-only.
func TestCopyAndViewOnlyInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, o *office, p guest) {
		username := p.called("cleo")
		rich := danas()
		rich.Limits = rich.Limits.With(catalog.LimitPerWire, 80_000_00) // above the ceiling, as a host may have it
		o.add(p.called("rich"), "Rich", "Stone", bank.RoleUser, bank.StatusActive, rich, "acc_operating", "acc_tax")
		o.add(username, "Cleo", "Hart", bank.RoleUser, bank.StatusActive, entitlement.Settings{}, "acc_payroll")
		p.asAna(t)
		p.open("/cedar/settings/users/" + string(userID(username)))
		p.Click("Settings")
		p.Click("Copy permissions from a colleague")
		p.Choose("Colleague", "Rich Stone, 2 accounts")
		if !p.scripts {
			p.Click("Compare")
		}
		p.See("Left out, because you may not give it")
		p.See("Per wire limit is above the organization's ceiling")
		p.See("Cleo will have")
		p.picture("copy-dropped")
		p.Choose("Colleague", "Dana Diaz, 2 accounts")
		if !p.scripts {
			p.Click("Compare")
		}
		p.See("Cleo Hart may send a wire up to $25,000.00 from 2 accounts, alone up to $10,000.00.")
		p.picture("copy")
		p.Click("Copy permissions")
		p.proves()
		p.See("Permissions saved")
		if got := o.profile(username); got.Enabled() != 2 || !got.Member.Settings.On.Has(catalog.WiresTransmit) {
			t.Errorf("%d accounts, %v", got.Enabled(), got.Member.Settings)
		}
		p.Click("Settings")
		p.Click("Make view-only")
		p.See("Cleo Hart may no longer send a wire.")
		p.picture("view-only")
		p.Click("Save changes")
		p.See("Permissions saved")
		if got := o.profile(username); got.Member.Settings.On.Has(catalog.WiresTransmit) || got.Enabled() != 2 {
			t.Errorf("after view-only: %d accounts, %v", got.Enabled(), got.Member.Settings)
		}
	})
}

// One change for several people on several accounts, with those left out.
func TestChangeSeveralInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, o *office, p guest) {
		a, b := p.called("abe"), p.called("bea")
		family := map[bool]string{true: "Quill", false: "Quince"}[p.scripts]
		o.add(a, "Abe", family, bank.RoleUser, bank.StatusActive, danas(), "acc_operating")
		o.add(b, "Bea", family, bank.RoleUser, bank.StatusActive, entitlement.Settings{}, "acc_operating")
		p.asAna(t)
		p.open("/cedar/settings/users")
		p.Click("Change several")
		p.picture("bulk-empty")
		p.Click("Review changes")
		p.See("Choose at least one person.")
		p.Choose("What to change", "Transmit wires")
		if !p.scripts {
			p.Click("Go on")
		}
		p.See("Bring along what it needs")
		p.Set("Turn it on", true)
		p.Fill("Search people", family)
		if !p.scripts {
			p.Click("Search people")
		}
		p.NotSee("Vera Novak")
		p.Click("All on for people")
		p.See("2 people")
		p.picture("bulk")
		p.Click("Review changes")
		p.See("Left out: 1 person")
		p.See("Bea " + family + ": Transmit wires needs a Per wire limit above zero.")
		p.See("Already so: Abe " + family + ".")
		p.Click("Back to editing")
		p.Choose("What to change", "Add stop payment")
		if !p.scripts {
			p.Click("Go on")
		}
		p.Click("Review changes")
		p.See("Changes for 2 people")
		p.See("View stop payment")
		p.picture("bulk-review")
		p.Click("Save changes")
		p.See("Saved for 2 people")
		for _, username := range []string{a, b} {
			if !o.profile(username).Member.Settings.On.Has(catalog.StopsAdd) {
				t.Errorf("%s has not got it", username)
			}
		}

		p.open("/cedar/settings/users/bulk?q=" + family)
		p.Choose("What to change", "Account access")
		if !p.scripts {
			p.Click("Go on")
		}
		p.Set("Turn it on", true)
		p.Click("All on for people")
		p.Within("On which accounts").Set("Payroll ••4821 Checking", true)
		p.Within("On which accounts").Set("Tax reserve ••7730 Savings", true)
		p.Click("Review changes")
		p.See("Changes for 2 people")
		p.picture("bulk-accounts")
		p.Click("Save changes")
		p.See("Saved for 2 people")
		for _, username := range []string{a, b} {
			if n := o.profile(username); n.Enabled() != 3 {
				t.Errorf("%s has %d accounts", username, n.Enabled())
			}
		}
	})
}

// The grid shows who has what, collapses equal people, and turns to accounts.
func TestGridInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, o *office, p guest) {
		if p.scripts {
			o.crowd(12)
		}
		o.enough(30)
		p.asAna(t)
		p.open("/cedar/settings/users")
		p.Click("Grid")
		p.See("people, in")
		p.picture("grid-collapsed")
		p.open("/cedar/settings/users/matrix?rows=each")
		p.See("Dana Diaz")
		p.picture("grid")
		p.Click("By accounts")
		p.See("of 30")
		p.picture("grid-accounts")
		p.Click("Next")
		p.See("25–30 of 30")
		p.open("/cedar/settings/users/matrix?by=accounts&right=wires.transmit&q=dana")
		p.See("Dana Diaz")
		p.See("1 of")
		p.Fill("Search accounts", "payroll")
		p.Click("Show these accounts")
		p.See("Payroll")
		p.NotSee("Branch 3")
	})
}

// The history by time, person and kind, and as a file.
func TestFeedInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, o *office, p guest) {
		username := p.called("fay")
		o.add(username, "Fay", "Reed", bank.RoleUser, bank.StatusActive, danas(), "acc_operating")
		if err := o.users.Hold(t.Context(), o.ana(), who(username), "Away"); err != nil {
			t.Fatal(err)
		}
		p.asAna(t)
		p.open("/cedar/settings/history")
		p.Choose("Kind of event", "Locks and holds")
		p.Choose("Person", "Fay Reed")
		p.Fill("From", "03022026")
		p.Click("Show")
		p.See("Ana Ruiz put the account access of Fay Reed on hold")
		p.picture("feed")
		p.open("/cedar/settings/history?from=2026-03-03")
		p.See("There is no event of this kind in this time.")
		p.open("/cedar/settings/users/usr_ana/history?side=by")
		p.See("Ana Ruiz put the account access of Fay Reed on hold")
	})
}
