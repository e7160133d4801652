package matrix_test

import (
	"bytes"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	_ "time/tzdata" // as in the program itself

	"mandate/internal/app"
	"mandate/internal/application"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/client"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/demo"
	"mandate/internal/entitlement"
	"mandate/internal/identity"
	"mandate/internal/mail/mailbox"
	"mandate/internal/staff"
	"mandate/internal/usermgmt"
	"mandate/internal/webhook"
)

const password = "correct horse battery staple"

// A world is the assembled program with the demo's data, which has one of
// everything, and the people of the matrix in it.
type world struct {
	t            *testing.T
	quick        bool // fewer people, who are like others
	app          *app.App
	demo         *demo.World
	institution  bank.InstitutionID // a bank
	elsewhere    bank.InstitutionID // a credit union
	organization usermgmt.Organization
	operator     bank.Caller
	members      map[string]bank.UserID
	staff        map[string]bank.StaffID
	groups       map[string]bank.GroupID
	suffix       string // of the ids of members
}

func newWorld(t *testing.T, databaseURL string) *world {
	t.Helper()
	clock := demo.NewClock(bank.SystemClock{})
	box, err := mailbox.Listen("localhost:0", clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{t: t, members: map[string]bank.UserID{}, staff: map[string]bank.StaffID{}, groups: map[string]bank.GroupID{}}
	w.app, err = app.Open(t.Context(), config.Config{
		Store: config.Store{DB: databaseURL, Data: t.TempDir()}, Mail: config.Mail{SMTP: box.Address()}, ThrottleFactor: 1000,
		HashMemory: identity.MinimumCost.MemoryKiB, HashPasses: identity.MinimumCost.Passes,
	}, clock, slog.New(slog.NewTextHandler(io.Discard, nil)))
	w.must(err)
	t.Cleanup(func() { w.must(w.app.Close()) })
	w.app.Mailbox, w.app.ListenMailbox, w.app.Components = box, "localhost:8083", true
	w.demo, err = demo.Open(t.Context(), w.app, clock, io.Discard)
	w.must(err)
	w.institution, w.elsewhere = bank.InstitutionID(w.demo.Institutions[0].ID), bank.InstitutionID(w.demo.Institutions[1].ID)
	w.operator = bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: w.institution, Channel: bank.ChannelCommand}
	w.hire()
	w.employ()
	w.openOffice()
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// hire gives the members of the matrix their places: each role with nothing but
// User management, which the role User has by mistake, and each with everything
// that moves money.
func (w *world) hire() {
	w.t.Helper()
	w.must(w.app.DB.Write(w.t.Context(), func(tx *db.Tx) error {
		id := bank.UserID(w.demo.Institutions[0].Members["ana.ruiz"])
		of, err := usermgmt.OrganizationsOf(tx, w.institution, []bank.UserID{id})
		if err != nil {
			return err
		}
		if w.organization, err = usermgmt.FindOrganization(tx, w.institution, of[id]); err != nil {
			return err
		}
		p, err := usermgmt.LoadPolicy(tx, w.institution, w.organization.ID, entitlement.Scope{Members: []bank.UserID{id}, AllAccounts: true})
		if err != nil {
			return err
		}
		ana := p.Members[id]
		if err := w.strangers(tx, ana); err != nil {
			return err
		}
		if err := w.member(tx, w.organization.Num, "colleague", bank.RoleUser, entitlement.Settings{}, nil); err != nil {
			return err
		}
		for name, role := range map[string]bank.Role{"user": bank.RoleUser, "viewer": bank.RoleViewer, "admin": bank.RoleAdmin} {
			bare := entitlement.Settings{On: catalog.SetOf(catalog.UserManagementEnabled)}
			if err := w.member(tx, w.organization.Num, name, role, bare, nil); err != nil {
				return err
			}
			if err := w.member(tx, w.organization.Num, name+"-pays", role, ana.Settings, ana.Accounts); err != nil {
				return err
			}
		}
		return nil
	}))
}

// strangers gives another organization everything there is, and an admin who
// may do all of it there.
func (w *world) strangers(tx *db.Tx, like *entitlement.Member) error {
	id := bank.UserID(w.demo.Institutions[0].Members["mia.fontaine"])
	of, err := usermgmt.OrganizationsOf(tx, w.institution, []bank.UserID{id})
	if err != nil {
		return err
	}
	other, err := usermgmt.FindOrganization(tx, w.institution, of[id])
	if err != nil {
		return err
	}
	if err := usermgmt.SetOrganizationPolicy(tx, w.institution, other.ID, w.organization.Entitlements, w.organization.Ceilings); err != nil {
		return err
	}
	p, err := usermgmt.LoadPolicy(tx, w.institution, other.ID, entitlement.Scope{AllAccounts: true})
	if err != nil {
		return err
	}
	var everywhere entitlement.Settings
	for _, s := range like.Accounts {
		everywhere = s
	}
	accounts := map[bank.AccountID]entitlement.Settings{}
	for account := range p.Accounts {
		accounts[account] = everywhere
	}
	return w.member(tx, other.Num, "stranger", bank.RoleAdmin, like.Settings, accounts)
}

// member puts somebody into an organization.
func (w *world) member(tx *db.Tx, organization int64, name string, role bank.Role, s entitlement.Settings, accounts map[bank.AccountID]entitlement.Settings) error {
	m := usermgmt.Member{ID: bank.UserID("usr_" + name + w.suffix), FirstName: "Matrix", LastName: name, Email: name + "@matrix.example", Role: role, Status: bank.StatusActive, Settings: s}
	if err := usermgmt.InsertMember(tx, w.institution, organization, &m); err != nil {
		return err
	}
	w.members[name] = m.ID
	for id, on := range accounts {
		ordinal, err := db.One(tx, db.Value[int64], `select ordinal from account where organization_num = $1 and id = $2`, organization, id)
		if err != nil {
			return err
		}
		if err := usermgmt.SetMemberAccount(tx, organization, m.Ordinal, ordinal, on); err != nil {
			return err
		}
	}
	hash, err := w.app.Identity.Hash(w.t.Context(), password)
	if err != nil {
		return err
	}
	return w.app.Identity.PutCredential(tx, identity.Member(w.institution, m.ID), name, hash)
}

// union is the same program at the credit union, with an admin and a colleague
// in its organization and a staff of its own.
func (w *world) union() *world {
	w.t.Helper()
	u := *w
	u.institution, u.elsewhere, u.operator.Institution, u.suffix = w.elsewhere, w.institution, w.elsewhere, "-union"
	u.members, u.staff, u.groups = map[string]bank.UserID{}, map[string]bank.StaffID{}, map[string]bank.GroupID{}
	u.must(u.app.DB.Write(u.t.Context(), func(tx *db.Tx) error {
		id := bank.UserID(u.demo.Institutions[1].Members["noor.siddiqui"])
		of, err := usermgmt.OrganizationsOf(tx, u.institution, []bank.UserID{id})
		if err != nil {
			return err
		}
		if u.organization, err = usermgmt.FindOrganization(tx, u.institution, of[id]); err != nil {
			return err
		}
		if err := u.member(tx, u.organization.Num, "colleague", bank.RoleUser, entitlement.Settings{}, nil); err != nil {
			return err
		}
		return u.member(tx, u.organization.Num, "admin-pays", bank.RoleAdmin, entitlement.Settings{On: catalog.SetOf(catalog.UserManagementEnabled)}, nil)
	}))
	u.employ()
	return &u
}

// session is a sign-in of somebody, as their browser would keep it.
func (w *world) session(kind identity.Kind, username string) string {
	w.t.Helper()
	granted, err := w.app.Identity.SignIn(w.t.Context(), identity.Attempt{Institution: w.institution, Kind: kind, Username: username, Password: password,
		From: identity.Source{Channel: bank.ChannelOnline, IP: "192.0.2.1", Device: "Test"}})
	w.must(err)
	return string(granted.Token)
}

// single is the group of the staff user who holds one permission after another.
const single = "Single permission"

// employ gives the institution the staff of the matrix.
func (w *world) employ() {
	w.t.Helper()
	for _, name := range []string{single, "Nothing"} {
		id, err := w.app.Staff.CreateGroup(w.t.Context(), w.operator, staff.Draft{Name: name})
		w.must(err)
		w.groups[name] = id
	}
	_, _, err := w.app.Applications.Create(w.t.Context(), w.operator, application.Draft{
		Name: "Matrix", Method: application.SecretBasic, Grants: []application.Grant{application.GrantCode}, Redirects: []string{"https://matrix.example/back"}, Scopes: []string{"openid"}, Enabled: true})
	w.must(err)
	_, _, err = w.app.Webhooks.Create(w.t.Context(), w.operator, webhook.Draft{Name: "Matrix", URL: "https://matrix.example/hook", Names: []string{"org.created"}})
	w.must(err)
	w.employee("single", single)
	w.employee("nothing", "Nothing")
}

func (w *world) employee(name, group string) {
	w.t.Helper()
	ctx, email := w.t.Context(), name+"@matrix.example"
	made, err := w.app.Staff.Invite(ctx, w.operator, staff.Invitation{Emails: []string{email}, Groups: []bank.GroupID{w.groups[group]}})
	w.must(err)
	w.staff[name] = made[0].User
	w.must(w.app.DeliverMail(ctx))
	link := w.app.Mailbox.Messages(email)[0].Links[0]
	from := identity.Source{Channel: bank.ChannelPeople, IP: "192.0.2.1", Device: "Test"}
	browser, _, err := w.app.Identity.Redeem(ctx, w.institution, identity.PurposeInvitation, identity.Secret(link[strings.LastIndex(link, "/")+1:]), from)
	w.must(err)
	w.must(w.app.Identity.Enrol(ctx, w.institution, browser, email, password, from))
	granted, err := w.app.Identity.SignIn(ctx, identity.Attempt{Institution: w.institution, Kind: identity.KindStaff, Username: email, Password: password, From: from})
	w.must(err)
	w.must(w.app.Staff.EditOwn(ctx, granted.Session.Caller, staff.Details{FirstName: "Matrix", LastName: name}))
}

// permit gives the single permission, or none.
func (w *world) permit(set catalog.StaffSet) {
	w.t.Helper()
	g, err := w.app.Staff.Group(w.t.Context(), w.operator, w.groups[single])
	w.must(err)
	w.must(w.app.Staff.EditGroup(w.t.Context(), w.operator, g.ID, g.Version, staff.Draft{Name: single, Permissions: set}))
}

// key makes a program with a key.
func (w *world) key(institution bank.InstitutionID, d client.Draft) string {
	w.t.Helper()
	operator := w.operator
	operator.Institution = institution
	_, key, err := w.app.Clients.Create(w.t.Context(), operator, d)
	w.must(err)
	return key.Reveal()
}

// A site is one listener, asked without a network.
type site struct {
	*world
	handler http.Handler
	origin  string
}

// A browser has what a person's browser keeps, and a token for forms.
type browser struct {
	cookies map[string]string
	token   string
}

func (s *site) do(b *browser, method, path string, form url.Values) *httptest.ResponseRecorder {
	s.t.Helper()
	var body io.Reader
	var kind string
	if method != http.MethodGet {
		if form == nil {
			form = url.Values{}
		}
		form.Set("csrf", b.token)
		body, kind = encode(form)
	}
	r := httptest.NewRequestWithContext(s.t.Context(), method, s.origin+path, body)
	if method != http.MethodGet {
		r.Header.Set("Content-Type", kind)
		r.Header.Set("Origin", s.origin)
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	out := httptest.NewRecorder()
	s.handler.ServeHTTP(out, r)
	return out
}

// encode is a form as a browser sends it: what is called file is one.
func encode(form url.Values) (body io.Reader, kind string) {
	if !form.Has("file") {
		return strings.NewReader(form.Encode()), "application/x-www-form-urlencoded"
	}
	var b bytes.Buffer
	parts := multipart.NewWriter(&b)
	for name, values := range form {
		var part io.Writer
		if name == "file" {
			part, _ = parts.CreateFormFile(name, "file.csv") // a buffer takes everything
		} else {
			part, _ = parts.CreateFormField(name)
		}
		_, _ = io.WriteString(part, values[0])
	}
	_ = parts.Close()
	return &b, parts.FormDataContentType()
}

var csrf = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// stranger is a browser that was shown the sign-in.
func (s *site) stranger(institution bank.InstitutionID) *browser {
	s.t.Helper()
	b := &browser{cookies: map[string]string{}}
	s.renew(b, "/"+string(institution)+"/sign-in")
	return b
}

// renew takes the token of a page, and what it gives the browser to keep.
func (s *site) renew(b *browser, page string) {
	s.t.Helper()
	out := s.do(b, http.MethodGet, page, nil)
	found := csrf.FindStringSubmatch(out.Body.String())
	if found == nil {
		s.t.Fatalf("GET %s%s (%d) has no form:\n%s", s.origin, page, out.Code, out.Body)
	}
	b.token = found[1]
	b.keep(out)
}

func (b *browser) keep(out *httptest.ResponseRecorder) {
	for _, c := range out.Result().Cookies() {
		b.cookies[c.Name] = c.Value
	}
}

// enter signs somebody in.
func (s *site) enter(institution bank.InstitutionID, username, password string) *browser {
	s.t.Helper()
	b := s.stranger(institution)
	at := "/" + string(institution)
	out := s.do(b, http.MethodPost, at+"/sign-in", url.Values{"username": {username}, "password": {password}})
	if out.Code != http.StatusSeeOther || out.Header().Get("Location") != at+"/home" {
		s.t.Fatalf("sign in as %s: %d, to %q", username, out.Code, out.Header().Get("Location"))
	}
	b.keep(out)
	s.renew(b, at+"/home")
	return b
}

// demoSignIn is how somebody of the demo signs in.
func (w *world) demoSignIn(institution bank.InstitutionID, username string) demo.SignIn {
	w.t.Helper()
	i := slices.IndexFunc(w.demo.SignIns, func(s demo.SignIn) bool {
		return s.Institution == string(institution) && s.Username == username
	})
	if i < 0 {
		w.t.Fatalf("the demo has nobody called %s", username)
	}
	return w.demo.SignIns[i]
}
