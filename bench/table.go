package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"mandate/bench/world"
)

// A bar says whether a cost is good enough beside the engine's own.
type bar func(own, cost float64) (text string, met bool)

// times is a bar for how many times the engine's cost something costs.
func times(n float64, least string) bar {
	return func(own, cost float64) (string, bool) {
		met := cost/own >= n
		if least == "at most" {
			met = cost/own <= n
		}
		return fmt.Sprintf("%s %g times", least, n), met
	}
}

// bareBar is the other way round: the engine may cost so many times the loop.
func bareBar(own, cost float64) (string, bool) {
	return fmt.Sprintf("mandate at most 1.3 times this; it is %.2f times", own/cost), own/cost <= 1.3
}

// beside puts the engine, which is the first, once more before those that are
// asked fewer questions, and asks it the same ones: fewer are cheaper for whoever
// is asked.
func beside(subjects []*subject) (all []*subject) {
	own := subjects[0]
	for _, s := range subjects {
		if s.questions != own.questions {
			own = &subject{name: own.name, questions: s.questions, answer: own.answer}
			own.own = own
			all = append(all, own)
		}
		s.own = own
		all = append(all, s)
	}
	return all
}

// compare checks all answers, measures, and prints what came out.
func compare(out io.Writer, w *world.World, q *world.Questions, subjects []*subject) error {
	subjects = beside(subjects)
	for _, s := range subjects {
		if err := s.check(q); err != nil {
			return err
		}
	}
	measure(q, subjects)
	fmt.Fprintf(out, "%d organizations, %d members, %d member-accounts; %d questions, %d of them allowed; load %s\n\n",
		w.Organizations, w.Organizations*world.Members, w.MemberAccounts(), len(q.Asked), q.Allowed(), load())
	t := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "engine\tCPU µs\tthe rounds\tratio\tallocations\tquestions\tbar\t")
	for _, s := range subjects {
		text, met := "", ""
		if s.bar != nil {
			var ok bool
			text, ok = s.bar(s.own.cost(), s.cost())
			met = verdict(ok)
		} else if s == s.own {
			text, met = "0 allocations", verdict(s.allocs < 0.001)
		}
		fmt.Fprintf(t, "%s\t%.3f\t%s\t%.2f\t%.1f\t%d\t%s\t%s\n", s.name, s.cost()/1000, s.each(), s.cost()/s.own.cost(), s.allocs, min(s.questions, len(q.Asked)), text, met)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out)
	return nil
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "NOT MET"
}

// each are the rounds, in order.
func (s *subject) each() string {
	var parts []string
	for _, c := range s.costs {
		parts = append(parts, fmt.Sprintf("%.3g", c/1000))
	}
	return strings.Join(parts, " ")
}

// load is the machine's, over one minute.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Fields(string(text))[0]
}

// processor is what the machine says that it is.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	_, after, _ := strings.Cut(string(text), "model name")
	line, _, _ := strings.Cut(after, "\n")
	return strings.TrimSpace(strings.TrimLeft(line, "\t :"))
}

func micro(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
