package conformance

import (
	"fmt"
	"slices"
	"strings"
)

// An answer has the fields of an expectation: what came out of a step.
type answer = Expect

// meets reports whether an answer is what a file expects. Reasons and problems
// are sets: their order and repetition say nothing.
func meets(want, got *answer) bool {
	return same(want.Decision, got.Decision) && same(want.ApprovalRequired, got.ApprovalRequired) && same(want.Accepted, got.Accepted) &&
		sameSet(want.Reasons, got.Reasons) && sameSet(want.Problems, got.Problems) && sameSet(want.TurnedOff, got.TurnedOff)
}

func same(want, got *bool) bool {
	if want == nil || got == nil {
		return want == got
	}
	return *want == *got
}

func sameSet[T comparable](want, got *[]T) bool {
	if want == nil || got == nil {
		return want == got
	}
	return within(*want, *got) && within(*got, *want)
}

func within[T comparable](some, all []T) bool {
	return !slices.ContainsFunc(some, func(one T) bool { return !slices.Contains(all, one) })
}

// String writes an answer on one line.
func (e *Expect) String() string {
	var parts []string
	flag := func(name string, value *bool) {
		if value != nil {
			parts = append(parts, fmt.Sprintf("%s=%t", name, *value))
		}
	}
	flag("decision", e.Decision)
	flag("approval_required", e.ApprovalRequired)
	flag("accepted", e.Accepted)
	if e.Reasons != nil {
		parts = append(parts, "reasons="+list(*e.Reasons))
	}
	if e.Problems != nil {
		parts = append(parts, "problems="+list(*e.Problems))
	}
	if e.TurnedOff != nil {
		parts = append(parts, "turned_off="+list(*e.TurnedOff))
	}
	return strings.Join(parts, " ")
}

// list writes a set in an order of its own, so that two can be compared by eye.
func list[T any](all []T) string {
	texts := make([]string, len(all))
	for i, one := range all {
		texts[i] = fmt.Sprint(one)
	}
	slices.Sort(texts)
	return "[" + strings.Join(slices.Compact(texts), ", ") + "]"
}

func (r Reason) String() string { return words(r.Code, "at "+r.Level, r.Permission, "on "+r.Account) }

func (p Problem) String() string { return words(p.Code, p.Permission, "needs "+p.Needs) }

// words joins what says something.
func words(all ...string) string {
	return strings.Join(slices.DeleteFunc(all, func(w string) bool { return w == "" || strings.HasSuffix(w, " ") }), " ")
}
