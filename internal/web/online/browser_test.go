package online_test

import (
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/identity"
	"mandate/internal/web/browsertest"
)

// A person is somebody with a real browser.
type person struct {
	*browsertest.Page
	w *world
}

func (w *world) browser(t *testing.T, username string) person {
	t.Helper()
	p := person{browsertest.Open(t), w}
	p.signIn(username)
	return p
}

func (p person) signIn(username string) {
	p.Goto(p.w.server.URL + "/cedar/sign-in")
	p.Fill("Username", username)
	p.Fill("Password", password)
	p.Click("Sign in")
	p.See("Welcome")
}

func (p person) open(path string) { p.Goto(p.w.server.URL + path) }

// look judges a state of a page, and takes pictures of it.
func (p person) look(name string) { p.Glance(name) }

func browserWorld(t *testing.T) *world {
	w := newWorld(t, dbtest.SQLite(t))
	w.add("lotte", "Lotte", "Kern", bank.RoleUser, bank.StatusLocked, danas(), "acc_operating")
	w.add("pia", "Pia", "Ende", bank.RoleUser, bank.StatusPending, danas(), "acc_operating")
	w.add("sam", "Sam", "Okafor", bank.RoleAdmin, bank.StatusDisabled, entitlement.Settings{On: catalog.SetOf(catalog.UserManagementEnabled)})
	return w
}

// What test/screens does not come by: pages that refuse, hold a change, or show
// something blocked.
func TestPagesLookRight(t *testing.T) {
	w := browserWorld(t)
	dana := w.browser(t, "dana")
	dana.open("/cedar/settings/users")
	dana.look("refusal")
	dana.open("/cedar/why?operation=wires.transmit&account=acc_tax&amount=30000")
	dana.look("why-me")

	ana := w.browser(t, "ana")
	ana.open("/cedar/settings/users/usr_lotte")
	ana.look("member-locked")
	ana.open("/cedar/settings/users/usr_dana/permissions?ach.edit_level=full")
	ana.look("permissions")
	ana.open("/cedar/settings/users/usr_dana/why?operation=wires.transmit&account=acc_tax&amount=30000")
	ana.look("why")
	ana.open("/cedar/nothing")
	ana.look("not-found")

	vera := w.browser(t, "vera")
	vera.open("/cedar/settings/users/usr_dana/permissions")
	vera.look("viewer")
}

const danasProfile = "/cedar/settings/users/usr_dana"

// changeLimit fills in a limit and leaves the field.
func (p person) changeLimit(label, amount string) {
	p.Fill(label, amount)
	p.Press("Tab")
}

func TestAdminChangesAPermissionInABrowser(t *testing.T) {
	for _, scripts := range []bool{true, false} {
		name := map[bool]string{true: "with scripts", false: "without scripts"}[scripts]
		t.Run(name, func(t *testing.T) {
			w := browserWorld(t)
			ana := person{browsertest.Open(t), w}
			ana.Scripts(scripts)
			ana.signIn("ana")
			ana.Click("User management")
			ana.Fill("Search users", "diaz")
			if !scripts {
				ana.Click("Search")
			}
			ana.See("“diaz”") // the answer to all that was typed
			ana.See("1 of 8 users")
			ana.Click("Dana Diaz")
			ana.See("alone up to $10,000.00")
			ana.Click("Set permissions")

			wires := person{ana.Within("Wires"), w}
			wires.changeLimit("Per wire limit", "30000")
			wires.Set("Dual wire control", false)
			if scripts {
				ana.See("2 changes")
				if got := wires.Value("Per wire limit"); got != "30,000.00" {
					t.Errorf("the limit reads %q", got)
				}
			}
			ana.Click("Review changes")
			ana.See("Dana Diaz may send a wire up to $30,000.00 from 2 accounts.")
			ana.See("You will be asked to confirm that it is you.")
			if scripts {
				ana.look("review")
			}
			ana.Click("Back to editing")
			ana.See("2 changes")
			ana.Click("Review changes")
			ana.Click("Save changes")
			ana.See("Confirm that it is you")
			if scripts {
				ana.look("proof")
			}
			ana.Fill("Password", "not it")
			ana.Click("Confirm")
			ana.See("This was not right.")
			ana.Fill("Password", password)
			ana.Click("Confirm")
			ana.See("Permissions saved")
			ana.See("Send a wire up to $30,000.00 from 2 accounts.")
			ana.Click("History")
			ana.See("Ana Ruiz changed the permissions of Dana Diaz")
			if scripts {
				ana.look("history")
			}
			if s := w.settings("dana"); s.On.Has(catalog.WiresDualControl) {
				t.Error("dual control is still on")
			}
		})
	}
}

func TestSwitchesMoveTogetherInABrowser(t *testing.T) {
	w := browserWorld(t)
	ana := w.browser(t, "ana")
	ana.open("/cedar/settings/users/usr_uma/permissions")
	wires := ana.Within("Wires")
	wires.Set("Transmit wires", true)
	ana.See("3 changes")
	wires.See("Comes on with Transmit wires.")
	wires.See("Transmit wires needs a Per wire limit above zero.")
	if !wires.Checked("Work with wires") || !wires.Checked("Enabled") {
		t.Error("the needs did not come on")
	}
	ana.look("needs")
	wires.Set("Work with wires", false) // the last thing done wins
	ana.See("No changes yet")
	if wires.Checked("Transmit wires") || wires.Checked("Enabled") {
		t.Error("something stayed on")
	}
	wires.Set("Transmit wires", true)
	person{wires, w}.changeLimit("Per wire limit", "100")
	person{wires, w}.changeLimit("Daily wire limit", "500")
	ana.See("5 changes")
	ana.NotSee("above zero.")
	ana.Click("Discard")
	ana.See("No changes yet")

	ana.open(danasForm)
	wires = ana.Within("Wires")
	wires.Set("Work with wires", false)
	ana.See("3 changes")
	wires.See("Goes off with Work with wires.")
	ana.look("cascade")
	wires.Set("Transmit wires", true)
	ana.See("No changes yet")
	if !wires.Checked("Work with wires") || !wires.Checked("Create one-time wires") {
		t.Error("turning it back on did not bring back what it needs")
	}
}

func TestTwoAdminsMeetInABrowser(t *testing.T) {
	w := browserWorld(t)
	ana, ben := w.browser(t, "ana"), w.browser(t, "ben")
	ana.open(danasForm)
	ben.open(danasForm)
	ben.Within("ACH").Set("Enabled", false)
	ben.Click("Review changes")
	ben.Click("Save changes")
	ben.See("Permissions saved")

	wires := person{ana.Within("Wires"), w}
	wires.changeLimit("Per wire limit", "20000")
	ana.See("This has changed meanwhile")
	ana.See("Ben Chen changed")
	if ana.Within("ACH").Checked("Enabled") {
		t.Error("what Ben saved is not there")
	}
	ana.look("conflict")
	ana.See("1 change")
	ana.Click("Review changes")
	ana.See("$20,000.00")
	ana.Click("Save changes")
	ana.See("Permissions saved")
}

func TestViewerAndUserInABrowser(t *testing.T) {
	w := browserWorld(t)
	vera := w.browser(t, "vera")
	vera.Click("User management")
	vera.Click("Dana Diaz")
	vera.Click("View permissions")
	vera.See("Transmit wires")
	if vera.Has("pressable", "Review changes") || vera.Has("field", "Transmit wires") {
		t.Error("a viewer can change something")
	}
	uma := w.browser(t, "uma")
	if uma.Has("pressable", "User management") {
		t.Error("a user has a menu entry")
	}
	uma.open("/cedar/settings/users")
	uma.See("User management is not open to you")
	uma.Click("See every level")
	uma.See("May you see the organization's people?")
}

func TestWhyLeadsToItsFixInABrowser(t *testing.T) {
	w := browserWorld(t)
	ana := w.browser(t, "ana")
	ana.open(danasProfile)
	ana.Click("Why can't Dana …?")
	ana.Choose("What should be possible?", "Create an ACH batch")
	ana.Choose("What should be possible?", "Send a wire")
	ana.See("Effective date")
	ana.Choose("Account", "Tax reserve ••7730")
	ana.Fill("Amount", "12,000")
	ana.Click("Ask")
	ana.See("No. 3 things stand in the way.")
	ana.Click("Review as one change")
	ana.See("Dana Diaz may send a wire up to $25,000.00 from 3 accounts")
	ana.Click("Save changes")
	ana.Fill("Password", password)
	ana.Click("Confirm")
	ana.See("Permissions saved")
}

func TestOpenPageIsUselessAfterTheSignInEnded(t *testing.T) {
	w := browserWorld(t)
	ana := w.browser(t, "ana")
	ana.open(danasForm)
	w.write(func(tx *db.Tx) error { return identity.EndSignIns(tx, identity.Member(cedar, userID("ana"))) })
	person{ana.Within("Wires"), w}.changeLimit("Per wire limit", "20000")
	ana.See("You have been signed out")
}

func TestThousandsOfRowsLookRight(t *testing.T) {
	w := browserWorld(t)
	w.wide(200, 2)
	w.crowd(3_000)
	ana := w.browser(t, "ana")
	ana.Click("User management")
	ana.See("3,010 users")
	ana.look("members-many")
	ana.Choose("Role", "Viewer")
	ana.See("1,001 of 3,010 users")
	ana.Click("Status")
	ana.Click("Next")
	ana.See("51–100 of 1,001")
	ana.open("/cedar/settings/users/usr_wide1")
	ana.See("Access to all accounts: 203 accounts")
	ana.look("member-many")
	ana.Fill("Search accounts", "tax")
	ana.See("“tax”")
	ana.See("1 of 203 accounts")
	ana.Click("Tax reserve ••7730")
	ana.See("What Wide Person1 may do on this account.")
}
