package console

import (
	"maps"
	"net/url"
	"slices"
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

func accountAt(member string, account bank.AccountID) string {
	return member + "/accounts/" + url.PathEscape(string(account))
}

// A rightsMaker makes the rows of a member's permissions: how each stands, what
// stands above it, and the control where there is one.
type rightsMaker struct {
	page     *memberPermissionsPage
	settings entitlement.Settings
	typed    map[catalog.Permission]string
	form     *web.Form
	names    entitlement.Names
}

func (m *rightsMaker) sections(edition bank.Edition) (sections []rightsSection) {
	entitlements := catalog.Entitlements()
	if m.page.Level != "" {
		entitlements = append([]catalog.Entitlement{catalog.NoEntitlement}, entitlements...)
	}
	for _, e := range entitlements {
		permissions := catalog.Of(e, edition, levelsOf(m.page.Level))
		if !e.In(edition) && e != catalog.NoEntitlement || len(permissions) == 0 {
			continue
		}
		s := rightsSection{ID: "section-" + e.ID(), Title: e.Label()}
		if e == catalog.NoEntitlement {
			s.ID, s.Title = "section-account", "Account access"
		}
		s.Help, s.Fix = m.above(e)
		for _, p := range permissions {
			if m.page.All || p.At(catalog.AtOrganization) {
				s.Rows = append(s.Rows, m.row(p, edition, s.Help != ""))
			}
		}
		sections = append(sections, s)
	}
	return sections
}

// above says what stands in the way of a whole entitlement at the levels above,
// and where staff can change it.
func (m *rightsMaker) above(e catalog.Entitlement) (blocker string, fix ui.Link) {
	p, level := m.page.Profile.Policy, m.page.Level
	reason := entitlement.Reason{Permission: e.Enabled(), Account: level}
	here := m.page.Base.organization(m.page.Profile.Organization.ID)
	switch {
	case e == catalog.NoEntitlement:
		return "", fix
	case !p.Institution.Offers.Has(e):
		reason.Code = entitlement.InstitutionOff
	case !p.Organization.Entitlements.Has(e):
		reason.Code, fix = entitlement.OrganizationOff, ui.Link{Label: "Permissions of the organization", Href: here + "/permissions#section-" + e.ID()}
	case level != "" && p.Accounts[level].Off.Has(e):
		reason.Code, fix = entitlement.OrganizationAccountOff, ui.Link{Label: "This account of the organization", Href: accountAt(here, level)}
	case level != "" && !m.page.Profile.Member.Settings.On.Has(e.Enabled()):
		reason.Code, reason.Account = entitlement.UserOff, ""
		fix = ui.Link{Label: "Organization user permissions", Href: m.page.at("/permissions#section-" + e.ID())}
	default:
		return "", fix
	}
	return reason.Sentence(m.names), fix
}

func (m *rightsMaker) row(p catalog.Permission, edition bank.Edition, blocked bool) ui.PermissionRow {
	was := usermgmt.WriteValue(p, m.settings)
	value, typed := m.typed[p]
	if !typed {
		value = was
	}
	info := p.Info()
	row := ui.PermissionRow{Field: ui.Field{Name: p.ID(), Label: info.Label, Help: info.Help, Optional: true, Problem: m.form.Problem(p.ID())}}
	if value != was {
		row.Changed = phrase.Value(p, was)
	}
	if amount, set := m.settings.Limits.Get(limitOf(p)); value == "true" || p == catalog.ACHEditLevel && value != catalog.EditNone.String() || p.IsLimit() && set && amount > 0 {
		row.State = ui.StateOn
	}
	if info.Type != catalog.Switch {
		row.Word = phrase.Value(p, value)
	}
	if ceiling, set := m.page.Profile.Policy.Organization.Ceilings.Get(limitOf(p)); set && p.IsLimit() {
		row.Ceiling, row.CeilingOf = ceiling, "Set by "+m.page.Me.House.Name
	}
	switch {
	case blocked:
		row.State, row.Word, row.Changed = ui.StateBlocked, "", ""
	case p == catalog.UserManagementEnabled && m.page.Profile.Member.Role == bank.RoleUser:
		row.State, row.Blocker = ui.StateBlocked, entitlement.Problem{Code: entitlement.RoleForbidsIt}.Sentence()
	case m.page.editable(p, edition):
		m.control(&row, p, value)
	}
	return row
}

// control makes a row one that can be changed.
func (m *rightsMaker) control(row *ui.PermissionRow, p catalog.Permission, value string) {
	m.page.Edits = true
	switch p.Info().Type {
	case catalog.Switch:
		row.Switch, row.Field.Value = true, map[bool]string{true: "on", false: "off"}[value == "true"]
	case catalog.Choice:
		row.Field.Value = value
		for _, level := range []catalog.EditLevel{catalog.EditFull, catalog.EditPartial, catalog.EditNone} {
			row.Options = append(row.Options, ui.Option{Value: level.String(), Label: level.Label()})
		}
	default:
		row.Limit, row.Field.Value = true, value
		if amount, err := bank.ParseAmount(value); err == nil {
			row.Field.Value = amount.Dollars()
		}
	}
}

func limitOf(p catalog.Permission) catalog.Limit {
	if !p.IsLimit() {
		return 0
	}
	return p.Limit()
}

// typedRights are the permissions that a form has, as written values.
func typedRights(f *web.Form, edition bank.Edition, level bank.AccountID) map[catalog.Permission]string {
	typed := map[catalog.Permission]string{}
	for p := range catalog.PermissionCount {
		if texts := f.All(p.ID()); len(texts) > 0 && p.In(edition) && p.At(levelsOf(level)) {
			typed[p] = phrase.Typed(p, texts[len(texts)-1])
		}
	}
	return typed
}

// differing is what a form asks for that is not so already.
func differing(s entitlement.Settings, level bank.AccountID, typed map[catalog.Permission]string) map[string]entitlement.Value {
	set := map[string]entitlement.Value{}
	for p, value := range typed {
		was := usermgmt.ReadValue(p, level, usermgmt.WriteValue(p, s))
		if is := usermgmt.ReadValue(p, level, value); is != was || is.Kind == entitlement.Unreadable {
			set[p.ID()] = is
		}
	}
	return set
}

func version(f *web.Form) int64 {
	n, err := strconv.ParseInt(f.Raw("version"), 10, 64)
	if err != nil || n < 0 {
		return 0 // no member has that: the change is shown on what is stored now
	}
	return n
}

// sets writes an edit for the hidden fields of a form.
func sets(e usermgmt.Edit) (level bank.AccountID, all []string) {
	for _, change := range e.Changes {
		level = change.Account
		for _, id := range slices.Sorted(maps.Keys(change.Set)) {
			all = append(all, id+"="+usermgmt.ValueText(change.Set[id]))
		}
	}
	return level, all
}

// carriedEdit reads an edit back.
func carriedEdit(f *web.Form, who usermgmt.Person) usermgmt.Edit {
	edit := usermgmt.Edit{Person: who, Version: version(f), Cascade: true}
	change := entitlement.Change{Member: who.User, Account: bank.AccountID(f.Raw("level")), Set: map[string]entitlement.Value{}}
	for _, one := range f.All("set") {
		id, written, _ := strings.Cut(one, "=")
		p, _ := catalog.ParsePermission(id)
		change.Set[id] = usermgmt.ReadValue(p, change.Account, written)
	}
	if len(change.Set) > 0 {
		edit.Changes = []entitlement.Change{change}
	}
	return edit
}
