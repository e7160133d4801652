package hostsync_test

import (
	"context"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/usermgmt"
)

// A host that never answers keeps no other institution's people waiting.
func TestASilentHostDelaysNobodyElse(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	const silent = "aaa" // read before the other one
	w.write(func(tx *db.Tx) error {
		return usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: silent, Name: "Quiet Bank", TimeZone: "America/New_York"})
	})
	ctx, end := context.WithCancel(t.Context())
	defer end()
	asked := make(chan struct{})
	w.host.waits = func(ctx context.Context, institution bank.InstitutionID) {
		if institution == silent {
			<-ctx.Done()
		} else {
			close(asked)
		}
	}
	done := make(chan error, 1)
	go func() { done <- w.sync.Run(ctx) }()
	select {
	case <-asked:
	case err := <-done:
		t.Fatal("the other institution was not asked: ", err)
	case <-time.After(10 * time.Second): // less than the silent host is waited for
		t.Fatal("the other institution waits for the silent one")
	}
	end()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
