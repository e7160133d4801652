package federation_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"mandate/internal/app"
	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/federation"
	"mandate/internal/guard"
	"mandate/internal/identity"
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
)

func operator(at bank.InstitutionID) bank.Caller {
	return bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: at, Channel: bank.ChannelCommand}
}

// An outsider is a provider outside. It does what a provider does, and whatever
// else it is told to.
type outsider struct {
	t      testing.TB
	server *httptest.Server
	clock  bank.Clock
	key    *ecdsa.PrivateKey
	other  *ecdsa.PrivateKey

	person   map[string]any              // the claims of whoever is at its door
	bend     func(map[string]any)        // what it does to an ID token's claims
	answer   func(url.Values)            // and to the address by which it sends people back
	forge    func(map[string]any) string // in place of signing
	userinfo map[string]any
	down     bool
	discover map[string]any
	codes    map[string]url.Values
	asked    int // for tokens
}

func newOutsider(t testing.TB, clock bank.Clock) *outsider {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	o := &outsider{t: t, clock: clock, key: key, other: other, codes: map[string]url.Values{}, discover: map[string]any{}}
	o.server = httptest.NewServer(o)
	t.Cleanup(o.server.Close)
	return o
}

func (o *outsider) issuer() string { return strings.Replace(o.server.URL, "127.0.0.1", "localhost", 1) }

func (o *outsider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if o.down {
		http.Error(w, "down", http.StatusBadGateway)
		return
	}
	say := func(status int, what any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(what)
	}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		described := map[string]any{"issuer": o.issuer(), "authorization_endpoint": o.issuer() + "/authorize", "token_endpoint": o.issuer() + "/token",
			"jwks_uri": o.issuer() + "/keys", "userinfo_endpoint": o.issuer() + "/userinfo", "id_token_signing_alg_values_supported": []string{"ES256"},
			"authorization_response_iss_parameter_supported": true}
		maps.Copy(described, o.discover)
		say(http.StatusOK, described)
	case "/keys":
		say(http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: o.key.Public(), KeyID: "one", Algorithm: "ES256", Use: "sig"}}})
	case "/authorize":
		q := r.URL.Query()
		code := rand.Text()
		o.codes[code] = q
		back := url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {o.issuer()}}
		if o.answer != nil {
			o.answer(back)
		}
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
	case "/token":
		o.asked++
		id, written, _ := r.BasicAuth()
		secret, _ := url.QueryUnescape(written) // RFC 6749, 2.3.1
		q, known := o.codes[r.FormValue("code")]
		delete(o.codes, r.FormValue("code"))
		sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		if !known || id != "mandate" || secret != "a+secret/of=outside" || q.Get("redirect_uri") != r.FormValue("redirect_uri") ||
			q.Get("code_challenge_method") != "S256" || base64.RawURLEncoding.EncodeToString(sum[:]) != q.Get("code_challenge") {
			say(http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
			return
		}
		say(http.StatusOK, map[string]any{"access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": o.token(q)})
	case "/userinfo":
		if o.userinfo == nil {
			http.NotFound(w, r)
			return
		}
		say(http.StatusOK, o.userinfo)
	default:
		http.NotFound(w, r)
	}
}

func (o *outsider) token(q url.Values) string {
	now := o.clock.Now()
	claims := map[string]any{"iss": o.issuer(), "aud": q.Get("client_id"), "nonce": q.Get("nonce"), "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix()}
	maps.Copy(claims, o.person)
	if o.bend != nil {
		o.bend(claims)
	}
	if o.forge != nil {
		return o.forge(claims)
	}
	return o.sign(o.key, claims)
}

func (o *outsider) sign(key *ecdsa.PrivateKey, claims map[string]any) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "one"}}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		o.t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		o.t.Fatal(err)
	}
	return token
}

func someone(sub, name string) map[string]any {
	return map[string]any{"sub": sub, "email": address(name), "email_verified": true}
}

// A world is the console of Cedar Bank, which has a provider outside, and of
// Harbor, which has none until it is given one. At Cedar work root, who may do
// everything, ada and ben, who sell.
type world struct {
	t        testing.TB
	d        *db.DB
	clock    *dbtest.Clock
	staff    *staff.Service
	identity *identity.Service
	outside  *outsider
	server   *httptest.Server
	mails    []identity.Mail
	users    map[string]bank.StaffID
	groups   map[string]bank.GroupID
	log      *strings.Builder
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
	w := &world{t: t, d: d, clock: dbtest.ClockOf(t, d), users: map[string]bank.StaffID{}, groups: map[string]bank.GroupID{}, log: &strings.Builder{}}
	w.clock.Set(time.Now().UTC().Truncate(time.Second))
	w.outside = newOutsider(t, w.clock)
	ring, err := seal.Parse(seal.NewLine("test"))
	w.must(err)
	door := guard.New(d, usermgmt.LoadPolicy, staff.Rights{}, identity.Proofs{})
	w.server = httptest.NewUnstartedServer(nil)
	origin := "http://" + strings.Replace(w.server.Listener.Addr().String(), "127.0.0.1", "localhost", 1)
	w.identity, err = identity.New(identity.Config{
		DB: d, Guard: door, People: app.People(), Mailer: w, Keys: ring, Clock: w.clock, Origins: []string{origin},
		Cost: identity.MinimumCost, ThrottleFactor: 1_000_000, RefusalTime: -1,
	})
	w.must(err)
	w.staff = staff.New(door, w.identity, app.House)
	w.must(d.Write(t.Context(), func(tx *db.Tx) error {
		if err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: cedar, Name: "Cedar Bank", TimeZone: "America/New_York", Accent: "#1f5f5b"}); err != nil {
			return err
		}
		return usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: harbor, Name: "Harbor Credit Union", TimeZone: "America/Chicago", Accent: "#264f8c"})
	}))
	log := slog.New(slog.NewTextHandler(w.log, nil))
	rooms := usermgmt.New(door, nil)
	handler, err := console.New(web.Site{Origin: origin, Key: []byte("a key of a test, thirty-two bytes"), Log: log, Clock: w.clock},
		console.Config{Institutions: rooms, Staff: w.staff, Customers: rooms, Identity: w.identity, Elsewhere: w.identity, Approvals: approval.New(d, door, nil, nil), Settings: &console.Settings{House: rooms},
			Outside: federation.New(origin, w.identity, w.clock, log, true)})
	w.must(err)
	w.server.Config.Handler = handler
	w.server.Start()
	w.server.URL = origin
	t.Cleanup(w.server.Close)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(w.log)
		}
	})
	w.users["root"], err = w.staff.InviteAdministrator(t.Context(), operator(cedar), address("root"))
	w.must(err)
	w.join("root")
	w.add("ada", "Sales", catalog.CMSPagesEdit)
	w.must(w.staff.SetProvider(t.Context(), operator(cedar), 0, w.provider(), "a+secret/of=outside"))
	w.permit("Sales", catalog.CMSPagesEdit, catalog.StaffSignInHere, catalog.StaffSignInOutside)
	return w
}

func (w *world) provider() identity.Provider {
	return identity.Provider{Issuer: w.outside.issuer(), ClientID: "mandate", Label: "Cedar ID"}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func address(name string) string { return name + "@bank.example" }

var from = identity.Source{Channel: bank.ChannelPeople, IP: "192.0.2.7", Device: "Firefox on Linux"}

func (w *world) invite(name, group string, rights ...catalog.StaffPermission) {
	w.t.Helper()
	id, err := w.staff.CreateGroup(w.t.Context(), operator(cedar), staff.Draft{Name: group, Permissions: catalog.StaffSetOf(rights...)})
	w.must(err)
	w.groups[group] = id
	outcomes, err := w.staff.Invite(w.t.Context(), operator(cedar), staff.Invitation{Emails: []string{address(name)}, Groups: []bank.GroupID{id}})
	w.must(err)
	w.users[name] = outcomes[0].User
}

func (w *world) add(name, group string, rights ...catalog.StaffPermission) {
	w.t.Helper()
	w.invite(name, group, rights...)
	w.join(name)
}

func (w *world) join(name string) {
	w.t.Helper()
	link := string(w.mails[len(w.mails)-1].Link)
	browser, _, err := w.identity.Redeem(w.t.Context(), cedar, identity.PurposeInvitation, identity.Secret(link[strings.LastIndex(link, "/")+1:]), from)
	w.must(err)
	w.must(w.identity.Enrol(w.t.Context(), cedar, browser, "", password, from))
	g, err := w.identity.SignIn(w.t.Context(), identity.Attempt{Institution: cedar, Kind: identity.KindStaff, Username: address(name), Password: password, From: from})
	w.must(err)
	w.must(w.staff.EditOwn(w.t.Context(), g.Session.Caller, staff.Details{FirstName: strings.ToUpper(name[:1]) + name[1:], LastName: "Stone"}))
}

// permit makes a group permit exactly this.
func (w *world) permit(group string, rights ...catalog.StaffPermission) {
	w.t.Helper()
	g, err := w.staff.Group(w.t.Context(), operator(cedar), w.groups[group])
	w.must(err)
	g.Permissions = catalog.StaffSetOf(rights...)
	w.must(w.staff.EditGroup(w.t.Context(), operator(cedar), g.ID, g.Version, g.Draft))
}

// history lists what happened to staff, as "name target (CODE)".
func (w *world) history(names ...string) string {
	w.t.Helper()
	var lines []string
	w.must(w.d.Read(w.t.Context(), func(tx *db.Tx) error {
		_, err := db.All(tx, func(row db.Scanner) (string, error) {
			var name, target, code string
			err := row.Scan(&name, &target, &code)
			if code != "" {
				target += " (" + code + ")"
			}
			if slices.Contains(names, name) {
				lines = append(lines, fmt.Sprintf("%s %s", name, target))
			}
			return name, err
		}, `select name, target_name, code from history_event where institution_id = $1 and organization_id = '' order by sequence`, cedar)
		return err
	}))
	return strings.Join(lines, "; ")
}

// column is one column of what a question finds at Cedar.
func (w *world) column(query string) (all []string) {
	w.t.Helper()
	w.must(w.d.Read(w.t.Context(), func(tx *db.Tx) (err error) {
		all, err = db.All(tx, db.Value[string], query, cedar)
		return err
	}))
	return all
}

// A visitor is a browser that runs no script and goes wherever it is led.
type visitor struct {
	t      testing.TB
	w      *world
	client *http.Client
}

func (w *world) visitor() *visitor {
	jar, err := cookiejar.New(nil)
	w.must(err)
	return &visitor{w.t, w, &http.Client{Jar: jar}}
}

// A stop is a page at which a visitor came to rest.
type stop struct {
	url    *url.URL
	status int
	body   string
}

func (v *visitor) goTo(method, address string, form url.Values) stop {
	v.t.Helper()
	for range 10 {
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
		_, next, onward := strings.Cut(got.Header.Get("Refresh"), "url=")
		if !onward {
			return stop{got.Request.URL, got.StatusCode, string(text)}
		}
		method, form, address = http.MethodGet, nil, next
	}
	v.t.Fatal("the browser was led in circles")
	return stop{}
}

func (v *visitor) get(path string) stop {
	v.t.Helper()
	return v.goTo(http.MethodGet, v.w.server.URL+path, nil)
}

var fields = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)

// submit sends the form of a page with what it carries, and more.
func (v *visitor) submit(page stop, action string, more url.Values) stop {
	v.t.Helper()
	form := url.Values{}
	for _, f := range fields.FindAllStringSubmatch(page.body, -1) {
		form[f[1]] = []string{html.UnescapeString(f[2])}
	}
	if form.Get("csrf") == "" {
		v.t.Fatalf("%s (%d) has no form: %s", page.url, page.status, page.text())
	}
	maps.Copy(form, more)
	return v.goTo(http.MethodPost, v.w.server.URL+action, form)
}

// out goes to the provider and back to the page that waits for the button.
func (v *visitor) out(more url.Values) stop {
	v.t.Helper()
	return v.submit(v.get("/cedar/sign-in"), "/cedar/sign-in/outside", more)
}

// through signs in through the provider as whoever stands at its door.
func (v *visitor) through() stop {
	v.t.Helper()
	page := v.out(nil)
	if page.url.Path != "/cedar/sign-in/outside/back" {
		return page
	}
	return v.submit(page, page.url.Path, nil)
}

// as is through in a browser of its own.
func (w *world) as(person map[string]any) stop {
	w.t.Helper()
	w.outside.person = person
	return w.visitor().through()
}

func (v *visitor) password(name string) stop {
	v.t.Helper()
	return v.submit(v.get("/cedar/sign-in"), "/cedar/sign-in", url.Values{"username": {address(name)}, "password": {password}})
}

var (
	tags   = regexp.MustCompile(`(?s)<script.*?</script>|<svg.*?</svg>|<[^>]*>`)
	blanks = regexp.MustCompile(`\s+`)
)

func (s stop) text() string {
	plain := html.UnescapeString(tags.ReplaceAllString(s.body, " "))
	return strings.TrimSpace(blanks.ReplaceAllString(plain, " "))
}

// at insists on the page.
func (s stop) at(t *testing.T, what, path string, says ...string) {
	t.Helper()
	ok := s.url.Path == path
	for _, one := range says {
		ok = ok && strings.Contains(s.text(), one)
	}
	if !ok {
		t.Errorf("%s: at %s (%d), want %s with %q; it says: %s", what, s.url.Path, s.status, path, says, s.text())
	}
}
