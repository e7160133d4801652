package grant_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"mandate/internal/grant"
)

var began = time.Date(2026, time.March, 2, 15, 0, 0, 0, time.UTC)

// What comes next at the door, one case a line.
func TestNext(t *testing.T) {
	hour := time.Hour
	before, now := began.Add(-time.Hour), began.Add(time.Minute)
	for _, c := range []struct {
		what string
		wish grant.Wish
		who  grant.Presence
		step grant.Step
		why  string
	}{
		{"nobody is signed in", grant.Wish{}, grant.Presence{}, grant.StepSignIn, ""},
		{"nobody is, and nobody may be asked", grant.Wish{Prompts: []string{"none"}}, grant.Presence{}, grant.StepRefuse, grant.LoginRequired},
		{"somebody is", grant.Wish{}, grant.Presence{Staff: "a", Since: before}, grant.StepEnter, ""},
		{"somebody else is expected", grant.Wish{Expected: "b"}, grant.Presence{Staff: "a", Since: now}, grant.StepSignInAgain, ""},
		{"anew, and it was before", grant.Wish{Prompts: []string{"login"}}, grant.Presence{Staff: "a", Since: before}, grant.StepSignInAgain, ""},
		{"anew, and it was for this", grant.Wish{Prompts: []string{"login"}}, grant.Presence{Staff: "a", Since: began}, grant.StepEnter, ""},
		{"another account", grant.Wish{Prompts: []string{"select_account"}}, grant.Presence{Staff: "a", Since: before}, grant.StepSignInAgain, ""},
		{"exactly as old as it may be", grant.Wish{MaxAge: &hour}, grant.Presence{Staff: "a", Since: now.Add(-hour)}, grant.StepEnter, ""},
		{"a second older", grant.Wish{MaxAge: &hour}, grant.Presence{Staff: "a", Since: now.Add(-hour - time.Second)}, grant.StepSignInAgain, ""},
		{"may not enter", grant.Wish{Consent: true}, grant.Presence{Staff: "a", Since: before, Refused: "why"}, grant.StepRefuse, grant.AccessDenied},
		{"two factors, and one was shown", grant.Wish{TwoFactors: true}, grant.Presence{Staff: "a", Since: before}, grant.StepRefuse, grant.LevelUnmet},
		{"two factors", grant.Wish{TwoFactors: true}, grant.Presence{Staff: "a", Since: before, TwoFactors: true}, grant.StepEnter, ""},
		{"has just joined", grant.Wish{Consent: true}, grant.Presence{Staff: "a", Since: before, Unnamed: true}, grant.StepIntroduce, ""},
		{"has just joined, and nobody may be asked", grant.Wish{Prompts: []string{"none"}}, grant.Presence{Staff: "a", Since: before, Unnamed: true}, grant.StepRefuse, grant.InteractionRequired},
		{"asks first", grant.Wish{Consent: true}, grant.Presence{Staff: "a", Since: before}, grant.StepConsent, ""},
		{"asked before", grant.Wish{Consent: true}, grant.Presence{Staff: "a", Since: before, Consented: true}, grant.StepEnter, ""},
		{"asked before, and wants to ask again", grant.Wish{Prompts: []string{"consent"}}, grant.Presence{Staff: "a", Since: before, Consented: true}, grant.StepConsent, ""},
		{"asks first, and nobody may be asked", grant.Wish{Consent: true, Prompts: []string{"none"}}, grant.Presence{Staff: "a", Since: before}, grant.StepRefuse, grant.ConsentRequired},
	} {
		c.wish.Began = began
		if step, why := grant.Next(c.wish, c.who, now); step != c.step || why != c.why {
			t.Errorf("%s: step %d %q, want %d %q", c.what, step, why, c.step, c.why)
		}
	}
}

// The whole space of wishes and people: a product that wants more never gets
// somebody in whom it would not have got by wanting less, and whoever wants
// nobody asked never has anybody asked.
func TestWantingMoreLetsNobodyIn(t *testing.T) {
	hour := time.Hour
	now := began.Add(time.Minute)
	for n := range 1 << 11 {
		bit := func(i int) bool { return n>>i&1 == 1 }
		var w grant.Wish
		for i, prompt := range []string{"none", "login", "consent"} {
			if bit(i) {
				w.Prompts = append(w.Prompts, prompt)
			}
		}
		w.TwoFactors, w.Consent, w.Began = bit(3), bit(4), began
		if bit(5) {
			w.MaxAge = &hour
		}
		p := grant.Presence{TwoFactors: bit(7), Consented: bit(8), Unnamed: bit(10), Since: began.Add(-2 * time.Hour)}
		if bit(6) {
			p.Staff = "a"
		}
		if bit(9) {
			p.Since = now
		}
		step, _ := grant.Next(w, p, now)
		least, _ := grant.Next(grant.Wish{Began: began}, p, now)
		if step == grant.StepEnter && least != grant.StepEnter {
			t.Errorf("%s lets in whom nothing lets in", strings.Join(w.Prompts, " "))
		}
		if slices.Contains(w.Prompts, "none") && step != grant.StepEnter && step != grant.StepRefuse {
			t.Errorf("%+v asks somebody: step %d", w, step)
		}
		if p.Unnamed && (step == grant.StepEnter || step == grant.StepConsent) {
			t.Errorf("%+v lets in whoever has no name", w)
		}
		refused := p
		refused.Refused = "why"
		if step, _ := grant.Next(w, refused, now); step == grant.StepEnter || step == grant.StepConsent || step == grant.StepIntroduce {
			t.Errorf("%+v lets in whoever may not", w)
		}
	}
}
