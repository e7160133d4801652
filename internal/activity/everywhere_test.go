package activity_test

import (
	"fmt"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
)

const river = bank.InstitutionID("river")

// past is a history of several chains, one event a minute, the institution's
// own among them.
func past(t *testing.T, d *db.DB) *dbtest.Clock {
	t.Helper()
	clock := dbtest.ClockOf(t, d)
	chains := []bank.OrganizationID{"", "org_a", "org_b", "org_c"}
	write := func(f func(tx *db.Tx) error) {
		t.Helper()
		if err := d.Write(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	write(func(tx *db.Tx) error {
		for _, institution := range []bank.InstitutionID{river, "other"} {
			for _, chain := range chains {
				if err := activity.Start(tx, institution, chain); err != nil {
					return err
				}
			}
		}
		return nil
	})
	names := []string{"orguser.permission_changed", "wire.initiated", "auth.signin_succeeded", "orguser.viewed", "staff.unlocked"}
	for i := range 40 {
		clock.Advance(time.Minute)
		write(func(tx *db.Tx) error {
			for _, institution := range []bank.InstitutionID{river, "other"} {
				s, err := activity.Lock(tx, institution, chains[i%len(chains)])
				if err != nil {
					return err
				}
				e := activity.Event{Name: names[i%len(names)], Refused: i%7 == 0, Channel: bank.ChannelOnline,
					Actor:  activity.Actor{Kind: bank.ActorMember, ID: fmt.Sprint("usr_", i%3), Name: "Somebody"},
					Target: activity.Target{Kind: activity.TargetMember, ID: fmt.Sprint("usr_", i%2)}}
				if e.Name == "orguser.viewed" || e.Name == "staff.unlocked" {
					e.Actor, e.Channel = activity.Actor{Kind: bank.ActorStaff, ID: "stf_1", Name: "Rosa"}, bank.ChannelPeople
				}
				if err := s.Append(fmt.Sprint("sav_", i), e); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return clock
}

// all pages through a search.
func all(t *testing.T, d *db.DB, s activity.Search) (events []activity.Event) {
	t.Helper()
	for s.Limit = 3; ; {
		var found activity.Found
		err := d.Read(t.Context(), func(tx *db.Tx) (err error) {
			found, err = activity.Everywhere(tx, s)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, found.Events...)
		if len(found.Events) < s.Limit {
			return events
		}
		s.Before = activity.PlaceOf(found.Events[len(found.Events)-1])
	}
}

// A search over all chains finds each event once, newest first, and nothing of
// another institution; every filter takes exactly what it says.
func TestASearchReadsAllChains(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		past(t, d)
		everything := all(t, d, activity.Search{Institution: river})
		if len(everything) != 40 {
			t.Fatalf("%d events, want 40", len(everything))
		}
		for i := 1; i < len(everything); i++ {
			if !everything[i].Time.Before(everything[i-1].Time) || everything[i].Institution != river {
				t.Fatalf("event %d of %s at %s follows one at %s", i, everything[i].Institution, everything[i].Time, everything[i-1].Time)
			}
		}
		middle := everything[20].Time.UnixMicro()
		for name, c := range map[string]struct {
			search activity.Search
			fits   func(activity.Event) bool
		}{
			"kind":           {activity.Search{Kind: "wires"}, func(e activity.Event) bool { return e.Name == "wire.initiated" }},
			"staff user":     {activity.Search{Staff: "stf_1"}, func(e activity.Event) bool { return e.Actor.ID == "stf_1" }},
			"staff and kind": {activity.Search{Staff: "stf_1", Kind: "staff"}, func(e activity.Event) bool { return e.Name == "staff.unlocked" }},
			"organization":   {activity.Search{Organization: "org_b"}, func(e activity.Event) bool { return e.Organization == "org_b" }},
			"its kind":       {activity.Search{Organization: "org_b", Kind: "viewed"}, func(e activity.Event) bool { return e.Organization == "org_b" && e.Name == "orguser.viewed" }},
			"member": {activity.Search{Organization: "org_b", Member: "usr_1"}, func(e activity.Event) bool {
				return e.Organization == "org_b" && (e.Actor.ID == "usr_1" || e.Target.ID == "usr_1")
			}},
			"who":              {activity.Search{By: bank.ActorStaff}, func(e activity.Event) bool { return e.Actor.Kind == bank.ActorStaff }},
			"channel":          {activity.Search{Channel: bank.ChannelPeople}, func(e activity.Event) bool { return e.Channel == bank.ChannelPeople }},
			"refused":          {activity.Search{Outcome: activity.OnlyRefused}, func(e activity.Event) bool { return e.Refused }},
			"done":             {activity.Search{Outcome: activity.OnlyDone}, func(e activity.Event) bool { return !e.Refused }},
			"from":             {activity.Search{From: middle}, func(e activity.Event) bool { return e.Time.UnixMicro() >= middle }},
			"until":            {activity.Search{Until: middle}, func(e activity.Event) bool { return e.Time.UnixMicro() < middle }},
			"of one, from":     {activity.Search{Organization: "org_a", From: middle}, func(e activity.Event) bool { return e.Organization == "org_a" && e.Time.UnixMicro() >= middle }},
			"of one, until":    {activity.Search{Organization: "org_a", Until: middle}, func(e activity.Event) bool { return e.Organization == "org_a" && e.Time.UnixMicro() < middle }},
			"since":            {activity.Search{After: activity.PlaceOf(everything[20])}, func(e activity.Event) bool { return e.Time.UnixMicro() > middle }},
			"institution's":    {activity.Search{Kind: "staff"}, func(e activity.Event) bool { return e.Name == "staff.unlocked" }},
			"nothing so named": {activity.Search{Kind: "nonsense"}, func(activity.Event) bool { return false }},
		} {
			c.search.Institution = river
			got, want := all(t, d, c.search), 0
			for _, e := range everything {
				if c.fits(e) {
					want++
				}
			}
			for _, e := range got {
				if !c.fits(e) {
					t.Errorf("%s: found %s of %s", name, e.Name, e.Organization)
				}
			}
			if len(got) != want {
				t.Errorf("%s: %d events, want %d", name, len(got), want)
			}
		}
	})
}

// Every event that the program records is of a kind, and every kind has a name.
func TestEveryEventHasAKind(t *testing.T) {
	kinds := map[string]string{
		"orguser.created": "people", "orguser.invite_expired": "people", "orguser.activated": "people", "orguser.deleted": "people",
		"orguser.permission_changed": "permissions", "orguser.hold_placed": "permissions", "orguser.disabled": "permissions", "org.entitlement_changed": "permissions",
		"org.change_asked": "permissions", "orguser.role_changed": "permissions", "orguser.profile_changed": "profile", "orguser.preferred_name_changed": "profile",
		"org.profile_changed": "profile", "org.account_added": "accounts", "auth.signin_failed": "authentication", "orguser.locked": "authentication",
		"orguser.password_reset_sent": "authentication", "hra.failed": "high_risk", "ach.batch_created": "ach", "arp.uploaded": "positive_pay", "stop.added": "stops",
		"transfer.created": "transfers", "wire.initiated": "wires", "payment.authorized": "payments", "card.lock_asked": "cards", "orguser.viewed": "viewed",
		"orguser.see_as_started": "viewed", "staff.invited": "staff", "group.changed": "staff", "external_app.created": "applications",
		"institution.changed": "institution", "something.else": "other",
	}
	for _, name := range activity.Names() { // of which no two readings differ
		if kinds[name] == "" {
			kinds[name] = activity.KindOf(name)
		}
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dbtest.ClockOf(t, d)
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			if err := activity.Start(tx, river, ""); err != nil {
				return err
			}
			s, err := activity.Lock(tx, river, "")
			for name := range kinds {
				if err == nil {
					err = s.Append("sav_"+name, activity.Event{Name: name})
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]string{}
		for _, kind := range activity.Kinds() {
			for _, e := range all(t, d, activity.Search{Institution: river, Kind: kind.Value}) {
				found[e.Name] = kind.Value
			}
		}
		for name, want := range kinds {
			if found[name] != want || activity.KindOf(name) != want {
				t.Errorf("%s is of kind %q, and %q without a database; want %q", name, found[name], activity.KindOf(name), want)
			}
		}
	})
}

func TestPlacesAreReadAsTheyAreWritten(t *testing.T) {
	p := activity.Place{Micros: 1_700_000_000_000_000, Organization: "org_x.y", Sequence: 12}
	if got, ok := activity.ParsePlace(p.String()); !ok || got != p {
		t.Errorf("%s is read as %v, %t", p, got, ok)
	}
	for _, s := range []string{"", "x", "1", "1.", "-1.2.org", "1.x.org", "0.0."} {
		if p, ok := activity.ParsePlace(s); ok {
			t.Errorf("%q is read as %v", s, p)
		}
	}
}
