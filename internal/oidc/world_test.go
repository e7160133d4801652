package oidc_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"mandate/internal/app"
	"mandate/internal/application"
	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/federation"
	"mandate/internal/grant"
	"mandate/internal/guard"
	"mandate/internal/identity"
	"mandate/internal/oidc"
	"mandate/internal/outbox"
	"mandate/internal/route"
	"mandate/internal/seal"
	"mandate/internal/staff"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/browsertest"
	"mandate/internal/web/console"
)

func TestMain(m *testing.M) { browsertest.Main(m) }

const (
	cedar    = bank.InstitutionID("cedar")
	harbor   = bank.InstitutionID("harbor")
	password = "correct horse battery staple"
	callback = "https://loans.example/callback"
	left     = "https://loans.example/left"
)

func operator(at bank.InstitutionID) bank.Caller {
	return bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: at, Channel: bank.ChannelCommand}
}

// A world is the console and the provider behind one real server. At Cedar Bank
// work root, who may do everything, and ada, who edits pages.
type world struct {
	t            testing.TB
	d            *db.DB
	clock        *dbtest.Clock
	ring         *seal.Keyring
	guard        *guard.Guard
	staff        *staff.Service
	identity     *identity.Service
	applications *application.Service
	grants       *grant.Service
	provider     *oidc.Provider
	logouts      *outbox.Dispatcher
	server       *httptest.Server
	mails        []identity.Mail
	users        map[string]bank.StaffID
	log          *strings.Builder
}

func (w *world) Queue(_ *db.Tx, m identity.Mail) error {
	w.mails = append(w.mails, m)
	return nil
}

func (w *world) Cancel(_ *db.Tx, _ bank.InstitutionID, key string) error {
	w.mails = slices.DeleteFunc(w.mails, func(m identity.Mail) bool { return m.Key == key })
	return nil
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(t, newWorld(t, d)) })
}

func newWorld(t testing.TB, d *db.DB) *world {
	t.Helper()
	w := &world{t: t, d: d, clock: dbtest.ClockOf(t, d), users: map[string]bank.StaffID{}, log: &strings.Builder{}}
	w.clock.Set(time.Now().UTC().Truncate(time.Microsecond)) // the library has a clock of its own
	var err error
	w.ring, err = seal.Parse(seal.NewLine("test"))
	w.must(err)
	w.guard = guard.New(d, usermgmt.LoadPolicy, staff.Rights{}, identity.Proofs{})
	w.grants = grant.New(d, w.guard, app.ProductPeople{}, w.ring)
	w.grants.Closes = app.LogoutAddress
	w.guard.Watch(w.grants.Watch)
	w.server = httptest.NewUnstartedServer(nil)
	origin := "http://" + strings.Replace(w.server.Listener.Addr().String(), "127.0.0.1", "localhost", 1)
	w.identity, err = identity.New(identity.Config{
		DB: d, Guard: w.guard, People: app.People(), Mailer: w, Keys: w.ring, Clock: w.clock, Origins: []string{origin},
		Cost: identity.MinimumCost, ThrottleFactor: 1_000_000, RefusalTime: -1, SignedOut: w.grants.SignedOut,
	})
	w.must(err)
	w.staff = staff.New(w.guard, w.identity, app.House)
	log := slog.New(slog.NewTextHandler(w.log, nil))
	w.applications = application.New(d, w.guard, staff.Rights{}, log)
	w.must(d.Write(t.Context(), func(tx *db.Tx) error {
		if err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: cedar, Name: "Cedar Bank", TimeZone: "America/New_York", Accent: "#1f5f5b"}); err != nil {
			return err
		}
		return usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: harbor, Name: "Harbor Credit Union", TimeZone: "America/Chicago", Accent: "#264f8c"})
	}))
	w.provider, err = oidc.New(oidc.Config{
		Origin: origin, Grants: w.grants, Applications: w.applications, Clock: w.clock, Log: log,
		HasInstitution: func(_ context.Context, id bank.InstitutionID) (bool, error) { return id == cedar || id == harbor, nil },
		Used:           func(ctx context.Context, a application.Application) { w.applications.Used(ctx, a, w.clock.Now()) },
	})
	w.must(err)
	w.logouts = outbox.NewDispatcher(d, grant.Logout, (&oidc.Courier{Provider: w.provider, Local: true}).Deliver, log)
	pages, err := console.New(web.Site{
		Origin: origin, Key: []byte("a key of a test, thirty-two bytes"), Log: log, Clock: w.clock,
	}, console.Config{Institutions: usermgmt.New(w.guard, nil), Staff: w.staff, Customers: usermgmt.New(w.guard, nil), Identity: w.identity, Elsewhere: w.identity, Approvals: approval.New(d, w.guard, nil, nil), Outside: federation.New(origin, w.identity, w.clock, log, true), Products: w.provider, Grants: w.grants})
	w.must(err)
	mux := route.NewMux()
	w.provider.Mount(mux)
	mux.Mount("/", pages)
	w.server.Config.Handler = mux
	w.server.Start()
	w.server.URL = origin
	t.Cleanup(w.server.Close)
	w.users["root"], err = w.staff.InviteAdministrator(t.Context(), operator(cedar), address("root"))
	w.must(err)
	w.join(cedar, "root")
	w.add(cedar, "ada", "Editors", catalog.CMSPagesEdit)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func address(name string) string { return name + "@bank.example" }

var from = identity.Source{Channel: bank.ChannelPeople, IP: "192.0.2.7", Device: "Firefox on Linux"}

// add makes an active staff user in a group of their own.
func (w *world) add(at bank.InstitutionID, name, group string, rights ...catalog.StaffPermission) bank.StaffID {
	w.t.Helper()
	id, err := w.staff.CreateGroup(w.t.Context(), operator(at), staff.Draft{Name: group, Permissions: catalog.StaffSetOf(rights...)})
	w.must(err)
	outcomes, err := w.staff.Invite(w.t.Context(), operator(at), staff.Invitation{Emails: []string{address(name)}, Groups: []bank.GroupID{id}})
	w.must(err)
	w.users[name] = outcomes[0].User
	w.join(at, name)
	return outcomes[0].User
}

func (w *world) join(at bank.InstitutionID, name string) {
	w.t.Helper()
	link := string(w.mails[len(w.mails)-1].Link)
	browser, _, err := w.identity.Redeem(w.t.Context(), at, identity.PurposeInvitation, identity.Secret(link[strings.LastIndex(link, "/")+1:]), from)
	w.must(err)
	w.must(w.identity.Enrol(w.t.Context(), at, browser, "", password, from))
	g, err := w.identity.SignIn(w.t.Context(), identity.Attempt{Institution: at, Kind: identity.KindStaff, Username: address(name), Password: password, From: from})
	w.must(err)
	w.must(w.staff.EditOwn(w.t.Context(), g.Session.Caller, staff.Details{FirstName: strings.ToUpper(name[:1]) + name[1:], LastName: "Stone", Phone: "555-0100"}))
}

// product registers an application at Cedar Bank and returns its id and secret.
func (w *world) product(change ...func(*application.Draft)) (id, secret string) {
	return w.productAt(cedar, change...)
}

func (w *world) productAt(at bank.InstitutionID, change ...func(*application.Draft)) (id, secret string) {
	w.t.Helper()
	d := application.Draft{
		Name: "Loans " + name(), Partner: "Loan Works", Method: application.SecretBasic, Enabled: true,
		Grants:    []application.Grant{application.GrantCode, application.GrantRefresh},
		Redirects: []string{callback}, PostLogouts: []string{left},
		Scopes: []string{"openid", "profile", "email", "offline_access"},
	}
	for _, c := range change {
		c(&d)
	}
	a, given, err := w.applications.Create(w.t.Context(), operator(at), d)
	w.must(err)
	return string(a.ID), string(given)
}

func (w *world) issuer() string { return w.server.URL + "/cedar" }

// A visitor is a browser that runs no script. It stops where it would leave the
// server, and remembers where it would have gone.
type visitor struct {
	t      testing.TB
	w      *world
	client *http.Client
}

func (w *world) visitor() *visitor {
	jar, err := cookiejar.New(nil)
	w.must(err)
	return &visitor{w.t, w, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// A stop is where a visitor came to rest: a page, or an address elsewhere.
type stop struct {
	url    *url.URL
	status int
	header http.Header
	body   string
}

// query is what stands in the address, also after the mark that servers do not
// see.
func (s stop) query(name string) string {
	if behind, err := url.ParseQuery(s.url.Fragment); err == nil && behind.Has(name) {
		return behind.Get(name)
	}
	return s.url.Query().Get(name)
}

// away reports whether the visitor would have left the server.
func (s stop) away() bool { return s.status == 0 }

func (v *visitor) goTo(method, address string, form url.Values) stop {
	v.t.Helper()
	for range 15 {
		at, err := url.Parse(address)
		v.w.must(err)
		if !strings.HasPrefix(address, v.w.server.URL+"/") {
			return stop{url: at}
		}
		var body io.Reader
		if form != nil {
			body = strings.NewReader(form.Encode())
		}
		r, err := http.NewRequestWithContext(v.t.Context(), method, address, body)
		v.w.must(err)
		if form != nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Origin", v.w.server.URL)
		}
		got, err := v.client.Do(r)
		v.w.must(err)
		text, err := io.ReadAll(got.Body)
		got.Body.Close()
		v.w.must(err)
		next := got.Header.Get("Location")
		if _, to, ok := strings.Cut(got.Header.Get("Refresh"), "url="); ok {
			next = to
		}
		if next == "" {
			return stop{at, got.StatusCode, got.Header, string(text)}
		}
		to, err := at.Parse(next)
		v.w.must(err)
		method, form, address = http.MethodGet, nil, to.String()
	}
	v.t.Fatal("the browser was led in circles")
	return stop{}
}

func (v *visitor) get(address string) stop {
	v.t.Helper()
	return v.goTo(http.MethodGet, address, nil)
}

var csrf = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// submit sends the form of a page.
func (v *visitor) submit(page stop, action string, form url.Values) stop {
	v.t.Helper()
	found := csrf.FindStringSubmatch(page.body)
	if found == nil {
		v.t.Fatalf("%s (%d) has no form: %s", page.url, page.status, page.text())
	}
	form.Set("csrf", found[1])
	if action == "" {
		action = page.url.RequestURI()
	}
	return v.goTo(http.MethodPost, v.w.server.URL+action, form)
}

// signIn fills in the sign-in page where the visitor stands.
func (v *visitor) signIn(page stop, name string) stop {
	v.t.Helper()
	if !strings.HasSuffix(page.url.Path, "/sign-in") {
		v.t.Fatalf("stands at %s and not at the sign-in: %s", page.url, page.text())
	}
	v.w.clock.Advance(time.Second) // no two sign-ins are of one moment
	return v.submit(page, page.url.Path, url.Values{"username": {address(name)}, "password": {password}, "return": {page.query("return")}})
}

var (
	tags   = regexp.MustCompile(`(?s)<script.*?</script>|<svg.*?</svg>|<[^>]*>`)
	blanks = regexp.MustCompile(`\s+`)
)

func (s stop) text() string {
	return strings.TrimSpace(blanks.ReplaceAllString(tags.ReplaceAllString(s.body, " "), " "))
}
