package console

import (
	"net/http"
	"strings"

	"mandate/internal/catalog"
	"mandate/internal/staff"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// groupRoutes are the addresses of groups.
func (a *app) groupRoutes() []web.Route {
	get := func(pattern string, h web.HandlerFunc, p catalog.StaffPermission) web.Route {
		return web.Route{Method: "GET", Pattern: "/{institution}/groups" + pattern, Handler: a.introduced(h), Needs: needs(p, "", false)}
	}
	post := func(pattern string, h web.HandlerFunc, p catalog.StaffPermission, event string) web.Route {
		return web.Route{Method: "POST", Pattern: "/{institution}/groups" + pattern, Handler: a.introduced(h), Needs: needs(p, event, event != "")}
	}
	return []web.Route{
		get("", a.groups, catalog.StaffGroupsView),
		get("/new", a.newGroupPage, catalog.StaffGroupsCreate),
		post("/new", a.createGroup, catalog.StaffGroupsCreate, staff.EventGroupCreated),
		get("/{group}", a.group, catalog.StaffGroupsView),
		post("/{group}", a.groupAgain, catalog.StaffGroupsView, ""),
		post("/{group}/review", a.reviewGroup, catalog.StaffGroupsEdit, ""),
		post("/{group}/save", a.saveGroup, catalog.StaffGroupsEdit, staff.EventGroupChanged),
		get("/{group}/delete", a.askDeleteGroup, catalog.StaffGroupsDelete),
		post("/{group}/delete", a.deleteGroup, catalog.StaffGroupsDelete, staff.EventGroupDeleted),
	}
}

type groupsPage struct {
	Shell   ui.Shell
	Create  string
	Base    base
	Toolbar ui.Toolbar
	Groups  []staff.Group
	Pager   ui.Pager
}

// GET /{institution}/groups
func (a *app) groups(w http.ResponseWriter, r *http.Request) error {
	list := web.ReadList(r, web.ListSpec{})
	found, err := a.Staff.GroupPage(r.Context(), web.CallerOf(r.Context()), staff.GroupQuery{Search: list.Search, Page: list.Page, Size: list.PerPage})
	if err != nil {
		return err
	}
	list = list.At(found.Page)
	me, err := a.me(r)
	if err != nil {
		return err
	}
	page := groupsPage{Base: baseOf(r), Groups: found.Groups, Pager: list.Pager("Groups", found.Matching),
		Toolbar: list.Toolbar("Search groups", ui.ResultOf(found.Matching, found.Total, "group", "groups"))}
	if me.May(catalog.StaffGroupsCreate) {
		page.Create = page.Base.newGroup()
	}
	if page.Shell, err = a.shell(r, &me, "Groups"); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, groupsView(page))
}

// areaNames say in which areas a group permits something.
func areaNames(g staff.Group) string {
	var names []string
	if g.Product != "" && g.Held != "" {
		names = append(names, ui.Count(len(g.Held.IDs()), "right of a product", "rights of a product"))
	}
	for _, of := range byArea(g.Permissions) {
		names = append(names, of.Area.Label)
	}
	if len(names) == 0 {
		return "Nothing"
	}
	return strings.Join(names, ", ")
}
