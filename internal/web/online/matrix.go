package online

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/phrase"
	"mandate/internal/web/ui"
)

type matrixPage struct {
	Shell   ui.Shell
	Tabs    []ui.Tab
	Toolbar ui.Toolbar
	Across  *ui.Field // the search among the columns, by accounts
	Keep    [][2]string
	Groups  []matrixGroup
	Heads   []matrixHead
	Rows    []matrixRow
	Rest    ui.Pager
	Columns ui.Pager
	Bulk    string
	Note    string
	Legend  []matrixCell
}

// A matrixGroup stands above columns that belong together.
type matrixGroup struct {
	Label string
	Span  int
}

// A matrixHead is a column.
type matrixHead struct{ Label, Detail string }

type matrixRow struct {
	Member usermgmt.Member
	Href   string
	People []matrixPerson // of a collapsed row: everybody; none: the one member
	Title  string
	Cells  []matrixCell
}

type matrixPerson struct{ Name, Href string }

// A matrixCell is how one value stands: a shape, a word for those who do not
// see it, and where it is explained and changed.
type matrixCell struct {
	Shape string
	Word  string
	Text  string // of a limit or choice
	Href  string // empty for a row of several people
}

// A matrixQuery is what an address asks of the grid.
type matrixQuery struct {
	list   web.List
	ask    usermgmt.MatrixQuery
	across string
	column int
}

const (
	byAccounts = "accounts"
	eachAlone  = "each" // rows: everybody in a row of their own
)

// matrix is the grid of people by permissions or by accounts, a page of both at
// a time. The address says all that is asked, so it can be kept and sent.
//
// GET /{institution}/settings/users/matrix
func (a *app) matrix(w http.ResponseWriter, r *http.Request) error {
	me, mine, err := a.readableAccounts(r)
	if err != nil {
		return err
	}
	q := readMatrix(r, me.Institution.Edition)
	m, err := a.users.Matrix(r.Context(), web.CallerOf(r.Context()), me.Organization.ID, q.ask)
	if err != nil {
		return err
	}
	b := baseFor(me.Institution.ID)
	q.list = q.list.At(m.Page)
	page := matrixPage{Shell: a.shell(r, me, "Grid", ui.Link{Label: "User management", Href: b.users()}), Legend: matrixLegend}
	page.controls(b, q, &m, me.Institution.Edition, mine.Accounts)
	page.heads(&m)
	page.rows(b, q, &m)
	if me.May(catalog.EditPermissions) {
		page.Bulk = b.bulk() + "?" + url.Values{bulkWhat: {q.what()}, "q": {q.list.Search}}.Encode()
	}
	return web.Render(w, r, http.StatusOK, matrixView(page))
}

// readableAccounts are the organization's accounts for somebody who may see
// permissions.
func (a *app) readableAccounts(r *http.Request) (me usermgmt.Standing, mine usermgmt.Profile, err error) {
	if me, err = a.me(r); err != nil {
		return me, mine, err
	}
	if err = mayManage(me, catalog.ViewPermissions); err != nil {
		return me, mine, err
	}
	mine, err = a.users.Profile(r.Context(), web.CallerOf(r.Context()), usermgmt.Person{Organization: me.Organization.ID, User: me.Member.ID})
	return me, mine, err
}

func readMatrix(r *http.Request, edition bank.Edition) matrixQuery {
	q := matrixQuery{list: web.ReadList(r, web.ListSpec{PerPage: usermgmt.MatrixRows, Filters: map[string][]string{
		"by": {byAccounts}, "role": {"user", "viewer", "admin"}, "status": {"pending", "active", "locked", "disabled"},
		"rows": {eachAlone}, "account": nil, "section": nil, "right": nil,
	}})}
	members := membersQuery(q.list)
	q.ask = usermgmt.MatrixQuery{Members: members, Collapse: q.list.Filter("rows") != eachAlone, ByAccounts: q.list.Filter("by") == byAccounts}
	if !q.ask.ByAccounts {
		q.ask.Account = bank.AccountID(q.list.Filter("account"))
		q.ask.Entitlement, _ = catalog.ParseEntitlement(q.list.Filter("section"))
		return q
	}
	q.ask.Permission = catalog.AccountAccess
	if p, known := catalog.ParsePermission(q.list.Filter("right")); known && p.In(edition) && p.At(catalog.AtAccount) {
		q.ask.Permission = p
	}
	in := r.URL.Query()
	if q.across = strings.TrimSpace(in.Get("across")); len(q.across) > 100 {
		q.across = ""
	}
	q.ask.Columns = q.across
	q.ask.ColumnPage, _ = strconv.Atoi(in.Get("column"))
	return q
}

// what is what "Change several" begins with, coming from here.
func (q matrixQuery) what() string {
	switch {
	case q.ask.ByAccounts:
		return "account:" + q.ask.Permission.ID()
	case q.ask.Account != "":
		return "account:" + catalog.AccountAccess.ID()
	}
	return ""
}

// columnHref is the address of another page of columns.
func (q matrixQuery) columnHref(column int) string {
	return withQuery(q.list.Href(), "across", q.across, "column", strconv.Itoa(column))
}

// withQuery adds values to an address; empty ones are left out.
func withQuery(address string, pairs ...string) string {
	path, query, _ := strings.Cut(address, "?")
	v, _ := url.ParseQuery(query)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

// controls are the two lenses, the filters and the pages.
func (p *matrixPage) controls(b base, q matrixQuery, m *usermgmt.Matrix, edition bank.Edition, accounts []usermgmt.MemberAccount) {
	p.Tabs = []ui.Tab{
		{Label: "By permissions", Href: b.matrix(), Current: !q.ask.ByAccounts},
		{Label: "By accounts", Href: b.matrix() + "?by=" + byAccounts, Current: q.ask.ByAccounts},
	}
	filters := membersToolbar(q.list, usermgmt.MemberPage{}).Filters[:2] // role and status
	if q.ask.ByAccounts {
		filters = append([]ui.Filter{{Name: "right", Label: "Right", Options: rightOptions(edition)}}, filters...)
	} else {
		filters = append([]ui.Filter{
			{Name: "account", Label: "Level", Options: levelOptions(accounts)},
			{Name: "section", Label: "Section", Options: sectionOptions(edition, q.ask.Account)},
		}, filters...)
	}
	filters = append(filters, ui.Filter{Name: "rows", Label: "Rows", Options: []ui.Option{{Value: "", Label: "Equal people together"}, {Value: eachAlone, Label: "Everybody alone"}}})
	result := resultOf(m.Matching, m.Total, "person", "people")
	if m.Collapsed {
		result += ", in " + ui.Count(m.Groups, "row", "rows")
	} else if q.ask.Collapse {
		p.Note = "These are too many people to look for equal ones. Narrow the search, and equal ones stand together."
	}
	p.Toolbar = q.list.Toolbar("Search people", result, filters...)
	p.Rest = ui.Pager{Label: "Rows", Total: m.Groups, From: (m.Page-1)*usermgmt.MatrixRows + 1, To: min(m.Page*usermgmt.MatrixRows, m.Groups)}
	if m.Page > 1 {
		p.Rest.Previous = withQuery(q.list.At(m.Page-1).Href(), "across", q.across, "column", strconv.Itoa(m.ColumnPage))
	}
	if m.Page < m.Pages {
		p.Rest.Next = withQuery(q.list.At(m.Page+1).Href(), "across", q.across, "column", strconv.Itoa(m.ColumnPage))
	}
	if !q.ask.ByAccounts {
		return
	}
	p.Toolbar.Keep = append(p.Toolbar.Keep, [2]string{"by", byAccounts}, [2]string{"across", q.across})
	p.Toolbar.Clear = ""
	if everything := b.matrix() + "?by=" + byAccounts; q.list.At(1).Href() != everything || q.across != "" {
		p.Toolbar.Clear = everything
	}
	p.acrossControls(q, m)
}

// acrossControls search and page the columns.
func (p *matrixPage) acrossControls(q matrixQuery, m *usermgmt.Matrix) {
	p.Across = &ui.Field{Name: "across", Label: "Search accounts", Value: q.across, Optional: true}
	address, err := url.Parse(q.list.At(1).Href())
	if err == nil {
		for name, values := range address.Query() {
			p.Keep = append(p.Keep, [2]string{name, values[0]})
		}
	}
	p.Columns = ui.Pager{Label: "Accounts", Total: m.Columns, From: min((m.ColumnPage-1)*usermgmt.MatrixColumns+1, m.Columns), To: min(m.ColumnPage*usermgmt.MatrixColumns, m.Columns)}
	if m.ColumnPage > 1 {
		p.Columns.Previous = q.columnHref(m.ColumnPage - 1)
	}
	if m.ColumnPage < m.ColumnPages {
		p.Columns.Next = q.columnHref(m.ColumnPage + 1)
	}
}

func rightOptions(edition bank.Edition) []ui.Option {
	options := []ui.Option{{Value: "", Label: catalog.AccountAccess.Info().Label}}
	for _, e := range sectionsAt(edition, "any") {
		for _, p := range catalog.Of(e, edition, catalog.AtAccount) {
			if p != catalog.AccountAccess {
				options = append(options, ui.Option{Value: p.ID(), Label: phrase.Permission(p)})
			}
		}
	}
	return options
}

func levelOptions(accounts []usermgmt.MemberAccount) []ui.Option {
	options := []ui.Option{{Value: "", Label: "For the user"}}
	for _, account := range accounts {
		options = append(options, ui.Option{Value: string(account.ID), Label: "On " + accountName(account.Account)})
	}
	return options
}

func sectionOptions(edition bank.Edition, level bank.AccountID) []ui.Option {
	options := []ui.Option{{Value: "", Label: "All sections"}}
	for _, e := range sectionsAt(edition, level) {
		if e != catalog.NoEntitlement {
			options = append(options, ui.Option{Value: e.ID(), Label: e.Label()})
		}
	}
	return options
}

// heads are the columns, with the entitlements above those by permission.
func (p *matrixPage) heads(m *usermgmt.Matrix) {
	for _, account := range m.Accounts {
		p.Heads = append(p.Heads, matrixHead{Label: account.Name, Detail: account.Masked()})
	}
	for _, permission := range m.Permissions {
		label := permission.Info().Entitlement.Label()
		if permission == catalog.AccountAccess {
			label = "Account"
		}
		if n := len(p.Groups); n > 0 && p.Groups[n-1].Label == label {
			p.Groups[n-1].Span++
		} else {
			p.Groups = append(p.Groups, matrixGroup{label, 1})
		}
		p.Heads = append(p.Heads, matrixHead{Label: permission.Info().Label})
	}
}

func (p *matrixPage) rows(b base, q matrixQuery, m *usermgmt.Matrix) {
	for _, row := range m.Rows {
		one := row.Members[0]
		shown := matrixRow{Member: one, Href: b.user(one.ID)}
		if len(row.Members) > 1 {
			shown.Title = ui.Count(len(row.Members), "person", "people")
			for _, member := range row.Members {
				shown.People = append(shown.People, matrixPerson{member.Name(), b.user(member.ID)})
			}
		}
		for i, cell := range row.Cells {
			permission, account := q.ask.Permission, q.ask.Account
			if q.ask.ByAccounts {
				account = m.Accounts[i].ID
			} else {
				permission = m.Permissions[i]
			}
			c := cellOf(permission, cell)
			if len(row.Members) == 1 {
				c.Href = b.level(one.ID, account) + "#" + ui.FieldID(permission.ID())
			}
			shown.Cells = append(shown.Cells, c)
		}
		p.Rows = append(p.Rows, shown)
	}
}

var matrixShapes = [...]matrixCell{
	entitlement.SettingOff:       {Shape: "off", Word: "Off"},
	entitlement.SettingOn:        {Shape: "on", Word: "On"},
	entitlement.SettingInherited: {Shape: "inherited", Word: "On, from the user level"},
	entitlement.SettingBlocked:   {Shape: "blocked", Word: "On, and blocked from above"},
}

// matrixLegend explains the shapes.
var matrixLegend = []matrixCell{
	matrixShapes[entitlement.SettingOn], matrixShapes[entitlement.SettingOff], matrixShapes[entitlement.SettingInherited], matrixShapes[entitlement.SettingBlocked],
}

func cellOf(p catalog.Permission, cell usermgmt.MatrixCell) matrixCell {
	c := matrixShapes[cell.State]
	if cell.State == entitlement.SettingOff || cell.Value == "" {
		return c
	}
	c.Text = phrase.Value(p, cell.Value)
	if p.IsLimit() {
		c.Text = strings.TrimSuffix(c.Text, ".00")
	}
	return c
}
