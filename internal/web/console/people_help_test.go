package console_test

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/identity"
	"mandate/internal/staff"
	"mandate/internal/usermgmt"
)

// strong makes somebody of Support who is held to a second factor: a group
// requires one from a later day on, and they have added one already. It returns
// their browser, signed in.
func (w *world) strong(name string) (v *visitor, code func() string) {
	w.t.Helper()
	id, err := w.staff.CreateGroup(w.t.Context(), operator, staff.Draft{Name: "Strong", Permissions: catalog.StaffSetOf(catalog.PeopleManageAll), SecondFactorFrom: "2027-01-01"})
	w.must(err)
	w.groups["Strong"] = id
	w.add(name, "Strong")
	code = w.app(identity.Attempt{Kind: identity.KindStaff, Username: address(name)})
	v = w.visitor()
	v.signIn(name)
	got := v.post("/cedar/sign-in/second", url.Values{"code": {code()}})
	if !strings.HasSuffix(got.url, "/cedar/home") {
		w.t.Fatalf("sign in as %s with a second factor: ended at %s: %s", name, got.url, got.text())
	}
	return v, code
}

// app gives somebody an authenticator app and returns what tells its codes; each
// is good once, so the clock moves on.
func (w *world) app(who identity.Attempt) (code func() string) {
	w.t.Helper()
	who.Institution, who.Password, who.From = cedar, password, from
	g, err := w.identity.SignIn(w.t.Context(), who)
	w.must(err)
	caller := g.Session.Caller
	w.must(w.identity.Prove(w.t.Context(), caller, identity.Challenge{Action: "auth.second_factor_added", Target: caller.ID, Content: []byte("totp")}, identity.Answer{Password: password}))
	e, err := w.identity.BeginApp(w.t.Context(), caller, "Phone")
	w.must(err)
	code = func() string {
		w.clock.Advance(31 * time.Second)
		text, err := totp.GenerateCode(string(e.Seed), w.clock.Now())
		w.must(err)
		return text
	}
	_, err = w.identity.ConfirmApp(w.t.Context(), caller, e.ID, identity.Secret(code()))
	w.must(err)
	return code
}

// events are what the history tells of Northwind, the newest first.
func (w *world) events(f activity.Filter) (all []activity.Event) {
	w.t.Helper()
	f.Institution, f.Organization, f.WithRefused = cedar, northwind, true
	w.must(w.d.Read(w.t.Context(), func(tx *db.Tx) (err error) {
		all, err = activity.Feed(tx, f)
		return err
	}))
	return all
}

// tells looks for the newest event of a name.
func (w *world) tells(name string, refused bool, who string) activity.Event {
	w.t.Helper()
	found := w.events(activity.Filter{Names: []string{name}})
	if len(found) == 0 || found[0].Refused != refused || found[0].Actor.Name != who || found[0].Channel != bank.ChannelPeople {
		w.t.Fatalf("%s by %s (refused: %v): the history has %+v", name, who, refused, found)
	}
	return found[0]
}

// member is what is stored of somebody.
func (w *world) member(name string) usermgmt.Member {
	w.t.Helper()
	p, err := w.people.Profile(w.t.Context(), operator, of(name))
	w.must(err)
	return p.Member
}

// Vector 38: unlocking by staff makes a member active; the link is sent only
// where it is asked for.
func TestVector38StaffUnlock(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.customer().support()
		val, _ := w.strong("val")
		if got := w.as("bo").post(atLee+"/unlock", url.Values{}); got.status != 403 || w.member("lee").Status != bank.StatusLocked {
			t.Errorf("unlocked by somebody who may only look: %d", got.status)
		}
		w.tells("orguser.unlocked", true, "Bo Cedar")
		if body := w.as("bo").get(atLee).body; strings.Contains(body, atLee+"/unlock") {
			t.Error("Unlock is offered to somebody who may only look")
		}
		val.post(atLee+"/unlock", url.Values{}).says(t, "User successfully unlocked", "I'm done", "Send password reset link")
		if got := w.member("lee").Status; got != bank.StatusActive {
			t.Errorf("after unlocking: %v", got)
		}
		e := w.tells("orguser.unlocked", false, "Val Cedar")
		if len(e.Changes) != 1 || e.Changes[0].Old != "locked" || e.Changes[0].New != "active" {
			t.Errorf("the history of unlocking: %+v", e.Changes)
		}
		if mails := len(w.mails); mails != len(w.mails) || slices.ContainsFunc(w.mails, func(m identity.Mail) bool { return m.To == "lee@northwind.example" }) {
			t.Error("unlocking sends a mail by itself")
		}
		val.post(atLee+"/security/reset", url.Values{}).says(t, "Sent password reset link successfully", "Email to lee@northwind.example", "Val Cedar")
		if m := w.mails[len(w.mails)-1]; m.To != "lee@northwind.example" || m.Link == "" {
			t.Errorf("the last mail goes to %s", m.To)
		}
		val.post(atLee+"/unlock", url.Values{}).says(t, "Lee Tran is active, so this cannot be done.")
	})
}

// Vector 48: whoever is in no group that requires a second factor sees the
// security settings of customers and changes none, even with Manage everything.
func TestVector48SecurityIsReadOnlyWithoutASecondFactor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.customer().support()
		w.app(identity.Attempt{Kind: identity.KindMember, Username: "dana.northwind"})
		factor := regexp.MustCompile(atDana + `/security/factors/(fac_[\w-]+)`)
		sam := w.as("sam")
		page := sam.get(atDana + "/security")
		page.says(t, "View-only", "only by staff in a group that requires a second factor", "Phone Authenticator app", "Last reset Never")
		if factor.MatchString(page.body) || strings.Contains(page.body, "/security/reset") {
			t.Error("the page offers what it says is view-only")
		}
		val, code := w.strong("val")
		found := factor.FindStringSubmatch(val.get(atDana + "/security").body)
		if found == nil {
			t.Fatal("the second factor cannot be removed by whoever may")
		}
		for _, address := range []string{"/security/reset", "/security/factors/" + found[1]} {
			got := sam.post(atDana+address, url.Values{})
			got.says(t, "only by staff in a group that requires a second factor")
			if got.status != 403 || sam.get(atDana+address).status != 403 {
				t.Errorf("%s without a second factor: %d", address, got.status)
			}
		}
		w.tells("orguser.password_reset_sent", true, "Sam Cedar")
		w.tells("auth.second_factor_removed", true, "Sam Cedar")
		sam.post(atLee+"/unlock", url.Values{}).says(t, "User successfully unlocked", "only by staff in a group that requires a second factor")

		val.get(atDana+"/security/factors/"+found[1]).says(t, "Remove this second factor?", "is told by mail")
		val.post(atDana+"/security/factors/"+found[1], url.Values{}).says(t, "Confirm that it is you")
		val.post(atDana+"/security/factors/"+found[1], url.Values{"prove_code": {code()}}).says(t, "The second factor was removed", "Second factors What they confirm with that it is them, besides the password. None.")
		if e := w.tells("auth.second_factor_removed", false, "Val Cedar"); e.Changes[0].Old != "totp Phone" {
			t.Errorf("the history of the removal: %+v", e.Changes)
		}
		if m := w.mails[len(w.mails)-1]; m.To != "dana@northwind.example" || !strings.Contains(strings.Join(m.Lines, " "), "The staff of Cedar Bank removed") {
			t.Errorf("who is told of the removal: %+v", m)
		}
	})
}

// A reset never unlocks and removes no hold, in either edition.
func TestAResetByStaffUnlocksNobody(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.customer().support()
		val, _ := w.strong("val")
		for name, at := range map[string]string{"lee": atLee, "ingrid": atIngrid} {
			val.get(at+"/security/reset").says(t, "It does not unlock them and removes no hold.", "Email")
			val.post(at+"/security/reset", url.Values{}).says(t, "Sent password reset link successfully")
			if m := w.member(name); name == "lee" && m.Status != bank.StatusLocked || name == "ingrid" && !m.Held {
				t.Errorf("after a reset %s is %v, held %v", name, m.Status, m.Held)
			}
		}
		if body := val.get(atPriya + "/security").body; strings.Contains(body, "/security/reset") {
			t.Error("a reset is offered to somebody who has no password")
		}
	})
}

func TestPreferredName(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sam := w.customer().support().as("sam")
		sam.get(atDana+"/name").says(t, "Edit preferred name", "We strongly recommend that you leave this empty.")
		sam.post(atDana+"/name", url.Values{"preferred_name": {strings.Repeat("x", 41)}}).says(t, "The preferred name is 41 characters long. The most is 40.")
		sam.post(atDana+"/name", url.Values{"preferred_name": {" Danny "}}).says(t, "Preferred name saved", "Preferred name Danny", "Dana Reyes")
		if e := w.tells("orguser.preferred_name_changed", false, "Sam Cedar"); e.Changes[0].New != "Danny" {
			t.Errorf("the history: %+v", e.Changes)
		}
		if got := w.as("bo").post(atDana+"/name", url.Values{"preferred_name": {"Dee"}}); got.status != 403 || w.member("dana").PreferredName != "Danny" {
			t.Errorf("renamed by somebody who may only look: %d", got.status)
		}
	})
}

func TestSupportCases(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sam := w.customer().support().as("sam")
		sam.get(atDana+"/cases").says(t, "No support cases")
		sam.post(atDana+"/cases", url.Values{"subject": {" "}}).says(t, "Say in a few words what the member needs.")
		sam.post(atDana+"/cases", url.Values{"subject": {"Cannot send wires"}, "details": {"Since Monday"}}).says(t, "Case #1 was opened", "#1 Cannot send wires Since Monday", "Open", "Sam Cedar")
		sam.post(atLee+"/cases", url.Values{"subject": {"Locked out"}}).says(t, "Case #2 was opened")
		sam.post(atDana+"/cases/1", url.Values{"status": {"solved"}}).says(t, "Case #1 was changed")
		sam.post(atDana+"/cases/1", url.Values{"status": {"gone"}}).says(t, "Choose one of the list.")
		if got := sam.post(atDana+"/cases/2", url.Values{"status": {"solved"}}); got.status != 404 {
			t.Errorf("somebody else's case: %d", got.status)
		}
		bo := w.as("bo")
		bo.get(atDana+"/cases").says(t, "Cannot send wires", "Solved", "Sam Cedar")
		if got := bo.post(atDana+"/cases", url.Values{"subject": {"Me too"}}); got.status != 403 {
			t.Errorf("opened by somebody who may only look: %d", got.status)
		}
		w.tells("support.case_opened", true, "Bo Cedar")
		w.tells("support.case_changed", false, "Sam Cedar")
	})
}

// A bank's staff switch whole entitlements of a member, see the rest, and see
// what it means before it is saved.
func TestStaffSwitchEntitlements(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sam := w.customer().support().as("sam")
		at := atDana + "/permissions"
		page := sam.get(at)
		page.says(t, "Organization user permissions", "View all", "Feature entitlements are view-only", "an admin at their organization manages them in User management of Online", "Permissions of the organization")
		page.saysNot(t, "Transmit wires")
		all := sam.get(at + "?all=1")
		all.says(t, "Transmit wires", "$25,000.00", "At most $50,000.00")
		if strings.Contains(all.body, `name="wires.transmit"`) || !strings.Contains(all.body, `name="wires.enabled"`) {
			t.Error("a bank's staff get a control for a feature, or none for the entitlement")
		}
		off := url.Values{"version": {"0"}, "wires.enabled": {"off"}, "transfers.enabled": {"off", "on"}}
		review := sam.post(at+"/review", off)
		review.says(t, "Dana Reyes may no longer send a wire", "Wires enabled", "These go off with what they need Work with wires, Transmit wires", "Nothing is saved yet.")
		if !w.member("dana").Settings.On.Has(catalog.WiresEnabled) {
			t.Fatal("a review saves")
		}
		on := url.Values{"version": {"0"}, "set": {"transfers.enabled=true"}}
		sam.post(at+"/save", on).says(t, "Permissions saved")
		// Vector 51: one event with old and new values.
		if e := w.tells("orguser.entitlement_changed", false, "Sam Cedar"); len(e.Changes) != 1 || e.Changes[0].Field != "transfers.enabled" || e.Changes[0].Old != "false" || e.Changes[0].New != "true" {
			t.Errorf("the history: %+v", e.Changes)
		}
		on.Set("set", "stops.enabled=true")
		stale := sam.post(at+"/save", on)
		stale.says(t, "Somebody else changed the permissions of Dana Reyes meanwhile.", "Review changes")
		if stale.status != 409 || w.member("dana").Settings.On.Has(catalog.StopsEnabled) {
			t.Errorf("saved on top of somebody else's change: %d", stale.status)
		}
		// Ingrid has the rights of wires and not the entitlement: it sets money free.
		sam.proven(atIngrid+"/permissions/save", url.Values{"version": {"0"}, "set": {"wires.enabled=true"}}).says(t, "Permissions saved")
		if got := w.as("bo").post(at+"/save", on); got.status != 403 {
			t.Errorf("saved by somebody who may only look: %d", got.status)
		}
	})
}

// Vector 39: what a bank's staff may not do is refused by the server, with who
// can, and the attempt is kept.
func TestVector39ThroughPeople(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.customer().support()
		val, _ := w.strong("val")
		before := w.member("dana")
		for what, form := range map[string]url.Values{
			"a feature":           {"version": {"0"}, "set": {"wires.one_time_create=true"}},
			"a limit":             {"version": {"0"}, "set": {"wires.per_wire_limit=30000.00"}},
			"an account's access": {"version": {"0"}, "level": {"acc_payroll"}, "set": {"account.access=true"}},
			"an account's right":  {"version": {"0"}, "level": {"acc_operating"}, "set": {"wires.transmit=false"}},
		} {
			got := val.post(atDana+"/permissions/save", form)
			got.says(t, "The institution's staff cannot do this. An admin of the organization can.")
			if got.status != 403 {
				t.Errorf("%s: %d", what, got.status)
			}
			w.tells("orguser.permission_changed", true, "Val Cedar")
		}
		if after := w.member("dana"); after.Settings != before.Settings {
			t.Errorf("something was changed: %+v", after.Settings)
		}
		page := val.get(atDana + "/accounts/acc_operating")
		page.says(t, "Operating ••0440", "Permissions of an account are view-only here. An admin at their organization", "Transmit wires")
		if strings.Contains(page.body, "Review changes") {
			t.Error("a bank's staff are offered to save an account's permissions")
		}
		for _, path := range []string{atNorthwind + "/members", atNorthwind + "/members/new", atPriya + "/invite"} {
			if got := val.post(path, url.Values{"first_name": {"New"}, "last_name": {"Person"}, "email": {"new@northwind.example"}}); got.status != 404 && got.status != 405 {
				t.Errorf("%s: staff can create or invite: %d", path, got.status)
			}
		}
		for _, path := range []string{"/hold", "/release", "/delete"} {
			got := val.post(atDana+path, url.Values{"typed": {"Dana Reyes"}})
			got.says(t, "The institution's staff cannot do this. An admin of the organization can.")
			if got.status != 403 {
				t.Errorf("%s by a bank's staff: %d", path, got.status)
			}
		}
		if m := w.member("dana"); m.Held {
			t.Error("a bank's staff placed a hold")
		}
	})
}

// The institution's staff give an organization entitlements and ceilings, and see
// what changes for whom before they do.
func TestStaffChangeWhatAnOrganizationHas(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sam := w.customer().support().as("sam")
		at := atNorthwind + "/permissions"
		sam.get(at).says(t, "Wires for the organization", "Ceiling of Per wire limit", "$50,000.00", "Review changes")
		bo := w.as("bo").get(at)
		bo.says(t, "You may look here and change nothing.")
		if strings.Contains(bo.body, "Review changes") {
			t.Error("somebody who may only look is offered to change")
		}
		seen := url.Values{"was.wires.enabled": {"on"}, "was.transfers.enabled": {"on"}, "was.user_management.enabled": {"on"}, "was.ceiling.wires.per_wire_limit": {"$50,000.00"}}
		with := func(name, value string) url.Values {
			form := url.Values{name: {value}}
			for k, v := range seen {
				form[k] = v
			}
			return form
		}
		lower := sam.post(at+"/review", with("ceiling.wires.per_wire_limit", "10,000"))
		lower.says(t, "The ceiling goes from $50,000.00 to $10,000.00.", "Dana Reyes may send a wire", "$10,000.00", "Before: Send a wire", "Ceiling of Per wire limit Before: $50,000.00 After: $10,000.00", "Nothing is saved yet.")
		lower.saysNot(t, "You will be asked to confirm")
		sam.post(at+"/review", with("ceiling.wires.per_wire_limit", "lots")).says(t, "Enter an amount such as $25,000.00, or nothing for no ceiling.")
		gone := sam.post(at+"/review", with("wires.enabled", "off"))
		gone.says(t, "The organization loses Wires.", "Dana Reyes may no longer send a wire")
		gone.saysNot(t, "Priya Nair may")

		sam.post(at+"/save", with("wires.enabled", "off")).says(t, "Permissions saved")
		if e := w.tells("org.entitlement_changed", false, "Sam Cedar"); len(e.Changes) != 1 || e.Changes[0].Field != "wires.enabled" || e.Changes[0].New != "false" {
			t.Errorf("the history: %+v", e.Changes)
		}
		sam.get(atDana+"/permissions").says(t, "Northwind Paper does not have Wires.")
		if w.member("dana").Settings != sendsWires {
			t.Error("a member's settings went with the entitlement")
		}
		sam.post(at+"/save", with("wires.enabled", "off")).says(t, "Somebody else changed this meanwhile")
		seen.Set("was.wires.enabled", "off")
		sam.proven(at+"/save", with("wires.enabled", "on")).says(t, "Permissions saved")
		if got := w.as("bo").post(at+"/save", with("wires.enabled", "off")); got.status != 403 {
			t.Errorf("saved by somebody who may only look: %d", got.status)
		}
		w.tells("org.entitlement_changed", true, "Bo Cedar")
	})
}
