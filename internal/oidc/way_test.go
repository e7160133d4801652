package oidc_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"mandate/internal/application"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/identity"
	"mandate/internal/staff"
)

// Somebody who has just joined says who they are, and goes on into the product.
func TestANewJoinerSaysWhoTheyAreOnTheWay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id, err := w.staff.CreateGroup(t.Context(), operator(cedar), staff.Draft{Name: "Interns"})
		w.must(err)
		_, err = w.staff.Invite(t.Context(), operator(cedar), staff.Invitation{Emails: []string{address("eve")}, Groups: []bank.GroupID{id}})
		w.must(err)
		link := string(w.mails[len(w.mails)-1].Link)
		browser, _, err := w.identity.Redeem(t.Context(), cedar, identity.PurposeInvitation, identity.Secret(link[strings.LastIndex(link, "/")+1:]), from)
		w.must(err)
		w.must(w.identity.Enrol(t.Context(), cedar, browser, "", password, from))
		p := w.secretParty()
		v := w.visitor()
		page := v.signIn(v.get(p.request()), "eve")
		if page.url.Path != "/cedar/account" || !strings.Contains(page.text(), "Who are you?") {
			t.Fatalf("at %s: %s", page.url, page.text())
		}
		if quiet := v.get(p.request("prompt", "none")); quiet.query("error") != "interaction_required" {
			t.Errorf("where nobody may be asked: %s", quiet.url)
		}
		back := page.query("return")
		wrong := v.submit(page, "/cedar/account", url.Values{"first_name": {""}, "last_name": {"Stone"}, "return": {back}})
		at := v.submit(wrong, "/cedar/account", url.Values{"first_name": {"Eve"}, "last_name": {"Stone"}, "return": {back}})
		if !at.away() || at.query("code") == "" {
			t.Fatalf("led to %s: %s", at.url, at.text())
		}
		if name := w.unverified(p.token(redeem(at.query("code"))).text("id_token"))["name"]; name != "Eve Stone" {
			t.Errorf("the product knows %v", name)
		}
	})
}

// Nobody is led elsewhere by what stands in the address of their account.
func TestTheWayOnLeadsIntoProductsOnly(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.visitor()
		v.signIn(v.get(w.server.URL+"/cedar/sign-in"), "ada")
		for _, back := range []string{"https://evil.example/", "//evil.example/", "/cedar/openid/../../evil", "/harbor/openid/continue/x", "/cedar/users"} {
			page := v.get(w.server.URL + "/cedar/account?" + url.Values{"return": {back}}.Encode())
			if strings.Contains(page.body, `name="return" value="`+back+`"`) && !strings.HasPrefix(back, "/cedar/openid/") {
				t.Errorf("%s is carried along", back)
			}
		}
	})
}

// Whoever goes on to another institution leaves their sign-in, and with it what
// products got of it.
func TestSwitchingInstitutionsEndsWhatProductsGot(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		hears := newListener(t)
		p := w.secretParty(func(d *application.Draft) {
			d.BackChannelLogout, d.Scopes = hears.address(), []string{"openid", "profile", "email"}
		})
		w.add(harbor, "ada", "Tellers")
		v := w.visitor()
		enter := func() reply {
			t.Helper()
			at := v.get(p.request("scope", "openid profile"))
			if !at.away() {
				at = v.signIn(at, "ada")
			}
			return p.token(redeem(at.query("code")))
		}
		over := func(what string, got reply, told int) {
			t.Helper()
			refused(t, what, p.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.text("refresh_token")}}), "invalid_grant")
			w.deliver()
			if len(hears.tokens) != told {
				t.Errorf("%s: the product was told %d times, want %d", what, len(hears.tokens), told)
			}
		}
		first := enter()
		page := v.submit(v.get(w.server.URL+"/cedar/institutions"), "/cedar/institutions/other", url.Values{"other": {"harbor"}})
		page = v.signIn(page, "ada")
		v.submit(page, "/harbor/institutions/connect", url.Values{})
		over("connected from another institution", first, 1)

		v.submit(v.get(w.server.URL+"/harbor/home"), "/harbor/institutions/enter", url.Values{"to": {"cedar"}})
		second := enter()
		if second.status != http.StatusOK {
			t.Fatalf("signed in at Cedar again: %d %s", second.status, second.body)
		}
		v.submit(v.get(w.server.URL+"/cedar/home"), "/cedar/institutions/enter", url.Values{"to": {"harbor"}})
		over("gone on to another institution", second, 2)
	})
}

// Harbor is Cedar's provider outside: two of ours, with the protocol between them.
// What products are told of how somebody signed in is no more than we know.
func TestOneInstitutionSignsInThroughAnother(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add(harbor, "ada", "Tellers")
		id, secret := w.productAt(harbor, func(d *application.Draft) {
			d.Redirects, d.Scopes = []string{w.server.URL + "/cedar/sign-in/outside/back"}, []string{"openid", "profile", "email"}
		})
		own := identity.Provider{Issuer: w.server.URL + "/harbor", ClientID: id, Label: "Harbor"}
		w.must(w.staff.SetProvider(t.Context(), operator(cedar), 0, own, identity.Secret(secret)))
		w.permit("Editors", catalog.CMSPagesEdit, catalog.StaffSignInHere, catalog.StaffSignInOutside)
		p := w.secretParty()
		v := w.visitor()
		door := v.get(p.request())
		there := v.submit(door, "/cedar/sign-in/outside", url.Values{"return": {door.query("return")}})
		if there.url.Path != "/harbor/sign-in" {
			t.Fatalf("at %s: %s", there.url, there.text())
		}
		back := v.signIn(there, "ada")
		if back.url.Path != "/cedar/sign-in/outside/back" {
			t.Fatalf("at %s: %s", back.url, back.text())
		}
		at := v.submit(back, "/cedar/sign-in/outside/back", back.url.Query())
		if !at.away() || at.query("code") == "" {
			t.Fatalf("at %s: %s", at.url, at.text())
		}
		got := p.token(redeem(at.query("code")))
		claims := w.unverified(got.text("id_token"))
		if claims["amr"] != nil || claims["acr"] != "urn:mandate:one-factor" || claims["email"] != address("ada") {
			t.Errorf("the product is told %v", claims)
		}

		// A right that is taken away ends the sign-in and what came of it.
		w.permit("Editors", catalog.CMSPagesEdit)
		refused(t, "the refresh token", p.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.text("refresh_token")}}), "invalid_grant")
		if info := w.call("GET", w.issuer()+"/openid/userinfo", nil, "Authorization", "Bearer "+got.text("access_token")); info.status != http.StatusUnauthorized {
			t.Errorf("the access token is good for %d %s", info.status, info.body)
		}
		again := v.signIn(v.get(p.request()), "ada")
		if again.away() || !strings.Contains(again.text(), "None of your groups permits signing in.") {
			t.Errorf("at %s: %s", again.url, again.text())
		}
	})
}

// permit makes a group at Cedar permit exactly this.
func (w *world) permit(group string, rights ...catalog.StaffPermission) {
	w.t.Helper()
	groups, err := w.staff.Groups(w.t.Context(), operator(cedar))
	w.must(err)
	for _, g := range groups {
		if g.Name == group {
			g.Permissions = catalog.StaffSetOf(rights...)
			w.must(w.staff.EditGroup(w.t.Context(), operator(cedar), g.ID, g.Version, g.Draft))
		}
	}
}
