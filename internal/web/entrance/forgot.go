package entrance

import (
	"net/http"

	"mandate/internal/fault"
	"mandate/internal/identity"
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
func (d *Door) forgotPage(w http.ResponseWriter, r *http.Request) error {
	i, err := d.house(r)
	if err != nil {
		return err
	}
	return d.renderForgot(w, r, i, web.NewForm(nil), r.URL.Query().Has("sent"))
}

func (d *Door) renderForgot(w http.ResponseWriter, r *http.Request, i House, f *web.Form, sent bool) error {
	b := BaseFor(i.ID)
	page := forgotPage{
		Entry: d.entry(i, "Forgot your password?"), Action: b.forgot(), SignIn: b.SignIn(), Again: b.forgot(),
		Sent: sent, Name: f.Field("name", d.words.forgotName), Wrong: f.Problems,
	}
	if sent {
		page.Entry.Title = "Check your email"
	}
	page.Name.Autocomplete, page.Name.Attrs = "username", map[string]any{"autocapitalize": "none", "spellcheck": "false"}
	return web.Render(w, r, f.Status(), forgotView(page))
}

// POST /{institution}/forgot
func (d *Door) forgot(w http.ResponseWriter, r *http.Request) error {
	i, err := d.house(r)
	if err != nil {
		return err
	}
	f := web.ReadForm(r)
	name := f.Required("name", maxUsername, d.words.askForgot)
	if !f.OK() {
		return d.renderForgot(w, r, i, f, false)
	}
	err = d.Identity.Forgot(r.Context(), identity.Forgotten{Institution: i.ID, Kind: d.Kind, Name: name, From: d.Source(r)})
	if err != nil {
		return err
	}
	http.Redirect(w, r, BaseFor(i.ID).forgot()+"?sent", http.StatusSeeOther)
	return nil
}
