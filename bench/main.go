// Command bench puts the product's decisions beside those of other engines: the
// same institution, the same questions, in one process and in turns, so that the
// ratios are from one run. It prints tables in which every bar stands with what
// was measured, and whether that is enough.
//
//	cd bench && go run .           everything, about ten minutes
//	cd bench && go run . -small    everything in small, to see that it works
//	cd bench && go run . -part smallest -only OpenFGA
//
// README.md tells what is measured, and how each engine is asked.
package main

import (
	_ "embed"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"mandate/bench/peer/casbin"
	"mandate/bench/peer/cedar"
	"mandate/bench/peer/cerbos"
	"mandate/bench/peer/opa"
	"mandate/bench/peer/openfga"
	"mandate/bench/world"
)

// sizes say how much is measured.
type sizes struct {
	large, middle, small int // organizations
	questions            int
	changes              int
	peers                int // a peer's questions are divided by this
	http                 []string
	only                 string // a part of a peer's name; empty: all peers
}

// parts are what is measured, in order.
var parts = []struct {
	name    string
	measure func(io.Writer, sizes) error
}{{"large", large}, {"own", own}, {"middle", middle}, {"smallest", smallest}, {"load", loading}, {"http", overHTTP}}

var (
	full  = sizes{large: 10_000, middle: 1_000, small: 100, questions: 200_000, changes: 50_000, peers: 1}
	quick = sizes{large: 100, middle: 20, small: 3, questions: 4_000, changes: 500, peers: 20,
		http: []string{"--organizations", "20", "--each", "100ms", "--rounds", "1", "--changes", "50"}}
)

const seed = 7

func main() {
	small := flag.Bool("small", false, "measure so little that the numbers mean nothing")
	part := flag.String("part", "", "measure only one part: large, own, middle, smallest, load or http")
	only := flag.String("only", "", "beside the engine and the bare loop, measure only peers whose name has this in it")
	flag.Parse()
	s := full
	if *small {
		s = quick
		least = 10 * time.Millisecond
	}
	s.only = *only
	if err := run(os.Stdout, s, *part); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, s sizes, part string) error {
	fmt.Fprintf(out, "%s, %d processors, %s; load at the beginning %s.\n", runtime.Version(), runtime.NumCPU(), processor(), load())
	fmt.Fprintf(out, "CPU time of one decision on one core, the collector's included, median of %d rounds in turns. Every answer was held against entitlement.Decide first.\n\n", rounds)
	known := part == ""
	for _, p := range parts {
		if part != "" && part != p.name {
			continue
		}
		known = true
		if err := p.measure(out, s); err != nil {
			return err
		}
		debug.FreeOSMemory()
	}
	if !known {
		return fmt.Errorf("there is no part %q", part)
	}
	fmt.Fprintf(out, "The bare loop:\n\n%s\n", bareLoop())
	return nil
}

// questionsOf tells how many questions a peer answers in a round.
func (s sizes) questionsOf(peer int) int { return max(1, peer/s.peers) }

// among are the peers that were asked for.
func (s sizes) among(peers ...*subject) (wanted []*subject) {
	for _, p := range peers {
		if strings.Contains(strings.ToLower(p.name), strings.ToLower(s.only)) {
			wanted = append(wanted, p)
		}
	}
	return wanted
}

// large is the institution of the whole size: the engine itself, and cedar-go.
func large(out io.Writer, s sizes) error {
	w := world.New(s.large, seed)
	q := w.Ask(s.questions, false)
	o := newOurs(w)
	b := newBare(w)
	c, err := cedar.New(w)
	if err != nil {
		return fmt.Errorf("load cedar-go: %w", err)
	}
	decide := &subject{name: "mandate", questions: s.questions, answer: o.decide}
	subjects := []*subject{
		decide,
		{name: "mandate, with every reason", questions: s.questions, answer: o.explain, bar: times(1.2, "at most")},
		{name: "bare loop over the same tables", questions: s.questions, answer: b.decide, bar: bareBar},
	}
	peers := s.among(
		&subject{name: "cedar-go 1.9.0, the action's policy", questions: s.questionsOf(50_000), answer: c.Decide, bar: times(15, "at least")},
		&subject{name: "cedar-go 1.9.0, all policies", questions: s.questionsOf(50_000), answer: c.DecideAmongAll},
	)
	return compare(out, w, q, append(subjects, peers...))
}

// own is what the engine does by itself at that size, with no peer's data in memory.
func own(out io.Writer, s sizes) error {
	w := world.New(s.large, seed)
	o := newOurs(w)
	if err := alone(out, w.Ask(s.questions, true), o); err != nil {
		return err
	}
	if err := twoCores(out, w.Ask(s.questions, false), o); err != nil {
		return err
	}
	if err := changes(out, w, o, s.changes); err != nil {
		return err
	}
	space(out, w, o)
	return nil
}

func middle(out io.Writer, s sizes) error {
	w := world.New(s.middle, seed)
	q := w.Ask(s.questions, false)
	o := newOurs(w)
	p, err := opa.New(w)
	if err != nil {
		return fmt.Errorf("load OPA: %w", err)
	}
	c, err := cerbos.New(w)
	if err != nil {
		return fmt.Errorf("load Cerbos: %w", err)
	}
	return compare(out, w, q, append([]*subject{
		{name: "mandate", questions: s.questions, answer: o.decide},
		{name: "bare loop over the same tables", questions: s.questions, answer: newBare(w).decide, bar: bareBar},
	}, s.among(
		&subject{name: "OPA 1.20.0, parsed input", questions: s.questionsOf(10_000), answer: p.Decide, bar: times(250, "at least")},
		&subject{name: "Cerbos 0.55.0, rule table", questions: s.questionsOf(10_000), answer: c.Decide, bar: times(150, "at least")},
	)...))
}

func smallest(out io.Writer, s sizes) error {
	dir, err := os.MkdirTemp("", "mandate-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	w := world.New(s.small, seed)
	q := w.Ask(s.questions, false)
	o := newOurs(w)
	c, err := casbin.New(w)
	if err != nil {
		return fmt.Errorf("load Casbin: %w", err)
	}
	f, err := openfga.New(w, dir)
	if err != nil {
		return fmt.Errorf("load OpenFGA: %w", err)
	}
	defer f.Close()
	return compare(out, w, q, append([]*subject{
		{name: "mandate", questions: s.questions, answer: o.decide},
		{name: "bare loop over the same tables", questions: s.questions, answer: newBare(w).decide, bar: bareBar},
	}, s.among(
		&subject{name: "Casbin 3.10.0, an enforcer per organization, every level", questions: s.questionsOf(3_000), answer: c.DecideEvery, bar: times(4000, "at least")},
		&subject{name: "Casbin 3.10.0, the same, until one refuses", questions: s.questionsOf(3_000), answer: c.Decide},
		&subject{name: "OpenFGA 1.22.1, materialized, SQLite", questions: s.questionsOf(3_000), answer: f.Decide, bar: times(2500, "at least")},
	)...))
}

// overHTTP asks the program itself, which measures with client and server apart.
// It stands beside this module.
func overHTTP(out io.Writer, s sizes) error {
	command := exec.Command("go", append([]string{"run", "./cmd/mandate", "bench", "decisions"}, s.http...)...)
	command.Dir, command.Stdout, command.Stderr = "..", out, os.Stderr
	fmt.Fprintf(out, "Over HTTP, by %s:\n\n", strings.Join(command.Args[2:], " "))
	if err := command.Run(); err != nil {
		return fmt.Errorf("measure decisions over HTTP: %w", err)
	}
	fmt.Fprintln(out)
	return nil
}

//go:embed bare.go
var bareText string

// bareLoop is the code of the bare loop itself.
func bareLoop() string {
	_, loop, _ := strings.Cut(bareText, "// begin of the loop\n")
	return strings.TrimSpace(loop)
}
