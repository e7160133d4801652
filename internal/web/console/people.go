package console

import (
	"context"
	"net/http"
	"net/url"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/staff"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// Helping is what People needs of the room of organizations and their people.
type Helping interface {
	Customers(context.Context, bank.Caller, usermgmt.CustomerQuery) (usermgmt.CustomerPage, error)
	OrganizationProfile(context.Context, bank.Caller, bank.OrganizationID) (usermgmt.OrganizationProfile, error)
	List(context.Context, bank.Caller, bank.OrganizationID, usermgmt.MemberQuery) (usermgmt.MemberPage, error)
	Profile(context.Context, bank.Caller, usermgmt.Person) (usermgmt.Profile, error)
}

func (b base) people() string { return b.at("/people") }

func (b base) organization(id bank.OrganizationID) string {
	return b.people() + "/" + url.PathEscape(string(id))
}

func (b base) member(p usermgmt.Person) string {
	return b.organization(p.Organization) + "/members/" + url.PathEscape(string(p.User))
}

func organizationID(r *http.Request) bank.OrganizationID {
	return bank.OrganizationID(r.PathValue("organization"))
}

func memberID(r *http.Request) usermgmt.Person {
	return usermgmt.Person{Organization: organizationID(r), User: bank.UserID(r.PathValue("member"))}
}

// peopleRoutes are the addresses of People.
func (a *app) peopleRoutes() []web.Route {
	get := func(pattern string, h web.HandlerFunc) web.Route {
		return web.Route{Method: "GET", Pattern: "/{institution}/people" + pattern, Handler: a.introduced(h), Needs: needs(catalog.PeopleViewAll, "", false)}
	}
	const organization, member = "/{organization}", "/{organization}/members/{member}"
	return []web.Route{
		get("", a.everyCustomer),
		get(organization, a.organization),
		get(organization+"/members", a.organizationMembers),
		get(organization+"/accounts", a.organizationAccounts),
		get(member, a.member),
		get(member+"/accounts", a.memberAccounts),
	}
}

// An organizationFrame is what stands around every page of an organization.
type organizationFrame struct {
	Shell        ui.Shell
	Base         base
	Me           staff.Standing
	Organization usermgmt.OrganizationProfile
	Tabs         []ui.Tab
	Facts        []ui.Fact
}

// theOrganization reads what the pages of an organization share.
func (a *app) theOrganization(r *http.Request, tab string) (p organizationFrame, err error) {
	if p.Me, err = a.me(r); err != nil {
		return p, err
	}
	if err = a.witness(r, organizationID(r), ""); err != nil {
		return p, err
	}
	if p.Organization, err = a.customers.OrganizationProfile(r.Context(), web.CallerOf(r.Context()), organizationID(r)); err != nil {
		return p, err
	}
	p.Base = baseOf(r)
	here := p.Base.organization(p.Organization.ID)
	for _, t := range []ui.Tab{
		{Label: "Details", Href: here},
		{Label: "Members", Href: here + "/members", Count: p.Organization.People.Total},
		{Label: "Accounts", Href: here + "/accounts", Count: len(p.Organization.Accounts)},
		{Label: "Activity", Href: here + "/activity"},
	} {
		t.Current = t.Label == tab
		p.Tabs = append(p.Tabs, t)
	}
	title := p.Organization.Name
	if tab != "Details" {
		title = tab + " of " + title
	}
	p.Shell, err = a.shell(r, &p.Me, title, ui.Link{Label: "People", Href: p.Base.people()})
	return p, err
}

// A memberFrame is what stands around every page of a member.
type memberFrame struct {
	Shell   ui.Shell
	Base    base
	Me      staff.Standing
	Profile usermgmt.Profile
	Tabs    []ui.Tab
	Hold    bool // this page shows that they are on hold
}

// theMember reads what the pages of a member share. The hold banner stands on
// Overview and Security, the lock banner everywhere.
func (a *app) theMember(r *http.Request, tab string) (p memberFrame, err error) {
	if p.Me, err = a.me(r); err != nil {
		return p, err
	}
	if err = a.witness(r, organizationID(r), memberID(r).User); err != nil {
		return p, err
	}
	if p.Profile, err = a.customers.Profile(r.Context(), web.CallerOf(r.Context()), memberID(r)); err != nil {
		return p, err
	}
	p.Base = baseOf(r)
	p.Hold = p.Profile.Member.Held && (tab == "Overview" || tab == "Security")
	for _, t := range []ui.Tab{{Label: "Overview", Href: p.at("")}, {Label: "Accounts", Href: p.at("/accounts"), Count: p.Profile.Enabled()}, {Label: "Activity", Href: p.at("/activity")}, {Label: "Why can't they?", Href: p.at("/why")}} {
		t.Current = t.Label == tab
		p.Tabs = append(p.Tabs, t)
	}
	title := p.Profile.Member.Name()
	if tab != "Overview" {
		title = tab + " of " + title
	}
	o := p.Profile.Organization
	p.Shell, err = a.shell(r, &p.Me, title, ui.Link{Label: "People", Href: p.Base.people()}, ui.Link{Label: o.Name, Href: p.Base.organization(o.ID)})
	return p, err
}

// at is an address of the member.
func (p *memberFrame) at(path string) string {
	return p.Base.member(usermgmt.Person{Organization: p.Profile.Organization.ID, User: p.Profile.Member.ID}) + path
}

// may reports whether whoever looks holds a right.
func (p *memberFrame) may(right catalog.StaffPermission) bool { return p.Me.May(right) }
