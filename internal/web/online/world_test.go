package online_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/identity"
	"mandate/internal/seal"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/browsertest"
	"mandate/internal/web/online"
)

func TestMain(m *testing.M) { browsertest.Main(m) }

const (
	cedar     = bank.InstitutionID("cedar")
	northwind = bank.OrganizationID("org_northwind")
	password  = "correct horse battery staple"
)

// A world is Cedar Bank with one customer, Northwind Trading, behind a real
// server: Ana and Ben are admins, Vera views, Dana works, Uma may nothing.
type world struct {
	t        testing.TB
	d        *db.DB
	users    *usermgmt.Service
	identity *identity.Service
	org      usermgmt.Organization
	accounts []*usermgmt.Account
	server   *httptest.Server
	host     online.Host // nil: nobody is on the way
}

func newWorld(t testing.TB, d *db.DB) *world { return newWorldBeside(t, d, nil) }

// newWorldBeside is a world beside a host that knows people.
func newWorldBeside(t testing.TB, d *db.DB, host online.Host) *world {
	t.Helper()
	w := &world{t: t, d: d, host: host}
	door := guard.New(d, usermgmt.LoadPolicy, nil, identity.Proofs{})
	var err error
	w.identity, err = identity.New(identity.Config{
		DB: d, Guard: door, People: usermgmt.People{}, Mailer: noMail{}, Keys: keys(t), Clock: dbtest.ClockOf(t, d),
		Cost: identity.MinimumCost, ThrottleFactor: 1_000_000, RefusalTime: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.users = usermgmt.New(door, nil)
	w.build()
	w.serve()
	return w
}

// noMail is for people who are sent nothing here.
type noMail struct{}

func (noMail) Queue(*db.Tx, identity.Mail) error               { return nil }
func (noMail) Cancel(*db.Tx, bank.InstitutionID, string) error { return nil }

func keys(t testing.TB) *seal.Keyring {
	t.Helper()
	ring, err := seal.Parse(seal.NewLine("test"))
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func (w *world) serve() {
	w.t.Helper()
	w.server = httptest.NewUnstartedServer(nil)
	origin := "http://" + strings.Replace(w.server.Listener.Addr().String(), "127.0.0.1", "localhost", 1)
	handler, err := online.New(web.Site{
		Origin: origin, Key: []byte("a key of a test, thirty-two bytes"), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}, online.Config{Users: w.users, Identity: w.identity, Host: w.host})
	if err != nil {
		w.t.Fatal(err)
	}
	w.server.Config.Handler = handler
	w.server.Start()
	w.server.URL = origin
	w.t.Cleanup(w.server.Close)
}

func (w *world) write(f func(tx *db.Tx) error) {
	w.t.Helper()
	if err := w.d.Write(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

// everything is every entitlement.
func everything() (all catalog.EntitlementSet) {
	for _, e := range catalog.Entitlements() {
		all = all.With(e)
	}
	return all
}

func (w *world) build() {
	w.org = usermgmt.Organization{
		Institution: cedar, ID: northwind, ExternalID: "4471", Name: "Northwind Trading", Address: "18 Harbor Street, Portland, ME 04101",
		Phone: "207-555-0142", Email: "office@northwind.example", Entitlements: everything().Without(catalog.Cards),
		Ceilings: entitlement.Limits{}.With(catalog.LimitPerWire, 50_000_00).With(catalog.LimitWiresDaily, 100_000_00).With(catalog.LimitACHDaily, 250_000_00),
	}
	w.write(func(tx *db.Tx) error {
		err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: cedar, Name: "Cedar Bank", TimeZone: "America/New_York", Offers: everything().Without(catalog.Stops), Accent: "#1f5f5b"})
		if err != nil {
			return err
		}
		if err := usermgmt.InsertOrganization(tx, &w.org); err != nil {
			return err
		}
		for i, a := range []usermgmt.Account{
			{ID: "acc_operating", Name: "Operating", Number: "0137", Kind: "checking"},
			{ID: "acc_payroll", Name: "Payroll", Number: "4821", Kind: "checking"},
			{ID: "acc_tax", Name: "Tax reserve", Number: "7730", Kind: "savings"},
		} {
			w.accounts = append(w.accounts, &a)
			if err := usermgmt.InsertAccount(tx, w.org.Num, w.accounts[i]); err != nil {
				return err
			}
		}
		return nil
	})
	manage := entitlement.Settings{On: catalog.SetOf(catalog.UserManagementEnabled)}
	w.add("ana", "Ana", "Ruiz", bank.RoleAdmin, bank.StatusActive, manage)
	w.add("ben", "Ben", "Chen", bank.RoleAdmin, bank.StatusActive, manage)
	w.add("vera", "Vera", "Novak", bank.RoleViewer, bank.StatusActive, manage)
	w.add("dana", "Dana", "Diaz", bank.RoleUser, bank.StatusActive, danas(), "acc_operating", "acc_payroll")
	w.add("uma", "Uma", "Lind", bank.RoleUser, bank.StatusActive, entitlement.Settings{})
}

// danas are the permissions of somebody who sends wires: the parent of
// everything is on, and dual control above $10,000.
func danas() entitlement.Settings {
	return entitlement.Settings{
		On: catalog.SetOf(catalog.WiresEnabled, catalog.WiresWork, catalog.WiresTransmit, catalog.WiresDualControl, catalog.WiresOneTimeCreate,
			catalog.ACHEnabled, catalog.TransfersEnabled, catalog.TransfersAllow),
		Limits: entitlement.Limits{}.With(catalog.LimitPerWire, 25_000_00).With(catalog.LimitWiresDaily, 60_000_00).
			With(catalog.LimitWiresDual, 10_000_00).With(catalog.LimitTransfer, 5_000_00),
	}
}

func onAccount() entitlement.Settings {
	return entitlement.Settings{On: catalog.SetOf(catalog.AccountAccess, catalog.WiresWork, catalog.WiresTransmit, catalog.TransfersFrom, catalog.TransfersTo)}
}

func userID(username string) bank.UserID { return bank.UserID("usr_" + username) }

// add makes a person with credentials, and the named accounts.
func (w *world) add(username, first, last string, role bank.Role, status bank.Status, s entitlement.Settings, accounts ...bank.AccountID) usermgmt.Member {
	w.t.Helper()
	m := usermgmt.Member{ID: userID(username), FirstName: first, LastName: last, Email: username + "@northwind.example", Role: role, Status: status, Settings: s}
	hash, err := w.identity.Hash(w.t.Context(), password)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(func(tx *db.Tx) error {
		if err := usermgmt.InsertMember(tx, cedar, w.org.Num, &m); err != nil {
			return err
		}
		for _, a := range w.accounts {
			for _, wanted := range accounts {
				if a.ID == wanted {
					if err := usermgmt.SetMemberAccount(tx, w.org.Num, m.Ordinal, a.Ordinal, onAccount()); err != nil {
						return err
					}
				}
			}
		}
		if status == bank.StatusPending {
			return nil
		}
		return w.identity.PutCredential(tx, identity.Member(cedar, m.ID), username, hash)
	})
	return m
}

// A visitor is somebody with a browser that runs no script.
type visitor struct {
	t      testing.TB
	w      *world
	client *http.Client
}

func (w *world) visitor() *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &visitor{t: w.t, w: w, client: &http.Client{Jar: jar}}
}

// as is somebody who has signed in.
func (w *world) as(username string) *visitor {
	w.t.Helper()
	v := w.visitor()
	v.get("/cedar/sign-in")
	got := v.post("/cedar/sign-in", url.Values{"username": {username}, "password": {password}})
	if !strings.HasSuffix(got.url, "/cedar/home") {
		w.t.Fatalf("sign in as %s: ended at %s: %s", username, got.url, got.text())
	}
	return v
}

// An answer is a page after all redirects.
type answer struct {
	url    string
	status int
	body   string
}

func (v *visitor) do(r *http.Request) answer {
	v.t.Helper()
	got, err := v.client.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return answer{got.Request.URL.RequestURI(), got.StatusCode, string(body)}
}

func (v *visitor) get(path string) answer {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), "GET", v.w.server.URL+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.do(r)
}

// post sends a form as the page of the same path, or the sign-in, gave it.
func (v *visitor) post(path string, form url.Values) answer {
	v.t.Helper()
	form.Set("csrf", v.token())
	r, err := http.NewRequestWithContext(v.t.Context(), "POST", v.w.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", v.w.server.URL)
	return v.do(r)
}

var csrf = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

func (v *visitor) token() string {
	v.t.Helper()
	found := csrf.FindStringSubmatch(v.get("/cedar/sign-in").body)
	if found == nil {
		v.t.Fatal("the sign-in has no form token")
	}
	return found[1]
}

var tags = regexp.MustCompile(`(?s)<script.*?</script>|<svg.*?</svg>|<[^>]*>`)
var blanks = regexp.MustCompile(`\s+`)

// text is what can be read.
func (a answer) text() string {
	plain := strings.NewReplacer("&#39;", "'", "&amp;", "&", "&#34;", `"`).Replace(tags.ReplaceAllString(a.body, " "))
	return strings.TrimSpace(blanks.ReplaceAllString(plain, " "))
}

func (a answer) says(t *testing.T, want ...string) {
	t.Helper()
	text := a.text()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%s (%d) does not say %q; it says:\n%s", a.url, a.status, w, text)
		}
	}
}

func (a answer) saysNot(t *testing.T, unwanted ...string) {
	t.Helper()
	text := a.text()
	for _, w := range unwanted {
		if strings.Contains(text, w) {
			t.Errorf("%s (%d) says %q; it says:\n%s", a.url, a.status, w, text)
		}
	}
}

func (a answer) is(t *testing.T, status int) {
	t.Helper()
	if a.status != status {
		t.Errorf("%s answered %d, want %d:\n%s", a.url, a.status, status, a.text())
	}
}

func each(t *testing.T, test func(w *world)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(newWorld(t, d)) })
}

// crowd adds n people at once.
func (w *world) crowd(n int) {
	w.t.Helper()
	w.write(func(tx *db.Tx) error {
		for i := range n {
			m := usermgmt.Member{
				ID: bank.UserID(fmt.Sprintf("usr_crowd%d", i)), FirstName: fmt.Sprintf("Person%04d", i), LastName: "Crowd",
				Email: fmt.Sprintf("person%d@northwind.example", i), Username: fmt.Sprintf("person%d", i),
				Role: bank.Role(i % 3), Status: bank.Status(i % 4), Held: i%7 == 0, Settings: danas(),
			}
			if err := usermgmt.InsertMember(tx, cedar, w.org.Num, &m); err != nil {
				return err
			}
		}
		return nil
	})
}
