package office

import (
	"maps"
	"net/http"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

var (
	errNoOrganization = fault.New(fault.NotFound, "There is no such organization.")
	errNoAccount      = fault.New(fault.NotFound, "The organization has no such account.")
)

// A section is one entitlement of a permission form.
type section struct {
	ID, Title string
	Rows      []ui.PermissionRow
}

// sections are the rows of a form at a level. On is the account's name, on an
// account's form.
func sections(edition bank.Edition, level catalog.Levels, values map[string]string, f *web.Form, on string, reader bool) (all []section) {
	entitlements := catalog.Entitlements()
	if level == catalog.AtAccount {
		entitlements = append([]catalog.Entitlement{catalog.NoEntitlement}, entitlements...)
	}
	for _, e := range entitlements {
		permissions := catalog.Of(e, edition, level)
		if len(permissions) == 0 || e != catalog.NoEntitlement && !e.In(edition) {
			continue
		}
		s := section{ID: "section-" + e.ID(), Title: e.Label()}
		if e == catalog.NoEntitlement {
			s.ID, s.Title = "section-account", "Account access"
		}
		if on != "" {
			s.Title += " on " + on
		}
		for _, p := range permissions {
			s.Rows = append(s.Rows, rowOf(p, values[p.ID()], f, reader))
		}
		all = append(all, s)
	}
	return all
}

// rowOf is the row of a permission, with what was typed where there is a form.
func rowOf(p catalog.Permission, value string, f *web.Form, reader bool) ui.PermissionRow {
	info := p.Info()
	row := ui.PermissionRow{Field: ui.Field{Name: info.ID, Label: info.Label, Help: info.Help, Optional: true}}
	row.Word = valueText(info.ID, value)
	if value != "" && value != "false" && value != "none" {
		row.State = ui.StateOn
	}
	if f != nil {
		row.Field.Problem = f.Problem(info.ID)
	}
	if reader {
		return row
	}
	switch {
	case p.IsLimit():
		row.Limit, row.Field.Value = true, limitTyped(info.ID, value, f)
	case info.Type == catalog.Choice:
		row.Field.Value = value
		for _, level := range []catalog.EditLevel{catalog.EditNone, catalog.EditPartial, catalog.EditFull} {
			row.Options = append(row.Options, ui.Option{Value: level.String(), Label: level.Label()})
		}
	default:
		row.Switch = true
		if value == "true" {
			row.Field.Value = "on"
		}
	}
	return row
}

func limitTyped(id, value string, f *web.Form) string {
	if f != nil && f.Sent(id) {
		return f.Raw(id)
	}
	if amount, err := bank.ParseAmount(value); err == nil {
		return amount.Dollars()
	}
	return ""
}

// readValues are the values of a form, on top of those that it does not show.
func readValues(f *web.Form, edition bank.Edition, level catalog.Levels, kept map[string]string) map[string]string {
	values := maps.Clone(kept)
	if values == nil {
		values = map[string]string{}
	}
	for _, e := range append([]catalog.Entitlement{catalog.NoEntitlement}, catalog.Entitlements()...) {
		for _, p := range catalog.Of(e, edition, level) {
			if !f.Sent(p.ID()) {
				continue
			}
			values[p.ID()] = readValue(f, p)
			if values[p.ID()] == "" {
				delete(values, p.ID())
			}
		}
	}
	return values
}

// readValue is a value as the core writes it; what is off is empty.
func readValue(f *web.Form, p catalog.Permission) string {
	switch id := p.ID(); {
	case p.IsLimit():
		text := strings.TrimSpace(f.Raw(id))
		if text == "" {
			return ""
		}
		return f.Money(id).String()
	case p.Info().Type == catalog.Choice:
		if level, known := catalog.ParseEditLevel(f.Raw(id)); known && level != catalog.EditNone {
			return level.String()
		}
		return ""
	default:
		if on, _ := f.Switch(id); on {
			return "true"
		}
		return ""
	}
}

// valueLines are what is on, in words.
func valueLines(edition bank.Edition, level catalog.Levels, values map[string]string) (all []string) {
	for _, e := range append([]catalog.Entitlement{catalog.NoEntitlement}, catalog.Entitlements()...) {
		for _, p := range catalog.Of(e, edition, level) {
			switch value := values[p.ID()]; {
			case value == "" || value == "false" || value == "none":
			case value == "true":
				all = append(all, labelOf(p.ID()))
			default:
				all = append(all, labelOf(p.ID())+" "+valueText(p.ID(), value))
			}
		}
	}
	return all
}

type permissionsPage struct {
	userFrame
	Form     *web.Form
	Action   string
	Title    string
	Lead     string
	Sections []section
	Jump     []ui.Link
}

// levelAt is what a form of permissions is about: the user, or one account.
func (a *app) levelAt(r *http.Request, s *seat, u *host.User) (catalog.Levels, host.Account, error) {
	ref := host.Ref(r.PathValue("account"))
	if ref == "" {
		return catalog.AtUser, host.Account{}, nil
	}
	o, err := a.Bank.Organization(r.Context(), s.house.ID, u.Organization)
	if err != nil {
		return 0, host.Account{}, err
	}
	for _, account := range o.Accounts {
		if account.Ref == ref {
			return catalog.AtAccount, account, nil
		}
	}
	return 0, host.Account{}, errNoAccount
}

// valuesAt are a user's values at a level. Access to an account is a permission
// of the form, and in the core that the account is there.
func valuesAt(u *host.User, account host.Ref) map[string]string {
	if account == "" {
		return u.Permissions
	}
	values, has := u.Accounts[account]
	values = maps.Clone(values)
	if values == nil {
		values = map[string]string{}
	}
	if has {
		values[catalog.AccountAccess.ID()] = "true"
	}
	return values
}

// GET /{institution}/{desk}/users/{user}/permissions and …/accounts/{account}
func (a *app) permissions(w http.ResponseWriter, r *http.Request, s *seat) error {
	u, err := a.theUser(r, s)
	if err != nil {
		return err
	}
	level, account, err := a.levelAt(r, s, &u)
	if err != nil {
		return err
	}
	return a.renderPermissions(w, r, s, u, level, account, valuesAt(&u, account.Ref), nil)
}

func (a *app) renderPermissions(w http.ResponseWriter, r *http.Request, s *seat, u host.User, level catalog.Levels, account host.Account, values map[string]string, f *web.Form) error {
	b := s.base()
	page := permissionsPage{userFrame: a.frame(r, s, u, "Permissions", "Permissions of "+nameOf(&u)), Form: f, Action: b.permissions(u.Ref),
		Title: "User permissions", Lead: "What " + u.FirstName + " may do at all. What the organization does not have stays without effect in Online."}
	on := ""
	if level == catalog.AtAccount {
		on = accountText(account)
		page.userFrame = a.frame(r, s, u, "Accounts", on+", "+nameOf(&u))
		page.Action, page.Title, page.Lead = b.account(u.Ref, account.Ref), on, "What "+u.FirstName+" may do on this account."
	}
	page.Sections = sections(s.house.Edition, level, values, f, on, !page.Manages)
	for _, section := range page.Sections {
		page.Jump = append(page.Jump, ui.Link{Label: strings.TrimSuffix(section.Title, " on "+on), Href: "#" + section.ID})
	}
	status := http.StatusOK
	if f != nil {
		status = f.Status()
	}
	return web.Render(w, r, status, permissionsView(page))
}

// POST /{institution}/{desk}/users/{user}/permissions and …/accounts/{account}
func (a *app) setPermissions(w http.ResponseWriter, r *http.Request, s *seat) error {
	u, version, err := a.changing(r, s)
	if err != nil {
		return err
	}
	level, account, err := a.levelAt(r, s, &u)
	if err != nil {
		return err
	}
	f := web.ReadForm(r)
	values := readValues(f, s.house.Edition, level, valuesAt(&u, account.Ref))
	if f.OK() {
		_, err = a.Bank.SetRights(r.Context(), s.house.ID, s.by, u.Ref, version, rightsWith(&u, account.Ref, values))
		if err = f.Take(unprefixed(err, account.Ref)); err != nil {
			return err
		}
	}
	if !f.OK() {
		return a.renderPermissions(w, r, s, u, level, account, values, f)
	}
	to := s.base().permissions(u.Ref)
	if account.Ref != "" {
		to = s.base().account(u.Ref, account.Ref)
	}
	return done(w, r, to, "Saved")
}

// rightsWith are a user's rights with other values at one level.
func rightsWith(u *host.User, account host.Ref, values map[string]string) hostsim.Rights {
	rights := hostsim.Rights{Permissions: u.Permissions, Accounts: maps.Clone(u.Accounts)}
	if account == "" {
		rights.Permissions = values
		return rights
	}
	if rights.Accounts == nil {
		rights.Accounts = map[host.Ref]map[string]string{}
	}
	has := values[catalog.AccountAccess.ID()] == "true"
	delete(values, catalog.AccountAccess.ID())
	if rights.Accounts[account] = values; !has {
		delete(rights.Accounts, account)
	}
	return rights
}

// unprefixed is an error whose problems name the fields of an account's form.
func unprefixed(err error, account host.Ref) error {
	if fault.KindOf(err) != fault.Invalid || account == "" {
		return err
	}
	var problems fault.Problems
	for _, p := range fault.ProblemsOf(err) {
		problems.Add(strings.TrimPrefix(p.Field, accountField(account)+"/"), p.Sentence)
	}
	return problems.Err(web.SentenceOf(err))
}

type accountsPage struct {
	userFrame
	Action string
	Rows   []accountRow
}

type accountRow struct {
	Field ui.Field
	Name  string
	Href  string
	Has   bool
	What  string
}

// GET /{institution}/{desk}/users/{user}/accounts
func (a *app) accounts(w http.ResponseWriter, r *http.Request, s *seat) error {
	u, err := a.theUser(r, s)
	if err != nil {
		return err
	}
	o, err := a.Bank.Organization(r.Context(), s.house.ID, u.Organization)
	if err != nil {
		return err
	}
	page := accountsPage{userFrame: a.frame(r, s, u, "Accounts", "Accounts of "+nameOf(&u)), Action: s.base().accounts(u.Ref)}
	for _, account := range o.Accounts {
		on, has := u.Accounts[account.Ref]
		row := accountRow{Name: accountText(account), Href: s.base().account(u.Ref, account.Ref), Has: has, What: ui.Count(len(valueLines(s.house.Edition, catalog.AtAccount, on)), "permission", "permissions")}
		row.Field = ui.Field{Name: accountField(account.Ref), Label: row.Name, Off: !page.Manages}
		if has {
			row.Field.Value = "on"
		}
		page.Rows = append(page.Rows, row)
	}
	return web.Render(w, r, http.StatusOK, accountsView(page))
}

// POST /{institution}/{desk}/users/{user}/accounts
func (a *app) setAccounts(w http.ResponseWriter, r *http.Request, s *seat) error {
	u, version, err := a.changing(r, s)
	if err != nil {
		return err
	}
	f := web.ReadForm(r)
	rights := hostsim.Rights{Permissions: u.Permissions, Accounts: map[host.Ref]map[string]string{}}
	o, err := a.Bank.Organization(r.Context(), s.house.ID, u.Organization)
	if err != nil {
		return err
	}
	for _, account := range o.Accounts {
		on, shown := f.Switch(accountField(account.Ref))
		had, has := u.Accounts[account.Ref]
		switch {
		case shown && on && !has:
			rights.Accounts[account.Ref] = map[string]string{}
		case has && (on || !shown):
			rights.Accounts[account.Ref] = had
		}
	}
	if _, err := a.Bank.SetRights(r.Context(), s.house.ID, s.by, u.Ref, version, rights); err != nil {
		return err
	}
	return done(w, r, s.base().accounts(u.Ref), "Saved")
}
