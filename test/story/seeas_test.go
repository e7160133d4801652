package story

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mandate/internal/web/browsertest"
)

// A mover is the machine's clock, moved on.
type mover struct{ by atomic.Int64 }

func (m *mover) Now() time.Time { return time.Now().Add(time.Duration(m.by.Load())) }

// seeAs goes from the console into Online as Dana sees it: every page is marked
// and changes nothing, it is over after its time and at the staff user's own
// sign-out, and the organization reads who looked.
func (p *program) seeAs(t *testing.T, machine *mover) {
	t.Helper()
	grace := p.signIn("grace.holloway@" + p.world.Institutions[0].ID + ".example.com")
	page := browsertest.Open(t)
	page.Goto(grace.URL)
	page.Fill("Email", grace.Username)
	page.Fill("Password", grace.Password)
	page.Click("Sign in")
	console := strings.TrimSuffix(grace.URL, "/sign-in")
	online := p.world.Addresses["online"] + "/" + p.world.Institutions[0].ID

	page.Goto(console + "/people?q=dana.reyes")
	page.Click("Dana Reyes")
	profile := page.URL()
	p.enter(page, profile, grace.Password)
	page.See("Grace Holloway sees Online as Dana Reyes sees it")
	var marks int
	if page.Eval(`document.querySelectorAll(".watermark span").length`, &marks); marks == 0 {
		t.Error("the page is not marked")
	}
	page.Goto(online + "/transfers/new")
	page.See("Nothing can be changed.")

	machine.by.Add(int64(16 * time.Minute))
	page.Goto(online + "/home")
	page.See("Password") // it is over, and nobody is signed in here
	p.enter(page, profile, grace.Password)
	page.See("Dana Reyes")
	page.Goto(profile)
	page.Click("Grace Holloway , your menu")
	page.Click("Sign out")
	page.Goto(online + "/home")
	page.See("Password")

	ana := p.signIn("ana.ruiz")
	page.Goto(ana.URL)
	page.Fill("Username", ana.Username)
	page.Fill("Password", ana.Password)
	page.Click("Sign in")
	page.See("Welcome")
	page.Goto(online + "/settings/history?kind=viewed")
	page.See("Staff of Marlowick Bank & Trust began to see Online as Dana Reyes sees it, without being able to change anything")
	page.See("Staff of Marlowick Bank & Trust looked at the profile of Dana Reyes")
}

// enter takes the way from a member's profile into Online.
func (p *program) enter(page *browsertest.Page, profile, password string) {
	p.t.Helper()
	page.Goto(profile)
	page.Click("See as Dana")
	page.See("Before you see Online as Dana Reyes sees it.")
	page.Fill("Password", password)
	page.Click("Confirm")
	page.See("This opens Online once")
	var ticket string
	page.Eval(`[...document.querySelectorAll("main a")].find((a) => a.textContent.includes("Open Online in a new tab")).href`, &ticket)
	page.Goto(ticket)
	page.Click("See as the member")
	page.See("Welcome")
}
