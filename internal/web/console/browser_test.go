package console_test

import (
	"os"
	"testing"

	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/web/browsertest"
)

// A colleague is somebody with a real browser before the console.
type colleague struct {
	*browsertest.Page
	w        *world
	scripts  bool
	pictures bool
}

// eachBrowser runs a test on both databases, with scripts and without, each
// time in a world of its own. The gate takes one of each, so that everything is
// seen once; MANDATE_SLOW=1 takes all four. Pages are looked at once: they are
// the same every time.
func eachBrowser(t *testing.T, test func(t *testing.T, w *world, p colleague)) {
	for i, run := range []struct {
		name          string
		open          func(testing.TB) *db.DB
		scripts, slow bool
	}{
		{"SQLite with scripts", dbtest.SQLite, true, false},
		{"PostgreSQL without scripts", dbtest.PostgreSQL, false, false},
		{"SQLite without scripts", dbtest.SQLite, false, true},
		{"PostgreSQL with scripts", dbtest.PostgreSQL, true, true},
	} {
		if run.slow && os.Getenv("MANDATE_SLOW") == "" {
			continue
		}
		t.Run(run.name, func(t *testing.T) {
			w := newWorld(t, run.open(t))
			p := colleague{browsertest.Open(t), w, run.scripts, i == 0}
			p.Scripts(run.scripts)
			test(t, w, p)
		})
	}
}

func (p colleague) open(path string) { p.Goto(p.w.server.URL + path) }

// signIn signs somebody in by the page.
func (p colleague) signIn(name string) {
	p.open("/cedar/sign-in")
	p.Fill("Email", address(name))
	p.Fill("Password", password)
	p.Click("Sign in")
	p.See("Hello")
}

// confirm answers the question before something risky.
func (p colleague) confirm() {
	p.See("Confirm that it is you")
	p.Fill("Password", password)
	p.Click("Confirm")
}

// look judges a page and takes pictures of it.
func (p colleague) look(name string) {
	if p.pictures {
		p.Look("console-" + name)
	}
}
