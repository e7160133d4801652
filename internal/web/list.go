package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"mandate/internal/web/ui"
)

// Bounds of what an address may ask of a list.
const (
	maxSearch  = 100
	maxPage    = 10_000
	maxPerPage = 200
	perPage    = 50
)

// A ListSpec says what a list can be asked for. Whatever else an address says
// is ignored: a list never fails, it shows what it can.
type ListSpec struct {
	Sorts   []string            // the first is the order it comes in; "-name" is descending
	Filters map[string][]string // per name the values that exist; none means any text
	PerPage int
}

// A List is what an address asks of a list.
type List struct {
	Search     string
	Sort       string // one of the spec's, without a sign
	Descending bool
	Page       int // from 1
	PerPage    int

	path    string
	first   string
	filters map[string]string
}

// ReadList reads the address of a list page.
func ReadList(r *http.Request, spec ListSpec) List {
	q := r.URL.Query()
	l := List{path: r.URL.Path, PerPage: spec.PerPage, Page: 1, filters: map[string]string{}}
	if l.PerPage <= 0 || l.PerPage > maxPerPage {
		l.PerPage = perPage
	}
	l.Search = cut(strings.TrimSpace(strings.ToValidUTF8(q.Get("q"), "")), maxSearch)
	if page, err := strconv.Atoi(q.Get("page")); err == nil {
		l.Page = min(max(page, 1), maxPage)
	}
	for name, values := range spec.Filters {
		if v := q.Get(name); v != "" && utf8.ValidString(v) && len(v) <= maxSearch && (len(values) == 0 || slices.Contains(values, v)) {
			l.filters[name] = v
		}
	}
	l.readSort(q.Get("sort"), spec.Sorts)
	return l
}

func (l *List) readSort(asked string, sorts []string) {
	if len(sorts) == 0 {
		return
	}
	l.first = sorts[0]
	name := strings.TrimPrefix(asked, "-")
	known := slices.ContainsFunc(sorts, func(s string) bool { return strings.TrimPrefix(s, "-") == name })
	if !known {
		asked = l.first
	}
	l.Sort, l.Descending = strings.TrimPrefix(asked, "-"), strings.HasPrefix(asked, "-")
}

func cut(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most])
	}
	return s
}

// Filter is the value of a filter; empty for any.
func (l List) Filter(name string) string { return l.filters[name] }

// Narrowed reports whether a search or filter leaves something out.
func (l List) Narrowed() bool { return l.Search != "" || len(l.filters) > 0 }

// Offset is how many rows stand before this page.
func (l List) Offset() int { return (l.Page - 1) * l.PerPage }

func (l List) sortText() string {
	if l.Descending {
		return "-" + l.Sort
	}
	return l.Sort
}

// Href is the address that asks for l.
func (l List) Href() string {
	q := url.Values{}
	if l.Search != "" {
		q.Set("q", l.Search)
	}
	for name, value := range l.filters {
		q.Set(name, value)
	}
	if l.Sort != "" && l.sortText() != l.first {
		q.Set("sort", l.sortText())
	}
	if l.Page > 1 {
		q.Set("page", strconv.Itoa(l.Page))
	}
	if len(q) == 0 {
		return l.path
	}
	return l.path + "?" + q.Encode()
}

// At is l at another page.
func (l List) At(page int) List {
	l.Page = page
	return l
}

// Clear is l without search and filters, but for those that are kept: without what
// it asks for, a list may be none.
func (l List) Clear(kept ...string) List {
	filters := map[string]string{}
	for _, name := range kept {
		if value := l.filters[name]; value != "" {
			filters[name] = value
		}
	}
	l.Search, l.filters, l.Page = "", filters, 1
	return l
}

// Column is a head that sorts: a second click turns the order round.
func (l List) Column(sort, label string) ui.Column {
	c := ui.Column{Label: label}
	next := l.At(1)
	next.Sort, next.Descending = sort, false
	if l.Sort == sort {
		next.Descending = !l.Descending
		c.Sorted = "ascending"
		if l.Descending {
			c.Sorted = "descending"
		}
	}
	c.Href = next.Href()
	return c
}

// Pager is the navigation below a list of total rows.
func (l List) Pager(label string, total int) ui.Pager {
	p := ui.Pager{Label: label, Total: total, From: min(l.Offset()+1, total), To: min(l.Offset()+l.PerPage, total)}
	if l.Page > 1 {
		p.Previous = l.At(min(l.Page-1, max(1, l.pages(total)))).Href()
	}
	if l.Page < l.pages(total) {
		p.Next = l.At(l.Page + 1).Href()
	}
	return p
}

func (l List) pages(total int) int { return min((total+l.PerPage-1)/l.PerPage, maxPage) }

// Toolbar is the search and the filters as they stand; the caller adds options.
func (l List) Toolbar(search, result string, filters ...ui.Filter) ui.Toolbar {
	t := ui.Toolbar{Action: l.path, Label: search, Search: l.Search, Result: result}
	for _, f := range filters {
		f.Value = l.filters[f.Name]
		t.Filters = append(t.Filters, f)
	}
	if l.Sort != "" && l.sortText() != l.first {
		t.Keep = append(t.Keep, [2]string{"sort", l.sortText()})
	}
	if l.Narrowed() {
		t.Clear = l.Clear().Href()
	}
	return t
}
