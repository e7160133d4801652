package conformance

import (
	"path/filepath"
	"testing"

	"mandate/internal/db"
	"mandate/internal/db/dbtest"
)

// vectorFiles are the vectors that come with the product.
func vectorFiles(t testing.TB) []string {
	t.Helper()
	names, err := filepath.Glob("../../testdata/vectors/*.json")
	if err != nil || len(names) < 2 {
		t.Fatalf("the product's vectors: %v, %v", names, err)
	}
	return names
}

// each runs a test on every database, with a clock that vectors can set.
func each(t *testing.T, test func(t *testing.T, d *db.DB, c *Clock)) {
	for name, open := range map[string]func(testing.TB, dbtest.Options) *db.DB{"SQLite": dbtest.SQLiteWith, "PostgreSQL": dbtest.PostgreSQLWith} {
		t.Run(name, func(t *testing.T) {
			c := NewClock()
			test(t, open(t, dbtest.Options{Clock: c}), c)
		})
	}
}

func TestVectors(t *testing.T) {
	files, err := ReadFiles(vectorFiles(t))
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, d *db.DB, c *Clock) {
		report := Run(t.Context(), d, c, files)
		for _, f := range report.Failures {
			t.Error(f)
		}
		if report.Passed < 125 {
			t.Errorf("%d vectors passed; there are 125 and more", report.Passed)
		}
	})
}
