package wire_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/moneymovement/wire"
	"mandate/internal/usermgmt"
)

// eachTwice runs a test on both databases with two processes: on PostgreSQL each
// has connections of its own; a SQLite file has one server, here with two rooms
// for its clients.
func eachTwice(t *testing.T, test func(w *world, processes []process)) {
	t.Run("SQLite", func(t *testing.T) {
		w := newWorld(t, dbtest.SQLite(t), bank.EditionBank)
		test(w, []process{{w.room, w.approvals, w.calendar, w.desk}, w.process("second")})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		url, clock := dbtest.PostgreSQLURL(t, nil), dbtest.NewClock(dbtest.Start)
		open := func() *db.DB { return dbtest.Open(t, url, dbtest.Options{Clock: clock}) }
		w := newWorld(t, open(), bank.EditionBank)
		test(w, []process{{w.room, w.approvals, w.calendar, w.desk}, newProcess(open(), w.line, w.told, w.proofs, "second")})
	})
}

// nextDay moves the clock to the next morning on which wires go out.
func (w *world) nextDay() {
	w.t.Helper()
	w.agreed(w.d.Read(w.t.Context(), func(tx *db.Tx) error {
		days, err := w.calendar.In(tx, cedar)
		if err != nil {
			return err
		}
		today := days.Today(tx.Now)
		w.clock.Advance(days.After(today).Time(time.UTC).Sub(today.Time(time.UTC)))
		return nil
	}))
}

// Of forty wires of $10,000.00 that are sent off at once against a daily limit
// of $100,000.00, exactly ten go out.
func TestRaceForTheDailyLimit(t *testing.T) {
	eachTwice(t, func(w *world, processes []process) {
		for round := range dbtest.Rounds(2, 500) {
			w.deposit(operating, 100_000_00, fmt.Sprint("round ", round))
			var out atomic.Int64
			var wg sync.WaitGroup
			for i := range 40 {
				d := w.draft(10_000_00)
				d.Payee.Account = fmt.Sprint("000", round, "x", i)
				wg.Go(func() {
					if _, err := processes[i%2].room.Create(w.t.Context(), caller("lee"), d); err == nil {
						out.Add(1)
					} else {
						w.refuses("over the limit", err, "LIMIT_DAILY")
					}
				})
			}
			wg.Wait()
			for _, p := range processes {
				if _, err := p.room.RunDue(w.t.Context()); err != nil {
					w.t.Fatal(err)
				}
			}
			if out.Load() != 10 {
				w.t.Fatalf("round %d: %d went out", round, out.Load())
			}
			w.used("lee", bank.DayOf(w.clock.Now(), time.UTC), 100_000_00)
			w.nextDay()
		}
		w.line.settle(w.t, w)
		w.has(operating, 200_000_00)
	})
}

// Whatever comes first of approving, editing, cancelling, and taking the right
// away: nothing goes out that was not approved as it stands.
func TestRaceAroundTheSecondPerson(t *testing.T) {
	eachTwice(t, func(w *world, processes []process) {
		for round := range dbtest.Rounds(6, 500) {
			w.deposit(operating, 12_000_00, fmt.Sprint("second ", round))
			made := w.make("dana", func() wire.Draft { d := w.draft(12_000_00); d.Anyway = true; return d }())
			change := w.draft(11_000_00)
			change.ID, change.Send = made.ID, false
			disturb := []func() error{
				func() error { return processes[1].room.Edit(w.t.Context(), caller("cleo"), made.Version, change) },
				func() error {
					return processes[1].room.Approve(w.t.Context(), caller("max"), made.ID, made.Hash, "")
				},
				func() error {
					return processes[1].room.Cancel(w.t.Context(), caller("cleo"), made.ID, made.Version)
				},
			}[round%3]
			var approved, disturbed error
			var wg sync.WaitGroup
			wg.Go(func() {
				approved = processes[0].room.Approve(w.t.Context(), caller("lee"), made.ID, made.Hash, "")
			})
			wg.Go(func() { disturbed = disturb() })
			wg.Wait()
			w.line.settle(w.t, w)
			got := w.get(made.ID)
			if (approved == nil) == (disturbed == nil) {
				w.t.Fatalf("round %d: both said %v and %v", round, approved, disturbed)
			}
			out := approved == nil || round%3 == 1
			if out != (got.State == wire.Processed) || out && (got.Cents != 12_000_00 || got.Approver == "") {
				w.t.Fatalf("round %d: it is %s of %s, approved by %q; they said %v and %v", round, got.State, got.Cents, got.Approver, approved, disturbed)
			}
			if !out {
				w.deposit(operating, -12_000_00, fmt.Sprint("back ", round))
			}
			w.nextDay()
		}
		w.has(operating, 200_000_00)
	})
}

// A right that is taken away while somebody approves: whichever comes first, the
// other one sees it.
func TestRaceAgainstARightTakenAway(t *testing.T) {
	eachTwice(t, func(w *world, processes []process) {
		out := bank.Cents(0)
		for round := range dbtest.Rounds(6, 500) {
			w.deposit(operating, 12_000_00, fmt.Sprint("taken ", round))
			made := w.make("dana", w.draft(12_000_00))
			who, code := "dana", "INITIATOR_NOT_ALLOWED"
			if round%2 == 1 {
				who, code = "lee", string(entitlement.UserOff)
			}
			var approved, taken error
			var then wire.State // when the right was taken away
			var wg sync.WaitGroup
			wg.Go(func() {
				approved = processes[1].room.Approve(w.t.Context(), caller("lee"), made.ID, made.Hash, "")
			})
			wg.Go(func() { then, taken = w.takeAway(who, made.ID) })
			wg.Wait()
			w.agreed(taken)
			w.line.settle(w.t, w)
			w.set("dana", controlled())
			w.set("lee", sends())
			if then == wire.Pending {
				w.refuses(fmt.Sprint("round ", round, ": an approval after ", who, "'s right was taken away"), approved, code)
				w.wants(made.ID, wire.Pending, "")
			} else {
				w.agreed(approved)
				w.wants(made.ID, wire.Processed, "")
				out += 12_000_00
			}
			w.nextDay()
		}
		w.has(operating, 200_000_00+bank.Cents(dbtest.Rounds(6, 500))*12_000_00-out)
	})
}

// takeAway takes all of somebody's rights away, in turn with every other change
// of the organization, and says how far a wire had come then.
func (w *world) takeAway(name string, id wire.ID) (then wire.State, err error) {
	err = w.d.Write(w.t.Context(), func(tx *db.Tx) error {
		stream, err := activity.Lock(tx, cedar, northwind)
		if err != nil {
			return err
		}
		if then, err = db.One(tx, db.Value[wire.State], `select state from wire where id = $1`, id); err != nil {
			return err
		}
		if err := usermgmt.SetMemberSettings(tx, w.org.Num, w.people[name].Ordinal, entitlement.Settings{}, 1); err != nil {
			return err
		}
		return stream.Append("sav_test", activity.Event{Name: "orguser.permission_changed"})
	})
	return then, err
}

// A process that dies after any step leaves wires that another one carries on,
// each out once.
func TestDeadProcesses(t *testing.T) {
	eachTwice(t, func(w *world, processes []process) {
		w.line.down.Store(true) // it died before the host heard
		first := w.make("dana", w.draft(5_000_00))
		w.wants(first.ID, wire.Sent, "")
		w.line.down.Store(false)
		w.line.deaf.Store(true) // it died before the host's answer came
		second := w.make("dana", w.draft(6_000_00))
		w.wants(second.ID, wire.Sent, "")
		w.line.deaf.Store(false)
		pending := w.make("dana", w.draft(12_000_00)) // it died before anybody decided
		if err := processes[1].room.Approve(w.t.Context(), caller("lee"), pending.ID, pending.Hash, ""); err != nil {
			w.t.Fatal(err)
		}
		w.clock.Advance(10 * time.Minute) // until the orders are tried again
		w.make("max", func() wire.Draft { d := w.draft(1_00); return d }())
		w.line.settle(w.t, w)
		for _, id := range []wire.ID{first.ID, second.ID, pending.ID} {
			w.wants(id, wire.Processed, "")
		}
		w.has(operating, 200_000_00-5_000_00-6_000_00-12_000_00-1_00)
	})
}
