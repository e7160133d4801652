package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/pdp"
	"mandate/internal/staff"
	"mandate/internal/support"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// Helping is what People needs of the room of organizations and their people.
type Helping interface {
	Entitling
	Customers(context.Context, bank.Caller, usermgmt.CustomerQuery) (usermgmt.CustomerPage, error)
	OrganizationProfile(context.Context, bank.Caller, bank.OrganizationID) (usermgmt.OrganizationProfile, error)
	List(context.Context, bank.Caller, bank.OrganizationID, usermgmt.MemberQuery) (usermgmt.MemberPage, error)
	Profile(context.Context, bank.Caller, usermgmt.Person) (usermgmt.Profile, error)
	Preview(context.Context, bank.Caller, usermgmt.Edit) (usermgmt.Preview, usermgmt.Profile, error)
	SavePermissions(context.Context, bank.Caller, usermgmt.Edit) (version int64, err error)

	WhoMay(context.Context, bank.Caller, bank.OrganizationID, usermgmt.WhoQuery) (usermgmt.WhoPage, error)
	WhatMay(context.Context, bank.Caller, usermgmt.Person, pdp.Past) (usermgmt.Reaching, error)
	Exposures(context.Context, bank.Caller, bank.OrganizationID, usermgmt.ExposureQuery) (usermgmt.ExposurePage, error)

	Unlock(context.Context, bank.Caller, usermgmt.Person) error
	Hold(ctx context.Context, caller bank.Caller, p usermgmt.Person, why string) error
	Release(context.Context, bank.Caller, usermgmt.Person) error
	Delete(context.Context, bank.Caller, usermgmt.Person) error
	Security(context.Context, bank.Caller, usermgmt.Person) (usermgmt.Security, error)
	SendReset(context.Context, bank.Caller, usermgmt.Person) error
	RemoveFactor(ctx context.Context, caller bank.Caller, p usermgmt.Person, factor string) error
	SetPreferredName(ctx context.Context, caller bank.Caller, p usermgmt.Person, name string) error
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
	// What only those may ask for who may also do it.
	ask := func(pattern string, h web.HandlerFunc) web.Route {
		return web.Route{Method: "GET", Pattern: "/{institution}/people" + pattern, Handler: a.introduced(a.managing(h)), Needs: needs(catalog.PeopleManageAll, "", false)}
	}
	post := func(pattern string, h web.HandlerFunc, event string, proof bool) web.Route {
		return web.Route{Method: "POST", Pattern: "/{institution}/people" + pattern, Handler: a.introduced(h), Needs: needs(catalog.PeopleManageAll, event, proof)}
	}
	own := func(pattern string, h web.HandlerFunc) web.Route {
		return web.Route{Method: "POST", Pattern: "/{institution}/people/filters" + pattern, Handler: a.introduced(h), Needs: web.Needs{Who: web.SignedIn, May: web.Own, Institution: web.FromPath}}
	}
	const organization, member = "/{organization}", "/{organization}/members/{member}"
	return []web.Route{
		get("", a.everyCustomer),
		own("", a.keepFilter(staff.OfPeople)),
		own("/{name}/forget", a.dropFilter(staff.OfPeople)),
		get(organization, a.organization),
		get(organization+"/members", a.organizationMembers),
		get(organization+"/permissions", a.organizationRights),
		post(organization+"/permissions/review", a.managing(a.reviewOrganizationRights), "", false),
		post(organization+"/permissions/save", a.saveOrganizationRights, "org.entitlement_changed", true),
		get(organization+"/accounts", a.organizationAccounts),
		get(organization+"/who-may", a.organizationWhoMay),
		get(organization+"/who-may.csv", a.organizationWhoMay),
		get(organization+"/alone", a.organizationAlone),
		get(organization+"/alone.csv", a.organizationAlone),
		get(member+"/may", a.memberMay),
		get(organization+"/accounts/{account}", a.organizationAccount),
		post(organization+"/accounts/{account}/review", a.managing(a.reviewOrganizationAccount), "", false),
		post(organization+"/accounts/{account}/save", a.saveOrganizationAccount, "org.entitlement_changed", true),
		get(member, a.member),
		get(member+"/permissions", a.memberPermissions),
		post(member+"/permissions/review", a.managing(a.reviewMemberPermissions), "", false),
		post(member+"/permissions/save", a.saveMemberPermissions, "orguser.permission_changed", true),
		get(member+"/accounts", a.memberAccounts),
		get(member+"/accounts/{account}", a.memberPermissions),
		get(member+"/security", a.memberSecurity),
		post(member+"/unlock", a.unlockMember, "orguser.unlocked", false),
		ask(member+"/unlocked", a.unlockedMember),
		ask(member+"/security/reset", a.askResetMember),
		post(member+"/security/reset", a.resetMember, "orguser.password_reset_sent", false),
		ask(member+"/security/factors/{factor}", a.askRemoveFactor),
		post(member+"/security/factors/{factor}", a.removeMemberFactor, "auth.second_factor_removed", true),
		ask(member+"/name", a.preferredName),
		post(member+"/name", a.setPreferredName, "orguser.preferred_name_changed", false),
		ask(member+"/hold", a.askHoldMember),
		post(member+"/hold", a.holdMember, "orguser.hold_placed", true),
		post(member+"/release", a.releaseMember, "orguser.hold_removed", false),
		ask(member+"/delete", a.askDeleteMember),
		post(member+"/delete", a.deleteMember, "orguser.deleted", true),
		get(member+"/cases", a.memberCases),
		post(member+"/cases", a.openCase, support.EventOpened, false),
		post(member+"/cases/{case}", a.changeCase, support.EventChanged, false),
	}
}

// errPeopleReadOnly refuses a page whose form could not be sent.
var errPeopleReadOnly = fault.New(fault.Forbidden, "Your groups do not permit this. It needs the right “"+catalog.PeopleManageAll.Info().Label+"” of People.").With("STAFF_PERMISSION")

// managing refuses a page to whoever could not send its form. What is sent is
// refused by the room, which keeps the attempt.
func (a *app) managing(next web.HandlerFunc) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		me, err := a.me(r)
		if err != nil {
			return err
		}
		if !me.May(catalog.PeopleManageAll) {
			return errPeopleReadOnly
		}
		return next(w, r)
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
	Waits        []waitingChange
	UnderWay     []string // what the host has not done yet, and who is on the way in
}

// A waitingChange is a change of an organization that waits for the agreement of
// other staff.
type waitingChange struct {
	Text string
	Href string // for those who may look at it; empty for others
}

// theWaiting are the changes that wait, as the pages of an organization show
// them.
func (p *organizationFrame) theWaiting(caller bank.Caller) {
	for _, item := range p.Organization.Waits {
		w := waitingChange{Text: item.Initiator.Name + " asked for it on " + ui.DateTime(item.Asked, p.Me.Place()) + ". Nothing is changed before another group has agreed; it waits until " + ui.DateTime(item.Expires, p.Me.Place()) + "."}
		if string(item.Initiator.ID) == caller.ID || slices.Contains(ownGroups(&p.Me), item.Overseer) {
			w.Href = p.Base.waiting(item.ID)
		}
		p.Waits = append(p.Waits, w)
	}
}

// theOrganization reads what the pages of an organization share.
func (a *app) theOrganization(r *http.Request, tab string) (p organizationFrame, err error) {
	if p.Me, err = a.me(r); err != nil {
		return p, err
	}
	if err = a.witness(r, organizationID(r), ""); err != nil {
		return p, err
	}
	if p.Organization, err = a.Customers.OrganizationProfile(r.Context(), web.CallerOf(r.Context()), organizationID(r)); err != nil {
		return p, err
	}
	p.Base = baseOf(r)
	p.theWaiting(web.CallerOf(r.Context()))
	here := p.Base.organization(p.Organization.ID)
	for _, t := range []ui.Tab{
		{Label: "Details", Href: here},
		{Label: "Members", Href: here + "/members", Count: p.Organization.People.Total},
		{Label: "Permissions", Href: here + "/permissions"},
		{Label: "Accounts", Href: here + "/accounts", Count: len(p.Organization.Accounts)},
		{Label: whoMayTab, Href: here + "/who-may"},
		{Label: "Activity", Href: here + "/activity"},
	} {
		t.Current = t.Label == tab
		p.Tabs = append(p.Tabs, t)
	}
	title := p.Organization.Name
	switch tab {
	case "Details":
	case whoMayTab:
		title = whoMayTab + " at " + title
	default:
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
	if p.Profile, err = a.Customers.Profile(r.Context(), web.CallerOf(r.Context()), memberID(r)); err != nil {
		return p, err
	}
	p.Base = baseOf(r)
	p.Hold = p.Profile.Member.Held && (tab == "Overview" || tab == "Security")
	for _, t := range []ui.Tab{
		{Label: "Overview", Href: p.at("")},
		{Label: "Permissions", Href: p.at("/permissions")},
		{Label: "Accounts", Href: p.at("/accounts"), Count: p.Profile.Enabled()},
		{Label: "Activity", Href: p.at("/activity")},
		{Label: "Security", Href: p.at("/security")},
		{Label: "What they may do", Href: p.at("/may")},
		{Label: "Why can't they?", Href: p.at("/why")},
	} {
		t.Current = t.Label == tab
		p.Tabs = append(p.Tabs, t)
	}
	title := p.Profile.Member.Name()
	if named := strings.Replace(tab, "they", title, 1); named != tab {
		title = named
	} else if tab != "Overview" {
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
