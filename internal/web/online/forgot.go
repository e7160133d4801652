package online

import (
	"net/http"

	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type forgotPage struct {
	Entry  ui.Entry
	Action string
	SignIn string
	Again  string
	Sent   bool
	Name   ui.Field
	Wrong  []fault.Problem
}

// forgotPage asks who has forgotten their password, and afterwards says the
// same to everybody.
//
// GET /{institution}/forgot
func (a *app) forgotPage(w http.ResponseWriter, r *http.Request) error {
	i, err := a.house(r)
	if err != nil {
		return err
	}
	return a.renderForgot(w, r, i, web.NewForm(nil), r.URL.Query().Has("sent"))
}

func (a *app) renderForgot(w http.ResponseWriter, r *http.Request, i usermgmt.Institution, f *web.Form, sent bool) error {
	b := baseFor(i.ID)
	page := forgotPage{
		Entry: a.entry(i, "Forgot your password?"), Action: b.forgot(), SignIn: b.signIn(), Again: b.forgot(),
		Sent: sent, Name: f.Field("name", "Username or email"), Wrong: f.Problems,
	}
	if sent {
		page.Entry.Title = "Check your email"
	}
	page.Name.Autocomplete, page.Name.Attrs = "username", map[string]any{"autocapitalize": "none", "spellcheck": "false"}
	return web.Render(w, r, f.Status(), forgotView(page))
}

// POST /{institution}/forgot
func (a *app) forgot(w http.ResponseWriter, r *http.Request) error {
	i, err := a.house(r)
	if err != nil {
		return err
	}
	f := web.ReadForm(r)
	name := f.Required("name", maxUsername, "Enter your username or your email address.")
	if !f.OK() {
		return a.renderForgot(w, r, i, f, false)
	}
	err = a.identity.Forgot(r.Context(), identity.Forgotten{Institution: i.ID, Kind: identity.KindMember, Name: name, From: a.source(r)})
	if err != nil {
		return err
	}
	http.Redirect(w, r, baseFor(i.ID).forgot()+"?sent", http.StatusSeeOther)
	return nil
}
