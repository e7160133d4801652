package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"mandate/bench/world"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/entitlement/compact"
)

// alone measures the engine where everybody asks equally often, which is the
// worst that can happen to a cache.
func alone(out io.Writer, q *world.Questions, o *ours) error {
	s := &subject{name: "mandate", questions: len(q.Asked), answer: o.decide}
	if err := s.check(q); err != nil {
		return err
	}
	measure(q, []*subject{s})
	fmt.Fprintf(out, "Every organization asking as often as any other: %.3f µs (%s).\n", s.cost()/1000, s.each())
	return nil
}

// twoCores measures how much more two processors answer than one, in turns, the
// best round of each.
func twoCores(out io.Writer, q *world.Questions, o *ours) error {
	if err := (&subject{name: "mandate", questions: len(q.Asked), answer: o.decide}).check(q); err != nil {
		return err
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	half := len(q.Asked) / 2
	parts := []*world.Questions{{Asked: q.Asked[:half]}, {Asked: q.Asked[half:]}}
	rate := func(callers int) float64 {
		var all sync.WaitGroup
		start := time.Now()
		asked := 0
		for c := range callers {
			asked += 20 * half
			all.Go(func() {
				answers := make([]bool, len(parts[c].Asked))
				for range 20 {
					(&ours{store: o.store}).decide(parts[c], answers)
				}
			})
		}
		all.Wait()
		return float64(asked) / time.Since(start).Seconds()
	}
	var one, two float64
	for range rounds {
		one, two = max(one, rate(1)), max(two, rate(2))
	}
	fmt.Fprintf(out, "Two cores: %.2f million answers a second, %.2f on one, %.2f times; bar at least 1.6 times: %s; load %s.\n", two/1e6, one/1e6, two/one, verdict(two/one >= 1.6), load())
	return nil
}

// A coming change: one switch of one account of a member is turned.
type coming struct {
	organization bank.OrganizationID
	member       *entitlement.Member // as they will be
	account      bank.AccountID
}

// atOnce is how many changes are made ready before any of them comes, so that what
// making them leaves to be collected is gone by then.
const atOnce = 1_000

// changes measures how long it takes until a change is seen: the member as they are
// now is put into the block and the block in place, and the question about it asked.
func changes(out io.Writer, w *world.World, o *ours, count int) error {
	rng := rand.New(rand.NewPCG(seed, 9))
	took := make([]time.Duration, 0, count)
	for len(took) < count {
		var ready []coming
		for range min(atOnce, count-len(took)) {
			ready = append(ready, comingOf(w, rng, len(ready)%2 == 0))
		}
		runtime.GC()
		for _, c := range ready {
			t, err := o.change(&c)
			if err != nil {
				return err
			}
			took = append(took, t)
		}
	}
	slices.Sort(took)
	p50, p99 := took[count/2], took[count*99/100]
	fmt.Fprintf(out, "A change and the answer that knows it: %.1f µs at the median, %.1f µs at the 99th percentile, seen %d times of %d; bar 5 µs at the median: %s.\n",
		micro(p50), micro(p99), count, count, verdict(p50 <= 5*time.Microsecond))
	return nil
}

func comingOf(w *world.World, rng *rand.Rand, off bool) coming {
	p := w.Policy(rng.IntN(w.Organizations))
	m, a := p.Members[anyOf(rng, p.Members)], anyOf(rng, p.Accounts)
	settings := m.Accounts[a]
	settings.On = settings.On.With(catalog.WiresWork)
	if off {
		settings.On = settings.On.Without(catalog.WiresWork)
	}
	m.Accounts[a] = settings
	return coming{p.Organization.ID, m, a}
}

// change puts a change in place, asks about it, and tells how long that took.
func (o *ours) change(c *coming) (time.Duration, error) {
	now := justRead(c.member)
	req := entitlement.Request{Member: now.ID, Account: c.account, Operation: catalog.WiresTemplateEditOperation}
	var v compact.Verdict
	start := time.Now()
	block := o.store.Here(c.organization)
	next := block.Draft(compact.Mark{Revision: block.Revision + 1, Sequence: block.Sequence + 1})
	there := next.Member(now)
	put := o.store.Put(next.Block())
	state := o.store.Decide(&req, &v)
	took := time.Since(start)
	d := v.Decision(&req)
	on := now.Accounts[c.account].On.Has(catalog.WiresWork)
	if off := slices.ContainsFunc(d.Reasons, offFor(c.account)); !there || !put || state != compact.Answered || off == on {
		return 0, fmt.Errorf("the change of %s on %s was not seen: %+v", now.ID, c.account, d)
	}
	return took, nil
}

// justRead is a member as who brings a change has them: made a moment ago.
func justRead(m *entitlement.Member) *entitlement.Member {
	now := *m
	now.ID = bank.UserID(strings.Clone(string(m.ID)))
	now.Accounts = make(map[bank.AccountID]entitlement.Settings, len(m.Accounts))
	for name, s := range m.Accounts {
		now.Accounts[bank.AccountID(strings.Clone(string(name)))] = s
	}
	return &now
}

func offFor(a bank.AccountID) func(entitlement.Reason) bool {
	return func(r entitlement.Reason) bool {
		return r.Code == entitlement.AccountOff && r.Permission == catalog.WiresWork && r.Account == a
	}
}

// anyOf is one of the keys.
func anyOf[K ~string, V any](rng *rand.Rand, of map[K]V) K {
	var keys []K
	for k := range of {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys[rng.IntN(len(keys))]
}

// space tells what the store takes.
func space(out io.Writer, w *world.World, o *ours) {
	each := float64(o.heap) / float64(w.MemberAccounts())
	fmt.Fprintf(out, "Memory: %.1f bytes of heap for each member-account, all tables and ids included, limits of their own on %d of 100 accounts; bar 16: %s.\n\n",
		each, world.OwnLimitShare, verdict(each <= 16))
}
