package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"mandate/internal/application"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/client"
	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/staff"
	"mandate/internal/web"
	"mandate/internal/web/entrance"
	"mandate/internal/web/ui"
)

// Directories is what the app needs of the side of the staff room that serves
// outside directories.
type Directories interface {
	Directories(context.Context, bank.Caller) ([]staff.Directory, error)
	Homes(context.Context, bank.Caller) ([]staff.Group, error)
	Connect(ctx context.Context, caller bank.Caller, draft staff.DirectoryDraft) (staff.Directory, identity.Secret, error)
	Disconnect(context.Context, bank.Caller, bank.ClientID) error
}

// Programs is what the app needs of the room of programs with keys.
type Programs interface {
	List(context.Context, bank.Caller) ([]client.Client, error)
	Rotate(ctx context.Context, caller bank.Caller, id bank.ClientID, overlap time.Duration) (client.Key, error)
}

// Provisioning is where directories are kept, and where they find us.
type Provisioning struct {
	Directories
	Programs
	Origin string // of the API
}

// keyOverlap is how long a directory's old key works beside the new one.
const keyOverlap = 24 * time.Hour

func (b base) directories() string { return b.at("/directories") }
func (b base) directory(id bank.ClientID) string {
	return b.directories() + "/" + url.PathEscape(string(id))
}

// directoryRoutes are the addresses of outside directories.
func (a *app) directoryRoutes() []web.Route {
	if a.Provisioning == nil {
		return nil
	}
	at := func(method, pattern string, h web.HandlerFunc, event string) web.Route {
		return web.Route{Method: method, Pattern: "/{institution}/directories" + pattern, Handler: a.introduced(h),
			Needs: needs(catalog.StaffExternalAppsManage, event, event != "")}
	}
	return []web.Route{
		at("GET", "", a.directories, ""),
		at("GET", "/new", a.newDirectory, ""),
		at("POST", "/new", a.connectDirectory, staff.EventDirectoryConnected),
		at("POST", "/{client}/key", a.rotateDirectory, client.EventRotated),
		at("POST", "/{client}/disconnect", a.disconnectDirectory, staff.EventDirectoryDisconnected),
	}
}

type directoryRow struct {
	staff.Directory
	Used time.Time // to the minute; zero: never
	Ends bool      // its key was taken away by the operator
	Held bool      // a restore keeps it out until an operator lets it in
	Base base
}

type directoriesPage struct {
	Shell   ui.Shell
	Base    base
	Address string
	Rows    []directoryRow
	Place   *time.Location
}

// GET /{institution}/directories
func (a *app) directories(w http.ResponseWriter, r *http.Request) error {
	caller := web.CallerOf(r.Context())
	all, err := a.Provisioning.Directories.Directories(r.Context(), caller)
	if err != nil {
		return err
	}
	programs, err := a.Provisioning.List(r.Context(), caller)
	if err != nil {
		return err
	}
	me, err := a.me(r)
	if err != nil {
		return err
	}
	page := directoriesPage{Base: baseOf(r), Address: a.Provisioning.address(caller.Institution), Place: me.Place()}
	for _, d := range all {
		row := directoryRow{Directory: d, Base: page.Base}
		for _, p := range programs {
			if p.ID == d.Client {
				row.Used, row.Ends, row.Held = p.LastUsed, !p.Revoked.IsZero(), !p.Held.IsZero()
			}
		}
		page.Rows = append(page.Rows, row)
	}
	if page.Shell, err = a.shell(r, &me, "Directories"); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, directoriesView(page))
}

// address is what a directory is told to talk to.
func (p *Provisioning) address(institution bank.InstitutionID) string {
	return p.Origin + "/scim/" + url.PathEscape(string(institution)) + "/v2"
}

type directoryForm struct {
	Shell    ui.Shell
	Action   string
	Cancel   string
	Sentence string
	Problems []fault.Problem
	Name     ui.Field
	Home     ui.Field
	Groups   []ui.Option

	Application ui.Field
	Services    []ui.Option // applications that can act as a directory; none: no field
}

// GET /{institution}/directories/new
func (a *app) newDirectory(w http.ResponseWriter, r *http.Request) error {
	return a.renderDirectoryForm(w, r, web.NewForm(nil))
}

func (a *app) renderDirectoryForm(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	groups, err := a.Provisioning.Homes(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	me, err := a.me(r)
	if err != nil {
		return err
	}
	b := baseOf(r)
	page := directoryForm{Action: b.directories() + "/new", Cancel: b.directories(), Sentence: f.Sentence, Problems: f.Problems,
		Name: f.Field("name", "Name"), Home: f.Field("home", "People begin in"), Groups: []ui.Option{{Label: "Choose a group"}}}
	page.Name.Help = "Such as Entra ID or Okta. History shows it as who made a change."
	page.Home.Help = "The group of everybody whom the directory brings and puts into no other group. Best is one that permits nothing."
	for _, g := range groups {
		page.Groups = append(page.Groups, ui.Option{Value: string(g.ID), Label: g.Name})
	}
	if page.Services, err = a.services(r); err != nil {
		return err
	}
	page.Application = f.Field("application", "Application")
	page.Application.Optional = true
	page.Application.Help = "Where the directory gets access tokens by OAuth instead of keeping a key: the external application that acts as it."
	if page.Shell, err = a.shell(r, &me, "Connect a directory", ui.Link{Label: "Directories", Href: b.directories()}); err != nil {
		return err
	}
	page.Shell.Narrow = true
	return web.Render(w, r, f.Status(), directoryFormView(page))
}

// services are the applications that can act as a directory.
func (a *app) services(r *http.Request) ([]ui.Option, error) {
	if a.Applications == nil {
		return nil, nil
	}
	page, err := a.Applications.List(r.Context(), web.CallerOf(r.Context()), application.Query{})
	if err != nil {
		return nil, err
	}
	var options []ui.Option
	for _, one := range page.Applications {
		if one.Enabled && one.Can(application.GrantService) && slices.Contains(one.Scopes, "scim") {
			options = append(options, ui.Option{Value: string(one.ID), Label: one.Name})
		}
	}
	if len(options) > 0 {
		options = append([]ui.Option{{Label: "None: a key"}}, options...)
	}
	return options, nil
}

// POST /{institution}/directories/new
func (a *app) connectDirectory(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	var made staff.Directory
	var key identity.Secret
	proven, err := a.door.Proven(w, r, directoryProof(r, "Before you connect a directory."), func() (err error) {
		made, key, err = a.Provisioning.Connect(r.Context(), web.CallerOf(r.Context()),
			staff.DirectoryDraft{Name: f.Raw("name"), Home: bank.GroupID(f.Raw("home")), Application: bank.ApplicationID(f.Raw("application"))})
		return err
	})
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderDirectoryForm(w, r, f)
	}
	if !proven {
		return nil
	}
	return a.renderKey(w, r, made.Name+" is connected", string(key))
}

func directoryProof(r *http.Request, before string) func() (entrance.Proof, error) {
	return func() (entrance.Proof, error) {
		at := baseOf(r).directories()
		return entrance.Proof{Text: before, Cancel: at, Crumbs: []ui.Link{{Label: "Directories", Href: at}}}, nil
	}
}

type keyPage struct {
	Shell   ui.Shell
	Title   string
	Address string
	Key     string
	Back    string
}

// renderKey shows a key, once.
func (a *app) renderKey(w http.ResponseWriter, r *http.Request, title, key string) error {
	b := baseOf(r)
	page := keyPage{Title: title, Address: a.Provisioning.address(web.CallerOf(r.Context()).Institution), Key: key, Back: b.directories()}
	var err error
	if page.Shell, err = a.ownShell(r, title, ui.Link{Label: "Directories", Href: b.directories()}); err != nil {
		return err
	}
	page.Shell.Narrow = true
	return web.Render(w, r, http.StatusOK, keyView(page))
}

// rotateDirectory gives a directory a new key; the old one works for a day.
//
// POST /{institution}/directories/{client}/key
func (a *app) rotateDirectory(w http.ResponseWriter, r *http.Request) error {
	var key client.Key
	before := "Before the directory gets a new key. The old one works for another day."
	proven, err := a.door.Proven(w, r, directoryProof(r, before), func() (err error) {
		key, err = a.Provisioning.Rotate(r.Context(), web.CallerOf(r.Context()), bank.ClientID(r.PathValue("client")), keyOverlap)
		return err
	})
	if err != nil || !proven {
		return err
	}
	return a.renderKey(w, r, "The directory has a new key", key.Reveal())
}

// POST /{institution}/directories/{client}/disconnect
func (a *app) disconnectDirectory(w http.ResponseWriter, r *http.Request) error {
	before := "Before you disconnect the directory. People and groups stay as they are; it can change nothing any more."
	proven, err := a.door.Proven(w, r, directoryProof(r, before), func() error {
		return a.Provisioning.Disconnect(r.Context(), web.CallerOf(r.Context()), bank.ClientID(r.PathValue("client")))
	})
	if err != nil || !proven {
		return err
	}
	return done(w, r, baseOf(r).directories(), "The directory was disconnected")
}
