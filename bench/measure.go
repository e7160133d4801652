package main

import (
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"time"

	"mandate/bench/world"
)

// A subject answers questions. It is given so many of the stream as it answers
// in reasonable time, always the first.
type subject struct {
	name      string
	questions int
	answer    func(*world.Questions, []bool) // writes the answers
	bar       bar                            // nil: none
	own       *subject                       // the engine, asked the same questions
	costs     []float64                      // of one decision, CPU nanoseconds, by round
	allocs    float64                        // of one decision
}

const rounds = 5

// cpu is the CPU time that this process has used, the collector's included.
func cpu() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// least is how long a round is at least, so that the clock's grain is nothing.
var least = 300 * time.Millisecond

// check holds a subject's answers against the reference.
func (s *subject) check(q *world.Questions) error {
	part := s.part(q)
	answers := make([]bool, len(part.Asked))
	s.answer(part, answers)
	for i, is := range answers {
		if is != part.Answers[i] {
			return fmt.Errorf("%s answers %v to question %d of %d, the reference %v: %+v", s.name, is, i+1, len(answers), part.Answers[i], part.Asked[i])
		}
	}
	return nil
}

func (s *subject) part(q *world.Questions) *world.Questions {
	n := min(s.questions, len(q.Asked))
	return &world.Questions{Asked: q.Asked[:n], Answers: q.Answers[:n]}
}

// measure lets the subjects take turns, on one core. Every subject has answered
// all of its questions before, when they were checked.
func measure(q *world.Questions, subjects []*subject) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	runtime.GC()
	for range rounds {
		for _, s := range subjects {
			s.round(q)
		}
	}
}

func (s *subject) round(q *world.Questions) {
	part := s.part(q)
	answers := make([]bool, len(part.Asked))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	asked, start := 0, cpu()
	for cpu()-start < least {
		s.answer(part, answers)
		asked += len(answers)
	}
	cost := cpu() - start
	runtime.ReadMemStats(&after)
	s.costs = append(s.costs, float64(cost)/float64(asked))
	s.allocs = float64(after.Mallocs-before.Mallocs) / float64(asked)
}

// cost is the median of the rounds.
func (s *subject) cost() float64 {
	sorted := slices.Sorted(slices.Values(s.costs))
	return sorted[len(sorted)/2]
}
