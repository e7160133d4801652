package hostsync_test

import (
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/hostsync"
	"mandate/internal/identity"
	"mandate/internal/seal"
	"mandate/internal/usermgmt"
)

const (
	harbor   = bank.InstitutionID("harbor")
	acme     = bank.OrganizationID("org_acme")
	password = identity.Secret("correct horse battery staple")
)

type agreeing struct{}

func (agreeing) Consume(*db.Tx, bank.Caller, string, string, []byte) error { return nil }

type silent struct{}

func (silent) Queue(*db.Tx, identity.Mail) error               { return nil }
func (silent) Cancel(*db.Tx, bank.InstitutionID, string) error { return nil }
func (silent) StaffMay(*db.Tx, bank.InstitutionID, bank.StaffID, string) (bool, error) {
	return true, nil
}

// A world is an institution with one customer of two accounts, with an admin, on
// both sides.
type world struct {
	t        testing.TB
	d        *db.DB
	clock    *dbtest.Clock
	host     *memory
	users    *usermgmt.Service
	identity *identity.Service
	desk     *host.Desk
	sync     *hostsync.Service
	org      usermgmt.Organization
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func each(t *testing.T, test func(w *world)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(newWorld(t, d)) })
}

// offers leave cards out, so that something is left off.
func offers() (all catalog.EntitlementSet) {
	for _, e := range catalog.Entitlements() {
		if e != catalog.Cards {
			all = all.With(e)
		}
	}
	return all
}

func newWorld(t testing.TB, d *db.DB) *world {
	t.Helper()
	w := &world{t: t, d: d, clock: dbtest.ClockOf(t, d), host: newMemory()}
	door := guard.New(d, usermgmt.LoadPolicy, silent{}, agreeing{})
	keys, err := seal.Parse(seal.NewLine("test"))
	if err != nil {
		t.Fatal(err)
	}
	w.identity, err = identity.New(identity.Config{
		DB: d, Guard: door, People: usermgmt.People{}, Mailer: silent{}, Keys: keys, Clock: w.clock,
		Cost: identity.MinimumCost, ThrottleFactor: 1_000_000, RefusalTime: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.users = usermgmt.New(door, w.identity)
	w.desk = host.NewDesk(d, w.host, quiet)
	w.sync = hostsync.New(hostsync.Config{DB: d, Guard: door, Users: w.users, Desk: w.desk, Log: quiet, Process: "test"})
	w.org = usermgmt.Organization{Institution: harbor, ID: acme, ExternalID: "1001", Name: "Acme Tools", Entitlements: offers()}
	w.write(func(tx *db.Tx) error {
		if err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: harbor, Name: "Harbor Bank", TimeZone: "America/New_York", Offers: offers()}); err != nil {
			return err
		}
		if err := usermgmt.InsertOrganization(tx, &w.org); err != nil {
			return err
		}
		for i, name := range []string{"operating", "payroll"} {
			a := usermgmt.Account{ID: bank.AccountID("acc_" + name), ExternalID: fmt.Sprint("A", i+1), Name: name, Kind: "checking"}
			if err := usermgmt.InsertAccount(tx, w.org.Num, &a); err != nil {
				return err
			}
		}
		return nil
	})
	w.add("ana", bank.RoleAdmin)
	return w
}

var staff = bank.Caller{Kind: bank.ActorStaff, ID: "stf_sam", Name: "Sam", Institution: harbor, Channel: bank.ChannelPeople}

func id(name string) bank.UserID { return bank.UserID("usr_" + name) }

func who(name string) usermgmt.Person { return usermgmt.Person{Organization: acme, User: id(name)} }

// add makes an active person on both sides: the bank's own number is their name.
func (w *world) add(name string, role bank.Role) {
	w.t.Helper()
	m := usermgmt.Member{ID: id(name), ExternalID: "N-" + name, FirstName: name, LastName: "Test", Email: name + "@acme.example", Role: role, Status: bank.StatusActive}
	on := map[string]string{}
	if role != bank.RoleUser {
		m.Settings.On = catalog.SetOf(catalog.UserManagementEnabled)
		on[catalog.UserManagementEnabled.ID()] = "true"
	}
	w.write(func(tx *db.Tx) error { return usermgmt.InsertMember(tx, harbor, w.org.Num, &m) })
	ref := host.Ref(m.ExternalID)
	w.host.mu.Lock()
	defer w.host.mu.Unlock()
	w.host.users[ref] = host.User{
		Ref: ref, Organization: "1001", Version: 1, FirstName: name, LastName: "Test", Email: m.Email, Role: role, Status: m.Status, Permissions: on,
		Accounts: map[host.Ref]map[string]string{},
	}
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

func (w *world) as(name string) bank.Caller {
	return bank.Caller{Kind: bank.ActorMember, ID: string(id(name)), Name: name, Institution: harbor, Organization: acme, Channel: bank.ChannelOnline}
}

func (w *world) profile(p usermgmt.Person) (profile usermgmt.Profile, err error) {
	w.read(func(tx *db.Tx) error {
		profile, err = usermgmt.FindProfile(tx, harbor, p)
		return nil
	})
	return profile, err
}

func (w *world) member(name string) usermgmt.Member {
	w.t.Helper()
	profile, err := w.profile(who(name))
	if err != nil {
		w.t.Fatal(err)
	}
	return profile.Member
}

// deliver carries what waits until nothing is left to do now.
func (w *world) deliver() {
	w.t.Helper()
	for {
		n, err := w.desk.Deliver(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

// tick takes in what the host has told.
func (w *world) tick() {
	w.t.Helper()
	if err := w.sync.Sync(w.t.Context(), harbor); err != nil {
		w.t.Fatal(err)
	}
	w.clock.Advance(time.Second)
}

func (w *world) history() (events []activity.Event) {
	w.t.Helper()
	w.read(func(tx *db.Tx) (err error) {
		events, err = activity.Feed(tx, activity.Filter{Institution: harbor, Organization: acme, WithRefused: true})
		return err
	})
	return events
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func switchTo(p catalog.Permission, on bool) map[string]entitlement.Value {
	return map[string]entitlement.Value{p.ID(): entitlement.SwitchTo(on)}
}
