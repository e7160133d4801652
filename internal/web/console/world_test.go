package console_test

import (
	"errors"
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
	"mandate/internal/client"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/guard"
	"mandate/internal/identity"
	"mandate/internal/scim"
	"mandate/internal/seal"
	"mandate/internal/staff"
	"mandate/internal/support"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/browsertest"
	"mandate/internal/web/console"
)

func TestMain(m *testing.M) { browsertest.Main(m) }

const (
	cedar    = bank.InstitutionID("cedar")
	password = "correct horse battery staple"
)

var operator = bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: cedar, Channel: bank.ChannelCommand}

// A world is Cedar Bank's console behind a real server: Root holds everything.
type world struct {
	t        testing.TB
	d        *db.DB
	clock    *dbtest.Clock
	edition  bank.Edition
	staff    *staff.Service
	people   *usermgmt.Service
	apps     *application.Service
	identity *identity.Service
	server   *httptest.Server
	queue    *approval.Service
	mails    []identity.Mail
	groups   map[string]bank.GroupID
	users    map[string]bank.StaffID
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

func newWorld(t testing.TB, d *db.DB) *world { return newWorldOf(t, d, bank.EditionBank) }

// offered is everything: what the institution lets its customers have.
func offered() (all catalog.EntitlementSet) {
	for _, e := range catalog.Entitlements() {
		all = all.With(e)
	}
	return all
}

func newWorldOf(t testing.TB, d *db.DB, edition bank.Edition) *world {
	return newWorldBeside(t, d, edition, nil)
}

// newWorldBeside is a world beside a host that knows people.
func newWorldBeside(t testing.TB, d *db.DB, edition bank.Edition, host console.Host) *world {
	t.Helper()
	w := &world{edition: edition, t: t, d: d, clock: dbtest.ClockOf(t, d), groups: map[string]bank.GroupID{}, users: map[string]bank.StaffID{}}
	ring, err := seal.Parse(seal.NewLine("test"))
	w.must(err)
	door := guard.New(d, usermgmt.LoadPolicy, staff.Rights{}, identity.Proofs{})
	w.server = httptest.NewUnstartedServer(nil)
	origin := "http://" + strings.Replace(w.server.Listener.Addr().String(), "127.0.0.1", "localhost", 1)
	w.identity, err = identity.New(identity.Config{
		DB: d, Guard: door, People: app.People(), Mailer: staff.Letters{Mailer: w}, Keys: ring, Clock: w.clock, Origins: []string{origin},
		Cost: identity.MinimumCost, ThrottleFactor: 1_000_000, RefusalTime: -1,
	})
	w.must(err)
	w.staff = staff.New(door, w.identity, app.House)
	w.apps = application.New(d, door, staff.Rights{}, slog.New(slog.DiscardHandler))
	w.must(d.Write(t.Context(), func(tx *db.Tx) error {
		return usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: cedar, Name: "Cedar Bank", TimeZone: "America/New_York", Accent: "#1f5f5b", Edition: w.edition, Offers: offered()})
	}))
	w.people = usermgmt.New(door, w.identity).WithSafeguard(staff.Rights{})
	w.queue = approval.New(d, door, nil, nil)
	w.people.WithOversight(staff.Rights{}, w.queue, staff.Teller{Mailer: staff.Letters{Mailer: w}, House: app.House})
	handler, err := console.New(web.Site{
		Origin: origin, Key: []byte("a key of a test, thirty-two bytes"), Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Clock: w.clock,
	}, console.Config{Host: host, Online: "http://online.example", Institutions: w.people, Customers: w.people, Support: support.New(door), Staff: w.staff, Applications: w.apps, Identity: w.identity, Approvals: w.queue, Elsewhere: w.identity,
		Provisioning: &console.Provisioning{Directories: staff.NewProvisioning(w.staff, scim.Keys{}), Programs: client.New(d, door, slog.New(slog.NewTextHandler(io.Discard, nil))), Origin: "https://api.cedar.example"}})
	w.must(err)
	w.server.Config.Handler = handler
	w.server.Start()
	w.server.URL = origin
	t.Cleanup(w.server.Close)
	w.users["root"], err = w.staff.InviteAdministrator(t.Context(), operator, address("root"))
	w.must(err)
	w.join("root")
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func address(name string) string { return name + "@cedar.example" }

// link is the address in the newest mail to somebody.
func (w *world) link(name string) string {
	w.t.Helper()
	for _, m := range slices.Backward(w.mails) {
		if m.To == address(name) && m.Link != "" {
			return string(m.Link)
		}
	}
	w.t.Fatalf("%s has got no link", name)
	return ""
}

var from = identity.Source{Channel: bank.ChannelPeople, IP: "192.0.2.7", Device: "Firefox on Linux"}

// join accepts an invitation without the screens.
func (w *world) join(name string) {
	w.t.Helper()
	link := w.link(name)
	browser, _, err := w.identity.Redeem(w.t.Context(), cedar, identity.PurposeInvitation, identity.Secret(link[strings.LastIndex(link, "/")+1:]), from)
	w.must(err)
	w.must(w.identity.Enrol(w.t.Context(), cedar, browser, "", password, from))
	g, err := w.identity.SignIn(w.t.Context(), identity.Attempt{Institution: cedar, Kind: identity.KindStaff, Username: address(name), Password: password, From: from})
	w.must(err)
	w.must(w.staff.EditOwn(w.t.Context(), g.Session.Caller, staff.Details{FirstName: strings.ToUpper(name[:1]) + name[1:], LastName: "Cedar"}))
}

// group makes a group in the name of the operator.
func (w *world) group(name string, permissions ...catalog.StaffPermission) bank.GroupID {
	w.t.Helper()
	id, err := w.staff.CreateGroup(w.t.Context(), operator, staff.Draft{Name: name, Permissions: catalog.StaffSetOf(permissions...)})
	w.must(err)
	w.groups[name] = id
	return id
}

// invite invites somebody into groups.
func (w *world) invite(name string, groups ...string) bank.StaffID {
	w.t.Helper()
	i := staff.Invitation{Emails: []string{address(name)}}
	for _, g := range groups {
		i.Groups = append(i.Groups, w.groups[g])
	}
	outcomes, err := w.staff.Invite(w.t.Context(), operator, i)
	w.must(err)
	w.users[name] = outcomes[0].User
	return outcomes[0].User
}

// add makes an active user in some groups.
func (w *world) add(name string, groups ...string) bank.StaffID {
	w.t.Helper()
	id := w.invite(name, groups...)
	w.join(name)
	return id
}

// A visitor is somebody with a browser that runs no script.
type visitor struct {
	t      testing.TB
	w      *world
	client *http.Client
}

func (w *world) visitor() *visitor {
	jar, err := cookiejar.New(nil)
	w.must(err)
	return &visitor{t: w.t, w: w, client: &http.Client{Jar: jar}}
}

// as is somebody who has signed in.
func (w *world) as(name string) *visitor {
	w.t.Helper()
	v := w.visitor()
	got := v.signIn(name)
	if !strings.HasSuffix(got.url, "/cedar/home") {
		w.t.Fatalf("sign in as %s: ended at %s: %s", name, got.url, got.text())
	}
	return v
}

func (v *visitor) signIn(name string) answer {
	v.t.Helper()
	return v.post("/cedar/sign-in", url.Values{"username": {address(name)}, "password": {password}})
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
	v.w.must(err)
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	v.w.must(err)
	return answer{got.Request.URL.RequestURI(), got.StatusCode, string(body)}
}

func (v *visitor) get(path string) answer {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), "GET", v.w.server.URL+path, nil)
	v.w.must(err)
	return v.do(r)
}

var csrf = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// post sends a form with the token of this browser.
func (v *visitor) post(path string, form url.Values) answer {
	v.t.Helper()
	found := csrf.FindStringSubmatch(v.get("/cedar/sign-in").body)
	if found == nil {
		v.t.Fatal("the sign-in has no form token")
	}
	form.Set("csrf", found[1])
	r, err := http.NewRequestWithContext(v.t.Context(), "POST", v.w.server.URL+path, strings.NewReader(form.Encode()))
	v.w.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", v.w.server.URL)
	return v.do(r)
}

// proven is post with the password where the page asks for it.
func (v *visitor) proven(path string, form url.Values) answer {
	v.t.Helper()
	got := v.post(path, form)
	if !strings.Contains(got.body, "prove_password") {
		v.t.Fatalf("%s did not ask for a high-risk authorization: %s", path, got.text())
	}
	form.Set("prove_password", password)
	return v.post(path, form)
}

var (
	tags   = regexp.MustCompile(`(?s)<script.*?</script>|<svg.*?</svg>|<[^>]*>`)
	blanks = regexp.MustCompile(`\s+`)
)

// text is what can be read.
func (a answer) text() string {
	plain := strings.NewReplacer("&#39;", "'", "&amp;", "&", "&#34;", `"`).Replace(tags.ReplaceAllString(a.body, " "))
	return strings.TrimSpace(blanks.ReplaceAllString(plain, " "))
}

func (a answer) says(t *testing.T, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(a.text(), w) {
			t.Errorf("%s (%d) does not say %q; it says:\n%s", a.url, a.status, w, a.text())
		}
	}
}

func (a answer) saysNot(t *testing.T, unwanted ...string) {
	t.Helper()
	for _, w := range unwanted {
		if strings.Contains(a.text(), w) {
			t.Errorf("%s (%d) says %q; it says:\n%s", a.url, a.status, w, a.text())
		}
	}
}

const aDay = 24 * time.Hour

// caller signs somebody in without the screens.
func (w *world) caller(name string) bank.Caller {
	w.t.Helper()
	g, err := w.identity.SignIn(w.t.Context(), identity.Attempt{Institution: cedar, Kind: identity.KindStaff, Username: address(name), Password: password, From: from})
	w.must(err)
	return g.Session.Caller
}

// proving does something with the high-risk authorization that it asks for.
func (w *world) proving(caller bank.Caller, do func() error) error {
	w.t.Helper()
	err := do()
	asked, ok := errors.AsType[*guard.StepUp](err)
	if !ok {
		return err
	}
	w.must(w.identity.Prove(w.t.Context(), caller, identity.Challenge{Action: asked.Action, Target: asked.Target, Content: asked.Content}, identity.Answer{Password: password}))
	return do()
}

// letters is all that is kept of what was mailed to staff.
func (w *world) letters() string {
	w.t.Helper()
	var all []string
	w.must(w.d.Read(w.t.Context(), func(tx *db.Tx) (err error) {
		all, err = db.All(tx, db.Value[string], `select subject || ' ' || lines || ' ' || mail_key from staff_letter order by id`)
		return err
	}))
	return strings.Join(all, "\n")
}

// unattended is get as a page does by itself.
func (v *visitor) unattended(path string) answer {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), "GET", v.w.server.URL+path, nil)
	v.w.must(err)
	r.Header.Set("Mandate-Unattended", "true")
	return v.do(r)
}
