package dbtest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mandate/internal/db"
	"mandate/internal/db/dbtest"
)

func TestEachTestHasItsOwnMigratedDatabase(t *testing.T) {
	for range 2 {
		dbtest.Each(t, func(t *testing.T, d *db.DB) {
			if err := d.Migrated(t.Context()); err != nil {
				t.Fatal(err)
			}
			err := d.Write(t.Context(), func(tx *db.Tx) error {
				_, err := tx.Exec(`create table mark (id text)`) // fails where the last test left its own
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTheClockStandsStillUntilMoved(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		clock := dbtest.ClockOf(t, d)
		want := dbtest.Start
		for range 2 {
			err := d.Read(t.Context(), func(tx *db.Tx) error {
				if !tx.Now.Equal(want) {
					t.Errorf("Now is %v, want %v", tx.Now, want)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			clock.Advance(time.Minute)
			want = want.Add(time.Minute)
		}
		clock.Set(dbtest.Start)
		if got := clock.Now(); got != dbtest.Start {
			t.Errorf("Now is %v after Set", got)
		}
	})
}

// A recorder stands in for a test that lacks something.
type recorder struct {
	testing.TB
	skipped, failed string
}

func (r *recorder) Helper()                           {}
func (r *recorder) Skipf(format string, args ...any)  { r.skipped = fmt.Sprintf(format, args...) }
func (r *recorder) Fatalf(format string, args ...any) { r.failed = fmt.Sprintf(format, args...) }

func TestMissingSkips(t *testing.T) {
	t.Setenv("MANDATE_REQUIRE_ALL", "")
	var r recorder
	dbtest.Missing(&r, "A thing", "apt-get install thing")
	if !strings.Contains(r.skipped, "apt-get install thing") || r.failed != "" {
		t.Errorf("skipped with %q, failed with %q; want a skip that tells how to install it", r.skipped, r.failed)
	}
}

func TestMissingFailsWhereEverythingIsRequired(t *testing.T) {
	t.Setenv("MANDATE_REQUIRE_ALL", "1")
	var r recorder
	dbtest.Missing(&r, "A thing", "apt-get install thing")
	if !strings.Contains(r.failed, "apt-get install thing") {
		t.Errorf("failed with %q, want how to install it", r.failed)
	}
}
