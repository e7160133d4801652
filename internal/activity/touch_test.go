package activity_test

import (
	"context"
	"fmt"
	"testing"

	"mandate/internal/activity"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
)

func TestTouched(t *testing.T) {
	dana := activity.Target{Kind: activity.TargetMember, ID: "dana"}
	for name, c := range map[string]struct {
		event activity.Event
		want  activity.Touch
	}{
		"a member's permissions":  {activity.Event{Name: "orguser.permission_changed", Target: dana}, activity.TouchMember | activity.TouchUsage},
		"permissions of nobody":   {activity.Event{Name: "orguser.permission_changed"}, activity.TouchMember | activity.TouchUsage | activity.TouchWhole},
		"a payment":               {activity.Event{Name: "payment.authorized"}, activity.TouchUsage},
		"a look":                  {activity.Event{Name: "orguser.viewed", Target: dana}, activity.TouchNothing},
		"what nobody knows":       {activity.Event{Name: "orguser.renumbered", Target: dana}, activity.TouchAll},
		"a refusal":               {activity.Event{Name: "orguser.permission_changed", Target: dana, Refused: true}, activity.TouchNothing},
		"what an organization is": {activity.Event{Name: "org.entitlement_changed"}, activity.TouchOrganization | activity.TouchUsage},
		"an application":          {activity.Event{Name: "external_app.secret_rotated"}, activity.TouchCallers},
		"what is offered":         {activity.Event{Name: "institution.terms_changed"}, activity.TouchInstitution | activity.TouchCallers},
	} {
		if got := activity.Touched(c.event); got != c.want {
			t.Errorf("%s touches %b, want %b", name, got, c.want)
		}
	}
}

// Whoever listens hears of a chain that moved, once it is committed and before
// whoever moved it knows; of one that did not move, nothing.
func TestAMovedChainIsAnnounced(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var heard []activity.Head
		stop := d.Listen(func(what any) {
			if head, ok := what.(activity.Head); ok {
				heard = append(heard, head)
			}
		})
		two := func(tx *db.Tx) error {
			s, err := activity.Lock(tx, "first", "acme")
			if err != nil {
				return err
			}
			return s.Append("sav_1", activity.Event{Name: "orguser.viewed", Quiet: true}, activity.Event{Name: "orguser.held"})
		}
		write := func(f func(*db.Tx) error) {
			t.Helper()
			if err := d.Write(context.Background(), f); err != nil {
				t.Fatal(err)
			}
		}
		write(func(tx *db.Tx) error { return activity.Start(tx, "first", "acme") })
		write(two)
		_ = d.Write(context.Background(), func(tx *db.Tx) error {
			if err := two(tx); err != nil {
				return err
			}
			return context.Canceled
		})
		told := ""
		for _, head := range heard {
			told += fmt.Sprintf("%s/%s %d %d; ", head.Institution, head.Organization, head.Revision, head.Sequence)
		}
		const want = "first/acme 0 0; first/acme 1 2; "
		if told != want {
			t.Errorf("heard %s want %s", told, want)
		}
		stop()
		write(two)
		if len(heard) != 2 {
			t.Errorf("heard %+v after it was told to stop", heard)
		}
		if err := d.Read(context.Background(), func(tx *db.Tx) error {
			head, err := activity.HeadOf(tx, "first", "acme")
			if err != nil || head.Revision != 2 || head.Sequence != 4 {
				t.Errorf("head = %+v, %v", head, err)
			}
			if string(heard[1].Hash) == string(head.Hash) {
				t.Error("the hash of two heads is one")
			}
			if events, err := activity.Continue(tx, heard[1], head); err != nil || len(events) != 2 || events[0].Sequence != 3 {
				t.Errorf("between = %+v, %v", events, err)
			}
			epoch, err := activity.Epoch(tx)
			if err != nil || epoch != 1 {
				t.Errorf("epoch = %d, %v", epoch, err)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
}
