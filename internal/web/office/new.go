package office

import (
	"net/http"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type newUserPage struct {
	Shell              ui.Shell
	Form               *web.Form
	Action, Cancel     string
	Organization       string
	First, Last, Email ui.Field
	Role               ui.Field
	Roles              []ui.Option
	Accounts           []ui.Field
	Gets               []given
}

// given is what a new user of a role gets.
type given struct {
	Role  string
	Lines []string
}

var roles = []bank.Role{bank.RoleUser, bank.RoleViewer, bank.RoleAdmin}

// organizationOf is the organization of an address; in Classic there is but one.
func (a *app) organizationOf(r *http.Request, s *seat) (host.Organization, error) {
	ref := host.Ref(r.PathValue("organization"))
	if s.desk == classic && ref != s.organization.Ref {
		return host.Organization{}, errNoOrganization
	}
	return a.Bank.Organization(r.Context(), s.house.ID, ref)
}

// GET /{institution}/{desk}/organizations/{organization}/users/new
func (a *app) newUser(w http.ResponseWriter, r *http.Request, s *seat) error {
	o, err := a.organizationOf(r, s)
	if err != nil {
		return err
	}
	return a.renderNew(w, r, s, o, web.NewForm(map[string]string{"role": bank.RoleUser.String()}))
}

// POST /{institution}/{desk}/organizations/{organization}/users/new
func (a *app) createUser(w http.ResponseWriter, r *http.Request, s *seat) error {
	o, err := a.organizationOf(r, s)
	if err != nil {
		return err
	}
	f := web.ReadForm(r)
	n := hostsim.NewUser{Organization: o.Ref, FirstName: f.Text("first_name", bank.MaxName), LastName: f.Text("last_name", bank.MaxName), Email: f.Text("email", bank.MaxEmail),
		Role: roleOf(f), Accounts: map[host.Ref]map[string]string{}}
	for _, account := range o.Accounts {
		if f.Checked(accountField(account.Ref)) && !account.Closed {
			n.Accounts[account.Ref] = map[string]string{}
		}
	}
	var u host.User
	if f.OK() {
		u, err = a.Bank.Create(r.Context(), s.house.ID, s.by, n)
		if err = f.Take(err); err != nil {
			return err
		}
	}
	if !f.OK() {
		return a.renderNew(w, r, s, o, f)
	}
	return done(w, r, s.base().user(u.Ref), nameOf(&u)+" was created. Nobody is told before you invite them.")
}

func roleOf(f *web.Form) bank.Role {
	role, err := bank.ParseRole(f.Raw("role"))
	if err != nil {
		f.Wrong("role", "Choose one of the roles.")
	}
	return role
}

func accountField(ref host.Ref) string { return "account/" + string(ref) }

func (a *app) renderNew(w http.ResponseWriter, r *http.Request, s *seat, o host.Organization, f *web.Form) error {
	b := s.base()
	page := newUserPage{Form: f, Action: b.newUser(o.Ref), Cancel: b.users(), Organization: o.Name}
	crumbs := []ui.Link{{Label: "Users", Href: b.users()}}
	if s.desk == backOffice {
		page.Cancel = b.organization(o.Ref)
		crumbs = []ui.Link{{Label: "Organizations", Href: b.organizations()}, {Label: o.Name, Href: page.Cancel}}
	}
	page.Shell = a.shell(r, s, "Create user", crumbs...)
	page.First, page.Last, page.Email, page.Role, page.Roles = personFields(f)
	for _, account := range o.Accounts {
		if !account.Closed {
			field := f.Field(accountField(account.Ref), accountText(account))
			field.Problem = ""
			page.Accounts = append(page.Accounts, field)
		}
	}
	all, err := a.Bank.Defaults(r.Context(), s.house.ID)
	if err != nil {
		return err
	}
	for _, role := range roles {
		i := slices.IndexFunc(all, func(d host.Defaults) bool { return d.Role == role })
		g := given{Role: role.Label()}
		if i >= 0 {
			g.Lines = valueLines(s.house.Edition, catalog.AtUser, all[i].Permissions)
		}
		page.Gets = append(page.Gets, g)
	}
	return web.Render(w, r, f.Status(), newUserView(page))
}

func accountText(account host.Account) string {
	if account.LastFour == "" {
		return account.Name
	}
	return account.Name + " ·· " + account.LastFour
}

// personFields are the fields of who somebody is.
func personFields(f *web.Form) (first, last, email, role ui.Field, options []ui.Option) {
	first, last, email, role = f.Field("first_name", "First name"), f.Field("last_name", "Last name"), f.Field("email", "Email"), f.Field("role", "Role")
	first.Max, last.Max, email.Max = bank.MaxName, bank.MaxName, bank.MaxEmail
	help := map[bank.Role]string{
		bank.RoleUser:   "Works with the accounts they are given.",
		bank.RoleViewer: "Sees the organization's users as well, and changes none.",
		bank.RoleAdmin:  "Manages the organization's users.",
	}
	for _, r := range roles {
		options = append(options, ui.Option{Value: r.String(), Label: r.Label(), Help: help[r]})
	}
	return first, last, email, role, options
}

type editPage struct {
	userFrame
	Form               *web.Form
	Action, Cancel     string
	First, Last, Email ui.Field
	Role               ui.Field
	Roles              []ui.Option
}

// GET /{institution}/backoffice/users/{user}/edit
func (a *app) editPage(w http.ResponseWriter, r *http.Request, s *seat) error {
	u, err := a.theUser(r, s)
	if err != nil {
		return err
	}
	return a.renderEdit(w, r, s, u, web.NewForm(map[string]string{"first_name": u.FirstName, "last_name": u.LastName, "email": u.Email, "role": u.Role.String()}))
}

// POST /{institution}/backoffice/users/{user}/edit
func (a *app) edit(w http.ResponseWriter, r *http.Request, s *seat) error {
	u, version, err := a.changing(r, s)
	if err != nil {
		return err
	}
	f := web.ReadForm(r)
	e := hostsim.Edit{FirstName: f.Text("first_name", bank.MaxName), LastName: f.Text("last_name", bank.MaxName), Email: f.Text("email", bank.MaxEmail), Role: roleOf(f)}
	if f.OK() {
		_, err = a.Bank.Edit(r.Context(), s.house.ID, s.by, u.Ref, version, e)
		if err = f.Take(err); err != nil {
			return err
		}
	}
	if !f.OK() {
		return a.renderEdit(w, r, s, u, f)
	}
	return done(w, r, s.base().user(u.Ref), "Saved")
}

func (a *app) renderEdit(w http.ResponseWriter, r *http.Request, s *seat, u host.User, f *web.Form) error {
	page := editPage{userFrame: a.frame(r, s, u, "Edit", "Edit user"), Form: f, Cancel: s.base().user(u.Ref)}
	page.Action = page.Edit
	page.First, page.Last, page.Email, page.Role, page.Roles = personFields(f)
	return web.Render(w, r, f.Status(), editView(page))
}
