package console

import (
	"net/http"
	"slices"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/staff"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type customersPage struct {
	Shell   ui.Shell
	House   string
	Number  string // what a customer number is called here
	Toolbar ui.Toolbar
	Rows    []customerRow
	Pager   ui.Pager
	More    string // that there are more than are counted; empty where there are not
	Saved   []savedFilter
	Keep    *keepForm // nil where nothing is looked for
}

// A customerRow is an organization or a member of one.
type customerRow struct {
	Name, Detail, Href string
	Kind               ui.State
	Of                 string // of a member: the organization
	OfHref             string
	Number             string
	Status             *ui.State // of a member
	Held               bool
}

var customerKinds = []ui.Option{
	{Value: "", Label: "Every customer"}, {Value: string(usermgmt.Organizations), Label: "Organizations"}, {Value: string(usermgmt.Members), Label: "Members of an organization"},
}

const onHold = "held"

var memberStatuses = []ui.Option{
	{Value: "", Label: "Any status"}, {Value: "active", Label: "Active"}, {Value: "pending", Label: "Pending"},
	{Value: "locked", Label: "Locked"}, {Value: "disabled", Label: "Disabled"}, {Value: onHold, Label: "On hold"},
}

// values are what a drop-down can hold besides nothing.
func values(options []ui.Option) (all []string) {
	for _, o := range options[1:] {
		all = append(all, o.Value)
	}
	return all
}

// everyone is what an address says that asks for every customer, also of somebody
// whose page begins with a filter.
const everyone = "?all=1"

// everyCustomer lists all customers. An address that asks for nothing begins
// with the filter that its reader has chosen for that.
//
// GET /{institution}/people
func (a *app) everyCustomer(w http.ResponseWriter, r *http.Request) error {
	saved, err := a.savedFilters(r, staff.OfPeople)
	if err != nil {
		return err
	}
	for _, f := range saved {
		if f.First && r.URL.RawQuery == "" {
			http.Redirect(w, r, f.Href, http.StatusSeeOther)
			return nil
		}
	}
	list := web.ReadList(r, web.ListSpec{Filters: map[string][]string{"kind": values(customerKinds), "status": values(memberStatuses)}})
	q := usermgmt.CustomerQuery{Search: list.Search, Kind: usermgmt.CustomerKind(list.Filter("kind")), Page: list.Page, Size: list.PerPage}
	q.Status, q.Held = statusFilter(list.Filter("status"))
	found, err := a.Customers.Customers(r.Context(), web.CallerOf(r.Context()), q)
	if err != nil {
		return err
	}
	me, err := a.me(r)
	if err != nil {
		return err
	}
	i, err := a.Institutions.Institution(r.Context(), web.CallerOf(r.Context()).Institution)
	if err != nil {
		return err
	}
	list = list.At(found.Page)
	page := customersPage{Saved: saved, House: i.Name, Number: customerNumber(i.Edition), Pager: list.Pager("Customers", found.Matching)}
	if page.Shell, err = a.shell(r, &me, "People"); err != nil {
		return err
	}
	result := ui.Count(found.Matching, "customer", "customers")
	if found.More {
		result = "More than " + result
		page.More = "The first " + ui.Number(usermgmt.MaxCustomers) + " by name are shown. Search for more of the name, or leave something out by a filter."
	}
	page.Toolbar = list.Toolbar("Search by name, username, email or "+page.Number, result,
		ui.Filter{Name: "kind", Label: "Kind of customer", Options: customerKinds}, ui.Filter{Name: "status", Label: "Status of members", Options: memberStatuses})
	if _, query, narrowed := strings.Cut(list.At(1).Href(), "?"); narrowed {
		page.Toolbar.Clear = baseOf(r).people() + everyone
		if !slices.ContainsFunc(saved, func(f savedFilter) bool { return f.Query == query }) {
			page.Keep = newKeepForm(baseOf(r), staff.OfPeople, query)
		}
	}
	for i := range found.Customers {
		page.Rows = append(page.Rows, rowOf(baseOf(r), &found.Customers[i]))
	}
	return web.Render(w, r, http.StatusOK, customersView(page))
}

// statusFilter reads a filter by status or hold.
func statusFilter(value string) (status *bank.Status, held bool) {
	if s, err := bank.ParseStatus(value); err == nil {
		return &s, false
	}
	return nil, value == onHold
}

// customerNumber is what an edition calls the number of a customer.
func customerNumber(edition bank.Edition) string {
	if edition == bank.EditionCreditUnion {
		return "member number"
	}
	return "customer number"
}

func rowOf(b base, c *usermgmt.Customer) customerRow {
	o := c.Organization
	if c.Member == nil {
		return customerRow{Name: o.Name, Detail: o.Email, Href: b.organization(o.ID), Number: o.ExternalID, Kind: ui.State{Word: "Organization", Icon: "building-2", Tone: ui.Plain}}
	}
	m, status := c.Member, ui.OfStatus(c.Member.Status)
	return customerRow{
		Name: m.Name(), Detail: signInLine(m), Href: b.member(usermgmt.Person{Organization: o.ID, User: m.ID}), Of: o.Name, OfHref: b.organization(o.ID), Number: o.ExternalID,
		Kind: ui.State{Word: m.Role.Label(), Icon: "user", Tone: ui.Plain}, Status: &status, Held: m.Held,
	}
}

// signInLine is the line below a member's name.
func signInLine(m *usermgmt.Member) string {
	if m.Username == "" {
		return m.Email
	}
	return m.Username + " · " + m.Email
}
