package office

import (
	"net/http"
	"net/url"

	"mandate/internal/bank"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// perPage is how many rows a list shows at once.
const perPage = 50

type organizationsPage struct {
	Shell   ui.Shell
	Toolbar ui.Toolbar
	Rows    []organizationRow
	More    string // address of the rows after these; empty: there are none
}

type organizationRow struct{ Ref, Name, Href string }

// GET /{institution}/backoffice/organizations
func (a *app) organizations(w http.ResponseWriter, r *http.Request, s *seat) error {
	list := web.ReadList(r, web.ListSpec{})
	all, err := a.Bank.SearchOrganizations(r.Context(), s.house.ID, list.Search, host.Ref(r.URL.Query().Get("after")), perPage+1)
	if err != nil {
		return err
	}
	page := organizationsPage{Shell: a.shell(r, s, "Organizations")}
	all, page.More = firstPage(r, all, func(o host.Organization) host.Ref { return o.Ref })
	for _, o := range all {
		page.Rows = append(page.Rows, organizationRow{string(o.Ref), o.Name, s.base().organization(o.Ref)})
	}
	page.Toolbar = list.Toolbar("Search organizations by name or number", shown(len(all), page.More, "organization", "organizations"))
	return web.Render(w, r, http.StatusOK, organizationsView(page))
}

// firstPage is a page of what was found, and the address of what follows it.
func firstPage[T any](r *http.Request, found []T, ref func(T) host.Ref) (page []T, more string) {
	if len(found) <= perPage {
		return found, ""
	}
	q := url.Values{"after": {string(ref(found[perPage-1]))}}
	if text := r.URL.Query().Get("q"); text != "" {
		q.Set("q", text)
	}
	return found[:perPage], r.URL.Path + "?" + q.Encode()
}

// shown says how many rows there are.
func shown(n int, more, one, many string) string {
	if more != "" {
		return "The first " + ui.Count(n, one, many)
	}
	return ui.Count(n, one, many)
}

type organizationPage struct {
	Shell        ui.Shell
	Organization host.Organization
	Users        []userRow
	More         string
	All          string // all users of it
	Create       string // empty: they may not
}

// usersOfOrganization is how many users an organization's page shows.
const usersOfOrganization = 10

// GET /{institution}/backoffice/organizations/{organization}
func (a *app) organization(w http.ResponseWriter, r *http.Request, s *seat) error {
	o, err := a.Bank.Organization(r.Context(), s.house.ID, host.Ref(r.PathValue("organization")))
	if err != nil {
		return err
	}
	found, err := a.Bank.Search(r.Context(), s.house.ID, hostsim.Search{Organization: o.Ref, Most: usersOfOrganization + 1})
	if err != nil {
		return err
	}
	b := s.base()
	page := organizationPage{Shell: a.shell(r, s, o.Name, ui.Link{Label: "Organizations", Href: b.organizations()}), Organization: o}
	if len(found) > usersOfOrganization {
		found, page.All = found[:usersOfOrganization], b.users()+"?organization="+url.QueryEscape(string(o.Ref))
	}
	page.Users = rowsOf(b, found, nil)
	if s.allowed(mayManage) {
		page.Create = b.newUser(o.Ref)
	}
	return web.Render(w, r, http.StatusOK, organizationView(page))
}

// A userRow is one user of a list.
type userRow struct {
	Name, Detail, Href string
	Organization       string // empty where all are of one
	Role               string
	Status             ui.State
	Held               bool
}

func rowsOf(b base, users []host.User, organizations map[host.Ref]string) (rows []userRow) {
	for _, u := range users {
		rows = append(rows, userRow{nameOf(&u), u.Email, b.user(u.Ref), organizations[u.Organization], u.Role.Label(), ui.OfStatus(u.Status), u.Held})
	}
	return rows
}

type usersPage struct {
	Shell   ui.Shell
	Title   string
	Lead    string
	Toolbar ui.Toolbar
	Rows    []userRow
	More    string
	Create  string
	Of      bool // the rows say of which organization they are
}

// GET /{institution}/backoffice/users and /{institution}/classic/users
func (a *app) users(w http.ResponseWriter, r *http.Request, s *seat) error {
	list := web.ReadList(r, web.ListSpec{Filters: map[string][]string{"organization": nil}})
	page := usersPage{Title: "Users", Lead: "Cash users of all organizations, as the core has them.", Of: true}
	of := host.Ref(list.Filter("organization"))
	if s.desk == classic {
		of, page.Of, page.Title, page.Lead = s.organization.Ref, false, "Cash users", "Who works with the accounts of your organization."
		page.Create = s.base().newUser(of)
	}
	all, err := a.Bank.Search(r.Context(), s.house.ID, hostsim.Search{Organization: of, Text: list.Search, After: host.Ref(r.URL.Query().Get("after")), Most: perPage + 1})
	if err != nil {
		return err
	}
	all, page.More = firstPage(r, all, func(u host.User) host.Ref { return u.Ref })
	names := map[host.Ref]string{}
	if page.Of {
		if names, err = a.namesOf(r, s.house.ID, all); err != nil {
			return err
		}
	}
	page.Shell, page.Rows = a.shell(r, s, page.Title), rowsOf(s.base(), all, names)
	page.Toolbar = list.Toolbar("Search users", shown(len(all), page.More, "user", "users"))
	return web.Render(w, r, http.StatusOK, usersView(page))
}

// namesOf are the names of the organizations of a page of users.
func (a *app) namesOf(r *http.Request, institution bank.InstitutionID, users []host.User) (map[host.Ref]string, error) {
	names := map[host.Ref]string{}
	for _, u := range users {
		if _, known := names[u.Organization]; known {
			continue
		}
		o, err := a.Bank.Organization(r.Context(), institution, u.Organization)
		if err != nil {
			return nil, err
		}
		names[u.Organization] = o.Name
	}
	return names, nil
}
