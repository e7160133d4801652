package office

import (
	"net/http"
	"strconv"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type defaultsPage struct {
	Shell ui.Shell
	Roles []defaultsRow
}

type defaultsRow struct {
	Role, Href string
	Lines      []string
}

// GET /{institution}/backoffice/defaults
func (a *app) defaults(w http.ResponseWriter, r *http.Request, s *seat) error {
	page := defaultsPage{Shell: a.shell(r, s, "Default permissions")}
	for _, role := range roles {
		d, err := a.defaultsFor(r, s.house, role)
		if err != nil {
			return err
		}
		page.Roles = append(page.Roles, defaultsRow{role.Label(), s.base().defaultsOf(role), valueLines(s.house.Edition, catalog.AtUser, d.Permissions)})
	}
	return web.Render(w, r, http.StatusOK, defaultsView(page))
}

type defaultsForm struct {
	Shell    ui.Shell
	Form     *web.Form
	Role     string
	Action   string
	Version  string
	Sections []section
	Manages  bool
}

func roleAt(r *http.Request) (bank.Role, error) {
	role, err := bank.ParseRole(r.PathValue("role"))
	if err != nil {
		return role, fault.New(fault.NotFound, "There is no such role.")
	}
	return role, nil
}

// GET /{institution}/backoffice/defaults/{role}
func (a *app) defaultsOf(w http.ResponseWriter, r *http.Request, s *seat) error {
	role, err := roleAt(r)
	if err != nil {
		return err
	}
	d, err := a.defaultsFor(r, s.house, role)
	if err != nil {
		return err
	}
	return a.renderDefaults(w, r, s, role, d.Version, d.Permissions, nil)
}

func (a *app) renderDefaults(w http.ResponseWriter, r *http.Request, s *seat, role bank.Role, version int64, values map[string]string, f *web.Form) error {
	b := s.base()
	page := defaultsForm{Shell: a.shell(r, s, "Defaults of "+role.Label(), ui.Link{Label: "Default permissions", Href: b.defaults()}), Form: f, Role: role.Label(),
		Action: b.defaultsOf(role), Version: strconv.FormatInt(version, 10), Manages: s.allowed(mayDefaults)}
	page.Sections = sections(s.house.Edition, catalog.AtUser, values, f, "", !page.Manages)
	status := http.StatusOK
	if f != nil {
		status = f.Status()
	}
	return web.Render(w, r, status, defaultsFormView(page))
}

// POST /{institution}/backoffice/defaults/{role}
func (a *app) setDefaults(w http.ResponseWriter, r *http.Request, s *seat) error {
	role, err := roleAt(r)
	if err != nil {
		return err
	}
	d, err := a.defaultsFor(r, s.house, role)
	if err != nil {
		return err
	}
	f := web.ReadForm(r)
	version, err := strconv.ParseInt(f.Raw("version"), 10, 64)
	if err != nil {
		return fault.New(fault.Invalid, "The form could not be read. Reload the page and try again.")
	}
	values := readValues(f, s.house.Edition, catalog.AtUser, d.Permissions)
	if f.OK() {
		if err := f.Take(a.Bank.SetDefaults(r.Context(), s.house.ID, s.by, role, version, values)); err != nil {
			return err
		}
	}
	if !f.OK() {
		return a.renderDefaults(w, r, s, role, version, values, f)
	}
	return done(w, r, s.base().defaults(), "Saved. Who is there already keeps what they have.")
}
