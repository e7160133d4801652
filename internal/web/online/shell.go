package online

import (
	"net/http"
	"slices"
	"strings"

	"mandate/internal/catalog"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/entrance"
	"mandate/internal/web/ui"
)

// shell is everything around a page: what the role forbids is absent.
func (a *app) shell(r *http.Request, me usermgmt.Standing, title string, crumbs ...ui.Link) ui.Shell {
	b := baseFor(me.Institution.ID)
	here := func(label, href, icon string) ui.NavItem {
		return ui.NavItem{Label: label, Href: href, Icon: icon, Current: current(r, b, href)}
	}
	nav := []ui.NavGroup{{Items: []ui.NavItem{
		here("Home", b.home(), "house"),
		here("Why can't I …?", b.whyMe(), "circle-question-mark"),
	}}}
	nav = append(nav, a.moneyNav(r, &me, here)...)
	settings := ui.NavGroup{Label: "Settings", Items: []ui.NavItem{here("Your profile", b.profile(), "circle-user"), here("Sign-in and security", b.security(), "shield-check")}}
	if me.May(catalog.ViewUsers) {
		settings.Items = append(settings.Items,
			here("User management", b.users(), "users"),
			here("History", b.history(), "history"))
	}
	if me.May(catalog.CreateUser) {
		settings.Items = append(settings.Items, here("Alerts", b.alerts(), "bell"))
	}
	return ui.Shell{
		Title:        title,
		Institution:  look(me.Institution),
		App:          "Online",
		Organization: me.Organization.Name,
		Home:         b.home(),
		Nav:          append(nav, settings),
		Crumbs:       crumbs,
		Person:       ui.Person{Name: me.Member.Name(), Detail: me.Member.Role.Label()},
		Menu: []ui.Link{
			{Label: "Your profile", Href: b.profile(), Icon: "circle-user"},
			{Label: "Sign-in and security", Href: b.security(), Icon: "shield-check"},
		},
		SignOut:     b.signOut(),
		ThemeAction: web.ThemePath,
		Notice:      a.notice,
	}
}

// current reports whether an item of the navigation leads to this page, or to
// one above it.
func current(r *http.Request, b base, href string) bool {
	path := r.URL.EscapedPath()
	below := slices.Contains([]string{b.users(), b.transfers(), b.stops(), b.cards(), b.approvals(), b.wires(), b.posPay()}, href)
	series := href == b.transfers() && strings.HasPrefix(path, b.at("/recurring-transfers/"))
	series = series || href == b.wires() && (strings.HasPrefix(path, b.wireTemplates()) || strings.HasPrefix(path, b.wireSeriesList()))
	return path == href || series || below && strings.HasPrefix(path, href+"/")
}

func look(i usermgmt.Institution) ui.Institution {
	return entrance.Look(i.ID, i.Name, i.Accent, i.Logo)
}

// ownShell is the shell of whoever is signed in.
func (a *app) ownShell(r *http.Request, title string, crumbs ...ui.Link) (ui.Shell, error) {
	me, err := a.me(r)
	if err != nil {
		return ui.Shell{}, err
	}
	return a.shell(r, me, title, crumbs...), nil
}
