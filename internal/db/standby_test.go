package db_test

import (
	"errors"
	"testing"
	"time"

	"mandate/internal/db"
	"mandate/internal/db/dbtest"
)

// A commit that is told to wait for the standby no longer is on one server only.
// PostgreSQL calls that a success with a warning; nobody may be told that it is
// stored.
func TestACommitWithoutItsStandbyIsNotConfirmed(t *testing.T) {
	primary := dbtest.NewNode(t)
	primary.Administer("create table kept (times bigint not null)")
	d := dbtest.Open(t, primary.URL("postgres"), dbtest.Options{})
	standby := primary.Standby()
	keep := func(tx *db.Tx) error {
		_, err := tx.Exec(`insert into kept (times) values (1)`)
		return err
	}
	if err := d.Write(t.Context(), keep); err != nil {
		t.Fatal(err)
	}
	for what, write := range map[string]func() error{
		"alone":    func() error { return d.Write(t.Context(), keep) },
		"together": func() error { return d.WriteInLine(t.Context(), "line", keep) },
	} {
		standby.Pause()
		told := make(chan error, 1)
		go func() { told <- write() }()
		cancel := time.NewTicker(50 * time.Millisecond)
		var err error
		for waiting := true; waiting; {
			select {
			case err = <-told:
				waiting = false
			case <-cancel.C:
				primary.Administer("select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'")
			}
		}
		cancel.Stop()
		if !errors.Is(err, db.ErrCommitUnknown) {
			t.Errorf("%s: told %v, want that it is not known", what, err)
		}
		standby.Resume()
	}
	if err := d.Write(t.Context(), keep); err != nil {
		t.Errorf("after the standby is back: %v", err)
	}
}
