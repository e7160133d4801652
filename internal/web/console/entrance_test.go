package console_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"mandate/internal/catalog"
	"mandate/internal/db/dbtest"
	"mandate/internal/staff"
)

// From the operator's link to the first page: no password to begin with, the
// username is the address, and a name comes before any work.
func TestJoiningTheStaff(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.group("No Permissions")
		w.invite("ada", "No Permissions")
		v := w.visitor()
		page := v.get(w.link("ada"))
		page.says(t, "Join Cedar Bank", "Operator invited you to the Console of Cedar Bank.", "You choose a password next.")
		nonce := strings.Split(strings.Split(page.body, `name="nonce" value="`)[1], `"`)[0]
		page = v.post(w.link("ada"), url.Values{"nonce": {nonce}})
		page.says(t, "You sign in with ada@cedar.example from now on.")
		page.saysNot(t, "Username:")
		v.post("/cedar/enrol", url.Values{"password": {"short"}, "username": {"root@cedar.example"}}).says(t, "Use at least 15 characters. This has 5.")
		v.post("/cedar/enrol", url.Values{"password": {password}, "username": {"root@cedar.example"}}).says(t, "Successfully created account")
		page = v.signIn("ada")
		if page.url != "/cedar/account" {
			t.Fatalf("ended at %s", page.url)
		}
		page.says(t, "Who are you?")
		v.get("/cedar/home").says(t, "Who are you?")
		v.post("/cedar/account", url.Values{"first_name": {""}, "last_name": {"Moss"}}).says(t, "Enter a first name.")
		v.post("/cedar/account", url.Values{"first_name": {"Ada"}, "last_name": {"Moss"}, "time_zone": {"Mars/Olympus"}}).says(t, "Choose a time zone of the list.")
		page = v.post("/cedar/account", url.Values{"first_name": {"Ada"}, "last_name": {"Moss"}, "time_zone": {"America/Denver"}})
		// Vector 50: somebody whose groups permit nothing signs in and sees no app.
		page.says(t, "Hello, Ada", "Nothing to do here")
		page.saysNot(t, "Users & Groups Users", "Groups What people")
		v.get(w.link("ada")).says(t, "Invitation link failed", "already been used")
	})
}

func TestTheDoorTellsStrangersNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.visitor()
		wrong := v.post("/cedar/sign-in", url.Values{"username": {address("root")}, "password": {"wrong"}})
		unknown := v.post("/cedar/sign-in", url.Values{"username": {address("nobody")}, "password": {"wrong"}})
		if strings.ReplaceAll(wrong.text(), "root", "nobody") != unknown.text() || wrong.status != unknown.status {
			t.Errorf("somebody who is there: %s\nnobody: %s", wrong.text(), unknown.text())
		}
		if got := v.get("/cedar/account"); !strings.HasPrefix(got.url, "/cedar/sign-in?return=") {
			t.Errorf("without a sign-in: %s", got.url)
		}
		if got := v.get("/elsewhere/sign-in"); got.status != 404 {
			t.Errorf("an institution that is not there: %d", got.status)
		}
	})
}

func TestACountdownToTheSecondFactor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		support := w.group("Support", catalog.PeopleViewAll)
		w.add("ada", "Support")
		w.must(w.staff.EditGroup(t.Context(), operator, support, 1, staff.Draft{Name: "Support", SecondFactorFrom: "2026-03-05"}))
		v := w.as("ada")
		v.get("/cedar/home").says(t, "Add a second factor", "In 3 days, on Mar 5, 2026, one of your groups asks")
		w.clock.Advance(3 * aDay)
		if got := w.visitor().signIn("ada"); got.url != "/cedar/sign-in/factor?return=" {
			t.Errorf("on the day, the sign-in ends at %s", got.url)
		}
	})
}

func TestIdlenessIsAskedAboutAndEnds(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.as("root")
		v.get("/cedar/home").says(t, "Are you still there?", "I'm still here")
		w.clock.Advance(29 * time.Minute)
		if got := v.post("/cedar/still-here", url.Values{}); got.status != 204 {
			t.Fatalf("still here: %d", got.status)
		}
		w.clock.Advance(29 * time.Minute)
		v.get("/cedar/home").says(t, "Hello, Root")
		w.clock.Advance(30 * time.Minute)
		v.get("/cedar/home").says(t, "You have been signed out")
		v = w.as("root")
		for range 20 { // nobody stays longer than eight hours
			w.clock.Advance(25 * time.Minute)
			v.post("/cedar/still-here", url.Values{})
		}
		v.get("/cedar/home").says(t, "You have been signed out")
	})
}

// Eight hours are the longest, whatever somebody does: it is said at 7:55.
func TestTheEndOfEightHoursIsSaidBefore(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.as("root")
		stay := func(until time.Duration) {
			for w.clock.Now().Before(dbtest.Start.Add(until)) {
				w.clock.Advance(min(20*time.Minute, dbtest.Start.Add(until).Sub(w.clock.Now())))
				v.post("/cedar/still-here", url.Values{})
			}
		}
		stay(7*time.Hour + 54*time.Minute)
		page := v.get("/cedar/home")
		page.says(t, "Hello, Root")
		if !strings.Contains(page.body, `data-last="60"`) {
			t.Error("the page does not know that it is to be said in a minute")
		}
		stay(7*time.Hour + 55*time.Minute)
		v.get("/cedar/home").says(t, "Your sign-in ends soon", "Nobody stays signed in longer than eight hours.")
		stay(8 * time.Hour)
		v.get("/cedar/home").says(t, "You have been signed out")
	})
}
