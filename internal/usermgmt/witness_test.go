package usermgmt_test

import (
	"errors"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/usermgmt"
)

// looks are the events of looking at an organization's people that somebody
// reads in its feed.
func (w *world) looks(caller bank.Caller) []activity.Event {
	w.t.Helper()
	events, err := w.users.Feed(w.t.Context(), caller, usermgmt.FeedQuery{Person: usermgmt.Person{Organization: acme}, Kind: "viewed"})
	if err != nil {
		w.t.Fatal(err)
	}
	return events
}

func clerk(name string) bank.Caller {
	return bank.Caller{Kind: bank.ActorStaff, ID: "stf_" + name, Name: name, Institution: harbor, Channel: bank.ChannelPeople, IP: "192.0.2.9", Device: "Firefox"}
}

// A look of staff is recorded once an hour for each user and profile, and the
// organization's admins see that the institution looked.
func TestLooksOfStaffAreRecordedOnceAnHour(t *testing.T) {
	each(t, func(w *world) {
		w.team()
		look := func(name, member string) {
			t.Helper()
			p := usermgmt.Person{Organization: acme}
			if member != "" {
				p = who(member)
			}
			if err := w.users.Witness(t.Context(), clerk(name), p); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			look("rosa", "")
			look("rosa", "dana")
			look("rolf", "dana")
		}
		if got := w.looks(clerk("rosa")); len(got) != 3 {
			t.Fatalf("%d looks are recorded, want one for each of three", len(got))
		}
		w.clock.Advance(time.Hour - time.Second)
		look("rosa", "dana")
		if got := w.looks(clerk("rosa")); len(got) != 3 {
			t.Errorf("a look within the hour is recorded again")
		}
		w.clock.Advance(2 * time.Second)
		look("rosa", "dana")
		got := w.looks(clerk("rosa"))
		if len(got) != 4 || got[0].Target.Name != "Dana Test" || got[0].Actor.Name != "rosa" || got[3].Target.Name != "Acme Tools" {
			t.Errorf("the institution reads %+v", got)
		}
		for _, e := range w.looks(onlineAs("ana")) {
			if e.Actor.Name != "Staff of Harbor Bank" || e.Actor.ID != "" || e.IP != "" || e.Device != "" {
				t.Errorf("an admin of the organization reads %+v: an employee's name is for the institution", e)
			}
		}
	})
}

// Nobody but staff is recorded, and staff without the right are refused.
func TestOnlyStaffAreWitnessed(t *testing.T) {
	each(t, func(w *world) {
		w.team()
		if err := w.users.Witness(t.Context(), onlineAs("ana"), who("dana")); err != nil || len(w.looks(onlineAs("ana"))) != 0 {
			t.Errorf("a look of a customer's own admin is recorded (%v)", err)
		}
		users := usermgmt.New(guard.New(w.d, usermgmt.LoadPolicy, noStaff{}, w.proofs), w.identity)
		if err := users.Witness(t.Context(), clerk("eve"), who("dana")); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("whoever may not look gets %v", err)
		}
		if err := w.users.Witness(t.Context(), clerk("rosa"), who("nobody")); !errors.Is(err, usermgmt.ErrNoMember) {
			t.Errorf("a look at nobody gives %v", err)
		}
	})
}

// noStaff are staff who may do nothing.
type noStaff struct{}

func (noStaff) StaffMay(*db.Tx, bank.InstitutionID, bank.StaffID, string) (bool, error) {
	return false, nil
}
