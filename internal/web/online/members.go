package online

import (
	"net/http"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type membersPage struct {
	Shell   ui.Shell
	Org     string
	Toolbar ui.Toolbar
	Columns []ui.Column
	Rows    []memberRow
	Pager   ui.Pager
	Create  string // where somebody new is created; empty where one may not
	Bulk    string // where several people are changed at once
	Matrix  string
	WhoMay  string

	Importing []importingRow // who is being made at the host
	Leaving   []string       // of whom the host has not heard yet that they are deleted
	Place     *time.Location
}

// A memberRow is one person of the list.
type memberRow struct {
	Member            usermgmt.Member
	Name, Email, Href string
	Username          string
	Role              string
	Status            ui.State
	Held              bool
	Accounts          string
}

var membersList = web.ListSpec{
	Sorts: []string{"name", "username", "role", "status"},
	Filters: map[string][]string{
		"role":   {"user", "viewer", "admin"},
		"status": {"pending", "active", "locked", "disabled"},
		"hold":   {"on"},
	},
}

// GET /{institution}/settings/users
func (a *app) members(w http.ResponseWriter, r *http.Request) error {
	list := web.ReadList(r, membersList)
	found, err := a.users.List(r.Context(), web.CallerOf(r.Context()), person(r).Organization, membersQuery(list))
	if err != nil {
		return err
	}
	me, err := a.me(r)
	if err != nil {
		return err
	}
	list = list.At(found.Page)
	b := baseFor(me.Institution.ID)
	page := membersPage{
		Shell:   a.shell(r, me, "User management"),
		Org:     me.Organization.Name,
		Toolbar: membersToolbar(list, found),
		Columns: []ui.Column{list.Column("name", "Name"), list.Column("username", "Username"), list.Column("role", "Role"), list.Column("status", "Status"), {Label: "Accounts", Money: true}},
		Pager:   list.Pager("Users", found.Matching),
		Place:   me.Institution.Place(),
	}
	if err := a.onTheWay(r, &page, list, b); err != nil {
		return err
	}
	if me.May(catalog.CreateUser) {
		page.Create = b.create()
	}
	if me.May(catalog.EditPermissions) {
		page.Bulk = b.bulk()
	}
	if me.May(catalog.ViewPermissions) {
		page.Matrix, page.WhoMay = b.matrix(), b.whoMay()
	}
	for _, m := range found.Members {
		page.Rows = append(page.Rows, memberRow{
			Member: m.Member, Name: m.Name(), Email: m.Email, Href: b.user(m.ID), Username: m.Username, Role: m.Role.Label(),
			Status: ui.OfStatus(m.Status), Held: m.Held, Accounts: accountCount(m.Accounts),
		})
	}
	return web.Render(w, r, http.StatusOK, membersView(page))
}

func accountCount(n int) string {
	if n == 0 {
		return "None"
	}
	return ui.Count(n, "", "")
}

func membersQuery(list web.List) usermgmt.MemberQuery {
	q := usermgmt.MemberQuery{
		Search: list.Search, Held: list.Filter("hold") == "on",
		Sort: usermgmt.MemberSort(list.Sort), Reverse: list.Descending, Page: list.Page, Size: list.PerPage,
	}
	if role, err := bank.ParseRole(list.Filter("role")); err == nil {
		q.Role = &role
	}
	if status, err := bank.ParseStatus(list.Filter("status")); err == nil {
		q.Status = &status
	}
	return q
}

func membersToolbar(list web.List, found usermgmt.MemberPage) ui.Toolbar {
	roles := []ui.Option{{Value: "", Label: "Any role"}}
	for _, role := range []bank.Role{bank.RoleAdmin, bank.RoleViewer, bank.RoleUser} {
		roles = append(roles, ui.Option{Value: role.String(), Label: role.Label()})
	}
	statuses := []ui.Option{{Value: "", Label: "Any status"}}
	for _, status := range []bank.Status{bank.StatusActive, bank.StatusPending, bank.StatusLocked, bank.StatusDisabled} {
		statuses = append(statuses, ui.Option{Value: status.String(), Label: status.Label()})
	}
	holds := []ui.Option{{Value: "", Label: "On hold or not"}, {Value: "on", Label: "On hold"}}
	return list.Toolbar("Search users", resultOf(found.Matching, found.Total, "user", "users"),
		ui.Filter{Name: "role", Label: "Role", Options: roles},
		ui.Filter{Name: "status", Label: "Status", Options: statuses},
		ui.Filter{Name: "hold", Label: "Account access", Options: holds})
}
