package db_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mandate/internal/db"
	"mandate/internal/db/dbtest"
)

// tiny is a schema of two tables, so that this package's tests depend on
// nobody's migrations.
func tiny() fs.FS { return os.DirFS("testdata/migrations") }

func each(t *testing.T, test func(t *testing.T, d *db.DB)) {
	t.Helper()
	dbtest.EachWith(t, dbtest.Options{Migrations: tiny()}, test)
}

func addShop(tx *db.Tx, id, name string) error {
	_, err := tx.Exec(`insert into shop (id, name, open) values ($1, $2, $3)`, id, name, true)
	return err
}

// shops lists the ids of all shops.
func shops(t *testing.T, d *db.DB) []string {
	t.Helper()
	var ids []string
	err := d.Read(t.Context(), func(tx *db.Tx) (err error) {
		ids, err = db.All(tx, db.Value[string], `select id from shop order by id`)
		return err
	})
	if err != nil {
		t.Fatalf("list shops: %v", err)
	}
	return ids
}

func wantShops(t *testing.T, d *db.DB, want ...string) {
	t.Helper()
	if got := shops(t, d); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("shops are %q, want %q", got, want)
	}
}

func TestWriteCommitsWhatSucceeds(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			return addShop(tx, "s1", "Bakery")
		})
		if err != nil {
			t.Fatal(err)
		}
		wantShops(t, d, "s1")
	})
}

func TestWriteRollsBackWhatFails(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		refusal := errors.New("no")
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			if err := addShop(tx, "s1", "Bakery"); err != nil {
				return err
			}
			return refusal
		})
		if !errors.Is(err, refusal) {
			t.Errorf("Write = %v, want the function's own error", err)
		}
		wantShops(t, d)
	})
}

func TestWriteRollsBackWhatPanics(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic did not come through")
				}
			}()
			_ = d.Write(t.Context(), func(tx *db.Tx) error {
				if err := addShop(tx, "s1", "Bakery"); err != nil {
					return err
				}
				panic("programmer's mistake")
			})
		}()
		wantShops(t, d)
		// The turn has been given back, so the next writer gets through.
		if err := d.Write(t.Context(), func(tx *db.Tx) error { return addShop(tx, "s2", "Butcher") }); err != nil {
			t.Fatal(err)
		}
		wantShops(t, d, "s2")
	})
}

// On PostgreSQL a failed statement costs the transaction. SQLite would go on;
// the program must not learn to rely on it.
func TestFailedStatementLosesTheTransaction(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			if err := addShop(tx, "s1", "Bakery"); err != nil {
				return err
			}
			if err := addShop(tx, "s1", "Butcher"); err == nil {
				t.Error("the same id went in twice")
			}
			if err := addShop(tx, "s2", "Chandler"); err == nil {
				t.Error("a statement was accepted after one had failed")
			}
			return nil
		})
		if !db.IsUnique(err, "shop_pk") {
			t.Errorf("Write = %v, want the violation of shop_pk", err)
		}
		wantShops(t, d)
	})
}

func TestAfterCommitRunsOnlyAfterACommit(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		var calls []string
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			tx.AfterCommit(func() {
				wantShops(t, d, "s1") // already visible to others
				calls = append(calls, "first")
			})
			tx.AfterCommit(func() { calls = append(calls, "second") })
			return addShop(tx, "s1", "Bakery")
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(calls, " "); got != "first second" {
			t.Errorf("hooks ran as %q, want each once and in order", got)
		}

		_ = d.Write(t.Context(), func(tx *db.Tx) error {
			tx.AfterCommit(func() { t.Error("a hook ran although the transaction rolled back") })
			return errors.New("no")
		})
		ctx, cancel := context.WithCancel(t.Context())
		_ = d.Write(ctx, func(tx *db.Tx) error {
			tx.AfterCommit(func() { t.Error("a hook ran although nothing was committed") })
			cancel()
			return nil
		})
	})
}

func TestNestedTransactionsAreRefused(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		nothing := func(*db.Tx) error { return nil }
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			if err := d.Write(tx.Context(), nothing); !errors.Is(err, db.ErrNested) {
				t.Errorf("Write inside Write = %v, want ErrNested", err)
			}
			if err := d.Read(tx.Context(), nothing); !errors.Is(err, db.ErrNested) {
				t.Errorf("Read inside Write = %v, want ErrNested", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		err = d.Read(t.Context(), func(tx *db.Tx) error {
			if err := d.Write(tx.Context(), nothing); !errors.Is(err, db.ErrNested) {
				t.Errorf("Write inside Read = %v, want ErrNested", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestReadRefusesChanges(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		err := d.Read(t.Context(), func(tx *db.Tx) error { return addShop(tx, "s1", "Bakery") })
		if !errors.Is(err, db.ErrReadOnly) {
			t.Errorf("Exec in a Read = %v, want ErrReadOnly", err)
		}
		// The database itself refuses as well, for statements that answer with rows.
		err = d.Read(t.Context(), func(tx *db.Tx) error {
			var id string
			return tx.QueryRow(`insert into shop (id, name, open) values ('s1', 'Bakery', true) returning id`).Scan(&id)
		})
		if err == nil {
			t.Error("insert ... returning was accepted in a Read")
		}
		wantShops(t, d)
	})
}

func TestReadSeesOneMoment(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		count := func(tx *db.Tx) (n int, err error) {
			return n, tx.QueryRow(`select count(*) from shop`).Scan(&n)
		}
		err := d.Read(t.Context(), func(tx *db.Tx) error {
			before, err := count(tx)
			if err != nil {
				return err
			}
			err = d.Write(t.Context(), func(tx *db.Tx) error { return addShop(tx, "s1", "Bakery") })
			if err != nil {
				return err
			}
			after, err := count(tx)
			if before != 0 || after != 0 {
				t.Errorf("the reader counted %d and then %d shops, want 0 both times", before, after)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		wantShops(t, d, "s1")
	})
}

func TestNowIsTheClocksAndStandsStill(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		clock := dbtest.ClockOf(t, d)
		place := time.FixedZone("somewhere", -5*3600)
		clock.Set(time.Date(2026, 3, 2, 9, 0, 0, 123456789, place))
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			want := time.Date(2026, 3, 2, 14, 0, 0, 123456000, time.UTC)
			if tx.Now != want {
				t.Errorf("Now is %v, want %v", tx.Now, want)
			}
			clock.Advance(time.Hour)
			if tx.Now != want {
				t.Errorf("Now moved to %v while the transaction was open", tx.Now)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestConcurrentWritersLoseNothing(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		const writers, rounds = 8, 20
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			if err := addShop(tx, "s1", "Bakery"); err != nil {
				return err
			}
			_, err := tx.Exec(`insert into item (shop_id, sku, cents) values ('s1', 'bun', 0)`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		for range writers {
			wait.Go(func() {
				for range rounds {
					if err := d.Write(t.Context(), addOneCent); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wait.Wait()
		err = d.Read(t.Context(), func(tx *db.Tx) error {
			cents, err := db.One(tx, db.Value[int64], `select cents from item`)
			if cents != writers*rounds {
				t.Errorf("%d cents counted, want %d", cents, writers*rounds)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// addOneCent locks the row and then writes what it read, as the program does.
func addOneCent(tx *db.Tx) error {
	var cents int64
	if err := tx.QueryRow(`update item set sku = sku where sku = 'bun' returning cents`).Scan(&cents); err != nil {
		return err
	}
	_, err := tx.Exec(`update item set cents = $1 where sku = 'bun'`, cents+1)
	return err
}

func TestCancelledCallerStoresNothing(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		err := d.Write(ctx, func(tx *db.Tx) error {
			if err := addShop(tx, "s1", "Bakery"); err != nil {
				return err
			}
			cancel()
			return addShop(tx, "s2", "Butcher")
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Write = %v, want context.Canceled", err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		err = d.Write(ctx, func(tx *db.Tx) error {
			defer cancel()
			return addShop(tx, "s3", "Chandler")
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Write = %v, want context.Canceled when the caller left before the commit", err)
		}
		wantShops(t, d)
	})
}

func TestCancellingEndsALongStatement(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		err := d.Read(ctx, func(tx *db.Tx) error {
			var n int64
			return tx.QueryRow(`
				with recursive n (i) as (select 1 union all select i + 1 from n where i < 2000000000)
				select count(*) from n`).Scan(&n)
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Read = %v, want context.DeadlineExceeded", err)
		}
		wantShops(t, d) // the database is well
	})
}

func TestWaitingForATurnHasALimit(t *testing.T) {
	each(t, func(t *testing.T, first *db.DB) {
		if first.Dialect() == db.PostgreSQL {
			first = openWith(t, db.Config{URL: dbtest.PostgreSQLURL(t, tiny()), Connections: 1, Wait: 50 * time.Millisecond})
		} else {
			first = openWith(t, db.Config{URL: dbtest.SQLiteURL(t, tiny()), Wait: 50 * time.Millisecond})
		}
		err := first.Write(t.Context(), func(*db.Tx) error {
			err := first.Write(t.Context(), func(*db.Tx) error { return nil })
			if !errors.Is(err, db.ErrBusy) {
				t.Errorf("second Write = %v, want ErrBusy", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func openWith(t *testing.T, cfg db.Config) *db.DB {
	t.Helper()
	cfg.Clock, cfg.Migrations = dbtest.NewClock(dbtest.Start), tiny()
	d, err := db.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// Two transactions lock two rows in opposite order: a real deadlock, which
// PostgreSQL ends by failing one of them. Both must go through all the same.
func TestDeadlockIsRetried(t *testing.T) {
	d := dbtest.PostgreSQLWith(t, dbtest.Options{Migrations: tiny()})
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		return errors.Join(addShop(tx, "s1", "a"), addShop(tx, "s2", "b"))
	})
	if err != nil {
		t.Fatal(err)
	}
	var runs, hooks atomic.Int32
	var met, wait sync.WaitGroup
	met.Add(2)
	touch := func(tx *db.Tx, id string) error {
		_, err := tx.Exec(`update shop set name = name || '!' where id = $1`, id)
		return err
	}
	for _, order := range [][]string{{"s1", "s2"}, {"s2", "s1"}} {
		wait.Go(func() {
			first := true
			err := d.Write(t.Context(), func(tx *db.Tx) error {
				runs.Add(1)
				tx.AfterCommit(func() { hooks.Add(1) })
				if err := touch(tx, order[0]); err != nil {
					return err
				}
				if first {
					first = false
					met.Done()
					met.Wait() // both hold one row now
				}
				return touch(tx, order[1])
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	// The one that runs again may meet the other once more before it is done.
	if runs.Load() < 3 || hooks.Load() != 2 {
		t.Errorf("%d runs and %d hooks, want 3 runs or more (one again) and 2 hooks", runs.Load(), hooks.Load())
	}
	err = d.Read(t.Context(), func(tx *db.Tx) error {
		names, err := db.All(tx, db.Value[string], `select name from shop order by id`)
		if got := strings.Join(names, " "); got != "a!! b!!" {
			t.Errorf("names are %q, want both touched exactly twice", got)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRetriesEnd(t *testing.T) {
	d := dbtest.PostgreSQLWith(t, dbtest.Options{Migrations: tiny()})
	runs := 0
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		runs++
		_, err := tx.Exec(`do $$ begin raise exception 'again' using errcode = '40001'; end $$`)
		if err == nil {
			t.Error("no error")
		}
		return errors.New("a sentence that hides the cause") // the retry must not depend on it
	})
	if err == nil || runs != 4 {
		t.Errorf("Write = %v after %d runs, want an error after 4", err, runs)
	}
}

// A server that goes away in the middle of a commit leaves the question open.
func TestLostCommitIsUnknown(t *testing.T) {
	d := dbtest.PostgreSQLWith(t, dbtest.Options{Migrations: tiny()})
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		if err := addShop(tx, "s1", "Bakery"); err != nil {
			return err
		}
		var pid int64
		if err := tx.QueryRow(`select pg_backend_pid()`).Scan(&pid); err != nil {
			return err
		}
		return d.Write(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(`select pg_terminate_backend($1::int, 10000)`, pid)
			return err
		})
	})
	if !errors.Is(err, db.ErrCommitUnknown) {
		t.Errorf("Write = %v, want ErrCommitUnknown", err)
	}
}

// openEightAtOnce leaves eight connections in the pool.
func openEightAtOnce(t *testing.T, d *db.DB) {
	t.Helper()
	var open, wait sync.WaitGroup
	open.Add(8)
	for range 8 {
		wait.Go(func() {
			err := d.Read(t.Context(), func(tx *db.Tx) error {
				open.Done()
				open.Wait()
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
}

// After a restart of the server every pooled connection is dead.
func TestDeadConnectionsAreReplaced(t *testing.T) {
	url := dbtest.PostgreSQLURL(t, tiny())
	d, other := openWith(t, db.Config{URL: url}), openWith(t, db.Config{URL: url})
	for range 2 { // pgx looks at a connection by itself when it is used for the second time
		openEightAtOnce(t, d)
	}
	for left := int64(1); left > 0; {
		err := other.Write(t.Context(), func(tx *db.Tx) (err error) {
			left, err = tx.Exec(`
				select pg_terminate_backend(pid) from pg_stat_activity
				 where datname = current_database() and pid <> pg_backend_pid()`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Write(t.Context(), func(tx *db.Tx) error { return addShop(tx, "s1", "Bakery") }); err != nil {
		t.Errorf("Write after the restart = %v", err)
	}
	wantShops(t, d, "s1")
}

func TestAFailedCommitIsTold(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			tx.AfterCommit(func() { t.Error("a hook ran although the commit failed") })
			_, err := tx.Exec(`insert into visit (shop_id) values ('nowhere')`)
			return err // the reference is looked at when committing
		})
		if !db.IsForeignKey(err) || errors.Is(err, db.ErrCommitUnknown) {
			t.Errorf("Write = %v, want the violation of visit_shop", err)
		}
		wantShops(t, d)
		if err := d.Write(t.Context(), func(tx *db.Tx) error { return addShop(tx, "s1", "Bakery") }); err != nil {
			t.Errorf("the next Write = %v", err)
		}
	})
}

func withOption(url, option string) string {
	if strings.Contains(url, "?") {
		return url + "&" + option
	}
	return url + "?" + option
}

func TestALockHeldTooLongIsBusy(t *testing.T) {
	url := dbtest.PostgreSQLURL(t, tiny())
	slow, hasty := openWith(t, db.Config{URL: url}), openWith(t, db.Config{URL: withOption(url, "lock_timeout=50ms")})
	if err := slow.Write(t.Context(), func(tx *db.Tx) error { return addShop(tx, "s1", "Bakery") }); err != nil {
		t.Fatal(err)
	}
	touch := func(tx *db.Tx) error {
		_, err := tx.Exec(`update shop set open = false`)
		return err
	}
	err := slow.Write(t.Context(), func(tx *db.Tx) error {
		if err := touch(tx); err != nil {
			return err
		}
		if err := hasty.Write(t.Context(), touch); !errors.Is(err, db.ErrBusy) {
			t.Errorf("Write = %v, want ErrBusy", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
