package positivepay_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/host/hostsim/hostsimtest"
	"mandate/internal/moneymovement/layout"
	"mandate/internal/moneymovement/moneytest"
	"mandate/internal/moneymovement/positivepay"
)

func TestMain(m *testing.M) { moneytest.ToBeKilled(m, approveForEver) }

// killable is the world of a process without a test around it.
func killable(d *db.DB) *world {
	return &world{d: d, books: hostsimtest.Of(d), told: &told{}, proofs: &proofs{}}
}

// approveForEver uploads lists of one check, approves some, and deletes others
// while they are approved; it says which checks the host will know, and which
// never.
func approveForEver(url string, clock moneytest.Clock, say func(string)) ([]func() error, error) {
	d, err := clock.Open(url)
	if err != nil {
		return nil, err
	}
	ctx, w := context.Background(), killable(d)
	room := w.process("killed")
	go w.desk.Run(ctx)
	upload := func() (positivepay.FileID, int64, error) {
		id, number := positivepay.NewFileID(clock.Now()), 1+rand.Int64N(999_999_999)
		text := fmt.Sprintf("%d,1.00,2026-03-02", number)
		_, err := room.Upload(ctx, caller("dana"), positivepay.Upload{ID: id, Account: operating, Name: "killed.csv", Format: layout.CSV, File: strings.NewReader(text)})
		return id, number, err
	}
	return []func() error{func() error {
		id, number, err := upload()
		if err == nil {
			err = room.Approve(ctx, caller("lee"), id)
		}
		if err == nil {
			say(fmt.Sprint("goes ", number))
		}
		return err
	}, func() error {
		id, number, err := upload()
		if err != nil {
			return err
		}
		approved := make(chan error)
		go func() { approved <- room.Approve(ctx, caller("lee"), id) }()
		deleted := room.Delete(ctx, caller("dana"), id)
		goes := <-approved
		late := deleted
		if deleted == nil {
			late = goes
		}
		if kind := fault.KindOf(late); (goes == nil) == (deleted == nil) || kind != fault.Conflict && kind != fault.NotFound {
			return fmt.Errorf("both were done, or neither: %w, %w", goes, deleted)
		}
		say(fmt.Sprint(map[bool]string{true: "goes ", false: "stays "}[goes == nil], number))
		return nil
	}, func() error {
		_, number, err := upload()
		if err == nil {
			say(fmt.Sprint("stays ", number)) // nobody approves it
		}
		return err
	}}, nil
}

// Killed between any two steps, the host knows every check of a list that was
// approved, once, and none of another.
func TestKilledListsGoToTheHostOnce(t *testing.T) {
	moneytest.Killed{
		Start: time.Date(2026, time.March, 2, 15, 0, 0, 0, time.UTC), Within: 80 * time.Millisecond,
		Seed: func(t *testing.T, d *db.DB) []string {
			if err := newWorld(t, d).room.SetLayout(t.Context(), caller("dana"), columns()); err != nil {
				t.Fatal(err)
			}
			return nil
		},
		Settle: settleKilled,
	}.Run(t)
}

// settleKilled starts the program anew, lets it do what was left, once the
// leases of those that were killed are over, and compares.
func settleKilled(t *testing.T, url string, clock moneytest.Clock, said []string) {
	t.Helper()
	d, err := clock.Later(20 * time.Minute).Open(url)
	if err != nil {
		t.Fatal(err)
	}
	w := killable(d)
	w.t = t
	defer func() {
		if err := hostsimtest.Close(d); err != nil {
			t.Error(err)
		}
	}()
	w.room = w.process("the next one")
	moneytest.CarryAll(t, d, w.desk, func(tx *db.Tx) (int64, error) {
		return db.One(tx, db.Value[int64], `select count(*) from arp_file where state = 'pending'`)
	})
	at := map[string]bool{}
	for after := int64(0); ; {
		page, err := w.books.Issued(t.Context(), cedar, operating, after, 500)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, check := range page {
			at[fmt.Sprint(check.Number)], after = true, check.Number
		}
	}
	var wrong int64
	err = d.Read(t.Context(), func(tx *db.Tx) (err error) {
		wrong, err = db.One(tx, db.Value[int64], `
			select count(*) from arp_file where state not in ('unapproved', 'successful', 'deleted') or (state = 'successful') <> (approver_name = 'Lee')`)
		return err
	})
	if err != nil || wrong != 0 {
		t.Errorf("%d lists are not as they should be, %v", wrong, err)
	}
	for _, line := range said {
		what, number, _ := strings.Cut(line, " ")
		if at[number] != (what == "goes") {
			t.Errorf("%s was said of check %s, and the host knows it: %t", what, number, at[number])
		}
	}
}
