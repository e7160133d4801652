package usermgmt_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/identity"
	"mandate/internal/seal"
	"mandate/internal/usermgmt"
)

const (
	harbor   = bank.InstitutionID("harbor")
	acme     = bank.OrganizationID("org_acme")
	password = identity.Secret("correct horse battery staple")
)

// A world is an institution with one customer, its people and three accounts.
type world struct {
	t        testing.TB
	d        *db.DB
	clock    *dbtest.Clock
	users    *usermgmt.Service
	identity *identity.Service
	proofs   *proofs
	mail     *mailbag
	org      usermgmt.Organization
	accounts []usermgmt.Account
}

// proofs are high-risk authorizations that somebody gives without asking, and
// what was asked for.
type proofs struct {
	mu     sync.Mutex
	refuse bool
	asked  []string
}

func (p *proofs) Consume(_ *db.Tx, caller bank.Caller, action, target string, _ []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asked = append(p.asked, caller.ID+" "+action+" "+target); p.refuse {
		return identity.ErrStepUp
	}
	return nil
}

// take returns what was asked for and forgets it.
func (p *proofs) take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := p.asked
	p.asked = nil
	return asked
}

// allStaff are staff who may do whatever the bank lets staff do.
type allStaff struct{}

func (allStaff) StaffMay(*db.Tx, bank.InstitutionID, bank.StaffID, string) (bool, error) {
	return true, nil
}

func (allStaff) HeldToSecondFactor(*db.Tx, bank.InstitutionID, bank.StaffID) (bool, error) {
	return true, nil
}

// A mailbag keeps what was queued and committed.
type mailbag struct {
	mu   sync.Mutex
	mail []identity.Mail
}

func (b *mailbag) Queue(tx *db.Tx, m identity.Mail) error {
	tx.AfterCommit(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.mail = append(b.mail, m)
	})
	return nil
}

func (b *mailbag) Cancel(*db.Tx, bank.InstitutionID, string) error { return nil }

func (b *mailbag) to(address string) (all []identity.Mail) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.mail {
		if m.To == address {
			all = append(all, m)
		}
	}
	return all
}

func everything() (all catalog.EntitlementSet) {
	for _, e := range catalog.Entitlements() {
		all = all.With(e)
	}
	return all
}

func newWorld(t testing.TB, d *db.DB, edition bank.Edition) *world {
	t.Helper()
	w := &world{t: t, d: d, clock: dbtest.ClockOf(t, d), proofs: &proofs{}, mail: &mailbag{}}
	door := guard.New(d, usermgmt.LoadPolicy, allStaff{}, w.proofs)
	keys, err := seal.Parse(seal.NewLine("test"))
	if err != nil {
		t.Fatal(err)
	}
	w.identity, err = identity.New(identity.Config{
		DB: d, Guard: door, People: usermgmt.People{}, Mailer: w.mail, Keys: keys, Clock: w.clock,
		Cost: identity.MinimumCost, ThrottleFactor: 1_000_000, RefusalTime: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.users = usermgmt.New(door, w.identity).WithSafeguard(allStaff{})
	w.org = usermgmt.Organization{
		Institution: harbor, ID: acme, Name: "Acme Tools", Entitlements: everything(),
		Ceilings: entitlement.Limits{}.With(catalog.LimitPerWire, 50_000_00).With(catalog.LimitWiresDaily, 100_000_00),
	}
	w.write(func(tx *db.Tx) error {
		err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: harbor, Name: "Harbor Bank", Edition: edition, TimeZone: "America/New_York", Offers: everything()})
		if err != nil {
			return err
		}
		if err := usermgmt.InsertOrganization(tx, &w.org); err != nil {
			return err
		}
		for _, name := range []string{"operating", "payroll", "tax"} {
			a := usermgmt.Account{ID: bank.AccountID("acc_" + name), Name: name, Number: "0137", Kind: "checking"}
			if err := usermgmt.InsertAccount(tx, w.org.Num, &a); err != nil {
				return err
			}
			w.accounts = append(w.accounts, a)
		}
		return nil
	})
	return w
}

func each(t *testing.T, test func(w *world)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(newWorld(t, d, bank.EditionBank)) })
}

func (w *world) write(f func(tx *db.Tx) error) {
	w.t.Helper()
	if err := w.d.Write(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) read(f func(tx *db.Tx) error) {
	w.t.Helper()
	if err := w.d.Read(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

var (
	manages   = entitlement.Settings{On: catalog.SetOf(catalog.UserManagementEnabled)}
	onAccount = entitlement.Settings{On: catalog.SetOf(catalog.AccountAccess, catalog.WiresWork, catalog.WiresTransmit, catalog.TransfersFrom, catalog.TransfersTo)}
)

// sendsWires are the permissions of somebody who sends wires up to $25,000.
func sendsWires() entitlement.Settings {
	return entitlement.Settings{
		On: catalog.SetOf(catalog.WiresEnabled, catalog.WiresWork, catalog.WiresTransmit, catalog.TransfersEnabled, catalog.TransfersAllow),
		Limits: entitlement.Limits{}.With(catalog.LimitPerWire, 25_000_00).With(catalog.LimitWiresDaily, 60_000_00).
			With(catalog.LimitTransfer, 5_000_00),
	}
}

func id(name string) bank.UserID { return bank.UserID("usr_" + name) }

func who(name string) usermgmt.Person { return usermgmt.Person{Organization: acme, User: id(name)} }

// add makes a person; all but pending ones have credentials.
func (w *world) add(name string, role bank.Role, status bank.Status, s entitlement.Settings, accounts ...string) usermgmt.Member {
	w.t.Helper()
	first := strings.ToUpper(name[:1]) + name[1:]
	m := usermgmt.Member{ID: id(name), FirstName: first, LastName: "Test", Email: name + "@acme.example", Role: role, Status: status, Settings: s}
	hash, err := w.identity.Hash(w.t.Context(), password)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(func(tx *db.Tx) error {
		if err := usermgmt.InsertMember(tx, harbor, w.org.Num, &m); err != nil {
			return err
		}
		for _, a := range w.accounts {
			for _, name := range accounts {
				if a.Name == name {
					if err := usermgmt.SetMemberAccount(tx, w.org.Num, m.Ordinal, a.Ordinal, onAccount); err != nil {
						return err
					}
				}
			}
		}
		if status == bank.StatusPending {
			return nil
		}
		return w.identity.PutCredential(tx, identity.Member(harbor, m.ID), name, hash)
	})
	return m
}

func (w *world) member(name string) usermgmt.Member {
	w.t.Helper()
	m, found := w.find(name)
	if !found {
		w.t.Fatalf("there is no %s", name)
	}
	return m
}

func (w *world) find(name string) (m usermgmt.Member, found bool) {
	w.t.Helper()
	p, err := w.users.Profile(w.t.Context(), operator, who(name))
	if fault.KindOf(err) == fault.NotFound {
		return m, false
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return p.Member, true
}

// onlineAs is a member who has signed in.
func onlineAs(name string) bank.Caller {
	return bank.Caller{Kind: bank.ActorMember, ID: string(id(name)), Name: name, Institution: harbor, Organization: acme, Channel: bank.ChannelOnline, SignIn: "sgn_" + name}
}

var (
	operator = bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: harbor, Channel: bank.ChannelCommand}
	people   = bank.Caller{Kind: bank.ActorStaff, ID: "stf_sol", Name: "Sol", Institution: harbor, Channel: bank.ChannelPeople}
	host     = bank.Caller{Kind: bank.ActorHost, Name: "Host", Institution: harbor, Channel: bank.ChannelBackOffice}
	client   = bank.Caller{Kind: bank.ActorClient, ID: "cli_hub", Name: "Hub", Institution: harbor, Channel: bank.ChannelAPI}
)

// signIn opens a sign-in.
func (w *world) signIn(name string) error {
	_, err := w.identity.SignIn(w.t.Context(), identity.Attempt{Institution: harbor, Kind: identity.KindMember, Username: name, Password: password,
		From: identity.Source{Channel: bank.ChannelOnline, IP: "192.0.2.1"}})
	return err
}

func (w *world) liveSignIns(name string) (n int) {
	w.t.Helper()
	w.read(func(tx *db.Tx) error {
		open, err := identity.SignIns(tx, identity.Member(harbor, id(name)))
		n = len(open)
		return err
	})
	return n
}

// events are the organization's events after a sequence number.
func (w *world) events(after int64) (all []activity.Event) {
	w.t.Helper()
	w.read(func(tx *db.Tx) (err error) {
		all, err = activity.Feed(tx, activity.Filter{Institution: harbor, Organization: acme, After: after, WithRefused: true})
		return err
	})
	return all
}

func (w *world) sequence() int64 {
	if all := w.events(0); len(all) > 0 {
		return all[0].Sequence
	}
	return 0
}

// wants fails unless err is of a kind and, where one is given, has a code.
func (w *world) wants(err error, kind fault.Kind, code string) {
	w.t.Helper()
	if err == nil {
		w.t.Errorf("it was done, want %s", code)
		return
	}
	f, ok := err.(*fault.Error)
	if !ok || f.Kind != kind || code != "" && f.Code != code {
		w.t.Errorf("got %v, want kind %d with code %s", describeError(err), kind, code)
	}
}

func describeError(err error) string {
	if f, ok := err.(*fault.Error); ok {
		return fmt.Sprintf("kind %d code %q: %s", f.Kind, f.Code, f.Error())
	}
	return fmt.Sprint(err)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(describeError(err))
	}
}
