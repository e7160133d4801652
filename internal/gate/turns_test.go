package gate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mandate/internal/bank"
	"mandate/internal/client"
)

func program(institution, id string) *client.Client {
	return &client.Client{Institution: bank.InstitutionID(institution), ID: bank.ClientID(id)}
}

// A hall is turns with somebody in, whom the test lets out.
type hall struct {
	t      *testing.T
	turns  *Turns
	mu     sync.Mutex
	order  []string // who was let in
	inside []*client.Client
	said   []string // who was sent away, and how
	all    sync.WaitGroup
}

func newHall(t *testing.T, limits Capacity) *hall { return &hall{t: t, turns: NewTurns(limits)} }

// come has a request of a caller come, and returns when it waits or is in.
func (h *hall) come(c *client.Client, decisions int) {
	h.all.Go(func() {
		err := h.turns.Enter(context.Background(), c, decisions)
		h.mu.Lock()
		defer h.mu.Unlock()
		if err != nil {
			h.said = append(h.said, fmt.Sprintf("%s %v", c.ID, errors.Is(err, errWaitsTooMuch)))
			return
		}
		h.order = append(h.order, string(c.ID))
		h.inside = append(h.inside, c)
	})
	synctest.Wait()
}

// out lets the first one out.
func (h *hall) out() {
	c := h.inside[0]
	h.inside = h.inside[1:]
	h.turns.Leave(c)
	synctest.Wait()
}

func (h *hall) empty() {
	for len(h.inside) > 0 {
		h.out()
	}
	h.all.Wait()
	if h.turns.running != 0 || h.turns.waiting != 0 {
		h.t.Errorf("%d run and %d wait when everybody is gone", h.turns.running, h.turns.waiting)
	}
}

// Whoever floods waits behind itself.
func TestAFloodDelaysNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, Capacity{AtOnce: 1, Each: 100, All: 1000, Wait: time.Hour})
		flood, polite := program("first", "flood"), program("first", "polite")
		for range 50 {
			h.come(flood, 1)
		}
		for range 3 {
			h.come(polite, 1)
			h.out() // the one of the flood that was in
			h.out()
		}
		if got := strings.Join(h.order[:7], " "); got != "flood polite flood polite flood polite flood" {
			t.Errorf("the order is %s", got)
		}
		h.empty()
	})
}

// A batch counts by its items: who asks a hundred at once gets one turn where
// another gets a hundred.
func TestABatchCountsByItsItems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, Capacity{AtOnce: 1, Each: 1000, All: 2000, Wait: time.Hour})
		batches, singles := program("first", "b"), program("first", "s")
		h.come(singles, 1)
		for range 4 {
			h.come(batches, 100)
		}
		for range 200 {
			h.come(singles, 1)
		}
		h.empty()
		before := 0
		var between []int
		for _, who := range h.order {
			if who == "s" {
				before++
				continue
			}
			between, before = append(between, before), 0
		}
		// Where both have had as much, either may be next.
		if len(between) != 4 || between[0] != 1 || min(between[1], between[2]) < 99 || max(between[1], between[2]) > 101 || between[3] > 1 {
			t.Errorf("single questions before each batch: %d", between)
		}
	})
}

// Many callers of one institution have together what another's only one has.
func TestInstitutionsShareAlike(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, Capacity{AtOnce: 2, Each: 100, All: 1000, Wait: time.Hour})
		for n := range 10 {
			for range 20 {
				h.come(program("many", fmt.Sprint("m", n)), 1)
			}
		}
		for range 50 {
			h.come(program("one", "o"), 1)
		}
		h.empty()
		ones, each := 0, map[string]int{}
		for _, who := range h.order[2:102] {
			each[who]++
			if who == "o" {
				ones++
			}
		}
		if ones < 49 || ones > 50 {
			t.Errorf("of a hundred turns the one has %d", ones)
		}
		for who, n := range each {
			if who != "o" && (n < 4 || n > 6) {
				t.Errorf("%s has %d turns", who, n)
			}
		}
	})
}

// Nobody saves up by being away, and nobody pays for having been alone.
func TestNobodySavesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, Capacity{AtOnce: 1, Each: 100, All: 1000, Wait: time.Hour})
		a, b := program("first", "a"), program("first", "b")
		h.come(b, 1)
		h.out()
		for range 500 {
			h.come(a, 1)
			h.out()
		}
		h.order = nil
		for range 6 {
			h.come(a, 1)
			h.come(b, 1)
		}
		h.empty()
		if got := strings.Join(h.order, ""); strings.Contains(got, "bbb") || strings.Contains(got, "aaa") {
			t.Errorf("the order is %s", got)
		}
	})
}

func TestWhoWaitsTooMuchIsSentAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, Capacity{AtOnce: 1, Each: 3, All: 4, Wait: time.Second})
		flood, polite, third := program("first", "flood"), program("second", "polite"), program("second", "third")
		for range 5 {
			h.come(flood, 1) // one is in, three wait
		}
		if got := fmt.Sprint(h.said); got != "[flood true]" {
			t.Fatalf("of a flood: %s", got)
		}
		h.come(polite, 1) // the fourth that waits
		h.come(third, 1)  // somebody of the flood must go for it
		if got := fmt.Sprint(h.said); got != "[flood true flood false]" {
			t.Fatalf("when all places are taken: %s", got)
		}
		h.come(third, 1) // nobody waits more than it would
		if got := fmt.Sprint(h.said); got != "[flood true flood false third false]" {
			t.Fatalf("when nobody waits more: %s", got)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if len(h.said) != 7 || h.turns.waiting != 0 {
			t.Errorf("after the longest wait: %v, %d wait", h.said, h.turns.waiting)
		}
		h.come(polite, 1)
		h.out()
		if got := strings.Join(h.order, " "); got != "flood polite" {
			t.Errorf("who was let in: %s", got)
		}
		h.empty()
	})
}

func TestATurnThatIsFreeCostsNothing(t *testing.T) {
	turns, c := NewTurns(Capacity{}), program("first", "a")
	if n := testing.AllocsPerRun(100, func() {
		if turns.Enter(context.Background(), c, 1) == nil {
			turns.Leave(c)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
