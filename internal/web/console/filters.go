package console

import (
	"cmp"
	"net/http"
	"net/url"

	"mandate/internal/staff"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// A savedFilter is one of the filters that somebody keeps for a page.
type savedFilter struct {
	Name, Query  string
	Href, Forget string
	Keep         string // where it is kept anew, as the one that the page begins with or not; empty: no page of this kind begins with one
	First        bool
}

// A keepForm keeps the filter that is set.
type keepForm struct {
	Action string
	Query  string
	Name   ui.Field
	First  ui.Field // empty name: the page begins with none
}

// pageOf is the address of a page that keeps filters.
func (b base) pageOf(page staff.FilterPage) string {
	if page == staff.OfPeople {
		return b.people()
	}
	return b.activity()
}

// savedFilters are those that the caller keeps for a page.
func (a *app) savedFilters(r *http.Request, page staff.FilterPage) (saved []savedFilter, err error) {
	at := baseOf(r).pageOf(page)
	filters, err := a.Staff.Filters(r.Context(), web.CallerOf(r.Context()), page)
	for _, f := range filters {
		one := savedFilter{Name: f.Name, Query: f.Query, Href: at + "?" + f.Query, Forget: at + "/filters/" + url.PathEscape(f.Name) + "/forget", First: f.First}
		if page == staff.OfPeople {
			one.Keep = at + "/filters"
		}
		saved = append(saved, one)
	}
	return saved, err
}

func newKeepForm(b base, page staff.FilterPage, query string) *keepForm {
	k := &keepForm{Action: b.pageOf(page) + "/filters", Query: query, Name: ui.Field{Name: "name", Label: "Keep this filter as", Max: 40}}
	if page == staff.OfPeople {
		k.First = ui.Field{Name: "first", Label: "Begin with it", Optional: true}
	}
	return k
}

// keepFilter keeps what is looked for on a page under a name.
//
// POST /{institution}/activity/filters
// POST /{institution}/people/filters
func (a *app) keepFilter(page staff.FilterPage) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		f := web.ReadForm(r)
		kept := staff.Filter{Page: page, Name: f.Text("name", 40), Query: f.Raw("query"), First: f.Checked("first")}
		if f.OK() {
			if err := f.Take(a.Staff.KeepFilter(r.Context(), web.CallerOf(r.Context()), kept)); err != nil {
				return err
			}
		}
		to := baseOf(r).pageOf(page) + "?" + kept.Query
		if !f.OK() { // the field is one line below the filters, which the address carries
			web.Flash(w, r, ui.Bad, cmp.Or(f.Problem("name"), f.Sentence))
			http.Redirect(w, r, to, http.StatusSeeOther)
			return nil
		}
		return done(w, r, to, "The filter “"+kept.Name+"” was kept")
	}
}

// dropFilter forgets a filter of a page.
//
// POST /{institution}/activity/filters/{name}/forget
// POST /{institution}/people/filters/{name}/forget
func (a *app) dropFilter(page staff.FilterPage) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := a.Staff.DropFilter(r.Context(), web.CallerOf(r.Context()), page, r.PathValue("name")); err != nil {
			return err
		}
		return done(w, r, baseOf(r).pageOf(page), "The filter was removed")
	}
}
