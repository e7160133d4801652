// Package decisions reads files of decisions that anybody can read: a policy,
// requests, and what must come of each. The same files are asked of the engine,
// of its second reading, of both databases and of the API. It is for tests
// only, and it decides nothing.
//
// A file is a sentence and three parts:
//
//	The per wire limit, alone.
//	-- policy --
//	institution  wires
//	organization wires
//	user         wires
//	permission   wires.work
//	permission   wires.per_wire_limit 25000.00
//	account      operating account.access wires.work
//	-- requests --
//	wires.transmit operating 25000.00  allow
//	wires.transmit operating 25000.01  refuse LIMIT_PER_TRANSACTION wires.per_wire_limit
//	-- first request, one thing changed --
//	without organization wires         refuse ORGANIZATION_OFF
//	with    held                       refuse MEMBER_HELD
//
// A policy line is one fact or several: edition, now, institution, organization,
// ceiling, off (of an account), used (authorized before), and about the member
// in hand user, permission, account, role, status, held. "member lee" takes the
// next member in hand; the first is dana, who makes every request.
//
// A request is an operation, an account or two, an amount, and key=value
// context, each where the operation has one; "-" is none. Behind refuse stands
// every reason, each by its code and as much of permission, account and level
// as is worth saying.
package decisions

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mandate/internal/entitlement/reference"
)

// A Case is one request in one world, and what must come of it.
type Case struct {
	Name   string // the file and line
	World  reference.World
	Before []reference.Authorization // made first; each must be allowed
	Ask    reference.Request
	Want   Want
}

// A Want is an expectation: allow, approve or refuse, and all reasons.
type Want struct {
	Verdict string
	Reasons [][]string // the code, and details of which each must be there
}

// Met reports whether an answer is what was wanted.
func (w Want) Met(got reference.Answer) bool {
	approval := got.ApprovalRequired != nil && *got.ApprovalRequired
	if got.Decision == nil || *got.Decision != (w.Verdict != "refuse") || approval != (w.Verdict == "approve") || len(got.Reasons) != len(w.Reasons) {
		return false
	}
	left := slices.Clone(got.Reasons)
	for _, wanted := range w.Reasons {
		at := slices.IndexFunc(left, func(r reference.Reason) bool { return matches(wanted, r) })
		if at < 0 {
			return false
		}
		left = slices.Delete(left, at, at+1)
	}
	return true
}

func matches(wanted []string, r reference.Reason) bool {
	details := []string{r.Code, r.Level, r.Permission, r.Account}
	return wanted[0] == r.Code && !slices.ContainsFunc(wanted, func(d string) bool { return !slices.Contains(details, d) })
}

func (w Want) String() string {
	parts := []string{w.Verdict}
	for _, reason := range w.Reasons {
		parts = append(parts, strings.Join(reason, " "))
	}
	return strings.Join(parts, " ")
}

// ReadAll reads every file of a folder.
func ReadAll(folder string) ([]Case, error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no decisions in %s", folder)
	}
	var all []Case
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		cases, err := Read(filepath.Base(name), string(text))
		if err != nil {
			return nil, err
		}
		all = append(all, cases...)
	}
	return all, nil
}

// The parts of a file.
const (
	policyPart   = "-- policy --"
	requestsPart = "-- requests --"
	changedPart  = "-- first request, one thing changed --"
)

// Read reads one file.
func Read(name, text string) ([]Case, error) {
	var facts []fact
	var cases []Case
	part := ""
	for i, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if strings.HasPrefix(line, "-- ") {
			part = line
			continue
		}
		if len(words) == 0 || part == "" || words[0] == "#" {
			continue
		}
		var err error
		switch part {
		case policyPart:
			facts = append(facts, factsOf(words, inHand(facts), facts)...)
		case requestsPart:
			cases, err = addRequest(cases, facts, words)
		case changedPart:
			cases, err = addChanged(cases, facts, words)
		default:
			err = errors.New("there is no such part")
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, i+1, err)
		}
		if len(cases) > 0 && cases[len(cases)-1].Name == "" {
			cases[len(cases)-1].Name = fmt.Sprintf("%s:%d", name, i+1)
		}
	}
	return cases, nil
}

func addRequest(cases []Case, facts []fact, words []string) ([]Case, error) {
	words, want, err := splitWant(words)
	if err != nil {
		return nil, err
	}
	ask, err := readRequest(words)
	if err != nil {
		return nil, err
	}
	return addCase(cases, facts, ask, want)
}

// addChanged asks the first request again, with or without a fact about the
// member who makes it.
func addChanged(cases []Case, facts []fact, words []string) ([]Case, error) {
	words, want, err := splitWant(words)
	if err != nil {
		return nil, err
	}
	if len(cases) == 0 || len(words) < 2 {
		return nil, errors.New("a change is with or without a fact, of a request")
	}
	changed := slices.Clone(facts)
	for _, f := range factsOf(words[1:], firstMember, facts) {
		switch at := slices.IndexFunc(changed, f.same); {
		case words[0] == "with":
			changed = append(changed, f)
		case words[0] != "without" || at < 0:
			return nil, fmt.Errorf("there is no %v to do without", f)
		default:
			changed = slices.Delete(changed, at, at+1)
		}
	}
	return addCase(cases, changed, cases[0].Ask, want)
}

func addCase(cases []Case, facts []fact, ask reference.Request, want Want) ([]Case, error) {
	world, before, err := build(facts)
	return append(cases, Case{World: world, Before: before, Ask: ask, Want: want}), err
}

// splitWant takes the expectation off the end of a line.
func splitWant(words []string) ([]string, Want, error) {
	at := slices.IndexFunc(words, func(w string) bool { return w == "allow" || w == "approve" || w == "refuse" })
	if at < 1 {
		return nil, Want{}, errors.New("a line ends with allow, approve or refuse")
	}
	want := Want{Verdict: words[at]}
	for _, word := range words[at+1:] {
		if word == strings.ToUpper(word) {
			want.Reasons = append(want.Reasons, []string{word})
			continue
		}
		if len(want.Reasons) == 0 {
			return nil, Want{}, fmt.Errorf("%q is no reason", word)
		}
		last := &want.Reasons[len(want.Reasons)-1]
		*last = append(*last, word)
	}
	if (want.Verdict == "refuse") != (len(want.Reasons) > 0) {
		return nil, Want{}, errors.New("a refusal has reasons, and nothing else has")
	}
	return words[:at], want, nil
}
