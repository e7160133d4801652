package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/grant"
	"mandate/internal/identity"
	"mandate/internal/web"
	"mandate/internal/web/entrance"
	"mandate/internal/web/ui"
)

// Products is the way of staff users into products: what waits for them, and
// how it ends.
type Products interface {
	Asked(r *http.Request, issuer bank.InstitutionID, name string) (grant.Ask, error)
	Finish(w http.ResponseWriter, r *http.Request, ask grant.Ask, o grant.Outcome) error
	Leave(w http.ResponseWriter, r *http.Request) (bool, error)
}

// Grants is what staff users allowed products.
type Grants interface {
	Person(context.Context, bank.InstitutionID, bank.StaffID) (grant.Person, error)
	Consented(ctx context.Context, institution bank.InstitutionID, who bank.StaffID, application bank.ApplicationID, told []string) (bool, error)
	Consent(ctx context.Context, caller bank.Caller, application bank.ApplicationID, product string, told []string) error
	Consents(context.Context, bank.Caller) ([]grant.Consent, error)
	Withdraw(context.Context, bank.Caller, bank.ApplicationID) error
}

func (b base) products() string { return b.at("/account/products") }
func (b base) product(id bank.ApplicationID) string {
	return b.products() + "/" + url.PathEscape(string(id)) + "/withdraw"
}

// productRoutes are the screens between a product and a sign-in. Where nobody
// is signed in they lead to the sign-in themselves.
func (a *app) productRoutes() []web.Route {
	if a.Products == nil {
		return nil
	}
	anybody := web.Needs{Who: web.Anybody, Institution: web.FromPath}
	consents, withdraws := anybody, web.Needs{Who: web.SignedIn, May: web.Own, Institution: web.FromPath, Event: grant.EventWithdrawn}
	consents.Event = grant.EventConsented
	own := web.Needs{Who: web.SignedIn, May: web.Own, Institution: web.FromPath}
	return append(a.neutralRoutes(), []web.Route{
		{Method: "GET", Pattern: "/{institution}/openid/continue/{request}", Handler: a.enterProduct, Needs: anybody},
		{Method: "POST", Pattern: "/{institution}/openid/continue/{request}", Handler: a.decideProduct, Needs: consents},
		{Method: "GET", Pattern: "/{institution}/openid/sign-out", Handler: a.leavePage, Needs: anybody},
		{Method: "POST", Pattern: "/{institution}/openid/sign-out", Handler: a.leave, Needs: anybody},
		{Method: "GET", Pattern: "/{institution}/account/products", Handler: a.productsPage, Needs: own},
		{Method: "POST", Pattern: "/{institution}/account/products/{application}/withdraw", Handler: a.withdraw, Needs: withdraws},
	}...)
}

// A visit is somebody on the way into a product.
type visit struct {
	ask      grant.Ask
	caller   bank.Caller // zero: nobody is signed in
	session  identity.Session
	presence grant.Presence
}

func (a *app) visit(r *http.Request) (v visit, err error) {
	return a.visitAt(r, baseOf(r).institution())
}

// visitAt is a visit that a product began at an issuer.
func (a *app) visitAt(r *http.Request, issuer bank.InstitutionID) (v visit, err error) {
	institution := baseOf(r).institution()
	if v.ask, err = a.Products.Asked(r, issuer, r.PathValue("request")); err != nil {
		return v, err
	}
	if v.caller = web.CallerOf(r.Context()); v.caller.Kind == "" {
		return v, nil
	}
	open, err := a.Identity.ListSignIns(r.Context(), v.caller)
	if err != nil {
		return v, err
	}
	for _, s := range open {
		if s.ID == v.caller.SignIn {
			v.session = s
		}
	}
	id := bank.StaffID(v.caller.ID)
	person, err := a.Grants.Person(r.Context(), institution, id)
	if err != nil {
		return v, err
	}
	v.presence = grant.Presence{Staff: id, Since: v.session.Created, TwoFactors: v.session.Factor != "", Refused: person.SignInRefused, Unnamed: person.First == ""}
	v.presence.Consented, err = a.Grants.Consented(r.Context(), institution, id, v.ask.Application, v.ask.Told)
	return v, err
}

// outcome is how a visit ends by itself.
func (v *visit) outcome(refused string) grant.Outcome {
	return grant.Outcome{Refused: refused, Institution: v.caller.Institution, Staff: v.presence.Staff, SignIn: v.session.ID, Since: v.session.Created, Factor: v.session.Factor, Outside: v.session.Outside != ""}
}

// enterProduct leads somebody on: to the sign-in, to the question whether the
// product may know them, or in.
//
// GET /{institution}/openid/continue/{request}
func (a *app) enterProduct(w http.ResponseWriter, r *http.Request) error {
	v, err := a.visit(r)
	if err != nil {
		return err
	}
	switch step, why := grant.Next(v.ask.Wish, v.presence, a.site.Clock.Now()); {
	case step == grant.StepEnter:
		return a.Products.Finish(w, r, v.ask, v.outcome(""))
	case step == grant.StepConsent:
		return a.consentPage(w, r, &v)
	case step == grant.StepIntroduce:
		introduceFirst(w, r)
		return nil
	case step == grant.StepSignIn, step == grant.StepSignInAgain:
		http.Redirect(w, r, signInFor(r, &v, step), http.StatusSeeOther)
		return nil
	case why == grant.AccessDenied && v.presence.Refused != "":
		return a.refusedPage(w, r, &v)
	default:
		return a.Products.Finish(w, r, v.ask, v.outcome(why))
	}
}

func signInFor(r *http.Request, v *visit, step grant.Step) string {
	q := url.Values{"return": {r.URL.Path}}
	if v.ask.Login != "" {
		q.Set("username", v.ask.Login)
	}
	if step == grant.StepSignInAgain {
		q.Set("because", "again")
	}
	return baseOf(r).at("/sign-in") + "?" + q.Encode()
}

type consentPage struct {
	Entry   ui.Entry
	Action  string
	Product string
	Partner string
	Name    string
	Email   string
	Told    []string
	Refused string
	Manage  string
}

// told are the words for what a product is told, in the order in which it is
// said.
var told = []struct{ what, words string }{
	{"openid", "Who you are here: a number that stays the same, the institution, and when and how you signed in"},
	{"profile", "Your name and your time zone"},
	{"email", "Your email address"},
	{"phone", "Your phone number"},
	{grant.ToldGroups, "The groups that you are in"},
	{grant.ToldPermissions, "What your groups permit"},
	{"scim", "Staff users and groups"},
	{"decisions", "Who may do what"},
	{"offline_access", "All this also after you have signed out, until you take it back"},
}

func inWords(what []string) (all []string) {
	for _, one := range told {
		if slices.Contains(what, one.what) {
			all = append(all, one.words)
		}
	}
	return all
}

func (a *app) page(r *http.Request, v *visit, title string) (consentPage, error) {
	i, err := a.Institutions.Institution(r.Context(), baseOf(r).institution())
	page := consentPage{
		Entry:  ui.Entry{Title: title, Institution: look(i), App: appName, Notice: a.Notice, Wide: true},
		Action: r.URL.Path, Product: v.ask.Product, Partner: v.ask.Partner, Name: v.caller.Name, Refused: v.presence.Refused,
		Manage: baseOf(r).products(),
	}
	page.Told = inWords(v.ask.Told)
	return page, err
}

func (a *app) consentPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	page, err := a.page(r, v, "Sign in to "+v.ask.Product)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, consentView(page))
}

func (a *app) refusedPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	page, err := a.page(r, v, "You can’t sign in to "+v.ask.Product)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusForbidden, refusedView(page))
}

// decideProduct takes the person's answer.
//
// POST /{institution}/openid/continue/{request}
func (a *app) decideProduct(w http.ResponseWriter, r *http.Request) error {
	v, err := a.visit(r)
	if err != nil {
		return err
	}
	if r.PostForm.Get("answer") != "allow" {
		return a.Products.Finish(w, r, v.ask, v.outcome(grant.AccessDenied))
	}
	step, why := grant.Next(v.ask.Wish, v.presence, a.site.Clock.Now())
	switch step {
	case grant.StepSignIn, grant.StepSignInAgain:
		http.Redirect(w, r, signInFor(r, &v, step), http.StatusSeeOther)
		return nil
	case grant.StepIntroduce:
		introduceFirst(w, r)
		return nil
	case grant.StepRefuse:
		return a.Products.Finish(w, r, v.ask, v.outcome(why))
	}
	if err := a.Grants.Consent(r.Context(), v.caller, v.ask.Application, v.ask.Product, v.ask.Told); err != nil {
		return err
	}
	return a.Products.Finish(w, r, v.ask, v.outcome(""))
}

type leavePage struct {
	Entry  ui.Entry
	Action string
	Stay   string
	Name   string
}

// leavePage asks before it signs anybody out: a link may be anybody's.
//
// GET /{institution}/openid/sign-out
func (a *app) leavePage(w http.ResponseWriter, r *http.Request) error {
	i, err := a.Institutions.Institution(r.Context(), baseOf(r).institution())
	if err != nil {
		return err
	}
	caller := web.CallerOf(r.Context())
	if caller.Kind == "" {
		return a.gone(w, r)
	}
	page := leavePage{Entry: ui.Entry{Title: "Sign out", Institution: look(i), App: appName, Notice: a.Notice}, Action: r.URL.RequestURI(), Stay: baseOf(r).home(), Name: caller.Name}
	return web.Render(w, r, http.StatusOK, leaveView(page))
}

// leave signs out, and tells every product that got in by this sign-in.
//
// POST /{institution}/openid/sign-out
func (a *app) leave(w http.ResponseWriter, r *http.Request) error {
	if err := a.Identity.SignOut(r.Context(), baseOf(r).institution(), identity.Secret(a.site.Session(r))); err != nil {
		return err
	}
	a.site.ClearSession(w)
	return a.gone(w, r)
}

// gone leads somebody who is signed out back to the product, or to the sign-in.
func (a *app) gone(w http.ResponseWriter, r *http.Request) error {
	led, err := a.Products.Leave(w, r)
	if err == nil && !led {
		http.Redirect(w, r, baseOf(r).at("/sign-in")+"?because=left", http.StatusSeeOther)
	}
	return err
}

type productsPage struct {
	Shell    ui.Shell
	Products []allowedProduct
}

type allowedProduct struct {
	Name, Since, Withdraw string
	Told                  []string
}

// productsPage is what one has allowed products.
//
// GET /{institution}/account/products
func (a *app) productsPage(w http.ResponseWriter, r *http.Request) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	given, err := a.Grants.Consents(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	page := productsPage{}
	if page.Shell, err = a.shell(r, &me, "Products", ui.Link{Label: "Your account", Href: baseOf(r).account()}); err != nil {
		return err
	}
	for _, g := range given {
		one := allowedProduct{Name: g.Product, Since: ui.Date(g.Given, me.Place()), Withdraw: baseOf(r).product(g.Application)}
		one.Told = inWords(g.Told)
		page.Products = append(page.Products, one)
	}
	return web.Render(w, r, http.StatusOK, productsView(page))
}

// POST /{institution}/account/products/{application}/withdraw
func (a *app) withdraw(w http.ResponseWriter, r *http.Request) error {
	if err := a.Grants.Withdraw(r.Context(), web.CallerOf(r.Context()), bank.ApplicationID(r.PathValue("application"))); err != nil {
		return err
	}
	return done(w, r, baseOf(r).products(), "The product knows you no more, and was told to sign you out")
}

func (b base) institution() bank.InstitutionID { return entrance.Base(b).Institution() }
