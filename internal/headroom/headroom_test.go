package headroom_test

import (
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/headroom"
	"mandate/internal/usage"
)

func policy(t *testing.T) *entitlement.Policy {
	t.Helper()
	place, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	var all catalog.EntitlementSet
	all = all.With(catalog.Wires)
	wires := catalog.SetOf(catalog.WiresEnabled, catalog.WiresWork, catalog.WiresTransmit)
	return &entitlement.Policy{
		Institution:  entitlement.Institution{ID: "cedar", Location: place, Offers: all},
		Organization: entitlement.Organization{ID: "acme", Entitlements: all, Ceilings: entitlement.Limits{}.With(catalog.LimitWiresDaily, 90_000_00)},
		Accounts:     map[bank.AccountID]entitlement.Account{"operating": {ID: "operating"}},
		Members: map[bank.UserID]*entitlement.Member{"dana": {
			ID: "dana", Status: bank.StatusActive,
			Settings: entitlement.Settings{On: wires, Limits: entitlement.Limits{}.With(catalog.LimitPerWire, 25_000_00).With(catalog.LimitWiresDaily, 60_000_00)},
			Accounts: map[bank.AccountID]entitlement.Settings{"operating": {
				On: wires.With(catalog.AccountAccess), Limits: entitlement.Limits{}.With(catalog.LimitWiresDaily, 40_000_00)}},
		}},
	}
}

func TestRoomOfAWire(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := policy(t)
		req := entitlement.Request{Member: "dana", Operation: catalog.WiresTransmitOperation, Account: "operating", Now: dbtest.Start}
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			if err := activity.Start(tx, "cedar", "acme"); err != nil {
				return err
			}
			s, err := activity.Lock(tx, "cedar", "acme")
			if err != nil {
				return err
			}
			for name, change := range map[string]activity.Change{
				"Ana Ruiz": {Field: "wires.daily_limit", Old: "1.00", New: "60000.00"},
				"Ben Chen": {Field: "wires.daily_limit", Accounts: []string{"operating"}, New: "40000.00"},
				"Sue Park": {Field: "ceiling.wires.daily_limit", New: "90000.00"},
			} {
				target := activity.Target{Kind: activity.TargetMember, ID: "dana"}
				if name == "Sue Park" {
					target = activity.Target{Kind: activity.TargetOrganization, ID: "acme"}
				}
				err := s.Append("save "+name, activity.Event{Name: "orguser.permission_changed", Actor: activity.Actor{Name: name}, Target: target, Changes: []activity.Change{change}})
				if err != nil {
					return err
				}
			}
			err = usage.Reserve(tx, usage.Reservation{Institution: "cedar", Organization: "acme", ID: "1", Limit: catalog.LimitWiresDaily,
				Day: "2026-03-02", Member: "dana", Account: "operating", Cents: 30_000_00})
			if err != nil {
				return err
			}
			room, err := headroom.Of(tx, p, req)
			if err != nil {
				return err
			}
			if room.UpTo != 10_000_00 || room.Alone != 10_000_00 {
				t.Errorf("the room is %s, alone %s, want 10000.00", room.UpTo, room.Alone)
			}
			want := []headroom.Ceiling{
				{Level: entitlement.LevelUserAccount, Account: "operating", Limit: 40_000_00, Daily: true, Used: 30_000_00, Left: 10_000_00, SetBy: "Ben Chen"},
				{Level: entitlement.LevelUser, Limit: 25_000_00, Left: 25_000_00},
				{Level: entitlement.LevelUser, Limit: 60_000_00, Daily: true, Used: 30_000_00, Left: 30_000_00, SetBy: "Ana Ruiz"},
				{Level: entitlement.LevelOrganization, Limit: 90_000_00, Daily: true, Used: 30_000_00, Left: 60_000_00, SetBy: "Sue Park"},
			}
			if len(room.Ceilings) != len(want) {
				t.Fatalf("%d ceilings, want %d: %+v", len(room.Ceilings), len(want), room.Ceilings)
			}
			midnight := time.Date(2026, 3, 3, 5, 0, 0, 0, time.UTC)
			for i, got := range room.Ceilings {
				if got.Daily && !got.Resets.Equal(midnight) {
					t.Errorf("ceiling %d begins anew at %s, want %s", i, got.Resets, midnight)
				}
				got.Permission, got.Resets, got.SetAt = 0, time.Time{}, time.Time{}
				if got != want[i] {
					t.Errorf("ceiling %d is %+v, want %+v", i, got, want[i])
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
