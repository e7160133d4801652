package office_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
)

func classicPath(ref, more string) string { return "/cedar/classic/users/" + ref + more }

// An admin creates, invites and gives rights; the link makes credentials that
// serve both channels.
func TestClassic(t *testing.T) {
	w := newWorld(t)
	ana := w.make(acme, "Ana", bank.RoleAdmin, bank.StatusActive)
	w.make(birch, "Bea", bank.RoleUser, bank.StatusActive)
	w.product.knows("ana", ana.Ref)
	v := w.customer("ana")
	v.get("/cedar/classic").sees("Welcome, Ana", "Acme Tools", "Cash users", "Go to Online")
	v.get("/cedar/classic/users").sees("Ana Diaz").missing("Bea")
	v.post("/cedar/classic/organizations/1001/users/new", url.Values{"first_name": {"Dana"}, "last_name": {"Diaz"}, "email": {"dana@acme.example"}, "role": {"user"}, "account/1001-op": {"on"}}).
		sees("Dana Diaz was created").missing("Set status", "Delete user", "Edit user", "Hold account access")
	all, err := w.bank.Users(t.Context(), cedar, "", 10)
	w.must(err)
	dana := all[len(all)-1]
	v.post(classicPath(string(dana.Ref), "/permissions"), url.Values{"version": {version(dana)}, "stops.enabled": {"off", "on"}}).sees("Saved")
	v.post(classicPath(string(dana.Ref), "/invite"), url.Values{}).sees("Invitation sent successfully")
	events, err := w.bank.About(t.Context(), cedar, dana.Ref, 1)
	w.must(err)
	if len(events) != 1 || events[0].Channel != "classic" || events[0].By != "Ana Diaz" {
		t.Errorf("told as %+v", events)
	}

	link, guest := w.letters[0].Path, w.visitor()
	for range 3 { // opening it uses nothing up
		guest.get(link).is(http.StatusOK).sees("Enroll in Classic", "Ana Diaz invited you, Dana Diaz.")
	}
	guest.post(link, url.Values{"username": {"ana"}, "password": {"short"}}).is(http.StatusUnprocessableEntity).sees("Somebody has this username.", "Use at least 15 characters.")
	guest.post(link, url.Values{"username": {"dana"}, "password": {password}}).at("/cedar/classic/enrolled").sees("Successfully created account")
	guest.get(link).is(http.StatusGone).sees("This enrollment link has been used.")
	if w.product.users["dana"] != dana.Ref {
		t.Errorf("the product was told of %q", w.product.users["dana"])
	}
	newcomer := w.customer("dana")
	newcomer.get("/cedar/classic").sees("What you may do here follows in a moment.").missing("Cash users")
	newcomer.get("/cedar/classic/users").is(http.StatusForbidden).sees("administrators of your organization")
	newcomer.post("/cedar/classic/online", url.Values{}).sees("Continue to Online")
}

// What a link says that leads nowhere any more.
func TestEnrollmentLinkExpires(t *testing.T) {
	w := newWorld(t)
	text := "Your enrollment link has expired. Please contact your financial institution for assistance."
	u := w.make(acme, "Dana", bank.RoleUser, bank.StatusPending)
	v, guest := w.staff(everything...), w.visitor()
	v.post(path(u, "/invite"), url.Values{}).sees("Invitation sent successfully")
	first := w.letters[0].Path
	v.post(path(u, "/invite"), url.Values{})
	second := w.letters[1].Path
	guest.get(first).is(http.StatusGone).sees(text)
	guest.post(first, url.Values{"username": {"dana"}, "password": {password}}).is(http.StatusGone).sees(text)
	guest.get(second).is(http.StatusOK)
	w.clock.Advance(7 * 24 * time.Hour)
	guest.get(second).is(http.StatusGone).sees(text)
	guest.get("/cedar/classic/enroll/nothing").is(http.StatusGone).sees(text)
	if len(w.product.users) != 0 {
		t.Errorf("somebody enrolled: %v", w.product.users)
	}
}

func TestWhoMayInClassic(t *testing.T) {
	w := newWorld(t)
	ana, uma := w.make(acme, "Ana", bank.RoleAdmin, bank.StatusActive), w.make(acme, "Uma", bank.RoleUser, bank.StatusActive)
	bea := w.make(birch, "Bea", bank.RoleAdmin, bank.StatusActive)
	w.product.knows("ana", ana.Ref)
	w.product.knows("uma", uma.Ref)
	wrong := w.visitor().post("/cedar/classic/sign-in", url.Values{"username": {"ana"}, "password": {"wrong"}})
	unknown := w.visitor().post("/cedar/classic/sign-in", url.Values{"username": {"nobody"}, "password": {"wrong"}})
	wrong.is(http.StatusUnprocessableEntity).sees("We couldn't sign you in.")
	if strings.ReplaceAll(wrong.text(), "ana", "") != strings.ReplaceAll(unknown.text(), "nobody", "") {
		t.Errorf("a refusal tells who there is:\n%s\n%s", wrong.text(), unknown.text())
	}
	v := w.customer("ana")
	for _, p := range []page{
		v.get(classicPath(string(bea.Ref), "")), v.post(classicPath(string(bea.Ref), "/permissions"), url.Values{"version": {version(bea)}}),
		v.get("/cedar/classic/organizations/1002/users/new"), v.post("/cedar/classic/organizations/1002/users/new", url.Values{}),
	} {
		p.is(http.StatusNotFound).missing("Bea", "Birch")
	}
	v.post(classicPath(string(uma.Ref), "/status"), url.Values{"status": {"disabled"}}).is(http.StatusNotFound)
	w.customer("uma").get("/cedar/classic/users").is(http.StatusForbidden)
	if _, err := w.bank.SetHeld(t.Context(), cedar, core, ana.Ref, ana.Version, true); err != nil {
		t.Fatal(err)
	}
	v.get("/cedar/classic/users").at("/cedar/classic/sign-in")
	w.visitor().get("/elm/classic/sign-in").is(http.StatusNotFound) // a credit union
}

func TestSecondFactorInClassic(t *testing.T) {
	w := newWorld(t)
	w.product.knows("ana", w.make(acme, "Ana", bank.RoleAdmin, bank.StatusActive).Ref)
	w.product.second = "123456"
	v := w.visitor()
	v.post("/cedar/classic/sign-in", url.Values{"username": {"ana"}, "password": {password}}).at("/cedar/classic/code").sees("Code from your authenticator app")
	v.get("/cedar/classic/users").at("/cedar/classic/sign-in")
	v.post("/cedar/classic/code", url.Values{"code": {"000000"}}).is(http.StatusUnprocessableEntity).sees("We couldn't sign you in.")
	v.post("/cedar/classic/code", url.Values{"code": {"123456"}}).at("/cedar/classic").sees("Welcome, Ana")
	w.product.second = "passkey"
	w.visitor().post("/cedar/classic/sign-in", url.Values{"username": {"ana"}, "password": {password}}).sees("a second factor that Classic cannot ask for", "Go to Online")
}
