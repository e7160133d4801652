package console

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"mandate/internal/application"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/identity"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// Applications is what Users & Groups needs of the room of external
// applications.
type Applications interface {
	List(context.Context, bank.Caller, application.Query) (application.Page, error)
	Get(context.Context, bank.Caller, bank.ApplicationID) (application.Application, error)
	Create(context.Context, bank.Caller, application.Draft) (application.Application, identity.Secret, error)
	Edit(ctx context.Context, caller bank.Caller, id bank.ApplicationID, revision int64, d application.Draft) (identity.Secret, error)
	Rotate(ctx context.Context, caller bank.Caller, id bank.ApplicationID, overlap time.Duration) (identity.Secret, error)
	Delete(context.Context, bank.Caller, bank.ApplicationID) error
	Declared(context.Context, bank.Caller, bank.ApplicationID) (catalog.Declaration, bool, error)
	PreviewDeclaration(context.Context, bank.Caller, bank.ApplicationID, catalog.Declaration) (application.Declaring, error)
	Declare(context.Context, bank.Caller, bank.ApplicationID, catalog.Declaration) error
	Dependents(context.Context, bank.Caller, bank.ApplicationID) ([]catalog.GroupEffect, error)
}

func (b base) applications() string { return b.at("/applications") }

func (b base) application(id bank.ApplicationID) string {
	return b.applications() + "/" + url.PathEscape(string(id))
}

// applicationRoutes are the addresses of external applications.
func (a *app) applicationRoutes() []web.Route {
	get := func(pattern string, h web.HandlerFunc) web.Route {
		return web.Route{Method: "GET", Pattern: "/{institution}/applications" + pattern, Handler: a.introduced(h), Needs: needs(catalog.StaffExternalAppsManage, "", false)}
	}
	post := func(pattern string, h web.HandlerFunc, event string) web.Route {
		return web.Route{Method: "POST", Pattern: "/{institution}/applications" + pattern, Handler: a.introduced(h), Needs: needs(catalog.StaffExternalAppsManage, event, event != "")}
	}
	return []web.Route{
		get("", a.applicationList),
		get("/new", a.newApplicationPage),
		post("/new", a.createApplication, application.EventCreated),
		get("/{application}", a.application),
		get("/{application}/edit", a.editApplicationPage),
		post("/{application}/edit", a.editApplication, application.EventChanged),
		get("/{application}/secret", a.askRotate),
		post("/{application}/secret", a.rotate, application.EventRotated),
		get("/{application}/permissions", a.declarationPage),
		post("/{application}/permissions", a.previewDeclaration, ""),
		post("/{application}/permissions/save", a.saveDeclaration, application.EventDeclared),
		get("/{application}/delete", a.askDeleteApplication),
		post("/{application}/delete", a.deleteApplication, application.EventDeleted),
	}
}

type applicationsPage struct {
	Shell   ui.Shell
	Base    base
	Create  string
	Toolbar ui.Toolbar
	Rows    []application.Application
	Pager   ui.Pager
	Place   *time.Location
	Any     bool // the institution has applications at all
}

// GET /{institution}/applications
func (a *app) applicationList(w http.ResponseWriter, r *http.Request) error {
	list := web.ReadList(r, web.ListSpec{})
	found, err := a.Applications.List(r.Context(), web.CallerOf(r.Context()), application.Query{Search: list.Search, Page: list.Page, Size: list.PerPage})
	if err != nil {
		return err
	}
	me, err := a.me(r)
	if err != nil {
		return err
	}
	list = list.At(found.Page)
	b := baseOf(r)
	page := applicationsPage{Base: b, Create: b.applications() + "/new", Rows: found.Applications, Place: me.Place(), Any: found.Total > 0,
		Pager:   list.Pager("External applications", found.Matching),
		Toolbar: list.Toolbar("Search applications", ui.ResultOf(found.Matching, found.Total, "application", "applications"))}
	if page.Shell, err = a.shell(r, &me, "External applications"); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, applicationsView(page))
}

// applicationState is whether an application is let in.
func applicationState(a *application.Application) ui.State {
	if a.Enabled {
		return ui.State{Word: "On", Icon: "circle-check", Tone: ui.Good}
	}
	return ui.State{Word: "Off", Icon: "circle-slash", Tone: ui.Plain}
}

// doesWhat says in words what an application does here.
func doesWhat(d *application.Draft) string {
	var all []string
	if d.Can(application.GrantCode) {
		all = append(all, "Signs staff users in")
	}
	if d.Can(application.GrantService) {
		all = append(all, "Acts as a service")
	}
	return strings.Join(all, "; ")
}

func orNever(t time.Time, place *time.Location) string {
	if t.IsZero() {
		return "Never"
	}
	return ui.DateTime(t, place)
}
