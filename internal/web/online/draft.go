package online

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/phrase"
)

// A draft is a permission form under way: what it held when it was opened, what
// it holds now, and what the last look at it put in by itself. Nothing of it is
// stored; the form carries it.
type draft struct {
	level   bank.AccountID // empty: the user level
	version int64          // of the member, when the form was opened
	base    values         // as the form was opened
	typed   values         // as it is now
	derived values         // what the rules put in: needs, and what fell with one
	touched catalog.Permission
	since   int64 // the version from which others' changes are told; -1: nobody changed anything
}

// untouched says that nobody knows which control was changed last.
const untouched = catalog.PermissionCount

// newDraft is a form as it is opened, with what its address asks to be set.
func newDraft(profile *usermgmt.Profile, level bank.AccountID, asked url.Values) draft {
	shown := permissionsAt(profile, level)
	now := valuesOf(settingsAt(profile, level), shown)
	d := draft{level: level, version: profile.Member.Version, base: now, typed: values{}, touched: untouched, since: -1}
	for _, p := range shown {
		d.typed[p] = now[p]
		if asked.Has(p.ID()) {
			d.typed[p] = asked.Get(p.ID())
		}
	}
	return d
}

// readDraft reads the form as it came back. A control that could not be moved
// was not sent and stays as it was.
func readDraft(r *http.Request, f *web.Form, level bank.AccountID) draft {
	d := draft{
		level: level, base: parseValues(f.Raw("base")), derived: parseValues(f.Raw("derived")), typed: values{},
		touched: touchedControl(r), version: readVersion(f.Raw("version")), since: readVersion(f.Raw("since")),
	}
	for p, was := range d.base {
		d.typed[p] = was
		switch on, shown := f.Switch(p.ID()); {
		case !f.Sent(p.ID()):
		case p.Info().Type == catalog.Switch && shown && on:
			d.typed[p] = "true"
		case p.Info().Type == catalog.Switch:
			d.typed[p] = "false"
		default:
			d.typed[p] = phrase.Typed(p, f.Raw(p.ID()))
		}
	}
	return d
}

// readVersion reads a member's version; -1 is none.
func readVersion(s string) int64 {
	version, err := strconv.ParseInt(s, 10, 64)
	if err != nil || version < 0 {
		return -1
	}
	return version
}

// touchedControl is the control that a script says was changed last.
func touchedControl(r *http.Request) catalog.Permission {
	_, id, _ := strings.Cut(r.Header.Get("HX-Source"), "#field-")
	if p, ok := catalog.ParsePermission(id); ok {
		return p
	}
	return untouched
}

// rebase puts what was typed on top of what is stored now. It reports whether
// somebody else has changed the member since it was last drawn.
func (d *draft) rebase(profile *usermgmt.Profile) bool {
	now := valuesOf(settingsAt(profile, d.level), permissionsAt(profile, d.level))
	moved := d.version != profile.Member.Version
	for p, value := range now {
		if typed, sent := d.typed[p]; !sent || same(p, d.level, typed, d.base[p]) {
			d.typed[p] = value
		}
	}
	if moved && d.since < 0 {
		d.since = max(d.version, 0)
	}
	d.base, d.version = now, profile.Member.Version
	return moved
}

// An evaluation is what the rules make of a draft.
type evaluation struct {
	set       map[string]entitlement.Value // what is asked for, with what it brings along
	brought   map[catalog.Permission]catalog.Permission
	turnedOff []catalog.Permission
	outcome   entitlement.Outcome
	shown     values // what the form holds then
}

// evaluate asks the edit rules about a draft. What somebody asks for brings its
// needs along as far as they are switches: an amount is for people to choose.
// What loses a need goes off with it. The control that was changed last wins
// over those before it.
func (d *draft) evaluate(policy *entitlement.Policy, actor, member bank.UserID, req entitlement.Request) evaluation {
	e := evaluation{set: d.asked(), brought: map[catalog.Permission]catalog.Permission{}}
	for range catalog.PermissionCount {
		e.outcome = entitlement.Edit(policy, actor, entitlement.Change{Member: member, Account: d.level, Set: e.set, Cascade: true}, req)
		if !d.settle(&e) {
			break
		}
	}
	e.turnedOff = e.outcome.TurnedOff
	e.shown = d.hold(&e)
	return e
}

// asked is what the form holds besides what it was opened with and what the
// last look put in.
func (d *draft) asked() map[string]entitlement.Value {
	set := map[string]entitlement.Value{}
	for p, typed := range d.typed {
		if put, ok := d.derived[p]; ok && put == typed {
			continue
		}
		if d.undone(p) || !same(p, d.level, typed, d.base[p]) {
			set[p.ID()] = usermgmt.ReadValue(p, d.level, typed)
		}
	}
	return set
}

// undone reports whether somebody moved a control back from where it was put,
// or back to where it was just now: they mean it, whatever else is asked.
func (d *draft) undone(p catalog.Permission) bool {
	if p.IsLimit() {
		return false
	}
	put, ok := d.derived[p]
	return ok && put != d.typed[p] || p == d.touched
}

// settle answers what the rules miss, and reports whether to ask them again.
func (d *draft) settle(e *evaluation) (again bool) {
	for _, problem := range e.outcome.Problems {
		p, _ := catalog.ParsePermission(problem.Permission)
		need := problem.Needs
		if problem.Code != entitlement.Prerequisite || need.IsLimit() {
			continue
		}
		switch _, said := e.set[need.ID()]; {
		case !said:
			e.set[need.ID()] = entitlement.SwitchTo(true)
			e.brought[need] = p
		case d.undone(need):
			delete(e.set, p.ID())
		case d.undone(p):
			delete(e.set, need.ID())
		default:
			continue // both were asked for, and nobody knows which came last
		}
		again = true
	}
	return again
}

// hold is what the form shows after an evaluation.
func (d *draft) hold(e *evaluation) values {
	shown := values{}
	for p, was := range d.base {
		shown[p] = was
		if v, ok := e.set[p.ID()]; ok {
			shown[p] = usermgmt.ValueText(v)
			if v.Kind == entitlement.Unreadable {
				shown[p] = d.typed[p]
			}
		}
	}
	for _, p := range e.turnedOff {
		shown[p] = off(p)
	}
	return shown
}

// derivedNow is what the rules put in, for the form to carry.
func (e *evaluation) derivedNow() values {
	v := values{}
	for p := range e.brought {
		v[p] = "true"
	}
	for _, p := range e.turnedOff {
		v[p] = off(p)
	}
	return v
}

// edit is the draft as one save.
func (d *draft) edit(who usermgmt.Person, e evaluation) usermgmt.Edit {
	edit := usermgmt.Edit{Person: who, Version: d.version, Cascade: true}
	set := map[string]entitlement.Value{}
	for id, value := range e.set {
		if p, ok := catalog.ParsePermission(id); !ok || !same(p, d.level, usermgmt.ValueText(value), d.base[p]) {
			set[id] = value
		}
	}
	if len(set) > 0 {
		edit.Changes = []entitlement.Change{{Member: who.User, Account: d.level, Set: set}}
	}
	return edit
}

// settingsAt are a member's settings at user level, or of one account.
func settingsAt(profile *usermgmt.Profile, level bank.AccountID) entitlement.Settings {
	m := profile.Policy.Members[profile.Member.ID]
	if level == "" {
		return m.Settings
	}
	return m.Accounts[level]
}

// permissionsAt are the permissions of a form, in screen order.
func permissionsAt(profile *usermgmt.Profile, level bank.AccountID) []catalog.Permission {
	var all []catalog.Permission
	for _, e := range sectionsAt(profile.Policy.Institution.Edition, level) {
		all = append(all, catalog.Of(e, profile.Policy.Institution.Edition, levelOf(level))...)
	}
	return all
}

func levelOf(account bank.AccountID) catalog.Levels {
	if account == "" {
		return catalog.AtUser
	}
	return catalog.AtAccount
}

// sectionsAt are the parts of a form: the entitlements that have something
// there, and before them account access on an account's.
func sectionsAt(edition bank.Edition, level bank.AccountID) []catalog.Entitlement {
	var sections []catalog.Entitlement
	if level != "" {
		sections = append(sections, catalog.NoEntitlement)
	}
	for _, e := range catalog.Entitlements() {
		if e.In(edition) && len(catalog.Of(e, edition, levelOf(level))) > 0 {
			sections = append(sections, e)
		}
	}
	return sections
}
