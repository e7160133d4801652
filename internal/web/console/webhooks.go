package console

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/web"
	"mandate/internal/web/entrance"
	"mandate/internal/web/ui"
	"mandate/internal/webhook"
)

// Webhooks is the room of receivers that are told what happens.
type Webhooks interface {
	List(context.Context, bank.Caller) ([]webhook.Endpoint, error)
	Get(context.Context, bank.Caller, webhook.ID) (webhook.Endpoint, []webhook.Delivery, error)
	Create(context.Context, bank.Caller, webhook.Draft) (webhook.Endpoint, identity.Secret, error)
	Edit(ctx context.Context, caller bank.Caller, id webhook.ID, revision int64, d webhook.Draft) error
	Pause(context.Context, bank.Caller, webhook.ID) error
	Resume(context.Context, bank.Caller, webhook.ID) error
	Rotate(context.Context, bank.Caller, webhook.ID) (identity.Secret, error)
	Delete(context.Context, bank.Caller, webhook.ID) error
	Test(context.Context, bank.Caller, webhook.ID) error
	Resend(ctx context.Context, caller bank.Caller, id webhook.ID, delivery string) error
}

func (b base) webhooks() string { return b.at("/settings/webhooks") }

func (b base) webhook(id webhook.ID) string { return b.webhooks() + "/" + url.PathEscape(string(id)) }

func webhookID(r *http.Request) webhook.ID { return webhook.ID(r.PathValue("webhook")) }

func webhookCrumbs(b base, more ...ui.Link) []ui.Link {
	return append([]ui.Link{settingsCrumb(b), {Label: "Webhooks", Href: b.webhooks()}}, more...)
}

// webhookRoutes are the addresses of webhooks.
func (a *app) webhookRoutes() []web.Route {
	if a.Webhooks == nil {
		return nil
	}
	get := func(path string, h web.HandlerFunc) web.Route {
		return web.Route{Method: "GET", Pattern: "/{institution}/settings/webhooks" + path, Handler: a.introduced(h), Needs: needs(catalog.InstitutionSettingsManage, "", false)}
	}
	post := func(path, event string, proof bool, h web.HandlerFunc) web.Route {
		return web.Route{Method: "POST", Pattern: "/{institution}/settings/webhooks" + path, Handler: a.introduced(h), Needs: needs(catalog.InstitutionSettingsManage, event, proof)}
	}
	return []web.Route{
		get("", a.webhookList),
		get("/new", a.newWebhook),
		post("/new", webhook.EventCreated, true, a.createWebhook),
		get("/{webhook}", a.webhookPage),
		get("/{webhook}/edit", a.editWebhookPage),
		post("/{webhook}/edit", webhook.EventChanged, true, a.editWebhook),
		post("/{webhook}/test", webhook.EventTested, false, a.testWebhook),
		post("/{webhook}/resend", webhook.EventResent, false, a.resendWebhook),
		post("/{webhook}/pause", webhook.EventPaused, false, a.pauseWebhook),
		post("/{webhook}/resume", webhook.EventResumed, false, a.resumeWebhook),
		get("/{webhook}/secret", a.askRotateWebhook),
		post("/{webhook}/secret", webhook.EventRotated, true, a.rotateWebhook),
		get("/{webhook}/delete", a.askDeleteWebhook),
		post("/{webhook}/delete", webhook.EventDeleted, true, a.deleteWebhook),
	}
}

type webhooksPage struct {
	Shell ui.Shell
	Base  base
	New   string
	Rows  []webhook.Endpoint
	Place *time.Location
}

// GET /{institution}/settings/webhooks
func (a *app) webhookList(w http.ResponseWriter, r *http.Request) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	all, err := a.Webhooks.List(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	b := baseOf(r)
	page := webhooksPage{Base: b, New: b.webhooks() + "/new", Rows: all, Place: me.Place()}
	if page.Shell, err = a.shell(r, &me, "Webhooks", settingsCrumb(b)); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, webhooksView(page))
}

// webhookState says how an endpoint does.
func webhookState(e *webhook.Endpoint) ui.State {
	switch {
	case e.State == webhook.Paused:
		return ui.State{Word: "Paused", Icon: "circle-slash", Tone: ui.Warn}
	case e.State == webhook.Gone:
		return ui.State{Word: "Gone", Icon: "octagon-alert", Tone: ui.Bad}
	case e.State == webhook.Failing:
		return ui.State{Word: "Stopped", Icon: "octagon-alert", Tone: ui.Bad}
	case e.Failed > 0:
		return ui.State{Word: "Failing", Icon: "triangle-alert", Tone: ui.Bad}
	case e.Succeeded.IsZero():
		return ui.State{Word: "Not used yet", Icon: "hourglass", Tone: ui.Plain}
	}
	return ui.State{Word: "Works", Icon: "circle-check", Tone: ui.Good}
}

// toldOf says what an endpoint is told.
func toldOf(d *webhook.Draft) string {
	var words []string
	for _, k := range activity.Kinds() {
		for _, chosen := range d.Kinds {
			if chosen == k.Value {
				words = append(words, k.Label)
			}
		}
	}
	words = append(words, d.Names...)
	told := "Everything"
	if len(words) > 0 {
		told = strings.Join(words, ", ")
	}
	if n := len(d.Organizations); n > 0 {
		told += ", of " + ui.Count(n, "organization", "organizations")
	}
	return told
}

// upTo is a count that is not counted to its end.
func upTo(n int64) string {
	if n > 10_000 {
		return "More than 10,000"
	}
	return ui.Number(int(n))
}

type webhookDetail struct {
	Shell   ui.Shell
	E       webhook.Endpoint
	At      string
	Figures []ui.Figure
	Facts   []ui.Fact
	Latest  []webhook.Delivery
	Place   *time.Location
	Warning *ui.Message
}

// GET /{institution}/settings/webhooks/{webhook}
func (a *app) webhookPage(w http.ResponseWriter, r *http.Request) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	e, latest, err := a.Webhooks.Get(r.Context(), web.CallerOf(r.Context()), webhookID(r))
	if err != nil {
		return err
	}
	b := baseOf(r)
	page := webhookDetail{E: e, At: b.webhook(e.ID), Latest: latest, Place: me.Place(), Warning: webhookWarning(&e, me.Place())}
	arrived := "Never"
	if !e.Succeeded.IsZero() {
		arrived = lasted(a.site.Clock.Now().Sub(e.Succeeded)) + " ago"
	}
	page.Figures = []ui.Figure{{Label: "Last success", Value: arrived}, {Label: "Waiting", Value: upTo(e.Waiting)}, {Label: "Given up", Value: upTo(e.Dead)}}
	if !e.FailingSince.IsZero() {
		page.Figures = append(page.Figures, ui.Figure{Label: "Failing for", Value: lasted(a.site.Clock.Now().Sub(e.FailingSince))})
	}
	page.Facts = []ui.Fact{{Term: "Address", Value: e.URL}, {Term: "Is told of", Value: toldOf(&e.Draft)}, {Term: "Added", Value: ui.DateTime(e.Created, page.Place)}}
	if e.OldEnds.After(a.site.Clock.Now()) {
		page.Facts = append(page.Facts, ui.Fact{Term: "The old secret signs until", Value: ui.DateTime(e.OldEnds, page.Place)})
	}
	if page.Shell, err = a.shell(r, &me, e.Name, webhookCrumbs(b)...); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, webhookView(page))
}

// webhookWarning is what stands above an endpoint to which nothing gets through.
func webhookWarning(e *webhook.Endpoint, place *time.Location) *ui.Message {
	m := ui.Message{Tone: ui.Bad, Icon: "octagon-alert"}
	switch {
	case e.State == webhook.Paused:
		return &ui.Message{Tone: ui.Warn, Icon: "circle-slash", Title: "Paused", Text: "Nothing is sent. What happens waits, for two weeks at most."}
	case e.State == webhook.Gone:
		m.Title, m.Text = "The receiver is gone", "It answered 410, so that nothing is sent or waits any more. Resume it when the receiver is back, or give it another address."
	case e.State == webhook.Failing:
		m.Title, m.Text = "Sending was stopped", "Nothing arrived for three days. What happens waits, for two weeks at most. Resume it when the receiver is repaired."
	case e.Failed > 0:
		m.Title, m.Text = "Nothing has arrived since "+ui.DateTime(e.FailingSince, place), e.Answer+" It is tried again by itself."
	default:
		return nil
	}
	return &m
}

// deliveryState says how a message fares.
func deliveryState(d *webhook.Delivery) ui.State {
	switch {
	case d.State == webhook.Done:
		return ui.State{Word: "Arrived", Icon: "circle-check", Tone: ui.Good}
	case d.State == webhook.Dead:
		return ui.State{Word: "Given up", Icon: "octagon-alert", Tone: ui.Bad}
	case d.Attempts > 0:
		return ui.State{Word: "Tried again", Icon: "triangle-alert", Tone: ui.Warn}
	}
	return ui.State{Word: "Waiting", Icon: "hourglass", Tone: ui.Plain}
}

// webhookDone makes a change without a form and says what was done.
func (a *app) webhookDone(w http.ResponseWriter, r *http.Request, said string, do func(context.Context, bank.Caller, webhook.ID) error) error {
	at := baseOf(r).webhook(webhookID(r))
	err := do(r.Context(), web.CallerOf(r.Context()), webhookID(r))
	if err != nil && fault.KindOf(err) == fault.Conflict {
		return refusedAt(w, r, at, err)
	}
	if err != nil {
		return err
	}
	return done(w, r, at, said)
}

// POST /{institution}/settings/webhooks/{webhook}/test
func (a *app) testWebhook(w http.ResponseWriter, r *http.Request) error {
	return a.webhookDone(w, r, "A test is on its way. Load the page again to see what came of it", a.Webhooks.Test)
}

// POST /{institution}/settings/webhooks/{webhook}/pause
func (a *app) pauseWebhook(w http.ResponseWriter, r *http.Request) error {
	return a.webhookDone(w, r, "The webhook was paused", a.Webhooks.Pause)
}

// POST /{institution}/settings/webhooks/{webhook}/resume
func (a *app) resumeWebhook(w http.ResponseWriter, r *http.Request) error {
	return a.webhookDone(w, r, "The webhook was resumed", a.Webhooks.Resume)
}

// POST /{institution}/settings/webhooks/{webhook}/resend
func (a *app) resendWebhook(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	return a.webhookDone(w, r, "The message is on its way again", func(ctx context.Context, caller bank.Caller, id webhook.ID) error {
		return a.Webhooks.Resend(ctx, caller, id, f.Raw("id"))
	})
}

// GET /{institution}/settings/webhooks/{webhook}/secret
func (a *app) askRotateWebhook(w http.ResponseWriter, r *http.Request) error {
	return a.askWebhook(w, r, "Replace the secret", func(e webhook.Endpoint, at string) ui.Confirmation {
		return ui.Confirmation{Title: "Replace the secret of " + e.Name + "?", Action: at + "/secret", Cancel: at, Confirm: ui.Action{Label: "Replace secret", Variant: ui.Primary},
			Text: "You are shown a new secret, once. For a day every message is signed with both, so that the receiver can change over in peace."}
	})
}

// GET /{institution}/settings/webhooks/{webhook}/delete
func (a *app) askDeleteWebhook(w http.ResponseWriter, r *http.Request) error {
	return a.askWebhook(w, r, "Delete webhook", func(e webhook.Endpoint, at string) ui.Confirmation {
		return ui.Confirmation{Title: "Delete " + e.Name + "?", Action: at + "/delete", Cancel: at, Confirm: ui.Action{Label: "Delete webhook", Variant: ui.Danger},
			Text: "What waits is never sent. This cannot be undone. To stop it for a while, pause it instead."}
	})
}

func (a *app) askWebhook(w http.ResponseWriter, r *http.Request, title string, words func(webhook.Endpoint, string) ui.Confirmation) error {
	e, _, err := a.Webhooks.Get(r.Context(), web.CallerOf(r.Context()), webhookID(r))
	if err != nil {
		return err
	}
	b := baseOf(r)
	shell, err := a.ownShell(r, title, webhookCrumbs(b, ui.Link{Label: e.Name, Href: b.webhook(e.ID)})...)
	if err != nil {
		return err
	}
	return web.RenderConfirm(w, r, http.StatusOK, words(e, b.webhook(e.ID)), nil, func(content templ.Component) templ.Component { return ui.Within(ui.Page(shell), content) })
}

// POST /{institution}/settings/webhooks/{webhook}/delete
func (a *app) deleteWebhook(w http.ResponseWriter, r *http.Request) error {
	proven, err := a.door.Proven(w, r, webhookProof(r, "Before a receiver is told nothing any more.", baseOf(r).webhook(webhookID(r))), func() error {
		return a.Webhooks.Delete(r.Context(), web.CallerOf(r.Context()), webhookID(r))
	})
	if err != nil || !proven {
		return err
	}
	return done(w, r, baseOf(r).webhooks(), "The webhook was deleted")
}

// POST /{institution}/settings/webhooks/{webhook}/secret
func (a *app) rotateWebhook(w http.ResponseWriter, r *http.Request) error {
	caller, at := web.CallerOf(r.Context()), baseOf(r).webhook(webhookID(r))
	e, _, err := a.Webhooks.Get(r.Context(), caller, webhookID(r))
	if err != nil {
		return err
	}
	var secret identity.Secret
	proven, err := a.door.Proven(w, r, webhookProof(r, "Before you get a new secret.", at), func() (err error) {
		secret, err = a.Webhooks.Rotate(r.Context(), caller, e.ID)
		return err
	})
	if err != nil || !proven {
		return err
	}
	return a.renderWebhookSecret(w, r, e, secret)
}

func webhookProof(r *http.Request, text, back string) func() (entrance.Proof, error) {
	return func() (entrance.Proof, error) {
		return entrance.Proof{Text: text, Cancel: back, Crumbs: webhookCrumbs(baseOf(r))}, nil
	}
}

type webhookSecretPage struct {
	Shell               ui.Shell
	Title, Secret, Back string
}

// renderWebhookSecret shows a secret, once.
func (a *app) renderWebhookSecret(w http.ResponseWriter, r *http.Request, e webhook.Endpoint, secret identity.Secret) error {
	b := baseOf(r)
	page := webhookSecretPage{Title: "The secret of " + e.Name, Secret: string(secret), Back: b.webhook(e.ID)}
	var err error
	if page.Shell, err = a.ownShell(r, page.Title, webhookCrumbs(b, ui.Link{Label: e.Name, Href: page.Back})...); err != nil {
		return err
	}
	page.Shell.Narrow = true
	return web.Render(w, r, http.StatusOK, webhookSecretView(page))
}

type webhookFormPage struct {
	Shell                        ui.Shell
	Form                         *web.Form
	Title, Action, Cancel        string
	Submit, Revision             string
	Name, URL, Events, Customers ui.Field
	Areas                        []webhookArea
}

// A webhookArea are kinds of events under one heading.
type webhookArea struct {
	Title string
	Kinds []ui.Field
}

// GET /{institution}/settings/webhooks/new
func (a *app) newWebhook(w http.ResponseWriter, r *http.Request) error {
	return a.renderWebhookForm(w, r, web.NewForm(nil), "Add a webhook", baseOf(r).webhooks()+"/new", baseOf(r).webhooks(), "Add webhook")
}

// GET /{institution}/settings/webhooks/{webhook}/edit
func (a *app) editWebhookPage(w http.ResponseWriter, r *http.Request) error {
	e, _, err := a.Webhooks.Get(r.Context(), web.CallerOf(r.Context()), webhookID(r))
	if err != nil {
		return err
	}
	values := map[string]string{"name": e.Name, "url": e.URL, "names": strings.Join(e.Names, "\n"), "revision": strconv.FormatInt(e.Revision, 10)}
	var ids []string
	for _, id := range e.Organizations {
		ids = append(ids, string(id))
	}
	values["organizations"] = strings.Join(ids, "\n")
	for _, kind := range e.Kinds {
		values["kind."+kind] = "on"
	}
	return a.renderWebhookEdit(w, r, web.NewForm(values))
}

func (a *app) renderWebhookEdit(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	at := baseOf(r).webhook(webhookID(r))
	return a.renderWebhookForm(w, r, f, "Change webhook", at+"/edit", at, "Save webhook")
}

func (a *app) renderWebhookForm(w http.ResponseWriter, r *http.Request, f *web.Form, title, action, cancel, submit string) error {
	page := webhookFormPage{Form: f, Title: title, Action: action, Cancel: cancel, Submit: submit, Revision: f.Raw("revision"),
		Name: f.Field("name", "Name"), URL: f.Field("url", "Address"), Events: f.Field("names", "Single events"), Customers: f.Field("organizations", "Organizations")}
	page.Name.Help = "Who listens there, such as “Fraud desk”."
	page.URL.Help = "It begins with https:// and lies on the internet. Messages are posted there."
	page.Events.Help, page.Events.Optional = "Besides the kinds, one in a line, such as orguser.role_changed. Without kinds and single events it is told everything.", true
	page.Customers.Help, page.Customers.Optional = "Their ids, one in a line. Empty: all of them, and what is the institution’s own.", true
	for _, k := range activity.Kinds() {
		if n := len(page.Areas); n == 0 || page.Areas[n-1].Title != k.Area {
			page.Areas = append(page.Areas, webhookArea{Title: k.Area})
		}
		last := &page.Areas[len(page.Areas)-1]
		last.Kinds = append(last.Kinds, f.Field("kind."+k.Value, k.Label))
	}
	var err error
	if page.Shell, err = a.ownShell(r, title, webhookCrumbs(baseOf(r))...); err != nil {
		return err
	}
	page.Shell.Narrow = true
	return web.Render(w, r, f.Status(), webhookFormView(page))
}

func readWebhook(f *web.Form) webhook.Draft {
	d := webhook.Draft{Name: f.Raw("name"), URL: f.Raw("url"), Names: strings.Fields(f.Raw("names"))}
	for _, id := range strings.Fields(f.Raw("organizations")) {
		d.Organizations = append(d.Organizations, bank.OrganizationID(id))
	}
	for _, k := range activity.Kinds() {
		if f.Checked("kind." + k.Value) {
			d.Kinds = append(d.Kinds, k.Value)
		}
	}
	return d
}

// POST /{institution}/settings/webhooks/new
func (a *app) createWebhook(w http.ResponseWriter, r *http.Request) error {
	f, b := web.ReadForm(r), baseOf(r)
	var made webhook.Endpoint
	var secret identity.Secret
	proven, err := a.door.Proven(w, r, webhookProof(r, "Before somebody outside is told what happens here.", b.webhooks()), func() (err error) {
		made, secret, err = a.Webhooks.Create(r.Context(), web.CallerOf(r.Context()), readWebhook(f))
		return err
	})
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderWebhookForm(w, r, f, "Add a webhook", b.webhooks()+"/new", b.webhooks(), "Add webhook")
	}
	if !proven {
		return nil
	}
	return a.renderWebhookSecret(w, r, made, secret)
}

// POST /{institution}/settings/webhooks/{webhook}/edit
func (a *app) editWebhook(w http.ResponseWriter, r *http.Request) error {
	f, at := web.ReadForm(r), baseOf(r).webhook(webhookID(r))
	revision, err := strconv.ParseInt(f.Raw("revision"), 10, 64)
	if err != nil {
		revision = 0 // no webhook has that
	}
	proven, err := a.door.Proven(w, r, webhookProof(r, "Before messages go to another address.", at), func() error {
		return a.Webhooks.Edit(r.Context(), web.CallerOf(r.Context()), webhookID(r), revision, readWebhook(f))
	})
	if err != nil && fault.KindOf(err) == fault.Conflict {
		return refusedAt(w, r, at, err)
	}
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderWebhookEdit(w, r, f)
	}
	if !proven {
		return nil
	}
	return done(w, r, at, "The webhook was saved")
}
