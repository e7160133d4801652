package follow_test

import (
	"bytes"
	"context"
	"maps"
	"sync"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/follow"
)

// A journal knows what was confirmed to the writer, and when.
type journal struct {
	mu        sync.Mutex
	confirmed []confirmed
}

type confirmed struct {
	at       time.Time
	sequence int64
}

func (j *journal) note(sequence int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.confirmed = append(j.confirmed, confirmed{time.Now(), sequence})
}

// upTo is what had been confirmed at a moment.
func (j *journal) upTo(at time.Time) (sequence int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range j.confirmed {
		if !c.at.After(at) {
			sequence = max(sequence, c.sequence)
		}
	}
	return sequence
}

// write moves a chain again and again until the test ends, over whatever server
// takes changes.
func write(t *testing.T, url string, o bank.OrganizationID) *journal {
	t.Helper()
	d, err := db.Open(context.Background(), db.Config{URL: url, Clock: bank.SystemClock{}, Connections: 1, Limit: follow.Limit})
	if err != nil {
		t.Fatal(err)
	}
	j := &journal{}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			var sequence int64
			err := d.Write(ctx, func(tx *db.Tx) error {
				if err := move(tx, o); err != nil {
					return err
				}
				return tx.QueryRow(`select sequence from stream where organization_id = $1`, o).Scan(&sequence)
			})
			if err == nil {
				j.note(sequence)
				time.Sleep(time.Millisecond)
				continue
			}
			d.NextServer()
			time.Sleep(20 * time.Millisecond)
		}
	}()
	t.Cleanup(func() {
		stop()
		<-ended
		_ = d.Close() // its server may be gone
	})
	return j
}

// watch holds what the copy knows against the journal until the test ends:
// whatever was confirmed before the moment that the copy says it knows of, it knows.
func watch(t *testing.T, j *journal, r *recorder, o bank.OrganizationID) {
	t.Helper()
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			r.mu.Lock()
			asOf, knows := r.asOf, r.heads[o].Sequence
			r.mu.Unlock()
			if want := j.upTo(asOf); knows < want {
				t.Errorf("the copy says that it misses nothing up to %v, and knows %d of %d events", asOf, knows, want)
				return
			}
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-ended
	})
}

func TestAServerThatSaysNothing(t *testing.T) {
	n := dbtest.NewNode(t)
	name := n.Database()
	direct := dbtest.Open(t, n.URL(name), dbtest.Options{})
	start(t, direct, "", "acme")
	link := dbtest.NewLink(t, "unix", n.Socket())
	j := write(t, n.URL(name), "acme")
	f, r := begin(t, dbtest.URL(name, link))
	watch(t, j, r, "acme")
	faults := []struct {
		name       string
		fail, mend func()
	}{
		{"a network that drops everything", link.Drop, link.Heal},
		{"a server that is paused", n.Pause, n.Resume},
		{"a network that cuts", func() { link.Drop(); link.Cut() }, link.Heal},
	}
	for _, c := range faults[:dbtest.Rounds(1, len(faults))] {
		name := c.name
		c.fail()
		until(t, name+": the copy is behind", bound+time.Second, func() bool { return f.State() == follow.Behind && !r.fresh() })
		c.mend()
		began := time.Now()
		until(t, name+": the copy follows again", 3*time.Second, func() bool { return f.State() == follow.Following && r.fresh() })
		t.Logf("%s: follows again after %v", name, time.Since(began).Round(time.Millisecond))
	}
}

// failover is a primary with a synchronous standby, a writer and a copy.
func failover(t *testing.T) (primary, standby *dbtest.Node, name, url string) {
	t.Helper()
	primary = dbtest.NewNode(t)
	name = primary.Database()
	d := dbtest.Open(t, primary.URL(name), dbtest.Options{})
	start(t, d, "", "acme")
	standby = primary.Standby()
	return primary, standby, name, dbtest.URL(name, dbtest.NewLink(t, "unix", primary.Socket()), dbtest.NewLink(t, "unix", standby.Socket()))
}

func TestThePrimaryIsKilled(t *testing.T) {
	primary, standby, name, url := failover(t)
	j := write(t, url, "acme")
	f, r := begin(t, url)
	watch(t, j, r, "acme")
	time.Sleep(300 * time.Millisecond)
	primary.Kill()
	killed := time.Now()
	acknowledged := j.upTo(killed)
	standby.Promote()
	until(t, "somebody is told again that something is stored", 10*time.Second, func() bool { return j.upTo(time.Now()) > acknowledged+10 })
	until(t, "the copy follows again", 10*time.Second, func() bool { return f.State() == follow.Following && r.sequence("acme") > acknowledged })
	t.Logf("%d confirmed before, %d after; following again after %v", acknowledged, j.upTo(time.Now())-acknowledged, time.Since(killed).Round(time.Millisecond))
	sameAs(t, f, r, standby.URL(name), acknowledged)
}

// The old primary lives on, and takes changes as long as nobody fences it; but
// no one is told that they are stored, and no copy believes it.
func TestAnOldPrimaryConfirmsNothing(t *testing.T) {
	lives := []string{"it lives on", "it is paused, and lives on"}
	for i, what := range lives[:dbtest.Rounds(1, len(lives))] {
		silent := i == 1
		t.Run(what, func(t *testing.T) {
			primary, standby, name, url := failover(t)
			j := &journal{}
			f, r := begin(t, url)
			watch(t, j, r, "acme")
			if silent {
				primary.Pause()
			}
			standby.Promote()
			d := dbtest.Open(t, standby.URL(name), dbtest.Options{})
			for i := range int64(20) {
				change(t, d, func(tx *db.Tx) error { return move(tx, "acme") })
				j.note(i + 1)
			}
			if silent {
				primary.Resume()
			}
			until(t, "the copy follows the new primary", 10*time.Second, func() bool { return r.sequence("acme") == 20 && r.fresh() })
			time.Sleep(500 * time.Millisecond)
			sameAs(t, f, r, standby.URL(name), 20)
		})
	}
}

// sameAs holds what the copy knows against the database itself, which must have
// everything that was ever confirmed.
func sameAs(t *testing.T, f *follow.Follower, r *recorder, url string, acknowledged int64) {
	t.Helper()
	d := dbtest.Open(t, url, dbtest.Options{})
	until(t, "the copy knows what the database has", 5*time.Second, func() bool {
		if err := f.Await(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := heads(t, d)
		if want["acme"].Sequence < acknowledged {
			t.Fatalf("%d were acknowledged, and %d are stored", acknowledged, want["acme"].Sequence)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		return maps.EqualFunc(r.heads, want, func(a, b activity.Head) bool { return bytes.Equal(a.Hash, b.Hash) })
	})
}
