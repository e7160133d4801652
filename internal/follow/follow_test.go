package follow_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
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

const bound = 2 * time.Second

// A recorder stands in for the memory: it keeps the head of every chain.
type recorder struct {
	follower *follow.Follower

	mu    sync.Mutex
	heads map[bank.OrganizationID]activity.Head
	loads int
	asOf  time.Time
}

func (r *recorder) Load(ctx context.Context, progress func(done, total int)) error {
	return r.follower.Read(ctx, func(tx *db.Tx) error {
		heads, err := activity.MovedSince(tx, 0)
		if err != nil {
			return err
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.heads = map[bank.OrganizationID]activity.Head{}
		r.loads++
		for i, h := range heads {
			r.heads[h.Organization] = h
			progress(i+1, len(heads))
		}
		return nil
	})
}

func (r *recorder) Refresh(_ *db.Tx, moved []activity.Head) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range moved {
		r.heads[h.Organization] = h
	}
	return nil
}

func (r *recorder) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heads = nil
}

func (r *recorder) Confirm(asOf time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asOf = asOf
}

func (r *recorder) Size() (organizations, bytes int64) { return 1, 1 }

func (r *recorder) sequence(o bank.OrganizationID) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.heads[o].Sequence
}

func (r *recorder) fresh() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Since(r.asOf) <= bound
}

// begin follows a database until the test ends.
func begin(t *testing.T, url string) (*follow.Follower, *recorder) {
	t.Helper()
	d, err := db.Open(context.Background(), db.Config{URL: url, Clock: bank.SystemClock{}, Connections: 1, Limit: follow.Limit})
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{}
	f := follow.New(follow.Config{DB: d, Memory: r, Log: slog.New(slog.DiscardHandler), Bound: bound, Name: "one", Version: "test"})
	r.follower = f
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		f.Run(ctx)
		close(ended)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	until(t, "it follows", 10*time.Second, func() bool { return f.State() == follow.Following })
	return f, r
}

func until(t *testing.T, what string, within time.Duration, is func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}

func start(t *testing.T, d *db.DB, organizations ...bank.OrganizationID) {
	t.Helper()
	change(t, d, func(tx *db.Tx) error {
		for _, o := range organizations {
			if err := activity.Start(tx, "first", o); err != nil {
				return err
			}
		}
		return nil
	})
}

func change(t *testing.T, d *db.DB, f func(*db.Tx) error) {
	t.Helper()
	if err := d.Write(context.Background(), f); err != nil {
		t.Fatal(err)
	}
}

// move records something in a chain.
func move(tx *db.Tx, o bank.OrganizationID) error {
	s, err := activity.Lock(tx, "first", o)
	if err != nil {
		return err
	}
	return s.Append("sav_1", activity.Event{Name: "orguser.permission_changed"})
}

func heads(t *testing.T, d *db.DB) map[bank.OrganizationID]activity.Head {
	t.Helper()
	all := map[bank.OrganizationID]activity.Head{}
	err := d.Read(context.Background(), func(tx *db.Tx) error {
		heads, err := activity.MovedSince(tx, 0)
		for _, h := range heads {
			all[h.Organization] = h
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func world(t *testing.T) (url string, d *db.DB) {
	t.Helper()
	url = dbtest.PostgreSQLURL(t, nil)
	d = dbtest.Open(t, url, dbtest.Options{})
	start(t, d, "", "acme", "birch")
	return url, d
}

func TestItFollowsWhatMoves(t *testing.T) {
	url, d := world(t)
	f, r := begin(t, url)
	for i := range int64(5) {
		change(t, d, func(tx *db.Tx) error { return move(tx, "acme") })
		if err := f.Await(t.Context()); err != nil || r.sequence("acme") != i+1 {
			t.Fatalf("after waiting it knows %d of %d events: %v", r.sequence("acme"), i+1, err)
		}
	}
	start(t, d, "cedar")
	change(t, d, func(tx *db.Tx) error { return move(tx, "cedar") })
	until(t, "a new organization is known without anybody asking", time.Second, func() bool { return r.sequence("cedar") == 1 })
	if r.loads != 1 {
		t.Errorf("%d loads", r.loads)
	}
	copies := map[string]follow.Copy{}
	err := d.Read(t.Context(), func(tx *db.Tx) error {
		all, err := follow.Copies(tx)
		for _, c := range all {
			copies[c.Name] = c
		}
		return err
	})
	if c := copies["one"]; err != nil || c.Version != "test" || time.Since(c.Seen) > bound || c.Lag > bound {
		t.Errorf("the copies are %+v, %v", copies, err)
	}
}

// A transaction that began early and commits late delays nobody and is not missed.
func TestTransactionsMayCommitInAnyOrder(t *testing.T) {
	url, d := world(t)
	f, r := begin(t, url)
	begun, goOn, ended := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		ended <- d.Write(context.Background(), func(tx *db.Tx) error {
			err := move(tx, "acme")
			close(begun)
			<-goOn
			return err
		})
	}()
	<-begun
	for i := range int64(5) {
		change(t, d, func(tx *db.Tx) error { return move(tx, "birch") })
		if err := f.Await(t.Context()); err != nil || r.sequence("birch") != i+1 || r.sequence("acme") != 0 {
			t.Errorf("it knows %d and %d: %v", r.sequence("birch"), r.sequence("acme"), err)
		}
	}
	close(goOn)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err := f.Await(t.Context()); err != nil || r.sequence("acme") != 1 {
		t.Errorf("what committed late is not known: %d, %v", r.sequence("acme"), err)
	}
}

// What moved without saying so is found all the same; another epoch, and a
// history that went back, make everything be read anew.
func TestWhatIsOddIsReadAnew(t *testing.T) {
	url, d := world(t)
	f, r := begin(t, url)
	change(t, d, func(tx *db.Tx) error { return move(tx, "acme") })
	change(t, d, func(tx *db.Tx) error {
		_, err := tx.Exec(`update stream set moved = 0 where organization_id = 'birch'`)
		return err
	})
	if err := f.Await(t.Context()); err != nil {
		t.Fatal(err)
	}
	change(t, d, func(tx *db.Tx) error { // as a version before 0231 would write
		if err := move(tx, "birch"); err != nil {
			return err
		}
		_, err := tx.Exec(`update stream set moved = 0 where organization_id = 'birch'`)
		return err
	})
	until(t, "a move that was not told is known", bound, func() bool { return r.sequence("birch") == 1 })

	change(t, d, func(tx *db.Tx) error {
		_, err := tx.Exec(`update epoch set number = number + 1`)
		return err
	})
	if err := f.Await(t.Context()); err != nil || r.loads != 2 {
		t.Errorf("in another epoch: %d loads, %v", r.loads, err)
	}
	change(t, d, func(tx *db.Tx) error { // as a failover would that loses what was confirmed
		_, err := tx.Exec(`update stream set sequence = 0, head = $1, moved = pg_current_xact_id()::text::bigint where organization_id = 'acme'`, []byte{})
		return err
	})
	if err := f.Await(t.Context()); !errors.Is(err, activity.ErrGap) {
		t.Errorf("a history that went back: %v", err)
	}
	if err := f.Await(t.Context()); err != nil || r.loads != 3 || r.sequence("acme") != 0 {
		t.Errorf("after it went back: %d loads, %v", r.loads, err)
	}
	if got, want := r.heads, heads(t, d); !maps.EqualFunc(got, want, func(a, b activity.Head) bool {
		return a.Sequence == b.Sequence && bytes.Equal(a.Hash, b.Hash)
	}) {
		t.Errorf("it knows %v, want %v", got, want)
	}
}
