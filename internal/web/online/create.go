package online

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type createPage struct {
	Shell      ui.Shell
	Form       *web.Form
	Action     string
	Keep       string
	Discard    string
	Cancel     string
	First      ui.Field
	Last       ui.Field
	Email      ui.Field
	Role       ui.Field
	Roles      []ui.Option
	Powers     []powerRow
	Colleague  ui.Field
	Colleagues []ui.Option
	Kept       string // when what stands in the form was typed; empty where nothing was
	Unfinished []unfinishedLink
	Given      []roleDefaults
	House      string
}

// An unfinishedLink leads on with somebody who was created and left there.
type unfinishedLink struct {
	Name, Since, Href string
}

// createPage asks who is new. What was typed and left is still there.
//
// GET /{institution}/settings/users/new
func (a *app) createPage(w http.ResponseWriter, r *http.Request) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	if err := mayManage(me, catalog.CreateUser); err != nil {
		return err
	}
	draft, kept, err := a.users.Draft(r.Context(), web.CallerOf(r.Context()), me.Organization.ID)
	if err != nil {
		return err
	}
	f := web.NewForm(map[string]string{
		"first_name": draft.FirstName, "last_name": draft.LastName, "email": draft.Email,
		"role": draft.Role.String(), "colleague": string(draft.CopyFrom),
	})
	since := ""
	if kept {
		since = "You typed this " + ago(a.site.Clock.Now().Sub(draft.Kept)) + " and did not create the user yet."
	}
	return a.renderCreate(w, r, me, f, since)
}

// ago says how long something is past, roughly.
func ago(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return "a moment ago"
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours ago", int(d.Hours()))
	}
	return fmt.Sprintf("%d days ago", int(d.Hours()/24))
}

func (a *app) renderCreate(w http.ResponseWriter, r *http.Request, me usermgmt.Standing, f *web.Form, kept string) error {
	caller := web.CallerOf(r.Context())
	everybody := usermgmt.Person{Organization: me.Organization.ID}
	colleagues, more, err := a.users.Colleagues(r.Context(), caller, everybody, "")
	if err != nil {
		return err
	}
	unfinished, err := a.users.Unfinished(r.Context(), caller, everybody)
	if err != nil {
		return err
	}
	b := baseFor(me.Institution.ID)
	page := createPage{
		Shell: a.shell(r, me, "Create user", ui.Link{Label: "User management", Href: b.users()}),
		Form:  f, Action: b.create(), Keep: b.create() + "/keep", Discard: b.create() + "/discard", Cancel: b.users(), Kept: kept,
		First: f.Field("first_name", "First name"), Last: f.Field("last_name", "Last name"), Email: f.Field("email", "Email"),
		Role: f.Field("role", "User role"), Roles: roleOptions(me), Powers: powers(),
		Colleague: f.Field("colleague", "Permissions and accounts"), Colleagues: colleagueOptions(me, colleagues),
	}
	page.Shell.Narrow = true
	page.First.Autocomplete, page.Last.Autocomplete, page.Email.Autocomplete = "off", "off", "off"
	page.Email.Help = "The invitation goes there, and nowhere else."
	page.Role.Help = "What they may do in User management. It says nothing about money."
	page.Colleague.Optional = true
	page.Colleague.Help = "You see and adjust them in the next step."
	if more {
		page.Colleague.Help = fmt.Sprintf("The first %d colleagues by name. In the next step you can search for the others.", usermgmt.MaxColleagues)
	}
	for _, u := range unfinished {
		page.Unfinished = append(page.Unfinished, unfinishedLink{u.Name, "created " + ago(a.site.Clock.Now().Sub(u.Kept)), b.setup(u.ID)})
	}
	page.House = me.Institution.Name
	if page.Given, err = a.defaultLines(r, me); err != nil {
		return err
	}
	return web.Render(w, r, f.Status(), createView(page))
}

// roleOptions are the roles, each with what it means and whether it can be used.
func roleOptions(me usermgmt.Standing) []ui.Option {
	var options []ui.Option
	for _, role := range []bank.Role{bank.RoleUser, bank.RoleViewer, bank.RoleAdmin} {
		o := ui.Option{Value: role.String(), Label: role.Label(), Help: roleMeanings[role]}
		switch has := me.Organization.Entitlements.Has(catalog.UserManagement); {
		case role == bank.RoleUser:
			o.Help += " User management is off for them."
		case has:
			o.Help += " Turns User management on for them."
		default:
			o.Help += " " + me.Organization.Name + " does not have User management, so nothing comes of it until " + me.Institution.Name + " turns it on."
		}
		options = append(options, o)
	}
	return options
}

func colleagueOptions(me usermgmt.Standing, colleagues []usermgmt.Colleague) []ui.Option {
	options := []ui.Option{{Value: "", Label: me.Institution.Name + "'s defaults, and accounts that you choose"}}
	for _, c := range colleagues {
		options = append(options, ui.Option{Value: string(c.ID), Label: "The same as " + c.Name + ", " + countLower(c.Accounts)})
	}
	return options
}

func countLower(n int) string {
	if n == 0 {
		return "no account"
	}
	return ui.Count(n, "account", "accounts")
}

// createUser makes the new user, after a high-risk authorization, and leads on
// to their accounts.
//
// POST /{institution}/settings/users/new
func (a *app) createUser(w http.ResponseWriter, r *http.Request) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	f := web.ReadForm(r)
	caller, b := web.CallerOf(r.Context()), baseOf(r)
	role, err := bank.ParseRole(f.Raw("role"))
	if err != nil {
		f.Wrong("role", "Choose a role.")
	}
	draft := draftFrom(f, role)
	if err := f.Take(a.users.KeepDraft(r.Context(), caller, me.Organization.ID, draft)); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderCreate(w, r, me, f, "")
	}
	var created usermgmt.Created
	ask := func() (proof, error) {
		return proof{
			Text:   fmt.Sprintf("Before you create %s as %s.", strings.TrimSpace(draft.FirstName+" "+draft.LastName), article(role)),
			Cancel: b.create(),
			Crumbs: []ui.Link{{Label: "User management", Href: b.users()}},
		}, nil
	}
	done, err := a.proven(w, r, ask, func() (err error) {
		created, err = a.users.Create(r.Context(), caller, me.Organization.ID, draft.Details)
		return err
	})
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderCreate(w, r, me, f, "")
	}
	if !done {
		return nil
	}
	http.Redirect(w, r, b.setup(created.User), http.StatusSeeOther)
	return nil
}

// article is a role in a sentence.
func article(role bank.Role) string {
	if role == bank.RoleAdmin {
		return "an Admin"
	}
	return "a " + role.Label()
}

func draftFrom(f *web.Form, role bank.Role) usermgmt.Draft {
	return usermgmt.Draft{
		Details:  usermgmt.Details{FirstName: f.Raw("first_name"), LastName: f.Raw("last_name"), Email: f.Raw("email"), Role: role},
		CopyFrom: bank.UserID(f.Raw("colleague")),
	}
}

// keepDraft keeps the form as it stands; a script sends it after every field.
//
// POST /{institution}/settings/users/new/keep
func (a *app) keepDraft(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	role, err := bank.ParseRole(f.Raw("role"))
	if err != nil {
		role = bank.RoleUser
	}
	caller := web.CallerOf(r.Context())
	if err := a.users.KeepDraft(r.Context(), caller, caller.Organization, draftFrom(f, role)); fault.KindOf(err) != fault.Invalid && err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// discardDraft empties the form.
//
// POST /{institution}/settings/users/new/discard
func (a *app) discardDraft(w http.ResponseWriter, r *http.Request) error {
	caller := web.CallerOf(r.Context())
	if err := a.users.KeepDraft(r.Context(), caller, caller.Organization, usermgmt.Draft{}); err != nil {
		return err
	}
	http.Redirect(w, r, baseOf(r).create(), http.StatusSeeOther)
	return nil
}
