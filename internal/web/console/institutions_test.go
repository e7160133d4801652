package console_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/identity"
	"mandate/internal/staff"
	"mandate/internal/usermgmt"
)

const birch = bank.InstitutionID("birch")

// alsoAt makes somebody an administrator of Birch Credit Union, too: by its
// operator, with a password of its own.
func (w *world) alsoAt(email string) bank.Caller {
	w.t.Helper()
	there := operator
	there.Institution = birch
	w.must(w.d.Write(w.t.Context(), func(tx *db.Tx) error {
		_, known, err := usermgmt.FindInstitution(tx, birch)
		if err != nil || known {
			return err
		}
		return usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: birch, Name: "Birch Credit Union", TimeZone: "America/Denver"})
	}))
	_, err := w.staff.InviteAdministrator(w.t.Context(), there, email)
	w.must(err)
	name, _, _ := strings.Cut(email, "@")
	link := w.mails[len(w.mails)-1].Link
	browser, _, err := w.identity.Redeem(w.t.Context(), birch, identity.PurposeInvitation, link[strings.LastIndex(string(link), "/")+1:], from)
	w.must(err)
	w.must(w.identity.Enrol(w.t.Context(), birch, browser, "", passwordThere, from))
	g, err := w.identity.SignIn(w.t.Context(), identity.Attempt{Institution: birch, Kind: identity.KindStaff, Username: email, Password: passwordThere, From: from})
	w.must(err)
	w.must(w.staff.EditOwn(w.t.Context(), g.Session.Caller, staff.Details{FirstName: strings.ToUpper(name[:1]) + name[1:], LastName: "Birch"}))
	return g.Session.Caller
}

const passwordThere = "another battery horse staple"

func (v *visitor) signInThere(email, back string) answer {
	v.t.Helper()
	return v.post("/birch/sign-in", url.Values{"username": {email}, "password": {passwordThere}, "return": {back}})
}

// connected is somebody who has signed in to both and said that they are one.
func (w *world) connected(name string) *visitor {
	w.t.Helper()
	v := w.as(name)
	v.post("/cedar/institutions/other", url.Values{"other": {"birch"}})
	got := v.signInThere(address(name), "/birch/institutions")
	if !strings.Contains(got.text(), "You are signed in at Cedar Bank as well, with the same address") {
		w.t.Fatalf("signed in to both: %s", got.text())
	}
	v.post("/birch/institutions/connect", url.Values{})
	return v
}

func TestOnePersonGoesFromOneInstitutionToAnother(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.alsoAt(address("root"))
		v := w.as("root")
		v.get("/cedar/institutions").says(t, "Cedar Bank You are here")
		v.get("/cedar/institutions").saysNot(t, "Birch") // an address alone connects nothing
		v.post("/cedar/institutions/enter", url.Values{"to": {"birch"}}).says(t, "You are not known to belong there.")
		v.post("/cedar/institutions/other", url.Values{"other": {"nowhere"}}).says(t, "Enter the short name of another institution.")

		v = w.connected("root")
		v.get("/birch/institutions").says(t, "Birch Credit Union You are here", "Go to Cedar Bank")
		got := v.post("/birch/institutions/enter", url.Values{"to": {"cedar"}})
		if got.url != "/cedar/home" {
			t.Fatalf("entering Cedar ended at %s: %s", got.url, got.text())
		}
		got.says(t, "Hello, Root", "Cedar Bank")
		if got := v.get("/birch/home"); !strings.HasPrefix(got.url, "/birch/sign-in") {
			t.Errorf("the sign-in that was left still works: %s", got.url)
		}
		v.get("/cedar/users/"+string(w.users["root"])+"/institutions").says(t, "Cedar Bank Here", "Birch Credit Union")
		if got := v.post("/cedar/institutions/enter", url.Values{"to": {"birch"}}); got.url != "/birch/home" {
			t.Errorf("and back: %s", got.url)
		}
		v.post("/birch/institutions/disconnect", url.Values{}).says(t, "Your sign-in here stands by itself again")
		v.post("/birch/institutions/enter", url.Values{"to": {"cedar"}}).says(t, "You are not known to belong there.")
	})
}

// A switch gives no more than signing in would: not to whoever is locked there,
// not without a factor that is needed there, and not longer than eight hours in
// all.
func TestASwitchGivesNoMoreThanASignIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		there := w.alsoAt(address("root"))
		v := w.connected("root")
		w.clock.Advance(20 * time.Minute)
		for range 4 { // nobody stays longer by going to and fro
			v.post("/birch/institutions/enter", url.Values{"to": {"cedar"}})
			for range 6 {
				w.clock.Advance(20 * time.Minute)
				v.post("/cedar/still-here", url.Values{})
			}
			v.post("/cedar/institutions/enter", url.Values{"to": {"birch"}})
		}
		v.get("/birch/home").says(t, "You have been signed out")

		v = w.as("root")
		operatorThere := operator
		operatorThere.Institution = birch
		groups, err := w.staff.Groups(t.Context(), operatorThere)
		w.must(err)
		d := groups[0].Draft
		d.SecondFactorFrom = "2026-03-01"
		w.must(w.staff.EditGroup(t.Context(), operatorThere, groups[0].ID, groups[0].Version, d))
		v.get("/cedar/institutions").says(t, "A second factor is needed there", "Sign in at Birch Credit Union")
		v.post("/cedar/institutions/enter", url.Values{"to": {"birch"}}).says(t, "A second factor is needed there")
		w.must(w.d.Write(t.Context(), func(tx *db.Tx) error {
			return staff.People{}.SetStatus(tx, identity.Staff(birch, bank.StaffID(there.ID)), bank.StatusLocked)
		}))
		v.post("/cedar/institutions/enter", url.Values{"to": {"birch"}}).says(t, "You cannot sign in there now.")
	})
}

func TestSignInsOfDifferentPeopleAreNotConnected(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.alsoAt("somebody@birch.example")
		v := w.as("root")
		v.post("/cedar/institutions/other", url.Values{"other": {"birch"}})
		got := v.signInThere("somebody@birch.example", "/birch/institutions")
		got.says(t, "These two cannot be connected", "Only sign-ins with the same address can be connected.")
		v.post("/birch/institutions/connect", url.Values{}).says(t, "The other sign-in has ended, or it is not yours.")
		v.get("/birch/institutions").saysNot(t, "Go to Cedar Bank")
	})
}

// Without an institution the first page asks for one; after the sign-in there is
// a choice where there is something to choose.
func TestTheInstitutionIsChosen(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.visitor()
		v.get("/").says(t, "Where do you work?")
		v.get("/?institution=nowhere").says(t, "There is no institution of this name here.")
		if got := v.get("/?institution=Cedar"); got.url != "/cedar/sign-in?return=%2Fcedar%2Finstitutions%3Fchoose%3Dyes" {
			t.Errorf("ended at %s", got.url)
		}
		signIn := url.Values{"username": {address("root")}, "password": {password}, "return": {"/cedar/institutions?choose=yes"}}
		if got := v.post("/cedar/sign-in", signIn); got.url != "/cedar/home" {
			t.Errorf("with one institution: %s", got.url)
		}
		w.alsoAt(address("root"))
		w.connected("root")
		w.visitor().post("/cedar/sign-in", signIn).says(t, "Your institutions", "Go to Birch Credit Union")
	})
}

func TestInstitutionsInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, w *world, p colleague) {
		w.alsoAt(address("root"))
		p.open("/")
		p.look("anywhere")
		p.Fill("Institution", "cedar")
		p.Click("Continue")
		p.Fill("Email", address("root"))
		p.Fill("Password", password)
		p.Click("Sign in")
		p.See("Hello, Root")
		p.open("/cedar/institutions")
		p.Fill("Another institution", "birch")
		p.Click("Sign in there")
		p.Fill("Email", address("root"))
		p.Fill("Password", passwordThere)
		p.Click("Sign in")
		p.See("You are signed in at Cedar Bank as well")
		p.look("connect")
		p.Click("Connect them")
		p.See("Your sign-ins are connected")
		p.Click("Go to Cedar Bank")
		p.See("Hello, Root")
		p.open("/cedar/institutions")
		p.look("institutions")
	})
}
