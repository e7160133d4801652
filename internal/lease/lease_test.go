package lease_test

import (
	"errors"
	"testing"
	"time"

	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/lease"
)

func take(t *testing.T, d *db.DB, holder string, want bool) lease.Lease {
	t.Helper()
	l, taken, err := lease.Take(t.Context(), d, "work", holder, time.Minute)
	if err != nil || taken != want {
		t.Fatalf("%s takes it: %t, %v, want %t", holder, taken, err, want)
	}
	return l
}

func check(t *testing.T, d *db.DB, l lease.Lease, want error) {
	t.Helper()
	if err := d.Write(t.Context(), l.Check); !errors.Is(err, want) {
		t.Errorf("check of fence %d: %v, want %v", l.Fence, err, want)
	}
}

func TestOneHolderAtATime(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		first := take(t, d, "a", true)
		take(t, d, "b", false)
		if again := take(t, d, "a", true); again != first {
			t.Errorf("renewed: %+v, want %+v", again, first)
		}
		check(t, d, first, nil)
		dbtest.ClockOf(t, d).Advance(time.Minute)
		check(t, d, first, nil) // over, and nobody has taken it: nothing is done twice
		second := take(t, d, "b", true)
		check(t, d, first, lease.ErrLost)
		check(t, d, second, nil)
		if err := first.End(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		take(t, d, "a", false) // whoever lost it cannot end it for the other
		if err := second.End(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		take(t, d, "a", true)
	})
}
