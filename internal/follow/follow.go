// Package follow keeps what a process holds in memory as the database has it,
// on PostgreSQL, where other processes change it. It finds out which chains of
// the history moved, has them read again in one moment of the database, and says
// from when on nothing can have been missed.
//
// It decides nothing and keeps no policy. It writes one row, its own, and nothing
// else: the row is how a process knows that it talks to the server whose commits
// count. Who cannot write it, answers nothing.
package follow

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
)

// Named limits. Together they let one lost answer of the database, and the way
// to its other server, pass within the bound of what is answered.
const (
	pollEvery  = 50 * time.Millisecond
	beatEvery  = 250 * time.Millisecond
	auditEvery = time.Second
	silence    = time.Second            // after which a server that says nothing is left
	longWait   = 500 * time.Millisecond // between tries, at most
	perChain   = 20 * time.Millisecond  // more patience for each chain that is read again
	lookTime   = 100 * time.Millisecond // for who asks in a look; the others are asked in the next
	leaveTime  = time.Second
)

// A Memory is what follows the database.
type Memory interface {
	// Load reads everything anew. It calls progress now and then.
	Load(ctx context.Context, progress func(done, total int)) error

	// Refresh brings what moved up to date, as the transaction sees it. Whoever
	// asks sees all of it or nothing; after an error, nothing.
	Refresh(tx *db.Tx, moved []activity.Head) error

	// Forget drops everything, so that nobody is answered from it.
	Forget()

	// Confirm says that nothing which was confirmed to anybody before a moment
	// is missing. The moment has a monotonic reading.
	Confirm(asOf time.Time)

	// Size is how many organizations there are, and how many bytes they take.
	Size() (organizations, bytes int64)
}

// A State says how a copy does.
type State string

const (
	Loading   State = "loading"
	Following State = "following"
	Behind    State = "behind" // it does not know what was confirmed within the bound, and refuses
	Stopped   State = "stopped at a gap"
)

// Config is what a follower is made of.
type Config struct {
	DB     *db.DB // PostgreSQL, for the follower alone; one connection is enough
	Memory Memory // reads through the follower (Read), whose server is known to be the one that counts
	Log    *slog.Logger
	Bound  time.Duration // how old an answer may be

	Name, Version string // of the process, for operators
}

// Limit is how long writing may take on the database of a follower (db.Config).
const Limit = silence

// A Follower follows. Run is its life.
type Follower struct {
	Config
	made time.Time

	// Only Run touches these.
	self  Copy
	read  chains
	beat  heartbeat
	atGap bool // in this look

	asking asking

	seen    atomic.Pointer[time.Time] // what was last confirmed to the memory; nil: nothing was
	stopped atomic.Bool
	loaded  atomic.Bool
	chains  atomic.Int64

	looks, failures, gaps, missed, loads atomic.Int64
}

// chains is what is known of the database.
type chains struct {
	server  string // where the horizon is from
	horizon int64
	epoch   int64
	heads   map[chain]activity.Head
	audited time.Time
}

type chain struct {
	institution  bank.InstitutionID
	organization bank.OrganizationID
}

func of(h activity.Head) chain { return chain{h.Institution, h.Organization} }

// A heartbeat is the last row that the database confirmed.
type heartbeat struct {
	sent   time.Time // before it was sent, with a monotonic reading
	server string
}

// New returns a follower that has not begun.
func New(c Config) *Follower {
	return &Follower{
		Config: c,
		made:   time.Now(),
		self:   Copy{ID: "copy_" + strings.ToLower(rand.Text()), Name: c.Name, Version: c.Version, State: Loading},
		asking: asking{wake: make(chan struct{}, 1)},
	}
}

// Run follows until ctx ends. Whatever fails is tried again.
func (f *Follower) Run(ctx context.Context) {
	defer f.leave(ctx)
	failed := 0
	for ctx.Err() == nil {
		err := f.look(ctx)
		if ctx.Err() != nil {
			return
		}
		f.note(err, failed)
		if err == nil {
			failed = 0
			f.pause(ctx, pollEvery)
			continue
		}
		failed++
		f.DB.NextServer()
		f.beat = heartbeat{} // it is not known who confirmed it
		f.pauseAfter(ctx, failed)
	}
}

// look is one look at the database, after a heartbeat where one is due. Who asked
// before it began is told how it ended.
func (f *Follower) look(ctx context.Context) (err error) {
	asked := f.asking.take()
	answered := 0
	defer func() {
		if err != nil {
			answered = len(asked)
		}
		f.asking.end(asked[:answered], err)
		f.asking.giveBack(asked[answered:])
	}()
	if time.Since(f.beat.sent) >= beatEvery {
		if err := f.sendBeat(ctx); err != nil {
			return err
		}
	}
	answered, err = f.poll(ctx, asked)
	return err
}

// sendBeat has the database confirm that it is the one whose commits count.
func (f *Follower) sendBeat(ctx context.Context) error {
	f.self.State, f.self.Lag = f.State(), f.Lag()
	f.self.Organizations, f.self.Bytes = f.Memory.Size()
	sent, server := time.Now(), ""
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	err := f.DB.Write(ctx, func(tx *db.Tx) (err error) {
		server, err = f.self.beat(tx)
		return err
	})
	if err != nil {
		return fmt.Errorf("the database does not confirm the copy's row: %w", err)
	}
	f.beat = heartbeat{sent, server}
	return nil
}

// errStandby says that a server only repeats what another one writes.
var errStandby = errors.New("the server is a standby: name the primary, or all servers of the cluster")

// errOther says that a look would be at another server, or over another
// connection, than the heartbeat before it.
var errOther = errors.New("the connection to the database was lost between a heartbeat and a look")

// poll reads what moved, all in one moment of the database, and then answers as
// many of those who asked as there is time for.
func (f *Follower) poll(ctx context.Context, asked []*question) (answered int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	patience := time.AfterFunc(silence, cancel)
	defer patience.Stop()
	var next chains
	f.atGap = false
	err = f.DB.Read(ctx, func(tx *db.Tx) (err error) {
		patient := func(chains int) { patience.Reset(silence + time.Duration(chains)*perChain) }
		if next, err = f.advance(ctx, tx, patient); err != nil {
			return err
		}
		began := time.Now()
		for answered = 0; answered < len(asked) && time.Since(began) < lookTime; answered++ {
			patient(1)
			asked[answered].answer(tx)
		}
		return nil
	})
	f.stopped.Store(f.atGap && err != nil)
	if err != nil {
		return 0, err
	}
	f.read = next
	f.chains.Store(int64(len(next.heads)))
	f.looks.Add(1)
	f.loaded.Store(true)
	// What was confirmed to anybody before the heartbeat was sent, this look knows:
	// it began after the same server had confirmed the heartbeat.
	asOf := f.beat.sent
	f.Memory.Confirm(asOf)
	f.seen.Store(&asOf)
	return answered, nil
}

// pause waits for the next look, or less where somebody needs one.
func (f *Follower) pause(ctx context.Context, most time.Duration) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-f.asking.wake:
	case <-timer.C:
	}
}

// pauseAfter waits longer the more often it failed, and never as long as others
// that failed at the same time.
func (f *Follower) pauseAfter(ctx context.Context, failed int) {
	most := min(longWait, 20*time.Millisecond<<min(failed, 10))
	timer := time.NewTimer(most/2 + mathrand.N(most/2))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// note says once what goes wrong, and once that it goes well again.
func (f *Follower) note(err error, failed int) {
	switch {
	case err == nil && failed > 0:
		f.Log.Info("the copy follows again", "failed", failed)
	case err != nil:
		f.failures.Add(1)
		if failed == 0 {
			f.Log.Warn("the copy does not follow; beyond the bound it refuses", "bound", f.Bound, "error", err)
		}
	}
}

// leave takes the copy off the list. What is not confirmed any more is not.
func (f *Follower) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
	defer cancel()
	if err := f.DB.Write(ctx, f.self.leave); err != nil {
		f.Log.Warn("the copy stays on the list for a day", "error", err)
	}
}
