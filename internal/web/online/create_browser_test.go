package online_test

import (
	"fmt"
	"strings"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/identity"
	"mandate/internal/usermgmt"
)

// A clerk counts what somebody does: every click, choice and filled field.
type clerk struct {
	guest
	done int
}

func (c *clerk) press(name string) {
	c.done++
	c.Click(name)
}

func (c *clerk) write(label, text string) {
	c.done++
	c.Fill(label, text)
}

func (c *clerk) pick(label, option string) {
	c.done++
	c.Choose(label, option)
}

// asAna is Ana in a browser.
func (p guest) asAna(t *testing.T) guest {
	t.Helper()
	p.signIn("ana")
	return p
}

// enough gives the organization so many accounts, all of them Dana's.
func (o *office) enough(accounts int) {
	o.t.Helper()
	o.write(func(tx *db.Tx) error {
		for i := len(o.accounts); i < accounts; i++ {
			a := &usermgmt.Account{ID: bank.AccountID(fmt.Sprintf("acc_%d", i)), Name: fmt.Sprintf("Branch %d", i), Number: fmt.Sprintf("%04d", 2000+i), Kind: "checking"}
			if err := usermgmt.InsertAccount(tx, o.org.Num, a); err != nil {
				return err
			}
			o.accounts = append(o.accounts, a)
		}
		return nil
	})
	dana := o.profile("dana")
	o.write(func(tx *db.Tx) error {
		for _, a := range o.accounts {
			if err := usermgmt.SetMemberAccount(tx, o.org.Num, dana.Member.Ordinal, a.Ordinal, onAccount()); err != nil {
				return err
			}
		}
		return nil
	})
}

// profile is somebody as they are stored.
func (o *office) profile(username string) usermgmt.Profile {
	o.t.Helper()
	p, err := o.users.Profile(o.t.Context(), o.ana(), who(username))
	if err != nil {
		o.t.Fatal(err)
	}
	return p
}

// named finds somebody who was created on a screen.
func (o *office) named(name string) usermgmt.Profile {
	o.t.Helper()
	page, err := o.users.List(o.t.Context(), o.ana(), northwind, usermgmt.MemberQuery{Search: name})
	if err != nil || len(page.Members) != 1 {
		o.t.Fatalf("%q is %d people (%v)", name, len(page.Members), err)
	}
	p, err := o.users.Profile(o.t.Context(), o.ana(), usermgmt.Person{Organization: northwind, User: page.Members[0].ID})
	if err != nil {
		o.t.Fatal(err)
	}
	return p
}

// A newcomer clerk with twelve accounts, set up like a colleague: at most eight
// interactions after typing the name and the address.
func TestCreatingAClerkTakesEightSteps(t *testing.T) {
	eachBrowser(t, func(t *testing.T, o *office, p guest) {
		o.enough(12)
		c := &clerk{guest: p.asAna(t)}
		c.open("/cedar/settings/users")
		c.Click("Create user")
		last := map[bool]string{true: "Park", false: "Parker"}[p.scripts]
		c.Fill("First name", "Nina")
		c.Fill("Last name", last)
		c.Fill("Email", strings.ToLower(last)+"@northwind.example")
		c.picture("create")

		c.pick("Permissions and accounts", "The same as Dana Diaz, 12 accounts")
		c.press("Create user")
		c.See("Confirm that it is you")
		c.write("Password", password)
		c.press("Confirm")
		c.See("All accounts")
		c.See("Send a wire up to $25,000.00 from 12 accounts, alone up to $10,000.00")
		c.picture("setup-colleague")
		c.press("Enable accounts")
		c.write("Password", password)
		c.press("Confirm")
		c.See("Accounts enabled")
		c.picture("setup-done")
		c.press("Send email invite")
		c.See("Invitation sent successfully")
		if c.done > 8 {
			t.Errorf("it took %d interactions, want at most 8", c.done)
		}
		nina := o.named("Nina " + last)
		if nina.Member.Status != bank.StatusPending || nina.Enabled() != 12 || !nina.Member.Settings.On.Has(catalog.WiresTransmit) {
			t.Errorf("Nina is %s with %d accounts and %v", nina.Member.Status, nina.Enabled(), nina.Member.Settings)
		}
		o.deliver()
		letters := o.box.Messages(strings.ToLower(last) + "@northwind.example")
		if len(letters) != 1 || len(letters[0].Links) == 0 || !strings.Contains(letters[0].Text, "Ana Ruiz invited you") {
			t.Fatalf("the mailbox has %+v", letters)
		}
	})
}

// The flow by hand: leave it at every step, come back, choose accounts, be
// stopped without any, meet a failure, and invite from the profile.
func TestCreateFlowCanBeLeftAndResumed(t *testing.T) {
	eachBrowser(t, func(t *testing.T, o *office, p guest) {
		o.enough(5)
		p.asAna(t)
		p.open("/cedar/settings/users/new")
		p.See("Move money, as far as the permissions go")
		first := map[bool]string{true: "Olga", false: "Oskar"}[p.scripts]
		address := strings.ToLower(first) + "@northwind.example"
		p.Fill("First name", first)
		p.Fill("Last name", strings.Repeat("x", 41))
		p.Fill("Email", "nonsense")
		p.Set("Viewer", true)
		p.Click("Create user")
		p.See("First and last name are")
		p.See("Enter an email address like name@example.com.")
		p.picture("create-wrong")

		p.open("/cedar/home") // left
		p.open("/cedar/settings/users/new")
		p.See("You typed this")
		if p.Value("First name") != first || !p.Checked("Viewer") {
			t.Error("what was typed is lost")
		}
		p.Fill("Last name", "Berg")
		p.Fill("Email", address)
		p.Click("Create user")
		p.Fill("Password", "not it")
		p.Click("Confirm")
		p.See("After 2 more wrong attempts")
		p.Fill("Password", password)
		p.Click("Confirm")
		p.See("No account is chosen")
		p.See(first + " would see no account and could move no money.")
		p.picture("setup-empty")
		p.Click("Enable accounts")
		p.See("Choose at least one account. Without any, they would see nothing.")

		p.Click("Done") // left again
		p.Click("Create user")
		p.See("Left unfinished")
		o.faults.AccountsFail(true)
		p.Tolerate()
		p.Click("Go on with " + first + " Berg")
		p.See("Accounts failed to load")
		p.picture("accounts-failed")
		p.Click("Try again")
		p.See("Accounts failed to load")
		p.Click("View profile")
		p.See(first + " Berg account is pending. Invite them to complete set-up of their account.")
		p.picture("pending")
		o.faults.AccountsFail(false)

		p.Click("Invite")
		p.See("Unable to invite user")
		p.picture("unable-to-invite")
		p.Click("Cancel")
		p.Click("Enable accounts")
		p.Click("Select accounts")
		p.Fill("Search accounts", "branch")
		if !p.scripts {
			p.Click("Search")
		}
		p.NotSee("Payroll")
		p.Click("All on")
		p.See("2 accounts")
		p.Fill("Search accounts", "")
		if !p.scripts {
			p.Click("Search")
		}
		p.See("Payroll")
		p.Set("Payroll ••4821 Checking", true)
		if p.scripts {
			p.See("3 accounts")
		}
		p.picture("picker")
		p.Click("Done")
		p.See("3 accounts")
		p.See("See 3 accounts.")
		p.Click("Enable accounts")
		p.See("Accounts enabled")
		p.Click("Edit permissions")
		p.Click("Invite")
		p.See("Invitation sent successfully")
		p.See("On its way to " + address)
		o.deliver()
		p.Reload()
		p.See("the mail server has taken it")
		p.picture("invited")
		p.Click("Settings")
		p.Click("Cancel invitation")
		p.picture("cancel-invitation")
		p.Click("Cancel invitation")
		p.See("Invitation cancelled")
		p.Click("Resend invitation")
		p.See("Invitation sent successfully")
		o.deliver()
		if got := o.box.Messages(address); len(got) != 2 {
			t.Fatalf("%d invitations arrived, want 2", len(got))
		}
		made := o.named(first + " Berg")
		if made.Enabled() != 3 || !made.Member.Settings.On.Has(catalog.UserManagementEnabled) {
			t.Errorf("%d accounts, settings %v", made.Enabled(), made.Member.Settings)
		}
	})
}

// Inviting without an account offers the accounts right there.
func TestUnableToInviteOffersTheAccounts(t *testing.T) {
	eachBrowser(t, func(t *testing.T, o *office, p guest) {
		username := fmt.Sprintf("pavel%t", p.scripts)
		o.add(username, "Pavel", "Ende", bank.RoleUser, bank.StatusPending, danas())
		p.asAna(t)
		p.open("/cedar/settings/users/" + string(userID(username)))
		p.Click("Invite")
		p.See("Unable to invite user")
		p.Click("Enable accounts and send email invite")
		p.See("Choose at least one account.")
		p.Set("Operating ••0137 Checking", true)
		p.Click("Enable accounts and send email invite")
		p.See("Invitation sent successfully")
		if n := len(o.letters(username)); n != 1 {
			t.Errorf("%d letters, want one", n)
		}
		var link identity.Link
		o.read(func(tx *db.Tx) (err error) {
			link, _, err = identity.Newest(tx, identity.Member(cedar, userID(username)), identity.PurposeInvitation)
			return err
		})
		if link.AskedBy != "Ana Ruiz" || !link.Fresh() {
			t.Errorf("the invitation is %+v", link)
		}
	})
}

func (w *world) read(f func(tx *db.Tx) error) {
	w.t.Helper()
	if err := w.d.Read(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}
