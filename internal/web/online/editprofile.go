package online

import (
	"net/http"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type editPage struct {
	Shell  ui.Shell
	Form   *web.Form
	Action string
	Cancel string
	First  ui.Field
	Last   ui.Field
	Email  ui.Field
	Role   ui.Field
	Roles  []ui.Option
	Powers []powerRow
}

// GET /{institution}/settings/users/{user}/edit
func (a *app) editPage(w http.ResponseWriter, r *http.Request) error {
	me, profile, err := a.about(r, catalog.EditProfile)
	if err != nil {
		return err
	}
	m := profile.Member
	f := web.NewForm(map[string]string{"first_name": m.FirstName, "last_name": m.LastName, "email": m.Email, "role": m.Role.String()})
	return a.renderEdit(w, r, me, m, f)
}

func (a *app) renderEdit(w http.ResponseWriter, r *http.Request, me usermgmt.Standing, m usermgmt.Member, f *web.Form) error {
	b := baseFor(me.Institution.ID)
	page := editPage{
		Shell: a.shell(r, me, "Edit user", underUser(b, m)...), Form: f, Action: b.edit(m.ID), Cancel: b.user(m.ID),
		First: f.Field("first_name", "First name"), Last: f.Field("last_name", "Last name"), Email: f.Field("email", "Email"),
		Role: f.Field("role", "User role"), Roles: roleOptions(me), Powers: powers(),
	}
	page.Shell.Narrow = true
	page.First.Autocomplete, page.Last.Autocomplete, page.Email.Autocomplete = "off", "off", "off"
	page.Email.Help = "Both the old and the new address are told. Open links stop working."
	if m.Status == bank.StatusPending {
		page.Email.Help = "A new address cancels an open invitation: send another one afterwards."
	}
	page.Role.Help = "What they may do in User management. It says nothing about money."
	if m.ID == me.Member.ID {
		page.Role.Help, page.Role.Off = "Nobody changes their own role. Ask another admin.", true
		page.Role.Value = m.Role.String()
	}
	return web.Render(w, r, f.Status(), editView(page))
}

// POST /{institution}/settings/users/{user}/edit
func (a *app) editUser(w http.ResponseWriter, r *http.Request) error {
	me, profile, err := a.about(r, catalog.EditProfile)
	if err != nil {
		return err
	}
	f, m, b := web.ReadForm(r), profile.Member, baseOf(r)
	role := m.Role
	if f.Sent("role") {
		if role, err = bank.ParseRole(f.Raw("role")); err != nil {
			f.Wrong("role", "Choose a role.")
			return a.renderEdit(w, r, me, m, f)
		}
	}
	details := usermgmt.Details{FirstName: f.Raw("first_name"), LastName: f.Raw("last_name"), Email: f.Raw("email"), Role: role}
	ask := proofFor(b, m, "Before you change the "+changedWords(m, details)+" of "+m.Name()+".")
	done, err := a.proven(w, r, ask, func() error {
		return a.users.EditProfile(r.Context(), web.CallerOf(r.Context()), person(r), details)
	})
	if fault.KindOf(err) == fault.Conflict || isOwnRole(err) {
		f.Sentence = web.SentenceOf(err)
		return a.renderEdit(w, r, me, m, f)
	}
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderEdit(w, r, me, m, f)
	}
	if !done {
		return nil
	}
	return settled(w, r, nil, "Profile saved", b.user(m.ID))
}

// changedWords says what of a profile needs a high-risk authorization.
func changedWords(m usermgmt.Member, d usermgmt.Details) string {
	email, role := m.Email != d.Email, m.Role != d.Role
	switch {
	case email && role:
		return "email address and role"
	case role:
		return "role"
	}
	return "email address"
}

func isOwnRole(err error) bool {
	e, ok := err.(*fault.Error)
	return ok && e.Code == "OWN_ROLE"
}
