package wire_test

import (
	"testing"

	"mandate/internal/db"
	"mandate/internal/host"
	"mandate/internal/moneymovement/wire"
	"mandate/internal/outbox"
)

// A wire whose order was set aside without an answer stays sent, and says that nobody
// knows whether the money went out.
func TestWireWhoseOrderWasSetAside(t *testing.T) {
	each(t, func(w *world) {
		w.line.down.Store(true)
		made := w.make("dana", w.draft(5_000_00))
		w.wants(made.ID, wire.Sent, "")
		w.write(func(tx *db.Tx) error {
			return outbox.Cancel(tx, cedar, outbox.Host, wire.RoomName+"/"+string(made.ID)+"/1")
		})
		given := w.wants(made.ID, wire.Sent, host.OutcomeUnknown)
		if given.Problem == "" || given.CanEdit || given.CanTake || given.CanSend {
			t.Errorf("set aside: %+v", given)
		}
	})
}
