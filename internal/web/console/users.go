package console

import (
	"context"
	"net/http"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/identity"
	"mandate/internal/staff"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// Administering is what Users & Groups needs of the room of staff.
type Administering interface {
	Users(context.Context, bank.Caller, staff.Query) (staff.Page, error)
	User(context.Context, bank.Caller, bank.StaffID) (staff.Profile, error)
	Grouping
	Products(context.Context, bank.Caller) ([]staff.Product, error)
	Group(context.Context, bank.Caller, bank.GroupID) (staff.GroupProfile, error)
	Invite(context.Context, bank.Caller, staff.Invitation) ([]staff.Outcome, error)
	InviteAgain(context.Context, bank.Caller, bank.StaffID) error
	CancelInvitation(context.Context, bank.Caller, bank.StaffID) error
	SetGroups(ctx context.Context, caller bank.Caller, id bank.StaffID, version int64, groups []bank.GroupID) error
	EditProfile(ctx context.Context, caller bank.Caller, id bank.StaffID, version int64, d staff.Details) error
	Unlock(context.Context, bank.Caller, bank.StaffID) error
	SendReset(context.Context, bank.Caller, bank.StaffID) error
	Delete(context.Context, bank.Caller, bank.StaffID) error
	CreateGroup(context.Context, bank.Caller, staff.Draft) (bank.GroupID, error)
	EditGroup(ctx context.Context, caller bank.Caller, id bank.GroupID, version int64, d staff.Draft) error
	PreviewGroup(ctx context.Context, caller bank.Caller, id bank.GroupID, version int64, d staff.Draft) (staff.Preview, error)
	DeleteGroup(ctx context.Context, caller bank.Caller, id, replacement bank.GroupID) error
	Unlink(context.Context, bank.Caller, bank.StaffID) error
	Provider(context.Context, bank.Caller) (identity.Provider, error)
	SetProvider(ctx context.Context, caller bank.Caller, seen int64, will identity.Provider, secret identity.Secret) error
	RemoveProvider(context.Context, bank.Caller) error
}

// needs is what a route needs of staff, and what it records.
func needs(p catalog.StaffPermission, event string, proof bool) web.Needs {
	return web.Needs{Who: web.SignedIn, May: p.ID(), Institution: web.FromPath, Event: event, Proof: proof}
}

// userRoutes are the addresses of staff users.
func (a *app) userRoutes() []web.Route {
	get := func(pattern string, h web.HandlerFunc, p catalog.StaffPermission) web.Route {
		return web.Route{Method: "GET", Pattern: "/{institution}/users" + pattern, Handler: a.introduced(h), Needs: needs(p, "", false)}
	}
	post := func(pattern string, h web.HandlerFunc, p catalog.StaffPermission, event string, proof bool) web.Route {
		return web.Route{Method: "POST", Pattern: "/{institution}/users" + pattern, Handler: a.introduced(h), Needs: needs(p, event, proof)}
	}
	return []web.Route{
		get("", a.users, catalog.StaffUsersView),
		get("/invite", a.invitePage, catalog.StaffUsersInvite),
		a.fileOfAddresses(post("/invite/file", a.addressesFromFile, catalog.StaffUsersInvite, "", false)),
		post("/invite", a.invite, catalog.StaffUsersInvite, staff.EventInvited, true),
		get("/{user}", a.userRights, catalog.StaffUsersView),
		get("/{user}/groups", a.userGroups, catalog.StaffUsersView),
		post("/{user}/groups", a.setGroups, catalog.StaffUsersAssignGroups, staff.EventGroupsChanged, true),
		get("/{user}/institutions", a.userInstitutions, catalog.StaffUsersView),
		get("/{user}/notifications", a.userNotifications, catalog.StaffUsersView),
		get("/{user}/notifications/{message}", a.userNotification, catalog.StaffUsersView),
		get("/{user}/security", a.userSecurity, catalog.StaffUsersView),
		get("/{user}/edit", a.editUserPage, catalog.StaffUsersEdit),
		post("/{user}/edit", a.editUser, catalog.StaffUsersEdit, staff.EventProfileChanged, false),
		post("/{user}/unlock", a.onUser(a.unlock), catalog.StaffUsersUnlock, staff.EventUnlocked, false),
		post("/{user}/reset", a.onUser(a.reset), catalog.StaffUsersResetPassword, staff.EventResetSent, false),
		post("/{user}/unlink", a.onUser(a.unlinkUser), catalog.StaffUsersResetPassword, identity.EventUnlinked, false),
		post("/{user}/invite", a.onUser(a.inviteAgain), catalog.StaffUsersInvite, staff.EventInvited, false),
		post("/{user}/cancel", a.onUser(a.cancelInvitation), catalog.StaffUsersInvite, staff.EventInviteRevoked, false),
		get("/{user}/delete", a.askDeleteUser, catalog.StaffUsersDelete),
		post("/{user}/delete", a.deleteUser, catalog.StaffUsersDelete, staff.EventDeleted, true),
	}
}

type usersPage struct {
	Shell   ui.Shell
	House   string
	Toolbar ui.Toolbar
	Rows    []userRow
	Pager   ui.Pager
	Invite  string // empty where one may not
}

// A userRow is one user of the list.
type userRow struct {
	Name, Email, Href string
	Groups            []string
	Status            ui.State
}

// stateOf is how the status of a staff user looks.
func stateOf(u *staff.User) ui.State {
	s := ui.OfStatus(u.Status)
	s.Word = u.StatusLabel()
	return s
}

var userStatuses = []bank.Status{bank.StatusActive, bank.StatusPending, bank.StatusLocked}

// GET /{institution}/users
func (a *app) users(w http.ResponseWriter, r *http.Request) error {
	list := web.ReadList(r, web.ListSpec{Filters: map[string][]string{"group": nil, "status": {"active", "pending", "locked"}}})
	caller := web.CallerOf(r.Context())
	q := staff.Query{Search: list.Search, Group: bank.GroupID(list.Filter("group")), Page: list.Page, Size: list.PerPage}
	if status, err := bank.ParseStatus(list.Filter("status")); err == nil {
		q.Status = &status
	}
	found, err := a.Staff.Users(r.Context(), caller, q)
	if err != nil {
		return err
	}
	me, err := a.me(r)
	if err != nil {
		return err
	}
	list = list.At(found.Page)
	page := usersPage{House: me.House.Name, Pager: list.Pager("Users", found.Matching)}
	if page.Shell, err = a.shell(r, &me, "Users"); err != nil {
		return err
	}
	if me.May(catalog.StaffUsersInvite) {
		page.Invite = baseOf(r).invite()
	}
	for _, u := range found.Users {
		page.Rows = append(page.Rows, userRow{u.Name(), u.Email, baseOf(r).user(u.ID), u.Groups, stateOf(&u.User)})
	}
	filters, err := a.userFilters(r, &me, list.Filter("group"))
	if err != nil {
		return err
	}
	page.Toolbar = list.Toolbar("Search users", ui.ResultOf(found.Matching, found.Total, "user", "users"), filters...)
	return web.Render(w, r, http.StatusOK, usersView(page))
}

// userFilters are the filters of the list. Of many groups the first are offered,
// and the one that is chosen; the page of any group leads to its members here.
func (a *app) userFilters(r *http.Request, me *staff.Standing, chosen string) ([]ui.Filter, error) {
	statuses := []ui.Option{{Value: "", Label: "Any status"}}
	for _, s := range userStatuses {
		u := staff.User{Status: s}
		statuses = append(statuses, ui.Option{Value: s.String(), Label: u.StatusLabel()})
	}
	filters := []ui.Filter{{Name: "status", Label: "Status", Options: statuses}}
	if !me.May(catalog.StaffGroupsView) {
		return filters, nil
	}
	caller, options := web.CallerOf(r.Context()), []ui.Option{{Value: "", Label: "Any group"}}
	page, err := a.Staff.GroupPage(r.Context(), caller, staff.GroupQuery{Size: fewGroups})
	if err != nil {
		return nil, err
	}
	if chosen := bank.GroupID(chosen); !slices.ContainsFunc(page.Groups, func(g staff.Group) bool { return g.ID == chosen }) {
		named, err := a.Staff.GroupsNamed(r.Context(), caller, []bank.GroupID{chosen})
		if err != nil {
			return nil, err
		}
		page.Groups = append(named, page.Groups...)
	}
	for _, g := range page.Groups {
		options = append(options, ui.Option{Value: string(g.ID), Label: g.Name})
	}
	return append([]ui.Filter{{Name: "group", Label: "Group", Options: options}}, filters...), nil
}
