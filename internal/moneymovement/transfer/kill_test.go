package transfer_test

import (
	"context"
	"os"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/host/ledger"
	"mandate/internal/moneymovement/transfer"
)

func TestMain(m *testing.M) {
	dbtest.ToBeKilled(transferForEver)
	os.Exit(m.Run())
}

// shift is how far from now the clocks of this test go, in every process: they
// go, because a lease of a process that was killed ends with time, and they
// begin on a Tuesday morning.
const shift = "MANDATE_TEST_SHIFT"

type shifted time.Duration

func (s shifted) Now() time.Time { return time.Now().Add(time.Duration(s)) }

// transferForEver moves money at once and on its day, and says which transfers
// were acknowledged.
func transferForEver(url string, say func(string)) error {
	by, err := time.ParseDuration(os.Getenv(shift))
	if err != nil {
		return err
	}
	ctx, clock := context.Background(), shifted(by)
	d, err := db.Open(ctx, db.Config{URL: url, Clock: clock})
	if err != nil {
		return err
	}
	w := &world{d: d, books: ledger.New(d), told: &told{}, proofs: &proofs{}}
	room, failed := w.process("killed"), make(chan error)
	for range 2 {
		go func() {
			for {
				draft := transfer.Draft{ID: transfer.NewID(clock.Now()), From: operating, To: payroll, Cents: 1}
				made, err := room.Create(ctx, caller("dana"), draft)
				if err != nil {
					failed <- err
					return
				}
				say(string(made.ID))
			}
		}()
	}
	go func() {
		for {
			if _, err := room.RunDue(ctx); err != nil {
				failed <- err
				return
			}
		}
	}()
	return <-failed
}

// Killed between any two steps, every transfer that was acknowledged is carried
// out once, and the books agree with what the transfers say.
func TestKilledTransfersMoveOnce(t *testing.T) {
	for name, makeURL := range map[string]func() string{
		"SQLite":     func() string { return dbtest.SQLiteURL(t, nil) },
		"PostgreSQL": func() string { return dbtest.PostgreSQLURL(t, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			url := makeURL()
			scheduled := seedToBeKilled(t, url)
			tuesday := time.Date(2026, time.March, 3, 13, 0, 0, 0, time.UTC)
			by := tuesday.Sub(time.Now())
			t.Setenv(shift, by.String())
			rounds := dbtest.Rounds(5, 500)
			acknowledged := scheduled
			for round := range rounds {
				for _, id := range dbtest.RunAndKill(t, url, 60*time.Millisecond) {
					acknowledged = append(acknowledged, transfer.ID(id))
				}
				if round%50 == 49 || round == rounds-1 {
					settleKilled(t, url, shifted(by), acknowledged)
				}
			}
		})
	}
}

// seedToBeKilled makes the world on Monday, with transfers for Tuesday.
func seedToBeKilled(t *testing.T, url string) (scheduled []transfer.ID) {
	d := dbtest.Open(t, url, dbtest.Options{})
	w := newWorld(t, d)
	for range 40 {
		draft := w.draft(1)
		draft.On = "2026-03-03"
		scheduled = append(scheduled, w.make(draft).ID)
	}
	closeIt(t, d)
	return scheduled
}

func openAt(t *testing.T, url string, clock bank.Clock) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{URL: url, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func closeIt(t *testing.T, d *db.DB) {
	t.Helper()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

// settleKilled starts the program anew, lets it do what was left, once the
// leases of those that were killed are over, and compares.
func settleKilled(t *testing.T, url string, clock shifted, acknowledged []transfer.ID) {
	t.Helper()
	d := openAt(t, url, clock+shifted(20*time.Minute))
	defer closeIt(t, d)
	w := &world{t: t, d: d, books: ledger.New(d), told: &told{}, proofs: &proofs{}}
	w.room = w.process("the next one")
	if _, err := w.room.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.carryAll()
	for _, id := range acknowledged {
		if got := w.get(id); got.State != transfer.Completed {
			t.Errorf("%s was acknowledged and is %s %s", id, got.State, got.Problem)
		}
	}
	var completed, all int
	err := d.Read(t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow(`
			select count(*), coalesce(sum(case when state = 'completed' then 1 else 0 end), 0)
			  from transfer`).Scan(&all, &completed)
	})
	if err != nil {
		t.Fatal(err)
	}
	if all != completed {
		t.Errorf("of %d transfers %d are completed", all, completed)
	}
	w.has(map[bank.AccountID]bank.Cents{operating: 10_000_00 - bank.Cents(completed), payroll: bank.Cents(completed)})
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
			return tx.QueryRow(`select count(*) from transfer where state = 'sent'`).Scan(&waiting)
		})
		if err != nil || waiting == 0 || time.Now().After(deadline) {
			cancel()
			<-ended
			if err != nil || waiting > 0 {
				w.t.Errorf("%d transfers still wait for the host: %v", waiting, err)
			}
			return
		}
	}
}
