package outbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"mandate/internal/db"
	"mandate/internal/db/dbtest"
)

// While the other end is down, one message now and then finds out; what waits is
// not tried, and nothing dies of it, however long it takes. Then all goes out.
func TestDownIsProbed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const messages, hour = 50, time.Hour
		for i := range messages {
			queue(t, d, Message{Institution: "first", Kind: Mail, Key: fmt.Sprint(i), Lane: fmt.Sprint("lane ", i)})
		}
		var mu sync.Mutex
		down, tries, arrived := true, 0, map[string]int{}
		out := dispatcher(d, func(_ context.Context, delivery Delivery) error {
			mu.Lock()
			defer mu.Unlock()
			if down {
				tries++
				return fmt.Errorf("no line: %w", ErrDown)
			}
			arrived[delivery.Key]++
			return nil
		})
		deliver := func() {
			t.Helper()
			if _, err := out.Deliver(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		clock := dbtest.ClockOf(t, d)
		for range int(hour / firstProbe) {
			deliver()
			clock.Advance(firstProbe)
		}
		if most := downAfter + int(hour/longProbe) + 5; tries > most || tries < 60 {
			t.Errorf("%d tries within an hour of silence, want 60 to %d", tries, most)
		}
		if b := backlog(t, d); b.Waiting != messages || b.Dead != 0 {
			t.Errorf("backlog %+v", b)
		}
		down = false
		clock.Advance(longProbe)
		for range messages/batch + 3 {
			deliver()
		}
		for i := range messages {
			if n := arrived[fmt.Sprint(i)]; n != 1 {
				t.Errorf("message %d arrived %d times", i, n)
			}
		}
	})
}

// A message that never gets an answer while others do is not the other end being
// down: it dies in the end, and what stands behind it in its lane waits for an operator.
func TestOneBadMessageIsNotDown(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		queue(t, d, Message{Institution: "first", Kind: Mail, Key: "bad", Lane: "dana"}, Message{Institution: "first", Kind: Mail, Key: "behind", Lane: "dana"})
		arrived := map[string]int{}
		out := dispatcher(d, func(_ context.Context, delivery Delivery) error {
			if delivery.Key == "bad" {
				return fmt.Errorf("no answer: %w", ErrDown)
			}
			arrived[delivery.Key]++
			return nil
		})
		clock := dbtest.ClockOf(t, d)
		for i := range maxAttempts {
			queue(t, d, Message{Institution: "first", Kind: Mail, Key: fmt.Sprint("good ", i)})
			if _, err := out.Deliver(t.Context()); err != nil {
				t.Fatal(err)
			}
			clock.Advance(longPause)
		}
		if b := backlog(t, d); b.Dead != 1 || b.Waiting != 1 || len(arrived) != maxAttempts {
			t.Fatalf("backlog %+v, %d arrived", b, len(arrived))
		}
		var letters []Letter
		if err := d.Write(t.Context(), func(tx *db.Tx) (err error) {
			if letters, err = Undelivered(tx, "first", Mail, "", 10); err != nil {
				return err
			}
			_, err = SetAside(tx, "first", Mail, letters[0].ID)
			return err
		}); err != nil || len(letters) != 2 || letters[0].State != Dead || letters[0].Key != "bad" || letters[0].Failure == "" {
			t.Fatalf("%+v, %v", letters, err)
		}
		if _, err := out.Deliver(t.Context()); err != nil || arrived["behind"] != 1 {
			t.Errorf("what stood behind arrived %d times: %v", arrived["behind"], err)
		}
	})
}

// Lanes move at the same time, each in its order; messages without a lane go one
// after another.
func TestLanesMoveTogether(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const wide = 4
		for i := range 8 {
			queue(t, d, Message{Institution: "first", Kind: Mail, Key: fmt.Sprint(i), Lane: fmt.Sprint("lane ", i%wide)},
				Message{Institution: "first", Kind: Mail, Key: fmt.Sprint("loose ", i)})
		}
		var mu sync.Mutex
		at, most, loose := 0, 0, 0
		order := map[string][]string{}
		together := make(chan struct{})
		out := dispatcher(d, func(_ context.Context, delivery Delivery) error {
			mu.Lock()
			isLoose := len(delivery.Key) > 1
			if isLoose {
				if loose++; loose > 1 {
					t.Error("two messages without a lane at once")
				}
			} else {
				lane := fmt.Sprint((int(delivery.Key[0]) - '0') % wide)
				order[lane] = append(order[lane], delivery.Key)
			}
			if at++; at > most {
				if most = at; most == wide {
					close(together)
				}
			}
			mu.Unlock()
			select {
			case <-together:
			case <-time.After(30 * time.Second):
				return errors.New("the lanes do not move together")
			}
			mu.Lock()
			defer mu.Unlock()
			at--
			if isLoose {
				loose--
			}
			return nil
		})
		out.Width = wide
		for range 3 {
			if _, err := out.Deliver(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if want := "map[0:[0 4] 1:[1 5] 2:[2 6] 3:[3 7]]"; fmt.Sprint(order) != want || most != wide {
			t.Errorf("%v with %d at once, want %s with %d", order, most, want, wide)
		}
	})
}
