package transfer_test

import (
	"context"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/host/hostsim/hostsimtest"
	"mandate/internal/moneymovement/moneytest"
	"mandate/internal/moneymovement/transfer"
)

func TestMain(m *testing.M) { moneytest.ToBeKilled(m, transferForEver) }

var tuesday = time.Date(2026, time.March, 3, 13, 0, 0, 0, time.UTC)

// transferForEver moves money at once and on its day, and says which transfers
// were acknowledged.
func transferForEver(url string, clock moneytest.Clock, say func(string)) ([]func() error, error) {
	d, err := clock.Open(url)
	if err != nil {
		return nil, err
	}
	ctx, room := context.Background(), killable(d).process("killed")
	create := func() error {
		made, err := room.Create(ctx, caller("dana"), transfer.Draft{ID: transfer.NewID(clock.Now()), From: operating, To: payroll, Cents: 1})
		if err == nil {
			say(string(made.ID))
		}
		return err
	}
	return []func() error{create, create, func() error {
		_, err := room.RunDue(ctx)
		return err
	}}, nil
}

// killable is the world of a process without a test around it.
func killable(d *db.DB) *world {
	return &world{d: d, books: hostsimtest.Of(d), told: &told{}, proofs: &proofs{}}
}

// Killed between any two steps, every transfer that was acknowledged is carried
// out once, and the books agree with what the transfers say.
func TestKilledTransfersMoveOnce(t *testing.T) {
	moneytest.Killed{
		Start: tuesday, Within: 60 * time.Millisecond,
		Seed: func(t *testing.T, d *db.DB) (scheduled []string) {
			w := newWorld(t, d)
			for range 40 {
				draft := w.draft(1)
				draft.On = "2026-03-03"
				scheduled = append(scheduled, string(w.make(draft).ID))
			}
			return scheduled
		},
		Settle: settleKilled,
	}.Run(t)
}

// settleKilled starts the program anew, lets it do what was left, once the
// leases of those that were killed are over, and compares.
func settleKilled(t *testing.T, url string, clock moneytest.Clock, acknowledged []string) {
	t.Helper()
	d, err := clock.Later(20 * time.Minute).Open(url)
	if err != nil {
		t.Fatal(err)
	}
	w := killable(d)
	w.t = t
	defer func() {
		if err := hostsimtest.Close(d); err != nil {
			t.Error(err)
		}
	}()
	w.room = w.process("the next one")
	if _, err := w.room.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.carryAll()
	for _, id := range acknowledged {
		if got := w.get(transfer.ID(id)); got.State != transfer.Completed {
			t.Errorf("%s was acknowledged and is %s %s", id, got.State, got.Problem)
		}
	}
	var completed, all int
	err = d.Read(t.Context(), func(tx *db.Tx) error {
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
	moneytest.CarryAll(w.t, w.d, w.desk, func(tx *db.Tx) (int64, error) {
		return db.One(tx, db.Value[int64], `select count(*) from transfer where state = 'sent'`)
	})
}
