package app_test

import (
	"context"
	"database/sql"
	"sync"
	"testing"
	"time"

	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
)

// Explanations on a copy read names beside what follows the database: one whose
// reading stands still keeps nobody from knowing what changes.
func TestACopyFollowsWhileNamesAreRead(t *testing.T) {
	url := dbtest.PostgreSQLURL(t, nil)
	openCluster(t, url)
	one := followHere(t, url)
	explained := func() error {
		a, err := one.Decisions.Decide(t.Context(), "first", question(true))
		if err == nil && a.Names.Member == "" {
			t.Error("the answer has no names")
		}
		return err
	}
	if err := explained(); err != nil {
		t.Fatal(err)
	}
	pool, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	lock, err := pool.BeginTx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Exec("lock table member in access exclusive mode"); err != nil {
		t.Fatal(err)
	}
	var slow sync.WaitGroup
	slow.Go(func() {
		if err := explained(); err != nil && fault.KindOf(err) != fault.Unavailable {
			t.Errorf("names that cannot be read: %v", err)
		}
	})
	time.Sleep(200 * time.Millisecond) // so that it reads
	began := time.Now()
	for asOf, _ := one.Memory.AsOf(); asOf.Before(began); asOf, _ = one.Memory.AsOf() {
		if time.Since(began) > 1500*time.Millisecond {
			t.Error("nothing is followed while a name is read")
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if _, err := one.Decisions.Decide(t.Context(), "first", question(false)); err != nil {
		t.Errorf("a decision meanwhile: %v", err)
	}
	if err := lock.Rollback(); err != nil {
		t.Error(err)
	}
	slow.Wait()
}
