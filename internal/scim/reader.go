package scim

import (
	"strings"

	"mandate/internal/fault"
)

// A reader takes typed values out of a resource and collects what is wrong.
type reader struct {
	from     map[string]any
	within   string // the path of the object
	problems fault.Problems
}

func (r *reader) path(name string) string {
	if r.within == "" {
		return name
	}
	return r.within + "." + name
}

func (r *reader) text(name string) string {
	value, there := r.from[name]
	s, ok := value.(string)
	if there && !ok {
		r.problems.Addf(r.path(name), "It must be text.")
	}
	return strings.TrimSpace(s)
}

func (r *reader) truth(name string, unsaid bool) bool {
	value, there := r.from[name]
	if !there {
		return unsaid
	}
	b, ok := value.(bool)
	if !ok {
		r.problems.Addf(r.path(name), "It must be true or false.")
	}
	return b
}

func (r *reader) object(name string) *reader {
	value, there := r.from[name]
	object, ok := value.(map[string]any)
	if _, plain := object["value"]; there && (!ok || plain) {
		r.problems.Addf(r.path(name), "It must be an object.")
	}
	return &reader{from: object, within: r.path(name)}
}

// list are the objects of a list.
func (r *reader) list(name string) (all []*reader) {
	values, _ := r.from[name].([]any) // canonical makes lists of all that are lists
	for _, value := range values {
		object, ok := value.(map[string]any)
		if !ok {
			r.problems.Addf(r.path(name), "Each of them must be an object.")
			continue
		}
		all = append(all, &reader{from: object, within: r.path(name)})
	}
	return all
}

// first is the value of a list of which we keep one: the primary, or else the
// one for work, or else the first.
func (r *reader) first(name string) string {
	best, value := 0, ""
	for _, one := range r.list(name) {
		rank := 1
		if one.truth("primary", false) {
			rank = 3
		} else if strings.EqualFold(one.text("type"), "work") {
			rank = 2
		}
		if s := one.text("value"); s != "" && rank > best {
			best, value = rank, s
		}
		r.problems = append(r.problems, one.problems...)
	}
	return value
}

func sameText(a, b string) bool { return strings.EqualFold(a, b) }
