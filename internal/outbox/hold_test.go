package outbox

import (
	"context"
	"slices"
	"testing"
	"time"

	"mandate/internal/db"
	"mandate/internal/db/dbtest"
)

// After a restore what waited is kept back, what is queued later goes, nothing
// passes what is kept back in its lane, and orders to the host wait altogether.
func TestHeldWaitsForAWord(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		made := dbtest.ClockOf(t, d).Now()
		queue(t, d, Message{Institution: "first", Kind: Mail, Key: "before", Lane: "dana"}, Message{Institution: "other", Kind: Mail, Key: "elsewhere"})
		dbtest.ClockOf(t, d).Advance(time.Hour)
		if err := d.Write(t.Context(), func(tx *db.Tx) error { return HoldRestored(tx, "first", made) }); err != nil {
			t.Fatal(err)
		}
		queue(t, d, Message{Institution: "first", Kind: Mail, Key: "after"}, Message{Institution: "first", Kind: Mail, Key: "behind", Lane: "dana"},
			Message{Institution: "first", Kind: Host, Key: "order"})
		var sent []string
		courier := func(_ context.Context, m Delivery) error { sent = append(sent, m.Key); return nil }
		deliver := func(want ...string) {
			t.Helper()
			sent = nil
			for _, kind := range []Kind{Mail, Mail, Host} {
				out := dispatcher(d, courier)
				out.Kind = kind
				if _, err := out.Deliver(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			slices.Sort(sent)
			if !slices.Equal(sent, want) {
				t.Errorf("%v went out, want %v", sent, want)
			}
		}
		deliver("after", "elsewhere")
		word := func(do func(tx *db.Tx) (int64, error), want int64) {
			t.Helper()
			var n int64
			if err := d.Write(t.Context(), func(tx *db.Tx) (err error) { n, err = do(tx); return err }); err != nil || n != want {
				t.Errorf("%d, %v, want %d", n, err, want)
			}
		}
		word(func(tx *db.Tx) (int64, error) { n, _, err := Release(tx, "first", Mail); return n, err }, 1)
		deliver("before", "behind")
		word(func(tx *db.Tx) (int64, error) { n, _, err := Drop(tx, "first", Host, ""); return n, err }, 1)
		deliver()
		queue(t, d, Message{Institution: "first", Kind: Host, Key: "new order"})
		deliver("new order")
	})
}
