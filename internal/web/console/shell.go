package console

import (
	"net/http"
	"strings"
	"time"

	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/staff"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/entrance"
	"mandate/internal/web/ui"
)

// A staff user who does nothing for 30 minutes is signed out, and asked a minute
// before.
const (
	idleAsk  = 29 * 60
	idleEnds = 30*60 + 5

	lastMinutes = 5 * time.Minute // before the eight hours are over, that is said
)

// ownShell is the shell of whoever is signed in.
func (a *app) ownShell(r *http.Request, title string, crumbs ...ui.Link) (ui.Shell, error) {
	me, err := a.me(r)
	if err != nil {
		return ui.Shell{}, err
	}
	return a.shell(r, &me, title, crumbs...)
}

// shell is everything around a page. Somebody sees only the apps for which they
// hold a right.
func (a *app) shell(r *http.Request, me *staff.Standing, title string, crumbs ...ui.Link) (ui.Shell, error) {
	i, err := a.Institutions.Institution(r.Context(), web.CallerOf(r.Context()).Institution)
	if err != nil {
		return ui.Shell{}, err
	}
	b := baseOf(r)
	nav, err := a.navigation(r, me)
	if err != nil {
		return ui.Shell{}, err
	}
	menu := []ui.Link{
		{Label: "Your account", Href: b.account(), Icon: "circle-user"},
		{Label: "Sign-in and security", Href: b.security(), Icon: "shield-check"},
		{Label: "Your institutions", Href: b.institutions(), Icon: "building-2"},
	}
	if a.Products != nil {
		menu = append(menu, ui.Link{Label: "Products", Href: b.products(), Icon: "external-link"})
	}
	return ui.Shell{
		Title: title, Institution: look(i), App: appName, Home: b.home(), Nav: nav, Crumbs: crumbs,
		Person:  ui.Person{Name: me.User.Name(), Detail: me.User.Email},
		Menu:    menu,
		SignOut: b.at("/sign-out"), ThemeAction: web.ThemePath, Notice: a.Notice,
		Idle: a.idle(r, me),
	}, nil
}

// idle is when somebody is asked whether they are there, and when they are told
// that nothing keeps them signed in longer.
func (a *app) idle(r *http.Request, me *staff.Standing) ui.Idle {
	idle := ui.Idle{Stay: baseOf(r).stillHere(), Ask: idleAsk, Ends: idleEnds}
	ends := entrance.EndsAt(r.Context())
	if ends.IsZero() {
		return idle
	}
	left := ends.Sub(a.site.Clock.Now())
	idle.Last = max(0, int((left-lastMinutes)/time.Second))
	idle.Over = left <= lastMinutes
	idle.LastText = "Nobody stays signed in longer than eight hours. Yours end at " + ui.DateTime(ends, me.Place()) + ". Save what you have begun, and sign in again."
	return idle
}

// opened are the routes without the pages whose form could not be sent: these are
// refused, as the room would refuse what somebody had filled in. What changes
// something goes to the room, which keeps the attempt.
func (a *app) opened(routes []web.Route) []web.Route {
	for i, r := range routes {
		if p := catalog.ParseStaffPermission(r.Needs.May); p != catalog.UnknownStaffPermission && r.Needs.Event == "" {
			routes[i].Handler = a.onlyWith(p, r.Handler)
		}
	}
	return routes
}

func (a *app) onlyWith(p catalog.StaffPermission, page web.HandlerFunc) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		me, err := a.me(r)
		if err != nil {
			return err
		}
		if !me.May(p) {
			return fault.Newf(fault.Forbidden, "This page is for groups with “%s”. Whoever edits groups can give it to one of yours.", p.Info().Label).With("STAFF_PERMISSION")
		}
		return page(w, r)
	}
}

func (a *app) navigation(r *http.Request, me *staff.Standing) ([]ui.NavGroup, error) {
	b := baseOf(r)
	here := func(label, href, icon string) ui.NavItem {
		path := r.URL.EscapedPath()
		return ui.NavItem{Label: label, Href: href, Icon: icon, Current: path == href || strings.HasPrefix(path, href+"/")}
	}
	nav := []ui.NavGroup{{Items: []ui.NavItem{here("Home", b.home(), "house")}}}
	if me.May(catalog.PeopleViewAll) {
		nav[0].Items = append(nav[0].Items, here(catalog.AreaPeople.Info().Label, b.people(), "building-2"))
	}
	if me.Decides() {
		approvals := here("Approvals", b.approvals(), "inbox")
		var err error
		if approvals.Count, err = a.Approvals.StaffCount(r.Context(), web.CallerOf(r.Context()), ownGroups(me)); err != nil {
			return nil, err
		}
		nav[0].Items = append(nav[0].Items, approvals)
	}
	if me.May(catalog.PlatformAuditSearch) {
		nav[0].Items = append(nav[0].Items, here("Activity", b.activity(), "activity"))
	}
	admin := ui.NavGroup{Label: catalog.AreaUsersGroups.Info().Label}
	if me.May(catalog.StaffUsersView) {
		admin.Items = append(admin.Items, here("Users", b.users(), "users"))
	}
	if me.May(catalog.StaffGroupsView) {
		admin.Items = append(admin.Items, here("Groups", b.groups(), "shield"))
	}
	if me.May(catalog.StaffExternalAppsManage) {
		admin.Items = append(admin.Items, here("External applications", b.applications(), "link"))
	}
	if a.Settings != nil && me.May(catalog.InstitutionSettingsManage) {
		admin.Items = append(admin.Items, here("Institution settings", b.settings(), "settings"))
	}
	if a.Provisioning != nil && me.May(catalog.StaffExternalAppsManage) {
		admin.Items = append(admin.Items, here("Directories", b.directories(), "refresh-cw"))
	}
	if len(admin.Items) > 0 {
		nav = append(nav, admin)
	}
	own := ui.NavGroup{Label: "You", Items: []ui.NavItem{here("Your account", b.account(), "circle-user"), here("Sign-in and security", b.security(), "shield-check")}}
	return append(nav, own), nil
}

func look(i usermgmt.Institution) ui.Institution {
	return entrance.Look(i.ID, i.Name, i.Accent, i.Logo)
}
