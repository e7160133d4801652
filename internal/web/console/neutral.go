package console

import (
	"net/http"
	"net/url"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/grant"
	"mandate/internal/identity"
	"mandate/internal/web"
	"mandate/internal/web/entrance"
	"mandate/internal/web/ui"
)

// Some products do not know the institution of whoever comes to them. They send
// them to the issuer that is nobody's: there they say where they sign in, and
// choose among the institutions that are theirs. What the product learns is of
// the chosen one, and nobody types a password twice.

// neutralRoutes are the addresses of that way.
func (a *app) neutralRoutes() []web.Route {
	anybody := web.Needs{Who: web.Anybody, Institution: web.FromPath}
	moves := anybody
	moves.Event = "auth.signin_succeeded"
	return []web.Route{
		{Method: "GET", Pattern: "/" + anyInstitution + "/openid/continue/{request}", Handler: a.whereToSignIn, Needs: web.Needs{Who: web.Anybody, Institution: web.Nowhere}},
		{Method: "GET", Pattern: "/{institution}/openid/choose/{request}", Handler: a.chooseInstitution, Needs: anybody},
		{Method: "POST", Pattern: "/{institution}/openid/choose/{request}", Handler: a.chosenInstitution, Needs: moves},
	}
}

// anyInstitution is the first part of the path at the neutral issuer.
const anyInstitution = "_any"

func (b base) choose(request string) string { return b.at("/openid/choose/" + url.PathEscape(request)) }

type wherePage struct {
	Entry       ui.Entry
	Product     string
	Institution ui.Field
}

// whereToSignIn asks for an institution, and leads to its sign-in.
//
// GET /_any/openid/continue/{request}
func (a *app) whereToSignIn(w http.ResponseWriter, r *http.Request) error {
	ask, err := a.Products.Asked(r, grant.Neutral, r.PathValue("request"))
	if err != nil {
		return err
	}
	if step, why := grant.Next(ask.Wish, grant.Presence{}, a.site.Clock.Now()); step == grant.StepRefuse {
		return a.Products.Finish(w, r, ask, grant.Outcome{Refused: why})
	}
	name := strings.TrimSpace(r.URL.Query().Get("institution"))
	f := web.NewForm(map[string]string{"institution": name})
	if name != "" {
		house, err := a.house(r.Context(), bank.InstitutionID(strings.ToLower(name)))
		if err == nil {
			http.Redirect(w, r, base(entrance.BaseFor(house.ID)).choose(ask.Name), http.StatusSeeOther)
			return nil
		}
		if fault.KindOf(err) != fault.NotFound {
			return err
		}
		f.Wrong("institution", "There is no institution of this name here. It is the first part of the address in your invitation.")
	}
	page := wherePage{Entry: ui.Entry{Title: "Sign in to " + ask.Product, Institution: ui.Institution{Name: "Mandate"}, App: appName, Notice: a.Notice},
		Product: ask.Product, Institution: f.Field("institution", "Institution")}
	page.Institution.Help = "Its short name: the first part of the address in your invitation. If you have several, any of them."
	return web.Render(w, r, f.Status(), whereView(page))
}

// neutralVisit is somebody who has signed in somewhere on the way into a
// product that asked nowhere in particular. It leads to the sign-in where that
// is needed; done says that it has.
func (a *app) neutralVisit(w http.ResponseWriter, r *http.Request) (v visit, done bool, err error) {
	if v, err = a.visitAt(r, grant.Neutral); err != nil {
		return v, false, err
	}
	switch step, why := grant.Next(v.ask.Wish, v.presence, a.site.Clock.Now()); {
	case step == grant.StepSignIn, step == grant.StepSignInAgain:
		http.Redirect(w, r, signInFor(r, &v, step), http.StatusSeeOther)
		return v, true, nil
	case step == grant.StepIntroduce:
		introduceFirst(w, r)
		return v, true, nil
	case step == grant.StepRefuse && v.presence.Refused != "":
		return v, true, a.refusedPage(w, r, &v)
	case step == grant.StepRefuse:
		return v, true, a.Products.Finish(w, r, v.ask, v.outcome(why))
	}
	return v, false, nil
}

type choosePage struct {
	Entry   ui.Entry
	Product string
	Name    string
	Action  string
	Places  []identity.Place
}

// chooseInstitution lets somebody who belongs to several institutions choose
// one. Whoever belongs to one goes on.
//
// GET /{institution}/openid/choose/{request}
func (a *app) chooseInstitution(w http.ResponseWriter, r *http.Request) error {
	v, done, err := a.neutralVisit(w, r)
	if err != nil || done {
		return err
	}
	places, err := a.Elsewhere.Institutions(r.Context(), v.caller)
	if err != nil {
		return err
	}
	if len(places) == 1 || r.URL.Query().Get("chosen") == "yes" {
		return a.goIn(w, r, &v)
	}
	page := choosePage{Entry: ui.Entry{Title: "Choose your institution", Institution: ui.Institution{Name: "Mandate"}, App: appName, Notice: a.Notice},
		Product: v.ask.Product, Name: v.caller.Name, Action: r.URL.Path, Places: places}
	return web.Render(w, r, http.StatusOK, chooseView(page))
}

// goIn asks what must be asked, and lets in.
func (a *app) goIn(w http.ResponseWriter, r *http.Request, v *visit) error {
	if step, _ := grant.Next(v.ask.Wish, v.presence, a.site.Clock.Now()); step == grant.StepConsent {
		return a.consentPage(w, r, v)
	}
	return a.Products.Finish(w, r, v.ask, v.outcome(""))
}

// chosenInstitution goes to the institution that was chosen, without signing in
// again, or takes the answer to the question whether the product may know them.
//
// POST /{institution}/openid/choose/{request}
func (a *app) chosenInstitution(w http.ResponseWriter, r *http.Request) error {
	v, done, err := a.neutralVisit(w, r)
	if err != nil || done {
		return err
	}
	switch r.PostForm.Get("answer") {
	case "allow":
		if err := a.Grants.Consent(r.Context(), v.caller, v.ask.Application, v.ask.Product, v.ask.Told); err != nil {
			return err
		}
		return a.Products.Finish(w, r, v.ask, v.outcome(""))
	case "deny":
		return a.Products.Finish(w, r, v.ask, v.outcome(grant.AccessDenied))
	}
	to := bank.InstitutionID(r.PostForm.Get("to"))
	if to != v.caller.Institution {
		granted, err := a.Elsewhere.Switch(r.Context(), v.caller.Institution, identity.Secret(a.site.Session(r)), to, a.door.Source(r))
		if err != nil {
			return err
		}
		a.door.Welcome(w, granted)
	}
	http.Redirect(w, r, base(entrance.BaseFor(to)).choose(v.ask.Name)+"?chosen=yes", http.StatusSeeOther)
	return nil
}
