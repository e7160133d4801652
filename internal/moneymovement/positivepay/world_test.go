package positivepay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/host/hostsim/hostsimtest"
	"mandate/internal/moneymovement/layout"
	"mandate/internal/moneymovement/positivepay"
	"mandate/internal/usermgmt"
)

const (
	cedar     = bank.InstitutionID("cedar")
	northwind = bank.OrganizationID("org_northwind")
	operating = bank.AccountID("acc_operating") // enrolled; opens with $10,000.00
	payroll   = bank.AccountID("acc_payroll")   // not enrolled; opens with nothing
)

var operator = bank.Caller{Kind: bank.ActorOperator, Name: "Olga", Institution: cedar, Channel: bank.ChannelCommand}

// A world is an organization whose Dana and Lee do everything of Positive Pay
// on both accounts, whose Wes works checks on Operating alone, and whose Uma
// may nothing. It is Monday, March 2, 10 AM in New York.
type world struct {
	t        testing.TB
	d        *db.DB
	clock    *dbtest.Clock
	books    *hostsim.Bank
	room     *positivepay.Service
	org      usermgmt.Organization
	people   map[string]*usermgmt.Member
	accounts []*usermgmt.Account
	told     *told
	proofs   *proofs
	desk     *host.Desk  // of the process that was made last
	down     atomic.Bool // the line to the host
	nameless atomic.Bool // no account has a number at the host
	external string      // the institution's id of every account
}

// A line to the host can be down.
type line struct {
	*hostsim.Bank
	down, nameless *atomic.Bool
}

func (l *line) Carry(ctx context.Context, o host.Order) (host.Receipt, error) {
	if l.down.Load() {
		return host.Receipt{}, errors.New("the line is down")
	}
	return l.Bank.Carry(ctx, o)
}

func (l *line) Numbers(ctx context.Context, institution bank.InstitutionID, accounts []bank.AccountID) (map[bank.AccountID]string, error) {
	if l.down.Load() {
		return nil, errors.New("the line is down")
	}
	if l.nameless.Load() {
		return nil, nil
	}
	return l.Bank.Numbers(ctx, institution, accounts)
}

// rounds is how often a race is run: MANDATE_SLOW runs all of them.
func rounds() int { return dbtest.Rounds(10, 500) }

func each(t *testing.T, test func(w *world)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(newWorld(t, d)) })
}

// process is the room as one process has it.
func (w *world) process(name string) *positivepay.Service {
	door := guard.New(w.d, usermgmt.LoadPolicy, nil, w.proofs)
	desk := host.NewDesk(w.d, &line{Bank: w.books, down: &w.down, nameless: &w.nameless}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	w.desk = desk
	days := calendar.New(door, func(*db.Tx, bank.InstitutionID) (*time.Location, error) { return time.LoadLocation("America/New_York") })
	names := func(_ *db.Tx, _ bank.InstitutionID, _ bank.OrganizationID, id bank.AccountID) (name, external string, err error) {
		return strings.TrimPrefix(string(id), "acc_"), w.external, nil
	}
	return positivepay.New(positivepay.Config{DB: w.d, Guard: door, Calendar: days, Desk: desk, Teller: w.told, Accounts: names, Process: name})
}

func everything() catalog.Set {
	return catalog.SetOf(catalog.ARPEnabled, catalog.ARPUpload, catalog.ARPDownload, catalog.ARPWorkChecks, catalog.ARPWorkACH)
}

func newWorld(t testing.TB, d *db.DB) *world {
	w := &world{t: t, d: d, clock: dbtest.ClockOf(t, d), books: hostsimtest.Open(t, d), people: map[string]*usermgmt.Member{}, told: &told{}, proofs: &proofs{}}
	w.room = w.process("first")
	has := catalog.EntitlementSet(0).With(catalog.ARP)
	w.org = usermgmt.Organization{Institution: cedar, ID: northwind, Name: "Northwind", Entitlements: has}
	w.accounts = []*usermgmt.Account{{ID: operating, Name: "Operating"}, {ID: payroll, Name: "Payroll"}}
	w.write(func(tx *db.Tx) error {
		if err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: cedar, Name: "Cedar Bank", TimeZone: "America/New_York", Offers: has}); err != nil {
			return err
		}
		if err := usermgmt.InsertOrganization(tx, &w.org); err != nil {
			return err
		}
		for _, a := range w.accounts {
			if err := usermgmt.InsertAccount(tx, w.org.Num, a); err != nil {
				return err
			}
		}
		return nil
	})
	w.add("dana", everything(), operating, payroll)
	w.add("lee", everything(), operating, payroll)
	w.add("wes", catalog.SetOf(catalog.ARPEnabled, catalog.ARPWorkChecks), operating)
	w.add("uma", 0)
	err := w.books.Open(t.Context(), hostsim.Opening{Institution: cedar, Organization: northwind, Account: operating, Number: "000110000137", Balance: 10_000_00},
		hostsim.Opening{Institution: cedar, Organization: northwind, Account: payroll})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.room.Enrol(t.Context(), operator, northwind, operating, true); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) add(name string, on catalog.Set, accounts ...bank.AccountID) {
	w.t.Helper()
	m := &usermgmt.Member{ID: bank.UserID(name), FirstName: strings.ToUpper(name[:1]) + name[1:], Email: name + "@northwind.example", Status: bank.StatusActive, Settings: entitlement.Settings{On: on}}
	w.people[name] = m
	w.write(func(tx *db.Tx) error {
		if err := usermgmt.InsertMember(tx, cedar, w.org.Num, m); err != nil {
			return err
		}
		for _, a := range w.accounts {
			for _, id := range accounts {
				if a.ID != id {
					continue
				}
				if err := usermgmt.SetMemberAccount(tx, w.org.Num, m.Ordinal, a.Ordinal, entitlement.Settings{On: on.With(catalog.AccountAccess)}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (w *world) write(f func(tx *db.Tx) error) {
	w.t.Helper()
	if err := w.d.Write(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

// at moves the clock to a moment in New York.
func (w *world) at(text string) {
	w.t.Helper()
	place, err := time.LoadLocation("America/New_York")
	if err != nil {
		w.t.Fatal(err)
	}
	moment, err := time.ParseInLocation("2006-01-02 15:04", text, place)
	if err != nil {
		w.t.Fatal(err)
	}
	w.clock.Set(moment)
}

func caller(name string) bank.Caller {
	return bank.Caller{Kind: bank.ActorMember, ID: name, Name: strings.ToUpper(name[:1]) + name[1:], Institution: cedar, Organization: northwind, Channel: bank.ChannelOnline}
}

func columns() positivepay.Layout {
	return positivepay.Layout{Format: layout.CSV, Dates: positivepay.DateDashes, Places: map[positivepay.Field]layout.Place{
		positivepay.Number: {Column: 1}, positivepay.Amount: {Column: 2}, positivepay.Date: {Column: 3}, positivepay.Payee: {Column: 4}, positivepay.Type: {Column: 5},
	}}
}

func (w *world) newFile() positivepay.FileID { return positivepay.NewFileID(w.clock.Now()) }

// upload uploads a CSV file as Dana.
func (w *world) upload(text string) (positivepay.FileID, *positivepay.Preview, error) {
	w.t.Helper()
	if err := w.room.SetLayout(w.t.Context(), caller("dana"), columns()); err != nil {
		w.t.Fatal(err)
	}
	id := w.newFile()
	p, err := w.room.Upload(w.t.Context(), caller("dana"), positivepay.Upload{ID: id, Account: operating, Name: "march.csv", Format: layout.CSV, File: strings.NewReader(text)})
	return id, p, err
}

// issue makes the host know checks.
func (w *world) issue(text string) positivepay.FileID {
	w.t.Helper()
	id, p, err := w.upload(text)
	if err != nil || len(p.Problems) > 0 {
		w.t.Fatalf("upload: %+v, %v", p, err)
	}
	if err := w.room.Approve(w.t.Context(), caller("dana"), id); err != nil {
		w.t.Fatal(err)
	}
	return id
}

// comes lets an item come in for today, and takes it in. It is empty where the
// item is no exception.
func (w *world) comes(p host.Presented) positivepay.ItemID {
	w.t.Helper()
	if p.Account == "" {
		p.Account = operating
	}
	if p.Day == "" {
		p.Day = "2026-03-02"
	}
	if _, err := w.books.Present(w.t.Context(), cedar, p, picture(), nil); err != nil {
		w.t.Fatal(err)
	}
	before := w.exceptions()
	w.clock.Advance(time.Millisecond) // so that what comes later is listed later
	w.run()
	for _, i := range w.exceptions() {
		known := false
		for _, b := range before {
			known = known || b.ID == i.ID
		}
		if !known {
			return i.ID
		}
	}
	return ""
}

func check(number int64, cents bank.Cents) host.Presented {
	return host.Presented{Kind: host.CheckItem, Number: number, Cents: cents, Payee: "Harbor Supplies"}
}

func debit(cents bank.Cents) host.Presented {
	return host.Presented{Kind: host.ACHItem, Cents: cents, Company: "Tidewater Gym", CompanyID: "1234567890", Class: "CCD", Trace: "121042880000001"}
}

func (w *world) exceptions() []positivepay.Item {
	w.t.Helper()
	page, err := w.room.Items(w.t.Context(), caller("dana"), positivepay.ItemQuery{})
	if err != nil {
		w.t.Fatal(err)
	}
	return page.Items
}

func (w *world) run() {
	w.t.Helper()
	if err := w.room.Run(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) decide(name string, id positivepay.ItemID, v positivepay.Verdict) error {
	d := positivepay.Decision{Item: id, Verdict: v}
	if v == positivepay.Return {
		d.Reason = positivepay.ReasonOther
	}
	_, err := w.room.Decide(w.t.Context(), caller(name), []positivepay.Decision{d})
	return err
}

func (w *world) wants(id positivepay.ItemID, state positivepay.ItemState) positivepay.ItemDetail {
	w.t.Helper()
	d, err := w.room.GetItem(w.t.Context(), caller("dana"), id)
	if err != nil {
		w.t.Fatal(err)
	}
	if d.State != state {
		w.t.Errorf("%s is %s (%s %s), want %s", id, d.State, d.Code, d.Problem, state)
	}
	return d
}

// has checks Operating's balance, and that the books agree with themselves.
func (w *world) has(cents bank.Cents) {
	w.t.Helper()
	got, err := w.books.Balances(w.t.Context(), cedar, []bank.AccountID{operating})
	if err != nil || got[operating].Ledger != cents {
		w.t.Errorf("Operating holds %s, %v, want %s", got[operating].Ledger, err, cents)
	}
	if wrong, err := w.books.Check(w.t.Context()); err != nil || len(wrong) > 0 {
		w.t.Errorf("the books: %+v, %v", wrong, err)
	}
}

func (w *world) refuses(what string, err error, code string) {
	w.t.Helper()
	f, ok := err.(*fault.Error)
	if !ok || f.Code != code {
		w.t.Errorf("%s: %v, want %s", what, err, code)
	}
}

// picture is a small picture of a check.
func picture() []byte {
	p := image.NewGray(image.Rect(0, 0, 60, 25))
	for x := range 60 {
		p.SetGray(x, 12, color.Gray{Y: 255})
	}
	var out bytes.Buffer
	if err := png.Encode(&out, p); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// told keeps what people were told, once for each key as mail is.
type told struct {
	mu    sync.Mutex
	keys  map[string]bool
	mails []string
}

func (s *told) Tell(_ *db.Tx, _ bank.InstitutionID, people []bank.UserID, key, _, subject string, _ ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil {
		s.keys = map[string]bool{}
	}
	if s.keys[key] {
		return nil
	}
	s.keys[key] = true
	s.mails = append(s.mails, fmt.Sprint(len(people), " ", subject))
	return nil
}

// proofs are given, unless they are wanting.
type proofs struct {
	mu      sync.Mutex
	wanting bool
}

func (p *proofs) Consume(*db.Tx, bank.Caller, string, string, []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wanting {
		return fault.New(fault.StepUp, "Prove it.").With("STEP_UP")
	}
	return nil
}
