package online_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/identity"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/online"
)

// The acceptance vectors of the trade's description that are about people, each
// under its number, asked of the server as a browser without scripts asks. What
// staff do is not here: they have an app of their own.

const users = "/cedar/settings/users"

func pageOf(username string) string { return users + "/" + string(userID(username)) }

// confirm sends a form and, where a high-risk authorization is asked for, the
// password with everything that the page carries.
func (v *visitor) confirm(path string, form url.Values) answer {
	v.t.Helper()
	got := v.post(path, form)
	if !strings.Contains(got.body, `name="prove_password"`) {
		return got
	}
	return v.post(path, with(got.hidden(), "prove_password", password))
}

// feed is what the organization's feed shows since a moment: nothing of what
// was refused, nothing that changed nothing.
func (o *office) feed(since int64) (events []activity.Event) {
	o.t.Helper()
	err := o.d.Read(o.t.Context(), func(tx *db.Tx) error {
		all, err := activity.Feed(tx, activity.Filter{Institution: cedar, Organization: northwind, After: since})
		for _, e := range all {
			if !strings.HasPrefix(e.Name, "auth.") && !strings.HasPrefix(e.Name, "hra.") {
				events = append(events, e)
			}
		}
		return err
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return events
}

// now is the moment for feed.
func (o *office) now() (sequence int64) {
	o.t.Helper()
	err := o.d.Read(o.t.Context(), func(tx *db.Tx) error {
		all, err := activity.Feed(tx, activity.Filter{Institution: cedar, Organization: northwind, WithRefused: true, Limit: 1})
		for _, e := range all {
			sequence = e.Sequence
		}
		return err
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return sequence
}

// details are the form of somebody new, or of a profile.
func details(first, last, email, role string) url.Values {
	return url.Values{"first_name": {first}, "last_name": {last}, "email": {email}, "role": {role}}
}

// concrete is the address of a route, about Dana and her first account; about
// Pia, who is new, where it is about setting somebody up.
func concrete(pattern string) string {
	user := "usr_dana"
	if strings.Contains(pattern, "/setup") {
		user = "usr_pia"
	}
	return strings.NewReplacer("{institution}", "cedar", "{user}", user, "{account}", "acc_operating").Replace(pattern)
}

// screens are the pages of User management that somebody who may view may open.
func screens() (paths []string) {
	views := []string{catalog.ViewUsers.ID(), catalog.ViewProfile.ID(), catalog.ViewPermissions.ID(), catalog.ViewAccountPermissions.ID()}
	for _, r := range online.Routes() {
		if r.Method == "GET" && slices.Contains(views, r.Needs.May) {
			paths = append(paths, concrete(r.Pattern))
		}
	}
	return paths
}

// asks are the pages that ask before somebody changes something.
func asks() (paths []string) {
	for _, r := range online.Routes() {
		if path := concrete(r.Pattern); r.Method == "GET" && r.Needs.May != web.Own && r.Needs.Who == web.SignedIn && !slices.Contains(screens(), path) {
			paths = append(paths, path)
		}
	}
	return paths
}

// writes are the forms of User management that change something, all of them
// filled in as an admin would.
func writes() map[string]url.Values {
	filled := map[string]url.Values{
		users + "/new":                    details("New", "Clerk", "new@northwind.example", "user"),
		users + "/new/keep":               details("New", "Clerk", "new@northwind.example", "user"),
		pageOf("dana") + "/save":          {"version": {"1"}, "set": {"wires.transmit=false"}},
		pageOf("dana") + "/delete":        {"typed": {"Dana Diaz"}},
		pageOf("dana") + "/edit":          details("Dana", "Dietz", "dana@northwind.example", "user"),
		pageOf("pia") + "/setup":          {"colleague": {"usr_dana"}},
		pageOf("pia") + "/setup/accounts": {"shown": {"acc_operating"}, "pick": {"acc_operating"}, "do": {"done"}},
		pageOf("pia") + "/setup/save":     {"version": {"1"}, "set": {"acc_operating/account.access=true"}},
		pageOf("pia") + "/invite":         {},
	}
	all := maps.Clone(filled)
	for _, r := range online.Routes() {
		path := concrete(r.Pattern)
		changes := r.Needs.Event != "" || !strings.HasPrefix(r.Needs.May, "user_management.view")
		if r.Method == "POST" && r.Needs.Who == web.SignedIn && r.Needs.May != web.Own && changes && filled[path] == nil {
			all[path] = url.Values{}
		}
	}
	return all
}

// refusesAllOf sends every form, and checks that each is refused and leaves
// nothing.
func (o *office) refusesAllOf(username string) {
	o.t.Helper()
	v := o.as(username)
	before, people := o.now(), o.people()
	for path, form := range writes() {
		if got := v.post(path, form); got.status != http.StatusForbidden {
			o.t.Errorf("%s posts %s: %d %s", username, path, got.status, got.text())
		}
	}
	if got := o.feed(before); len(got) != 0 {
		o.t.Errorf("refused forms of %s left events: %+v", username, got)
	}
	if now := o.people(); now != people {
		o.t.Errorf("refused forms of %s changed people:\n%s\n%s", username, people, now)
	}
}

// people is all that is stored of the people of the organization.
func (o *office) people() string {
	o.t.Helper()
	var all strings.Builder
	err := o.d.Read(o.t.Context(), func(tx *db.Tx) error {
		for _, table := range []string{"member", "member_account", "link", "member_setup"} {
			if err := dump(tx, &all, table); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return all.String()
}

func TestVector23ViewerSeesEveryScreenAndEveryWriteIsRefused(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.newcomer("pia")
		if screens, writes := len(screens()), len(writes()); screens < 7 || writes < 15 {
			o.t.Fatalf("%d screens and %d forms were found", screens, writes)
		}
		vera := o.as("vera")
		for _, path := range screens() {
			vera.get(path).is(t, 200)
		}
		for _, path := range asks() {
			vera.get(path).is(t, 403)
		}
		vera.get(pageOf("dana")).saysNot(t, "Edit user", "Hold account access", "Delete user", "Send password reset link")
		o.refusesAllOf("vera")
	})
}

func TestVector24UserWithUserManagementOnByMistakeHasNone(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.newcomer("pia")
		o.add("mike", "Mike", "Stake", bank.RoleUser, bank.StatusActive, entitlement.Settings{On: catalog.SetOf(catalog.UserManagementEnabled)})
		mike := o.as("mike")
		mike.get("/cedar/home").saysNot(t, "User management")
		for _, path := range append(screens(), asks()...) {
			page := mike.get(path)
			page.is(t, 403)
			page.saysNot(t, "dana@northwind.example", "usr_dana", "Ben Chen")
		}
		o.refusesAllOf("mike")
	})
}

func TestVector25ViewerMayInitiateACH(t *testing.T) {
	eachOffice(t, func(o *office) {
		initiates := entitlement.Settings{
			On:     catalog.SetOf(catalog.UserManagementEnabled, catalog.ACHEnabled, catalog.ACHView, catalog.ACHInitiate),
			Limits: entitlement.Limits{}.With(catalog.LimitACHDaily, 5_000_00),
		}
		o.add("vito", "Vito", "Nero", bank.RoleViewer, bank.StatusActive, initiates, "acc_operating")
		vito := o.as("vito")
		question := "/cedar/why?operation=ach.batch.initiate&account=acc_operating&amount="
		vito.get(question+"5000.00").says(t, "Yes")
		vito.get(question+"5000.01").says(t, "No.")
		vito.post(pageOf("dana")+"/hold", url.Values{}).is(t, 403)
	})
}

func TestVector26AdminChangesTheRoleOfOthersOnly(t *testing.T) {
	eachOffice(t, func(o *office) {
		ana := o.as("ana")
		own := ana.confirm(pageOf("ana")+"/edit", details("Ana", "Ruiz", "ana@northwind.example", "user"))
		own.says(t, "Nobody changes their own role. Ask another admin.")
		if role := o.member("ana").Role; role != bank.RoleAdmin {
			t.Errorf("Ana is %s now", role)
		}
		other := ana.confirm(pageOf("ben")+"/edit", details("Ben", "Chen", "ben@northwind.example", "viewer"))
		other.says(t, "Profile saved")
		if role := o.member("ben").Role; role != bank.RoleViewer {
			t.Errorf("Ben is %s, want viewer", role)
		}
	})
}

func TestVector27WithoutUserManagementMoneyMovesOn(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.newcomer("pia")
		initiates := danas()
		initiates.On = initiates.On.With(catalog.ACHView).With(catalog.ACHInitiate)
		initiates.Limits = initiates.Limits.With(catalog.LimitACHDaily, 5_000_00)
		o.add("ira", "Ira", "Tate", bank.RoleUser, bank.StatusActive, initiates, "acc_operating")
		question := "/cedar/why?operation=ach.batch.initiate&account=acc_operating&amount=5000"
		ira, ana, vera := o.as("ira"), o.as("ana"), o.as("vera")
		ira.get(question).says(t, "Yes")
		operator := bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: cedar, Channel: bank.ChannelCommand}
		if _, err := o.users.SwitchEntitlement(t.Context(), operator, northwind, catalog.UserManagement, false); err != nil {
			t.Fatal(err)
		}
		for _, v := range []*visitor{ana, vera} { // whose sign-ins go on
			for _, path := range append(screens(), asks()...) {
				v.get(path).is(t, 403)
			}
			v.get("/cedar/home").saysNot(t, "User management")
		}
		o.refusesAllOf("ana")
		o.refusesAllOf("vera")
		ira.get(question).says(t, "Yes")
	})
}

func TestVector28NameOfFortyAndEmailOfEighty(t *testing.T) {
	eachOffice(t, func(o *office) {
		ana := o.as("ana")
		last := strings.Repeat("é", 40-len("Eve "))
		email := strings.Repeat("e", 80-len("@northwind.example")) + "@northwind.example"
		long := ana.confirm(users+"/new", details("Eve", last+"é", email, "user"))
		long.is(t, 422)
		long.says(t, "First and last name are 41 characters together. The most is 40.")
		long = ana.confirm(users+"/new", details("Eve", last, "e"+email, "user"))
		long.is(t, 422)
		long.says(t, "The email address is longer than 80 characters.")
		ana.confirm(users+"/new", details("Eve", last, email, "user")).says(t, "Enable accounts", "Eve "+last)
		ana.confirm(pageOf("dana")+"/edit", details("Dana", strings.Repeat("d", 36), "dana@northwind.example", "user")).says(t, "The most is 40.")
		ana.confirm(pageOf("dana")+"/edit", details("Dana", strings.Repeat("d", 35), "dana@northwind.example", "user")).says(t, "Profile saved")
	})
}

// create makes somebody new and returns the address of their profile.
func (v *visitor) create(first, last, role string) string {
	v.t.Helper()
	got := v.confirm(users+"/new", details(first, last, strings.ToLower(first)+"@northwind.example", role))
	if !strings.HasSuffix(got.url, "/setup") {
		v.t.Fatalf("creating %s ended at %s (%d): %s", first, got.url, got.status, got.text())
	}
	return strings.TrimSuffix(got.url, "/setup")
}

func TestVector29FreshUserNeedsAnAccountToBeInvited(t *testing.T) {
	eachOffice(t, func(o *office) {
		looks := entitlement.Settings{On: catalog.SetOf(catalog.ACHEnabled, catalog.ACHView)}
		o.write(func(tx *db.Tx) error { return usermgmt.SetDefaults(tx, cedar, bank.RoleUser, looks) })
		ana := o.as("ana")
		pia := ana.create("Pia", "Ende", "user")
		profile, err := o.users.Profile(t.Context(), o.ana(), personAt(pia))
		if err != nil || profile.Member.Status != bank.StatusPending || profile.Member.Settings != looks || profile.Enabled() != 0 {
			o.t.Fatalf("Pia is %+v with %d accounts (%v)", profile.Member, profile.Enabled(), err)
		}
		ana.get(pia).says(t, "Pia Ende account is pending. Invite them to complete set-up of their account.")
		refused := ana.post(pia+"/invite", url.Values{})
		refused.is(t, 409)
		refused.says(t, "Unable to invite user")
		if n := len(o.letters("pia")); n != 0 {
			o.t.Fatalf("%d mails went out", n)
		}
		enabled := ana.post(pia+"/invite", url.Values{"shown": {"acc_operating"}, "pick": {"acc_operating"}, "do": {"done"}})
		enabled.says(t, "Invitation sent successfully")
		if n := len(o.letters("pia")); n != 1 {
			t.Errorf("%d mails went out, want one", n)
		}
	})
}

// personAt is whom the address of a profile names.
func personAt(path string) usermgmt.Person {
	return usermgmt.Person{Organization: northwind, User: bank.UserID(path[strings.LastIndex(path, "/")+1:])}
}

func TestVector30InvitationLastsSevenDays(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.newcomer("pia")
		o.newcomer("paul")
		o.as("ana").post(pageOf("pia")+"/invite", url.Values{}).says(t, "Invitation sent successfully")
		o.as("ana").post(pageOf("paul")+"/invite", url.Values{}).says(t, "Invitation sent successfully")
		pia, paul := o.link("pia"), o.link("paul")
		o.clock.Advance(7*24*time.Hour - time.Second)
		if got := o.visitor().press(pia); got.url != "/cedar/enrol" {
			t.Errorf("a second before: at %s: %s", got.url, got.text())
		}
		o.clock.Advance(2 * time.Second)
		o.visitor().get(paul).says(t, "Invitation link failed", "expired")
	})
}

func TestVector31NewestInvitationWorks(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.newcomer("pia")
		ana := o.as("ana")
		ana.post(pageOf("pia")+"/invite", url.Values{}).says(t, "Invitation sent successfully")
		first := o.link("pia")
		ana.post(pageOf("pia")+"/invite", url.Values{}).says(t, "Invitation sent successfully")
		second := o.link("pia")
		o.visitor().get(first).says(t, "Invitation link failed", "newer invitation")
		if got := o.visitor().press(second); got.url != "/cedar/enrol" {
			t.Errorf("the second: at %s: %s", got.url, got.text())
		}
	})
}

func TestVector32FetchingTheLinkUsesNothingUp(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.newcomer("pia")
		link := o.invite("pia")
		for range 2 {
			o.visitor().get(link).says(t, "Join Northwind Trading")
		}
		pia := o.visitor()
		pia.press(link)
		pia.post("/cedar/enrol", url.Values{"username": {"pia"}, "password": {ownChoice}}).says(t, "Successfully created account")
		o.visitor().get(link).says(t, "Invitation link failed", "already been used")
	})
}

func TestVector33FirstSignInMakesActive(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.newcomer("pia")
		pia := o.visitor()
		pia.press(o.invite("pia"))
		pia.post("/cedar/enrol", url.Values{"username": {"pia"}, "password": {ownChoice}}).says(t, "Successfully created account")
		o.wantStatus("pia", bank.StatusPending)
		pia.tryPassword("pia", ownChoice).says(t, "Northwind Trading")
		o.wantStatus("pia", bank.StatusActive)
	})
}

func TestVector34ThirdWrongPasswordLocksUntilUnlocked(t *testing.T) {
	eachOffice(t, func(o *office) {
		for range 3 {
			o.wantStatus("dana", bank.StatusActive)
			o.visitor().tryPassword("dana", "wrong").is(t, 422)
		}
		o.wantStatus("dana", bank.StatusLocked)
		o.visitor().tryPassword("dana", password).is(t, 422)
		o.as("ana").post(pageOf("dana")+"/unlock", url.Values{}).says(t, "User successfully unlocked")
		o.as("dana")
	})
}

func TestVector35ThirdWrongAuthorizationSignsOutAndLocks(t *testing.T) {
	eachOffice(t, func(o *office) {
		ana := o.as("ana")
		asked := ana.post(users+"/new", details("Pia", "Ende", "pia@northwind.example", "user"))
		asked.is(t, 403)
		for range 3 {
			o.wantStatus("ana", bank.StatusActive)
			asked = ana.post(users+"/new", with(details("Pia", "Ende", "pia@northwind.example", "user"), "prove_password", "wrong"))
		}
		asked.says(t, "signed out")
		o.wantStatus("ana", bank.StatusLocked)
		if got := ana.get(users); !strings.HasPrefix(got.url, "/cedar/sign-in") {
			t.Errorf("Ana is still signed in: at %s", got.url)
		}
		o.visitor().tryPassword("ana", password).is(t, 422)
	})
}

func TestVector36HeldAndLockedNeedsBoth(t *testing.T) {
	eachOffice(t, func(o *office) {
		ana := o.as("ana")
		for _, order := range [][]string{{"unlock", "release"}, {"release", "unlock"}} {
			ana.confirm(pageOf("dana")+"/hold", url.Values{})
			o.write(func(tx *db.Tx) error {
				return usermgmt.People{}.SetStatus(tx, identity.Member(cedar, userID("dana")), bank.StatusLocked)
			})
			page := ana.get(pageOf("dana")).text()
			hold, lock := strings.Index(page, "Dana Diaz's account access is temporarily on hold."), strings.Index(page, "Dana Diaz's account access is locked due to multiple incorrect login attempts.")
			if hold < 0 || lock < hold {
				t.Errorf("the hold banner stands at %d, the lock banner at %d", hold, lock)
			}
			ana.post(pageOf("dana")+"/"+order[0], url.Values{})
			o.visitor().tryPassword("dana", password).is(t, 422)
			ana.post(pageOf("dana")+"/"+order[1], url.Values{})
			o.as("dana")
		}
	})
}

func TestVector37HoldLeavesTheStatusAndIsNotShownToThePersonHeld(t *testing.T) {
	eachOffice(t, func(o *office) {
		ana, dana := o.as("ana"), o.as("dana")
		ana.confirm(pageOf("dana")+"/hold", url.Values{"why": {"Leave"}}).says(t, "Dana Diaz's account access is on hold", "Active")
		o.wantStatus("dana", bank.StatusActive)
		ana.get(users).says(t, "Account access on hold")
		for _, page := range []answer{dana.get("/cedar/home"), o.visitor().tryPassword("dana", password)} {
			page.says(t, "Sign in")
			page.saysNot(t, "hold", "Hold", "Leave")
		}
		ana.post(pageOf("dana")+"/release", url.Values{}).says(t, "The hold on Dana Diaz's account access has been removed")
		o.as("dana")
	})
}

// The half of an admin; staff do the same in the console.
func TestVector38AdminUnlocksAndSendsAResetLink(t *testing.T) {
	eachOffice(t, func(o *office) {
		for range 3 {
			o.visitor().tryPassword("dana", "wrong")
		}
		ana := o.as("ana")
		done := ana.post(pageOf("dana")+"/unlock", url.Values{})
		done.says(t, "User successfully unlocked", "I'm done", "Send password reset link")
		o.wantStatus("dana", bank.StatusActive)
		o.deliver()
		before := len(o.letters("dana"))
		ana.post(pageOf("dana")+"/reset", url.Values{}).says(t, "Sent password reset link successfully")
		letters := o.letters("dana")
		if len(letters) != before+1 || !strings.Contains(letters[0].Text, "Reset password:") {
			o.t.Fatalf("%d mails, before %d: %+v", len(letters), before, letters)
		}
		dana := o.visitor()
		dana.press(o.link("dana"))
		dana.post("/cedar/new-password", url.Values{"password": {ownChoice}})
		if got := o.visitor().tryPassword("dana", ownChoice); got.url != "/cedar/home" {
			t.Errorf("with the new password: at %s: %s", got.url, got.text())
		}
	})
}

func TestVector40NothingBringsBackSomebodyDisabled(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.add("dieter", "Dieter", "Adler", bank.RoleUser, bank.StatusDisabled, entitlement.Settings{}, "acc_operating")
		ana := o.as("ana")
		before := o.now()
		for _, step := range []string{"unlock", "invite", "reset"} {
			ana.post(pageOf("dieter")+"/"+step, url.Values{}).saysNot(t, "successfully")
		}
		o.visitor().post("/cedar/forgot", url.Values{"name": {"dieter"}})
		o.wantStatus("dieter", bank.StatusDisabled)
		o.visitor().tryPassword("dieter", password).is(t, 422)
		if got := len(o.letters("dieter")); got != 0 {
			t.Errorf("%d mails went to somebody disabled", got)
		}
		if got := o.feed(before); len(got) != 0 {
			t.Errorf("the feed shows %+v", got)
		}
	})
}

// Every accepted change leaves exactly one event with old and new values, who
// did it and by which channel.
func TestVector51EveryChangeLeavesOneEvent(t *testing.T) {
	eachOffice(t, func(o *office) {
		ana := o.as("ana")
		pia := ""
		for _, step := range []struct {
			event, field, old, new string
			do                     func()
		}{
			{"orguser.created", "status", "", "pending", func() { pia = ana.create("Pia", "Ende", "user") }},
			{"orguser.account_access_changed", "account.access", "false", "true", func() {
				ana.post(pia+"/setup/accounts", url.Values{"shown": {"acc_operating"}, "pick": {"acc_operating"}, "do": {"done"}})
				ana.confirm(pia+"/setup/save", ana.get(pia+"/setup").hidden())
			}},
			{"orguser.invited", "invitation", "", "pia@northwind.example", func() { ana.post(pia+"/invite", url.Values{}) }},
			{"orguser.invite_revoked", "invitation", "pia@northwind.example", "", func() { ana.post(pia+"/cancel-invitation", url.Values{}) }},
			{"orguser.profile_changed", "email", "pia@northwind.example", "pia.ende@northwind.example", func() {
				ana.confirm(pia+"/edit", details("Pia", "Ende", "pia.ende@northwind.example", "user"))
			}},
			{"orguser.role_changed", "role", "user", "viewer", func() {
				ana.confirm(pia+"/edit", details("Pia", "Ende", "pia.ende@northwind.example", "viewer"))
			}},
			{"orguser.permission_changed", "wires.per_wire_limit", "25000.00", "30000.00", func() {
				form := ana.get(danasForm).form(t)
				form.Set("wires.per_wire_limit", "$30,000.00")
				ana.confirm(pageOf("dana")+"/save", ana.post(pageOf("dana")+"/review", form).carried(t))
			}},
			{"orguser.hold_placed", "held", "false", "true", func() { ana.confirm(pageOf("dana")+"/hold", url.Values{}) }},
			{"orguser.hold_removed", "held", "true", "false", func() { ana.post(pageOf("dana")+"/release", url.Values{}) }},
			{"orguser.password_reset_sent", "password_reset", "", "dana@northwind.example", func() { ana.post(pageOf("dana")+"/reset", url.Values{}) }},
			{"orguser.locked", "status", "active", "locked", func() {
				for range 3 {
					o.visitor().tryPassword("dana", "wrong")
				}
			}},
			{"orguser.unlocked", "status", "locked", "active", func() { ana.post(pageOf("dana")+"/unlock", url.Values{}) }},
			{"orguser.deleted", "status", "pending", "", func() { ana.confirm(pia+"/delete", url.Values{"typed": {"Pia Ende"}}) }},
		} {
			before := o.now()
			step.do()
			events := o.feed(before)
			if len(events) != 1 {
				t.Errorf("%s left %d events: %+v", step.event, len(events), events)
				continue
			}
			e := events[0]
			if e.Name != step.event || !hasChange(e, step.field, step.old, step.new) {
				t.Errorf("want %s with %s %q -> %q, got %s %+v", step.event, step.field, step.old, step.new, e.Name, e.Changes)
			}
			who := fmt.Sprintf("%s %s %s", e.Actor.Kind, e.Actor.Name, e.Channel)
			if want := "member Ana Ruiz online"; who != want && step.event != "orguser.locked" {
				t.Errorf("%s was done by %q, want %q", step.event, who, want)
			}
		}
	})
}

func hasChange(e activity.Event, field, old, new string) bool {
	for _, c := range e.Changes {
		if c.Field == field && c.Old == old && c.New == new {
			return true
		}
	}
	return false
}

// What is refused is in the person's history for admins, and not in the
// organization's feed.
func TestVector51RefusedChangesAreNotInTheFeed(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.newcomer("pia")
		o.refusesAllOf("vera")
		ana := o.as("ana")
		before := o.now()
		ana.confirm(pageOf("ana")+"/edit", details("Ana", "Ruiz", "ana@northwind.example", "user"))
		ana.confirm(pageOf("ana")+"/hold", url.Values{})
		ana.confirm(pageOf("ana")+"/delete", url.Values{"typed": {"Ana Ruiz"}})
		ana.confirm(users+"/new", details("", "Ende", "pia2@northwind.example", "user"))
		ana.post(pageOf("dana")+"/invite", url.Values{})
		if got := o.feed(before); len(got) != 0 {
			t.Errorf("the feed shows %+v", got)
		}
		ana.get("/cedar/settings/history").saysNot(t, "Refused", "Ana Ruiz deleted", "Vera Novak put")
		ana.get(pageOf("dana")+"/history").says(t, "Refused: Vera Novak put the account access of Dana Diaz on hold")
	})
}

// member is somebody as they are stored.
func (o *office) member(username string) usermgmt.Member {
	o.t.Helper()
	profile, err := o.users.Profile(o.t.Context(), o.ana(), who(username))
	if err != nil {
		o.t.Fatal(err)
	}
	return profile.Member
}
