package guard_test

import (
	"errors"
	"testing"

	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/idempotency"
)

// note is a change that can be seen in the history, as often as it is made.
func note(c *guard.Change) error {
	c.Record()
	return nil
}

// A change under a key happens once, in all its parts; what was refused, or
// belongs to somebody else's request, is not kept back.
func TestOnceUnderAKey(t *testing.T) {
	each(t, func(w *world) {
		ana := member("ana")
		ana.Through = "cli_1"
		under := func(key, content string) error {
			ctx := guard.Repeatable(t.Context(), guard.Once{Key: idempotency.Key{Institution: first, Client: "cli_1", Text: key}, Content: []byte(content)})
			if err := w.door.Do(ctx, ana, hold(), note); err != nil {
				return err
			}
			second := hold()
			second.Target.ID = "vera"
			return w.door.Do(ctx, ana, second, note)
		}
		for range 2 {
			if err := under("k", "two holds"); err != nil {
				t.Fatal(err)
			}
			if got := len(w.history(acme)); got != 2 {
				t.Fatalf("%d changes, want 2", got)
			}
		}
		if err := under("k", "something else"); !errors.Is(err, idempotency.ErrReused) {
			t.Errorf("the key for something else: %v", err)
		}
		ctx := guard.Repeatable(t.Context(), guard.Once{Key: idempotency.Key{Institution: first, Client: "cli_1", Text: "r"}})
		failing := func(c *guard.Change) error {
			return errors.Join(note(c), fault.New(fault.Conflict, "Not now."))
		}
		if err := w.door.Do(ctx, ana, hold(), failing); fault.KindOf(err) != fault.Conflict {
			t.Fatal(err)
		}
		if err := w.door.Do(ctx, ana, hold(), note); err != nil || len(w.history(acme)) != 3 {
			t.Errorf("after a failure: %v, %d changes, want 3", err, len(w.history(acme)))
		}
		for range 2 { // the host's answers come while the request is under way
			if err := w.door.Do(ctx, somebody("host", "core"), hold(), note); err != nil {
				t.Fatal(err)
			}
		}
		if got := len(w.history(acme)); got != 5 {
			t.Errorf("%d changes, want 5", got)
		}
	})
}
