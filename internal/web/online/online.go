// Package online is Online, the business customer's app: signing in, the
// accounts one may see, one's own standing, and Settings > User management. It
// parses, calls one verb of a room and renders. It holds no rule: what somebody
// may do, what a change brings along and why something is refused are answers
// of package entitlement, by way of the rooms.
package online

import (
	"context"
	"net/http"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/entrance"
)

// Users is what the app needs of the room of organizations and their people.
type Users interface {
	Institution(context.Context, bank.InstitutionID) (usermgmt.Institution, error)
	Logo(context.Context, bank.InstitutionID) (usermgmt.Logo, error)
	Standing(context.Context, bank.Caller) (usermgmt.Standing, error)
	Mine(context.Context, bank.Caller) (usermgmt.Profile, error)
	List(context.Context, bank.Caller, bank.OrganizationID, usermgmt.MemberQuery) (usermgmt.MemberPage, error)
	Profile(context.Context, bank.Caller, usermgmt.Person) (usermgmt.Profile, error)
	Preview(context.Context, bank.Caller, usermgmt.Edit) (usermgmt.Preview, usermgmt.Profile, error)
	SavePermissions(context.Context, bank.Caller, usermgmt.Edit) (int64, error)
	Explain(context.Context, bank.Caller, usermgmt.Person, entitlement.Request) (entitlement.Explanation, usermgmt.Profile, error)
	History(context.Context, bank.Caller, usermgmt.Person, activity.Filter) ([]activity.Event, error)
	RoleDefaults(context.Context, bank.Caller, bank.OrganizationID) (map[bank.Role]entitlement.Settings, error)
	Managing
}

// Identity is what the app needs of the room of proving who somebody is.
type Identity = entrance.Identity

// A Config is what the app is made of. Notice is one line above every page,
// such as "Demo data"; it may be empty.
type Config struct {
	Users    Users
	Identity Identity
	Alerts   Alerts
	Money    Money
	Host     Host
	Notice   string
	Faults   *Faults // nil but in a demo
}

type app struct {
	users  Users
	alerts Alerts
	money  Money
	host   Host
	site   *web.Site
	door   *entrance.Door
	notice string
	faults *Faults
}

// New makes the app of a site that has its Origin and Key, and what else is of
// the deployment; everything else of the site is set here.
func New(site web.Site, cfg Config) (http.Handler, error) {
	site.App = "online"
	a := &app{users: cfg.Users, alerts: cfg.Alerts, money: cfg.Money, host: cfg.Host, site: &site, notice: cfg.Notice, faults: cfg.Faults}
	if cfg.Faults != nil {
		a.users = faulty{cfg.Users, cfg.Faults}
	}
	a.door = entrance.New(entrance.Config{
		Kind: identity.KindMember, Channel: bank.ChannelOnline, App: "Online", Notice: cfg.Notice, Site: &site, Identity: cfg.Identity,
		House: a.house, Shell: a.ownShell, Logo: a.logo,
	})
	site.Authenticate, site.SignIn, site.Dress = a.door.Authenticate, a.door.SignInAddress, a.door.Dress
	return site.Handler(a.routes())
}

// house is an institution as the doors show it.
func (a *app) house(ctx context.Context, id bank.InstitutionID) (entrance.House, error) {
	i, err := a.users.Institution(ctx, id)
	return entrance.House{ID: i.ID, Name: i.Name, Accent: i.Accent, Logo: i.Logo, Place: i.Place()}, err
}

func (a *app) logo(ctx context.Context, id bank.InstitutionID) (string, []byte, error) {
	l, err := a.users.Logo(ctx, id)
	return l.ETag, l.PNG, err
}

// A proof is what the page of a high-risk authorization says.
type proof = entrance.Proof

// proven does something that may need a high-risk authorization.
func (a *app) proven(w http.ResponseWriter, r *http.Request, ask func() (proof, error), do func() error) (done bool, err error) {
	return a.door.Proven(w, r, ask, do)
}

// me is the standing of whoever is signed in.
func (a *app) me(r *http.Request) (usermgmt.Standing, error) {
	return a.users.Standing(r.Context(), web.CallerOf(r.Context()))
}

// person is whom the path names, in the caller's own organization.
func person(r *http.Request) usermgmt.Person {
	return usermgmt.Person{Organization: web.CallerOf(r.Context()).Organization, User: bank.UserID(r.PathValue("user"))}
}

func isRefusal(err error) bool { return fault.KindOf(err) == fault.Forbidden }
