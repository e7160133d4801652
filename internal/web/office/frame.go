package office

import (
	"net/http"
	"net/url"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/host"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// A base is the first part of a path: the institution's and the desk's. Every
// address of the screens is made here.
type base string

func baseOf(institution bank.InstitutionID, d desk) base {
	return base("/" + url.PathEscape(string(institution)) + "/" + string(d))
}

func (b base) at(path string) string { return string(b) + path }

func (b base) organizations() string { return b.at("/organizations") }
func (b base) users() string         { return b.at("/users") }
func (b base) defaults() string      { return b.at("/defaults") }

func (b base) organization(ref host.Ref) string {
	return b.organizations() + "/" + url.PathEscape(string(ref))
}
func (b base) newUser(organization host.Ref) string {
	return b.organization(organization) + "/users/new"
}
func (b base) user(ref host.Ref) string        { return b.users() + "/" + url.PathEscape(string(ref)) }
func (b base) permissions(ref host.Ref) string { return b.user(ref) + "/permissions" }
func (b base) accounts(ref host.Ref) string    { return b.user(ref) + "/accounts" }
func (b base) account(ref, account host.Ref) string {
	return b.accounts(ref) + "/" + url.PathEscape(string(account))
}
func (b base) defaultsOf(role bank.Role) string { return b.defaults() + "/" + role.String() }
func (b base) enrol(token string) string        { return b.at("/enroll/" + url.PathEscape(token)) }

// shell is everything around a page.
func (a *app) shell(r *http.Request, s *seat, title string, crumbs ...ui.Link) ui.Shell {
	b := s.base()
	return ui.Shell{
		Title: title, Institution: ui.Institution{Name: s.house.Name, Accent: s.house.Accent}, App: s.desk.label(), Organization: s.organization.Name,
		Home: b.at(""), Nav: navigation(r, s), Crumbs: crumbs, Person: ui.Person{Name: s.name, Detail: s.detail},
		SignOut: b.at("/sign-out"), ThemeAction: web.ThemePath, Notice: a.Notice,
	}
}

func navigation(r *http.Request, s *seat) []ui.NavGroup {
	b := s.base()
	here := func(label, href, icon string) ui.NavItem {
		path := r.URL.EscapedPath()
		return ui.NavItem{Label: label, Href: href, Icon: icon, Current: path == href || href != b.at("") && strings.HasPrefix(path, href+"/")}
	}
	var items []ui.NavItem
	switch {
	case s.desk == classic:
		items = append(items, here("Home", b.at(""), "house"))
		if s.allowed(administer) {
			items = append(items, here("Cash users", b.users(), "users"))
		}
	case s.allowed(mayView):
		items = append(items, here("Organizations", b.organizations(), "building-2"), here("Users", b.users(), "users"), here("Default permissions", b.defaults(), "sliders-horizontal"))
	}
	return []ui.NavGroup{{Items: items}}
}

// done goes to a page and says there what was done.
func done(w http.ResponseWriter, r *http.Request, to, text string) error {
	web.Flash(w, r, ui.Good, text)
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

func nameOf(u *host.User) string { return strings.TrimSpace(u.FirstName + " " + u.LastName) }
