package console

import (
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/staff"
	"mandate/internal/web"
	"mandate/internal/web/entrance"
	"mandate/internal/web/ui"
)

// A userPage is a user with what every tab of theirs shows.
type userPage struct {
	Shell ui.Shell
	Me    staff.Standing
	User  staff.Profile
	Base  base
	Tabs  []ui.Tab
	Above string // why the one who looks may not act on them; empty where they may
	Place *time.Location

	Areas  []areaRights // permissions
	Groups groupChooser
	Errors []fault.Problem
}

func (p *userPage) may(right catalog.StaffPermission) bool { return p.Me.May(right) && p.Above == "" }

// at is an address of this user.
func (p *userPage) at(path string) string { return p.Base.user(p.User.ID) + path }

// areaRights are all permissions of one area, with where they come from.
type areaRights struct {
	Area catalog.StaffAreaInfo
	Rows []rightRow
}

type rightRow struct {
	Label     string
	GrantedBy []staff.Group // none: they do not hold it
}

func userID(r *http.Request) bank.StaffID { return bank.StaffID(r.PathValue("user")) }

// theUser reads whom the path names, for one of their tabs.
func (a *app) theUser(r *http.Request, tab string) (p userPage, err error) {
	if p.Me, err = a.me(r); err != nil {
		return p, err
	}
	if p.User, err = a.Staff.User(r.Context(), web.CallerOf(r.Context()), userID(r)); err != nil {
		return p, err
	}
	p.Base, p.Place = baseOf(r), p.Me.Place()
	var missing []string
	for _, g := range p.User.Groups {
		missing = append(missing, beyond(g.Draft, &p.Me, nil)...)
	}
	if len(missing) > 0 {
		p.Above = p.User.Name() + " holds rights that you do not hold, so only somebody who holds them can change this user."
	}
	for _, t := range []ui.Tab{{Label: "Permissions", Href: p.at("")}, {Label: "Groups", Href: p.at("/groups"), Count: len(p.User.Groups)}, {Label: "Institutions", Href: p.at("/institutions")}, {Label: "Notifications", Href: p.at("/notifications")}, {Label: "Security", Href: p.at("/security")}} {
		t.Current = t.Label == tab
		p.Tabs = append(p.Tabs, t)
	}
	p.Shell, err = a.shell(r, &p.Me, p.User.Name(), ui.Link{Label: "Users", Href: p.Base.users()})
	return p, err
}

// userRights shows every permission and by which group somebody holds it.
//
// GET /{institution}/users/{user}
func (a *app) userRights(w http.ResponseWriter, r *http.Request) error {
	p, err := a.theUser(r, "Permissions")
	if err != nil {
		return err
	}
	granted := map[catalog.StaffPermission][]staff.Group{}
	for _, s := range p.User.Sources {
		granted[s.Permission] = s.Groups
	}
	for _, area := range catalog.StaffAreas() {
		if area == catalog.AreaAuthenticate && !p.Me.Federates {
			continue
		}
		of := areaRights{Area: area.Info()}
		for right := catalog.UnknownStaffPermission + 1; right < catalog.StaffPermissionCount; right++ {
			if right.Info().Area == area {
				of.Rows = append(of.Rows, rightRow{right.Info().Label, granted[right]})
			}
		}
		p.Areas = append(p.Areas, of)
	}
	p.Areas = append(p.Areas, productRows(p.User)...)
	return web.Render(w, r, http.StatusOK, userRightsView(p))
}

// GET /{institution}/users/{user}/groups
func (a *app) userGroups(w http.ResponseWriter, r *http.Request) error {
	return a.renderUserGroups(w, r, nil)
}

// renderUserGroups shows the groups; f is a form that came back.
func (a *app) renderUserGroups(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	p, err := a.theUser(r, "Groups")
	if err != nil {
		return err
	}
	var chosen []bank.GroupID
	for _, g := range p.User.Groups {
		chosen = append(chosen, g.ID)
	}
	if f == nil {
		f = web.NewForm(nil)
	} else {
		chosen, p.Errors = chosenGroups(f), f.Problems
	}
	if p.may(catalog.StaffUsersAssignGroups) {
		if p.Groups, err = a.chooser(r, f, &p.Me, chosen, p.at("/groups")); err != nil {
			return err
		}
		p.Groups.Legend, p.Groups.Help = "Edit groups", "What somebody may do is what all their groups permit together."
	}
	return web.Render(w, r, f.Status(), userGroupsView(p))
}

// POST /{institution}/users/{user}/groups
func (a *app) setGroups(w http.ResponseWriter, r *http.Request) error {
	f, b := web.ReadForm(r), baseOf(r)
	back := b.user(userID(r)) + "/groups"
	if f.Sent(pickField) { // a search among the groups
		return a.renderUserGroups(w, r, f)
	}
	version, err := strconv.ParseInt(f.Raw("version"), 10, 64)
	if err != nil {
		version = 0 // no user has that: the page is shown as it is now
	}
	proven, err := a.door.Proven(w, r, a.userProof(r, "Before you give more rights to ", back), func() error {
		return a.Staff.SetGroups(r.Context(), web.CallerOf(r.Context()), userID(r), version, chosenGroups(f))
	})
	if fault.KindOf(err) == fault.Conflict && err != nil {
		return refusedAt(w, r, back, err)
	}
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderUserGroups(w, r, f)
	}
	if !proven {
		return nil
	}
	return done(w, r, back, "Groups saved")
}

// refusedAt goes back to a page and says there why nothing was done.
func refusedAt(w http.ResponseWriter, r *http.Request, to string, err error) error {
	web.Flash(w, r, ui.Bad, web.SentenceOf(err))
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// userProof is the page that asks before something about a user.
func (a *app) userProof(r *http.Request, before, back string) func() (entrance.Proof, error) {
	return func() (entrance.Proof, error) {
		u, err := a.Staff.User(r.Context(), web.CallerOf(r.Context()), userID(r))
		return entrance.Proof{Text: before + u.Name() + ".", Cancel: back,
			Crumbs: []ui.Link{{Label: "Users", Href: baseOf(r).users()}, {Label: u.Name(), Href: baseOf(r).user(userID(r))}}}, err
	}
}

// userInstitutions shows where else the person belongs, by their own word.
//
// GET /{institution}/users/{user}/institutions
func (a *app) userInstitutions(w http.ResponseWriter, r *http.Request) error {
	p, err := a.theUser(r, "Institutions")
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, userInstitutionsView(p))
}

// GET /{institution}/users/{user}/security
func (a *app) userSecurity(w http.ResponseWriter, r *http.Request) error {
	p, err := a.theUser(r, "Security")
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, userSecurityView(p))
}

// linkWords say how far a link has come.
func linkWords(l *identity.Link, place *time.Location) string {
	if l == nil {
		return "Never sent"
	}
	sent := "Sent to " + l.Email + " on " + ui.DateTime(l.Issued, place) + " by " + l.AskedBy
	switch l.State {
	case identity.LinkQueued, identity.LinkAccepted:
		return sent + "; it works until " + ui.DateTime(l.Expires, place)
	case identity.LinkRefused:
		return sent + "; the mail server refused it"
	case identity.LinkRedeemed:
		return sent + "; it was opened"
	case identity.LinkCompleted:
		return sent + "; it was used"
	case identity.LinkExpired:
		return sent + "; it has expired"
	case identity.LinkCancelled:
		return sent + "; it was cancelled"
	}
	return sent
}

// GET /{institution}/users/{user}/edit
func (a *app) editUserPage(w http.ResponseWriter, r *http.Request) error {
	u, err := a.Staff.User(r.Context(), web.CallerOf(r.Context()), userID(r))
	if err != nil {
		return err
	}
	return a.renderEditUser(w, r, u, detailsOf(u.User), u.Version)
}

type editUserPage struct {
	Shell   ui.Shell
	Name    string
	Form    detailsForm
	Version string
}

func (a *app) renderEditUser(w http.ResponseWriter, r *http.Request, u staff.Profile, f *web.Form, version int64) error {
	b := baseOf(r)
	page := editUserPage{Name: u.Name(), Form: newDetailsForm(f, u.Email, b.user(u.ID)+"/edit", "Save changes"), Version: strconv.FormatInt(version, 10)}
	page.Form.Cancel = b.user(u.ID)
	var err error
	if page.Shell, err = a.ownShell(r, "Edit profile", ui.Link{Label: "Users", Href: b.users()}, ui.Link{Label: u.Name(), Href: b.user(u.ID)}); err != nil {
		return err
	}
	page.Shell.Narrow = true
	return web.Render(w, r, f.Status(), editUserView(page))
}

// POST /{institution}/users/{user}/edit
func (a *app) editUser(w http.ResponseWriter, r *http.Request) error {
	f, caller := web.ReadForm(r), web.CallerOf(r.Context())
	version, err := strconv.ParseInt(f.Raw("version"), 10, 64)
	if err != nil {
		version = 0 // no user has that
	}
	if err := f.Take(a.Staff.EditProfile(r.Context(), caller, userID(r), version, readDetails(f))); err != nil {
		return err
	}
	if !f.OK() {
		u, err := a.Staff.User(r.Context(), caller, userID(r))
		if err != nil {
			return err
		}
		return a.renderEditUser(w, r, u, f, version)
	}
	return done(w, r, baseOf(r).user(userID(r)), "Profile saved")
}

// onUser does something to the user of the path that needs no more input, and
// goes back to the page of their security.
func (a *app) onUser(do func(r *http.Request, caller bank.Caller, id bank.StaffID) (said string, err error)) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		back := baseOf(r).user(userID(r)) + "/security"
		said, err := do(r, web.CallerOf(r.Context()), userID(r))
		if err != nil && fault.KindOf(err) == fault.Conflict {
			return refusedAt(w, r, back, err)
		}
		if err != nil {
			return err
		}
		return done(w, r, back, said)
	}
}

// POST /{institution}/users/{user}/unlock
func (a *app) unlock(r *http.Request, caller bank.Caller, id bank.StaffID) (string, error) {
	return "User successfully unlocked", a.Staff.Unlock(r.Context(), caller, id)
}

// POST /{institution}/users/{user}/reset
func (a *app) reset(r *http.Request, caller bank.Caller, id bank.StaffID) (string, error) {
	return "Sent password reset link successfully", a.Staff.SendReset(r.Context(), caller, id)
}

// POST /{institution}/users/{user}/unlink
func (a *app) unlinkUser(r *http.Request, caller bank.Caller, id bank.StaffID) (string, error) {
	return "The sign-in outside was unlinked", a.Staff.Unlink(r.Context(), caller, id)
}

// POST /{institution}/users/{user}/invite
func (a *app) inviteAgain(r *http.Request, caller bank.Caller, id bank.StaffID) (string, error) {
	return "Invitation sent successfully", a.Staff.InviteAgain(r.Context(), caller, id)
}

// POST /{institution}/users/{user}/cancel
func (a *app) cancelInvitation(r *http.Request, caller bank.Caller, id bank.StaffID) (string, error) {
	return "The invitation was cancelled", a.Staff.CancelInvitation(r.Context(), caller, id)
}

// GET /{institution}/users/{user}/delete
func (a *app) askDeleteUser(w http.ResponseWriter, r *http.Request) error {
	u, err := a.Staff.User(r.Context(), web.CallerOf(r.Context()), userID(r))
	if err != nil {
		return err
	}
	b := baseOf(r)
	shell, err := a.ownShell(r, "Delete user", ui.Link{Label: "Users", Href: b.users()}, ui.Link{Label: u.Name(), Href: b.user(u.ID)})
	if err != nil {
		return err
	}
	return web.RenderConfirm(w, r, http.StatusOK, ui.Confirmation{
		Title: "Delete " + u.Name() + "?", Action: b.user(u.ID) + "/delete", Cancel: b.user(u.ID), Confirm: ui.Action{Label: "Delete user", Variant: ui.Danger},
		Text: "They are signed out at once and cannot sign in again. This cannot be undone; the history keeps their name.",
	}, nil, func(content templ.Component) templ.Component { return ui.Within(ui.Page(shell), content) })
}

// POST /{institution}/users/{user}/delete
func (a *app) deleteUser(w http.ResponseWriter, r *http.Request) error {
	caller, back := web.CallerOf(r.Context()), baseOf(r).user(userID(r))
	u, err := a.Staff.User(r.Context(), caller, userID(r))
	if err != nil {
		return err
	}
	proven, err := a.door.Proven(w, r, a.userProof(r, "Before you delete ", back), func() error {
		return a.Staff.Delete(r.Context(), caller, userID(r))
	})
	if err != nil && fault.KindOf(err) == fault.Conflict {
		return refusedAt(w, r, back, err)
	}
	if err != nil || !proven {
		return err
	}
	return done(w, r, baseOf(r).users(), u.Name()+" was successfully deleted")
}
