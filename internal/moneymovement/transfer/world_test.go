package transfer_test

import (
	"context"
	"errors"
	"fmt"
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
	"mandate/internal/moneymovement/transfer"
	"mandate/internal/usermgmt"
)

const (
	cedar     = bank.InstitutionID("cedar")
	northwind = bank.OrganizationID("org_northwind")

	operating = bank.AccountID("acc_operating") // opens with $10,000.00
	payroll   = bank.AccountID("acc_payroll")   // opens with nothing
	reserve   = bank.AccountID("acc_reserve")   // Dana sees nothing of it
)

// A world is an organization whose Dana and Lee move money between Operating
// and Payroll, up to $5,000.00 at a time. Eve sees Payroll alone. It is Monday
// morning, March 2.
type world struct {
	t        testing.TB
	d        *db.DB
	clock    *dbtest.Clock
	calendar *calendar.Service
	books    *hostsim.Bank
	room     *transfer.Service
	desk     *host.Desk
	org      usermgmt.Organization
	people   map[string]*usermgmt.Member
	accounts map[bank.AccountID]*usermgmt.Account
	told     *told
	proofs   *proofs
	down     atomic.Bool // the line to the host
}

// A line to the host can be down.
type line struct {
	*hostsim.Bank
	down *atomic.Bool
}

func (l *line) Carry(ctx context.Context, o host.Order) (host.Receipt, error) {
	if l.down.Load() {
		return host.Receipt{}, errors.New("the line is down")
	}
	return l.Bank.Carry(ctx, o)
}

func each(t *testing.T, test func(w *world)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(newWorld(t, d)) })
}

// process is the room as one process has it.
func (w *world) process(name string) *transfer.Service {
	door := guard.New(w.d, usermgmt.LoadPolicy, nil, w.proofs)
	w.desk = host.NewDesk(w.d, &line{Bank: w.books, down: &w.down}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	w.calendar = calendar.New(door, func(*db.Tx, bank.InstitutionID) (*time.Location, error) { return time.LoadLocation("America/New_York") })
	return transfer.New(transfer.Config{DB: w.d, Guard: door, Calendar: w.calendar, Desk: w.desk, Teller: w.told, Process: name})
}

func moves() entitlement.Settings {
	return entitlement.Settings{
		On:     catalog.SetOf(catalog.TransfersEnabled, catalog.TransfersAllow),
		Limits: entitlement.Limits{}.With(catalog.LimitTransfer, 5_000_00),
	}
}

func both() entitlement.Settings {
	return entitlement.Settings{On: catalog.SetOf(catalog.AccountAccess, catalog.TransfersFrom, catalog.TransfersTo)}
}

func newWorld(t testing.TB, d *db.DB) *world {
	w := &world{
		t: t, d: d, clock: dbtest.ClockOf(t, d), books: hostsimtest.Open(t, d), people: map[string]*usermgmt.Member{},
		accounts: map[bank.AccountID]*usermgmt.Account{}, told: &told{}, proofs: &proofs{},
	}
	w.room = w.process("first")
	has := catalog.EntitlementSet(0).With(catalog.Transfers).With(catalog.UserManagement)
	w.org = usermgmt.Organization{Institution: cedar, ID: northwind, Name: "Northwind", Entitlements: has}
	w.write(func(tx *db.Tx) error {
		if err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: cedar, Name: "Cedar Bank", TimeZone: "America/New_York", Offers: has}); err != nil {
			return err
		}
		if err := usermgmt.InsertOrganization(tx, &w.org); err != nil {
			return err
		}
		for _, id := range []bank.AccountID{operating, payroll, reserve} {
			w.accounts[id] = &usermgmt.Account{ID: id, Name: strings.TrimPrefix(string(id), "acc_"), Number: "0137", Kind: "checking"}
			if err := usermgmt.InsertAccount(tx, w.org.Num, w.accounts[id]); err != nil {
				return err
			}
		}
		return nil
	})
	w.add("dana", moves())
	w.add("lee", moves())
	w.add("eve", entitlement.Settings{})
	w.add("ana", entitlement.Settings{On: catalog.SetOf(catalog.UserManagementEnabled)})
	for _, name := range []string{"dana", "lee"} {
		w.on(name, operating, both())
		w.on(name, payroll, both())
	}
	w.on("eve", payroll, entitlement.Settings{On: catalog.SetOf(catalog.AccountAccess)})
	w.fund(operating, 10_000_00)
	w.fund(payroll, 0)
	w.fund(reserve, 1_000_00)
	return w
}

func (w *world) add(name string, s entitlement.Settings) {
	w.t.Helper()
	m := &usermgmt.Member{ID: bank.UserID(name), FirstName: strings.ToUpper(name[:1]) + name[1:], Email: name + "@northwind.example", Status: bank.StatusActive, Settings: s}
	if name == "ana" {
		m.Role = bank.RoleAdmin
	}
	w.people[name] = m
	w.write(func(tx *db.Tx) error { return usermgmt.InsertMember(tx, cedar, w.org.Num, m) })
}

// on changes what somebody may do on an account, behind everybody's back.
func (w *world) on(name string, account bank.AccountID, s entitlement.Settings) {
	w.t.Helper()
	w.write(func(tx *db.Tx) error {
		return usermgmt.SetMemberAccount(tx, w.org.Num, w.people[name].Ordinal, w.accounts[account].Ordinal, s)
	})
}

func (w *world) set(name string, s entitlement.Settings) {
	w.t.Helper()
	w.write(func(tx *db.Tx) error { return usermgmt.SetMemberSettings(tx, w.org.Num, w.people[name].Ordinal, s, 1) })
}

func (w *world) write(f func(tx *db.Tx) error) {
	w.t.Helper()
	if err := w.d.Write(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

// fund opens an account, or puts more into it.
func (w *world) fund(account bank.AccountID, cents bank.Cents) {
	w.t.Helper()
	err := w.books.Open(w.t.Context(), hostsim.Opening{Institution: cedar, Organization: northwind, Account: account, Balance: cents})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) deposit(account bank.AccountID, cents bank.Cents) {
	w.t.Helper()
	o := host.Order{Institution: cedar, Organization: northwind, Room: "test", Ref: string(transfer.NewID(w.clock.Now())), Day: "2026-03-02", Legs: host.Move(host.Internal("cash"), account, cents)}
	if r, err := w.books.Carry(w.t.Context(), o); err != nil || !r.Done() {
		w.t.Fatalf("deposit: %+v, %v", r, err)
	}
}

// has checks balances, and that the books agree with themselves.
func (w *world) has(want map[bank.AccountID]bank.Cents) {
	w.t.Helper()
	got, err := w.books.Balances(w.t.Context(), cedar, []bank.AccountID{operating, payroll, reserve})
	if err != nil {
		w.t.Fatal(err)
	}
	for id, cents := range want {
		if got[id].Ledger != cents {
			w.t.Errorf("%s holds %s, want %s", id, got[id].Ledger, cents)
		}
	}
	if wrong, err := w.books.Check(w.t.Context()); err != nil || len(wrong) > 0 {
		w.t.Errorf("the books: %+v, %v", wrong, err)
	}
}

func caller(name string) bank.Caller {
	return bank.Caller{Kind: bank.ActorMember, ID: name, Name: strings.ToUpper(name[:1]) + name[1:], Institution: cedar, Organization: northwind, Channel: bank.ChannelOnline}
}

func (w *world) draft(cents bank.Cents) transfer.Draft {
	return transfer.Draft{ID: transfer.NewID(w.clock.Now()), From: operating, To: payroll, Cents: cents}
}

// make asks as Dana for a transfer that must be accepted.
func (w *world) make(d transfer.Draft) transfer.Made {
	w.t.Helper()
	made, err := w.room.Create(w.t.Context(), caller("dana"), d)
	if err != nil {
		w.t.Fatalf("Create(%+v): %v", d, err)
	}
	return made
}

func (w *world) get(id transfer.ID) transfer.Detail {
	w.t.Helper()
	d, err := w.room.Get(w.t.Context(), caller("dana"), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

func (w *world) wants(id transfer.ID, state transfer.State, code string) transfer.Detail {
	w.t.Helper()
	d := w.get(id)
	if d.State != state || d.Code != code {
		w.t.Errorf("%s is %s %s (%s), want %s %s", id, d.State, d.Code, d.Problem, state, code)
	}
	return d
}

// run does what is due and returns how much there was.
func (w *world) run(want int) {
	w.t.Helper()
	if n, err := w.room.RunDue(w.t.Context()); n != want || err != nil {
		w.t.Errorf("RunDue = %d, %v, want %d", n, err, want)
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

func (w *world) refuses(what string, err error, code string) {
	w.t.Helper()
	f, ok := err.(*fault.Error)
	if !ok || f.Code != code {
		w.t.Errorf("%s: %v, want %s", what, err, code)
	}
}

// told keeps what people were told.
type told struct {
	mu    sync.Mutex
	mails []string
}

func (s *told) Tell(_ *db.Tx, _ bank.InstitutionID, people []bank.UserID, _, _, subject string, _ ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, fmt.Sprint(people, " ", subject))
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
