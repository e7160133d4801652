// Package moneytest is what the tests of the rooms that move money share: the
// world of one organization, and killing a process between any two steps. It is
// for tests only.
package moneytest

import (
	"context"
	"os"
	"testing"
	"time"

	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/host"
	"mandate/internal/host/hostsim/hostsimtest"
)

// shift is how far from now the clocks of killed processes go.
const shift = "MANDATE_TEST_SHIFT"

// A Clock goes, some time away from the machine's, in every process alike: a
// lease of a process that was killed ends with time.
type Clock time.Duration

// Now is where the clock stands.
func (c Clock) Now() time.Time { return time.Now().Add(time.Duration(c)) }

// Later is the same clock, a while ahead.
func (c Clock) Later(by time.Duration) Clock { return c + Clock(by) }

// Open opens a database as a process of its own would, by this clock, and the
// host's beside it.
func (c Clock) Open(url string) (*db.DB, error) {
	d, err := db.Open(context.Background(), db.Config{URL: url, Clock: c})
	if err != nil {
		return nil, err
	}
	return d, hostsimtest.Beside(d, url, c)
}

// ToBeKilled runs the tests of a package, unless this is the process that Kill
// starts: then it works for ever, on several things at once, and says what was
// acknowledged.
func ToBeKilled(m *testing.M, work func(url string, clock Clock, say func(string)) ([]func() error, error)) {
	dbtest.ToBeKilled(func(url string, say func(string)) error {
		by, err := time.ParseDuration(os.Getenv(shift))
		if err != nil {
			return err
		}
		all, err := work(url, Clock(by), say)
		if err != nil {
			return err
		}
		failed := make(chan error)
		for _, step := range all {
			go func() {
				for {
					if err := step(); err != nil {
						failed <- err
						return
					}
				}
			}()
		}
		return <-failed
	})
	os.Exit(m.Run())
}

// A Killed is a test in which a process is killed again and again, with SIGKILL
// at any moment within a while after it has said something.
type Killed struct {
	Start  time.Time                                              // where its clocks begin
	Within time.Duration                                          // after it has said something
	Seed   func(t *testing.T, d *db.DB) (acknowledged []string)   // makes the world, at dbtest.Start
	Settle func(t *testing.T, url string, c Clock, said []string) // starts anew, and compares
}

// settleEvery is after how many rounds it is settled, and in the end.
const settleEvery = 50

// Run kills on both databases.
func (k Killed) Run(t *testing.T) {
	for name, makeURL := range map[string]func(t *testing.T) string{
		"SQLite":     func(t *testing.T) string { return dbtest.SQLiteURL(t, nil) },
		"PostgreSQL": func(t *testing.T) string { return dbtest.PostgreSQLURL(t, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			url := makeURL(t)
			d := dbtest.Open(t, url, dbtest.Options{})
			if err := hostsimtest.Beside(d, url, dbtest.ClockOf(t, d)); err != nil {
				t.Fatal(err)
			}
			said := k.Seed(t, d)
			if err := hostsimtest.Close(d); err != nil {
				t.Fatal(err)
			}
			by := time.Until(k.Start)
			t.Setenv(shift, by.String())
			rounds := dbtest.Rounds(5, 500)
			for round := range rounds {
				said = append(said, dbtest.RunAndKill(t, url, k.Within)...)
				if round%settleEvery == settleEvery-1 || round == rounds-1 {
					k.Settle(t, url, Clock(by), said)
				}
			}
			t.Logf("%d times killed; %d steps were acknowledged", rounds, len(said))
		})
	}
}

// patience is how long the host may take with what was left for it.
const patience = 20 * time.Second

// CarryAll carries what waits for the host, until nothing does.
func CarryAll(t testing.TB, d *db.DB, desk *host.Desk, waiting func(tx *db.Tx) (int64, error)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		desk.Run(ctx)
		close(ended)
	}()
	defer func() {
		cancel()
		<-ended
	}()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		var n int64
		err := d.Read(ctx, func(tx *db.Tx) (err error) {
			n, err = waiting(tx)
			return err
		})
		if err == nil && n == 0 {
			return
		}
		if err != nil || time.Now().After(deadline) {
			t.Errorf("%d still wait for the host: %v", n, err)
			return
		}
	}
}
