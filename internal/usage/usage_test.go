package usage_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/usage"
)

const (
	first = bank.InstitutionID("first")
	acme  = bank.OrganizationID("acme")
	today = bank.Day("2026-03-02")
)

// each runs a test on every database, inside one transaction that holds acme's
// stream.
func each(t *testing.T, test func(t *testing.T, tx *db.Tx)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			if err := activity.Start(tx, first, acme); err != nil {
				return err
			}
			if _, err := activity.Lock(tx, first, acme); err != nil {
				return err
			}
			test(t, tx)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func wire(id usage.ID, member bank.UserID, account bank.AccountID, day bank.Day, cents bank.Cents) usage.Reservation {
	return usage.Reservation{Institution: first, Organization: acme, ID: id, Limit: catalog.LimitWiresDaily, Day: day, Member: member, Account: account, Cents: cents}
}

func expect(t *testing.T, tx *db.Tx, at usage.Reservation, member, account, all bank.Cents) {
	t.Helper()
	got, err := usage.Used(tx, at)
	if err != nil {
		t.Fatal(err)
	}
	if want := (entitlement.Used{Member: member, Account: account, Organization: all}); got != want {
		t.Errorf("used where %s of %s counts = %+v, want %+v", at.ID, at.Member, got, want)
	}
}

func reserve(t *testing.T, tx *db.Tx, r usage.Reservation) {
	t.Helper()
	if err := usage.Reserve(tx, r); err != nil {
		t.Fatal(err)
	}
}

func TestAmountsCountForMemberAccountAndEverybody(t *testing.T) {
	each(t, func(t *testing.T, tx *db.Tx) {
		dana := wire("1", "dana", "operating", today, 100_00)
		reserve(t, tx, dana)
		reserve(t, tx, wire("2", "dana", "payroll", today, 20_00))
		reserve(t, tx, wire("3", "lee", "operating", today, 3_00))
		reserve(t, tx, wire("4", "dana", "operating", "2026-03-03", 7_00))
		expect(t, tx, dana, 120_00, 100_00, 123_00)
		expect(t, tx, wire("", "lee", "operating", today, 1), 3_00, 3_00, 123_00)
		expect(t, tx, wire("", "lee", "payroll", today, 1), 3_00, 0, 123_00)
		expect(t, tx, wire("", "dana", "operating", "2026-03-03", 1), 7_00, 7_00, 7_00)
		ach := dana
		ach.Limit = catalog.LimitACHDaily
		expect(t, tx, ach, 0, 0, 0)
	})
}

func TestBatchesNeverCountPerAccount(t *testing.T) {
	each(t, func(t *testing.T, tx *db.Tx) {
		batch := wire("1", "dana", "operating", today, 100_00)
		batch.Limit = catalog.LimitACHDaily
		reserve(t, tx, batch)
		expect(t, tx, batch, 100_00, 0, 100_00)
	})
}

func TestReservingTwiceCountsOnce(t *testing.T) {
	each(t, func(t *testing.T, tx *db.Tx) {
		r := wire("1", "dana", "operating", today, 100_00)
		reserve(t, tx, r)
		reserve(t, tx, r)
		expect(t, tx, r, 100_00, 100_00, 100_00)
		other := r
		other.Cents++
		if err := usage.Reserve(tx, other); !errors.Is(err, usage.ErrOther) {
			t.Errorf("Reserve of another amount under the same id = %v, want ErrOther", err)
		}
		expect(t, tx, r, 100_00, 100_00, 100_00)
	})
}

func TestReleasingGivesBackOnceAndForEver(t *testing.T) {
	each(t, func(t *testing.T, tx *db.Tx) {
		r := wire("1", "dana", "operating", today, 100_00)
		reserve(t, tx, r)
		reserve(t, tx, wire("2", "dana", "operating", today, 1_00))
		for _, want := range []bool{true, false} {
			if released, err := usage.Release(tx, first, acme, "1"); released != want || err != nil {
				t.Errorf("Release = %t, %v, want %t", released, err, want)
			}
			expect(t, tx, r, 1_00, 1_00, 1_00)
		}
		if err := usage.Reserve(tx, r); !errors.Is(err, usage.ErrOther) {
			t.Errorf("Reserve of a released id = %v, want ErrOther", err)
		}
		if err := usage.Move(tx, first, acme, "1", "2026-03-03"); err != nil {
			t.Error(err)
		}
		expect(t, tx, r, 1_00, 1_00, 1_00)
		expect(t, tx, wire("", "dana", "operating", "2026-03-03", 1), 0, 0, 0)
		if released, err := usage.Release(tx, first, acme, "unknown"); released || err != nil {
			t.Errorf("Release of an unknown id = %t, %v", released, err)
		}
	})
}

func TestMovingCountsOnTheOtherDayOnly(t *testing.T) {
	each(t, func(t *testing.T, tx *db.Tx) {
		r := wire("1", "dana", "operating", today, 100_00)
		reserve(t, tx, r)
		for range 2 {
			if err := usage.Move(tx, first, acme, "1", "2026-03-03"); err != nil {
				t.Fatal(err)
			}
			expect(t, tx, r, 0, 0, 0)
			expect(t, tx, wire("", "dana", "operating", "2026-03-03", 1), 100_00, 100_00, 100_00)
		}
		if released, err := usage.Release(tx, first, acme, "1"); !released || err != nil {
			t.Errorf("Release after Move = %t, %v", released, err)
		}
		expect(t, tx, wire("", "dana", "operating", "2026-03-03", 1), 0, 0, 0)
	})
}

// TestTheDatabaseRefusesWhatCannotBe: the second net under the program's own
// care.
func TestTheDatabaseRefusesWhatCannotBe(t *testing.T) {
	for name, statement := range map[string]string{
		"a counter below zero":               `update usage_counter set cents = cents - 10001`,
		"a counter beyond any sum of limits": `update usage_counter set cents = 4000000000000000001`,
		"a reservation of nothing":           `update usage_reservation set cents = 0`,
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				err := d.Write(t.Context(), func(tx *db.Tx) error { return usage.Reserve(tx, wire("1", "dana", "operating", today, 100_00)) })
				if err != nil {
					t.Fatal(err)
				}
				err = d.Write(t.Context(), func(tx *db.Tx) error {
					_, err := tx.Exec(statement)
					return err
				})
				if err == nil {
					t.Errorf("%s was stored", name)
				}
			})
		})
	}
}

// TestCountersAreTheSumsOfReservations does anything in any order and adds up
// the obvious way.
func TestCountersAreTheSumsOfReservations(t *testing.T) {
	each(t, func(t *testing.T, tx *db.Tx) {
		rng := rand.New(rand.NewPCG(1, 2))
		known := map[usage.ID]*usage.Reservation{}
		days := []bank.Day{today, "2026-03-03"}
		members, accounts := []bank.UserID{"dana", "lee"}, []bank.AccountID{"operating", "payroll"}
		for range 300 {
			id := usage.ID([]byte{'a' + byte(rng.IntN(26))})
			r := known[id]
			switch day := days[rng.IntN(2)]; {
			case r == nil:
				fresh := wire(id, members[rng.IntN(2)], accounts[rng.IntN(2)], day, bank.Cents(1+rng.IntN(10_000)))
				reserve(t, tx, fresh)
				known[id] = &fresh
			case rng.IntN(3) == 0:
				if released, err := usage.Release(tx, first, acme, id); err != nil || released == r.Released {
					t.Fatalf("Release(%s) = %t, %v; it was released before: %t", id, released, err, r.Released)
				}
				r.Released = true
			default:
				if err := usage.Move(tx, first, acme, id, day); err != nil {
					t.Fatal(err)
				}
				if !r.Released {
					r.Day = day
				}
			}
		}
		if found, err := usage.Check(tx); len(found) > 0 || err != nil {
			t.Errorf("Check = %+v, %v", found, err)
		}
		for _, day := range days {
			for _, member := range members {
				for _, account := range accounts {
					at := wire("", member, account, day, 1)
					want := sum(known, at)
					expect(t, tx, at, want.Member, want.Account, want.Organization)
				}
			}
		}
	})
}

// TestCheckFindsWhatDoesNotAddUp, each kind alone.
func TestCheckFindsWhatDoesNotAddUp(t *testing.T) {
	for name, c := range map[string]struct {
		statement  string
		mismatches int
	}{
		"nothing":                       {`update usage_counter set cents = cents`, 0},
		"a counter that is too high":    {`update usage_counter set cents = cents + 1 where account_id = 'operating' and member_id = 'dana'`, 1},
		"a counter of everybody's":      {`update usage_counter set cents = 0 where member_id = ''`, 2},
		"a counter that is gone":        {`delete from usage_counter where member_id = 'lee' and account_id = ''`, 1},
		"a counter of nobody's":         {`update usage_counter set member_id = 'kim' where member_id = 'lee' and account_id = ''`, 2},
		"a reservation that is gone":    {`delete from usage_reservation where id = '2'`, 3},
		"a reservation that was edited": {`update usage_reservation set released = $1 where id = 'batch'`, 2},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, tx *db.Tx) {
				reserve(t, tx, wire("1", "dana", "operating", today, 100_00))
				reserve(t, tx, wire("2", "lee", "operating", today, 20_00))
				batch := wire("batch", "dana", "operating", today, 3_00)
				batch.Limit = catalog.LimitACHDaily
				reserve(t, tx, batch)
				var args []any
				if strings.Contains(c.statement, "$1") {
					args = append(args, true)
				}
				if _, err := tx.Exec(c.statement, args...); err != nil {
					t.Fatal(err)
				}
				if found, err := usage.Check(tx); len(found) != c.mismatches || err != nil {
					t.Errorf("Check = %+v, %v, want %d", found, err, c.mismatches)
				}
			})
		})
	}
}

func sum(all map[usage.ID]*usage.Reservation, at usage.Reservation) (used entitlement.Used) {
	for _, r := range all {
		if r.Released || r.Day != at.Day {
			continue
		}
		used.Organization += r.Cents
		if r.Member == at.Member {
			used.Member += r.Cents
			if r.Account == at.Account {
				used.Account += r.Cents
			}
		}
	}
	return used
}
