package usermgmt

import (
	"slices"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
)

// record notes the changes of the plan, one event per target.
func (p *ImportPlan) record(c *guard.Change) {
	target := activity.Target{Kind: activity.TargetOrganization, ID: string(p.ID), Name: p.after.Name}
	if changes := p.organizationChanges(); len(changes) > 0 || p.Creates {
		c.RecordAs(p.organizationEvent(), target, "", changes...)
	}
	p.recordNewAccounts(c)
	packer := settingsPacker{}
	for i := range p.members {
		step := &p.members[i]
		if step.outcome == ImportUnchanged && len(step.access) == 0 {
			continue
		}
		c.RecordAs(step.event(), step.after.Target(), "", p.memberChanges(step, packer)...)
	}
}

// recordNewAccounts notes every account that an organization has from now on,
// for its admins: it opens to nobody. What came with a new organization is part
// of that.
func (p *ImportPlan) recordNewAccounts(c *guard.Change) {
	if p.Creates {
		return
	}
	for i := range p.accounts {
		if s := &p.accounts[i]; s.outcome == ImportCreated {
			c.RecordAs("org.account_added", s.after.Target(), "", s.changes()...)
		}
	}
}

func (p *ImportPlan) organizationEvent() string {
	switch {
	case p.Creates:
		return "org.created"
	case p.before.Entitlements != p.after.Entitlements || p.before.Ceilings != p.after.Ceilings:
		return "org.entitlement_changed"
	}
	return "org.profile_changed"
}

// event names what happened to a member by its weightiest part.
func (s *memberStep) event() string {
	was, is := &s.before, &s.after
	switch {
	case s.outcome == ImportCreated:
		return "orguser.created"
	case was.Role != is.Role:
		return "orguser.role_changed"
	case was.Status != is.Status:
		return statusEvent(was.Status, is.Status)
	case was.Held != is.Held && is.Held:
		return "orguser.hold_placed"
	case was.Held != is.Held:
		return "orguser.hold_removed"
	case was.Settings != is.Settings || len(s.access) > 0:
		return "orguser.permission_changed"
	}
	return "orguser.profile_changed"
}

func statusEvent(was, is bank.Status) string {
	switch {
	case is == bank.StatusDisabled:
		return "orguser.disabled"
	case is == bank.StatusLocked:
		return "orguser.locked"
	case was == bank.StatusLocked:
		return "orguser.unlocked"
	case is == bank.StatusActive:
		return "orguser.activated"
	}
	return "orguser.profile_changed"
}

// changeList collects the fields that differ.
type changeList []activity.Change

func (l *changeList) add(field, old, now string) {
	if old != now {
		*l = append(*l, activity.Change{Field: field, Old: old, New: now})
	}
}

func institutionChanges(was, is Institution) []activity.Change {
	var l changeList
	l.add("name", was.Name, is.Name)
	if was.ID == "" {
		l.add("edition", "", is.Edition.String())
	}
	l.add("time_zone", was.TimeZone, is.TimeZone)
	l.add("offers", entitlementIDs(was.Offers), entitlementIDs(is.Offers))
	l.add("accent", was.Accent, is.Accent)
	return l
}

func entitlementIDs(s catalog.EntitlementSet) string {
	var ids []string
	for _, e := range catalog.EntitlementsIn(s) {
		ids = append(ids, e.ID())
	}
	return strings.Join(ids, " ")
}

func (p *ImportPlan) organizationChanges() []activity.Change {
	var l changeList
	was, is := &p.before, &p.after
	l.add("name", was.Name, is.Name)
	l.add("address", was.Address, is.Address)
	l.add("phone", was.Phone, is.Phone)
	l.add("email", was.Email, is.Email)
	l.add("entitlements", entitlementIDs(was.Entitlements), entitlementIDs(is.Entitlements))
	for limit := range catalog.LimitCount {
		l.add("ceiling."+limit.Permission().ID(), limitText(was.Ceilings, limit), limitText(is.Ceilings, limit))
	}
	for i := range p.accounts {
		if p.Creates || p.accounts[i].outcome != ImportCreated {
			l = append(l, p.accounts[i].changes()...)
		}
	}
	return l
}

// changes tells of an account: all of it in one change where it is new.
func (s *accountStep) changes() []activity.Change {
	var l changeList
	was, is := &s.before, &s.after
	switch s.outcome {
	case ImportCreated:
		l.add("account", "", strings.Join(strings.Fields(is.Name+" "+is.Number+" "+is.Kind), " "))
		l.add("account.off", "", entitlementIDs(is.Off))
	case ImportChanged:
		l.add("account.name", was.Name, is.Name)
		l.add("account.number", was.Number, is.Number)
		l.add("account.kind", was.Kind, is.Kind)
		l.add("account.off", entitlementIDs(was.Off), entitlementIDs(is.Off))
	}
	for i := range l {
		l[i].Accounts = []string{string(is.ID)}
	}
	return l
}

func (p *ImportPlan) memberChanges(s *memberStep, packer settingsPacker) []activity.Change {
	var l changeList
	was, is := &s.before, &s.after
	l.add("first_name", was.FirstName, is.FirstName)
	l.add("last_name", was.LastName, is.LastName)
	l.add("email", was.Email, is.Email)
	l.add("username", was.Username, is.Username)
	if s.outcome == ImportCreated {
		l.add("role", "", is.Role.String())
		l.add("status", "", is.Status.String())
	} else {
		l.add("role", was.Role.String(), is.Role.String())
		l.add("status", was.Status.String(), is.Status.String())
	}
	if was.Held != is.Held {
		l.add("held", boolText(was.Held), boolText(is.Held))
	}
	old, now := packer.pack(was.Settings, is.Settings)
	l.add(PackedSettings, old, now)
	return append(l, p.accessChanges(s, packer)...)
}

func boolText(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

type settingsPair struct{ before, after entitlement.Settings }

// accessChanges puts accounts on which the same became of the same into one
// change.
func (p *ImportPlan) accessChanges(s *memberStep, packer settingsPacker) []activity.Change {
	var changes []activity.Change
	groups := map[settingsPair]int{}
	for _, step := range s.access {
		pair := settingsPair{step.before, step.after}
		at, known := groups[pair]
		if !known {
			at = len(changes)
			groups[pair] = at
			old, now := packer.pack(pair.before, pair.after)
			changes = append(changes, activity.Change{Field: PackedSettings, Old: old, New: now})
		}
		changes[at].Accounts = append(changes[at].Accounts, string(p.accounts[step.account].after.ID))
	}
	return changes
}

// An ImportObject is something that an import creates or changes, with its
// changes as history has them, but accounts named by their external ids.
type ImportObject struct {
	Kind       ImportKind
	Outcome    ImportOutcome
	ExternalID string // of members and accounts after the organization's, as in "1001/7"
	Name       string
	Changes    []activity.Change
}

// Objects lists what the plan creates or changes. A member's accounts are part
// of the member.
func (p *ImportPlan) Objects() []ImportObject {
	var objects []ImportObject
	add := func(kind ImportKind, outcome ImportOutcome, id, name string, changes []activity.Change) {
		if outcome == ImportUnchanged {
			outcome = ImportChanged
		}
		objects = append(objects, ImportObject{kind, outcome, id, name, changes})
	}
	names := *p // whose accounts are called what the bank calls them
	names.accounts = slices.Clone(p.accounts)
	for i := range names.accounts {
		names.accounts[i].after.ID = bank.AccountID(names.accounts[i].after.ExternalID)
	}
	if p.outcome != ImportUnchanged {
		names := names
		names.accounts = nil
		add(ImportsOrganization, p.outcome, p.after.ExternalID, p.after.Name, names.organizationChanges())
	}
	for i := range names.accounts {
		if a := &names.accounts[i]; a.outcome != ImportUnchanged {
			add(ImportsAccount, a.outcome, p.after.ExternalID+"/"+a.after.ExternalID, a.after.Name, a.changes())
		}
	}
	packer := settingsPacker{}
	for i := range p.members {
		if m := &p.members[i]; m.outcome != ImportUnchanged || len(m.access) > 0 {
			add(ImportsMember, m.outcome, p.after.ExternalID+"/"+m.after.ExternalID, m.after.Name(), names.memberChanges(m, packer))
		}
	}
	return objects
}
