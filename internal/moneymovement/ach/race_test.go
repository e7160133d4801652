package ach_test

import (
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/moneymovement/ach"
)

// What is edited while somebody approves it, approved twice, or approved by
// somebody whose right is taken away meanwhile: of two one is done, and nothing
// is released that was not approved as it stands.
func TestRacesAroundApproval(t *testing.T) {
	each(t, func(w *world) {
		for range dbtest.Rounds(20, 500) {
			w.raceEdit()
			w.raceTwice()
			w.raceRight()
		}
		w.checkUsage()
	})
}

// raceEdit edits a batch while it is approved.
func (w *world) raceEdit() {
	w.t.Helper()
	id := w.create("dana", 1_00)
	e, version := w.submit("dana", id), w.get(id).Version
	n := w.race(2, func(i int) error {
		if i == 0 {
			return w.approve("lee", e)
		}
		return w.room.Edit(w.ctx(), as("kim"), ach.Edit{Batch: id, Version: version, Set: []ach.EntryDraft{pay("Bo", 5_00)}})
	})
	d := w.get(id)
	if n != 1 || d.State == ach.Initiated && (d.Runs[0].Version != d.Version || d.Runs[0].Approver == "" || d.Entries != 1) || d.State != ach.Initiated && d.State != ach.Ready {
		w.t.Fatalf("%d of edit and approval were done; it is %s, version %d, sent as %d", n, d.State, d.Version, d.Runs[0].Version)
	}
	w.released(id, d.State == ach.Initiated)
}

// raceTwice approves a batch twice at once.
func (w *world) raceTwice() {
	w.t.Helper()
	id := w.create("dana", 1_00)
	e := w.submit("dana", id)
	if n := w.race(2, func(i int) error { return w.approve([]string{"lee", "kim"}[i], e) }); n != 1 {
		w.t.Fatalf("%d of two approvals were done", n)
	}
	w.released(id, true)
}

// raceRight takes the approver's right away while they approve: whichever comes
// first, nothing is released.
func (w *world) raceRight() {
	w.t.Helper()
	id := w.create("dana", 1_00)
	e := w.submit("dana", id)
	w.race(2, func(i int) error {
		if i == 0 {
			return w.approve("lee", e)
		}
		w.set("lee", func(s *entitlement.Settings) { s.On = s.On.Without(catalog.ACHInitiate) })
		return nil
	})
	w.released(id, false)
	w.set("lee", func(*entitlement.Settings) {})
	if d := w.get(id); d.State == ach.Pending {
		w.must(w.room.Return(w.ctx(), as("kim"), id, d.Version, ""))
	}
}

// released lets the cut-off of a batch come, and fails the test unless it went
// out, or did not.
func (w *world) released(id ach.BatchID, want bool) {
	w.t.Helper()
	before := w.balance()
	w.clock.Set(w.get(id).Runs[0].Due)
	w.tick()
	w.clock.Set(monday)
	d := w.get(id)
	if got := d.Runs[0].FileHash != ""; got != want || got != (d.State == ach.Processed) {
		w.t.Fatalf("it was released: %v, want %v; it is %s, because %q", got, want, d.State, d.Runs[0].Reason)
	}
	moved := bank.Cents(0)
	if want {
		moved = 1_00
	}
	if after := w.balance(); before-after != moved {
		w.t.Fatalf("%s left the account, want %s", before-after, moved)
	}
}
