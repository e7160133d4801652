package hostsim_test

import (
	"testing"

	"mandate/internal/db/dbtest"
	"mandate/internal/host/hostsim"
)

// The simulator can live in the product's own database, beside its tables.
func TestBesideTheProduct(t *testing.T) {
	for name, url := range map[string]func() string{
		"SQLite":     func() string { return "sqlite:" + t.TempDir() + "/host.db" },
		"PostgreSQL": func() string { return dbtest.PostgreSQLURL(t, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			where := url()
			for range 2 { // and is found again
				d, err := hostsim.OpenDB(t.Context(), where, dbtest.NewClock(dbtest.Start))
				if err != nil {
					t.Fatal(err)
				}
				if err := hostsim.New(d, hostsim.Options{}).Open(t.Context(), hostsim.Opening{Institution: cedar, Organization: "org", Account: "acc", Balance: 5}); err != nil {
					t.Fatal(err)
				}
				if err := d.Migrated(t.Context()); err != nil {
					t.Error(err)
				}
				if err := d.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if name == "PostgreSQL" {
				if err := dbtest.Open(t, where, dbtest.Options{}).Migrated(t.Context()); err != nil {
					t.Errorf("the product's own tables: %v", err)
				}
			}
		})
	}
}
