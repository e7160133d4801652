package console

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/staff"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// Grouping is what the console needs to show and choose groups where there are
// many.
type Grouping interface {
	GroupPage(context.Context, bank.Caller, staff.GroupQuery) (staff.GroupPage, error)
	GroupsNamed(context.Context, bank.Caller, []bank.GroupID) ([]staff.Group, error)
	GroupCalled(ctx context.Context, caller bank.Caller, name string) (staff.Group, error)
}

// fewGroups is how many groups are shown at once where somebody chooses; a
// search finds the others.
const fewGroups = 50

// A groupChooser is where somebody ticks groups. Those that are ticked are
// always among the rows, so nothing is lost by searching.
type groupChooser struct {
	Legend, Help string
	Rows         []groupChoice
	Find         ui.Field // empty name where all groups are shown
	Redraw       string   // the address of the form
	More         string   // what is left out, in words
	Wrong        string
}

// The button of a form that searches among the groups and does nothing else.
const (
	pickField  = "pick"
	pickSearch = "search"
	pickJudge  = "judge"
)

// chooser shows the groups that fit the search of a form, and those chosen.
func (a *app) chooser(r *http.Request, f *web.Form, me *staff.Standing, chosen []bank.GroupID, redraw string) (groupChooser, error) {
	c := groupChooser{Redraw: redraw, Wrong: f.Problem("groups")}
	caller, find := web.CallerOf(r.Context()), strings.TrimSpace(f.Raw("find_group"))
	page, err := a.Staff.GroupPage(r.Context(), caller, staff.GroupQuery{Search: find, Size: fewGroups})
	if err != nil {
		return c, err
	}
	var away []bank.GroupID
	for _, id := range chosen {
		if !slices.ContainsFunc(page.Groups, func(g staff.Group) bool { return g.ID == id }) {
			away = append(away, id)
		}
	}
	ticked, err := a.Staff.GroupsNamed(r.Context(), caller, away)
	if err != nil {
		return c, err
	}
	shown := append(ticked, page.Groups...)
	products, err := a.declaring(r, shown...)
	if err != nil {
		return c, err
	}
	c.Rows = choices(shown, me, chosen, products)
	if page.Total > fewGroups || find != "" {
		c.Find = f.Field("find_group", "Find a group")
		c.Find.Optional = true
		c.More = ui.Count(page.Matching, "group fits", "groups fit")
		if page.Matching > len(page.Groups) {
			c.More += "; the first " + ui.Count(len(page.Groups), "one is", "are") + " shown, and those that are ticked"
		}
		c.More += "."
	}
	return c, nil
}
