package transfer_test

import (
	"testing"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/host"
	"mandate/internal/moneymovement/transfer"
	"mandate/internal/outbox"
)

// After a restore an order may come again on another day. The core knows its key as
// another order's, so it is given up; whoever looks is told that nobody knows whether
// the money moved, and nothing sends it once more.
func TestTransferWhoseOrderWasGivenUp(t *testing.T) {
	each(t, func(w *world) {
		d := w.draft(100_00)
		before := host.Order{Institution: cedar, Organization: northwind, Room: transfer.RoomName, Ref: string(d.ID) + "/1", Day: "2026-02-27", Legs: host.Move(operating, payroll, 100_00)}
		if r, err := w.books.Carry(t.Context(), before); err != nil || !r.Done() {
			t.Fatalf("before the restore: %+v, %v", r, err)
		}
		w.make(d)
		given := w.wants(d.ID, transfer.Sent, host.OutcomeUnknown)
		if given.Problem == "" || given.CanTry || given.CanTake || given.CanEdit {
			t.Errorf("given up: %+v", given)
		}
		w.refuses("try it once more", w.room.Retry(t.Context(), caller("dana"), d.ID, given.Version), "STATE")

		w.tend(outbox.Revive)
		w.wants(d.ID, transfer.Sent, "")
		w.desk.Now(t.Context())
		w.wants(d.ID, transfer.Sent, host.OutcomeUnknown)
		w.tend(outbox.Revive)
		w.down.Store(true)
		w.desk.Now(t.Context())
		w.wants(d.ID, transfer.Sent, "")
		w.has(map[bank.AccountID]bank.Cents{operating: 9_900_00, payroll: 100_00})
	})
}

// What is set aside is not asked about any more, either.
func TestTransferWhoseOrderWasSetAside(t *testing.T) {
	each(t, func(w *world) {
		d := w.draft(100_00)
		w.down.Store(true)
		w.make(d)
		w.wants(d.ID, transfer.Sent, "")
		w.write(func(tx *db.Tx) error {
			return outbox.Cancel(tx, cedar, outbox.Host, transfer.RoomName+"/"+string(d.ID)+"/1")
		})
		w.wants(d.ID, transfer.Sent, host.OutcomeUnknown)
	})
}

// tend does something to the orders that were given up.
func (w *world) tend(do func(*db.Tx, bank.InstitutionID, outbox.Kind, string) (int64, error)) {
	w.t.Helper()
	w.write(func(tx *db.Tx) error {
		if n, err := do(tx, cedar, outbox.Host, ""); n != 1 || err != nil {
			w.t.Errorf("%d orders, %v, want 1", n, err)
		}
		return nil
	})
}
