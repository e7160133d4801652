package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"mandate/internal/fault"
	"mandate/internal/web"
	"mandate/internal/web/browsertest"
	"mandate/internal/web/gallery"
	"mandate/internal/web/ui"
)

func TestDialogOpensInPlace(t *testing.T) {
	p := browsertest.Open(t)
	base := components(t)
	p.Goto(base + gallery.Path)
	p.Within("Dialogs and menus").Click("Delete user")
	dialog := p.Within("Delete Dana Diaz?")
	dialog.See("This cannot be undone.")
	p.Axe()
	p.ScreenshotView("dialog-1440-light")
	if got := p.Focused(); !strings.HasPrefix(got, "Your password") {
		t.Errorf("the dialog's focus is on %q, want its first field", got)
	}
	p.Press("Escape")
	p.NotSee("This cannot be undone.")
	if got := p.Focused(); got != "Delete user" {
		t.Errorf("after closing, the focus is on %q, want what opened the dialog", got)
	}
	p.Within("Dialogs and menus").Click("Delete user")
	p.Within("Delete Dana Diaz?").Fill("Your password", "correct horse")
	p.Within("Delete Dana Diaz?").Click("Delete user")
	p.See("Successfully done")
	p.Axe()
}

func TestMenusCloseThemselves(t *testing.T) {
	p := browsertest.Open(t)
	p.Goto(components(t) + gallery.Path)
	p.Click("Settings for Dana Diaz")
	p.See("Hold account access")
	p.Axe()
	p.Press("Escape")
	p.NotSee("Hold account access")
	p.Click("Ana Ruiz , your menu")
	p.See("Sign out")
	p.ScreenshotView("person-menu-1440-light")
	p.Within("Appearance").Axe()
	p.Click("Components")
	p.NotSee("Sign out")
}

func TestNavigationIsADrawerOnAPhone(t *testing.T) {
	p := browsertest.Open(t)
	p.Phone()
	p.Goto(components(t) + gallery.Path)
	if p.Has("part", "Main") {
		t.Fatal("the navigation is in sight before it is asked for")
	}
	p.Click("Menu")
	p.Within("Main").See("User management")
	p.Axe()
	p.ScreenshotView("drawer-390-light")
	p.Press("Escape")
	if p.Has("part", "Main") {
		t.Error("Escape left the navigation open")
	}
}

// Everything that has a script works without one.
func TestWithoutScripts(t *testing.T) {
	p := browsertest.Open(t)
	base := components(t)
	p.Scripts(false)
	p.Phone()
	p.Goto(base + gallery.Path)
	p.Click("Menu")
	p.Within("Main").See("Approvals")
	p.Press("Escape")

	p.Within("Dialogs and menus").Click("Delete user")
	p.See("Payments and history keep the name.")
	if !strings.HasSuffix(p.URL(), gallery.DialogPath) {
		t.Errorf("without a script the question is at %s, want a page of its own", p.URL())
	}
	p.Fill("Your password", "correct horse")
	p.Click("Delete user")
	p.See("Successfully done")
	p.ScreenshotView("no-script-toast-390-light")

	p.Fill("Search users", "dana")
	p.Click("Search")
	if !strings.Contains(p.URL(), "q=dana") {
		t.Errorf("searching without a script led to %s", p.URL())
	}
	p.Click("Ana Ruiz , your menu")
	p.Click("Dark")
	var theme string
	p.Eval(`document.documentElement.dataset.theme ?? ""`, &theme)
	if theme != "dark" {
		t.Errorf("the theme is %q after choosing Dark", theme)
	}
	if !strings.Contains(p.URL(), "q=dana") {
		t.Errorf("choosing a theme led to %s, want the same page", p.URL())
	}
}

func TestFormComesBack(t *testing.T) {
	p := browsertest.Open(t)
	p.Goto(components(t) + gallery.Path)
	p.Fill("Name", "")
	p.Fill("Daily limit", "lots")
	p.Click("Save changes")
	p.See("Nothing was saved yet.")
	p.ScreenshotView("form-problems-1440-light")
	if got := p.Value("Daily limit"); got != "lots" {
		t.Errorf("the limit came back as %q, want what was typed", got)
	}
	if got := p.Value("Email"); got != "dana.diaz@northwind.example" {
		t.Errorf("the email came back as %q", got)
	}
	if got := p.Focused(); !strings.Contains(got, "Nothing was saved yet.") {
		t.Errorf("the focus is on %q, want the summary", got)
	}
	p.Axe()
	p.Click("Write a name.")
	if got := p.Focused(); got != "Name" {
		t.Errorf("the summary leads to %q, want the field", got)
	}
	p.Fill("Name", "Dana Diaz")
	p.Fill("Daily limit", "25000")
	p.Press("Tab")
	if got := p.Value("Daily limit"); got != "25,000.00" {
		t.Errorf("money is written %q after leaving its field", got)
	}
	p.Click("Save changes")
	p.See("Successfully done")
	p.Reload()
	p.NotSee("Successfully done")
}

func TestSearchWhileTyping(t *testing.T) {
	p := browsertest.Open(t)
	p.Goto(components(t) + gallery.Path)
	p.Eval(`(window.stays = true)`, nil)
	p.Fill("Search users", "dana")
	deadline(t, "the address to follow the search", func() bool { return strings.Contains(p.URL(), "q=dana") })
	var stays bool
	p.Eval(`window.stays === true`, &stays)
	if !stays {
		t.Error("searching loaded the whole page")
	}
	if got := p.Focused(); got != "Search users" {
		t.Errorf("while typing, the focus went to %q", got)
	}
	p.Choose("Role", "Admin")
	deadline(t, "the address to follow the filter", func() bool { return strings.Contains(p.URL(), "role=admin") })
}

func TestSaveBarCounts(t *testing.T) {
	p := browsertest.Open(t)
	p.Goto(components(t) + gallery.Path)
	form := p.Within("Permissions of Dana Diaz")
	form.Set("Transmit wires", true)
	form.See("1 change")
	form.Fill("Daily wire limit", "5000")
	form.See("2 changes")
	if form.Enabled("Transmit future dated wires") {
		t.Error("a blocked switch can be moved")
	}
}

func TestPasswordCanBeShown(t *testing.T) {
	p := browsertest.Open(t)
	p.Goto(components(t) + gallery.EntryPath)
	p.Fill("Password", "secret")
	p.Click("Show Password")
	var kind string
	p.Eval(`document.getElementById("field-password").type`, &kind)
	if kind != "text" {
		t.Errorf("the password field is of type %q after Show", kind)
	}
	if !p.Has("pressable", "Hide Password") {
		t.Error("what is shown cannot be hidden again")
	}
}

// Amounts line up only in figures of one width.
func TestFiguresAreTabular(t *testing.T) {
	p := browsertest.Open(t)
	p.Goto(components(t) + gallery.Path)
	var same bool
	p.Eval(`document.fonts.ready.then(() => {
		const width = (text) => { const s = document.createElement("span"); s.className = "money"; s.textContent = text; document.getElementById("main").append(s); const w = s.getBoundingClientRect().width; s.remove(); return w; };
		return document.fonts.check("14px Inter") && Math.abs(width("1111111111") - width("8888888888")) < 0.1;
	})`, &same)
	if !same {
		t.Error("Inter is not loaded, or its figures are not tabular")
	}
}

// A part of a page that cannot be had is answered by the page that says why, or
// by a toast when nothing answered at all.
func TestWhatAScriptCannotGetIsSaid(t *testing.T) {
	needs := web.Needs{Who: web.Anybody, Institution: web.Nowhere}
	base := site(t, &web.Site{}, []web.Route{
		{Method: "GET", Pattern: "/start", Needs: needs, Handler: func(w http.ResponseWriter, r *http.Request) error {
			buttons := templ.Join(
				ui.Button(ui.Action{Label: "Forbidden", Href: "/forbidden", Dialog: true}),
				ui.Button(ui.Action{Label: "Gone", Href: "/gone", Dialog: true}))
			return web.Render(w, r, http.StatusOK, ui.Within(ui.EntryPage(ui.Entry{Title: "Start"}), buttons))
		}},
		{Method: "GET", Pattern: "/forbidden", Needs: needs, Handler: func(http.ResponseWriter, *http.Request) error {
			return fault.New(fault.Forbidden, "Viewers delete nobody.")
		}},
		{Method: "GET", Pattern: "/gone", Needs: needs, Handler: func(http.ResponseWriter, *http.Request) error {
			panic(http.ErrAbortHandler)
		}},
	})
	p := browsertest.Open(t)
	p.Tolerate()
	p.Goto(base + "/start")
	p.Click("Gone")
	p.See("This could not be reached, so nothing was done.")
	p.Click("Dismiss")
	p.NotSee("This could not be reached")
	p.Click("Forbidden")
	p.See("Viewers delete nobody.")
	if !strings.HasSuffix(p.URL(), "/forbidden") {
		t.Errorf("the refusal stands at %s", p.URL())
	}
}
