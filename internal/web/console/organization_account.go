package console

import (
	"cmp"
	"net/http"
	"slices"

	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// The level of credit unions between an organization and its members: what is on
// for each of its accounts.

func organizationAccountID(r *http.Request) bank.AccountID {
	return bank.AccountID(r.PathValue("account"))
}

// theAccount reads an organization with one of its accounts.
func (a *app) theAccount(r *http.Request, tab string) (p organizationFrame, account usermgmt.Account, err error) {
	if p, err = a.theOrganization(r, tab); err != nil {
		return p, account, err
	}
	if len(usermgmt.AccountEntitlements(p.Organization.House.Edition)) == 0 {
		return p, account, usermgmt.ErrNoAccountLevel
	}
	i := slices.IndexFunc(p.Organization.Accounts, func(a usermgmt.Account) bool { return a.ID == organizationAccountID(r) })
	if i < 0 {
		return p, account, fault.New(fault.NotFound, "There is no such account in this organization.")
	}
	account = p.Organization.Accounts[i]
	here := p.Base.organization(p.Organization.ID)
	p.Shell.Crumbs = append(p.Shell.Crumbs, ui.Link{Label: p.Organization.Name, Href: here}, ui.Link{Label: "Accounts", Href: here + "/accounts"})
	p.Shell.Title = account.Target().Name
	return p, account, nil
}

// GET /{institution}/people/{organization}/accounts/{account}
func (a *app) organizationAccount(w http.ResponseWriter, r *http.Request) error {
	return a.renderOrganizationAccount(w, r, web.NewForm(nil))
}

func (a *app) renderOrganizationAccount(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	frame, account, err := a.theAccount(r, "Accounts")
	if err != nil {
		return err
	}
	o := &frame.Organization
	page := organizationRightsPage{organizationFrame: frame, Edits: frame.Me.May(catalog.PeopleManageAll), Sentence: f.Sentence, Problems: f.Problems,
		Action: accountAt(frame.Base.organization(o.ID), account.ID) + "/review", About: account.Target().Name,
		Help: "What is off here is off on this account for every member. They keep what they have set up: it counts again once it is on."}
	if !page.Edits {
		page.Help += youMayLook
	}
	s := rightsSection{ID: "section-account", Title: account.Target().Name}
	now := accountText(account.Off, o.House.Edition)
	for _, e := range usermgmt.AccountEntitlements(o.House.Edition) {
		id := e.Enabled().ID()
		row := ui.PermissionRow{Field: ui.Field{Name: id, Label: e.Label() + " on this account", Value: cmp.Or(f.Raw(id), now[id]), Optional: true, Problem: f.Problem(id)}, Switch: page.Edits}
		switch {
		case !o.House.Offers.Has(e):
			row.Switch, row.State, row.Blocker = false, ui.StateBlocked, o.House.Name+" does not offer "+e.Label()+"."
		case !o.Entitlements.Has(e):
			row.Switch, row.State, row.Blocker = false, ui.StateBlocked, o.Name+" does not have "+e.Label()+"."
		case row.Field.Value == "on":
			row.State = ui.StateOn
		}
		s.Rows = append(s.Rows, row)
	}
	page.Sections = []rightsSection{s}
	for name, text := range now {
		page.Was = append(page.Was, [2]string{was + name, text})
	}
	return web.Render(w, r, f.Status(), organizationRightsView(page))
}

// accountText is what is on and off on an account, as the fields of a form.
func accountText(off catalog.EntitlementSet, edition bank.Edition) map[string]string {
	text := map[string]string{}
	for _, e := range usermgmt.AccountEntitlements(edition) {
		text[e.Enabled().ID()] = map[bool]string{true: "off", false: "on"}[off.Has(e)]
	}
	return text
}

// readOff reads from a form what is off, on top of what else is.
func readOff(f *web.Form, prefix string, off catalog.EntitlementSet) catalog.EntitlementSet {
	for _, e := range catalog.Entitlements() {
		if texts := f.All(prefix + e.Enabled().ID()); len(texts) > 0 {
			if off = off.With(e); texts[len(texts)-1] == "on" {
				off = off.Without(e)
			}
		}
	}
	return off
}

// POST /{institution}/people/{organization}/accounts/{account}/review
func (a *app) reviewOrganizationAccount(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	before := readOff(f, was, 0)
	will := readOff(f, "", before)
	frame, account, err := a.theAccount(r, "Review changes")
	if err != nil {
		return err
	}
	preview, names, err := a.Customers.PreviewAccount(r.Context(), web.CallerOf(r.Context()), frame.Organization.ID, account.ID, before, will)
	if err != nil {
		return err
	}
	if err := f.Take(preview.Problem); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderOrganizationAccount(w, r, f)
	}
	crumbs := frame.Shell.Crumbs
	page := newOrganizationReview(frame, &preview, names, "To what is on for "+account.Target().Name+".")
	page.Back = accountAt(frame.Base.organization(frame.Organization.ID), account.ID)
	page.Save, page.Shell.Crumbs = page.Back+"/save", append(slices.Clone(crumbs), ui.Link{Label: account.Target().Name, Href: page.Back})
	for name, text := range accountText(account.Off, frame.Organization.House.Edition) {
		page.Carried = append(page.Carried, [2]string{was + name, text})
	}
	for name, text := range accountText(will, frame.Organization.House.Edition) {
		page.Carried = append(page.Carried, [2]string{name, text})
	}
	return web.Render(w, r, reviewStatus(&preview), organizationReviewView(page))
}

// POST /{institution}/people/{organization}/accounts/{account}/save
func (a *app) saveOrganizationAccount(w http.ResponseWriter, r *http.Request) error {
	f, back := web.ReadForm(r), accountAt(baseOf(r).organization(organizationID(r)), organizationAccountID(r))
	before := readOff(f, was, 0)
	will := readOff(f, "", before)
	return a.organizationSaved(w, r, back, func() (approval.Item, error) {
		return a.Customers.ChangeAccount(r.Context(), web.CallerOf(r.Context()), organizationID(r), organizationAccountID(r), before, will)
	})
}
