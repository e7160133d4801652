package wire_test

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

	"mandate/internal/approval"
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
	"mandate/internal/moneymovement/wire"
	"mandate/internal/moneymovement/wire/message"
	"mandate/internal/usage"
	"mandate/internal/usermgmt"
)

const (
	cedar     = bank.InstitutionID("cedar")
	northwind = bank.OrganizationID("org_northwind")

	operating = bank.AccountID("acc_operating") // opens with $200,000.00
	payroll   = bank.AccountID("acc_payroll")   // opens with $1,000.00
	reserve   = bank.AccountID("acc_reserve")   // nobody wires from it
)

// A world is an organization whose people send wires from Operating and
// Payroll: Dana up to $25,000.00 at a time and $60,000.00 a day, above
// $10,000.00 with a second person; Lee and Max up to $25,000.00 and $100,000.00,
// alone. Cleo writes wires down and sends none. Eve sees Payroll and no wires. It
// is Monday morning, March 2.
type world struct {
	t         testing.TB
	d         *db.DB
	clock     *dbtest.Clock
	calendar  *calendar.Service
	books     *hostsim.Bank
	line      *line
	room      *wire.Service
	approvals *approval.Service
	desk      *host.Desk
	org       usermgmt.Organization
	people    map[string]*usermgmt.Member
	accounts  map[bank.AccountID]*usermgmt.Account
	told      *told
	proofs    *proofs
}

// A line to the host can be down, before the host hears or before it answers,
// and keeps the files that went over it.
type line struct {
	*hostsim.Bank
	down, deaf atomic.Bool
	mu         sync.Mutex
	files      map[string]host.File
}

var errDown = errors.New("the line is down")

func (l *line) Carry(ctx context.Context, o host.Order) (host.Receipt, error) {
	if l.down.Load() {
		return host.Receipt{}, errDown
	}
	r, err := l.Bank.Carry(ctx, o)
	if err == nil && r.Done() && o.File != nil {
		l.mu.Lock()
		l.files[o.Ref] = *o.File
		l.mu.Unlock()
	}
	if l.deaf.Load() {
		return host.Receipt{}, errDown
	}
	return r, err
}

// settle carries everything that waits for the host.
func (l *line) settle(t testing.TB, w *world) {
	t.Helper()
	for range 50 {
		w.desk.Now(t.Context())
		waits := false
		w.write(func(tx *db.Tx) error {
			n, err := db.One(tx, db.Value[int64], `select count(*) from wire where state = 'sent'`)
			waits = n > 0
			return err
		})
		if !waits {
			return
		}
		w.clock.Advance(time.Second)
	}
	t.Fatal("the host never answered")
}

// deposit puts money into an account, or takes it out.
func (w *world) deposit(account bank.AccountID, cents bank.Cents, ref string) {
	w.t.Helper()
	o := host.Order{Institution: cedar, Organization: northwind, Room: "test", Ref: ref, Day: "2026-03-02", Legs: host.Move(host.Internal("cash"), account, cents)}
	if r, err := w.books.Carry(w.t.Context(), o); err != nil || !r.Done() {
		w.t.Fatalf("deposit: %+v, %v", r, err)
	}
}

func each(t *testing.T, test func(w *world)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(newWorld(t, d, bank.EditionBank)) })
}

// A process is the room and the queue as one process has them.
type process struct {
	room      *wire.Service
	approvals *approval.Service
	calendar  *calendar.Service
	desk      *host.Desk
}

func newProcess(d *db.DB, h host.Connector, told *told, proofs guard.Proofs, name string) process {
	door := guard.New(d, usermgmt.LoadPolicy, nil, proofs)
	desk := host.NewDesk(d, h, slog.New(slog.NewTextHandler(io.Discard, nil)))
	days := calendar.New(door, func(*db.Tx, bank.InstitutionID) (*time.Location, error) { return time.LoadLocation("America/New_York") })
	queue := approval.New(d, door, told, names)
	room := wire.New(wire.Config{
		DB: d, Guard: door, Calendar: days, Desk: desk, Queue: queue, Names: names, Originators: originator, Teller: told, Process: name,
	})
	return process{room, queue, days, desk}
}

func names(_ *db.Tx, _ bank.InstitutionID, _ bank.OrganizationID, members []bank.UserID) (map[bank.UserID]string, error) {
	all := map[bank.UserID]string{}
	for _, id := range members {
		all[id] = called(string(id))
	}
	return all, nil
}

func originator(_ context.Context, _ bank.InstitutionID, _ bank.OrganizationID, account bank.AccountID) (message.Party, error) {
	return message.Party{Name: "Northwind Trading", Account: "5500" + strings.TrimPrefix(string(account), "acc_"), Street: "18 Harbor Street", Town: "Portland", State: "ME", PostCode: "04101"}, nil
}

// sends are the permissions of somebody who sends wires.
func sends() entitlement.Settings {
	return entitlement.Settings{
		On: catalog.SetOf(catalog.WiresEnabled, catalog.WiresWork, catalog.WiresTemplateCreate, catalog.WiresTemplateEdit, catalog.WiresOneTimeCreate,
			catalog.WiresOneTimeEdit, catalog.WiresRecurringEdit, catalog.WiresTransmit, catalog.WiresTransmitRecurring, catalog.WiresTransmitFuture),
		Limits: entitlement.Limits{}.With(catalog.LimitPerWire, 25_000_00).With(catalog.LimitWiresDaily, 100_000_00),
	}
}

// controlled sends above $10,000.00 with a second person only.
func controlled() entitlement.Settings {
	s := sends()
	s.On = s.On.With(catalog.WiresDualControl)
	s.Limits = s.Limits.With(catalog.LimitWiresDaily, 60_000_00).With(catalog.LimitWiresDual, 10_000_00)
	return s
}

func here() entitlement.Settings {
	on := sends().On.With(catalog.AccountAccess)
	return entitlement.Settings{On: on &^ catalog.SetOf(catalog.WiresEnabled)}
}

func newWorld(t testing.TB, d *db.DB, edition bank.Edition) *world {
	w := &world{
		t: t, d: d, clock: dbtest.ClockOf(t, d), books: hostsimtest.Open(t, d), people: map[string]*usermgmt.Member{},
		accounts: map[bank.AccountID]*usermgmt.Account{}, told: &told{}, proofs: &proofs{},
	}
	w.line = &line{Bank: w.books, files: map[string]host.File{}}
	p := w.process("first")
	w.room, w.approvals, w.calendar, w.desk = p.room, p.approvals, p.calendar, p.desk
	has := catalog.EntitlementSet(0).With(catalog.Wires).With(catalog.UserManagement)
	w.org = usermgmt.Organization{Institution: cedar, ID: northwind, Name: "Northwind", Entitlements: has}
	w.write(func(tx *db.Tx) error {
		if err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: cedar, Name: "Cedar Bank", Edition: edition, TimeZone: "America/New_York", Offers: has}); err != nil {
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
	w.add("dana", controlled())
	w.add("lee", sends())
	w.add("max", sends())
	w.add("cleo", entitlement.Settings{On: catalog.SetOf(catalog.WiresEnabled, catalog.WiresWork, catalog.WiresOneTimeCreate, catalog.WiresOneTimeEdit)})
	w.add("eve", entitlement.Settings{})
	w.add("ana", entitlement.Settings{On: catalog.SetOf(catalog.UserManagementEnabled)})
	for _, name := range []string{"dana", "lee", "max", "cleo"} {
		w.on(name, operating, here())
		w.on(name, payroll, here())
	}
	w.on("eve", payroll, entitlement.Settings{On: catalog.SetOf(catalog.AccountAccess)})
	w.fund(operating, 200_000_00)
	w.fund(payroll, 1_000_00)
	w.fund(reserve, 1_000_00)
	operator := bank.Caller{Kind: bank.ActorOperator, Name: "Olga", Institution: cedar, Channel: bank.ChannelCommand}
	if err := w.room.SetTerms(t.Context(), operator, wire.Terms{Routing: "231380104", Name: "Cedar Bank", Source: "CEDARB01", Format: message.Pacs008}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) process(name string) process {
	return newProcess(w.d, w.line, w.told, w.proofs, name)
}

func called(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

func (w *world) add(name string, s entitlement.Settings) {
	w.t.Helper()
	m := &usermgmt.Member{ID: bank.UserID(name), FirstName: called(name), Email: name + "@northwind.example", Status: bank.StatusActive, Settings: s}
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

func (w *world) fund(account bank.AccountID, cents bank.Cents) {
	w.t.Helper()
	err := w.books.Open(w.t.Context(), hostsim.Opening{Institution: cedar, Organization: northwind, Account: account, Balance: cents})
	if err != nil {
		w.t.Fatal(err)
	}
}

// has checks what left an account, that the books agree with themselves, and
// that what is counted is the sum of what is reserved.
func (w *world) has(account bank.AccountID, want bank.Cents) {
	w.t.Helper()
	got, err := w.books.Balances(w.t.Context(), cedar, []bank.AccountID{account})
	if err != nil || got[account].Ledger != want {
		w.t.Errorf("%s holds %s, %v, want %s", account, got[account].Ledger, err, want)
	}
	w.adds()
}

func (w *world) adds() {
	w.t.Helper()
	if wrong, err := w.books.Check(w.t.Context()); err != nil || len(wrong) > 0 {
		w.t.Errorf("the books: %+v, %v", wrong, err)
	}
	err := w.d.Read(w.t.Context(), func(tx *db.Tx) error {
		wrong, err := usage.Check(tx)
		if len(wrong) > 0 {
			w.t.Errorf("what is counted: %+v", wrong)
		}
		return err
	})
	if err != nil {
		w.t.Error(err)
	}
}

// used is what counts for a person on a day.
func (w *world) used(name string, day bank.Day, want bank.Cents) {
	w.t.Helper()
	err := w.d.Read(w.t.Context(), func(tx *db.Tx) error {
		got, err := usage.Used(tx, usage.Reservation{Institution: cedar, Organization: northwind, Limit: catalog.LimitWiresDaily, Day: day, Member: bank.UserID(name), Account: operating})
		if got.Member != want {
			w.t.Errorf("%s has used %s on %s, want %s", name, got.Member, day, want)
		}
		return err
	})
	if err != nil {
		w.t.Error(err)
	}
}

func caller(name string) bank.Caller {
	return bank.Caller{Kind: bank.ActorMember, ID: name, Name: called(name), Institution: cedar, Organization: northwind, Channel: bank.ChannelOnline}
}

func harbor() wire.Instruction {
	return wire.Instruction{
		Account: operating, Payee: message.Party{Name: "Harbor Supplies", Account: "000123456", Street: "2 Pier Road", Town: "Salem", State: "MA", PostCode: "01970"},
		Bank: message.Agent{Routing: "121042882", Name: "Harbor Bank"}, Remarks: "Invoice 4711",
	}
}

// draft is a wire that is sent off at once.
func (w *world) draft(cents bank.Cents) wire.Draft {
	d := wire.Draft{ID: wire.NewID(w.clock.Now()), Instruction: harbor(), Send: true}
	d.Cents = cents
	return d
}

// make asks as somebody for a wire that must be accepted.
func (w *world) make(name string, d wire.Draft) wire.Detail {
	w.t.Helper()
	made, err := w.room.Create(w.t.Context(), caller(name), d)
	if err != nil {
		w.t.Fatalf("Create(%+v): %v", d, err)
	}
	return w.get(made.ID)
}

func (w *world) get(id wire.ID) wire.Detail {
	w.t.Helper()
	d, err := w.room.Get(w.t.Context(), caller("dana"), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

func (w *world) wants(id wire.ID, state wire.State, code string) wire.Detail {
	w.t.Helper()
	d := w.get(id)
	if d.State != state || d.Code != code {
		w.t.Errorf("%s is %s %s (%s), want %s %s", id, d.State, d.Code, d.Problem, state, code)
	}
	return d
}

// approve is somebody's yes to a wire as it stands.
func (w *world) approve(name string, id wire.ID) error {
	w.t.Helper()
	return w.room.Approve(w.t.Context(), caller(name), id, w.get(id).Hash, "")
}

func (w *world) agreed(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// run does what is due and checks how much there was.
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
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Code != code {
		w.t.Errorf("%s: %v, want %s", what, err, code)
	}
}

// told keeps what people were told.
type told struct {
	mu    sync.Mutex
	mails []string
}

func (s *told) say(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, line)
}

func (s *told) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.mails, "\n")
}

func (s *told) Tell(_ *db.Tx, _ bank.InstitutionID, people []bank.UserID, _, _, subject string, _ ...string) error {
	s.say(fmt.Sprint(people, " ", subject))
	return nil
}

func (s *told) Asked(_ *db.Tx, _ approval.Item, approvers []bank.UserID) error {
	s.say(fmt.Sprint(approvers, " asked"))
	return nil
}

func (s *told) Decided(_ *db.Tx, item approval.Item, hands []bank.UserID) error {
	s.say(fmt.Sprint(hands, " ", item.State))
	return nil
}

// proofs are given, unless they are wanting.
type proofs struct{ wanting atomic.Bool }

func (p *proofs) Consume(*db.Tx, bank.Caller, string, string, []byte) error {
	if p.wanting.Load() {
		return fault.New(fault.StepUp, "Prove it.").With("STEP_UP")
	}
	return nil
}
