package hostsync_test

import (
	"strings"
	"testing"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/host"
	"mandate/internal/identity"
	"mandate/internal/usermgmt"
)

// bea is a user as the host makes one by itself.
func bea(version int64) host.User {
	return host.User{
		Ref: "H-bea", Organization: "1001", Version: version, FirstName: "Bea", LastName: "Cole", Email: "bea@acme.example", Role: bank.RoleViewer,
		Permissions: map[string]string{"user_management.enabled": "true", "transfers.enabled": "true"},
		Accounts:    map[host.Ref]map[string]string{"A1": {"transfers.from": "true"}},
	}
}

func (w *world) named(ref host.Ref) (usermgmt.Profile, bool) {
	w.t.Helper()
	var p usermgmt.Profile
	found := false
	w.read(func(tx *db.Tx) error {
		m, err := usermgmt.MemberOf(tx, w.org, string(ref))
		if err != nil {
			return nil
		}
		found = true
		p, err = usermgmt.FindProfile(tx, harbor, usermgmt.Person{Organization: acme, User: m.ID})
		return err
	})
	return p, found
}

func (w *world) parked() (codes []string) {
	w.t.Helper()
	all, err := w.sync.Parked(w.t.Context(), staff, 100)
	w.ok(err)
	for _, p := range all {
		codes = append(codes, p.Code)
	}
	return codes
}

func (w *world) last(name string) activity.Event {
	w.t.Helper()
	for _, e := range w.history() {
		if e.Name == name {
			return e
		}
	}
	w.t.Fatalf("no %s in the history", name)
	return activity.Event{}
}

// Somebody made at the host is announced, then complete, as made outside by whom
// and where; what is told twice changes nothing.
func TestMadeOutside(t *testing.T) {
	each(t, func(w *world) {
		w.host.says(host.Event{Channel: host.Classic, By: "Chris", Announced: &host.Announced{Ref: "H-bea", Organization: "1001", FirstName: "Bea", LastName: "Cole"}})
		w.tick()
		importing, err := w.sync.Importing(t.Context(), w.as("ana"), acme)
		if err != nil || len(importing) != 1 || importing[0].Name != "Bea Cole" {
			t.Fatalf("importing %+v, %v", importing, err)
		}
		u := bea(1)
		for _, id := range []string{"x1", "x1", "x2"} {
			w.host.says(host.Event{ID: id, Channel: host.Classic, By: "Chris", User: &u})
		}
		w.tick()
		w.host.says(host.Event{Channel: host.Classic, Announced: &host.Announced{Ref: "H-bea", Organization: "1001", FirstName: "Bea", LastName: "Cole"}})
		w.tick()
		importing, err = w.sync.Importing(t.Context(), w.as("ana"), acme)
		if err != nil || len(importing) != 0 {
			t.Errorf("still importing %+v, %v", importing, err)
		}
		p, found := w.named("H-bea")
		if !found || p.Member.Name() != "Bea Cole" || p.Member.Role != bank.RoleViewer || p.Enabled() != 1 || !p.Member.Settings.On.Has(catalog.TransfersEnabled) {
			t.Fatalf("%t %+v", found, p)
		}
		e := w.last("orguser.created")
		if e.Channel != bank.ChannelClassic || e.Actor.Kind != bank.ActorHost || e.Actor.Name != "Chris" || len(w.parked()) != 0 || len(w.host.carried) != 0 {
			t.Errorf("history %+v, parked %v, %d orders", e, w.parked(), len(w.host.carried))
		}
		if n := strings.Count(names(w.history()), "orguser."); n != 1 {
			t.Errorf("history %s", names(w.history()))
		}
	})
}

func names(events []activity.Event) string {
	var all []string
	for _, e := range events {
		all = append(all, e.Name)
	}
	return strings.Join(all, " ")
}

// A hold, a lock and a deletion made outside end sign-ins at once; what is
// deleted never comes back.
func TestOutsideEndsSignIns(t *testing.T) {
	for name, change := range map[string]func(*host.User){
		"hold":    func(u *host.User) { u.Held = true },
		"lock":    func(u *host.User) { u.Status = bank.StatusLocked },
		"disable": func(u *host.User) { u.Status = bank.StatusDisabled },
		"delete":  func(u *host.User) { u.Deleted = true },
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(w *world) {
				w.add("dana", bank.RoleUser)
				if n := w.signIn("dana"); n != 1 {
					t.Fatalf("%d sign-ins", n)
				}
				w.host.outside(host.BackOffice, "Kim", "N-dana", change)
				w.tick()
				p, found := w.named("N-dana")
				if n := w.signIns("dana"); n != 0 {
					t.Errorf("%d sign-ins are left", n)
				}
				if stands := found && !p.Member.Held && p.Member.Status == bank.StatusActive; stands {
					t.Errorf("%+v", p.Member)
				}
				if name == "delete" {
					w.host.outside(host.BackOffice, "Kim", "N-dana", func(u *host.User) { u.Deleted = false })
					w.tick()
					if _, found := w.named("N-dana"); found {
						t.Error("they came back")
					}
				}
			})
		})
	}
}

// What neither the institution nor the organization has is left off and parked;
// the rest is taken over.
func TestLeftOff(t *testing.T) {
	each(t, func(w *world) {
		u := bea(1)
		u.Permissions["cards.enabled"] = "true"
		u.Permissions["wires.enabled"] = "maybe"
		u.Permissions["teleport.enabled"] = "true"
		u.Accounts["A9"] = map[string]string{}
		w.host.says(host.Event{Channel: host.BackOffice, By: "Kim", User: &u})
		w.tick()
		p, found := w.named("H-bea")
		if !found || p.Member.Settings.On.Has(catalog.CardsEnabled) || p.Member.Settings.On.Has(catalog.WiresEnabled) || !p.Member.Settings.On.Has(catalog.TransfersEnabled) {
			t.Errorf("%t %+v", found, p.Member)
		}
		all, err := w.sync.Parked(t.Context(), staff, 10)
		w.ok(err)
		if len(all) != 1 || all[0].Code != "UNKNOWN_ACCOUNT" || strings.Count(all[0].Note, "\n") != 3 {
			t.Fatalf("parked %+v", all)
		}
		// The account comes later: what was parked for it is looked at again.
		w.host.says(host.Event{Channel: host.Core, Organization: &host.Organization{Ref: "1001", Version: 2, Name: "Acme Tools Inc.", Accounts: []host.Account{
			{Ref: "A1", Name: "operating", Kind: "checking"}, {Ref: "A9", Name: "reserve", Kind: "savings", LastFour: "0009"},
		}}})
		w.tick()
		if p, _ = w.named("H-bea"); p.Enabled() != 2 || p.Organization.Name != "Acme Tools Inc." {
			t.Errorf("%d accounts of %s", p.Enabled(), p.Organization.Name)
		}
		all, err = w.sync.Parked(t.Context(), staff, 10)
		w.ok(err)
		if len(all) != 1 || strings.Contains(all[0].Note, "A9") {
			t.Fatalf("parked %+v", all)
		}
		w.ok(w.sync.SetAside(t.Context(), staff, all[0].ID))
		if codes := w.parked(); len(codes) != 0 {
			t.Errorf("parked %v", codes)
		}
	})
}

// The last usable admin stays one, and goes when there is another.
func TestLastAdminStays(t *testing.T) {
	each(t, func(w *world) {
		w.host.outside(host.BackOffice, "Kim", "N-ana", func(u *host.User) { u.Role, u.LastName = bank.RoleUser, "Stone" })
		w.tick()
		if m := w.member("ana"); m.Role != bank.RoleAdmin || m.LastName != "Stone" || strings.Join(w.parked(), " ") != "LAST_ADMIN" {
			t.Errorf("%+v, parked %v", m, w.parked())
		}
		w.host.outside(host.BackOffice, "Kim", "H-bea", func(u *host.User) {
			*u = bea(0)
			u.Role, u.Status = bank.RoleAdmin, bank.StatusActive
		})
		w.tick()
		if m := w.member("ana"); m.Role != bank.RoleUser || len(w.parked()) != 0 {
			t.Errorf("%+v, parked %v", m, w.parked())
		}
	})
}

// What somebody changed here while the host changed something else is not undone
// by what the host told meanwhile.
func TestBothSidesChange(t *testing.T) {
	each(t, func(w *world) {
		w.add("dana", bank.RoleUser)
		w.host.outside(host.BackOffice, "Kim", "N-dana", func(u *host.User) { u.Held = true }) // version 2, not told yet
		w.ok(w.users.EditProfile(t.Context(), w.as("ana"), who("dana"), usermgmt.Details{FirstName: "Dana", LastName: "Stone", Email: "dana@acme.example"}))
		w.tick()
		if m := w.member("dana"); m.Held || m.LastName != "Stone" {
			t.Errorf("while the order is on its way: %+v", m)
		}
		w.deliver() // version 3
		w.tick()
		if m := w.member("dana"); !m.Held || m.LastName != "Stone" {
			t.Errorf("afterwards: %+v", m)
		}
		if e := w.last("orguser.hold_placed"); e.Actor.Name != "Kim" || e.Channel != bank.ChannelBackOffice || len(e.Changes) != 1 {
			t.Errorf("history %+v", e)
		}
	})
}

// Two contents of one version are settled by asking the host.
func TestContradiction(t *testing.T) {
	each(t, func(w *world) {
		w.add("dana", bank.RoleUser)
		u := w.host.user("N-dana")
		u.Version, u.LastName = 2, "False"
		w.host.says(host.Event{Channel: host.Core, User: &u})
		w.host.outside(host.BackOffice, "Kim", "N-dana", func(u *host.User) { u.LastName = "True" })
		w.tick()
		if m := w.member("dana"); m.LastName != "True" || strings.Join(w.parked(), " ") != "CONTRADICTORY" {
			t.Errorf("%+v, parked %v", m, w.parked())
		}
	})
}

// Default permissions changed outside are what the next new user gets.
func TestDefaultsChangedOutside(t *testing.T) {
	each(t, func(w *world) {
		w.host.says(host.Event{Channel: host.BackOffice, By: "Kim", Defaults: &host.Defaults{Role: bank.RoleUser, Version: 2,
			Permissions: map[string]string{"transfers.enabled": "true", "cards.enabled": "true"}}})
		w.host.says(host.Event{Channel: host.BackOffice, By: "Kim", Defaults: &host.Defaults{Role: bank.RoleUser, Version: 1}})
		w.tick()
		var s entitlement.Settings
		w.read(func(tx *db.Tx) (err error) {
			s, err = usermgmt.Defaults(tx, harbor, bank.RoleUser)
			return err
		})
		if s.On != catalog.SetOf(catalog.TransfersEnabled) || strings.Join(w.parked(), " ") != "NOT_OFFERED_BY_INSTITUTION" {
			t.Errorf("%v, parked %v", s.On, w.parked())
		}
	})
}

// What cannot be placed is parked with its reason, and nothing else waits for it.
func TestUnplaceable(t *testing.T) {
	each(t, func(w *world) {
		stranger, nameless, odd := bea(1), bea(1), bea(1)
		stranger.Ref, stranger.Organization = "H-1", "9999"
		nameless.Ref, nameless.FirstName = "H-2", ""
		odd.Ref, odd.Role = "H-3", 9
		for _, u := range []host.User{stranger, nameless, odd} {
			w.host.says(host.Event{Channel: host.Core, User: &u})
		}
		u := bea(1)
		w.host.says(host.Event{Channel: host.Core})
		w.host.says(host.Event{Channel: host.Core, User: &u})
		w.tick()
		if _, found := w.named("H-bea"); !found || len(w.parked()) != 4 {
			t.Errorf("found %t, parked %v", found, w.parked())
		}
		// The organization comes: its user follows.
		w.host.says(host.Event{Channel: host.Core, Organization: &host.Organization{Ref: "9999", Version: 1, Name: "New Works"}})
		w.tick()
		if n := len(w.parked()); n != 4 {
			t.Errorf("%d parked, want 4: what the new organization does not have is left off", n)
		}
		w.read(func(tx *db.Tx) error {
			o, err := usermgmt.OrganizationOf(tx, harbor, "9999")
			if err != nil || o.Entitlements != 0 {
				t.Errorf("%+v, %v", o, err)
			}
			m, err := usermgmt.MemberOf(tx, o, "H-1")
			if err != nil || m.Settings.On != 0 {
				t.Errorf("%+v, %v", m, err)
			}
			return nil
		})
	})
}

// signIn makes credentials, signs in, and returns how many sign-ins there are.
func (w *world) signIn(name string) int {
	w.t.Helper()
	hash, err := w.identity.Hash(w.t.Context(), password)
	w.ok(err)
	w.write(func(tx *db.Tx) error {
		return w.identity.PutCredential(tx, identity.Member(harbor, id(name)), name, hash)
	})
	_, err = w.identity.SignIn(w.t.Context(), identity.Attempt{Institution: harbor, Kind: identity.KindMember, Username: name, Password: password,
		From: identity.Source{Channel: bank.ChannelOnline, IP: "192.0.2.1"}})
	w.ok(err)
	return w.signIns(name)
}

func (w *world) signIns(name string) (n int) {
	w.t.Helper()
	w.read(func(tx *db.Tx) error {
		open, err := identity.SignIns(tx, identity.Member(harbor, id(name)))
		n = len(open)
		return err
	})
	return n
}
