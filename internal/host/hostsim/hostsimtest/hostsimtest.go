// Package hostsimtest gives the worlds of tests a host: a simulator in a
// database of its own, beside the product's, whose names are the product's ids.
// It is for tests only.
package hostsimtest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/host/hostsim"
)

// A kept simulator belongs to a database of the product.
type kept struct {
	*hostsim.Bank
	db *db.DB
}

var banks sync.Map // *db.DB of the product to kept

// Open is the simulator of a database of the product: the one that is beside it,
// or else a new one, by the same clock, that is gone after the test.
func Open(t testing.TB, d *db.DB) *hostsim.Bank {
	t.Helper()
	if there, ok := banks.Load(d); ok {
		return there.(kept).Bank
	}
	own := dbtest.SQLiteWith(t, dbtest.Options{Migrations: hostsim.Migrations(), Clock: dbtest.ClockOf(t, d)})
	b := hostsim.New(own, hostsim.Options{})
	banks.Store(d, kept{b, own})
	t.Cleanup(func() { banks.Delete(d) })
	return b
}

// Beside opens the simulator that lives where a database of the product does,
// for several processes one after the other. Of and Open find it; Close closes
// both.
func Beside(d *db.DB, url string, clock bank.Clock) error {
	if strings.HasPrefix(url, "sqlite:") {
		url += ".host"
	}
	own, err := hostsim.OpenDB(context.Background(), url, clock)
	if err == nil {
		banks.Store(d, kept{hostsim.New(own, hostsim.Options{}), own})
	}
	return err
}

// Of is the simulator that Open or Beside has opened.
func Of(d *db.DB) *hostsim.Bank {
	there, _ := banks.Load(d)
	return there.(kept).Bank // a test that asks has opened one
}

// Close closes a database of the product and the simulator beside it.
func Close(d *db.DB) error {
	err := d.Close()
	if there, ok := banks.LoadAndDelete(d); ok {
		err = errors.Join(err, there.(kept).db.Close())
	}
	return err
}
