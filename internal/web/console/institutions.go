package console

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/web"
	"mandate/internal/web/entrance"
	"mandate/internal/web/ui"
)

// Elsewhere is what the console needs to go from one institution to another.
type Elsewhere interface {
	Institutions(context.Context, bank.Caller) ([]identity.Place, error)
	Switch(ctx context.Context, institution bank.InstitutionID, token identity.Secret, to bank.InstitutionID, from identity.Source) (identity.Granted, error)
	Another(ctx context.Context, caller bank.Caller, institution bank.InstitutionID, token identity.Secret) (identity.Place, error)
	Connect(ctx context.Context, caller bank.Caller, institution bank.InstitutionID, token identity.Secret) error
	Disconnect(context.Context, bank.Caller) error
}

func (b base) institutions() string { return b.at("/institutions") }

// keptOther is the sign-in that a browser leaves to sign in somewhere else and
// connect the two: the institution, a blank and the secret.
const (
	keptOther    = "other"
	otherSeconds = 10 * 60
)

// institutionRoutes are the addresses of going from one institution to another.
func (a *app) institutionRoutes() []web.Route {
	anybody := web.Needs{Who: web.Anybody, Institution: web.Nowhere}
	own := web.Needs{Who: web.SignedIn, May: web.Own, Institution: web.FromPath}
	records := func(event string) web.Needs {
		needs := own
		needs.Event = event
		return needs
	}
	return []web.Route{
		{Method: "GET", Pattern: "/{$}", Handler: a.anywhere, Needs: anybody},
		{Method: "GET", Pattern: "/{institution}/institutions", Handler: a.introduced(a.institutionList), Needs: own},
		{Method: "POST", Pattern: "/{institution}/institutions/enter", Handler: a.enterInstitution, Needs: records("auth.signin_succeeded")},
		{Method: "POST", Pattern: "/{institution}/institutions/other", Handler: a.signInElsewhere, Needs: own},
		{Method: "POST", Pattern: "/{institution}/institutions/connect", Handler: a.connect, Needs: records("staff.connected")},
		{Method: "POST", Pattern: "/{institution}/institutions/disconnect", Handler: a.disconnect, Needs: records("staff.disconnected")},
	}
}

type anywherePage struct {
	Entry       ui.Entry
	Institution ui.Field
}

// anywhere asks somebody who came without an institution for one, and leads to
// its sign-in. They choose among all of theirs afterwards.
//
// GET /
func (a *app) anywhere(w http.ResponseWriter, r *http.Request) error {
	name := strings.TrimSpace(r.URL.Query().Get("institution"))
	f := web.NewForm(map[string]string{"institution": name})
	if name != "" {
		house, err := a.house(r.Context(), bank.InstitutionID(strings.ToLower(name)))
		if err == nil {
			choose := base(entrance.BaseFor(house.ID)).institutions() + "?choose=yes"
			http.Redirect(w, r, entrance.BaseFor(house.ID).SignIn()+"?"+url.Values{"return": {choose}}.Encode(), http.StatusSeeOther)
			return nil
		}
		if fault.KindOf(err) != fault.NotFound {
			return err
		}
		f.Wrong("institution", "There is no institution of this name here. It is the first part of the address in your invitation.")
	}
	page := anywherePage{Entry: ui.Entry{Title: "Sign in", Institution: ui.Institution{Name: "Mandate"}, App: appName, Notice: a.Notice}, Institution: f.Field("institution", "Institution")}
	page.Institution.Help = "Its short name: the first part of the address in your invitation."
	return web.Render(w, r, f.Status(), anywhereView(page))
}

type institutionsPage struct {
	Shell                        ui.Shell
	Base                         base
	Places                       []identity.Place
	Other                        ui.Field
	Problems                     []fault.Problem
	Connect                      *identity.Place // another sign-in of this browser, which can be connected
	Why                          string          // why it cannot
	Enter, Ask, Join, Disconnect string
}

// GET /{institution}/institutions
func (a *app) institutionList(w http.ResponseWriter, r *http.Request) error {
	return a.renderInstitutions(w, r, web.NewForm(nil))
}

func (a *app) renderInstitutions(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	b, caller := baseOf(r), web.CallerOf(r.Context())
	places, err := a.Elsewhere.Institutions(r.Context(), caller)
	if err != nil {
		return err
	}
	page := institutionsPage{Base: b, Places: places, Other: f.Field("other", "Another institution"), Problems: f.Problems,
		Enter: b.institutions() + "/enter", Ask: b.institutions() + "/other", Join: b.institutions() + "/connect", Disconnect: b.institutions() + "/disconnect"}
	page.Other.Help = "Its short name: the first part of the address in your invitation."
	if id, token := a.other(r); token != "" && id != caller.Institution {
		place, err := a.Elsewhere.Another(r.Context(), caller, id, token)
		switch kind := fault.KindOf(err); {
		case err == nil:
			page.Connect = &place
		case kind == fault.Conflict:
			page.Why = web.SentenceOf(err)
		case kind != fault.Unauthorized && kind != fault.NotFound:
			return err
		}
	}
	if r.URL.Query().Get("choose") == "yes" && len(places) == 1 && page.Connect == nil {
		http.Redirect(w, r, b.home(), http.StatusSeeOther)
		return nil
	}
	if page.Shell, err = a.ownShell(r, "Your institutions"); err != nil {
		return err
	}
	page.Shell.Narrow = true
	return web.Render(w, r, f.Status(), institutionsView(page))
}

// other is the sign-in that this browser has left to connect it.
func (a *app) other(r *http.Request) (bank.InstitutionID, identity.Secret) {
	id, token, _ := strings.Cut(a.site.Kept(r, keptOther), " ")
	return bank.InstitutionID(id), identity.Secret(token)
}

// enterInstitution goes to another institution without signing in again.
//
// POST /{institution}/institutions/enter
func (a *app) enterInstitution(w http.ResponseWriter, r *http.Request) error {
	b, to := baseOf(r), bank.InstitutionID(web.ReadForm(r).Raw("to"))
	granted, err := a.Elsewhere.Switch(r.Context(), web.CallerOf(r.Context()).Institution, identity.Secret(a.site.Session(r)), to, a.door.Source(r))
	if kind := fault.KindOf(err); err != nil && (kind == fault.Conflict || kind == fault.NotFound) {
		return refusedAt(w, r, b.institutions(), err)
	}
	if err != nil {
		return err
	}
	a.door.Welcome(w, granted)
	http.Redirect(w, r, entrance.BaseFor(to).Home(), http.StatusSeeOther)
	return nil
}

// signInElsewhere leads to the sign-in of another institution, and keeps this
// one for ten minutes so that the two can be connected there.
//
// POST /{institution}/institutions/other
func (a *app) signInElsewhere(w http.ResponseWriter, r *http.Request) error {
	f, here := web.ReadForm(r), web.CallerOf(r.Context()).Institution
	to := bank.InstitutionID(strings.ToLower(f.Raw("other")))
	house, err := a.house(r.Context(), to)
	switch {
	case err != nil && fault.KindOf(err) != fault.NotFound:
		return err
	case err != nil || to == "" || house.ID == here:
		f.Wrong("other", "Enter the short name of another institution. It is the first part of the address in your invitation.")
		return a.renderInstitutions(w, r, f)
	}
	a.site.Keep(w, keptOther, string(here)+" "+a.site.Session(r), otherSeconds)
	there := entrance.BaseFor(house.ID)
	http.Redirect(w, r, there.SignIn()+"?"+url.Values{"return": {base(there).institutions()}}.Encode(), http.StatusSeeOther)
	return nil
}

// connect makes one person of the two sign-ins of this browser.
//
// POST /{institution}/institutions/connect
func (a *app) connect(w http.ResponseWriter, r *http.Request) error {
	id, token := a.other(r)
	err := a.Elsewhere.Connect(r.Context(), web.CallerOf(r.Context()), id, token)
	if kind := fault.KindOf(err); err != nil && (kind == fault.Conflict || kind == fault.NotFound || kind == fault.Unauthorized) {
		return refusedAt(w, r, baseOf(r).institutions(), fault.New(fault.Conflict, "The other sign-in has ended, or it is not yours. Sign in there again to connect it."))
	}
	if err != nil {
		return err
	}
	a.site.Keep(w, keptOther, "", 0)
	return done(w, r, baseOf(r).institutions(), "Your sign-ins are connected")
}

// POST /{institution}/institutions/disconnect
func (a *app) disconnect(w http.ResponseWriter, r *http.Request) error {
	if err := a.Elsewhere.Disconnect(r.Context(), web.CallerOf(r.Context())); err != nil {
		return err
	}
	return done(w, r, baseOf(r).institutions(), "Your sign-in here stands by itself again")
}
