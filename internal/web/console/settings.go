package console

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/moneymovement/positivepay"
	"mandate/internal/moneymovement/stoppayment"
	"mandate/internal/moneymovement/wire"
	"mandate/internal/staff"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/entrance"
	"mandate/internal/web/ui"
)

// Settings are the rooms whose settings an institution keeps.
type Settings struct {
	House interface {
		Settings(context.Context, bank.Caller) (usermgmt.Institution, usermgmt.Reaches, error)
		PreviewTerms(context.Context, bank.Caller, usermgmt.Terms) ([]usermgmt.Effect, error)
		ChangeTerms(ctx context.Context, caller bank.Caller, seen string, will usermgmt.Terms) error
		PreviewFactors(context.Context, bank.Caller, usermgmt.FactorPolicy) ([]usermgmt.Effect, error)
		RequireSecondFactor(context.Context, bank.Caller, usermgmt.FactorPolicy) error
		SetAccent(context.Context, bank.Caller, string) error
		SetLogo(context.Context, bank.Caller, []byte) error
		RemoveLogo(context.Context, bank.Caller) error
		Served(context.Context, bank.Caller, usermgmt.CustomerQuery) (usermgmt.CustomerPage, error)
		ServedOrganization(context.Context, bank.Caller, bank.OrganizationID) (usermgmt.Organization, []usermgmt.Account, error)
	}
	Calendar interface {
		Show(context.Context, bank.Caller) (*calendar.Calendar, error)
		SetHoliday(context.Context, bank.Caller, calendar.Holiday) error
		ClearHoliday(context.Context, bank.Caller, bank.Day) error
		SetHours(context.Context, bank.Caller, calendar.Line, calendar.Hours) error
	}
	ACH interface {
		Sender(context.Context, bank.Caller) (ach.Sender, error)
		SetSender(context.Context, bank.Caller, ach.Sender) error
		Companies(context.Context, bank.Caller, bank.OrganizationID) (all []ach.Company, relaxed bool, err error)
		SetCompany(context.Context, bank.Caller, bank.OrganizationID, ach.Company) error
		SetRelaxed(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, relaxed bool) error
	}
	Wires interface {
		Terms(context.Context, bank.Caller) (wire.Terms, error)
		SetTerms(context.Context, bank.Caller, wire.Terms) error
	}
	Stops interface {
		Terms(context.Context, bank.Caller) (stoppayment.Terms, error)
		SetTerms(context.Context, bank.Caller, stoppayment.Terms) error
	}
	PositivePay interface {
		Settings(context.Context, bank.Caller) (positivepay.Settings, error)
		SetSettings(context.Context, bank.Caller, positivepay.Settings) error
		Enrolled(context.Context, bank.Caller, bank.OrganizationID) (map[bank.AccountID]bool, error)
		Enrol(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, account bank.AccountID, on bool) error
	}
}

func (b base) settings() string       { return b.at("/settings") }
func (b base) termSettings() string   { return b.at("/settings/terms") }
func (b base) factorSettings() string { return b.at("/settings/sign-ins") }
func (b base) brandSettings() string  { return b.at("/settings/brand") }
func (b base) days() string           { return b.at("/settings/calendar") }
func (b base) paymentTerms() string   { return b.at("/settings/payments") }
func (b base) served() string         { return b.at("/settings/organizations") }

func (b base) originator(id bank.OrganizationID) string {
	return b.served() + "/" + url.PathEscape(string(id))
}

// maxLogo bounds a form with a logo: the picture and what is around it.
const maxLogo = usermgmt.MaxPicture + 1<<16

// settingRoutes are the addresses of the institution's settings.
func (a *app) settingRoutes() []web.Route {
	if a.Settings == nil {
		return nil
	}
	keeps := catalog.InstitutionSettingsManage
	get := func(path string, h web.HandlerFunc) web.Route {
		return web.Route{Method: "GET", Pattern: "/{institution}/settings" + path, Handler: a.introduced(h), Needs: needs(keeps, "", false)}
	}
	post := func(path string, h web.HandlerFunc, event string, proof bool) web.Route {
		return web.Route{Method: "POST", Pattern: "/{institution}/settings" + path, Handler: a.introduced(h), Needs: needs(keeps, event, proof)}
	}
	logo := post("/logo", a.saveLogo, "institution.brand_changed", false)
	logo.MaxBody = maxLogo
	var outside []web.Route
	if a.Outside != nil {
		outside = []web.Route{
			get("/provider", a.providerPage),
			post("/provider", a.saveProvider, staff.EventProviderChanged, true),
			get("/provider/remove", a.askRemoveProvider),
			post("/provider/remove", a.removeProvider, staff.EventProviderRemoved, true),
		}
	}
	return append(outside, []web.Route{
		get("", a.settingsPage),
		get("/terms", a.termsPage),
		post("/terms", a.onlyWith(keeps, a.termsAgain), "", false),
		post("/terms/review", a.onlyWith(keeps, a.reviewTerms), "", false),
		post("/terms/save", a.saveTerms, "institution.terms_changed", true),
		get("/sign-ins", a.factorsPage),
		post("/sign-ins", a.onlyWith(keeps, a.factorsAgain), "", false),
		post("/sign-ins/review", a.onlyWith(keeps, a.reviewFactors), "", false),
		post("/sign-ins/save", a.saveFactors, "institution.second_factor_changed", true),
		get("/brand", a.brandPage),
		post("/brand", a.saveAccent, "institution.brand_changed", false),
		logo,
		post("/logo/remove", a.removeLogo, "institution.brand_changed", false),
		get("/calendar", a.calendarPage),
		post("/calendar/day", a.saveDay, calendar.EventChanged, false),
		post("/calendar/hours", a.saveHours, calendar.EventChanged, false),
		get("/payments", a.paymentsPage),
		post("/payments/ach", a.savePayments(paymentACH), "ach.sender_changed", false),
		post("/payments/wires", a.savePayments(paymentWires), wire.EventTermsChanged, false),
		post("/payments/stops", a.savePayments(paymentStops), stoppayment.EventTermsChanged, false),
		post("/payments/positive-pay", a.savePayments(paymentPositivePay), positivepay.EventSettingsChanged, false),
		get("/organizations", a.servedPage),
		get("/organizations/{organization}", a.originatorPage),
		post("/organizations/{organization}/company", a.saveCompany, "ach.company_changed", true),
		post("/organizations/{organization}/any-company", a.saveAnyCompany, "ach.rules_changed", true),
		post("/organizations/{organization}/positive-pay", a.saveEnrolment, positivepay.EventEnrolled, false),
	}...)
}

func settingsCrumb(b base) ui.Link {
	return ui.Link{Label: "Institution settings", Href: b.settings()}
}

type settingsPage struct {
	Shell                            ui.Shell
	Base                             base
	Host                             bool // there is a page about the host
	Services                         []serviceRow
	Facts, SignIns, Look, Days, Sent []ui.Fact
	Outside                          []ui.Fact // the institution's own provider; nil: there can be none
	Webhooks                         bool
}

// A serviceRow is one service with how far it reaches.
type serviceRow struct {
	Name  string
	State ui.State
	Reach string
}

// GET /{institution}/settings
func (a *app) settingsPage(w http.ResponseWriter, r *http.Request) error {
	ctx, caller, b := r.Context(), web.CallerOf(r.Context()), baseOf(r)
	i, reaches, err := a.Settings.House.Settings(ctx, caller)
	if err != nil {
		return err
	}
	days, err := a.Settings.Calendar.Show(ctx, caller)
	if err != nil {
		return err
	}
	page := settingsPage{Host: a.Host != nil, Webhooks: a.Webhooks != nil, Base: b, SignIns: factorFacts(i.Factors),
		Facts: []ui.Fact{{Term: "Name", Value: i.Name}, {Term: "Edition", Value: i.Edition.Label()}, {Term: "Time zone", Value: i.TimeZone}},
		Look:  []ui.Fact{{Term: "Colour", Value: cmp.Or(i.Accent, "The house's own")}, {Term: "Logo", Value: map[bool]string{true: "Its own", false: "The initial in its colour"}[i.Logo != ""]}},
	}
	for _, e := range catalog.Entitlements() {
		row := serviceRow{Name: e.Label(), State: ui.State{Word: "Not offered", Icon: "circle-minus", Tone: ui.Plain}}
		if i.Offers.Has(e) {
			row.State = ui.State{Word: "Offered", Icon: "circle-check", Tone: ui.Good}
		}
		if !e.In(i.Edition) {
			row.State = ui.State{Word: "Not in this edition", Icon: "circle-slash", Tone: ui.Plain}
		}
		reach := reaches[e]
		row.Reach = ui.Count(reach.Organizations, "organization", "organizations") + ", " + ui.Count(reach.Members, "member", "members")
		page.Services = append(page.Services, row)
	}
	for _, line := range calendar.Lines() {
		h := days.HoursOf(line)
		page.Days = append(page.Days, ui.Fact{Term: lineLabel(line), Value: h.Opens.Text() + " to " + h.Closes.Text()})
	}
	if page.Sent, err = a.paymentFacts(r); err != nil {
		return err
	}
	if page.Outside, err = a.providerFacts(r); err != nil {
		return err
	}
	if page.Shell, err = a.ownShell(r, "Institution settings"); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, settingsView(page))
}

type termsPage struct {
	Shell          ui.Shell
	Form           *web.Form
	Action, Cancel string
	Seen           string
	Name           ui.Field
	Edition, Zone  ui.Field
	Editions       []ui.Option
	Zones          []ui.Option
	Services       []ui.Field
}

// offerOf begins the name of the field that says whether an entitlement is offered.
const offerOf = "offer_"

// GET /{institution}/settings/terms
func (a *app) termsPage(w http.ResponseWriter, r *http.Request) error {
	i, _, err := a.Settings.House.Settings(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	values := map[string]string{"name": i.Name, "edition": i.Edition.String(), "time_zone": i.TimeZone, "seen": i.Terms().Text()}
	for _, e := range catalog.EntitlementsIn(i.Offers) {
		values[offerOf+e.ID()] = "on"
	}
	return a.renderTerms(w, r, web.NewForm(values))
}

// termsAgain is the form as it was, from the review back.
//
// POST /{institution}/settings/terms
func (a *app) termsAgain(w http.ResponseWriter, r *http.Request) error {
	return a.renderTerms(w, r, web.ReadForm(r))
}

func (a *app) renderTerms(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	b := baseOf(r)
	page := termsPage{Form: f, Action: b.termSettings() + "/review", Cancel: b.settings(), Seen: f.Raw("seen"),
		Name: f.Field("name", "Name"), Edition: f.Field("edition", "Edition"), Zone: f.Field("time_zone", "Time zone"),
		Editions: []ui.Option{
			{Value: bank.EditionBank.String(), Label: "Bank", Help: "Four levels: institution, organization, organization user, account."},
			{Value: bank.EditionCreditUnion.String(), Label: "Credit union", Help: "Five levels: each account of an organization has switches of its own."},
		}}
	page.Zone.Help = "Where the institution's day begins and ends."
	for _, zone := range zones {
		page.Zones = append(page.Zones, ui.Option{Value: zone, Label: zone})
	}
	if !strings.Contains(strings.Join(zones, " ")+" ", page.Zone.Value+" ") {
		page.Zones = append(page.Zones, ui.Option{Value: page.Zone.Value, Label: page.Zone.Value})
	}
	for _, e := range catalog.Entitlements() {
		field := f.Field(offerOf+e.ID(), e.Label())
		field.Optional = true
		page.Services = append(page.Services, field)
	}
	var err error
	if page.Shell, err = a.ownShell(r, "Services and edition", settingsCrumb(b)); err != nil {
		return err
	}
	page.Shell.Narrow = true
	return web.Render(w, r, f.Status(), termsView(page))
}

func readTerms(f *web.Form) usermgmt.Terms {
	t := usermgmt.Terms{Name: f.Text("name", 200), TimeZone: f.Raw("time_zone")}
	var err error
	if t.Edition, err = bank.ParseEdition(f.Raw("edition")); err != nil {
		f.Wrong("edition", "Choose an edition.")
	}
	for _, e := range catalog.Entitlements() {
		if f.Checked(offerOf + e.ID()) {
			t.Offers = t.Offers.With(e)
		}
	}
	return t
}

// A foreseenPage says what a save would mean, before it is one.
type foreseenPage struct {
	Shell       ui.Shell
	Title       string
	Lines       []ui.Change
	Save, Again string
	Carried     [][2]string
}

func (a *app) renderForeseen(w http.ResponseWriter, r *http.Request, at string, effects []usermgmt.Effect) error {
	b := baseOf(r)
	page := foreseenPage{Title: "Review changes", Save: at + "/save", Again: at, Carried: entrance.CarriedFields(r)}
	for _, e := range effects {
		line := ui.Change{Sentence: e.Text}
		if e.Takes {
			line.Risk = "Somebody can do less, or is protected less."
		}
		page.Lines = append(page.Lines, line)
	}
	var err error
	if page.Shell, err = a.ownShell(r, page.Title, settingsCrumb(b)); err != nil {
		return err
	}
	page.Shell.Narrow = true
	return web.Render(w, r, http.StatusOK, foreseenView(page))
}

// POST /{institution}/settings/terms/review
func (a *app) reviewTerms(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	will := readTerms(f)
	effects, err := a.Settings.House.PreviewTerms(r.Context(), web.CallerOf(r.Context()), will)
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderTerms(w, r, f)
	}
	return a.renderForeseen(w, r, baseOf(r).termSettings(), effects)
}

// provenSetting saves what may need a high-risk authorization, and says so on the
// settings. A form that cannot be saved is shown again.
func (a *app) provenSetting(w http.ResponseWriter, r *http.Request, f *web.Form, text, said string, again func() error, do func() error) error {
	return a.provenAt(w, r, f, baseOf(r).settings(), text, said, again, do)
}

// provenAt is provenSetting for a page of its own, to which it leads back.
func (a *app) provenAt(w http.ResponseWriter, r *http.Request, f *web.Form, to, text, said string, again func() error, do func() error) error {
	ask := func() (entrance.Proof, error) {
		return entrance.Proof{Text: text, Cancel: to, Crumbs: []ui.Link{settingsCrumb(baseOf(r))}}, nil
	}
	proven, err := a.door.Proven(w, r, ask, do)
	if err != nil && fault.KindOf(err) == fault.Conflict {
		return refusedAt(w, r, to, err)
	}
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return again()
	}
	if !proven {
		return nil
	}
	return done(w, r, to, said)
}

// POST /{institution}/settings/terms/save
func (a *app) saveTerms(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	will := readTerms(f)
	return a.provenSetting(w, r, f, "Before you change what the institution is or offers.", "The settings were saved",
		func() error { return a.renderTerms(w, r, f) },
		func() error {
			return a.Settings.House.ChangeTerms(r.Context(), web.CallerOf(r.Context()), f.Raw("seen"), will)
		})
}

type factorsPage struct {
	Shell             ui.Shell
	Form              *web.Form
	Action, Cancel    string
	Admins, Approvers ui.Field
	From, Staff       ui.Field
}

func factorFacts(p usermgmt.FactorPolicy) []ui.Fact {
	members := "Of nobody"
	if p.Members != 0 {
		members = "Of " + p.Members.String()
		if p.MembersFrom != "" {
			members += ", from " + dayWords(p.MembersFrom) + " on"
		}
	}
	employees := "Where a group asks for it"
	if p.StaffFrom != "" {
		employees = "Of everybody, from " + dayWords(p.StaffFrom) + " on"
	}
	return []ui.Fact{{Term: "Organization users", Value: members}, {Term: "Staff", Value: employees}}
}

// GET /{institution}/settings/sign-ins
func (a *app) factorsPage(w http.ResponseWriter, r *http.Request) error {
	i, _, err := a.Settings.House.Settings(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	values := map[string]string{"from": string(i.Factors.MembersFrom), "staff_from": string(i.Factors.StaffFrom)}
	for name, f := range map[string]usermgmt.SecondFactor{"admins": usermgmt.OfAdmins, "approvers": usermgmt.OfApprovers} {
		if i.Factors.Members&f != 0 {
			values[name] = "on"
		}
	}
	return a.renderFactors(w, r, web.NewForm(values))
}

// POST /{institution}/settings/sign-ins
func (a *app) factorsAgain(w http.ResponseWriter, r *http.Request) error {
	return a.renderFactors(w, r, web.ReadForm(r))
}

func (a *app) renderFactors(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	b := baseOf(r)
	page := factorsPage{Form: f, Action: b.factorSettings() + "/review", Cancel: b.settings(),
		Admins: f.Field("admins", "Admins"), Approvers: f.Field("approvers", "Approvers"),
		From: f.Field("members_from", "From this day on"), Staff: f.Field("staff_from", "Of all staff, from this day on")}
	page.From.Value, page.Staff.Optional, page.From.Optional = f.Raw("from"), true, true
	page.From.Name = "from"
	page.Admins.Optional, page.Approvers.Optional = true, true
	page.Admins.Help = "Everybody whose role is Admin."
	page.Approvers.Help = "Everybody who may let money leave: transmit wires, initiate ACH."
	page.From.Help = "Empty: at once."
	page.Staff.Help = "Empty: only where one of their groups asks for it."
	var err error
	if page.Shell, err = a.ownShell(r, "Second factors", settingsCrumb(b)); err != nil {
		return err
	}
	page.Shell.Narrow = true
	return web.Render(w, r, f.Status(), factorsView(page))
}

func readFactors(f *web.Form) (p usermgmt.FactorPolicy) {
	if f.Checked("admins") {
		p.Members |= usermgmt.OfAdmins
	}
	if f.Checked("approvers") {
		p.Members |= usermgmt.OfApprovers
	}
	p.MembersFrom, p.StaffFrom = bank.Day(f.Raw("from")), bank.Day(f.Raw("staff_from"))
	return p
}

// POST /{institution}/settings/sign-ins/review
func (a *app) reviewFactors(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	effects, err := a.Settings.House.PreviewFactors(r.Context(), web.CallerOf(r.Context()), readFactors(f))
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderFactors(w, r, f)
	}
	return a.renderForeseen(w, r, baseOf(r).factorSettings(), effects)
}

// POST /{institution}/settings/sign-ins/save
func (a *app) saveFactors(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	return a.provenSetting(w, r, f, "Before sign-ins are protected less.", "The settings were saved",
		func() error { return a.renderFactors(w, r, f) },
		func() error {
			return a.Settings.House.RequireSecondFactor(r.Context(), web.CallerOf(r.Context()), readFactors(f))
		})
}

type brandPage struct {
	Shell       ui.Shell
	Form        *web.Form
	Look        ui.Institution
	Action      string
	Logo        string
	Remove      string // empty where there is no logo
	Cancel      string
	Accent      ui.Field
	LogoProblem string
	Problems    []fault.Problem // of the logo
}

// GET /{institution}/settings/brand
func (a *app) brandPage(w http.ResponseWriter, r *http.Request) error {
	return a.renderBrand(w, r, nil, "")
}

func (a *app) renderBrand(w http.ResponseWriter, r *http.Request, f *web.Form, logoProblem string) error {
	i, _, err := a.Settings.House.Settings(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	status := http.StatusOK
	if f == nil {
		f = web.NewForm(map[string]string{"accent": i.Accent})
	}
	b := baseOf(r)
	page := brandPage{Form: f, Look: look(i), Action: b.brandSettings(), Logo: b.at("/settings/logo"), Cancel: b.settings(), Accent: f.Field("accent", "Colour"), LogoProblem: logoProblem}
	if i.Logo != "" {
		page.Remove = page.Logo + "/remove"
	}
	if logoProblem != "" {
		page.Problems, status = []fault.Problem{{Field: "logo", Sentence: logoProblem}}, http.StatusUnprocessableEntity
	}
	page.Accent.Optional, page.Accent.Width = true, "short"
	page.Accent.Help = "Like #1f5f8b; empty is the house's own. It is a wish: where it could not be read on light or dark, screens darken or lighten it and keep its hue."
	if page.Shell, err = a.ownShell(r, "Colour and logo", settingsCrumb(b)); err != nil {
		return err
	}
	page.Shell.Narrow = true
	return web.Render(w, r, max(status, f.Status()), brandView(page))
}

// POST /{institution}/settings/brand
func (a *app) saveAccent(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	err := a.Settings.House.SetAccent(r.Context(), web.CallerOf(r.Context()), strings.ToLower(strings.TrimSpace(f.Raw("accent"))))
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderBrand(w, r, f, "")
	}
	return done(w, r, baseOf(r).brandSettings(), "The colour was saved")
}

// POST /{institution}/settings/logo
func (a *app) saveLogo(w http.ResponseWriter, r *http.Request) error {
	picture, err := uploadedLogo(r)
	if err == nil {
		err = a.Settings.House.SetLogo(r.Context(), web.CallerOf(r.Context()), picture)
	}
	if fault.KindOf(err) == fault.Invalid {
		return a.renderBrand(w, r, nil, web.SentenceOf(err))
	}
	if err != nil {
		return err
	}
	return done(w, r, baseOf(r).brandSettings(), "The logo was saved")
}

func uploadedLogo(r *http.Request) ([]byte, error) {
	file, _, err := r.FormFile("logo")
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return nil, nil // which is no picture, and is said to be none
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxLogo))
}

// POST /{institution}/settings/logo/remove
func (a *app) removeLogo(w http.ResponseWriter, r *http.Request) error {
	if err := a.Settings.House.RemoveLogo(r.Context(), web.CallerOf(r.Context())); err != nil {
		return err
	}
	return done(w, r, baseOf(r).brandSettings(), "The logo was removed")
}
