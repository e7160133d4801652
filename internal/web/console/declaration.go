package console

import (
	"encoding/json"
	"net/http"

	"mandate/internal/application"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// A declarationPage is what an application declares, to be replaced by another
// declaration.
type declarationPage struct {
	Shell    ui.Shell
	Sentence string
	Problems []fault.Problem
	Text     ui.Field
	Action   string
	Cancel   string
	Preview  *application.Declaring // what the text would mean; nil before somebody has asked
	Save     string
}

// GET /{institution}/applications/{application}/permissions
func (a *app) declarationPage(w http.ResponseWriter, r *http.Request) error {
	d, there, err := a.Applications.Declared(r.Context(), web.CallerOf(r.Context()), applicationID(r))
	if err != nil {
		return err
	}
	f := web.NewForm(nil)
	if there {
		text, err := json.MarshalIndent(d, "", "  ")
		if err != nil {
			return err
		}
		f = web.NewForm(map[string]string{"declaration": string(text)})
	}
	return a.renderDeclaration(w, r, f, nil)
}

func (a *app) renderDeclaration(w http.ResponseWriter, r *http.Request, f *web.Form, preview *application.Declaring) error {
	one, err := a.Applications.Get(r.Context(), web.CallerOf(r.Context()), applicationID(r))
	if err != nil {
		return err
	}
	b := baseOf(r)
	at := b.application(one.ID)
	page := declarationPage{Sentence: f.Sentence, Problems: f.Problems, Text: f.Field("declaration", "Declaration"),
		Action: at + "/permissions", Save: at + "/permissions/save", Cancel: at, Preview: preview}
	page.Text.Help = "JSON from the product's maker: a version, and each permission with id, label, area and the View rights that it ticks."
	if page.Shell, err = a.ownShell(r, "Permissions of "+one.Name, append(applicationCrumbs(b), ui.Link{Label: one.Name, Href: at})...); err != nil {
		return err
	}
	return web.Render(w, r, f.Status(), declarationView(page))
}

// previewDeclaration says what a declaration would mean. Nothing is saved.
//
// POST /{institution}/applications/{application}/permissions
func (a *app) previewDeclaration(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	d, err := application.ReadDeclaration(f.Raw("declaration"))
	var preview application.Declaring
	if err == nil {
		preview, err = a.Applications.PreviewDeclaration(r.Context(), web.CallerOf(r.Context()), applicationID(r), d)
	}
	if err != nil && fault.KindOf(err) == fault.Conflict {
		return refusedAt(w, r, baseOf(r).application(applicationID(r))+"/permissions", err)
	}
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderDeclaration(w, r, f, nil)
	}
	return a.renderDeclaration(w, r, f, &preview)
}

// POST /{institution}/applications/{application}/permissions/save
func (a *app) saveDeclaration(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	at := baseOf(r).application(applicationID(r))
	proven := false
	d, err := application.ReadDeclaration(f.Raw("declaration"))
	if err == nil {
		proven, err = a.door.Proven(w, r, applicationProof(r, "Before you change what groups of this product permit.", at), func() error {
			return a.Applications.Declare(r.Context(), web.CallerOf(r.Context()), applicationID(r), d)
		})
	}
	if err != nil && fault.KindOf(err) == fault.Conflict {
		return refusedAt(w, r, at+"/permissions", err)
	}
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderDeclaration(w, r, f, nil)
	}
	if !proven {
		return nil
	}
	return done(w, r, at, "The permissions were declared")
}

// losesWords say what groups lose when an application is deleted.
func losesWords(effects []catalog.GroupEffect) (all []string) {
	for _, e := range effects {
		all = append(all, "The group "+e.Name+" ("+ui.Count(e.Members, "member", "members")+") stays and permits nothing any more.")
	}
	return all
}
