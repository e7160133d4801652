package usermgmt_test

import (
	"fmt"
	"testing"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/usermgmt"
)

// Whom an attempt was about stands in the feed by name, also where it was
// refused before anybody was looked up.
func TestRefusedAttemptsNameWhomTheyWereAbout(t *testing.T) {
	each(t, func(w *world) {
		w.add("vera", bank.RoleViewer, bank.StatusActive, manages)
		for i := range 10 {
			name := fmt.Sprintf("dana%d", i)
			w.add(name, bank.RoleUser, bank.StatusActive, entitlement.Settings{})
			if err := w.users.Hold(t.Context(), onlineAs("vera"), who(name), ""); err == nil {
				t.Fatal("a viewer put somebody on hold")
			}
		}
		events, err := w.users.Feed(t.Context(), onlineAs("vera"), usermgmt.FeedQuery{Person: who("vera"), By: true})
		if err != nil || len(events) != 10 {
			t.Fatalf("%d events (%v)", len(events), err)
		}
		for i, e := range events {
			if want := fmt.Sprintf("Dana%d Test", 9-i); e.Target.Name != want || !e.Refused {
				t.Errorf("event %d is about %q, want %q", i, e.Target.Name, want)
			}
		}
		all, err := w.users.Feed(t.Context(), onlineAs("vera"), usermgmt.FeedQuery{Person: usermgmt.Person{Organization: acme}})
		if err != nil || len(all) != 0 {
			t.Errorf("the organization's feed shows %d refused attempts (%v)", len(all), err)
		}
	})
}

// What an import packs into one line is told one permission at a time.
func TestFeedUnpacksImports(t *testing.T) {
	each(t, func(w *world) {
		importing := bank.Caller{Kind: bank.ActorOperator, Name: "Import", Institution: harbor, Channel: bank.ChannelImport}
		in := &usermgmt.ImportedOrganization{Organization: usermgmt.Organization{Institution: harbor, ExternalID: "77", Name: "Later"}}
		in.Members = []usermgmt.ImportedMember{{
			Member: usermgmt.Member{ExternalID: "1", FirstName: "Pia", LastName: "Ende", Settings: sendsWires()}, Set: ^catalog.Set(0),
		}}
		door := guard.New(w.d, usermgmt.LoadPolicy, nil, nil)
		var id bank.OrganizationID
		w.read(func(tx *db.Tx) error {
			plan, err := usermgmt.PlanImport(tx, usermgmt.Institution{ID: harbor}, in, nil)
			id = plan.ID
			return err
		})
		if _, err := usermgmt.ImportOrganization(t.Context(), door, importing, in, id, true); err != nil {
			t.Fatal(err)
		}
		events, err := w.users.Feed(t.Context(), operator, usermgmt.FeedQuery{Person: usermgmt.Person{Organization: id}, Kind: "people"})
		if err != nil || len(events) != 1 {
			t.Fatalf("%d events (%v)", len(events), err)
		}
		found := map[string]string{}
		for _, c := range events[0].Changes {
			found[c.Field] = c.New
		}
		if found["wires.transmit"] != "true" || found["wires.per_wire_limit"] != "25000.00" || found[usermgmt.PackedSettings] != "" {
			t.Errorf("the changes are %v", found)
		}
	})
}

// Payments name people by id; the feed names them.
func TestFeedNamesThePeopleOfPayments(t *testing.T) {
	each(t, func(w *world) {
		w.team()
		door := guard.New(w.d, usermgmt.LoadPolicy, nil, nil)
		action := guard.Action{Event: "payment.approved", Organization: acme, Others: []bank.ActorKind{bank.ActorOperator},
			Target: activity.Target{Kind: activity.TargetPayment, ID: "p-1", Name: "p-1"}}
		w.must(door.Do(t.Context(), operator, action, func(c *guard.Change) error {
			c.RecordQuiet(action.Event, action.Target, "", activity.Change{Field: "member", New: string(id("dana"))},
				activity.Change{Field: "approved_by", New: string(id("ben"))}, activity.Change{Field: "memo", New: string(id("ben"))})
			return nil
		}))
		events, err := w.users.Feed(t.Context(), operator, usermgmt.FeedQuery{Person: usermgmt.Person{Organization: acme}, Kind: "payments"})
		if err != nil || len(events) != 1 || len(events[0].Changes) != 3 {
			t.Fatalf("%+v (%v)", events, err)
		}
		for i, want := range []string{"Dana Test", "Ben Test", string(id("ben"))} {
			if got := events[0].Changes[i].New; got != want {
				t.Errorf("change %d is %q, want %q", i, got, want)
			}
		}
	})
}
