package console

import (
	"net/http"

	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type memberNamePage struct {
	memberFrame
	Field    ui.Field
	Sentence string
	Problems []fault.Problem
}

// preferredWarning is why the name is best left alone.
const preferredWarning = "We strongly recommend that you leave this empty. The organization's admins do not see a preferred name: User management goes on showing the name that they gave, and the two disagree from then on."

// GET /{institution}/people/{organization}/members/{member}/name
func (a *app) preferredName(w http.ResponseWriter, r *http.Request) error {
	p, err := a.Customers.Profile(r.Context(), web.CallerOf(r.Context()), memberID(r))
	if err != nil {
		return err
	}
	return a.renderPreferredName(w, r, web.NewForm(map[string]string{"preferred_name": p.Member.PreferredName}))
}

func (a *app) renderPreferredName(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	frame, err := a.theMember(r, "Edit preferred name")
	if err != nil {
		return err
	}
	page := memberNamePage{memberFrame: frame, Field: f.Field("preferred_name", "Preferred name"), Sentence: f.Sentence, Problems: f.Problems}
	page.Field.Optional, page.Field.Max, page.Field.Width = true, bank.MaxName, "medium"
	page.Shell.Title, page.Shell.Narrow = "Edit preferred name", true
	page.Shell.Crumbs = a.underMember(r, &frame.Profile)
	return web.Render(w, r, f.Status(), memberNameView(page))
}

// POST /{institution}/people/{organization}/members/{member}/name
func (a *app) setPreferredName(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	if err := f.Take(a.Customers.SetPreferredName(r.Context(), web.CallerOf(r.Context()), memberID(r), f.Raw("preferred_name"))); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderPreferredName(w, r, f)
	}
	return done(w, r, baseOf(r).member(memberID(r)), "Preferred name saved")
}
