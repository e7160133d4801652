package db_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"mandate/internal/db"
)

// A crowd is writers of one line. The first of them holds the turn until all
// the others wait for it.
type crowd struct {
	t     *testing.T
	db    *db.DB
	wait  sync.WaitGroup
	held  chan struct{} // the first has the turn
	leave chan struct{} // it may end
	first chan struct{} // it was told the outcome
	end   sync.Once
}

// sell adds a shop that is named like its id.
func sell(tx *db.Tx, id string) error { return addShop(tx, id, id) }

func newCrowd(t *testing.T, d *db.DB) *crowd {
	d.JoinFor(time.Hour) // however slow the machine is
	c := &crowd{t: t, db: d, held: make(chan struct{}), leave: make(chan struct{}), first: make(chan struct{})}
	c.wait.Go(func() {
		err := d.WriteInLine(t.Context(), "one", func(tx *db.Tx) error {
			select {
			case <-c.held: // a second try
			default:
				close(c.held)
				<-c.leave
			}
			return sell(tx, "first")
		})
		if err != nil {
			t.Error(err)
		}
		close(c.first)
	})
	<-c.held
	return c
}

// write adds a writer and waits until it is in the line. Its Write must end
// with want, nil being anything.
func (c *crowd) write(ctx context.Context, f func(tx *db.Tx) error, want func(error) bool) {
	before := c.db.WaitingInLine("one")
	c.wait.Go(func() {
		err := c.db.WriteInLine(ctx, "one", f)
		if want == nil && err != nil || want != nil && !want(err) {
			c.t.Errorf("Write = %v", err)
		}
	})
	c.queued(before + 1)
}

// queued waits until so many wait in the line.
func (c *crowd) queued(n int) {
	for c.db.WaitingInLine("one") < n {
		time.Sleep(time.Millisecond)
	}
}

func (c *crowd) add(id string) {
	c.write(c.t.Context(), func(tx *db.Tx) error { return sell(tx, id) }, nil)
}

// done lets all of them go and waits for them.
func (c *crowd) done() {
	c.end.Do(func() { close(c.leave) })
	c.wait.Wait()
}

var errNo = errors.New("no")

func is(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }

// Nobody is told anything before the commit, in which all are who waited.
func TestWritersInLineCommitTogether(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		c := newCrowd(t, d)
		c.write(t.Context(), func(tx *db.Tx) error {
			names, err := db.All(tx, db.Value[string], `select id from shop`)
			if strings.Join(names, " ") != "first" {
				t.Errorf("whoever joined sees %q, want what was done before", names)
			}
			wantShops(t, d) // nobody else does
			select {
			case <-c.first:
				t.Error("the first was told before the commit")
			default:
			}
			return errors.Join(err, sell(tx, "second"))
		}, nil)
		c.done()
		wantShops(t, d, "first", "second")
	})
}

// Whoever fails, panics, or gives up leaves no trace, and the others' work is
// stored with its hooks.
func TestWritersInLineFailAlone(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		c := newCrowd(t, d)
		hooks := make(chan string, 10)
		c.write(t.Context(), func(tx *db.Tx) error {
			tx.AfterCommit(func() { hooks <- "refused" })
			return errors.Join(sell(tx, "refused"), errNo)
		}, is(errNo))
		runs := 0
		c.write(t.Context(), func(tx *db.Tx) error {
			runs++
			tx.AfterCommit(func() { hooks <- "good" })
			return sell(tx, "good")
		}, nil)
		c.write(t.Context(), func(tx *db.Tx) error {
			_ = sell(tx, "lost")
			_ = addShop(tx, "first", "First") // hidden, and still it must not commit
			return nil
		}, func(err error) bool { return db.IsUnique(err, "shop_pk") })
		ctx, cancel := context.WithCancel(t.Context())
		c.write(ctx, func(tx *db.Tx) error {
			cancel()
			return sell(tx, "cancelled")
		}, is(context.Canceled))
		slow, tired := context.WithCancel(t.Context())
		c.write(slow, func(tx *db.Tx) error {
			if err := sell(tx, "slow"); err != nil {
				return err
			}
			time.AfterFunc(20*time.Millisecond, tired) // in the middle of the statement
			return longStatement(tx)
		}, is(context.Canceled))
		c.wait.Go(func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			_ = d.WriteInLine(t.Context(), "one", func(tx *db.Tx) error {
				_ = sell(tx, "panicked")
				panic("no")
			})
		})
		c.queued(6)
		c.add("last")
		c.done()
		wantShops(t, d, "first", "good", "last")
		if len(hooks) != 1 || <-hooks != "good" {
			t.Error("want the hook of the good one alone")
		}
		if runs != 1 {
			t.Errorf("the good one was run %d times: somebody else took its work along", runs)
		}
	})
}

// A first writer that fails takes nobody with it.
func TestAFirstWriterInLineFailsAlone(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		c := &crowd{t: t, db: d}
		for i := range 30 {
			if i%2 == 0 {
				c.wait.Go(func() {
					err := d.WriteInLine(t.Context(), "one", func(tx *db.Tx) error { return errors.Join(sell(tx, "no"), errNo) })
					if !errors.Is(err, errNo) {
						t.Errorf("Write = %v", err)
					}
				})
				continue
			}
			c.wait.Go(func() {
				err := d.WriteInLine(t.Context(), "one", func(tx *db.Tx) error { return sell(tx, fmt.Sprintf("%02d", i)) })
				if err != nil {
					t.Error(err)
				}
			})
		}
		c.wait.Wait()
		if got := shops(t, d); len(got) != 15 {
			t.Errorf("shops are %q, want 15", got)
		}
	})
}

// A commit that fails for what one of them did fails for that one alone.
func TestWritersInLineAreToldTheirOwnFailedCommit(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		c := newCrowd(t, d)
		for _, id := range []string{"a", "b", "c", "d", "e", "f", "g"} {
			c.add(id)
			c.write(t.Context(), func(tx *db.Tx) error {
				_, err := tx.Exec(`insert into visit (shop_id) values ('nowhere')`)
				return err // the reference is looked at when committing
			}, db.IsForeignKey)
		}
		c.done()
		wantShops(t, d, "a", "b", "c", "d", "e", "f", "first", "g")
	})
}

// When one of them loses the connection, or the database throws the whole
// transaction away, the others do theirs again.
func TestWritersInLineOutliveALostTransaction(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		c := newCrowd(t, d)
		c.add("a")
		c.write(t.Context(), func(tx *db.Tx) error {
			if err := sell(tx, "lost"); err != nil {
				return err
			}
			if d.Dialect() == db.SQLite {
				_, err := tx.Exec(`insert or rollback into shop (id, name, open) values ('a', 'a', true)`)
				return err
			}
			_, err := tx.Exec(`select pg_terminate_backend(pg_backend_pid())`)
			return err
		}, func(err error) bool { return err != nil })
		c.add("b")
		c.done()
		wantShops(t, d, "a", "b", "first")
	})
}

// Whoever is tired of waiting leaves the line, and the turn goes past them.
func TestWritersLeaveTheLine(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		c := newCrowd(t, d)
		ctx, cancel := context.WithCancel(t.Context())
		c.write(ctx, func(*db.Tx) error { t.Error("it ran although its caller had gone"); return nil }, is(context.Canceled))
		c.add("a")
		cancel()
		for d.WaitingInLine("one") > 1 {
			time.Sleep(time.Millisecond)
		}
		c.done()
		wantShops(t, d, "a", "first")
	})
}

// A transaction that its function has leaked is over, even while others work
// in the same transaction of the database.
func TestALeakedTransactionIsOver(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		c := newCrowd(t, d)
		var leaked *db.Tx
		c.write(t.Context(), func(tx *db.Tx) error { leaked = tx; return sell(tx, "a") }, nil)
		c.write(t.Context(), func(tx *db.Tx) error {
			if err := sell(leaked, "leaked"); err == nil {
				t.Error("a transaction that was over took a statement")
			}
			return sell(tx, "b")
		}, nil)
		c.done()
		wantShops(t, d, "a", "b", "first")
	})
}

// Many writers at once, some of whom fail or give up, store exactly what was
// acknowledged.
func TestConcurrentWritersInLineStoreWhatTheySay(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		var mu sync.Mutex
		stored := map[string]bool{}
		var all sync.WaitGroup
		for writer := range 12 {
			all.Go(func() {
				for n := range 25 {
					id := fmt.Sprintf("%d-%d", writer, n)
					ctx, cancel := context.WithCancel(t.Context())
					if n%5 == 1 {
						ctx, cancel = context.WithTimeout(t.Context(), time.Duration(writer)*200*time.Microsecond)
					}
					err := d.WriteInLine(ctx, "one", func(tx *db.Tx) error {
						if err := sell(tx, id); err != nil || n%7 != 3 {
							return err
						}
						return errNo
					})
					cancel()
					mu.Lock()
					stored[id] = err == nil
					mu.Unlock()
				}
			})
		}
		all.Wait()
		there := map[string]bool{}
		for _, id := range shops(t, d) {
			there[id] = true
		}
		for id, want := range stored {
			if there[id] != want {
				t.Errorf("%s: stored %t, its writer was told %t", id, there[id], want)
			}
		}
	})
}

// longStatement takes about a tenth of a second.
func longStatement(tx *db.Tx) error {
	var n int64
	return tx.QueryRow(`
		with recursive n (i) as (select 1 union all select i + 1 from n where i < 200000)
		select count(*) from n`).Scan(&n)
}
