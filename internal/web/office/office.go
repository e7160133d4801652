// Package office is the screens of the host simulator: BackOffice, where the
// bank's staff keep the customers' people as the core has them, and Classic, the
// older channel in which a business does a part of that itself. It shows the
// simulator's data and knows nothing of the product's: it speaks to the product
// as any bank would, through its API and its OpenID provider.
//
// It holds no rule: what somebody may change is asked of the simulator.
package office

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// Bank is what the screens need of the simulator.
type Bank interface {
	Organization(context.Context, bank.InstitutionID, host.Ref) (host.Organization, error)
	SearchOrganizations(ctx context.Context, institution bank.InstitutionID, text string, after host.Ref, most int) ([]host.Organization, error)
	Search(context.Context, bank.InstitutionID, hostsim.Search) ([]host.User, error)
	User(context.Context, bank.InstitutionID, host.Ref) (host.User, error)
	About(ctx context.Context, institution bank.InstitutionID, ref host.Ref, most int) ([]host.Event, error)
	Defaults(context.Context, bank.InstitutionID) ([]host.Defaults, error)

	Create(context.Context, bank.InstitutionID, hostsim.By, hostsim.NewUser) (host.User, error)
	Edit(ctx context.Context, institution bank.InstitutionID, by hostsim.By, ref host.Ref, version int64, e hostsim.Edit) (host.User, error)
	SetStatus(ctx context.Context, institution bank.InstitutionID, by hostsim.By, ref host.Ref, version int64, status bank.Status) (host.User, error)
	SetHeld(ctx context.Context, institution bank.InstitutionID, by hostsim.By, ref host.Ref, version int64, held bool) (host.User, error)
	SetRights(ctx context.Context, institution bank.InstitutionID, by hostsim.By, ref host.Ref, version int64, r hostsim.Rights) (host.User, error)
	Delete(ctx context.Context, institution bank.InstitutionID, by hostsim.By, ref host.Ref, version int64) error
	SetDefaults(ctx context.Context, institution bank.InstitutionID, by hostsim.By, role bank.Role, version int64, permissions map[string]string) error

	Invite(context.Context, bank.InstitutionID, hostsim.By, host.Ref) (hostsim.Invitation, error)
	InvitationOf(ctx context.Context, institution bank.InstitutionID, token string) (hostsim.Invitation, error)
	CompleteInvitation(ctx context.Context, institution bank.InstitutionID, token string) error
	LastInvitation(context.Context, bank.InstitutionID, host.Ref) (hostsim.Invitation, bool, error)

	OpenClerk(context.Context, bank.InstitutionID, hostsim.Clerk) (token string, err error)
	ClerkOf(ctx context.Context, institution bank.InstitutionID, token string) (hostsim.Clerk, error)
	EndClerk(ctx context.Context, institution bank.InstitutionID, token string) error
	EndClerks(ctx context.Context, institution bank.InstitutionID, subject, signIn string) error
}

// A Letter invites somebody to Classic.
type Letter struct {
	Institution bank.InstitutionID
	From        string // the institution's name
	To, Name    string
	AskedBy     string
	Path        string // of the link: it begins with the institution
	Expires     time.Time
}

// Mail sends letters.
type Mail interface {
	Send(context.Context, Letter) error
}

// A House is an institution whose core the simulator is.
type House struct {
	ID      bank.InstitutionID
	Name    string
	Accent  string
	Edition bank.Edition
	Place   *time.Location
	Online  string   // where its people find Online: the origin
	Staff   Provider // who signs its staff in to BackOffice
	Product Product  // the product's API, for Classic
}

// A Config is what the screens are made of. Notice is one line above every page;
// it may be empty.
type Config struct {
	Bank   Bank
	Houses []House
	Mail   Mail
	Notice string
}

type app struct {
	Config
	site    *web.Site
	parties map[bank.InstitutionID]*party
}

// New makes the screens of a site that has its Origin and Key, and what else is
// of the deployment.
func New(site web.Site, cfg Config) (http.Handler, error) {
	site.App, site.SameSite = "office", http.SameSiteLaxMode // the provider's answer comes from its own site
	a := &app{Config: cfg, site: &site, parties: map[bank.InstitutionID]*party{}}
	for _, h := range cfg.Houses {
		a.parties[h.ID] = &party{provider: h.Staff, callback: site.Origin + baseOf(h.ID, backOffice).at("/callback")}
	}
	site.Authenticate, site.SignIn, site.Dress = a.authenticate, signInAddress, a.dress
	pages, err := site.Handler(slices.Concat(a.entryRoutes(), a.backOfficeRoutes(), a.classicRoutes()))
	if err != nil {
		return nil, err
	}
	return a.withLogout(pages), nil
}

// A desk is one of the two apps.
type desk string

const (
	backOffice desk = "backoffice"
	classic    desk = "classic"
)

func (d desk) label() string {
	if d == classic {
		return "Classic"
	}
	return "BackOffice"
}

func (d desk) channel() host.Channel {
	if d == classic {
		return host.Classic
	}
	return host.BackOffice
}

// whereOf is which institution's desk an address is at.
func whereOf(r *http.Request) (bank.InstitutionID, desk) {
	parts := strings.SplitN(strings.TrimPrefix(r.URL.Path, "/"), "/", 3)
	if len(parts) > 1 && desk(parts[1]) == classic {
		return bank.InstitutionID(parts[0]), classic
	}
	return bank.InstitutionID(parts[0]), backOffice
}

// house is the institution of an address. Classic is for business customers of
// banks alone.
func (a *app) house(r *http.Request) (House, error) {
	id, at := whereOf(r)
	for _, h := range a.Houses {
		if h.ID == id && (at == backOffice || h.Edition == bank.EditionBank) {
			return h, nil
		}
	}
	return House{}, fault.New(fault.NotFound, "There is no such institution here.")
}

func signInAddress(r *http.Request) string {
	id, at := whereOf(r)
	return baseOf(id, at).at("/sign-in")
}

// dress is the shell of error pages.
func (a *app) dress(r *http.Request, title string, content templ.Component) templ.Component {
	if s, seated := seatOf(r.Context()); seated {
		return ui.Within(ui.Page(a.shell(r, s, title)), content)
	}
	h, err := a.house(r)
	if err != nil {
		h = House{Name: "Host"}
	}
	e := a.entry(r, h, title)
	e.Wide = true
	return ui.Within(ui.EntryPage(e), content)
}

func (a *app) entry(r *http.Request, h House, title string) ui.Entry {
	_, at := whereOf(r)
	return ui.Entry{Title: title, Institution: ui.Institution{Name: h.Name, Accent: h.Accent}, App: at.label(), Notice: a.Notice}
}

// What somebody of the bank may do in BackOffice. BackOffice declares it at the
// product, where groups of the staff get it.
const (
	mayView     = "backoffice.users.view"
	mayManage   = "backoffice.users.manage"
	mayDefaults = "backoffice.defaults.manage"
)

// Declaration is what BackOffice declares.
var Declaration = catalog.Declaration{Version: 1, Permissions: []catalog.ProductPermission{
	{ID: mayView, Label: "View users", Area: "Users"},
	{ID: mayManage, Label: "Manage users", Area: "Users", Views: []string{mayView}},
	{ID: mayDefaults, Label: "Manage default permissions", Area: "Defaults", Views: []string{mayView}},
}}

// administer is what somebody needs in Classic to do more than go on to Online:
// to be an admin of their organization.
const administer = "classic.users.manage"

// A seat is who works at a desk.
type seat struct {
	house        House
	desk         desk
	by           hostsim.By
	name, detail string
	own          host.User // in Classic: who they are
	organization host.Organization
	may          []string
	token        string
}

func (s *seat) base() base                     { return baseOf(s.house.ID, s.desk) }
func (s *seat) allowed(permission string) bool { return slices.Contains(s.may, permission) }

type seatKey struct{}

func seatOf(ctx context.Context) (*seat, bool) {
	s, seated := ctx.Value(seatKey{}).(*seat)
	return s, seated
}

// authenticate finds out who asks.
func (a *app) authenticate(r *http.Request) (context.Context, error) {
	h, err := a.house(r)
	if err != nil {
		return nil, errSignedOut
	}
	_, at := whereOf(r)
	enter := a.clerk
	if at == classic {
		enter = a.customer
	}
	s, err := enter(r, h)
	if err != nil {
		return nil, err
	}
	caller := bank.Caller{Kind: bank.ActorStaff, ID: s.detail, Name: s.name, Institution: h.ID, Channel: bank.ChannelBackOffice}
	if at == classic {
		caller.Kind, caller.ID, caller.Channel = bank.ActorMember, string(s.own.Ref), bank.ChannelClassic
	}
	return web.WithCaller(context.WithValue(r.Context(), seatKey{}, s), caller), nil
}

var errSignedOut = fault.New(fault.Unauthorized, "You are signed out. Sign in to go on.")

// seated serves a page to whoever may.
func (a *app) seated(permission string, page func(http.ResponseWriter, *http.Request, *seat) error) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		s, seated := seatOf(r.Context())
		switch {
		case !seated:
			return errSignedOut
		case permission != web.Own && !s.allowed(permission):
			return refusalAt(s.desk, permission)
		}
		return page(w, r, s)
	}
}

func refusalAt(at desk, permission string) error {
	if at == classic {
		return fault.New(fault.Forbidden, "This is for administrators of your organization. Ask one of them.").With("NOT_ADMIN")
	}
	label := permission
	if p, known := Declaration.Find(permission); known {
		label = p.Label
	}
	return fault.Newf(fault.Forbidden, "This is for groups with “%s” of BackOffice. Whoever edits groups in the console can give it to one of yours.", label).With("STAFF_PERMISSION")
}

// at makes a route of a desk.
func (a *app) at(d desk, method, pattern, may string, page func(http.ResponseWriter, *http.Request, *seat) error) web.Route {
	needs := web.Needs{Who: web.SignedIn, May: may, Institution: web.FromPath}
	return web.Route{Method: method, Pattern: "/{institution}/" + string(d) + pattern, Handler: a.seated(may, page), Needs: needs}
}

// peopleRoutes are the addresses of users, which both desks have: who looks needs
// one thing, who changes another.
func (a *app) peopleRoutes(d desk, look, change string) []web.Route {
	return []web.Route{
		a.at(d, "GET", "/users", look, a.users),
		a.at(d, "GET", "/users/{user}", look, a.user),
		a.at(d, "GET", "/users/{user}/permissions", look, a.permissions),
		a.at(d, "POST", "/users/{user}/permissions", change, a.setPermissions),
		a.at(d, "GET", "/users/{user}/accounts", look, a.accounts),
		a.at(d, "POST", "/users/{user}/accounts", change, a.setAccounts),
		a.at(d, "GET", "/users/{user}/accounts/{account}", look, a.permissions),
		a.at(d, "POST", "/users/{user}/accounts/{account}", change, a.setPermissions),
		a.at(d, "POST", "/users/{user}/invite", change, a.invite),
		a.at(d, "GET", "/organizations/{organization}/users/new", change, a.newUser),
		a.at(d, "POST", "/organizations/{organization}/users/new", change, a.createUser),
	}
}

func (a *app) backOfficeRoutes() []web.Route {
	return append(a.peopleRoutes(backOffice, mayView, mayManage),
		a.at(backOffice, "GET", "", web.Own, a.home),
		a.at(backOffice, "GET", "/organizations", mayView, a.organizations),
		a.at(backOffice, "GET", "/organizations/{organization}", mayView, a.organization),
		a.at(backOffice, "GET", "/users/{user}/edit", mayManage, a.editPage),
		a.at(backOffice, "POST", "/users/{user}/edit", mayManage, a.edit),
		a.at(backOffice, "POST", "/users/{user}/status", mayManage, a.setStatus),
		a.at(backOffice, "POST", "/users/{user}/hold", mayManage, a.setHeld),
		a.at(backOffice, "GET", "/users/{user}/delete", mayManage, a.askDelete),
		a.at(backOffice, "POST", "/users/{user}/delete", mayManage, a.delete),
		a.at(backOffice, "GET", "/defaults", mayView, a.defaults),
		a.at(backOffice, "GET", "/defaults/{role}", mayView, a.defaultsOf),
		a.at(backOffice, "POST", "/defaults/{role}", mayDefaults, a.setDefaults),
		a.at(backOffice, "POST", "/sign-out", web.Own, a.leaveBackOffice),
	)
}

// home leads to what somebody is here for.
func (a *app) home(w http.ResponseWriter, r *http.Request, s *seat) error {
	if !s.allowed(mayView) {
		return refusalAt(s.desk, mayView)
	}
	http.Redirect(w, r, s.base().organizations(), http.StatusSeeOther)
	return nil
}
