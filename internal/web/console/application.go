package console

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"mandate/internal/application"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/web"
	"mandate/internal/web/entrance"
	"mandate/internal/web/ui"
)

func applicationID(r *http.Request) bank.ApplicationID {
	return bank.ApplicationID(r.PathValue("application"))
}

type applicationPage struct {
	Shell ui.Shell
	App   application.Application
	At    string
	Place *time.Location
	Now   time.Time

	Declaration catalog.Declaration
	Declares    bool
}

// GET /{institution}/applications/{application}
func (a *app) application(w http.ResponseWriter, r *http.Request) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	one, err := a.Applications.Get(r.Context(), web.CallerOf(r.Context()), applicationID(r))
	if err != nil {
		return err
	}
	b := baseOf(r)
	page := applicationPage{App: one, At: b.application(one.ID), Place: me.Place(), Now: a.site.Clock.Now()}
	if page.Declaration, page.Declares, err = a.Applications.Declared(r.Context(), web.CallerOf(r.Context()), one.ID); err != nil {
		return err
	}
	if page.Shell, err = a.shell(r, &me, one.Name, applicationCrumbs(b)...); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, applicationView(page))
}

func applicationCrumbs(b base) []ui.Link {
	return []ui.Link{{Label: "External applications", Href: b.applications()}}
}

// secretWords say which secrets work.
func secretWords(p applicationPage) string {
	words := "Made on " + ui.DateTime(p.App.SecretMade, p.Place)
	if p.Now.Before(p.App.OldSecretEnds) {
		words += "; the one before it works until " + ui.DateTime(p.App.OldSecretEnds, p.Place)
	}
	return words
}

func keyWords(d *application.Draft) string {
	var all []string
	for _, k := range d.PublicKeys() {
		all = append(all, k.ID+" ("+k.Kind+")")
	}
	return strings.Join(all, "; ")
}

// scopeWords are what it may ask for, in words.
func scopeWords(d *application.Draft) string {
	var all []string
	for _, s := range application.Scopes() {
		for _, has := range d.Scopes {
			if has == s.Name {
				all = append(all, s.Label+" ("+s.Name+")")
			}
		}
	}
	return orNone(strings.Join(all, "; "))
}

func claimWords(d *application.Draft) string {
	switch {
	case d.Groups && d.Permissions:
		return "The groups and the permissions of whoever signs in"
	case d.Groups:
		return "The groups of whoever signs in"
	case d.Permissions:
		return "The permissions of whoever signs in"
	}
	return "Neither groups nor permissions"
}

// An applicationForm is the form of an application.
type applicationForm struct {
	Action, Submit, Cancel        string
	Revision                      string
	Sentence                      string
	Problems                      []fault.Problem
	Name, Partner, Enabled        ui.Field
	Method, Keys                  ui.Field
	Does                          []ui.Field
	DoesWrong                     string
	Service                       ui.Field
	Redirects, Posts, BackChannel ui.Field
	Scopes                        []ui.Field
	ScopesWrong                   string
	Groups, Permissions, Consent  ui.Field
}

const (
	grantPrefix = "grant."
	scopePrefix = "scope."
)

// readApplication is the draft that a form says.
func readApplication(f *web.Form) application.Draft {
	on := func(name string) bool { is, _ := f.Switch(name); return is }
	d := application.Draft{
		Name: f.Raw("name"), Partner: f.Raw("partner"), Method: application.Method(f.Raw("method")), Keys: f.Raw("keys"),
		Redirects: strings.Split(f.Raw("redirects"), "\n"), PostLogouts: strings.Split(f.Raw("post_logouts"), "\n"), BackChannelLogout: f.Raw("back_channel_logout"),
		Groups: on("groups"), Permissions: on("permissions"), Consent: on("consent"), Enabled: on("enabled"), ServiceEmail: f.Raw("service"),
	}
	for _, g := range application.Grants() {
		if f.Checked(grantPrefix + string(g)) {
			d.Grants = append(d.Grants, g)
		}
	}
	for _, s := range application.Scopes() {
		if f.Checked(scopePrefix + s.Name) {
			d.Scopes = append(d.Scopes, s.Name)
		}
	}
	return d
}

// formOfApplication is the form of a draft.
func formOfApplication(d application.Draft) *web.Form {
	values := map[string]string{"name": d.Name, "partner": d.Partner, "method": string(d.Method), "keys": d.Keys,
		"redirects": strings.Join(d.Redirects, "\n"), "post_logouts": strings.Join(d.PostLogouts, "\n"), "back_channel_logout": d.BackChannelLogout, "service": d.ServiceEmail}
	for name, is := range map[string]bool{"groups": d.Groups, "permissions": d.Permissions, "consent": d.Consent, "enabled": d.Enabled} {
		if is {
			values[name] = "on"
		}
	}
	for _, g := range d.Grants {
		values[grantPrefix+string(g)] = "on"
	}
	for _, s := range d.Scopes {
		values[scopePrefix+s] = "on"
	}
	return web.NewForm(values)
}

func newApplicationForm(f *web.Form) applicationForm {
	p := applicationForm{Sentence: f.Sentence, Problems: f.Problems, Revision: f.Raw("revision"),
		Name: f.Field("name", "Name"), Partner: f.Field("partner", "Made by"), Enabled: f.Field("enabled", "Let it in"),
		Method: f.Field("method", "How it proves who it is"), Keys: f.Field("keys", "Its public key"), Service: f.Field("service", "Acts for"),
		Redirects: f.Field("redirects", "Where people return to after they signed in"), Posts: f.Field("post_logouts", "Where people return to after they signed out"),
		BackChannel: f.Field("back_channel_logout", "Where it is told that somebody signed out"),
		Groups:      f.Field("groups", "Groups"), Permissions: f.Field("permissions", "Permissions"), Consent: f.Field("consent", "Ask people first"),
		DoesWrong: f.Problem("grants"), ScopesWrong: f.Problem("scopes"),
	}
	p.Name.Max, p.Partner.Max = application.MaxName, application.MaxName
	for _, field := range []*ui.Field{&p.Partner, &p.Keys, &p.Service, &p.Redirects, &p.Posts, &p.BackChannel} {
		field.Optional = true
	}
	p.Partner.Help = "The product's maker, whom you call when something is wrong."
	p.Enabled.Help = "While this is off, nobody can sign in to it and its tokens do not work."
	p.Keys.Help = "Needed where it signs: a JWK set or PEM. Never paste a private key."
	p.Service.Help = "Needed where it acts as a service: the email address of a staff user. The service may do what that user may."
	p.Redirects.Help = "Needed where it signs people in. One address a line, exactly as it will be used: https, without wildcards."
	p.Posts.Help = "One address a line."
	p.Groups.Help = "It may be told to which groups whoever signs in belongs."
	p.Permissions.Help = "It may be told what whoever signs in is permitted."
	p.Consent.Help = "Everybody is asked, once, before the application is told anything about them."
	for _, g := range application.Grants() {
		p.Does = append(p.Does, f.Field(grantPrefix+string(g), g.Label()))
	}
	for _, s := range application.Scopes() {
		box := f.Field(scopePrefix+s.Name, s.Label)
		box.Help = s.Name
		p.Scopes = append(p.Scopes, box)
	}
	return p
}

var methodOptions = []ui.Option{
	{Value: string(application.PrivateKey), Label: application.PrivateKey.Label(), Help: "The strongest: it keeps its private key to itself, and nothing has to be sent to it."},
	{Value: string(application.SecretBasic), Label: application.SecretBasic.Label(), Help: "You get a secret to hand over, once."},
	{Value: string(application.SecretPost), Label: application.SecretPost.Label(), Help: "The same, for products that cannot send it in the header."},
}

type applicationFormPage struct {
	Shell    ui.Shell
	Title    string
	Subtitle string
	Form     applicationForm
}

// GET /{institution}/applications/new
func (a *app) newApplicationPage(w http.ResponseWriter, r *http.Request) error {
	return a.renderNewApplication(w, r, formOfApplication(application.Draft{Method: application.PrivateKey, Grants: []application.Grant{application.GrantCode},
		Scopes: []string{"openid"}, Enabled: true}))
}

func (a *app) renderNewApplication(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	b := baseOf(r)
	page := applicationFormPage{Title: "Add an application", Subtitle: "The product's maker tells you what to enter.", Form: newApplicationForm(f)}
	page.Form.Action, page.Form.Submit, page.Form.Cancel = b.applications()+"/new", "Add application", b.applications()
	var err error
	if page.Shell, err = a.ownShell(r, page.Title, applicationCrumbs(b)...); err != nil {
		return err
	}
	return web.Render(w, r, f.Status(), applicationFormView(page))
}

func applicationProof(r *http.Request, text, back string) func() (entrance.Proof, error) {
	return func() (entrance.Proof, error) {
		return entrance.Proof{Text: text, Cancel: back, Crumbs: applicationCrumbs(baseOf(r))}, nil
	}
}

// POST /{institution}/applications/new
func (a *app) createApplication(w http.ResponseWriter, r *http.Request) error {
	f, b := web.ReadForm(r), baseOf(r)
	var made application.Application
	var secret identity.Secret
	proven, err := a.door.Proven(w, r, applicationProof(r, "Before you let a product in.", b.applications()), func() (err error) {
		made, secret, err = a.Applications.Create(r.Context(), web.CallerOf(r.Context()), readApplication(f))
		return err
	})
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderNewApplication(w, r, f)
	}
	if !proven {
		return nil
	}
	if secret == "" {
		return done(w, r, b.application(made.ID), "The application was added")
	}
	return a.renderSecret(w, r, made.ID, made.Name, secret)
}

type secretPage struct {
	Shell           ui.Shell
	Title           string
	Client, Secret  string
	Back, BackLabel string
}

// renderSecret shows a secret, once.
func (a *app) renderSecret(w http.ResponseWriter, r *http.Request, id bank.ApplicationID, name string, secret identity.Secret) error {
	b := baseOf(r)
	page := secretPage{Title: "The secret of " + name, Client: string(id), Secret: string(secret), Back: b.application(id), BackLabel: "I have kept it"}
	var err error
	if page.Shell, err = a.ownShell(r, page.Title, append(applicationCrumbs(b), ui.Link{Label: name, Href: page.Back})...); err != nil {
		return err
	}
	page.Shell.Narrow = true
	return web.Render(w, r, http.StatusOK, secretView(page))
}

// GET /{institution}/applications/{application}/edit
func (a *app) editApplicationPage(w http.ResponseWriter, r *http.Request) error {
	one, err := a.Applications.Get(r.Context(), web.CallerOf(r.Context()), applicationID(r))
	if err != nil {
		return err
	}
	f := formOfApplication(one.Draft)
	return a.renderEditApplication(w, r, one.Name, strconv.FormatInt(one.Revision, 10), f)
}

func (a *app) renderEditApplication(w http.ResponseWriter, r *http.Request, name, revision string, f *web.Form) error {
	b := baseOf(r)
	at := b.application(applicationID(r))
	page := applicationFormPage{Title: "Edit application", Subtitle: name, Form: newApplicationForm(f)}
	page.Form.Action, page.Form.Submit, page.Form.Cancel, page.Form.Revision = at+"/edit", "Save changes", at, revision
	var err error
	if page.Shell, err = a.ownShell(r, page.Title, append(applicationCrumbs(b), ui.Link{Label: name, Href: at})...); err != nil {
		return err
	}
	return web.Render(w, r, f.Status(), applicationFormView(page))
}

// POST /{institution}/applications/{application}/edit
func (a *app) editApplication(w http.ResponseWriter, r *http.Request) error {
	f, caller := web.ReadForm(r), web.CallerOf(r.Context())
	at := baseOf(r).application(applicationID(r))
	revision, err := strconv.ParseInt(f.Raw("revision"), 10, 64)
	if err != nil {
		revision = 0 // no application has that
	}
	var secret identity.Secret
	proven, err := a.door.Proven(w, r, applicationProof(r, "Before you change what a product may do.", at), func() (err error) {
		secret, err = a.Applications.Edit(r.Context(), caller, applicationID(r), revision, readApplication(f))
		return err
	})
	if err != nil && fault.KindOf(err) == fault.Conflict {
		return refusedAt(w, r, at, err)
	}
	if err := f.Take(err); err != nil {
		return err
	}
	if f.OK() && !proven {
		return nil
	}
	one, err := a.Applications.Get(r.Context(), caller, applicationID(r))
	if err != nil {
		return err
	}
	if !f.OK() {
		return a.renderEditApplication(w, r, one.Name, f.Raw("revision"), f)
	}
	if secret != "" {
		return a.renderSecret(w, r, one.ID, one.Name, secret)
	}
	return done(w, r, at, "The application was saved")
}

var overlaps = []ui.Option{
	{Value: "24h", Label: "In a day", Help: "Time to give the product the new one."},
	{Value: "168h", Label: "In seven days", Help: "Where the maker must first be reached."},
	{Value: "0s", Label: "At once", Help: "When somebody may have got hold of it. The product fails until it has the new one."},
}

// GET /{institution}/applications/{application}/secret
func (a *app) askRotate(w http.ResponseWriter, r *http.Request) error {
	return a.renderRotate(w, r, web.NewForm(map[string]string{"overlap": "24h"}))
}

func (a *app) renderRotate(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	one, err := a.Applications.Get(r.Context(), web.CallerOf(r.Context()), applicationID(r))
	if err != nil {
		return err
	}
	b := baseOf(r)
	at := b.application(one.ID)
	shell, err := a.ownShell(r, "Replace the secret", append(applicationCrumbs(b), ui.Link{Label: one.Name, Href: at})...)
	if err != nil {
		return err
	}
	text := "You are shown a new secret, once. The present one can go on working for a while beside it."
	if a.site.Clock.Now().Before(one.OldSecretEnds) {
		text += " The one before it, which still works, ends now."
	}
	return web.RenderConfirm(w, r, f.Status(), ui.Confirmation{
		Title: "Replace the secret of " + one.Name + "?", Text: text, Action: at + "/secret", Cancel: at,
		Confirm: ui.Action{Label: "Replace secret", Variant: ui.Primary}, Sentence: f.Sentence, Problems: f.Problems,
	}, ui.RadioCards(f.Field("overlap", "The present secret ends"), overlaps), func(content templ.Component) templ.Component { return ui.Within(ui.Page(shell), content) })
}

// POST /{institution}/applications/{application}/secret
func (a *app) rotate(w http.ResponseWriter, r *http.Request) error {
	f, caller := web.ReadForm(r), web.CallerOf(r.Context())
	at := baseOf(r).application(applicationID(r))
	overlap, err := time.ParseDuration(f.Choice("overlap", "Choose when the present secret ends.", "24h", "168h", "0s"))
	if err != nil {
		return a.renderRotate(w, r, f)
	}
	one, err := a.Applications.Get(r.Context(), caller, applicationID(r))
	if err != nil {
		return err
	}
	var secret identity.Secret
	proven, err := a.door.Proven(w, r, applicationProof(r, "Before you get a new secret.", at), func() (err error) {
		secret, err = a.Applications.Rotate(r.Context(), caller, one.ID, overlap)
		return err
	})
	if err != nil && fault.KindOf(err) == fault.Conflict {
		return refusedAt(w, r, at, err)
	}
	if err != nil || !proven {
		return err
	}
	return a.renderSecret(w, r, one.ID, one.Name, secret)
}

// breaks says what stops when an application is deleted.
func breaks(d *application.Application, place *time.Location) []string {
	var all []string
	if d.Can(application.GrantCode) {
		all = append(all, "Nobody can sign in to it through the institution any more; whoever is signed in there is as soon as the product asks again.")
	}
	if d.Can(application.GrantService) {
		all = append(all, "The service that acts for "+d.ServiceEmail+" stops at once.")
	}
	if d.LastUsed.IsZero() {
		return append(all, "It was never used.")
	}
	return append(all, "It was last used on "+ui.DateTime(d.LastUsed, place)+".")
}

// GET /{institution}/applications/{application}/delete
func (a *app) askDeleteApplication(w http.ResponseWriter, r *http.Request) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	one, err := a.Applications.Get(r.Context(), web.CallerOf(r.Context()), applicationID(r))
	if err != nil {
		return err
	}
	groups, err := a.Applications.Dependents(r.Context(), web.CallerOf(r.Context()), one.ID)
	if err != nil {
		return err
	}
	b := baseOf(r)
	at := b.application(one.ID)
	shell, err := a.shell(r, &me, "Delete application", append(applicationCrumbs(b), ui.Link{Label: one.Name, Href: at})...)
	if err != nil {
		return err
	}
	return web.RenderConfirm(w, r, http.StatusOK, ui.Confirmation{
		Title: "Delete " + one.Name + "?", Text: "This cannot be undone. To stop it for a while, switch it off instead.",
		Action: at + "/delete", Cancel: at, Confirm: ui.Action{Label: "Delete application", Variant: ui.Danger},
	}, listView(append(breaks(&one, me.Place()), losesWords(groups)...)), func(content templ.Component) templ.Component { return ui.Within(ui.Page(shell), content) })
}

// POST /{institution}/applications/{application}/delete
func (a *app) deleteApplication(w http.ResponseWriter, r *http.Request) error {
	b := baseOf(r)
	proven, err := a.door.Proven(w, r, applicationProof(r, "Before you delete an application.", b.application(applicationID(r))), func() error {
		return a.Applications.Delete(r.Context(), web.CallerOf(r.Context()), applicationID(r))
	})
	if err != nil || !proven {
		return err
	}
	return done(w, r, b.applications(), "The application was deleted")
}
