// Package entrance is the screens on which people show who they are: signing
// in, invitations, forgotten passwords, second factors, one's own security, and
// the question before something risky. Online and the console have the same, in
// the words of their people. It holds no rule: those are identity's.
package entrance

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// Identity is what the screens need of the room of proving who somebody is.
type Identity interface {
	SignIn(context.Context, identity.Attempt) (identity.Granted, error)
	Session(context.Context, bank.InstitutionID, identity.Secret, identity.Source) (identity.Session, error)
	SignOut(context.Context, bank.InstitutionID, identity.Secret) error
	AskProof(context.Context, bank.Caller, identity.Challenge) ([]identity.Method, error)
	Prove(context.Context, bank.Caller, identity.Challenge, identity.Answer) error
	Doors
	Safety
	SeesAs
	SignOn(context.Context, bank.InstitutionID, identity.Secret, identity.Source) (identity.Granted, error)
}

// A House is an institution as its doors show it.
type House struct {
	ID           bank.InstitutionID
	Name, Accent string
	Logo         string         // what its logo is known by; empty where it has none
	Place        *time.Location // where its day begins and ends
}

// Look is the house as the shell of a page shows it.
func (h House) Look() ui.Institution { return Look(h.ID, h.Name, h.Accent, h.Logo) }

// Look is an institution as the shell of a page shows it, with the address of
// its logo.
func Look(id bank.InstitutionID, name, accent, logo string) ui.Institution {
	look := ui.Institution{Name: name, Accent: accent}
	if logo != "" {
		look.Logo = BaseFor(id).At("/logo?v=" + url.QueryEscape(logo))
	}
	return look
}

// A Config is what the screens are of.
type Config struct {
	Kind     identity.Kind // whose entrance it is
	Channel  bank.Channel
	App      string // what it is called: "Online"
	Notice   string // one line above every page; may be empty
	Site     *web.Site
	Identity Identity

	// House is the institution of that name, or a fault of kind NotFound.
	House func(context.Context, bank.InstitutionID) (House, error)
	// Logo is an institution's logo, a PNG, and what it is known by; nil: none has.
	Logo func(context.Context, bank.InstitutionID) (etag string, png []byte, err error)
	// Outside is the way in through an institution's own provider; nil: there is none.
	Outside Outside
	// Shell is what stands around the pages of whoever is signed in.
	Shell func(r *http.Request, title string, crumbs ...ui.Link) (ui.Shell, error)
}

// A Door is the entrance of one app.
type Door struct {
	Config
	words words
}

// New returns the entrance of an app. Its Routes are added to the app's own.
func New(cfg Config) *Door { return &Door{Config: cfg, words: wordsFor(cfg.Kind)} }

// Routes are all addresses of the entrance, each with what it needs.
func (d *Door) Routes() []web.Route {
	anybody := web.Needs{Who: web.Anybody, Institution: web.FromPath}
	routes := []web.Route{
		{Method: "GET", Pattern: "/{institution}", Handler: d.enter, Needs: anybody},
		{Method: "GET", Pattern: "/{institution}/{$}", Handler: d.enter, Needs: anybody},
		{Method: "GET", Pattern: "/{institution}/sign-in", Handler: d.signInPage, Needs: anybody},
		{Method: "POST", Pattern: "/{institution}/sign-in", Handler: d.signIn, Needs: anybody},
		{Method: "POST", Pattern: "/{institution}/sign-out", Handler: d.signOut, Needs: anybody},
	}
	if d.Logo != nil {
		routes = append(routes, web.Route{Method: "GET", Pattern: "/{institution}/logo", Handler: d.logo, Needs: anybody})
	}
	security := d.securityRoutes()
	for i := range security {
		security[i].Private = true
	}
	if d.Kind == identity.KindMember {
		routes = append(append(routes, d.seeAsRoutes()...), d.signOnRoutes()...)
	}
	return append(append(append(routes, d.entryRoutes()...), d.outsideRoutes()...), security...)
}

// logo is the institution's. A browser may keep it as long as it likes: the
// address changes with it.
//
// GET /{institution}/logo
func (d *Door) logo(w http.ResponseWriter, r *http.Request) error {
	etag, png, err := d.Config.Logo(r.Context(), BaseOf(r).Institution())
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("ETag", strconv.Quote(etag))
	h.Set("Cache-Control", "public, max-age=86400")
	if r.Header.Get("If-None-Match") == strconv.Quote(etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", "image/png")
	_, err = w.Write(png)
	return err
}

// Authenticate finds out who asks. The sign-in must be of the institution that
// the path names: at any other it is none. So is one of the other kind of people.
func (d *Door) Authenticate(r *http.Request) (context.Context, error) {
	if ctx, err := d.seeing(r); err == nil || fault.KindOf(err) != fault.Unauthorized {
		return ctx, err
	}
	token := d.Site.Session(r)
	if token == "" {
		return nil, identity.ErrSignedOut
	}
	session, err := d.Identity.Session(r.Context(), BaseOf(r).Institution(), identity.Secret(token), d.Source(r))
	if err == nil && session.Subject.Kind != d.Kind {
		err = identity.ErrSignedOut
	}
	if err != nil {
		return nil, err
	}
	return context.WithValue(web.WithCaller(r.Context(), session.Caller), endsKey{}, session.Ends), nil
}

type endsKey struct{}

// EndsAt is when the sign-in of a request ends, however much it is used; zero
// where nobody is signed in.
func EndsAt(ctx context.Context) time.Time {
	ends, _ := ctx.Value(endsKey{}).(time.Time)
	return ends
}

// Source is where a request comes from.
func (d *Door) Source(r *http.Request) identity.Source {
	ip := ""
	if addr := d.Site.Source(r); addr.IsValid() {
		ip = addr.String()
	}
	return identity.Source{Channel: d.Channel, IP: ip, Device: DeviceName(r.UserAgent()), DeviceToken: d.kept(r, keptDevice),
		Unattended: r.Header.Get("Mandate-Unattended") == "true"}
}

// SignInAddress is where somebody goes who must sign in first: they come back
// to the page they asked for.
func (d *Door) SignInAddress(r *http.Request) string {
	q := url.Values{}
	if r.Method == http.MethodGet {
		q.Set("return", r.URL.RequestURI())
	}
	if d.Site.Session(r) != "" {
		q.Set("because", becauseEnded)
	}
	return BaseOf(r).SignIn() + "?" + q.Encode()
}

// Dress puts an error page into the app: with the navigation for somebody who
// is signed in, otherwise as plainly as the sign-in.
func (d *Door) Dress(r *http.Request, title string, content templ.Component) templ.Component {
	if web.CallerOf(r.Context()).Kind != "" {
		if shell, err := d.Shell(r, title); err == nil {
			return ui.Within(ui.Page(shell), content)
		}
	}
	entry := ui.Entry{Title: title, Institution: ui.Institution{Name: "Mandate"}, Wide: true}
	if i, err := d.house(r); err == nil {
		entry = d.entry(i, title)
		entry.Wide = true
	}
	return ui.Within(ui.EntryPage(entry), content)
}

func (d *Door) entry(i House, title string) ui.Entry {
	return ui.Entry{Title: title, Institution: i.Look(), App: d.App, Home: BaseFor(i.ID).SignIn(), Notice: d.Notice}
}

// house is the institution that the path names.
func (d *Door) house(r *http.Request) (House, error) {
	return d.House(r.Context(), BaseOf(r).Institution())
}

// A Base is the first part of a path: the institution's.
type Base string

// BaseOf is the base of a request's path.
func BaseOf(r *http.Request) Base { return BaseOfPath(r.URL.EscapedPath()) }

// BaseOfPath is the base of a path as it stands in an address.
func BaseOfPath(escaped string) Base {
	first, _, _ := strings.Cut(strings.TrimPrefix(escaped, "/"), "/")
	if plain, err := url.PathUnescape(first); err == nil {
		first = plain
	}
	return Base("/" + url.PathEscape(first))
}

// BaseFor is an institution's base.
func BaseFor(id bank.InstitutionID) Base { return Base("/" + url.PathEscape(string(id))) }

// Institution is whose base it is.
func (b Base) Institution() bank.InstitutionID {
	id, err := url.PathUnescape(strings.TrimPrefix(string(b), "/"))
	if err != nil {
		return ""
	}
	return bank.InstitutionID(id)
}

// At is an address below the base.
func (b Base) At(path string) string { return string(b) + path }

// Addresses to which an app leads from its own pages.
func (b Base) Home() string     { return b.At("/home") }
func (b Base) SignIn() string   { return b.At("/sign-in") }
func (b Base) SignOut() string  { return b.At("/sign-out") }
func (b Base) Security() string { return b.At("/security") }
