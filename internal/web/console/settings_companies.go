package console

import (
	"net/http"
	"net/url"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/moneymovement/ach/nacha"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// A servedPage is where an organization is chosen, whose payments are set up.
type servedPage struct {
	Shell   ui.Shell
	Toolbar ui.Toolbar
	Rows    []customerRow
	Pager   ui.Pager
}

// GET /{institution}/settings/organizations
func (a *app) servedPage(w http.ResponseWriter, r *http.Request) error {
	list, b := web.ReadList(r, web.ListSpec{}), baseOf(r)
	found, err := a.Settings.House.Served(r.Context(), web.CallerOf(r.Context()), usermgmt.CustomerQuery{Search: list.Search, Page: list.Page, Size: list.PerPage})
	if err != nil {
		return err
	}
	list = list.At(found.Page)
	result := ui.Count(found.Matching, "organization", "organizations")
	if found.More {
		result = "More than " + result
	}
	page := servedPage{Pager: list.Pager("Organizations", found.Matching), Toolbar: list.Toolbar("Search by name or number", result)}
	for i := range found.Customers {
		row := rowOf(b, &found.Customers[i])
		row.Href = b.originator(found.Customers[i].Organization.ID)
		page.Rows = append(page.Rows, row)
	}
	if page.Shell, err = a.ownShell(r, "Payments of an organization", settingsCrumb(b)); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, servedView(page))
}

// An originatorPage is what the institution has set for an organization's
// payments: its ACH companies, and its accounts under Positive Pay.
type originatorPage struct {
	Shell     ui.Shell
	Name      string
	At        string
	Companies []companyRow
	Relaxed   bool
	Accounts  []enrolmentRow

	Form            *web.Form
	Title           string
	Ident, Company  ui.Field
	Classes, Amount ui.Field
	Change          string // the identification of the company that is changed; empty: a new one
}

type companyRow struct {
	ach.Company
	Edit string
}

// An enrolmentRow is an account that is under Positive Pay, or not.
type enrolmentRow struct {
	usermgmt.Account
	On bool
}

func organizationOf(r *http.Request) bank.OrganizationID {
	return bank.OrganizationID(r.PathValue("organization"))
}

// GET /{institution}/settings/organizations/{organization}
func (a *app) originatorPage(w http.ResponseWriter, r *http.Request) error {
	return a.renderOriginator(w, r, nil)
}

func (a *app) renderOriginator(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	ctx, caller, b := r.Context(), web.CallerOf(r.Context()), baseOf(r)
	o, accounts, err := a.Settings.House.ServedOrganization(ctx, caller, organizationID(r))
	if err != nil {
		return err
	}
	page := originatorPage{Name: o.Name, At: b.originator(o.ID)}
	companies, relaxed, err := a.Settings.ACH.Companies(ctx, caller, o.ID)
	if err != nil {
		return err
	}
	on, err := a.Settings.PositivePay.Enrolled(ctx, caller, o.ID)
	if err != nil {
		return err
	}
	page.Relaxed = relaxed
	for _, account := range accounts {
		page.Accounts = append(page.Accounts, enrolmentRow{account, on[account.ID]})
	}
	page.companies(companies, r.URL.Query().Get("company"), f)
	if page.Shell, err = a.ownShell(r, o.Name, settingsCrumb(b), ui.Link{Label: "Payments of an organization", Href: b.served()}); err != nil {
		return err
	}
	return web.Render(w, r, page.Form.Status(), originatorView(page))
}

// companies are the rows, and the form: as it was sent, of the company that was
// chosen to be changed, or empty.
func (p *originatorPage) companies(all []ach.Company, chosen string, f *web.Form) {
	values := map[string]string{}
	for _, c := range all {
		p.Companies = append(p.Companies, companyRow{c, p.At + "?" + url.Values{"company": {c.Ident}}.Encode()})
		if c.Ident == chosen {
			p.Change = c.Ident
			values = map[string]string{"ident": c.Ident, "name": c.Name, "classes": strings.Join(c.Classes, " ")}
			if c.Exposure != 0 {
				values["exposure"] = c.Exposure.Dollars()
			}
		}
	}
	if p.Form = f; f == nil {
		p.Form = web.NewForm(values)
	} else {
		p.Change = f.Raw("change")
	}
	if p.Title = "Add a company"; p.Change != "" {
		p.Title = "Change the company " + p.Change
	}
	p.Ident, p.Company = p.Form.Field("ident", "Identification"), p.Form.Field("name", "Name")
	p.Classes, p.Amount = p.Form.Field("classes", "Standard entry classes"), p.Form.Field("exposure", "Exposure limit per day")
	p.Ident.Width, p.Classes.Width, p.Amount.Width = "short", "short", "short"
	p.Ident.Max, p.Company.Max = nacha.MaxCompanyID, nacha.MaxCompanyName
	p.Ident.Help, p.Company.Help = "As files name it, such as 1363055500.", "As statements show it, in plain characters."
	p.Classes.Help, p.Classes.Optional = "Three letters each, such as PPD CCD. Empty: any.", true
	p.Amount.Help, p.Amount.Optional = "The most that may leave for it in a day. Empty: no limit.", true
}

// POST /{institution}/settings/organizations/{organization}/company
func (a *app) saveCompany(w http.ResponseWriter, r *http.Request) error {
	f, at := web.ReadForm(r), baseOf(r).originator(organizationID(r))
	company := ach.Company{Ident: strings.TrimSpace(f.Raw("ident")), Name: strings.TrimSpace(f.Raw("name")), Exposure: f.Money("exposure"),
		Classes: strings.FieldsFunc(strings.ToUpper(f.Raw("classes")), func(c rune) bool { return c == ' ' || c == ',' })}
	if change := f.Raw("change"); change != "" {
		company.Ident = change
	}
	if !f.OK() {
		company.Exposure = -1 // which is refused with everything else that is wrong
	}
	return a.provenAt(w, r, f, at, "Before more may leave for a company.", "The company was saved",
		func() error { return a.renderOriginator(w, r, f) },
		func() error {
			return a.Settings.ACH.SetCompany(r.Context(), web.CallerOf(r.Context()), organizationID(r), company)
		})
}

// POST /{institution}/settings/organizations/{organization}/any-company
func (a *app) saveAnyCompany(w http.ResponseWriter, r *http.Request) error {
	f, at := web.ReadForm(r), baseOf(r).originator(organizationID(r))
	relaxed := f.Raw("any") == "on"
	said := "Files may name the companies above, and no other"
	if relaxed {
		said = "Files may name any company"
	}
	return a.provenAt(w, r, f, at, "Before files may name any company.", said,
		func() error { return a.renderOriginator(w, r, f) },
		func() error {
			return a.Settings.ACH.SetRelaxed(r.Context(), web.CallerOf(r.Context()), organizationID(r), relaxed)
		})
}

// POST /{institution}/settings/organizations/{organization}/positive-pay
func (a *app) saveEnrolment(w http.ResponseWriter, r *http.Request) error {
	f, at := web.ReadForm(r), baseOf(r).originator(organizationID(r))
	on := f.Raw("enrol") == "on"
	said := "The account is no longer under Positive Pay"
	if on {
		said = "The account is under Positive Pay"
	}
	err := a.Settings.PositivePay.Enrol(r.Context(), web.CallerOf(r.Context()), organizationID(r), bank.AccountID(f.Raw("account")), on)
	return settled(w, r, f, err, at, said, func() error { return a.renderOriginator(w, r, f) })
}
