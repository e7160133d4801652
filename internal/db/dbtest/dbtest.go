// Package dbtest gives a test a migrated database of its own: SQLite always,
// PostgreSQL when there is one. It is for tests only.
//
// What is missing is skipped with the line that installs it; with
// MANDATE_REQUIRE_ALL=1 it is a failure.
package dbtest

import (
	"context"
	"io/fs"
	"os"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// Options is for the tests that need more than a migrated database with a
// clock that stands still.
type Options struct {
	Clock      bank.Clock // nil means a Clock standing at Start
	Migrations fs.FS      // nil means the program's own
}

// Each runs the test on every database. Its clock stands still at Start;
// ClockOf finds it.
func Each(t *testing.T, test func(t *testing.T, d *db.DB)) {
	t.Helper()
	EachWith(t, Options{}, test)
}

// EachWith is Each with options.
func EachWith(t *testing.T, o Options, test func(t *testing.T, d *db.DB)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) { test(t, SQLiteWith(t, o)) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, PostgreSQLWith(t, o)) })
}

// SQLite opens a migrated file that is gone after the test.
func SQLite(t testing.TB) *db.DB {
	t.Helper()
	return SQLiteWith(t, Options{})
}

// PostgreSQL opens a migrated database that is gone after the test, or skips.
func PostgreSQL(t testing.TB) *db.DB {
	t.Helper()
	return PostgreSQLWith(t, Options{})
}

// Open opens one more connection to a database made by SQLiteURL or
// PostgreSQLURL, as another process would, and closes it after the test.
func Open(t testing.TB, url string, o Options) *db.DB {
	t.Helper()
	if o.Clock == nil {
		o.Clock = NewClock(Start)
	}
	d, err := db.Open(context.Background(), db.Config{URL: url, Clock: o.Clock, Migrations: o.Migrations})
	if err != nil {
		t.Fatalf("open the test's database: %v", err)
	}
	rememberClock(t, d, o.Clock)
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close the test's database: %v", err)
		}
	})
	return d
}

// Missing skips the test, or fails it where everything is required. The
// message says how to get what is missing.
func Missing(t testing.TB, what, install string) {
	t.Helper()
	if os.Getenv("MANDATE_REQUIRE_ALL") == "1" {
		t.Fatalf("%s is missing and MANDATE_REQUIRE_ALL=1; install it with: %s", what, install)
	}
	t.Skipf("%s is missing; install it with: %s", what, install)
}
