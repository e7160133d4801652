// Package console is the institution's staff app: signing in, one's own
// account, Users & Groups, and People. It parses, calls one verb of a room and renders.
// It holds no rule: what somebody may do is asked of the rooms, and they ask
// the guard.
package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/identity"
	"mandate/internal/staff"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/entrance"
	"mandate/internal/web/ui"
)

// Institutions is what the app needs of the room of institutions.
type Institutions interface {
	Institution(context.Context, bank.InstitutionID) (usermgmt.Institution, error)
	Logo(context.Context, bank.InstitutionID) (usermgmt.Logo, error)
}

// Staff is what the app needs of the room of staff users and groups.
type Staff interface {
	Standing(context.Context, bank.Caller) (staff.Standing, error)
	EditOwn(context.Context, bank.Caller, staff.Details) error
	Letters
	Filters(context.Context, bank.Caller, staff.FilterPage) ([]staff.Filter, error)
	KeepFilter(context.Context, bank.Caller, staff.Filter) error
	DropFilter(ctx context.Context, caller bank.Caller, page staff.FilterPage, name string) error
	Administering
}

// A Config is what the app is made of. Notice is one line above every page; it
// may be empty.
type Config struct {
	Institutions Institutions
	Staff        Staff
	Customers    Customers
	Applications Applications
	Support      Support
	Identity     entrance.Identity
	Approvals    Approvals
	Elsewhere    Elsewhere
	Notice       string

	// Outside is the way in through an institution's own provider; nil: none.
	Outside Outside

	// Settings are the rooms whose settings an institution keeps; nil: no screens.
	Settings *Settings

	// Host is where what goes to the core and what it tells is looked after; nil:
	// no screen.
	Host Host

	// Webhooks is where receivers are told what happens; nil: no screens.
	Webhooks Webhooks

	// Provisioning is where outside directories are connected; nil: nowhere.
	Provisioning *Provisioning

	// Products is the way into products, and Grants what people allowed them.
	// Without them there is none.
	Products Products
	Grants   Grants
	Online   string // the origin of Online, where staff see as members see
}

type app struct {
	Config
	site *web.Site
	door *entrance.Door
}

// New makes the app of a site that has its Origin and Key, and what else is of
// the deployment; everything else of the site is set here.
func New(site web.Site, cfg Config) (http.Handler, error) {
	site.App = "console"
	a := &app{Config: cfg, site: &site}
	a.door = entrance.New(entrance.Config{
		Kind: identity.KindStaff, Channel: bank.ChannelPeople, App: appName, Notice: cfg.Notice, Site: &site, Identity: cfg.Identity,
		House: a.house, Shell: a.ownShell, Logo: a.logo, Outside: doorOutside(cfg.Outside),
	})
	site.Authenticate, site.SignIn, site.Dress = a.authenticate, a.door.SignInAddress, a.door.Dress
	return site.Handler(a.opened(slices.Concat(a.routes(), a.settingRoutes(), a.hostRoutes(), a.webhookRoutes())))
}

const appName = "Console"

// house is an institution as the doors show it.
func (a *app) house(ctx context.Context, id bank.InstitutionID) (entrance.House, error) {
	i, err := a.Institutions.Institution(ctx, id)
	if err != nil {
		return entrance.House{}, err
	}
	return entrance.House{ID: i.ID, Name: i.Name, Accent: i.Accent, Logo: i.Logo, Place: i.Place()}, nil
}

func (a *app) logo(ctx context.Context, id bank.InstitutionID) (string, []byte, error) {
	l, err := a.Institutions.Logo(ctx, id)
	return l.ETag, l.PNG, err
}

// A base is the first part of a path: the institution's. Every address of the
// app is made here.
type base string

func baseOf(r *http.Request) base { return base(entrance.BaseOf(r)) }

func (b base) at(path string) string { return entrance.Base(b).At(path) }
func (b base) home() string          { return entrance.Base(b).Home() }
func (b base) security() string      { return entrance.Base(b).Security() }
func (b base) account() string       { return b.at("/account") }
func (b base) stillHere() string     { return b.at("/still-here") }

func (b base) users() string    { return b.at("/users") }
func (b base) invite() string   { return b.at("/users/invite") }
func (b base) groups() string   { return b.at("/groups") }
func (b base) newGroup() string { return b.at("/groups/new") }

func (b base) user(id bank.StaffID) string  { return b.users() + "/" + url.PathEscape(string(id)) }
func (b base) group(id bank.GroupID) string { return b.groups() + "/" + url.PathEscape(string(id)) }

// routes are all addresses of the app, each with what it needs. The rooms
// enforce it inside their transactions.
func (a *app) routes() []web.Route {
	own := web.Needs{Who: web.SignedIn, May: web.Own, Institution: web.FromPath}
	introduces := own
	introduces.Event = staff.EventProfileChanged
	routes := slices.Concat(a.door.Routes(), a.userRoutes(), a.peopleRoutes(), a.activityRoutes(), a.productRoutes(), a.applicationRoutes(), a.directoryRoutes(), a.approvalRoutes(), a.institutionRoutes())
	return append(append(routes, a.groupRoutes()...),
		web.Route{Method: "GET", Pattern: "/{institution}/home", Handler: a.introduced(a.home), Needs: own},
		web.Route{Method: "GET", Pattern: "/{institution}/account", Handler: a.account, Needs: own},
		web.Route{Method: "POST", Pattern: "/{institution}/account", Handler: a.editAccount, Needs: introduces},
		web.Route{Method: "POST", Pattern: "/{institution}/still-here", Handler: a.stillHere, Needs: own},
	)
}

// me is the standing of whoever is signed in. A request that only looks asks
// for it once, however many parts of the page need it.
func (a *app) me(r *http.Request) (staff.Standing, error) {
	known, remembers := r.Context().Value(meKey{}).(*memory)
	if remembers && known.asked && r.Method == http.MethodGet {
		return known.standing, nil
	}
	standing, err := a.Staff.Standing(r.Context(), web.CallerOf(r.Context()))
	if err == nil && remembers {
		known.standing, known.asked = standing, true
	}
	return standing, err
}

// A memory keeps the standing for one request.
type memory struct {
	asked    bool
	standing staff.Standing
}

type meKey struct{}

// authenticate finds out who asks, and begins a memory of where they stand.
func (a *app) authenticate(r *http.Request) (context.Context, error) {
	ctx, err := a.door.Authenticate(r)
	if err != nil {
		return nil, err
	}
	return context.WithValue(ctx, meKey{}, &memory{}), nil
}

// introduced leads somebody who has just joined to their account first: nobody
// works here without a name.
func (a *app) introduced(next web.HandlerFunc) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		me, err := a.me(r)
		if err != nil {
			return err
		}
		if me.MustIntroduce() {
			http.Redirect(w, r, baseOf(r).account(), http.StatusSeeOther)
			return nil
		}
		return next(w, r)
	}
}

// stillHere keeps a sign-in alive: having come here was enough.
//
// POST /{institution}/still-here
func (a *app) stillHere(w http.ResponseWriter, r *http.Request) error {
	if web.CallerOf(r.Context()).SignIn == "" {
		return identity.ErrSignedOut
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// done goes to a page and says there what was done.
func done(w http.ResponseWriter, r *http.Request, to, text string) error {
	web.Flash(w, r, ui.Good, text)
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}
