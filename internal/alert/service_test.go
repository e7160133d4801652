package alert_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"mandate/internal/activity"
	"mandate/internal/alert"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/identity"
	"mandate/internal/usermgmt"
)

const (
	first = bank.InstitutionID("first")
	acme  = bank.OrganizationID("acme")
)

// A bag keeps the mail that was queued and committed.
type bag struct{ mail []identity.Mail }

func (b *bag) Queue(tx *db.Tx, m identity.Mail) error {
	tx.AfterCommit(func() { b.mail = append(b.mail, m) })
	return nil
}

func (b *bag) Cancel(*db.Tx, bank.InstitutionID, string) error { return nil }

func (b *bag) take() (to []string) {
	for _, m := range b.mail {
		to = append(to, m.Purpose+" "+m.To)
	}
	slices.Sort(to)
	b.mail = nil
	return to
}

type world struct {
	door   *guard.Guard
	users  *usermgmt.Service
	alerts *alert.Service
	bag    *bag
}

func newWorld(t *testing.T, d *db.DB) world {
	t.Helper()
	w := world{bag: &bag{}, door: guard.New(d, usermgmt.LoadPolicy, nil, identity.Proofs{})}
	w.alerts = alert.New(d, w.bag, usermgmt.Admins)
	w.door.Watch(w.alerts.Watch)
	w.users = usermgmt.New(w.door, noLinks{})
	all := catalog.EntitlementSet(0).With(catalog.UserManagement).With(catalog.Transfers)
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		if err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: first, Name: "First", TimeZone: "UTC", Offers: all}); err != nil {
			return err
		}
		o := usermgmt.Organization{Institution: first, ID: acme, Name: "Acme", Entitlements: all}
		if err := usermgmt.InsertOrganization(tx, &o); err != nil {
			return err
		}
		for _, name := range []string{"ana", "ben", "dana"} {
			m := usermgmt.Member{ID: bank.UserID(name), FirstName: name, Email: name + "@acme.example", Status: bank.StatusActive}
			if name != "dana" {
				m.Role, m.Settings.On = bank.RoleAdmin, catalog.SetOf(catalog.UserManagementEnabled)
			}
			if err := usermgmt.InsertMember(tx, first, o.Num, &m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// noLinks is an identity that has sent no link to anybody.
type noLinks struct{ usermgmt.Links }

func (noLinks) CancelLinks(*db.Tx, identity.Subject) (bool, error) { return false, nil }

// host is the bank's own system: nobody is asked for a high-risk authorization.
var host = bank.Caller{Kind: bank.ActorHost, Name: "Host", Institution: first, Channel: bank.ChannelBackOffice}

func admin(name string) bank.Caller {
	return bank.Caller{Kind: bank.ActorMember, ID: name, Name: name, Institution: first, Organization: acme, Channel: bank.ChannelOnline}
}

// The other admins are told, whoever did it is not, and whoever does not want
// it is not.
func TestOtherAdminsAreTold(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		dana := usermgmt.Person{Organization: acme, User: "dana"}
		holdAndRelease := func() []string {
			if err := w.users.Hold(t.Context(), admin("ana"), dana, "leave"); err != nil {
				t.Fatal(err)
			}
			if err := w.users.Release(t.Context(), admin("ana"), dana); err != nil {
				t.Fatal(err)
			}
			return w.bag.take()
		}
		if got := holdAndRelease(); !slices.Equal(got, []string{"alert.hold_removed ben@acme.example"}) {
			t.Errorf("told %q", got)
		}
		if err := w.alerts.Want(t.Context(), admin("ben"), map[alert.Kind]bool{alert.NewUser: true}); err != nil {
			t.Fatal(err)
		}
		if got := holdAndRelease(); len(got) != 0 {
			t.Errorf("told %q, and Ben wants none", got)
		}
		wanted, err := w.alerts.Wanted(t.Context(), admin("ben"))
		if err != nil || !wanted[alert.NewUser] || wanted[alert.HoldRemoved] {
			t.Errorf("wanted %v, %v", wanted, err)
		}
	})
}

// A refused change tells nobody.
func TestNothingIsToldOfWhatWasRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		err := w.users.Hold(t.Context(), admin("dana"), usermgmt.Person{Organization: acme, User: "ben"}, "")
		if err == nil {
			t.Fatal("somebody with the role User put an admin on hold")
		}
		if got := w.bag.take(); len(got) != 0 {
			t.Errorf("told %q", got)
		}
	})
}

// A raised limit is told without the amount: mail is read by many.
func TestAmountsStayOutOfMail(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		_, err := w.users.SavePermissions(t.Context(), host, usermgmt.Edit{
			Person: usermgmt.Person{Organization: acme, User: "dana"}, Version: -1,
			Changes: []entitlement.Change{{Set: map[string]entitlement.Value{
				catalog.TransfersEnabled.ID(): entitlement.SwitchTo(true), catalog.TransfersLimit.ID(): entitlement.LimitTo(777_77),
			}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(w.bag.mail) != 2 {
			t.Fatalf("%d mails, want one for each admin", len(w.bag.mail))
		}
		for _, m := range w.bag.mail {
			for _, line := range m.Lines {
				if slices.Contains([]byte(line), '$') || line == "" {
					t.Errorf("an alert says %q", line)
				}
			}
		}
	})
}

// A hundred new accounts are one letter to each admin, not a hundred.
func TestManyEventsAreOneLetter(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		operator := bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: first, Channel: bank.ChannelImport}
		action := guard.Action{Event: "org.profile_changed", Organization: acme, Others: []bank.ActorKind{bank.ActorOperator}}
		err := w.door.Do(t.Context(), operator, action, func(c *guard.Change) error {
			for i := range 100 {
				c.RecordAs("org.account_added", activity.Target{Kind: activity.TargetAccount, ID: fmt.Sprint(i), Name: fmt.Sprintf("Till %d", i)}, "")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range w.bag.mail {
			if m.Subject != "New account at Acme" || !strings.Contains(m.Lines[0], "Till 0") || m.Lines[12] != "And 88 more." || len(m.Lines) != 14 {
				t.Errorf("%s got %q: %q", m.To, m.Subject, m.Lines)
			}
		}
		if got := w.bag.take(); !slices.Equal(got, []string{"alert.new_account ana@acme.example", "alert.new_account ben@acme.example"}) {
			t.Errorf("told %q", got)
		}
	})
}

// All that is told by mail unless somebody chose otherwise, and to whom.
func TestWhatIsToldToWhom(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx, dana := t.Context(), usermgmt.Person{Organization: acme, User: "dana"}
		profile := usermgmt.Details{FirstName: "dana", LastName: "D", Email: "dana@acme.example", Role: bank.RoleUser}
		edit := func(change func(*usermgmt.Details)) error {
			change(&profile)
			return w.users.EditProfile(ctx, host, dana, profile)
		}
		admins := func(kind string) []string { return []string{kind + " ana@acme.example", kind + " ben@acme.example"} }
		for _, step := range []struct {
			name string
			do   func() error
			want []string
		}{
			{"a new name", func() error { return edit(func(*usermgmt.Details) {}) }, nil},
			{"a new user", func() error {
				_, err := w.users.Create(ctx, host, acme, usermgmt.Details{FirstName: "Pia", LastName: "E", Email: "pia@acme.example"})
				return err
			}, admins("alert.new_user")},
			{"another address", func() error { return edit(func(d *usermgmt.Details) { d.Email = "dd@acme.example" }) },
				append(admins("alert.email_changed"), "orguser.profile_changed dana@acme.example", "orguser.profile_changed dd@acme.example")},
			{"a new admin", func() error { return edit(func(d *usermgmt.Details) { d.Role = bank.RoleAdmin }) },
				append(admins("alert.new_admin"), "alert.new_admin dd@acme.example")},
		} {
			if err := step.do(); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			got := w.bag.take()
			slices.Sort(step.want)
			if !slices.Equal(got, step.want) {
				t.Errorf("%s: told %q, want %q", step.name, got, step.want)
			}
		}
	})
}
