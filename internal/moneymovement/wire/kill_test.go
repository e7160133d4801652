package wire_test

import (
	"context"
	"os"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/host"
	"mandate/internal/host/ledger"
	"mandate/internal/moneymovement/wire"
)

func TestMain(m *testing.M) {
	dbtest.ToBeKilled(wireForEver)
	os.Exit(m.Run())
}

// shift is how far from now the clocks of this test go, in every process: they
// go, because a lease of a process that was killed ends with time, and they
// begin on a Tuesday morning.
const shift = "MANDATE_TEST_SHIFT"

type shifted time.Duration

func (s shifted) Now() time.Time { return time.Now().Add(time.Duration(s)) }

// wireForEver sends wires alone, with a second person and on their day, and says
// which were acknowledged.
func wireForEver(url string, say func(string)) error {
	by, err := time.ParseDuration(os.Getenv(shift))
	if err != nil {
		return err
	}
	ctx, clock := context.Background(), shifted(by)
	d, err := db.Open(ctx, db.Config{URL: url, Clock: clock})
	if err != nil {
		return err
	}
	p, failed := killable(d).process("killed"), make(chan error)
	forEver := func(step func() error) {
		for {
			if err := step(); err != nil {
				failed <- err
				return
			}
		}
	}
	go forEver(func() error {
		made, err := p.room.Create(ctx, caller("lee"), tiny(clock.Now(), 1))
		if err != nil {
			return err
		}
		say(string(made.ID))
		return nil
	})
	go forEver(func() error {
		made, err := p.room.Create(ctx, caller("dana"), tiny(clock.Now(), 2))
		if err != nil {
			return err
		}
		asked, err := p.room.Get(ctx, caller("max"), made.ID)
		if err != nil {
			return err
		}
		if err := p.room.Approve(ctx, caller("max"), made.ID, asked.Hash, ""); err != nil {
			return err
		}
		say(string(made.ID))
		return nil
	})
	go forEver(func() error {
		_, err := p.room.RunDue(ctx)
		return err
	})
	return <-failed
}

// killable is the world of a process without a test around it.
func killable(d *db.DB) *world {
	books := ledger.New(d)
	return &world{d: d, books: books, line: &line{Ledger: books, files: map[string]host.File{}}, told: &told{}, proofs: &proofs{}}
}

// tiny is a wire of a cent or two: of two, Dana needs a second person.
func tiny(now time.Time, cents bank.Cents) wire.Draft {
	d := wire.Draft{ID: wire.NewID(now), Instruction: harbor(), Send: true, Anyway: true}
	d.Cents = cents
	return d
}

// Killed between any two steps, every wire that was acknowledged goes out once,
// none goes out that nobody agreed to, and the books and what is counted agree
// with what the wires say.
func TestKilledWiresGoOutOnce(t *testing.T) {
	for name, makeURL := range map[string]func() string{
		"SQLite":     func() string { return dbtest.SQLiteURL(t, nil) },
		"PostgreSQL": func() string { return dbtest.PostgreSQLURL(t, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			url := makeURL()
			acknowledged := seedToBeKilled(t, url)
			tuesday := time.Date(2026, time.March, 3, 13, 0, 0, 0, time.UTC)
			by := tuesday.Sub(time.Now())
			t.Setenv(shift, by.String())
			rounds := dbtest.Rounds(5, 500)
			for round := range rounds {
				for _, id := range dbtest.RunAndKill(t, url, 80*time.Millisecond) {
					acknowledged = append(acknowledged, wire.ID(id))
				}
				if round%50 == 49 || round == rounds-1 {
					settleKilled(t, url, shifted(by+20*time.Minute), acknowledged)
				}
			}
		})
	}
}

// seedToBeKilled makes the world on Monday, with wires for Tuesday.
func seedToBeKilled(t *testing.T, url string) (later []wire.ID) {
	d := dbtest.Open(t, url, dbtest.Options{})
	w := newWorld(t, d, bank.EditionBank)
	s := controlled()
	s.Limits = s.Limits.With(catalog.LimitWiresDual, 1)
	w.set("dana", s)
	for range 20 {
		draft := tiny(w.clock.Now(), 1)
		draft.On = "2026-03-03"
		later = append(later, w.make("lee", draft).ID)
	}
	w.agreed(d.Close())
	return later
}

// settleKilled starts the program anew, lets it do what was left, once the
// leases of those that were killed are over, and compares.
func settleKilled(t *testing.T, url string, clock shifted, acknowledged []wire.ID) {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{URL: url, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	w := killable(d)
	w.t = t
	defer func() { w.agreed(d.Close()) }()
	p := w.process("the next one")
	w.room, w.desk = p.room, p.desk
	if _, err := w.room.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.carryAll()
	for _, id := range acknowledged {
		w.wants(id, wire.Processed, "")
	}
	var sum bank.Cents
	var processed, numbers, wrong int
	w.agreed(d.Read(t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow(`
			select coalesce(sum(case when state = 'processed' then cents else 0 end), 0),
			       coalesce(sum(case when state = 'processed' then 1 else 0 end), 0),
			       count(distinct case when state = 'processed' then number end),
			       coalesce(sum(case when state = 'processed' and (cents = 1 or approver <> '') or state = 'pending_approval' and cents = 2 then 0 else 1 end), 0)
			  from wire`).Scan(&sum, &processed, &numbers, &wrong)
	}))
	if wrong != 0 || numbers != processed {
		t.Errorf("%d wires are not as they should be; %d that went out have %d numbers", wrong, processed, numbers)
	}
	w.has(operating, 200_000_00-sum)
}

// carryAll carries what waits for the host.
func (w *world) carryAll() {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan struct{})
	go func() {
		w.desk.Run(ctx)
		close(ended)
	}()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		var waiting int
		err := w.d.Read(ctx, func(tx *db.Tx) error {
			return tx.QueryRow(`select count(*) from wire where state = 'sent'`).Scan(&waiting)
		})
		if err != nil || waiting == 0 || time.Now().After(deadline) {
			cancel()
			<-ended
			if err != nil || waiting > 0 {
				w.t.Errorf("%d wires still wait for the host: %v", waiting, err)
			}
			return
		}
	}
}
