package ach_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/approval"
	"mandate/internal/authorization"
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
	"mandate/internal/moneymovement/ach"
	"mandate/internal/moneymovement/ach/nacha"
	"mandate/internal/moneymovement/ach/recipients"
	"mandate/internal/usage"
	"mandate/internal/usermgmt"
)

const (
	cedar     = bank.InstitutionID("cedar")
	northwind = bank.OrganizationID("org_northwind")
	operating = bank.AccountID("acc_operating")
	petty     = bank.AccountID("acc_petty") // nobody has access to it
)

// A world is an organization with ACH. Dana and Lee may do everything up to
// $100,000.00 a day, but neither alone on what they edited; Fay has Full ACH
// control; Kim may not know of restricted batches; Pat edits in part; Uma may
// nothing.
type world struct {
	t       testing.TB
	d       *db.DB
	clock   *dbtest.Clock
	room    *ach.Service
	queue   *approval.Service
	desk    *host.Desk
	ledger  *hostsim.Bank
	org     usermgmt.Organization
	people  map[string]*usermgmt.Member
	proofs  *proofs
	account *usermgmt.Account
}

var monday = time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC) // 10 AM in New York

func each(t *testing.T, test func(w *world)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(newWorld(t, d, bank.EditionBank)) })
}

var everything = catalog.SetOf(catalog.ACHEnabled, catalog.ACHView, catalog.ACHInitiate, catalog.ACHSameDay, catalog.ACHRecurring,
	catalog.ACHImportRecipients, catalog.ACHUploadFile, catalog.ACHDelete, catalog.ACHRestricted)

func rights() map[string]entitlement.Settings {
	all := entitlement.Settings{On: everything, EditLevel: catalog.EditFull, Limits: entitlement.Limits{}.With(catalog.LimitACHDaily, 100_000_00)}
	fay, kim, pat := all, all, all
	fay.On = fay.On.With(catalog.ACHFullControl)
	kim.On = kim.On.Without(catalog.ACHRestricted)
	pat.EditLevel = catalog.EditPartial
	return map[string]entitlement.Settings{"dana": all, "lee": all, "fay": fay, "kim": kim, "pat": pat, "uma": {}}
}

func newWorld(t testing.TB, d *db.DB, edition bank.Edition) *world {
	w := &world{t: t, d: d, clock: dbtest.ClockOf(t, d), people: map[string]*usermgmt.Member{}, proofs: &proofs{}, ledger: hostsimtest.Open(t, d)}
	w.clock.Set(monday)
	w.process("first")
	has := catalog.EntitlementSet(0).With(catalog.ACH)
	w.org = usermgmt.Organization{Institution: cedar, ID: northwind, Name: "Northwind", Entitlements: has}
	w.write(func(tx *db.Tx) error {
		err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: cedar, Name: "Cedar", Edition: edition, TimeZone: "America/New_York", Offers: has})
		if err != nil {
			return err
		}
		return w.populate(tx)
	})
	w.must(w.ledger.Open(t.Context(), hostsim.Opening{Institution: cedar, Organization: northwind, Account: operating, Balance: 500_000_00}))
	w.must(w.room.SetSender(t.Context(), operator, ach.Sender{Routing: "121042882", Name: "Cedar Bank", Destination: "231380104", DestinationName: "ACH Operator"}))
	w.must(w.room.SetCompany(t.Context(), operator, northwind, ach.Company{Ident: "1234567890", Name: "Northwind"}))
	return w
}

// process is the room, the queue and the desk as one process has them.
func (w *world) process(name string) {
	door := guard.New(w.d, usermgmt.LoadPolicy, nil, w.proofs)
	w.queue = approval.New(w.d, door, silent{}, names)
	days := calendar.New(door, func(*db.Tx, bank.InstitutionID) (*time.Location, error) { return time.LoadLocation("America/New_York") })
	w.room = ach.New(ach.Config{DB: w.d, Guard: door, Payments: authorization.New(w.d, door, authorization.Lifetime), Queue: w.queue, Calendar: days, Accounts: accounts, Names: names, Process: name})
	w.desk = host.NewDesk(w.d, w.ledger, slog.New(slog.DiscardHandler))
	w.desk.Answer(ach.Room, w.room.Answer)
}

func (w *world) populate(tx *db.Tx) error {
	if err := usermgmt.InsertOrganization(tx, &w.org); err != nil {
		return err
	}
	open := usermgmt.Account{ID: operating, Name: "Operating", Number: "0137", Kind: "checking"}
	shut := usermgmt.Account{ID: petty, Name: "Petty", Number: "0138", Kind: "checking"}
	for _, a := range []*usermgmt.Account{&open, &shut} {
		if err := usermgmt.InsertAccount(tx, w.org.Num, a); err != nil {
			return err
		}
	}
	for name, settings := range rights() {
		m := &usermgmt.Member{ID: bank.UserID(name), FirstName: title(name), Email: name + "@northwind.example", Status: bank.StatusActive, Settings: settings}
		if err := usermgmt.InsertMember(tx, cedar, w.org.Num, m); err != nil {
			return err
		}
		access := entitlement.Settings{On: catalog.SetOf(catalog.AccountAccess)}
		if err := usermgmt.SetMemberAccount(tx, w.org.Num, m.Ordinal, open.Ordinal, access); err != nil {
			return err
		}
		w.people[name] = m
	}
	return nil
}

func accounts(_ context.Context, _ bank.InstitutionID, _ bank.OrganizationID, id bank.AccountID) (ach.Offset, error) {
	return ach.Offset{Number: "550137", Name: "Operating", Kind: "checking"}, nil
}

type silent struct{}

func (silent) Asked(*db.Tx, approval.Item, []bank.UserID) error   { return nil }
func (silent) Decided(*db.Tx, approval.Item, []bank.UserID) error { return nil }

func names(_ *db.Tx, _ bank.InstitutionID, _ bank.OrganizationID, members []bank.UserID) (map[bank.UserID]string, error) {
	called := map[bank.UserID]string{}
	for _, id := range members {
		called[id] = title(string(id))
	}
	return called, nil
}

// proofs are there unless they are wanted.
type proofs struct{ wanted bool }

func (p *proofs) Consume(*db.Tx, bank.Caller, string, string, []byte) error {
	if p.wanted {
		return fault.New(fault.StepUp, "Confirm that it is you to go on.").With("STEP_UP")
	}
	return nil
}

func title(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

var operator = bank.Caller{Kind: bank.ActorOperator, Name: "Olga", Institution: cedar, Channel: bank.ChannelCommand}

func as(name string) bank.Caller {
	return bank.Caller{Kind: bank.ActorMember, ID: name, Name: title(name), Institution: cedar, Organization: northwind, Channel: bank.ChannelOnline}
}

func (w *world) ctx() context.Context { return w.t.Context() }

func (w *world) write(f func(tx *db.Tx) error) {
	w.t.Helper()
	w.must(w.d.Write(w.ctx(), f))
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// set changes what somebody may do, behind everybody's back.
func (w *world) set(name string, change func(s *entitlement.Settings)) {
	w.t.Helper()
	s := rights()[name]
	change(&s)
	w.write(func(tx *db.Tx) error { return usermgmt.SetMemberSettings(tx, w.org.Num, w.people[name].Ordinal, s, 1) })
}

// refuses fails the test unless an error is a fault with the code, or of the
// kind.
func (w *world) refuses(what string, err error, code string) {
	w.t.Helper()
	f, ok := err.(*fault.Error)
	if !ok || f.Code != code {
		w.t.Errorf("%s: %v, want %s", what, err, code)
	}
}

func (w *world) hides(what string, err error) {
	w.t.Helper()
	if fault.KindOf(err) != fault.NotFound {
		w.t.Errorf("%s: %v, want that it is not there", what, err)
	}
}

func payroll(restricted bool) ach.Header {
	return ach.Header{Name: "Payroll", Restricted: restricted, Company: "1234567890", Class: "PPD", Description: "PAYROLL"}
}

func pay(name string, cents bank.Cents) ach.EntryDraft {
	return ach.EntryDraft{Recipient: recipients.Recipient{Name: name, Amount: cents, Account: "445566", Routing: "231380104", Kind: nacha.Checking}}
}

// create makes a batch of one credit.
func (w *world) create(by string, cents bank.Cents) ach.BatchID {
	w.t.Helper()
	id, err := w.room.Create(w.ctx(), as(by), payroll(false), []ach.EntryDraft{pay("Ana", cents)})
	w.must(err)
	return id
}

func (w *world) get(id ach.BatchID) ach.Detail {
	w.t.Helper()
	d, err := w.room.Get(w.ctx(), as("fay"), id)
	w.must(err)
	return d
}

func (w *world) state(id ach.BatchID, want ach.State) {
	w.t.Helper()
	if d := w.get(id); d.State != want {
		w.t.Errorf("the batch is %s, want %s", d.State, want)
	}
}

// order sends a batch as it stands, tomorrow, from the operating account.
func (w *world) order(id ach.BatchID) ach.Order {
	return ach.Order{Batch: id, Version: w.get(id).Version, Offset: operating}
}

func (w *world) initiate(by string, id ach.BatchID) error {
	_, _, err := w.room.Initiate(w.ctx(), as(by), w.order(id))
	return err
}

func (w *world) submit(by string, id ach.BatchID) approval.Entry {
	w.t.Helper()
	_, _, err := w.room.Submit(w.ctx(), as(by), w.order(id))
	w.must(err)
	return w.waiting(by)
}

// waiting is the item that somebody sees in the queue.
func (w *world) waiting(by string) approval.Entry {
	w.t.Helper()
	entries, err := w.queue.Queue(w.ctx(), as(by))
	w.must(err)
	if len(entries) != 1 {
		w.t.Fatalf("%d items wait, want one", len(entries))
	}
	return entries[0]
}

func (w *world) approve(by string, e approval.Entry) error {
	return w.queue.Approve(w.ctx(), as(by), e.ID, e.Hash, "")
}

// tick does what is due, and lets the host answer.
func (w *world) tick() {
	w.t.Helper()
	_, err := w.room.Tick(w.ctx())
	w.must(err)
	w.desk.Now(w.ctx())
}

// used is what somebody has used of their daily limit on a day.
func (w *world) used(name string, day bank.Day) bank.Cents {
	w.t.Helper()
	var used entitlement.Used
	w.must(w.d.Read(w.ctx(), func(tx *db.Tx) (err error) {
		used, err = usage.Used(tx, usage.Reservation{Institution: cedar, Organization: northwind, Limit: catalog.LimitACHDaily, Day: day, Member: bank.UserID(name)})
		return err
	}))
	return used.Member
}

func (w *world) balance() bank.Cents {
	w.t.Helper()
	b, err := w.ledger.Balances(w.ctx(), cedar, []bank.AccountID{operating})
	w.must(err)
	return b[operating].Ledger
}

// history are the ACH events of the organization, oldest first, refused ones
// with their code.
func (w *world) history() (all []string) {
	w.t.Helper()
	for _, e := range w.events() {
		name := e.Name
		if e.Refused {
			name += " " + e.Code
		}
		all = append([]string{strings.TrimPrefix(name, "ach.")}, all...)
	}
	return all
}

func (w *world) events() (events []activity.Event) {
	w.t.Helper()
	w.must(w.d.Read(w.ctx(), func(tx *db.Tx) (err error) {
		events, err = activity.Feed(tx, activity.Filter{Institution: cedar, Organization: northwind, WithRefused: true})
		return err
	}))
	return events
}
