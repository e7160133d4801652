package console

import (
	"net/http"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// GET /{institution}/people/{organization}
func (a *app) organization(w http.ResponseWriter, r *http.Request) error {
	p, err := a.theOrganization(r, "Details")
	if err != nil {
		return err
	}
	o := p.Organization
	p.Facts = []ui.Fact{
		{Term: "Business name", Value: o.Name}, {Term: capitalized(customerNumber(o.House.Edition)), Value: o.ExternalID}, {Term: "Address", Value: o.Address},
		{Term: "Phone", Value: o.Phone}, {Term: "Email", Value: o.Email},
	}
	if p.UnderWay, err = a.underWay(r, o.ID, p.Me.Place()); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, organizationView(p))
}

func capitalized(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// has are the entitlements of an organization by name, and those that its
// institution offers besides.
func has(o *usermgmt.OrganizationProfile) (has, could []string) {
	for _, e := range catalog.EntitlementsIn(o.House.Offers) {
		if !e.In(o.House.Edition) {
			continue
		}
		if o.Entitlements.Has(e) {
			has = append(has, e.Label())
		} else {
			could = append(could, e.Label())
		}
	}
	return has, could
}

// headcountOf is how the people of an organization stand, each figure leading to
// them.
func headcountOf(p *organizationFrame) []ui.Figure {
	members := p.Base.organization(p.Organization.ID) + "/members"
	n := p.Organization.People
	figures := []ui.Figure{{Label: "Members", Value: ui.Number(n.Total), Href: members}}
	for _, f := range []struct {
		label, status string
		n             int
	}{{"Active", "active", n.Active}, {"Pending", "pending", n.Pending}, {"Locked", "locked", n.Locked}, {"Disabled", "disabled", n.Disabled}, {"On hold", onHold, n.Held}} {
		if f.n > 0 {
			figures = append(figures, ui.Figure{Label: f.label, Value: ui.Number(f.n), Href: members + "?status=" + f.status})
		}
	}
	return append(figures, ui.Figure{Label: "Admins who can sign in", Value: ui.Number(n.Admins)})
}

type organizationMembersPage struct {
	organizationFrame
	Toolbar ui.Toolbar
	Rows    []customerRow
	Pager   ui.Pager
}

// GET /{institution}/people/{organization}/members
func (a *app) organizationMembers(w http.ResponseWriter, r *http.Request) error {
	frame, err := a.theOrganization(r, "Members")
	if err != nil {
		return err
	}
	roles := []ui.Option{{Value: "", Label: "Any role"}}
	for _, role := range []bank.Role{bank.RoleAdmin, bank.RoleViewer, bank.RoleUser} {
		roles = append(roles, ui.Option{Value: role.String(), Label: role.Label()})
	}
	list := web.ReadList(r, web.ListSpec{Filters: map[string][]string{"status": values(memberStatuses), "role": values(roles)}})
	q := usermgmt.MemberQuery{Search: list.Search, Page: list.Page, Size: list.PerPage}
	q.Status, q.Held = statusFilter(list.Filter("status"))
	if role, err := bank.ParseRole(list.Filter("role")); err == nil {
		q.Role = &role
	}
	found, err := a.Customers.List(r.Context(), web.CallerOf(r.Context()), organizationID(r), q)
	if err != nil {
		return err
	}
	list = list.At(found.Page)
	page := organizationMembersPage{organizationFrame: frame, Pager: list.Pager("Members", found.Matching)}
	page.Toolbar = list.Toolbar("Search members", ui.ResultOf(found.Matching, found.Total, "member", "members"),
		ui.Filter{Name: "role", Label: "Role", Options: roles}, ui.Filter{Name: "status", Label: "Status", Options: memberStatuses})
	for i := range found.Members {
		page.Rows = append(page.Rows, rowOf(frame.Base, &usermgmt.Customer{Organization: frame.Organization.Organization, Member: &found.Members[i].Member}))
	}
	return web.Render(w, r, http.StatusOK, organizationMembersView(page))
}

type organizationAccountsPage struct {
	organizationFrame
	Toolbar  ui.Toolbar
	Accounts []usermgmt.Account
}

// GET /{institution}/people/{organization}/accounts
func (a *app) organizationAccounts(w http.ResponseWriter, r *http.Request) error {
	frame, err := a.theOrganization(r, "Accounts")
	if err != nil {
		return err
	}
	list := web.ReadList(r, web.ListSpec{})
	page := organizationAccountsPage{organizationFrame: frame}
	for _, account := range frame.Organization.Accounts {
		if account.Fits(list.Search) {
			page.Accounts = append(page.Accounts, account)
		}
	}
	page.Toolbar = list.Toolbar("Search accounts", ui.ResultOf(len(page.Accounts), len(frame.Organization.Accounts), "account", "accounts"))
	return web.Render(w, r, http.StatusOK, organizationAccountsView(page))
}
