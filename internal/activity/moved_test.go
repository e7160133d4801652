package activity_test

import (
	"context"
	"errors"
	"testing"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
)

// move records something in a chain.
func move(tx *db.Tx, organization bank.OrganizationID) error {
	s, err := activity.Lock(tx, "first", organization)
	if err != nil {
		return err
	}
	return s.Append("sav_1", activity.Event{Name: "orguser.permission_changed"})
}

func change(t *testing.T, d *db.DB, f func(*db.Tx) error) {
	t.Helper()
	if err := d.Write(context.Background(), f); err != nil {
		t.Fatal(err)
	}
}

// look is one look at what moved, and the horizon for the next.
func look(t *testing.T, d *db.DB, horizon int64) (moved map[bank.OrganizationID]int64, m activity.Moment) {
	t.Helper()
	moved = map[bank.OrganizationID]int64{}
	err := d.Read(context.Background(), func(tx *db.Tx) (err error) {
		heads, err := activity.MovedSince(tx, horizon)
		if err != nil {
			return err
		}
		for _, h := range heads {
			moved[h.Organization] = h.Sequence
		}
		m, err = activity.MomentOf(tx, true)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return moved, m
}

// A transaction that began early and commits late is seen, whatever was
// committed and seen in between.
func TestWhatMovedIsNeverMissed(t *testing.T) {
	d := dbtest.PostgreSQL(t)
	change(t, d, func(tx *db.Tx) error {
		return errors.Join(activity.Start(tx, "first", "early"), activity.Start(tx, "first", "late"), activity.Start(tx, "first", "still"))
	})
	_, m := look(t, d, 0)
	if m.Chains != 3 || m.Events != 0 || m.Standby {
		t.Fatalf("the moment is %+v", m)
	}
	begun, goOn, ended := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		ended <- d.Write(context.Background(), func(tx *db.Tx) error {
			err := move(tx, "early")
			close(begun)
			<-goOn
			return err
		})
	}()
	<-begun
	for i := range 3 {
		change(t, d, func(tx *db.Tx) error { return move(tx, "late") })
		moved, next := look(t, d, m.Horizon)
		if moved["late"] != int64(i+1) || moved["early"] != 0 {
			t.Errorf("look %d: moved %v", i, moved)
		}
		m = next
	}
	close(goOn)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	moved, m := look(t, d, m.Horizon)
	if moved["early"] != 1 {
		t.Errorf("a transaction that committed late was missed: %v", moved)
	}
	if moved, _ = look(t, d, m.Horizon); len(moved) != 0 {
		t.Errorf("nothing moved, and it says %v", moved)
	}
}

func TestEventsBetweenHeadsAreProved(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		change(t, d, func(tx *db.Tx) error { return activity.Start(tx, "first", "acme") })
		var heads []activity.Head
		for range 4 {
			change(t, d, func(tx *db.Tx) (err error) {
				if err = move(tx, "acme"); err != nil {
					return err
				}
				all, err := activity.MovedSince(tx, 0)
				heads = append(heads, all...)
				return err
			})
		}
		between := func(from, to activity.Head) (n int, err error) {
			err = d.Read(context.Background(), func(tx *db.Tx) error {
				events, err := activity.Continue(tx, from, to)
				n = len(events)
				return err
			})
			return n, err
		}
		if n, err := between(heads[0], heads[3]); err != nil || n != 3 {
			t.Errorf("between the first and the last: %d events, %v", n, err)
		}
		other := heads[0]
		other.Hash = heads[1].Hash
		if _, err := between(other, heads[3]); !errors.Is(err, activity.ErrGap) {
			t.Errorf("another history that was known: %v", err)
		}
		ahead := heads[3]
		ahead.Sequence++
		if _, err := between(heads[0], ahead); !errors.Is(err, activity.ErrGap) {
			t.Errorf("an event that is not there: %v", err)
		}
		if _, err := between(heads[3], heads[0]); !errors.Is(err, activity.ErrGap) {
			t.Errorf("a head that went back: %v", err)
		}
		change(t, d, func(tx *db.Tx) error {
			_, err := tx.Exec(`delete from history_event where sequence = 3`)
			return err
		})
		if _, err := between(heads[0], heads[3]); !errors.Is(err, activity.ErrGap) {
			t.Errorf("an event is missing: %v", err)
		}
	})
}
