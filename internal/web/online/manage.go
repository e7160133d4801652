package online

import (
	"context"
	"net/http"
	"net/url"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/pdp"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// Managing is what the screens that create and change people need of the room
// of organizations and their people.
type Managing interface {
	Create(context.Context, bank.Caller, bank.OrganizationID, usermgmt.Details) (usermgmt.Created, error)
	KeepDraft(context.Context, bank.Caller, bank.OrganizationID, usermgmt.Draft) error
	Draft(context.Context, bank.Caller, bank.OrganizationID) (usermgmt.Draft, bool, error)
	Setup(context.Context, bank.Caller, usermgmt.Person) (usermgmt.Setup, error)
	Feed(context.Context, bank.Caller, usermgmt.FeedQuery) ([]activity.Event, error)
	ChooseAccounts(context.Context, bank.Caller, usermgmt.Person, []bank.AccountID) error
	ChooseColleague(ctx context.Context, caller bank.Caller, p usermgmt.Person, from bank.UserID) error
	EnableAccounts(context.Context, bank.Caller, usermgmt.Edit) error
	Unfinished(context.Context, bank.Caller, usermgmt.Person) ([]usermgmt.UnfinishedMember, error)
	Colleagues(ctx context.Context, caller bank.Caller, p usermgmt.Person, search string) ([]usermgmt.Colleague, bool, error)

	Invite(context.Context, bank.Caller, usermgmt.Person) error
	CancelInvitation(context.Context, bank.Caller, usermgmt.Person) error
	Invitations(context.Context, bank.Caller, usermgmt.Person) ([]identity.Link, error)
	SendReset(context.Context, bank.Caller, usermgmt.Person) error

	Hold(ctx context.Context, caller bank.Caller, p usermgmt.Person, why string) error
	Release(context.Context, bank.Caller, usermgmt.Person) error
	Unlock(context.Context, bank.Caller, usermgmt.Person) error
	Delete(context.Context, bank.Caller, usermgmt.Person) error
	Impact(context.Context, bank.Caller, usermgmt.Person) (usermgmt.Impact, error)
	EditProfile(context.Context, bank.Caller, usermgmt.Person, usermgmt.Details) error

	CopyFrom(ctx context.Context, caller bank.Caller, to usermgmt.Person, from bank.UserID, part usermgmt.CopyPart) (usermgmt.Copy, error)
	PreviewMany(context.Context, bank.Caller, usermgmt.Edits) ([]usermgmt.MemberPreview, error)
	SaveMany(context.Context, bank.Caller, usermgmt.Edits) error
	Matrix(context.Context, bank.Caller, bank.OrganizationID, usermgmt.MatrixQuery) (usermgmt.Matrix, error)
	WhoMay(context.Context, bank.Caller, bank.OrganizationID, usermgmt.WhoQuery) (usermgmt.WhoPage, error)
	WhatMay(context.Context, bank.Caller, usermgmt.Person, pdp.Past) (usermgmt.Reaching, error)
	Exposures(context.Context, bank.Caller, bank.OrganizationID, usermgmt.ExposureQuery) (usermgmt.ExposurePage, error)

	Avatar(context.Context, bank.Caller, usermgmt.Person) (usermgmt.Avatar, error)
	SetAvatar(ctx context.Context, caller bank.Caller, file []byte) error
	RemoveAvatar(context.Context, bank.Caller, usermgmt.Person) error
}

func (b base) create() string    { return b.users() + "/new" }
func (b base) bulk() string      { return b.users() + "/bulk" }
func (b base) matrix() string    { return b.users() + "/matrix" }
func (b base) ownAvatar() string { return b.profile() + "/picture" }

func (b base) setup(id bank.UserID) string         { return b.user(id) + "/setup" }
func (b base) setupAccounts(id bank.UserID) string { return b.setup(id) + "/accounts" }
func (b base) setupDone(id bank.UserID) string     { return b.setup(id) + "/done" }
func (b base) edit(id bank.UserID) string          { return b.user(id) + "/edit" }
func (b base) invite(id bank.UserID) string        { return b.user(id) + "/invite" }
func (b base) cancelInvite(id bank.UserID) string  { return b.user(id) + "/cancel-invitation" }
func (b base) reset(id bank.UserID) string         { return b.user(id) + "/reset" }
func (b base) hold(id bank.UserID) string          { return b.user(id) + "/hold" }
func (b base) release(id bank.UserID) string       { return b.user(id) + "/release" }
func (b base) unlock(id bank.UserID) string        { return b.user(id) + "/unlock" }
func (b base) remove(id bank.UserID) string        { return b.user(id) + "/delete" }
func (b base) copy(id bank.UserID) string          { return b.user(id) + "/copy" }
func (b base) viewOnly(id bank.UserID) string      { return b.user(id) + "/view-only" }

// avatar is the address of somebody's picture, with what it is known by, so
// that a browser may keep it.
func (b base) avatar(m usermgmt.Member) string {
	if m.Avatar == "" {
		return ""
	}
	return b.user(m.ID) + "/picture?" + url.Values{"v": {m.Avatar}}.Encode()
}

// managingRoutes are the addresses of creating and changing people.
func (a *app) managingRoutes() []web.Route {
	needs := func(op catalog.Operation) web.Needs {
		return web.Needs{Who: web.SignedIn, May: op.ID(), Institution: web.FromPath}
	}
	records := func(op catalog.Operation, event string, proof bool) web.Needs {
		n := needs(op)
		n.Event, n.Proof = event, proof
		return n
	}
	own := web.Needs{Who: web.SignedIn, May: web.Own, Institution: web.FromPath}
	ownPicture := own
	ownPicture.Event = "orguser.profile_changed"
	const users, user = "/{institution}/settings/users", "/{institution}/settings/users/{user}"
	routes := []web.Route{
		{Method: "GET", Pattern: users + "/new", Handler: a.createPage, Needs: needs(catalog.CreateUser)},
		{Method: "POST", Pattern: users + "/new", Handler: a.createUser, Needs: records(catalog.CreateUser, "orguser.created", true)},
		{Method: "POST", Pattern: users + "/new/keep", Handler: a.keepDraft, Needs: needs(catalog.CreateUser)},
		{Method: "POST", Pattern: users + "/new/discard", Handler: a.discardDraft, Needs: needs(catalog.CreateUser)},
		{Method: "GET", Pattern: users + "/who-may", Handler: a.explained(a.whoMay), Needs: needs(catalog.ViewPermissions)},
		{Method: "GET", Pattern: users + "/who-may.csv", Handler: a.explained(a.whoMay), Needs: needs(catalog.ViewPermissions)},
		{Method: "GET", Pattern: users + "/alone", Handler: a.explained(a.aloneToday), Needs: needs(catalog.ViewPermissions)},
		{Method: "GET", Pattern: users + "/alone.csv", Handler: a.explained(a.aloneToday), Needs: needs(catalog.ViewPermissions)},
		{Method: "GET", Pattern: user + "/may", Handler: a.explained(a.whatMay), Needs: needs(catalog.ViewPermissions)},
		{Method: "GET", Pattern: user + "/setup", Handler: a.setup, Needs: needs(catalog.CreateUser)},
		{Method: "POST", Pattern: user + "/setup", Handler: a.chooseColleague, Needs: needs(catalog.CreateUser)},
		{Method: "GET", Pattern: user + "/setup/accounts", Handler: a.setupAccounts, Needs: needs(catalog.CreateUser)},
		{Method: "POST", Pattern: user + "/setup/accounts", Handler: a.chooseAccounts, Needs: needs(catalog.CreateUser)},
		{Method: "POST", Pattern: user + "/setup/save", Handler: a.enableAccounts, Needs: records(catalog.EditPermissions, "orguser.permission_changed", true)},
		{Method: "GET", Pattern: user + "/setup/done", Handler: a.setupDone, Needs: needs(catalog.CreateUser)},

		{Method: "GET", Pattern: user + "/invite", Handler: a.askInvite, Needs: needs(catalog.CreateUser)},
		{Method: "POST", Pattern: user + "/invite", Handler: a.invite, Needs: records(catalog.CreateUser, "orguser.invited", false)},
		{Method: "GET", Pattern: user + "/cancel-invitation", Handler: a.askCancelInvite, Needs: needs(catalog.CreateUser)},
		{Method: "POST", Pattern: user + "/cancel-invitation", Handler: a.cancelInvite, Needs: records(catalog.CreateUser, "orguser.invite_revoked", false)},
		{Method: "GET", Pattern: user + "/reset", Handler: a.askReset, Needs: needs(catalog.ResetPassword)},
		{Method: "POST", Pattern: user + "/reset", Handler: a.sendReset, Needs: records(catalog.ResetPassword, "orguser.password_reset_sent", false)},
		{Method: "GET", Pattern: user + "/hold", Handler: a.askHold, Needs: needs(catalog.HoldUser)},
		{Method: "POST", Pattern: user + "/hold", Handler: a.hold, Needs: records(catalog.HoldUser, "orguser.hold_placed", true)},
		{Method: "POST", Pattern: user + "/release", Handler: a.release, Needs: records(catalog.HoldUser, "orguser.hold_removed", false)},
		{Method: "POST", Pattern: user + "/unlock", Handler: a.unlock, Needs: records(catalog.UnlockUser, "orguser.unlocked", false)},
		{Method: "GET", Pattern: user + "/unlocked", Handler: a.unlocked, Needs: needs(catalog.UnlockUser)},
		{Method: "GET", Pattern: user + "/delete", Handler: a.askDelete, Needs: needs(catalog.DeleteUser)},
		{Method: "POST", Pattern: user + "/delete", Handler: a.deleteUser, Needs: records(catalog.DeleteUser, "orguser.deleted", true)},

		{Method: "GET", Pattern: user + "/copy", Handler: a.copyPermissions, Needs: needs(catalog.EditPermissions)},
		{Method: "GET", Pattern: user + "/view-only", Handler: a.viewOnly, Needs: needs(catalog.EditPermissions)},

		{Method: "GET", Pattern: "/{institution}/settings/history.csv", Handler: a.organizationCSV, Needs: needs(catalog.ViewUsers)},
		{Method: "GET", Pattern: user + "/history.csv", Handler: a.memberCSV, Needs: needs(catalog.ViewUsers)},
		{Method: "GET", Pattern: users + "/matrix", Handler: a.matrix, Needs: needs(catalog.ViewPermissions)},
		{Method: "GET", Pattern: users + "/bulk", Handler: a.bulk, Needs: needs(catalog.EditPermissions)},
		{Method: "POST", Pattern: users + "/bulk", Handler: a.bulkForm, Needs: needs(catalog.EditPermissions)},
		{Method: "POST", Pattern: users + "/bulk/save", Handler: a.saveBulk, Needs: records(catalog.EditPermissions, "orguser.permission_changed", true)},

		{Method: "GET", Pattern: user + "/edit", Handler: a.editPage, Needs: needs(catalog.EditProfile)},
		{Method: "POST", Pattern: user + "/edit", Handler: a.editUser, Needs: records(catalog.EditProfile, "orguser.profile_changed", true)},
	}
	routes = append(routes,
		web.Route{Method: "GET", Pattern: user + "/picture", Handler: a.picture, Needs: own},
		web.Route{Method: "GET", Pattern: user + "/picture/remove", Handler: a.askRemovePicture, Needs: needs(catalog.EditProfile)},
		web.Route{Method: "POST", Pattern: user + "/picture/remove", Handler: a.removePicture, Needs: records(catalog.EditProfile, "orguser.profile_changed", false)},
		web.Route{Method: "GET", Pattern: "/{institution}/profile/picture", Handler: a.ownPicture, Needs: own},
		web.Route{Method: "POST", Pattern: "/{institution}/profile/picture", Handler: a.setPicture, Needs: ownPicture, MaxBody: maxUpload},
		web.Route{Method: "POST", Pattern: "/{institution}/profile/picture/remove", Handler: a.removeOwnPicture, Needs: ownPicture, MaxBody: maxUpload},
	)
	for i := range routes {
		routes[i].Handler = a.explained(routes[i].Handler)
	}
	return routes
}

// mayManage refuses a page whose form could not be sent: the room would refuse
// it as well, after somebody had filled it in.
func mayManage(me usermgmt.Standing, op catalog.Operation) error {
	if me.May(op) {
		return nil
	}
	return fault.New(fault.Forbidden, "You may not "+op.Info().Label+".").With("ROLE_FORBIDS")
}

// underUser are the crumbs of a page below somebody's profile.
func underUser(b base, m usermgmt.Member) []ui.Link {
	return []ui.Link{{Label: "User management", Href: b.users()}, {Label: m.Name(), Href: b.user(m.ID)}}
}

// about reads what most of these pages begin with: who asks, and about whom. A
// page that asks is refused here; what is sent is refused by the room, which
// keeps the attempt.
func (a *app) about(r *http.Request, op catalog.Operation) (me usermgmt.Standing, profile usermgmt.Profile, err error) {
	if me, err = a.me(r); err != nil {
		return me, profile, err
	}
	if r.Method == http.MethodGet {
		if err = mayManage(me, op); err != nil {
			return me, profile, err
		}
	}
	profile, err = a.users.Profile(r.Context(), web.CallerOf(r.Context()), person(r))
	return me, profile, err
}
