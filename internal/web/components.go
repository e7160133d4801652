package web

import (
	"net/http"

	"github.com/a-h/templ"

	"mandate/internal/web/gallery"
	"mandate/internal/web/ui"
)

// ComponentRoutes are the pages that show the visual language. They need no
// database and show made-up data only; a deployment need not have them.
func ComponentRoutes() []Route {
	anybody := Needs{Who: Anybody, Institution: Nowhere}
	return []Route{
		{Method: "GET", Pattern: gallery.Path, Handler: ComponentsPage, Needs: anybody},
		{Method: "GET", Pattern: gallery.DialogPath, Handler: componentsDialog, Needs: anybody},
		{Method: "GET", Pattern: gallery.EntryPath, Handler: page(gallery.Entry), Needs: anybody},
		{Method: "GET", Pattern: gallery.RefusalPath, Handler: page(gallery.Refusal), Needs: anybody},
		{Method: "POST", Pattern: gallery.FormPath, Handler: componentsForm, Needs: anybody},
	}
}

func page(content func() templ.Component) HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		return Render(w, r, http.StatusOK, content())
	}
}

// ComponentsPage shows every component with its markup.
func ComponentsPage(w http.ResponseWriter, r *http.Request) error {
	return renderComponents(w, r, NewForm(map[string]string{"name": "Dana Diaz", "email": "dana.diaz@northwind.example", "limit": "25,000.00"}))
}

func renderComponents(w http.ResponseWriter, r *http.Request, f *Form) error {
	form := gallery.ExampleForm{Sentence: f.Sentence, Problems: f.Problems, Name: f.Field("name", "Name"), Email: f.Field("email", "Email"), Limit: f.Field("limit", "Daily limit")}
	form.Limit.Width, form.Limit.Optional = "short", true
	form.Name.Max, form.Email.Max = 40, 80
	return Render(w, r, f.Status(), gallery.Page(form))
}

func componentsDialog(w http.ResponseWriter, r *http.Request) error {
	return RenderConfirm(w, r, http.StatusOK, gallery.Confirmation, gallery.DialogFields(), func(content templ.Component) templ.Component {
		return ui.Within(gallery.ConfirmShell(), content)
	})
}

func componentsForm(w http.ResponseWriter, r *http.Request) error {
	f := ReadForm(r)
	if f.Raw("step") == "form" {
		f.Required("name", 40, "Write a name.")
		f.Required("email", 80, "Write an email address.")
		f.Money("limit")
		if !f.OK() {
			f.Sentence = "Nothing was saved yet."
			return renderComponents(w, r, f)
		}
	}
	Flash(w, r, ui.Good, "Successfully done")
	http.Redirect(w, r, gallery.Path, http.StatusSeeOther)
	return nil
}
