package outbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"mandate/internal/db"
	"mandate/internal/db/dbtest"
)

func queue(t *testing.T, d *db.DB, messages ...Message) {
	t.Helper()
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		for _, m := range messages {
			if _, err := Queue(tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func backlog(t *testing.T, d *db.DB) (b Backlog) {
	t.Helper()
	err := d.Read(t.Context(), func(tx *db.Tx) error {
		all, err := Backlogs(tx)
		if len(all) > 0 {
			b = all[0]
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func dispatcher(d *db.DB, courier Courier) *Dispatcher {
	return NewDispatcher(d, Mail, courier, slog.New(slog.NewTextHandler(io.Discard, nil)))
}

func TestSameKeyIsSentOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		m := Message{Institution: "first", Kind: Mail, Key: "k", Payload: []byte("x")}
		queue(t, d, m, m)
		sent := 0
		out := dispatcher(d, func(context.Context, Delivery) error { sent++; return nil })
		for range 2 {
			if _, err := out.Deliver(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		queue(t, d, m)
		if _, err := out.Deliver(t.Context()); err != nil || sent != 1 {
			t.Errorf("sent %d times, want once (%v)", sent, err)
		}
	})
}

// Eight couriers at once hand out every message exactly once while none fails.
func TestConcurrentCouriersShareTheQueue(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const messages = 100
		for i := range messages {
			queue(t, d, Message{Institution: "first", Kind: Mail, Key: fmt.Sprint(i)})
		}
		var mu sync.Mutex
		seen := map[string]int{}
		out := dispatcher(d, func(_ context.Context, delivery Delivery) error {
			mu.Lock()
			defer mu.Unlock()
			seen[delivery.Key]++
			return nil
		})
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for {
					if n, err := out.Deliver(t.Context()); n == 0 || err != nil {
						return
					}
				}
			})
		}
		wg.Wait()
		for i := range messages {
			if n := seen[fmt.Sprint(i)]; n != 1 {
				t.Errorf("message %d was delivered %d times", i, n)
			}
		}
	})
}

func TestLaneKeepsItsOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for i := range 3 {
			queue(t, d, Message{Institution: "first", Kind: Mail, Key: fmt.Sprint(i), Lane: "dana"})
		}
		var order []string
		out := dispatcher(d, func(_ context.Context, delivery Delivery) error {
			order = append(order, delivery.Key)
			return nil
		})
		for range 5 {
			if _, err := out.Deliver(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if fmt.Sprint(order) != "[0 1 2]" {
			t.Errorf("order %v, want 0 1 2", order)
		}
	})
}

func TestFailuresWaitThenDie(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		queue(t, d, Message{Institution: "first", Kind: Mail, Key: "later"}, Message{Institution: "first", Kind: Mail, Key: "never"})
		tries := 0
		out := dispatcher(d, func(_ context.Context, delivery Delivery) error {
			if delivery.Key == "never" {
				return fmt.Errorf("no such address: %w", ErrHopeless)
			}
			tries++
			return errors.New("the server is down")
		})
		for range 3 {
			if _, err := out.Deliver(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if tries != 1 {
			t.Errorf("tried %d times at once, want one try and then a pause", tries)
		}
		if b := backlog(t, d); b.Waiting != 1 || b.Dead != 1 {
			t.Errorf("backlog %+v, want one waiting and one dead", b)
		}
	})
}

func TestCancelledIsNotSent(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		queue(t, d, Message{Institution: "first", Kind: Mail, Key: "old"})
		if err := d.Write(t.Context(), func(tx *db.Tx) error { return Cancel(tx, "first", Mail, "old") }); err != nil {
			t.Fatal(err)
		}
		out := dispatcher(d, func(context.Context, Delivery) error { t.Error("a cancelled message went out"); return nil })
		if _, err := out.Deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestPauseGrowsAndIsBounded(t *testing.T) {
	for attempt := 1; attempt <= maxAttempts; attempt++ {
		if p := pause(attempt); p < firstPause/2 || p > longPause {
			t.Errorf("pause after attempt %d is %s", attempt, p)
		}
	}
	if pause(maxAttempts) < time.Hour {
		t.Error("the last pauses are too short to outlast a night")
	}
}
