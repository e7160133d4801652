package federation_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/identity"
	"mandate/internal/staff"
)

const backPath = "/cedar/sign-in/outside/back"

// Whoever is known here by their address comes in through the provider, is linked
// at the first time and from then on known by the provider's name for them alone.
func TestComingInThroughTheProvider(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.visitor().get("/cedar/sign-in").at(t, "the door", "/cedar/sign-in", "Continue with Cedar ID")
		if got := w.visitor().get("/harbor/sign-in"); strings.Contains(got.text(), "Continue with") {
			t.Error("Harbor has no provider and offers one")
		}
		v := w.visitor()
		w.outside.person = someone("u-ada", "ada")
		page := v.out(url.Values{"return": {"/cedar/security"}})
		page.at(t, "back from the provider", backPath, "You come from your institution’s own sign-in.", "Continue")
		if home := v.get("/cedar/home"); home.url.Path != "/cedar/sign-in" {
			t.Errorf("coming back signs in by itself: %s", home.url)
		}
		v.submit(page, backPath, nil).at(t, "in", "/cedar/security", "Sign-in and security", "Cedar ID", "Linked since", "ada@bank.example")

		// Another address there changes nothing here, and finds nobody else.
		moved := someone("u-ada", "root")
		w.as(moved).at(t, "the address changed outside", "/cedar/home", "Ada")
		w.as(map[string]any{"sub": "u-ada"}).at(t, "no address at all", "/cedar/home", "Ada")
		w.as(someone("u-other", "ada")).at(t, "another with the same address", backPath, "You are not signed in", "linked with somebody else")
		if got := w.history(identity.EventLinked, "auth.signin_succeeded"); strings.Count(got, "outside_linked") != 1 || !strings.Contains(got, "staff.outside_linked Ada Stone") {
			t.Errorf("the history says %s", got)
		}
		if !strings.Contains(w.notes(), "through "+w.outside.issuer()) {
			t.Errorf("the history does not say how: %s", w.notes())
		}
	})
}

func (w *world) notes() string {
	all := ""
	for _, name := range w.column(`select note from history_event where institution_id = $1 and name = 'auth.signin_succeeded' order by sequence`) {
		all += name + "\n"
	}
	return all
}

// Somebody who was invited joins by coming: they need no password. What asks for
// one later says what to do.
func TestSomebodyInvitedJoinsThroughTheProvider(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.invite("eve", "Interns", catalog.StaffUsersView, catalog.StaffSignInOutside)
		w.outside.person = someone("u-eve", "eve")
		v := w.visitor()
		v.through().at(t, "joining", "/cedar/account", "Who are you?")
		v.submit(v.get("/cedar/account"), "/cedar/account", url.Values{"first_name": {"Eve"}, "last_name": {"Stone"}}).at(t, "introduced", "/cedar/home", "Hello, Eve")
		if got := w.history("staff.activated", identity.EventLinked); !strings.Contains(got, "staff.activated") || !strings.Contains(got, "staff.outside_linked") {
			t.Errorf("the history says %s", got)
		}
		w.visitor().password("eve").at(t, "a password that nobody chose", "/cedar/sign-in", "We couldn't sign you in", "Continue with Cedar ID")
		v.submit(v.get("/cedar/security"), "/cedar/security/app", nil).at(t, "a second factor just after", "/cedar/security/app", "authenticator")
		w.clock.Advance(10 * time.Minute)
		v.submit(v.get("/cedar/security"), "/cedar/security/app", nil).at(t, "a second factor later", "/cedar/security/app", "neither a second factor nor a password")
	})
}

// Whom the provider lets in and we do not.
func TestWhomTheProviderLetsInAndWeDoNot(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		refused := func(what string, person map[string]any, says string) {
			t.Helper()
			w.as(person).at(t, what, backPath, "You are not signed in", says)
		}
		refused("nobody here", someone("u-zoe", "zoe"), "nobody of this institution has your address")
		unverified := someone("u-ada", "ada")
		unverified["email_verified"] = false
		refused("an address that was not checked", unverified, "nobody of this institution has your address")
		asText := someone("u-ada", "ada")
		asText["email_verified"] = "true"
		refused("an address of which it is said in words", asText, "nobody of this institution has your address")
		refused("no address", map[string]any{"sub": "u-ada"}, "nobody of this institution has your address")

		w.permit("Sales", catalog.CMSPagesEdit, catalog.StaffSignInHere)
		refused("groups that do not permit it", someone("u-ada", "ada"), "None of your groups permits signing in through the outside provider")
		w.permit("Sales", catalog.CMSPagesEdit, catalog.StaffSignInHere, catalog.StaffSignInOutside)
		if got := w.history(identity.EventLinked); got != "" {
			t.Errorf("somebody was linked: %s", got)
		}

		w.as(someone("u-ada", "ada")).at(t, "now", "/cedar/home")
		for range 5 {
			w.visitor().submit(w.visitor().get("/cedar/sign-in"), "/cedar/sign-in", nil)
			_, err := w.identity.SignIn(t.Context(), identity.Attempt{Institution: cedar, Kind: identity.KindStaff, Username: address("ada"), Password: "wrong wrong wrong", From: from})
			if err == nil {
				t.Fatal("a wrong password was taken")
			}
		}
		refused("locked", someone("u-ada", "ada"), "You cannot sign in here now")
		w.must(w.staff.Unlock(t.Context(), operator(cedar), w.users["ada"]))
		w.must(w.staff.Delete(t.Context(), operator(cedar), w.users["ada"]))
		refused("deleted", someone("u-ada", "ada"), "nobody of this institution has your address")
	})
}

// The five wrong passwords are not forgotten because the person comes by the
// other way meanwhile.
func TestTheOtherWayForgivesNoStrikes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i := range 5 {
			_, _ = w.identity.SignIn(t.Context(), identity.Attempt{Institution: cedar, Kind: identity.KindStaff, Username: address("ada"), Password: "wrong wrong wrong", From: from})
			if i == 3 {
				w.as(someone("u-ada", "ada")).at(t, "after four", "/cedar/home")
			}
		}
		w.as(someone("u-ada", "ada")).at(t, "after five", backPath, "You cannot sign in here now")
	})
}

// Everything that a provider, or somebody in its place, may get wrong.
func TestWhatComesBackMustBeTrue(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.outside
		harborKnows := newOutsider(t, w.clock)
		for what, bend := range map[string]func(map[string]any){
			"another nonce":          func(c map[string]any) { c["nonce"] = "another" },
			"no nonce":               func(c map[string]any) { delete(c, "nonce") },
			"another issuer":         func(c map[string]any) { c["iss"] = "https://evil.example" },
			"another audience":       func(c map[string]any) { c["aud"] = "somebody-else" },
			"two audiences, no azp":  func(c map[string]any) { c["aud"] = []string{"mandate", "somebody-else"} },
			"another party":          func(c map[string]any) { c["azp"] = "somebody-else" },
			"expired":                func(c map[string]any) { c["exp"] = w.clock.Now().Add(-time.Minute).Unix() },
			"issued an hour ago":     func(c map[string]any) { c["iat"] = w.clock.Now().Add(-time.Hour).Unix() },
			"issued in an hour":      func(c map[string]any) { c["iat"] = w.clock.Now().Add(time.Hour).Unix() },
			"not yet":                func(c map[string]any) { c["nbf"] = w.clock.Now().Add(time.Hour).Unix() },
			"nobody":                 func(c map[string]any) { delete(c, "sub") },
			"a number for a subject": func(c map[string]any) { c["sub"] = 7 },
		} {
			o.bend = bend
			w.as(someone("u-ada", "ada")).at(t, what, backPath, "cannot be trusted")
		}
		o.bend = nil
		for what, forge := range map[string]func(map[string]any) string{
			"signed by another key": func(c map[string]any) string { return o.sign(o.other, c) },
			"alg none": func(c map[string]any) string {
				part := func(v any) string {
					text, _ := json.Marshal(v)
					return base64.RawURLEncoding.EncodeToString(text)
				}
				return part(map[string]string{"alg": "none", "typ": "JWT"}) + "." + part(c) + "."
			},
			"no token": func(map[string]any) string { return "" },
		} {
			o.forge = forge
			w.as(someone("u-ada", "ada")).at(t, what, backPath, "cannot be trusted")
		}
		o.forge = nil
		for what, answer := range map[string]func(url.Values){
			"another issuer in the answer": func(q url.Values) { q.Set("iss", harborKnows.issuer()) },
			"no issuer in the answer":      func(q url.Values) { q.Del("iss") },
			"another's code":               func(q url.Values) { q.Set("code", "stolen") },
			"no code":                      func(q url.Values) { q.Del("code") },
		} {
			o.answer = answer
			w.as(someone("u-ada", "ada")).at(t, what, backPath, "cannot be trusted")
		}
		o.answer = func(q url.Values) { q.Set("state", "made up") }
		w.as(someone("u-ada", "ada")).at(t, "another state", backPath, "has ended or was begun in another browser")
		o.answer = func(q url.Values) { q.Del("code"); q.Set("error", "access_denied") }
		w.as(someone("u-ada", "ada")).at(t, "refused there", backPath, "You were not signed in there")
		o.answer = nil
		if got := w.history(identity.EventLinked); got != "" {
			t.Errorf("somebody was linked: %s", got)
		}
		w.as(someone("u-ada", "ada")).at(t, "what is true", "/cedar/home")
	})
}

// What came back comes once, in the browser that took it there, within ten
// minutes, and at its own institution.
func TestWhatComesBackComesOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.outside.person = someone("u-ada", "ada")
		const ended = "has ended or was begun in another browser"
		v := w.visitor()
		page := v.out(nil)
		other := w.visitor()
		other.get("/cedar/sign-in")
		other.submit(other.get(page.url.RequestURI()), backPath, nil).at(t, "another browser", backPath, ended)
		v.submit(page, backPath, nil).at(t, "its own", "/cedar/home")
		asked := w.outside.asked
		again := v.get(page.url.RequestURI())
		v.submit(again, backPath, nil).at(t, "once more", backPath, ended)
		if w.outside.asked != asked {
			t.Error("a state that was used up goes to the provider")
		}

		late := w.visitor()
		page = late.out(nil)
		w.clock.Advance(10 * time.Minute)
		late.submit(page, backPath, nil).at(t, "too late", backPath, ended)

		astray := w.visitor()
		page = astray.out(nil)
		astray.submit(page, "/harbor/sign-in/outside/back", nil).at(t, "another institution", "/harbor/sign-in/outside/back", ended)
	})
}

// One institution's provider lets nobody into another, though it uses the same
// name for somebody.
func TestAnotherInstitutionsProvider(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.as(someone("u-1", "ada")).at(t, "Ada at Cedar", "/cedar/home")
		harbors := newOutsider(t, w.clock)
		w.must(w.staff.SetProvider(t.Context(), operator(harbor), 0, identity.Provider{Issuer: harbors.issuer(), ClientID: "mandate", Label: "Harbor ID"}, "a+secret/of=outside"))
		harbors.person = someone("u-1", "ada")
		v := w.visitor()
		page := v.submit(v.get("/harbor/sign-in"), "/harbor/sign-in/outside", nil)
		v.submit(page, "/harbor/sign-in/outside/back", nil).at(t, "Harbor's u-1", "/harbor/sign-in/outside/back", "nobody of this institution")
		// What Harbor's provider says comes to Cedar's address: a mix-up.
		page = v.submit(v.get("/harbor/sign-in"), "/harbor/sign-in/outside", nil)
		v.submit(page, backPath, nil).at(t, "mixed up", backPath, "has ended or was begun in another browser")
	})
}

// A provider that is down keeps nobody out who may come in here.
func TestTheProviderIsDown(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.outside.down = true
		w.visitor().out(nil).at(t, "at the beginning", "/cedar/sign-in/outside", "does not answer now", "Continue with Cedar ID")
		w.visitor().password("ada").at(t, "with the password", "/cedar/home", "Ada")
		w.outside.down = false
		w.outside.person = someone("u-ada", "ada")
		v := w.visitor()
		page := v.out(nil)
		w.outside.down = true
		v.submit(page, backPath, nil).at(t, "in the middle", backPath, "does not answer now")
	})
}

// A provider must say of itself what it is, by https where it is not on this
// machine, and cannot send us elsewhere.
func TestAProviderMustBeReadable(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.outside.discover["issuer"] = "https://evil.example"
		w.visitor().out(nil).at(t, "calls itself otherwise", "/cedar/sign-in/outside", "does not answer now")
		delete(w.outside.discover, "issuer")
		w.outside.discover["token_endpoint"] = "ftp://evil.example/token"
		w.visitor().out(nil).at(t, "a token address that is not https", "/cedar/sign-in/outside", "does not answer now")
	})
}

// Its second factor counts where the institution says by which words. Otherwise
// ours is asked for.
func TestTheProvidersSecondFactor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		g, err := w.staff.Group(t.Context(), operator(cedar), w.groups["Sales"])
		w.must(err)
		g.SecondFactorFrom = bank.Day("2020-01-01")
		w.must(w.staff.EditGroup(t.Context(), operator(cedar), g.ID, g.Version, g.Draft))
		strong := someone("u-ada", "ada")
		strong["amr"] = []string{"pwd", "mfa"}
		w.as(strong).at(t, "nothing counts", "/cedar/sign-in/factor", "Add a second factor")
		p := w.provider()
		p.Factors = "mfa phr"
		w.must(w.staff.SetProvider(t.Context(), operator(cedar), 1, p, ""))
		w.as(strong).at(t, "it says mfa", "/cedar/home", "Ada")
		w.as(someone("u-ada", "ada")).at(t, "it says nothing", "/cedar/sign-in/factor", "Add a second factor")
		level := someone("u-ada", "ada")
		level["acr"] = "phr"
		w.as(level).at(t, "it says phr", "/cedar/home", "Ada")
	})
}

// The address may be told at the address that tells more, of the same person.
func TestTheAddressIsToldElsewhere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.outside.userinfo = someone("u-somebody-else", "ada")
		w.as(map[string]any{"sub": "u-ada"}).at(t, "of somebody else", backPath, "cannot be trusted")
		w.outside.userinfo = someone("u-ada", "ada")
		w.as(map[string]any{"sub": "u-ada"}).at(t, "of the same", "/cedar/home", "Ada")
	})
}

// Who may sign in how is said at the door, after the password was right, and in
// the editor of groups, only where there is a provider.
func TestRightsToSignInOnTheScreens(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		root := w.visitor()
		root.password("root").at(t, "root", "/cedar/home")
		root.get("/cedar/groups/new").at(t, "a new group", "/cedar/groups/new", "Authenticate", "Permit sign in via Mandate", "Permit sign in via the outside provider")
		root.get("/cedar/users/"+string(w.users["ada"])).at(t, "Ada's rights", "/cedar/users/"+string(w.users["ada"]), "Permit sign in via Mandate Yes Sales")
		ada := w.visitor()
		ada.password("ada").at(t, "ada", "/cedar/home")
		w.permit("Sales", catalog.CMSPagesEdit, catalog.StaffSignInOutside)
		ada.get("/cedar/home").at(t, "the sign-in ends with its right", "/cedar/sign-in")
		ada.password("ada").at(t, "barred here", "/cedar/sign-in", "You can’t sign in like this", "Whoever edits groups", "Continue with Cedar ID")
		wrong := ada.submit(ada.get("/cedar/sign-in"), "/cedar/sign-in", url.Values{"username": {address("ada")}, "password": {"wrong wrong wrong"}})
		wrong.at(t, "a wrong password", "/cedar/sign-in", "We couldn't sign you in")
		if strings.Contains(wrong.text(), "groups") {
			t.Errorf("a wrong password tells of groups: %s", wrong.text())
		}
		w.permit("Sales", catalog.CMSPagesEdit)
		barred := ada.password("ada")
		barred.at(t, "barred everywhere", "/cedar/sign-in", "None of your groups permits signing in.")
		if strings.Contains(barred.text(), "Continue with") || barred.status != http.StatusForbidden {
			t.Errorf("a way is offered (%d): %s", barred.status, barred.text())
		}
		w.must(w.staff.RemoveProvider(t.Context(), operator(cedar)))
		ada.password("ada").at(t, "without a provider", "/cedar/home")
		root.password("root")
		if page := root.get("/cedar/groups/new"); strings.Contains(page.text(), "Authenticate") {
			t.Error("rights that say nothing are shown")
		}
	})
}

// Staff unlink somebody on the tab of their security, and anybody themself.
func TestUnlinking(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.outside.person = someone("u-ada", "ada")
		ada := w.visitor()
		ada.through().at(t, "ada", "/cedar/home")
		root := w.visitor()
		root.password("root")
		tab := "/cedar/users/" + string(w.users["ada"])
		root.get(tab+"/security").at(t, "the tab", tab+"/security", "Outside provider", "u-ada", "Unlink")
		root.submit(root.get(tab+"/security"), tab+"/unlink", nil).at(t, "unlinked", tab+"/security", "The sign-in outside was unlinked")
		ada.get("/cedar/home").at(t, "it ended", "/cedar/sign-in")
		root.submit(root.get(tab+"/security"), tab+"/unlink", nil).at(t, "once more", tab+"/security", "is not linked")
		w.outside.person = someone("u-ada-2", "ada")
		ada.through().at(t, "linked anew", "/cedar/home")
		ada.submit(ada.get("/cedar/security"), "/cedar/security/outside/unlink", nil).at(t, "by themself", "/cedar/sign-in")
		if got := w.history(identity.EventLinked, identity.EventUnlinked); got != "staff.outside_linked Ada Stone; staff.outside_unlinked Ada Stone; staff.outside_linked Ada Stone; staff.outside_unlinked Ada Stone" {
			t.Errorf("the history says %s", got)
		}
	})
}

// The page of settings: connecting tries the provider, keeps the secret to
// itself, and asks for a high-risk authorization.
func TestConnectingAProviderOnTheScreen(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.must(w.staff.RemoveProvider(t.Context(), operator(cedar)))
		root := w.visitor()
		root.password("root")
		const path = "/cedar/settings/provider"
		page := root.get(path)
		page.at(t, "the form", path, "Redirect address", "/cedar/sign-in/outside/back")
		form := url.Values{"label": {"Cedar ID"}, "issuer": {w.outside.issuer() + "/wrong"}, "client_id": {"mandate"}, "secret": {"a+secret/of=outside"}}
		root.submit(page, path, form).at(t, "an issuer that is none", path, "no provider that can be read")
		form.Set("issuer", w.outside.issuer())
		asked := root.submit(page, path, form)
		asked.at(t, "before", path, "signing in takes a right")
		form.Set("prove_password", password)
		root.submit(asked, path, form).at(t, "saved", "/cedar/settings", "The provider was saved")
		if again := root.get(path); strings.Contains(again.body, "a+secret/of=outside") {
			t.Error("the secret is shown again")
		}
		w.as(someone("u-root", "root")).at(t, "through it", "/cedar/home", "Root")
		if got := w.history(staff.EventProviderChanged); !strings.Contains(got, "institution.provider_changed Cedar Bank") {
			t.Errorf("the history says %s", got)
		}
		ask := root.get(path + "/remove")
		asked = root.submit(ask, path+"/remove", nil)
		root.submit(asked, path+"/remove", url.Values{"prove_password": {password}}).at(t, "removed", "/cedar/settings", "The provider was removed")
		w.visitor().password("ada").at(t, "as before", "/cedar/home")
	})
}
