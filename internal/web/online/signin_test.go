package online_test

import (
	"net/url"
	"strings"
	"testing"
)

func TestSignInLeadsBackToThePageAsked(t *testing.T) {
	each(t, func(w *world) {
		v := w.visitor()
		asked := v.get("/cedar/settings/users?q=dana")
		if !strings.HasPrefix(asked.url, "/cedar/sign-in?return=") {
			t.Fatalf("without a sign-in: at %s", asked.url)
		}
		asked.says(t, "Cedar Bank", "Sign in")
		got := v.post("/cedar/sign-in", url.Values{"username": {"ANA"}, "password": {password}, "return": {"/cedar/settings/users?q=dana"}})
		if got.url != "/cedar/settings/users?q=dana" {
			t.Errorf("after signing in: at %s", got.url)
		}
		for _, elsewhere := range []string{"//evil.example/", "https://evil.example/", "/other/home", "/cedar@evil.example/"} {
			got := w.visitor().post("/cedar/sign-in", url.Values{"username": {"ana"}, "password": {password}, "return": {elsewhere}})
			if got.url != "/cedar/home" {
				t.Errorf("return to %q: at %s", elsewhere, got.url)
			}
		}
	})
}

func TestRefusedSignInsReadTheSame(t *testing.T) {
	each(t, func(w *world) {
		wrong := w.visitor().post("/cedar/sign-in", url.Values{"username": {"ana"}, "password": {"wrong"}})
		wrong.is(t, 422)
		wrong.says(t, "We couldn't sign you in. Check your username and password, or ask your administrator.")
		unknown := w.visitor().post("/cedar/sign-in", url.Values{"username": {"nobody"}, "password": {"wrong"}})
		if a, b := csrf.ReplaceAllString(wrong.body, ""), csrf.ReplaceAllString(unknown.body, ""); strings.Replace(a, `value="ana"`, `value="nobody"`, 1) != b {
			t.Errorf("a wrong password and an unknown name can be told apart:\n%s\n%s", a, b)
		}
		if strings.Contains(wrong.body, `"wrong"`) {
			t.Error("the password came back")
		}
		w.visitor().post("/cedar/sign-in", url.Values{}).says(t, "Enter your username.", "Enter your password.")
	})
}

func TestSignOutEndsTheSignIn(t *testing.T) {
	each(t, func(w *world) {
		ana := w.as("ana")
		left := ana.post("/cedar/sign-out", url.Values{})
		left.says(t, "You have signed out")
		if again := ana.get("/cedar/home"); !strings.HasPrefix(again.url, "/cedar/sign-in") {
			t.Errorf("after signing out: at %s", again.url)
		}
	})
}

func TestNobodyIsSignedInAtAnotherInstitution(t *testing.T) {
	each(t, func(w *world) {
		ana := w.as("ana")
		ana.get("/other/sign-in").is(t, 404)
		ana.get("/other/home").is(t, 404)
		ana.get("/cedar/nothing").is(t, 404)
	})
}
