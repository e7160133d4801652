package hostsync_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/host"
	"mandate/internal/usermgmt"
)

// Every change of a member goes out, one order for a save, and the host then has
// what we have.
func TestChangesGoOut(t *testing.T) {
	each(t, func(w *world) {
		ana := w.as("ana")
		created, err := w.users.Create(t.Context(), ana, acme, usermgmt.Details{FirstName: "Dana", LastName: "Reed", Email: "dana@acme.example"})
		w.ok(err)
		dana := usermgmt.Person{Organization: acme, User: created.User}
		w.deliver()
		u, known := w.host.of(created.User)
		profile, err := w.profile(dana)
		if err != nil || !known || u.FirstName != "Dana" || u.Status != bank.StatusPending || profile.Member.ExternalID != string(u.Ref) {
			t.Fatalf("at the host %+v, here %+v, %v", u, profile.Member, err)
		}
		_, err = w.users.SavePermissions(t.Context(), ana, usermgmt.Edit{Person: dana, Version: -1, Changes: []entitlement.Change{
			{Set: map[string]entitlement.Value{
				catalog.WiresEnabled.ID(): entitlement.SwitchTo(true), catalog.WiresWork.ID(): entitlement.SwitchTo(true),
				catalog.LimitPerWire.Permission().ID(): entitlement.LimitTo(25_000_00), catalog.LimitWiresDaily.Permission().ID(): entitlement.LimitTo(60_000_00),
			}},
			{Account: "acc_operating", Set: map[string]entitlement.Value{catalog.AccountAccess.ID(): entitlement.SwitchTo(true), catalog.WiresWork.ID(): entitlement.SwitchTo(true)}},
			{Account: "acc_payroll", Set: switchTo(catalog.AccountAccess, true)},
		}})
		w.ok(err)
		w.ok(w.users.EditProfile(t.Context(), ana, dana, usermgmt.Details{FirstName: "Dana", LastName: "Stone", Email: "stone@acme.example", Role: bank.RoleViewer}))
		w.ok(w.users.Hold(t.Context(), ana, dana, "away"))
		before := len(w.host.carried)
		w.deliver()
		if n := len(w.host.carried) - before; n != 3 {
			t.Errorf("three saves led to %d orders", n)
		}
		u, _ = w.host.of(created.User)
		want := "map[user_management.enabled:true wires.daily_limit:60000.00 wires.enabled:true wires.per_wire_limit:25000.00 wires.work:true] map[A1:map[wires.work:true] A2:map[]]"
		if got := fmt.Sprint(u.Permissions, " ", u.Accounts); got != want || u.LastName != "Stone" || u.Email != "stone@acme.example" || u.Role != bank.RoleViewer || !u.Held {
			t.Errorf("at the host %+v\n got %s\nwant %s", u, got, want)
		}
		w.tick() // the echoes say nothing new
		for _, e := range w.history() {
			if e.Actor.Kind == bank.ActorHost && !e.Quiet && e.Name != "orguser.created_at_host" {
				t.Errorf("an echo was recorded: %+v", e)
			}
		}
		w.ok(w.users.Delete(t.Context(), ana, dana))
		w.deliver()
		if u, _ := w.host.of(created.User); !u.Deleted {
			t.Errorf("after deletion the host has %+v", u)
		}
		w.tick()
		names := []string{}
		for _, e := range w.history() {
			names = append(names, e.Name)
		}
		if !slices.Contains(names, "orguser.created_at_host") || !slices.Contains(names, "orguser.deleted_at_host") {
			t.Errorf("history %v", names)
		}
	})
}

// Whoever the institution brought is deleted at the host by the number they have
// there.
func TestDeletingWhoTheBankBrought(t *testing.T) {
	each(t, func(w *world) {
		w.add("dana", bank.RoleUser)
		w.ok(w.users.Delete(t.Context(), w.as("ana"), who("dana")))
		w.deliver()
		if u := w.host.user("N-dana"); !u.Deleted {
			t.Errorf("the host has %+v", u)
		}
	})
}

// An answer that is lost is asked for again, and nothing is done twice; a host
// that is down loses nothing, and orders about one person keep their order.
func TestLostAnswersAndSilence(t *testing.T) {
	each(t, func(w *world) {
		w.host.down = true
		w.add("dana", bank.RoleUser)
		for i := range 4 {
			w.ok(w.users.Hold(t.Context(), w.as("ana"), who("dana"), ""))
			w.ok(w.users.Release(t.Context(), w.as("ana"), who("dana")))
			if i == 1 {
				w.deliver()
			}
		}
		w.ok(w.users.Hold(t.Context(), w.as("ana"), who("dana"), ""))
		w.host.down, w.host.loses = false, 1
		for range 5 {
			w.clock.Advance(time.Minute)
			w.deliver()
		}
		u := w.host.user("N-dana")
		for key, n := range w.host.carried {
			if n != 1 {
				t.Errorf("%s was done %d times", key, n)
			}
		}
		if len(w.host.carried) != 9 || !u.Held || u.Version != 10 {
			t.Errorf("%d orders, the host has %+v", len(w.host.carried), u)
		}
	})
}

// What the host refuses is parked, and the history says so.
func TestRefusedOrderIsParked(t *testing.T) {
	each(t, func(w *world) {
		w.add("dana", bank.RoleUser)
		delete(w.host.users, "N-dana")
		w.ok(w.users.Hold(t.Context(), w.as("ana"), who("dana"), ""))
		w.deliver()
		parked, err := w.sync.Parked(t.Context(), staff, 10)
		if err != nil || len(parked) != 1 || parked[0].Code != string(host.UnknownUser) {
			t.Fatalf("parked %+v, %v", parked, err)
		}
		if e := w.history()[0]; e.Name != "orguser.refused_at_host" || e.Note == "" {
			t.Errorf("history %+v", e)
		}
	})
}

// Whoever is deleted while the host is down has no access any more, and the order
// waits where those can see it who look.
func TestDeletedWhileTheHostIsDown(t *testing.T) {
	each(t, func(w *world) {
		w.add("dana", bank.RoleUser)
		w.signIn("dana")
		w.host.down = true
		w.ok(w.users.Hold(t.Context(), w.as("ana"), who("dana"), ""))
		w.ok(w.users.Delete(t.Context(), w.as("ana"), who("dana")))
		w.deliver()
		if _, err := w.profile(who("dana")); err == nil || w.signIns("dana") != 0 {
			t.Errorf("they are still here, with %d sign-ins", w.signIns("dana"))
		}
		waiting, err := w.sync.Waiting(t.Context(), w.as("ana"), acme)
		if err != nil || len(waiting) != 1 || waiting[0].Step != host.DeleteUser || waiting[0].Name != "dana Test" {
			t.Fatalf("waiting %+v, %v", waiting, err)
		}
		orders, err := w.sync.Orders(t.Context(), staff, 10)
		if err != nil || len(orders) != 2 || orders[0].Failure == "" {
			t.Errorf("orders %+v, %v", orders, err)
		}
		w.host.down = false
		w.clock.Advance(time.Minute)
		w.deliver()
		if u := w.host.user("N-dana"); !u.Deleted {
			t.Errorf("the host has %+v", u)
		}
		if waiting, err := w.sync.Waiting(t.Context(), w.as("ana"), acme); err != nil || len(waiting) != 0 {
			t.Errorf("waiting %+v, %v", waiting, err)
		}
	})
}

// What the host refused goes out again with all that there is to say, when staff
// say so; whom it does not know is made there.
func TestRefusedOrderIsTriedAgain(t *testing.T) {
	each(t, func(w *world) {
		w.add("dana", bank.RoleUser)
		delete(w.host.users, "N-dana")
		w.ok(w.users.Hold(t.Context(), w.as("ana"), who("dana"), ""))
		w.deliver()
		parked, err := w.sync.Parked(t.Context(), staff, 10)
		w.ok(err)
		w.ok(w.sync.TryAgain(t.Context(), staff, parked[0].ID))
		w.deliver()
		if u, known := w.host.of(id("dana")); !known || !u.Held || u.FirstName != "dana" {
			t.Errorf("at the host %t %+v", known, u)
		}
		w.tick()
		if m := w.member("dana"); !m.Held || len(w.parked()) != 0 {
			t.Errorf("%+v, parked %v", m, w.parked())
		}
	})
}
