package decisions

import (
	"fmt"
	"slices"
	"strings"

	"mandate/internal/entitlement/reference"
)

// A fact is one thing that a policy says: a kind, about whom, and the rest.
type fact struct {
	kind, member string
	rest         []string
}

func (f fact) same(other fact) bool {
	return f.kind == other.kind && f.member == other.member && slices.Equal(f.rest, other.rest)
}

const firstMember = "dana"

// factsOf reads a line about a member. A line that lists several things is as
// many facts, so that each can be taken away alone.
func factsOf(words []string, member string, before []fact) []fact {
	kind, rest := words[0], words[1:]
	var facts []fact
	switch kind {
	case "institution", "organization", "user":
		for _, one := range rest {
			facts = append(facts, fact{kind, member, []string{one}})
		}
	case "account":
		if !slices.ContainsFunc(before, func(f fact) bool { return f.kind == "account" && f.rest[0] == rest[0] && len(f.rest) == 1 }) {
			facts = append(facts, fact{kind, "", rest[:1]})
		}
		for _, one := range rest[1:] {
			facts = append(facts, fact{kind, member, []string{rest[0], one}})
		}
	default:
		facts = append(facts, fact{kind, member, rest})
	}
	return facts
}

// inHand is the member that the next line of a policy is about.
func inHand(facts []fact) string {
	for _, f := range slices.Backward(facts) {
		if f.kind == "member" {
			return f.rest[0]
		}
	}
	return firstMember
}

// build makes the world that the facts describe.
func build(facts []fact) (w reference.World, before []reference.Authorization, err error) {
	w = reference.World{Now: "2026-03-02T15:00:00-06:00"}
	w.Institution.Edition, w.Institution.TimeZone = "bank", "America/Chicago"
	w.Institution.Offers, w.Organization.Entitlements, w.Accounts = []string{}, []string{}, []string{}
	w.Organization.Ceilings, w.Organization.AccountsOff = map[string]string{}, map[string][]string{}
	for _, f := range append([]fact{{"member", "", []string{firstMember}}}, facts...) {
		if f.kind == "used" {
			ask, err := readRequest(f.rest)
			if err != nil {
				return w, nil, err
			}
			ask.Member = f.member
			before = append(before, reference.Authorization{Ref: fmt.Sprint("before ", len(before)), Request: ask})
			continue
		}
		if err := f.put(&w); err != nil {
			return w, nil, fmt.Errorf("%s %s: %w", f.kind, strings.Join(f.rest, " "), err)
		}
	}
	return w, before, nil
}

// put adds the fact to a world.
func (f fact) put(w *reference.World) error {
	i, o := &w.Institution, &w.Organization
	if !f.complete() {
		return fmt.Errorf("there is no such fact")
	}
	switch f.kind {
	case "edition":
		i.Edition = f.rest[0]
	case "now":
		w.Now = f.rest[0]
	case "institution":
		i.Offers = append(i.Offers, f.rest[0])
	case "organization":
		o.Entitlements = append(o.Entitlements, f.rest[0])
	case "ceiling":
		o.Ceilings[f.rest[0]] = f.rest[1]
	case "off":
		o.AccountsOff[f.rest[0]] = append(o.AccountsOff[f.rest[0]], f.rest[1])
	case "member":
		w.Members = append(w.Members, reference.Member{ID: f.rest[0], Role: "user", Status: "active",
			Permissions: map[string]any{}, Accounts: map[string]map[string]any{}})
	case "account":
		if len(f.rest) == 1 {
			w.Accounts = append(w.Accounts, f.rest[0])
			return nil
		}
		return f.about(w)
	default:
		return f.about(w)
	}
	return nil
}

// complete reports whether the fact has as many words as its kind takes.
func (f fact) complete() bool {
	words := map[string][]int{"edition": {1}, "now": {1}, "institution": {1}, "organization": {1}, "ceiling": {2}, "off": {2}, "member": {1},
		"account": {1, 2}, "user": {1}, "permission": {1, 2}, "role": {1}, "status": {1}, "held": {0}}
	return slices.Contains(words[f.kind], len(f.rest))
}

// about adds a fact about a member.
func (f fact) about(w *reference.World) error {
	at := slices.IndexFunc(w.Members, func(m reference.Member) bool { return m.ID == f.member })
	m := &w.Members[at]
	switch f.kind {
	case "user":
		m.Permissions[f.rest[0]+".enabled"] = true
	case "permission":
		m.Permissions[f.rest[0]] = valueOf(f.rest[1:])
	case "account":
		id, value, given := strings.Cut(f.rest[1], "=")
		if m.Accounts[f.rest[0]] == nil {
			m.Accounts[f.rest[0]] = map[string]any{}
		}
		m.Accounts[f.rest[0]][id] = true
		if given {
			m.Accounts[f.rest[0]][id] = value
		}
	case "role":
		m.Role = f.rest[0]
	case "status":
		m.Status = f.rest[0]
	case "held":
		m.Held = true
	}
	return nil
}

func valueOf(given []string) any {
	if len(given) == 0 {
		return true
	}
	return given[0]
}

// readRequest reads "operation account>to_account amount key=value ...".
func readRequest(words []string) (reference.Request, error) {
	q := reference.Request{Member: firstMember, Operation: words[0]}
	var places []string
	for _, word := range words[1:] {
		key, value, isContext := strings.Cut(word, "=")
		if !isContext {
			places = append(places, word)
			continue
		}
		if q.Context == nil {
			q.Context = map[string]any{}
		}
		q.Context[key] = contextValue(value)
	}
	if len(places) > 2 {
		return q, fmt.Errorf("%v is more than accounts and amount", places)
	}
	for i, place := range places {
		switch {
		case place == "-":
		case i == 0:
			q.Account, q.ToAccount, _ = strings.Cut(place, ">")
		default:
			q.Amount = place
		}
	}
	return q, nil
}

func contextValue(text string) any {
	switch text {
	case "true":
		return true
	case "false":
		return false
	case "null":
		return nil
	}
	return text
}
