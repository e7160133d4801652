// Package online is Online, the business customer's app: signing in, the
// accounts one may see, one's own standing, and Settings > User management. It
// parses, calls one verb of a room and renders. It holds no rule: what somebody
// may do, what a change brings along and why something is refused are answers
// of package entitlement, by way of the rooms.
package online

import (
	"context"
	"net/http"
	"net/url"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
)

// Users is what the app needs of the room of organizations and their people.
type Users interface {
	Institution(context.Context, bank.InstitutionID) (usermgmt.Institution, error)
	Standing(context.Context, bank.Caller) (usermgmt.Standing, error)
	Mine(context.Context, bank.Caller) (usermgmt.Profile, error)
	List(context.Context, bank.Caller, bank.OrganizationID, usermgmt.MemberQuery) (usermgmt.MemberPage, error)
	Profile(context.Context, bank.Caller, usermgmt.Person) (usermgmt.Profile, error)
	Preview(context.Context, bank.Caller, usermgmt.Edit) (usermgmt.Preview, usermgmt.Profile, error)
	SavePermissions(context.Context, bank.Caller, usermgmt.Edit) (int64, error)
	Explain(context.Context, bank.Caller, usermgmt.Person, entitlement.Request) (entitlement.Explanation, usermgmt.Profile, error)
	History(context.Context, bank.Caller, usermgmt.Person, activity.Filter) ([]activity.Event, error)
	Managing
}

// Identity is what the app needs of the room of proving who somebody is.
type Identity interface {
	SignIn(context.Context, identity.Attempt) (identity.Granted, error)
	Session(context.Context, bank.InstitutionID, identity.Secret, identity.Source) (identity.Session, error)
	SignOut(context.Context, bank.InstitutionID, identity.Secret) error
	AskProof(context.Context, bank.Caller, identity.Challenge) ([]identity.Method, error)
	Prove(context.Context, bank.Caller, identity.Challenge, identity.Answer) error
	Doors
	Safety
}

// A Config is what the app is made of. Notice is one line above every page,
// such as "Demo data"; it may be empty.
type Config struct {
	Users    Users
	Identity Identity
	Alerts   Alerts
	Money    Money
	Notice   string
	Faults   *Faults // nil but in a demo
}

type app struct {
	users    Users
	identity Identity
	alerts   Alerts
	money    Money
	site     *web.Site
	notice   string
	faults   *Faults
}

// New makes the app of a site that has its Origin and Key, and what else is of
// the deployment; everything else of the site is set here.
func New(site web.Site, cfg Config) (http.Handler, error) {
	site.App = "online"
	a := &app{users: cfg.Users, identity: cfg.Identity, alerts: cfg.Alerts, money: cfg.Money, site: &site, notice: cfg.Notice, faults: cfg.Faults}
	if cfg.Faults != nil {
		a.users = faulty{cfg.Users, cfg.Faults}
	}
	site.Authenticate, site.SignIn, site.Dress = a.authenticate, a.signInAddress, a.dress
	return site.Handler(a.routes())
}

// authenticate finds out who asks. The sign-in must be of the institution that
// the path names: at any other it is none.
func (a *app) authenticate(r *http.Request) (context.Context, error) {
	token := a.site.Session(r)
	if token == "" {
		return nil, identity.ErrSignedOut
	}
	session, err := a.identity.Session(r.Context(), baseOf(r).institution(), identity.Secret(token), a.source(r))
	if err != nil {
		return nil, err
	}
	return web.WithCaller(r.Context(), session.Caller), nil
}

func (a *app) source(r *http.Request) identity.Source {
	ip := ""
	if addr := a.site.Source(r); addr.IsValid() {
		ip = addr.String()
	}
	return identity.Source{Channel: bank.ChannelOnline, IP: ip, Device: deviceName(r.UserAgent()), DeviceToken: a.kept(r, keptDevice)}
}

// signInAddress is where somebody goes who must sign in first: they come back
// to the page they asked for.
func (a *app) signInAddress(r *http.Request) string {
	q := url.Values{}
	if r.Method == http.MethodGet {
		q.Set("return", r.URL.RequestURI())
	}
	if a.site.Session(r) != "" {
		q.Set("because", becauseEnded)
	}
	return baseOf(r).signIn() + "?" + q.Encode()
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
