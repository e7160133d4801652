package main

import (
	"runtime"

	"mandate/bench/world"
	"mandate/internal/entitlement"
	"mandate/internal/entitlement/compact"
)

// ours is the store that the product answers from.
type ours struct {
	store *compact.Store
	heap  int // bytes that are on the heap for it
}

func newOurs(w *world.World) *ours {
	before := heap()
	o := &ours{store: compact.NewStore(compact.Institution{Institution: w.Institution})}
	for p := range w.Policies {
		o.store.Put(compact.NewBlock(p, 1).WithCounts("", nil)) // nothing counts on any day
	}
	o.heap = heap() - before
	return o
}

// heap is what is on the heap and in use.
func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func (o *ours) decide(q *world.Questions, answers []bool) {
	var v compact.Verdict
	for i := range q.Asked {
		answers[i] = o.store.Decide(&q.Asked[i], &v) != compact.Behind && v.Allowed()
	}
}

// explain is decide with every reason, written into room that is used again.
func (o *ours) explain(q *world.Questions, answers []bool) {
	var v compact.Verdict
	room := make([]entitlement.Reason, compact.MostReasons)
	for i := range q.Asked {
		o.store.Decide(&q.Asked[i], &v)
		answers[i] = v.DecisionIn(room, &q.Asked[i]).Allowed
	}
}
