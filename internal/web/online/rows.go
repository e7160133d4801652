package online

import (
	"fmt"
	"slices"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
	"mandate/internal/web/phrase"
	"mandate/internal/web/ui"
)

// A permissionSection is one entitlement of a permission form.
type permissionSection struct {
	ID, Title string
	Short     string // the title without the account
	Help      string
	Fix       ui.Link // where what blocks all of it can be changed
	Blocked   bool
	Rows      []ui.PermissionRow
}

// A rowMaker makes the rows of a form: how each permission stands, what stands
// above it, what it needs and brings along.
type rowMaker struct {
	me       usermgmt.Standing
	profile  *usermgmt.Profile
	names    entitlement.Names
	draft    *draft
	result   evaluation
	settings entitlement.Settings // as the form would leave them
	base     base
	reader   bool
	problems map[string]string // by permission id
	on       string            // the account's name, on an account's form
}

func (m *rowMaker) edition() bank.Edition { return m.profile.Policy.Institution.Edition }

func (m *rowMaker) sections() []permissionSection {
	var sections []permissionSection
	for _, e := range sectionsAt(m.edition(), m.draft.level) {
		s := permissionSection{ID: "section-" + e.ID(), Short: e.Label()}
		if e == catalog.NoEntitlement {
			s.ID, s.Short = "section-account", "Account access"
		}
		s.Title = s.Short
		if m.on != "" {
			s.Title += " on " + m.on
		}
		s.Help, s.Fix = m.above(e)
		s.Blocked = s.Help != ""
		for i, p := range catalog.Of(e, m.edition(), levelOf(m.draft.level)) {
			row := m.row(p, s.Blocked)
			if s.Blocked && i > 0 {
				row.Why = ui.Link{} // said once for all of them
			}
			s.Rows = append(s.Rows, row)
		}
		sections = append(sections, s)
	}
	return sections
}

// above says what stands in the way of a whole entitlement at the levels above
// this form's, and who can change it.
func (m *rowMaker) above(e catalog.Entitlement) (blocker string, fix ui.Link) {
	if e == catalog.NoEntitlement {
		return "", fix
	}
	p := m.profile.Policy
	reason := entitlement.Reason{Permission: e.Enabled(), Account: m.draft.level}
	who := ""
	switch {
	case !p.Institution.Offers.Has(e):
		reason.Code, who = entitlement.InstitutionOff, entitlement.InstitutionSets.Sentence()
	case !p.Organization.Entitlements.Has(e):
		reason.Code, who = entitlement.OrganizationOff, entitlement.StaffPeople.Sentence()
	case m.draft.level != "" && p.Accounts[m.draft.level].Off.Has(e):
		reason.Code, who = entitlement.OrganizationAccountOff, entitlement.StaffPeople.Sentence()
	case m.draft.level != "" && !m.own().On.Has(e.Enabled()):
		reason.Code, reason.Account = entitlement.UserOff, ""
		return reason.Sentence(m.names), m.userLevel(e.Enabled())
	default:
		return "", fix
	}
	return reason.Sentence(m.names) + " Who can change it: " + who + ".", fix
}

// userLevel leads to a switch of the user level, turned on; not for readers.
func (m *rowMaker) userLevel(p catalog.Permission) ui.Link {
	if m.reader {
		return ui.Link{}
	}
	return ui.Link{Label: "Turn it on in Set permissions", Href: m.base.permissions(m.profile.Member.ID) + "?" + p.ID() + "=true#" + ui.FieldID(p.ID())}
}

func (m *rowMaker) row(p catalog.Permission, above bool) ui.PermissionRow {
	info, value, was := p.Info(), m.result.shown[p], m.draft.base[p]
	row := ui.PermissionRow{Field: ui.Field{Name: p.ID(), Label: info.Label, Help: info.Help, Optional: true, Problem: m.problems[p.ID()]}}
	m.control(&row, p, value)
	m.state(&row, p, value)
	if !same(p, m.draft.level, value, was) {
		row.Changed = m.words(p, was)
	}
	if ceiling, set := m.profile.Policy.Organization.Ceilings.Get(limitOf(p)); set && p.IsLimit() {
		row.Ceiling, row.CeilingOf = ceiling, "Set by "+m.me.Institution.Name
	}
	switch {
	case above:
		m.block(&row, p, "")
	case m.forbidden(p) != "":
		m.block(&row, p, m.forbidden(p))
	case m.parentOff(p):
		m.block(&row, p, entitlement.Reason{Code: entitlement.UserOff, Permission: p}.Sentence(m.names))
		if fix := m.userLevel(p); fix.Href != "" {
			row.Why = fix
		}
	default:
		m.company(&row, p, value)
	}
	return row
}

func limitOf(p catalog.Permission) catalog.Limit {
	if !p.IsLimit() {
		return 0
	}
	return p.Limit()
}

// control is what changes a permission; a reader gets none.
func (m *rowMaker) control(row *ui.PermissionRow, p catalog.Permission, value string) {
	switch p.Info().Type {
	case catalog.Switch:
		row.Field.Value = map[bool]string{true: "on", false: "off"}[value == "true"]
		row.Switch = !m.reader
	case catalog.Choice:
		row.Field.Value = value
		for _, level := range []catalog.EditLevel{catalog.EditFull, catalog.EditPartial, catalog.EditNone} {
			row.Options = append(row.Options, ui.Option{Value: level.String(), Label: level.Label()})
		}
		if m.reader {
			row.Options = nil
		}
	default:
		row.Field.Value = value
		if amount, err := bank.ParseAmount(value); err == nil {
			row.Field.Value = amount.Dollars()
		}
		row.Limit = !m.reader
	}
	row.Field.Attrs = map[string]any{
		"hx-post":    m.base.level(m.profile.Member.ID, m.draft.level),
		"hx-trigger": "change",
		"hx-target":  "#permission-form",
		"hx-swap":    "outerMorph",
		"hx-sync":    "closest form:replace",
	}
}

func (m *rowMaker) state(row *ui.PermissionRow, p catalog.Permission, value string) {
	allows := value != off(p)
	if p.IsLimit() {
		amount, err := bank.ParseAmount(value)
		allows = err == nil && amount > 0
		row.Word = m.words(p, value)
	}
	if p == catalog.ACHEditLevel {
		row.Word = phrase.Value(p, value)
	}
	if allows {
		row.State = ui.StateOn
	}
	if own, set := m.own().Limits.Get(limitOf(p)); p.IsLimit() && m.draft.level != "" && value == "" && set && own > 0 {
		row.State = ui.StateInherited
	}
}

// words is a value in words; an account's limit that is not set is the
// member's own.
func (m *rowMaker) words(p catalog.Permission, value string) string {
	if p.IsLimit() && m.draft.level != "" && value == "" {
		own, _ := m.own().Limits.Get(p.Limit())
		return own.Dollars() + ", user level"
	}
	if p.IsLimit() && value == "" {
		return bank.Cents(0).Dollars()
	}
	return phrase.Value(p, value)
}

// own are the member's settings at user level.
func (m *rowMaker) own() entitlement.Settings {
	return m.profile.Policy.Members[m.profile.Member.ID].Settings
}

// block shows a permission as one that a level above does not allow: off, and
// not to be moved here.
func (m *rowMaker) block(row *ui.PermissionRow, p catalog.Permission, blocker string) {
	row.State, row.Word, row.Changed = ui.StateBlocked, "", ""
	row.Field.Off, row.Blocker = true, blocker
	row.Field.Value = ""
	if p == catalog.ACHEditLevel {
		row.Field.Value = catalog.EditNone.String()
	}
	row.Why = m.why(p)
}

// forbidden is what the member's role forbids.
func (m *rowMaker) forbidden(p catalog.Permission) string {
	if p == catalog.UserManagementEnabled && m.profile.Member.Role == bank.RoleUser {
		return entitlement.Problem{Code: entitlement.RoleForbidsIt}.Sentence()
	}
	return ""
}

// parentOff reports whether a switch of an account is of no use because it is
// off at user level. A restriction of an account binds by itself.
func (m *rowMaker) parentOff(p catalog.Permission) bool {
	return m.draft.level != "" && p.At(catalog.AtUser) && !p.IsLimit() && !p.Info().Restricts && !m.own().On.Has(p)
}

// company says what a permission needs, and what came or goes with another.
func (m *rowMaker) company(row *ui.PermissionRow, p catalog.Permission, value string) {
	if by, ok := m.result.brought[p]; ok {
		row.Also = "Comes on with " + phrase.Permission(by) + "."
		return
	}
	if slices.Contains(m.result.turnedOff, p) {
		row.Also = "Goes off with " + m.cause(p) + "."
		return
	}
	if m.reader {
		return
	}
	if value == off(p) || p.IsLimit() && row.State == ui.StateOff {
		m.needs(row, p)
	}
	if m.draft.level != "" && p != catalog.AccountAccess && !m.settings.On.Has(catalog.AccountAccess) && value != off(p) && !p.IsLimit() {
		row.Also = strings.TrimSpace(row.Also + " Has no effect while account access is off.")
	}
}

// needs lists what must be on first; turning the switch on brings it along.
func (m *rowMaker) needs(row *ui.PermissionRow, p catalog.Permission) {
	with := m.settings
	with.On = with.On.With(p)
	if p == catalog.ACHEditLevel {
		with.EditLevel = catalog.EditPartial
	}
	for _, unmet := range entitlement.Unmet(m.edition(), levelOf(m.draft.level), m.own(), with) {
		if unmet.Permission != p {
			continue
		}
		label := unmet.Needs.Info().Label
		switch {
		case unmet.Needs.IsLimit():
			label = "a " + label + " above zero"
		case unmet.Needs == p.Info().Entitlement.Enabled():
			label = p.Info().Entitlement.Label() + " enabled"
		}
		row.Needs = append(row.Needs, ui.Link{Label: label, Href: "#" + ui.FieldID(unmet.Needs.ID())})
	}
}

// cause is the switch or limit that went, and with which p goes.
func (m *rowMaker) cause(p catalog.Permission) string {
	for _, need := range p.Needs(m.edition()) {
		if slices.Contains(m.result.turnedOff, need.Permission) {
			return m.cause(need.Permission)
		}
		if _, asked := m.result.set[need.Permission.ID()]; asked {
			return phrase.Permission(need.Permission)
		}
	}
	return "what it needs"
}

func (m *rowMaker) why(p catalog.Permission) ui.Link {
	op := operationOf(p, m.edition())
	if op == catalog.UnknownOperation {
		return ui.Link{}
	}
	href := fmt.Sprintf("%s?operation=%s", m.base.why(m.profile.Member.ID), op.ID())
	if m.draft.level != "" && op.Info().Accounts != catalog.AccountNone {
		href += "&account=" + string(m.draft.level)
	}
	return ui.Link{Label: "Why?", Href: href}
}

// operationOf is what a permission is asked about with: the first operation
// that names it, otherwise the first of its entitlement.
func operationOf(p catalog.Permission, edition bank.Edition) catalog.Operation {
	first := catalog.UnknownOperation
	for _, op := range catalog.Operations() {
		info := op.Info()
		if slices.Contains(info.Named(edition), p) {
			return op
		}
		for _, need := range info.Context {
			if need.Permission == p {
				return op
			}
		}
		if first == catalog.UnknownOperation && info.Entitlement == p.Info().Entitlement {
			first = op
		}
	}
	return first
}
