// Package hostsim simulates an institution's core: double-entry books, holds,
// stops, files, Positive Pay, cards, and the customers' organizations, accounts
// and people, in a database of its own. Every posting adds up to nothing,
// nothing is moved that an account does not have available, and every key is
// carried out once. Whatever changes about the people is told as an event.
//
// It is a host.Connector and a host.People whose ids are its own: wherever the
// house says organization, account or card, the simulator means its refs. The
// product does not call it: it speaks the protocol to it, as to any bank's core,
// whether it runs in the same process or elsewhere. It knows nothing of the
// product's database.
package hostsim

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/host"
)

//go:embed migrations
var migrations embed.FS

// Migrations is what the simulator's database is built from.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the name above is a constant
	}
	return sub
}

// Schema is where the simulator's tables are on PostgreSQL.
const Schema = "host"

// A Bank is the core of all institutions of a database.
type Bank struct {
	db       *db.DB
	seeding  atomic.Int64 // a time.Duration
	mischief mischief
}

var (
	_ host.Connector = (*Bank)(nil)
	_ host.People    = (*Bank)(nil)
)

// Options are how a simulator behaves beyond what it was asked.
type Options struct {
	// Seed is what everything that looks like chance is made from.
	Seed uint64

	// Seeding is how long after its announcement a new user made here is told.
	Seeding time.Duration
}

// New returns the core of a database that was built from Migrations.
func New(d *db.DB, o Options) *Bank {
	b := &Bank{db: d, mischief: mischief{seed: o.Seed, of: map[bank.InstitutionID]Fault{}}}
	b.TakeTime(o.Seeding)
	return b
}

// TakeTime says how long after its announcement a new user is told from now on.
func (b *Bank) TakeTime(seeding time.Duration) { b.seeding.Store(int64(seeding)) }

// OpenDB opens the simulator's database and brings it up to date.
func OpenDB(ctx context.Context, url string, clock bank.Clock) (*db.DB, error) {
	d, err := db.Open(ctx, db.Config{URL: url, Clock: clock, Migrations: Migrations(), Schema: Schema})
	if err != nil {
		return nil, fmt.Errorf("open the simulator's database: %w", err)
	}
	if err := d.Migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("migrate the simulator's database: %w", err), d.Close())
	}
	return d, nil
}

// write changes something of an institution. Whoever does so waits for whoever
// else does, and may share their commit.
func (b *Bank) write(ctx context.Context, institution bank.InstitutionID, f func(tx *db.Tx, number int64) error) error {
	return b.db.WriteInLine(ctx, string(institution), func(tx *db.Tx) error {
		number, err := nextNumber(tx, institution)
		if err != nil {
			return err
		}
		return f(tx, number)
	})
}
