package wire_test

import (
	"context"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/host"
	"mandate/internal/host/hostsim/hostsimtest"
	"mandate/internal/moneymovement/moneytest"
	"mandate/internal/moneymovement/wire"
)

func TestMain(m *testing.M) { moneytest.ToBeKilled(m, wireForEver) }

var tuesday = time.Date(2026, time.March, 3, 13, 0, 0, 0, time.UTC)

// wireForEver sends wires alone, with a second person and on their day, and says
// which were acknowledged.
func wireForEver(url string, clock moneytest.Clock, say func(string)) ([]func() error, error) {
	d, err := clock.Open(url)
	if err != nil {
		return nil, err
	}
	ctx, p := context.Background(), killable(d).process("killed")
	return []func() error{func() error {
		made, err := p.room.Create(ctx, caller("lee"), tiny(clock.Now(), 1))
		if err == nil {
			say(string(made.ID))
		}
		return err
	}, func() error {
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
	}, func() error {
		_, err := p.room.RunDue(ctx)
		return err
	}}, nil
}

// killable is the world of a process without a test around it.
func killable(d *db.DB) *world {
	books := hostsimtest.Of(d)
	return &world{d: d, books: books, line: &line{Bank: books, files: map[string]host.File{}}, told: &told{}, proofs: &proofs{}}
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
	moneytest.Killed{
		Start: tuesday, Within: 80 * time.Millisecond,
		Seed: func(t *testing.T, d *db.DB) (later []string) {
			w := newWorld(t, d, bank.EditionBank)
			s := controlled()
			s.Limits = s.Limits.With(catalog.LimitWiresDual, 1)
			w.set("dana", s)
			for range 20 {
				draft := tiny(w.clock.Now(), 1)
				draft.On = "2026-03-03"
				later = append(later, string(w.make("lee", draft).ID))
			}
			return later
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
	defer func() { w.agreed(hostsimtest.Close(d)) }()
	p := w.process("the next one")
	w.room, w.desk = p.room, p.desk
	if _, err := w.room.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.carryAll()
	for _, id := range acknowledged {
		w.wants(wire.ID(id), wire.Processed, "")
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
	moneytest.CarryAll(w.t, w.d, w.desk, func(tx *db.Tx) (int64, error) {
		return db.One(tx, db.Value[int64], `select count(*) from wire where state = 'sent'`)
	})
}
