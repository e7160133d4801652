package app_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db/dbtest"
	"mandate/internal/pdp/memory"
)

const wiresTransmit = catalog.WiresTransmit

// postgres is a server with a migrated database, and a way to it that can fail
// for each of some copies.
func postgres(t *testing.T, copies int) (n *dbtest.Node, url string, links []*dbtest.Link, urls []string) {
	t.Helper()
	n = dbtest.NewNode(t)
	name := n.Database()
	for range copies {
		l := dbtest.NewLink(t, "unix", n.Socket())
		links, urls = append(links, l), append(urls, dbtest.URL(name, l))
	}
	return n, n.URL(name), links, urls
}

// Somebody's right is taken, whoever took it hands the revision on, and asks
// every copy: none says yes.
func TestARevokedRightIsNoYesAnywhere(t *testing.T) {
	_, url, _, urls := postgres(t, 3)
	c := openCluster(t, url, urls...)
	rounds := dbtest.Rounds(100, 10_000)
	var yes, refused, unsure, silent, granted atomic.Int64
	all := func(token string, count func(reply)) {
		var asked sync.WaitGroup
		for _, p := range c.copies {
			asked.Go(func() { count(c.may(p, token)) })
		}
		asked.Wait()
	}
	for range rounds {
		all(c.revoke(), func(r reply) {
			switch {
			case r.allowed:
				yes.Add(1)
			case r.decided:
				refused.Add(1)
			case r.unsure:
				unsure.Add(1)
			default:
				silent.Add(1)
			}
		})
		all(c.grant(), func(r reply) {
			if r.allowed {
				granted.Add(1)
			}
		})
	}
	t.Logf("%d rounds, %d copies: after revoking %d yes, %d no, %d not there yet, %d did not answer; after granting %d yes",
		rounds, len(c.copies), yes.Load(), refused.Load(), unsure.Load(), silent.Load(), granted.Load())
	if yes.Load() > 0 {
		t.Errorf("%d times a right was used that had been taken", yes.Load())
	}
	least := int64(rounds*len(c.copies)) * 9 / 10
	if refused.Load() < least || granted.Load() < least {
		t.Errorf("%d and %d of %d questions were answered at once; at least %d should be", refused.Load(), granted.Load(), rounds*len(c.copies), least)
	}
}

// An asker asks a copy again and again whether Dana may, and keeps when each
// question that was answered with yes was asked.
type asker struct {
	mu   sync.Mutex
	yes  []time.Time
	all  atomic.Int64
	stop chan struct{}
	done sync.WaitGroup
}

func (c *cluster) keepAsking(copies ...*copyProcess) *asker {
	a := &asker{stop: make(chan struct{})}
	for _, p := range copies {
		a.done.Go(func() {
			for {
				select {
				case <-a.stop:
					return
				case <-time.After(time.Millisecond):
				}
				asked := time.Now()
				r := c.may(p, "")
				a.all.Add(1)
				if r.allowed {
					a.mu.Lock()
					a.yes = append(a.yes, asked)
					a.mu.Unlock()
				}
			}
		})
	}
	c.Cleanup(a.end)
	return a
}

func (a *asker) end() {
	select {
	case <-a.stop:
	default:
		close(a.stop)
	}
	a.done.Wait()
}

// last is when the last question was asked that was answered with yes.
func (a *asker) last() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.yes) == 0 {
		return time.Time{}
	}
	return slices.MaxFunc(a.yes, time.Time.Compare)
}

func (a *asker) since(at time.Time) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, asked := range a.yes {
		if asked.After(at) {
			n++
		}
	}
	return n
}

// Without a revision, a right that was taken is gone everywhere within the bound,
// and usually much sooner.
func TestARevokedRightIsGoneEverywhereSoon(t *testing.T) {
	_, url, _, urls := postgres(t, 3)
	c := openCluster(t, url, urls...)
	var took []time.Duration
	for range dbtest.Rounds(10, 300) {
		c.grant()
		waitFor(t, "all copies say yes", func() bool {
			return !slices.ContainsFunc(c.copies, func(p *copyProcess) bool { return !c.may(p, "").allowed })
		})
		a := c.keepAsking(c.copies...)
		c.revoke()
		revoked := time.Now()
		waitFor(t, "no copy says yes", func() bool {
			return !slices.ContainsFunc(c.copies, func(p *copyProcess) bool { return c.may(p, "").allowed })
		})
		a.end()
		took = append(took, max(0, a.last().Sub(revoked)))
	}
	slices.Sort(took)
	t.Logf("%d rounds: a right that was taken is gone from every copy after %v in the middle, %v in 99 of 100, %v at most",
		len(took), took[len(took)/2].Round(time.Millisecond), took[len(took)*99/100].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond))
	if took[len(took)-1] > memory.Bound {
		t.Errorf("a right lived on for %v, longer than %v", took[len(took)-1], memory.Bound)
	}
}

func waitFor(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// Whatever fails, no question that is asked longer than the bound after a right
// was taken is answered with yes, and all is well again when it is mended.
func TestNothingThatFailsKeepsARightAlive(t *testing.T) {
	n, url, links, urls := postgres(t, 2)
	c := openCluster(t, url, urls...)
	one, other := c.copies[0], c.copies[1]
	faults := []struct {
		name       string
		fail, mend func()
		database   bool // nobody can take a right while it lasts; it is taken just before
		wait       time.Duration
	}{
		{name: "a copy is killed", fail: one.kill, mend: one.start},
		{name: "a copy is paused", fail: func() { one.signal(syscall.SIGSTOP) }, mend: func() { one.signal(syscall.SIGCONT) }, wait: memory.Bound + 500*time.Millisecond},
		{name: "the database is paused", fail: n.Pause, mend: n.Resume, database: true, wait: memory.Bound + time.Second},
		{name: "a copy is cut off, and not told", fail: links[0].Drop, mend: links[0].Heal, wait: memory.Bound + time.Second},
		{name: "a copy is cut off", fail: func() { links[0].Drop(); links[0].Cut() }, mend: links[0].Heal, wait: memory.Bound + time.Second},
		{name: "a copy is paused for a short while", fail: func() { one.signal(syscall.SIGSTOP) }, mend: func() { one.signal(syscall.SIGCONT) }, wait: 300 * time.Millisecond},
	}
	for _, fault := range faults[:dbtest.Rounds(3, len(faults))] {
		name := fault.name
		t.Run(name, func(t *testing.T) {
			c.grant()
			waitFor(t, "all copies say yes", func() bool { return c.may(one, "").allowed && c.may(other, "").allowed })
			a := c.keepAsking(one, one, other, other)
			if fault.database {
				c.revoke()
			}
			fault.fail()
			if !fault.database {
				c.revoke()
			}
			revoked := time.Now()
			time.Sleep(fault.wait)
			fault.mend()
			waitFor(t, "all copies are ready", func() bool { return one.ready() && other.ready() })
			time.Sleep(100 * time.Millisecond)
			a.end()
			if n := a.since(revoked.Add(memory.Bound)); n > 0 {
				t.Errorf("%d of %d questions were answered with yes more than %v after the right was taken", n, a.all.Load(), memory.Bound)
			}
			if c.may(one, c.token("acme")).decided == false || c.may(one, "").allowed || c.may(other, "").allowed {
				t.Error("afterwards a copy does not know that the right is gone")
			}
			if err := c.sameAnswers(one, other); err != nil {
				t.Errorf("afterwards two copies do not agree: %v", err)
			}
			t.Logf("last yes %v after the right was taken, of %d questions", a.last().Sub(revoked).Round(time.Millisecond), a.all.Load())
		})
	}
}

// The primary fails under load and its standby takes over; the old one may live
// on. Nothing that was acknowledged is lost, and no copy goes by the old one.
func TestTheStandbyTakesOverUnderLoad(t *testing.T) {
	faults := []struct {
		name string
		fail func(*dbtest.Node)
	}{
		{"it lives on", func(*dbtest.Node) {}},
		{"it is killed", (*dbtest.Node).Kill},
		{"it is paused and comes back", (*dbtest.Node).Pause},
	}
	for _, fault := range faults[:dbtest.Rounds(1, len(faults))] {
		name, fail := fault.name, fault.fail
		t.Run(name, func(t *testing.T) {
			primary := dbtest.NewNode(t)
			database := primary.Database()
			c := openCluster(t, primary.URL(database))
			standby := primary.Standby()
			url := dbtest.URL(database, dbtest.NewLink(t, "unix", primary.Socket()), dbtest.NewLink(t, "unix", standby.Socket()))
			c.copies = []*copyProcess{startCopy(t, url), startCopy(t, url)}
			c.grant()
			waitFor(t, "all copies say yes", func() bool { return c.may(c.copies[0], "").allowed && c.may(c.copies[1], "").allowed })
			a := c.keepAsking(c.copies[0], c.copies[0], c.copies[1], c.copies[1])
			time.Sleep(100 * time.Millisecond)
			fail(primary)
			failed := time.Now()
			standby.Promote()
			after := c.on(dbtest.Open(t, standby.URL(database), dbtest.Options{Clock: bank.SystemClock{}}))
			after.revoke()
			revoked := time.Now()
			if name == "it is paused and comes back" {
				time.Sleep(time.Second)
				primary.Resume()
			}
			waitFor(t, "the copies follow the new primary", func() bool {
				token := after.token("acme")
				return after.may(c.copies[0], token).decided && after.may(c.copies[1], token).decided
			})
			following := time.Since(failed)
			time.Sleep(max(0, memory.Bound+500*time.Millisecond-time.Since(revoked)))
			a.end()
			if n := a.since(revoked.Add(memory.Bound)); n > 0 {
				t.Errorf("%d questions were answered with yes more than %v after the new primary had taken the right", n, memory.Bound)
			}
			t.Logf("the copies follow the new primary %v after the old one failed; last yes %v after the right was taken; %d questions",
				following.Round(time.Millisecond), a.last().Sub(revoked).Round(time.Millisecond), a.all.Load())
		})
	}
}

// sameAnswers asks two copies whatever can be asked about wires in the small
// world; both must answer, and the same.
func (c *cluster) sameAnswers(one, other *copyProcess) error {
	for _, member := range []bank.UserID{"ana", "dana", "bea"} {
		for _, account := range []bank.AccountID{"operating", "payroll", "savings"} {
			for _, amount := range []string{"1.00", "10000.01", "25000.00", "25000.01"} {
				if a, b := one.ask(c.key, member, account, amount, ""), other.ask(c.key, member, account, amount, ""); a != b || !a.decided {
					return fmt.Errorf("%s on %s over %s: %+v and %+v", member, account, amount, a, b)
				}
			}
		}
	}
	return nil
}
