package office_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/web"
	"mandate/internal/web/office"
)

const (
	cedar    = bank.InstitutionID("cedar")
	elm      = bank.InstitutionID("elm") // a credit union
	acme     = host.Ref("1001")
	birch    = host.Ref("1002")
	password = "correct horse battery staple"
)

var core = hostsim.By{Channel: host.Core}

// A world is the simulator's screens behind a real server, with a product that
// is a list of names.
type world struct {
	t       *testing.T
	bank    *hostsim.Bank
	clock   *dbtest.Clock
	server  *httptest.Server
	product *product
	letters []office.Letter
}

func newWorld(t *testing.T) *world {
	t.Helper()
	d := dbtest.SQLiteWith(t, dbtest.Options{Migrations: hostsim.Migrations()})
	w := &world{t: t, bank: hostsim.New(d, hostsim.Options{}), clock: dbtest.ClockOf(t, d)}
	w.product = &product{passwords: map[string]string{}, users: map[string]host.Ref{}, tokens: map[string]office.Entered{}}
	ctx := t.Context()
	for _, o := range []struct {
		ref  host.Ref
		name string
	}{{acme, "Acme Tools"}, {birch, "Birch & Sons"}} {
		w.must(w.bank.PutOrganization(ctx, cedar, core, o.ref, o.name))
		w.must(w.bank.PutAccount(ctx, cedar, core, o.ref, host.Account{Ref: o.ref + "-op", Name: "Operating", Kind: "checking", LastFour: "4321"}))
		w.must(w.bank.PutAccount(ctx, cedar, core, o.ref, host.Account{Ref: o.ref + "-pay", Name: "Payroll", Kind: "checking", LastFour: "8765"}))
	}
	for _, role := range []bank.Role{bank.RoleUser, bank.RoleViewer, bank.RoleAdmin} {
		w.must(w.bank.SetDefaults(ctx, cedar, core, role, 0, map[string]string{"transfers.enabled": "true", "wires.per_wire_limit": "500.00"}))
	}
	w.server = httptest.NewUnstartedServer(nil)
	origin := "http://" + strings.Replace(w.server.Listener.Addr().String(), "127.0.0.1", "localhost", 1)
	zone, err := time.LoadLocation("America/New_York")
	w.must(err)
	house := office.House{ID: cedar, Name: "Cedar Bank", Accent: "#1f5f5b", Edition: bank.EditionBank, Place: zone, Online: "http://online.example", Product: w.product}
	union := house
	union.ID, union.Name, union.Edition = elm, "Elm Credit Union", bank.EditionCreditUnion
	handler, err := office.New(web.Site{Origin: origin, Key: []byte("a key of a test, thirty-two bytes"), Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Clock: w.clock},
		office.Config{Bank: w.bank, Houses: []office.House{house, union}, Mail: w})
	w.must(err)
	w.server.Config.Handler = handler
	w.server.Start()
	w.server.URL = origin
	t.Cleanup(w.server.Close)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) Send(_ context.Context, l office.Letter) error {
	w.letters = append(w.letters, l)
	return nil
}

// make makes a user in the core, with access to the first account.
func (w *world) make(organization host.Ref, first string, role bank.Role, status bank.Status) host.User {
	w.t.Helper()
	u, err := w.bank.Create(w.t.Context(), cedar, core, hostsim.NewUser{Organization: organization, FirstName: first, LastName: "Diaz", Email: strings.ToLower(first) + "@acme.example", Role: role,
		Accounts: map[host.Ref]map[string]string{organization + "-op": {}}})
	w.must(err)
	if status != bank.StatusPending {
		u, err = w.bank.SetStatus(w.t.Context(), cedar, core, u.Ref, u.Version, status)
		w.must(err)
	}
	return u
}

func (w *world) look(ref host.Ref) host.User {
	w.t.Helper()
	u, err := w.bank.User(w.t.Context(), cedar, ref)
	w.must(err)
	return u
}

// A product knows usernames and passwords.
type product struct {
	passwords map[string]string
	users     map[string]host.Ref
	tokens    map[string]office.Entered
	second    string // the code that must follow a password; empty: none
}

var refused = fault.New(fault.Unauthorized, "We couldn't sign you in. Check your username and password, or ask your administrator.")

func (p *product) knows(username string, ref host.Ref) {
	p.passwords[username], p.users[username] = password, ref
}

func (p *product) SignIn(_ context.Context, username, given string, _ office.Visitor) (office.Entered, error) {
	if p.passwords[username] == "" || p.passwords[username] != given {
		return office.Entered{}, refused
	}
	e := office.Entered{Token: "token of " + username, Stage: office.StageComplete, User: p.users[username]}
	if p.second != "" {
		e.Stage, e.Codes = "second_factor", p.second != "passkey"
	}
	p.tokens[e.Token] = e
	return e, nil
}

func (p *product) Code(_ context.Context, token, code string, _ office.Visitor) (office.Entered, error) {
	e, known := p.tokens[token]
	if !known || code != p.second {
		return office.Entered{}, refused
	}
	e.Stage = office.StageComplete
	p.tokens[token] = e
	return e, nil
}

func (p *product) Session(_ context.Context, token string, _ office.Visitor) (office.Entered, error) {
	if e, known := p.tokens[token]; known && e.Stage == office.StageComplete {
		return e, nil
	}
	return office.Entered{}, refused
}

func (p *product) SignOut(_ context.Context, token string) error {
	delete(p.tokens, token)
	return nil
}

func (p *product) Enrol(_ context.Context, user host.Ref, username, given string, _ office.Visitor) error {
	var problems fault.Problems
	if len(given) < 15 {
		problems.Add("password", "Use at least 15 characters.")
	}
	if p.passwords[username] != "" {
		problems.Add("username", "Somebody has this username.")
	}
	if err := problems.Err("Some of this cannot be used."); err != nil {
		return err
	}
	p.passwords[username], p.users[username] = given, user
	return nil
}

func (p *product) Ticket(_ context.Context, token string, _ office.Visitor) (string, error) {
	return "/cedar/sign-on/" + url.PathEscape("ticket for "+token), nil
}

// A visitor is a browser without scripts.
type visitor struct {
	w      *world
	client *http.Client
}

func (w *world) visitor() *visitor {
	jar, err := cookiejar.New(nil)
	w.must(err)
	return &visitor{w, &http.Client{Jar: jar}}
}

// staff is a browser in which somebody of the bank is signed in.
func (w *world) staff(permissions ...string) *visitor {
	v := w.visitor()
	token, err := w.bank.OpenClerk(w.t.Context(), cedar, hostsim.Clerk{Subject: "stf_kim", SignIn: "sin_1", Name: "Kim Park", Email: "kim@cedar.example", Permissions: permissions})
	w.must(err)
	at, err := url.Parse(w.server.URL)
	w.must(err)
	v.client.Jar.SetCookies(at, []*http.Cookie{{Name: "mandate_office", Value: token, Path: "/"}})
	return v
}

// customer is a browser in which somebody is signed in to Classic.
func (w *world) customer(username string) *visitor {
	w.t.Helper()
	v := w.visitor()
	v.post("/cedar/classic/sign-in", url.Values{"username": {username}, "password": {password}}).at("/cedar/classic").sees("Welcome")
	return v
}

// A page is an answer.
type page struct {
	v      *visitor
	status int
	path   string
	body   string
}

func (v *visitor) get(path string) page {
	v.w.t.Helper()
	return v.do(http.NewRequest("GET", v.w.server.URL+path, nil))
}

var tokenField = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// post sends a form, with the token that pages of this browser carry.
func (v *visitor) post(path string, form url.Values) page {
	v.w.t.Helper()
	token := tokenField.FindStringSubmatch(v.get("/_form").body) // whatever the page is
	if token == nil {
		token = tokenField.FindStringSubmatch(v.get("/cedar/classic/sign-in").body)
	}
	form.Set("csrf", token[1])
	r, err := http.NewRequest("POST", v.w.server.URL+path, strings.NewReader(form.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return v.do(r, err)
}

func (v *visitor) do(r *http.Request, err error) page {
	v.w.t.Helper()
	v.w.must(err)
	answer, err := v.client.Do(r)
	v.w.must(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	v.w.must(err)
	return page{v, answer.StatusCode, answer.Request.URL.Path, string(body)}
}

func (p page) at(path string) page {
	p.v.w.t.Helper()
	if p.path != path {
		p.v.w.t.Fatalf("at %s (%d), want %s:\n%s", p.path, p.status, path, p.text())
	}
	return p
}

func (p page) is(status int) page {
	p.v.w.t.Helper()
	if p.status != status {
		p.v.w.t.Fatalf("%s is %d, want %d:\n%s", p.path, p.status, status, p.text())
	}
	return p
}

func (p page) sees(texts ...string) page {
	p.v.w.t.Helper()
	for _, text := range texts {
		if !strings.Contains(p.text(), text) {
			p.v.w.t.Errorf("%s does not say %q:\n%s", p.path, text, p.text())
		}
	}
	return p
}

func (p page) missing(texts ...string) page {
	p.v.w.t.Helper()
	for _, text := range texts {
		if strings.Contains(p.text(), text) {
			p.v.w.t.Errorf("%s says %q:\n%s", p.path, text, p.text())
		}
	}
	return p
}

var (
	tags  = regexp.MustCompile(`(?s)<svg.*?</svg>|<[^>]*>`)
	blank = regexp.MustCompile(`\s+`)
	signs = strings.NewReplacer("&#39;", "'", "&amp;", "&", "&#34;", `"`)
)

func (p page) text() string {
	return signs.Replace(blank.ReplaceAllString(tags.ReplaceAllString(p.body, " "), " "))
}
