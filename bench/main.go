package main

import (
	"flag"
	"fmt"
	"os"

	"mandate/bench/peer/casbin"
	"mandate/bench/peer/cedar"
	"mandate/bench/peer/cerbos"
	"mandate/bench/peer/opa"
	"mandate/bench/peer/openfga"
	"mandate/bench/world"
)

func main() {
	orgs := flag.Int("orgs", 10_000, "organizations")
	flag.Parse()
	w := world.New(*orgs, 7)
	q := w.Ask(200_000, false)
	o := newOurs(w)
	fmt.Println(len(q.Asked), q.Allowed(), float64(o.store.Size())/float64(w.MemberAccounts()), float64(o.heap)/float64(w.MemberAccounts()))
	ss := []*subject{{name: "mandate", questions: 200_000, answer: o.decide}, {name: "explain", questions: 200_000, answer: o.explain}}
	ce, err := cedar.New(w)
	if err != nil {
		panic(err)
	}
	if *orgs <= 100 {
		ca, err := casbin.New(w)
		if err != nil {
			panic(err)
		}
		dir, _ := openfga.Folder()
		defer os.RemoveAll(dir)
		fg, err := openfga.Materialized(w, dir)
		if err != nil {
			panic(err)
		}
		fmt.Println(fg.Tuples)
		ss = append(ss, &subject{name: "casbin", questions: 1000, answer: ca.Decide}, &subject{name: "openfga", questions: 1000, answer: fg.Decide})
	}
	op, err := opa.New(w)
	if err != nil {
		panic(err)
	}
	cb, err := cerbos.New(w)
	if err != nil {
		panic(err)
	}
	_ = append(ss, &subject{name: "opa", questions: 5000, answer: op.Decide}, &subject{name: "cerbos", questions: 10_000, answer: cb.Decide})
	_ = append(ss, &subject{name: "cedar", questions: 50_000, answer: ce.Decide}, &subject{name: "cedar all", questions: 20_000, answer: ce.DecideAmongAll})
	for _, s := range ss {
		if err := s.check(q); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	measure(q, ss)
	for _, s := range ss {
		fmt.Println(s.name, s.cost(), s.costs, s.allocs, load())
	}
}
