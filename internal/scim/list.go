package scim

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"mandate/internal/fault"
)

// A query is what a list is asked for (RFC 7644, section 3.4.2).
type query struct {
	filter     string
	sortBy     string
	descending bool
	start      int // from 1
	count      int
	include    []string // attributes to show; empty: those that are shown by default
	exclude    []string
}

func readQuery(v url.Values) (q query, err error) {
	if err := allowed(v, "filter", "sortBy", "sortOrder", "startIndex", "count", "attributes", "excludedAttributes"); err != nil {
		return q, err
	}
	q = query{filter: v.Get("filter"), sortBy: v.Get("sortBy"), descending: strings.EqualFold(v.Get("sortOrder"), "descending"),
		include: names(v.Get("attributes")), exclude: names(v.Get("excludedAttributes"))}
	if q.start, err = number("startIndex", v.Get("startIndex"), 1); err != nil {
		return q, err
	}
	q.count, err = number("count", v.Get("count"), pageSize)
	return q.bounded(), err
}

// allowed refuses parameters that are given more than once.
func allowed(v url.Values, names ...string) error {
	for _, name := range names {
		if len(v[name]) > 1 {
			return fault.Newf(fault.Invalid, "%s is given more than once.", name).With(invalidValue)
		}
	}
	return nil
}

func number(name, text string, unsaid int) (int, error) {
	if text == "" {
		return unsaid, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fault.Newf(fault.Invalid, "%s must be a whole number.", name).With(invalidValue)
	}
	return n, nil
}

// bounded reads numbers out of range as the protocol asks.
func (q query) bounded() query {
	q.start, q.count = max(q.start, 1), min(max(q.count, 0), maxResults)
	return q
}

func names(list string) (out []string) {
	for one := range strings.SplitSeq(list, ",") {
		if one = strings.TrimSpace(one); one != "" {
			out = append(out, bare(one))
		}
	}
	return out
}

// bare is an attribute's name without its schema.
func bare(name string) string {
	if strings.HasPrefix(strings.ToLower(name), "urn:") {
		return name[strings.LastIndexByte(name, ':')+1:]
	}
	return name
}

// search is a list that is asked for in a body.
func (e *Edge) search(r request) (answer, error) {
	in := reader{from: r.body}
	q := query{filter: in.text("filter"), sortBy: in.text("sortBy"), descending: strings.EqualFold(in.text("sortOrder"), "descending"),
		start: in.whole("startIndex", 1), count: in.whole("count", pageSize), include: in.names("attributes"), exclude: in.names("excludedAttributes")}
	if err := in.problems.Err("The search cannot be done like this."); err != nil {
		return answer{}, err
	}
	return e.list(r, q.bounded())
}

func (r *reader) whole(name string, unsaid int) int {
	value, there := r.from[name]
	if !there {
		return unsaid
	}
	n, ok := value.(float64)
	if !ok || n != float64(int(n)) {
		r.problems.Add(name, "It must be a whole number.")
	}
	return int(n)
}

func (r *reader) names(name string) (out []string) {
	if s, ok := r.from[name].(string); ok {
		return names(s)
	}
	for _, one := range listOf(r.from[name]) {
		s, ok := one.(string)
		if !ok {
			r.problems.Add(name, "It must be a list of names.")
			continue
		}
		out = append(out, bare(strings.TrimSpace(s)))
	}
	return out
}

type listBody struct {
	Schemas   []string `json:"schemas"`
	Total     int      `json:"totalResults"`
	Start     int      `json:"startIndex"`
	PerPage   int      `json:"itemsPerPage"`
	Resources []any    `json:"Resources"`
}

// list answers with a page of one kind, or of all where none is named.
func (e *Edge) list(r request, q query) (answer, error) {
	asked := kinds
	if r.kind != nil {
		asked = []*kind{r.kind}
	}
	page := listBody{Schemas: []string{urnList}, Start: q.start, Resources: []any{}}
	left := q
	for _, k := range asked {
		found, total, err := e.window(r, k, left)
		if err != nil && len(asked) > 1 && fault.KindOf(err) == fault.Invalid && q.filter != "" {
			continue // the other kind may have the attribute
		}
		if err != nil {
			return answer{}, err
		}
		for _, one := range found {
			one["meta"].(map[string]any)["version"] = etag(one)
			page.Resources = append(page.Resources, q.project(k.schema, one))
		}
		page.Total += total
		left.start, left.count = max(left.start-total, 1), left.count-len(found)
	}
	page.PerPage = len(page.Resources)
	return answer{status: http.StatusOK, body: page}, nil
}

// window is the part of a kind that a query asks for, and how many fit.
func (e *Edge) window(r request, k *kind, q query) ([]map[string]any, int, error) {
	f, err := readFilter(k.schema, q.filter)
	if err != nil {
		return nil, 0, err
	}
	l := lookup{bare: !q.wants("members"), offset: q.start - 1, limit: q.count}
	if f == nil && q.sortBy == "" {
		return k.find(e, r, l)
	}
	l.offset, l.limit = 0, everything
	if f != nil {
		if key, value, ok := f.indexed(); ok && key == "id" {
			l.id = value
		} else if ok {
			l.key, l.value = key, value
		}
		l.bare = l.bare && !strings.Contains(strings.ToLower(q.filter), "members")
	}
	all, _, err := k.find(e, r, l)
	if err != nil {
		return nil, 0, err
	}
	if f != nil {
		all = slices.DeleteFunc(all, func(one map[string]any) bool { return !f.fits(one) })
	}
	q.sort(k.schema, all)
	from := min(q.start-1, len(all))
	return all[from:min(from+q.count, len(all))], len(all), nil
}

// everything is more than an institution has.
const everything = 1 << 30

// sort puts resources in order; those without the value come last.
func (q query) sort(s *schema, all []map[string]any) {
	name, sub, _ := strings.Cut(bare(q.sortBy), ".")
	a := s.find(name)
	if a == nil {
		return
	}
	key := func(one map[string]any) string {
		values := listOf(one[a.Name])
		if a.Type == "complex" {
			part := find(a.Subs, cmp.Or(sub, "value"))
			if part == nil {
				return ""
			}
			values = inside(values, part.Name)
		}
		if len(values) == 0 {
			return ""
		}
		return strings.ToLower(fmt.Sprint(values[0]))
	}
	slices.SortStableFunc(all, func(x, y map[string]any) int {
		one, other := key(x), key(y)
		if (one == "") != (other == "") {
			return cmp.Compare(other, one) // the empty one is last
		}
		if q.descending {
			return cmp.Compare(other, one)
		}
		return cmp.Compare(one, other)
	})
}

// wants reports whether an attribute is to be shown.
func (q query) wants(name string) bool {
	mentions := func(list []string) bool {
		return slices.ContainsFunc(list, func(one string) bool {
			top, _, _ := strings.Cut(one, ".")
			return strings.EqualFold(top, name)
		})
	}
	if len(q.include) > 0 {
		return mentions(q.include)
	}
	return !slices.ContainsFunc(q.exclude, func(one string) bool { return strings.EqualFold(one, name) })
}

// project is a resource as far as it is asked for.
func (q query) project(s *schema, resource map[string]any) map[string]any {
	out := map[string]any{}
	for name, value := range resource {
		a := s.find(name)
		switch {
		case a.Returned == "always":
			out[name] = value
		case q.wants(name):
			out[name] = q.parts(a, value)
		}
	}
	return out
}

// parts leaves those parts of an attribute out that are not asked for.
func (q query) parts(a *attribute, value any) any {
	var only, never []string
	for _, one := range q.include {
		if top, sub, ok := strings.Cut(one, "."); ok && strings.EqualFold(top, a.Name) {
			only = append(only, sub)
		} else if strings.EqualFold(one, a.Name) {
			return value
		}
	}
	for _, one := range q.exclude {
		if top, sub, ok := strings.Cut(one, "."); ok && strings.EqualFold(top, a.Name) {
			never = append(never, sub)
		}
	}
	if only == nil && never == nil {
		return value
	}
	keep := func(object map[string]any) map[string]any {
		out := map[string]any{}
		for name, v := range object {
			is := func(one string) bool { return strings.EqualFold(one, name) }
			if (only == nil || slices.ContainsFunc(only, is)) && !slices.ContainsFunc(never, is) {
				out[name] = v
			}
		}
		return out
	}
	if list, ok := value.([]any); ok {
		out := make([]any, 0, len(list))
		for _, one := range list {
			if object, ok := one.(map[string]any); ok {
				out = append(out, keep(object))
			}
		}
		return out
	}
	if object, ok := value.(map[string]any); ok {
		return keep(object)
	}
	return value
}
