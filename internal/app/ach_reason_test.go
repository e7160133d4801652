package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/client"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/host/hostsim"
	"mandate/internal/identity"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/moneymovement/ach/nacha"
	"mandate/internal/moneymovement/ach/recipients"
	"mandate/internal/usermgmt"
)

// An achWorld is the whole program with one customer, Northwind: Dana, who is
// asked about, and Lee, who may do the same.
type achWorld struct {
	t        *testing.T
	a        *App
	clock    *dbtest.Clock
	org      usermgmt.Organization
	account  usermgmt.Account
	dana     usermgmt.Member
	origin   string
	api      http.Handler
	key      string
	browser  *http.Client
	requests int
	ready    ach.BatchID // restricted, edited last by Lee
	file     []byte
	started  ach.BatchID // initiated by Dana
	waiting  string      // an item of the queue
	hash     string
}

const achPassword = "correct horse battery staple"

var achRights = entitlement.Settings{
	On: catalog.SetOf(catalog.ACHEnabled, catalog.ACHView, catalog.ACHInitiate, catalog.ACHSameDay, catalog.ACHRecurring, catalog.ACHImportRecipients, catalog.ACHUploadFile,
		catalog.ACHDelete, catalog.ACHRestricted),
	EditLevel: catalog.EditFull, Limits: entitlement.Limits{}.With(catalog.LimitACHDaily, 10_000_00),
}

func newACHWorld(t *testing.T) *achWorld {
	t.Helper()
	socket, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &achWorld{t: t, clock: dbtest.NewClock(dbtest.Start), origin: strings.Replace("http://"+socket.Addr().String(), "127.0.0.1", "localhost", 1)}
	w.a, err = Open(t.Context(), config.Config{
		Store: config.Store{Data: t.TempDir()}, HashMemory: 8, HashPasses: 1, ThrottleFactor: 1000, PublicOrigin: w.origin, ConsoleOrigin: "http://localhost:2", APIOrigin: "http://localhost:3",
	}, w.clock, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.must(w.a.Close()) })
	online, err := w.a.OnlineHandler()
	w.must(err)
	server := &httptest.Server{Listener: socket, Config: &http.Server{Handler: online, ReadHeaderTimeout: time.Minute}}
	server.Start()
	t.Cleanup(server.Close)
	w.api = w.a.APIHandler()
	w.people()
	w.rooms()
	w.signIn()
	return w
}

func (w *achWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *achWorld) write(f func(tx *db.Tx) error) {
	w.t.Helper()
	w.must(w.a.DB.Write(w.t.Context(), f))
}

func (w *achWorld) people() {
	w.t.Helper()
	has := catalog.EntitlementSet(0).With(catalog.ACH)
	w.org = usermgmt.Organization{Institution: "cedar", ID: "org_northwind", Name: "Northwind", Entitlements: has, Ceilings: entitlement.Limits{}.With(catalog.LimitACHDaily, 20_000_00)}
	w.account = usermgmt.Account{ID: "acc_operating", Name: "Operating", Number: "0137", Kind: "checking"}
	hash, err := w.a.Identity.Hash(w.t.Context(), achPassword)
	w.must(err)
	w.write(func(tx *db.Tx) error {
		if err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: "cedar", Name: "Cedar", TimeZone: "America/New_York", Offers: has}); err != nil {
			return err
		}
		if err := usermgmt.InsertOrganization(tx, &w.org); err != nil {
			return err
		}
		if err := usermgmt.InsertAccount(tx, w.org.Num, &w.account); err != nil {
			return err
		}
		for _, name := range []string{"dana", "lee"} {
			m := usermgmt.Member{ID: bank.UserID("usr_" + name), FirstName: name, LastName: "Diaz", Email: name + "@northwind.example", Status: bank.StatusActive, Settings: achRights}
			if err := usermgmt.InsertMember(tx, "cedar", w.org.Num, &m); err != nil {
				return err
			}
			if err := usermgmt.SetMemberAccount(tx, w.org.Num, m.Ordinal, w.account.Ordinal, entitlement.Settings{On: catalog.SetOf(catalog.AccountAccess)}); err != nil {
				return err
			}
			if err := w.a.Identity.PutCredential(tx, identity.Member("cedar", m.ID), name, hash); err != nil {
				return err
			}
			if name == "dana" {
				w.dana = m
			}
		}
		return nil
	})
}

func achAs(name string) bank.Caller {
	return bank.Caller{Kind: bank.ActorMember, ID: "usr_" + name, Name: name, Institution: "cedar", Organization: "org_northwind", Channel: bank.ChannelAPI, Through: "test", Vouched: "passkey"}
}

func (w *achWorld) rooms() {
	w.t.Helper()
	ctx, room := w.t.Context(), w.a.ACH
	operator := bank.Caller{Kind: bank.ActorOperator, Name: "Olga", Institution: "cedar", Channel: bank.ChannelCommand}
	w.must(w.a.Bank.Open(ctx, hostsim.Opening{Institution: "cedar", Organization: w.org.ID, Account: w.account.ID, Number: "550137", Balance: 50_000_00}))
	w.must(room.SetSender(ctx, operator, ach.Sender{Routing: "121042882", Name: "Cedar Bank", Destination: "231380104", DestinationName: "ACH Operator"}))
	w.must(room.SetCompany(ctx, operator, w.org.ID, ach.Company{Ident: "1234567890", Name: "NORTHWIND"}))
	w.must(room.SetRelaxed(ctx, operator, w.org.ID, true))
	layout := recipients.Layout{Format: recipients.CSV, Places: map[recipients.Field]recipients.Place{recipients.Name: {Column: 1}, recipients.Amount: {Column: 2}, recipients.Account: {Column: 3}, recipients.Routing: {Column: 4}}}
	w.must(room.SetLayout(ctx, achAs("lee"), layout))
	var err error
	w.file, err = os.ReadFile("../moneymovement/ach/nacha/testdata/valid/ppd-credit.ach")
	w.must(err)
	made, key, err := w.a.Clients.Create(ctx, operator, client.Draft{Name: "Hub", Acts: true})
	w.must(err)
	_, w.key = made, key.Reveal()
	w.ready, w.started = w.batch("lee", "Ready"), w.batch("lee", "Started")
	_, _, err = room.Initiate(ctx, achAs("dana"), ach.Order{Batch: w.started, Version: 1, Offset: w.account.ID})
	w.must(err)
	pending := w.batch("lee", "Pending")
	_, _, err = room.Submit(ctx, achAs("lee"), ach.Order{Batch: pending, Version: 1, Offset: w.account.ID})
	w.must(err)
	d, err := room.Get(ctx, achAs("dana"), pending)
	w.must(err)
	item, err := w.a.Approvals.About(ctx, achAs("dana"), ach.Room, string(d.Run))
	w.must(err)
	w.waiting, w.hash = item.ID, item.Hash
}

// batch makes a restricted batch of one credit.
func (w *achWorld) batch(by, name string) ach.BatchID {
	w.t.Helper()
	draft := ach.EntryDraft{Recipient: recipients.Recipient{Name: "Harbor Supplies", Amount: 100_00, Account: "445566", Routing: "231380104", Kind: nacha.Checking}}
	id, err := w.a.ACH.Create(w.t.Context(), achAs(by), ach.Header{Name: name, Restricted: true, Company: "1234567890", Class: "CCD", Description: "VENDORS"}, []ach.EntryDraft{draft})
	w.must(err)
	return id
}

var achToken = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

func (w *achWorld) signIn() {
	w.t.Helper()
	w.clock.Advance(time.Second) // of the sign-ins that are too many, the oldest ends
	jar, err := cookiejar.New(nil)
	w.must(err)
	w.browser = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if status, where := w.screen(achCall{form: url.Values{"username": {"dana"}, "password": {achPassword}}, page: "/cedar/sign-in"}); status != http.StatusSeeOther || !strings.HasPrefix(where, "/cedar/home ") {
		w.t.Fatalf("signing in answered %d %s", status, where[:min(len(where), 200)])
	}
}

// An achCall is one operation as a program asks for it, and as a screen does.
type achCall struct {
	op     catalog.Operation
	ask    entitlement.Request // as the engine is asked
	path   string              // of the API
	body   string              // empty: a GET
	page   string
	form   url.Values // nil: a GET
	upload []byte     // goes with the form
}

// calls are all operations about ACH, each as it is asked for whole.
func (w *achWorld) calls() (all []achCall) {
	restricted := entitlement.Context{}.With(catalog.Restricted, true).With(catalog.LastEditor, false).With(catalog.Recurring, false).With(catalog.SameDay, false).With(catalog.Debits, false)
	sameDay := restricted.With(catalog.SameDay, true)
	batch, page := "/api/v1/ach/batches/"+string(w.ready), "/cedar/ach/batches/"+string(w.ready)
	head := url.Values{"name": {"New"}, "company": {"1234567890"}, "class": {"CCD"}, "description": {"RENT"}, "restricted": {"on"}, "version": {"1"}}
	const header = `{"name":"New","company":"1234567890","class":"CCD","description":"RENT","restricted":true}`
	for _, op := range catalog.Operations() {
		c := achCall{op: op, ask: entitlement.Request{Member: w.dana.ID, Operation: op, Context: restricted, Now: dbtest.Start}}
		switch op {
		case catalog.ACHBatchView:
			c.path, c.page = batch, page
		case catalog.ACHBatchCreate:
			c.path, c.body, c.page, c.form = "/api/v1/ach/batches", header, "/cedar/ach/create", head
		case catalog.ACHBatchEdit:
			c.path, c.body, c.page, c.form = batch+"/edit", `{"version":1,"header":`+header+`}`, page+"/edit", head
		case catalog.ACHRecipientsImport:
			c.path, c.body = batch+"/import", `{"version":1,"format":"csv","text":"Ada,12.00,445566,231380104"}`
			c.page, c.form, c.upload = page+"/import", url.Values{"version": {"1"}, "format": {"csv"}, "replace": {"no"}}, []byte("Ada,12.00,445566,231380104\n")
		case catalog.ACHFileUpload:
			text, err := json.Marshal(string(w.file))
			w.must(err)
			c.ask.Context = entitlement.Context{}
			c.path, c.body = "/api/v1/ach/files", `{"text":`+string(text)+`}`
			c.page, c.form, c.upload = "/cedar/ach/upload", url.Values{}, w.file
		case catalog.ACHBatchInitiate:
			c.ask.Account, c.ask.Amount, c.ask.Context = w.account.ID, entitlement.AmountOf(100_00), sameDay
			c.path, c.body = batch+"/initiate", fmt.Sprintf(`{"version":1,"offset":%q,"effective":"2026-03-02"}`, w.account.ID)
			c.page, c.form = page+"/send", url.Values{"version": {"1"}, "offset": {string(w.account.ID)}, "effective": {"2026-03-02"}}
		case catalog.ACHBatchApprove:
			c.ask.Account, c.ask.Amount = w.account.ID, entitlement.AmountOf(100_00)
			c.path, c.body = "/api/v1/approvals/"+w.waiting+"/approve", fmt.Sprintf(`{"hash":%q}`, w.hash)
			c.page, c.form = "/cedar/approvals/"+w.waiting+"/approve", url.Values{"hash": {w.hash}}
		case catalog.ACHBatchUninitiate:
			c.path, c.body = "/api/v1/ach/batches/"+string(w.started)+"/uninitiate", `{"version":1}`
			c.page, c.form = "/cedar/ach/batches/"+string(w.started)+"/uninitiate", url.Values{"version": {"1"}}
		case catalog.ACHBatchDelete:
			c.path, c.body, c.page, c.form = batch+"/delete", `{"version":1}`, page+"/delete", url.Values{"version": {"1"}}
		default:
			if strings.HasPrefix(op.ID(), "ach.") {
				w.t.Errorf("nobody asks for %s here", op.ID())
			}
			continue
		}
		all = append(all, c)
	}
	return all
}

// program asks as a program does.
func (w *achWorld) program(c achCall) (status int, body string) {
	w.t.Helper()
	w.requests++
	method := http.MethodGet
	if c.body != "" {
		method = http.MethodPost
	}
	r := httptest.NewRequest(method, c.path, strings.NewReader(c.body))
	r.Header.Set("Authorization", "Bearer "+w.key)
	r.Header.Set("Mandate-Member", string(w.dana.ID))
	if c.body != "" {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", fmt.Sprint("key-", w.requests))
		r.Header.Set("Mandate-Proof", "passkey")
	}
	out := httptest.NewRecorder()
	w.api.ServeHTTP(out, r)
	return out.Code, out.Body.String()
}

// screen asks as a browser does.
func (w *achWorld) screen(c achCall) (status int, body string) {
	w.t.Helper()
	if c.form == nil {
		return w.send(http.MethodGet, c.page, nil, "")
	}
	_, page := w.send(http.MethodGet, "/cedar/sign-in", nil, "")
	token := achToken.FindStringSubmatch(page)
	if token == nil {
		w.t.Fatal("the sign-in has no form token")
	}
	form := url.Values{"csrf": {token[1]}}
	for name, values := range c.form {
		form[name] = values
	}
	if c.upload == nil {
		return w.send(http.MethodPost, c.page, strings.NewReader(form.Encode()), "application/x-www-form-urlencoded")
	}
	var text bytes.Buffer
	parts := multipart.NewWriter(&text)
	for name := range form {
		w.must(parts.WriteField(name, form.Get(name)))
	}
	part, err := parts.CreateFormFile("file", "file.txt")
	w.must(err)
	_, err = part.Write(c.upload)
	w.must(err)
	w.must(parts.Close())
	return w.send(http.MethodPost, c.page, &text, parts.FormDataContentType())
}

func (w *achWorld) send(method, path string, body io.Reader, kind string) (int, string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.origin+path, body)
	w.must(err)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
		r.Header.Set("Origin", w.origin)
	}
	got, err := w.browser.Do(r)
	w.must(err)
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	w.must(err)
	return got.StatusCode, got.Header.Get("Location") + " " + string(text)
}

// standing is where every batch stands: a refusal leaves it as it was.
func (w *achWorld) standing() (all []string) {
	w.t.Helper()
	w.must(w.a.DB.Read(w.t.Context(), func(tx *db.Tx) (err error) {
		all, err = db.All(tx, func(s db.Scanner) (line string, err error) {
			var id, state string
			var version int64
			err = s.Scan(&id, &state, &version)
			return fmt.Sprint(id, state, version), err
		}, `select id, state, version from ach_batch order by id`)
		return err
	}))
	return all
}

func (w *achWorld) explain(req entitlement.Request) (e entitlement.Explanation) {
	w.t.Helper()
	w.must(w.a.DB.Read(w.t.Context(), func(tx *db.Tx) error {
		p, err := usermgmt.LoadPolicy(tx, "cedar", w.org.ID, entitlement.Scope{Members: []bank.UserID{w.dana.ID}, Accounts: []bank.AccountID{w.account.ID}})
		if err == nil {
			e = entitlement.Explain(p, req)
		}
		return err
	}))
	return e
}

// block makes one test of the engine fail, and says how to undo it. What is no
// setting of anybody's cannot be blocked: it returns nil.
func (w *achWorld) block(c entitlement.Check) (undo func()) {
	w.t.Helper()
	run := func(query string, args ...any) {
		w.t.Helper()
		w.write(func(tx *db.Tx) error { _, err := tx.Exec(query, args...); return err })
	}
	has := catalog.EntitlementSet(0).With(catalog.ACH)
	settings := func(s entitlement.Settings) {
		w.t.Helper()
		w.write(func(tx *db.Tx) error { return usermgmt.SetMemberSettings(tx, w.org.Num, w.dana.Ordinal, s, 1) })
	}
	access := func(s entitlement.Settings) {
		w.t.Helper()
		w.write(func(tx *db.Tx) error {
			return usermgmt.SetMemberAccount(tx, w.org.Num, w.dana.Ordinal, w.account.Ordinal, s)
		})
	}
	s := achRights
	switch c.Code {
	case entitlement.MemberStatus:
		run(`update member set status = $1 where id = $2`, bank.StatusLocked, w.dana.ID)
		return func() { run(`update member set status = $1 where id = $2`, bank.StatusActive, w.dana.ID); w.signIn() }
	case entitlement.MemberHeld:
		run(`update member set held = true where id = $1`, w.dana.ID)
		return func() { run(`update member set held = false where id = $1`, w.dana.ID); w.signIn() }
	case entitlement.InstitutionOff:
		run(`update institution set offers = 0`)
		return func() { run(`update institution set offers = $1`, has) }
	case entitlement.OrganizationOff:
		run(`update organization set entitlements = 0`)
		return func() { run(`update organization set entitlements = $1`, has) }
	case entitlement.OrganizationAccountOff:
		run(`update account set off = $1`, has)
		return func() { run(`update account set off = 0`) }
	case entitlement.AccountAccessOff:
		access(entitlement.Settings{})
		return func() { access(entitlement.Settings{On: catalog.SetOf(catalog.AccountAccess)}) }
	case entitlement.UserOff:
		if s.On = s.On.Without(c.Permission); c.Permission == catalog.ACHEditLevel {
			s.EditLevel = 0
		}
	case entitlement.LimitDaily:
		if c.Level == entitlement.LevelOrganization {
			run(`update organization set ceiling_ach_daily = 1`)
			return func() { run(`update organization set ceiling_ach_daily = $1`, int64(20_000_00)) }
		}
		s.Limits = s.Limits.With(catalog.LimitACHDaily, 1)
	default:
		return nil
	}
	settings(s)
	return func() { settings(achRights) }
}

// Every operation about ACH is refused on the screen and through the API for
// each reason that can block it. Both lists are the engine's own: the operations
// of the catalogue, and the tests that it makes for each.
func TestEveryACHOperationIsRefusedForEveryReason(t *testing.T) {
	w := newACHWorld(t)
	pairs := 0
	for _, c := range w.calls() {
		e := w.explain(c.ask)
		if !e.Allowed {
			t.Fatalf("%s is refused before anything blocks it: %+v", c.op.ID(), e.Reasons)
		}
		for _, rung := range e.Rungs {
			for _, check := range rung.Checks {
				undo := w.block(check)
				if undo == nil {
					continue
				}
				pairs++
				w.refuses(c, check)
				undo()
			}
		}
	}
	if pairs < 60 {
		t.Errorf("only %d pairs of operation and reason were tried", pairs)
	}
	for _, c := range w.calls() { // and without any reason it is done
		if c.op == catalog.ACHBatchDelete || c.op == catalog.ACHBatchEdit || c.op == catalog.ACHRecipientsImport || c.op == catalog.ACHBatchInitiate {
			fresh := w.batch("lee", "Done "+c.op.ID())
			c.path = strings.Replace(c.path, string(w.ready), string(fresh), 1)
		}
		if status, body := w.program(c); status != http.StatusOK {
			t.Errorf("%s is not done: %d %s", c.op.ID(), status, body)
		}
	}
}

func (w *achWorld) refuses(c achCall, check entitlement.Check) {
	w.t.Helper()
	what := fmt.Sprintf("%s for %s %s at %s", c.op.ID(), check.Code, check.Permission, check.Level)
	if e := w.explain(c.ask); e.Allowed || !slices.ContainsFunc(e.Reasons, func(r entitlement.Reason) bool { return r.Code == check.Code && r.Permission == check.Permission }) {
		w.t.Errorf("%s: the engine says %v %+v", what, e.Allowed, e.Reasons)
		return
	}
	before := w.standing()
	status, body := w.program(c)
	code := string(check.Code)
	if check.Code == entitlement.MemberHeld { // a hold is never shown to the person held
		code = string(entitlement.MemberStatus)
	}
	hidden := check.Permission == catalog.ACHRestricted && status == http.StatusNotFound
	if status != http.StatusForbidden && !hidden || !hidden && !strings.Contains(body, code) {
		w.t.Errorf("%s through the API: %d %s", what, status, body)
	}
	status, body = w.screen(c)
	switch {
	case status == http.StatusForbidden && !strings.Contains(body, "Confirm that it is you"), status == http.StatusNotFound && check.Permission == catalog.ACHRestricted:
	case status == http.StatusSeeOther && (check.Code == entitlement.MemberStatus || check.Code == entitlement.MemberHeld): // the sign-in is over
	case status == http.StatusUnprocessableEntity && strings.Contains(body, "You may not"):
	default:
		w.t.Errorf("%s on the screen: %d %s", what, status, achText(body))
	}
	if after := w.standing(); !slices.Equal(before, after) {
		w.t.Errorf("%s left %v, was %v", what, after, before)
	}
}

var achTags = regexp.MustCompile(`(?s)<script.*?</script>|<svg.*?</svg>|<[^>]*>|\s+`)

func achText(body string) string {
	text := achTags.ReplaceAllString(body, " ")
	return text[max(0, len(text)-600):]
}
