package entitlement

import (
	"maps"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/catalog"
)

// A Value is what a change sets one permission to.
type Value struct {
	Kind  ValueKind
	On    bool              // of a switch
	Level catalog.EditLevel // of a choice
	Cents bank.Cents        // of a limit
}

// A ValueKind says which field of a Value counts. The zero kind is a value that
// could not be read and is refused.
type ValueKind uint8

const (
	Unreadable ValueKind = iota
	SwitchValue
	ChoiceValue
	LimitValue
	Unset // takes an account's limit away, so that the member's own applies
)

// SwitchTo, ChooseLevel and LimitTo make values.
func SwitchTo(on bool) Value                    { return Value{Kind: SwitchValue, On: on} }
func ChooseLevel(level catalog.EditLevel) Value { return Value{Kind: ChoiceValue, Level: level} }
func LimitTo(c bank.Cents) Value                { return Value{Kind: LimitValue, Cents: c} }

// ReadValue reads a value as decoded from JSON: true or false, a choice's name,
// a decimal string, or null. What fits no permission becomes Unreadable and is
// refused by Edit, where all problems are said at once.
func ReadValue(p catalog.Permission, value any) Value {
	switch v := value.(type) {
	case nil:
		return Value{Kind: Unset}
	case bool:
		return SwitchTo(v)
	case string:
		if p == catalog.ACHEditLevel {
			if level, ok := catalog.ParseEditLevel(v); ok {
				return ChooseLevel(level)
			}
			return Value{}
		}
		if cents, err := bank.ParseAmount(v); err == nil {
			return LimitTo(cents)
		}
	}
	return Value{}
}

// A Change sets values of one member as one atomic act.
type Change struct {
	Member  bank.UserID
	Account bank.AccountID // empty: the member's user level
	Set     map[string]Value
	Cascade bool // turn off, in the same change, what loses a need by it
}

// An EditCode says what kind of thing is wrong with a change (spec, section 4).
type EditCode string

const (
	ActorNotAllowed   EditCode = "ACTOR_NOT_ALLOWED"
	NoSuchMember      EditCode = "UNKNOWN_MEMBER"
	NoSuchAccount     EditCode = "UNKNOWN_ACCOUNT"
	UnknownPermission EditCode = "UNKNOWN_PERMISSION"
	InvalidValue      EditCode = "INVALID_VALUE"
	AboveCeiling      EditCode = "CEILING"
	RoleForbidsIt     EditCode = "ROLE_FORBIDS"
	SelfRaise         EditCode = "SELF_RAISE"
	Prerequisite      EditCode = "PREREQUISITE"
	DependentOn       EditCode = "DEPENDENT_ON"
)

// A Problem is one thing that is wrong with a change. Problems are comparable.
type Problem struct {
	Code       EditCode
	Permission string             // the permission's id as it was named; empty for the whole change
	Needs      catalog.Permission // what is missing; NoPermission where nothing is
}

// An Outcome is what Edit answers: either problems, or the settings that result.
type Outcome struct {
	Problems  []Problem
	TurnedOff []catalog.Permission // by the cascade, in catalogue order; empty when refused
	Settings  Settings             // what would be stored; as before when refused
}

// Accepted reports whether the change may be stored.
func (o Outcome) Accepted() bool { return len(o.Problems) == 0 }

// Edit judges a change that a member asks for: the actor's right first, then
// the change itself (spec, section 4, rules 1 to 6).
func Edit(p *Policy, actor bank.UserID, change Change, req Request) Outcome {
	if p.Members[actor] == nil || p.Members[change.Member] == nil {
		return refusedEdit(p, change, NoSuchMember)
	}
	req.Member, req.Operation = actor, catalog.EditPermissions
	if change.Account != "" {
		req.Operation = catalog.EditAccountPermissions
	}
	if !Decide(p, req).Allowed {
		return refusedEdit(p, change, ActorNotAllowed)
	}
	return propose(p, actor, change)
}

// EditAs judges a change whose author has another channel's right to make it:
// staff, the host's screens. Everything binds them but the rules for members
// (spec, section 4, rule 7).
func EditAs(p *Policy, change Change) Outcome {
	if p.Members[change.Member] == nil {
		return refusedEdit(p, change, NoSuchMember)
	}
	return propose(p, "", change)
}

func refusedEdit(p *Policy, change Change, code EditCode) Outcome {
	outcome := Outcome{Problems: []Problem{{Code: code, Needs: NoPermission}}}
	if m := p.Members[change.Member]; m != nil {
		outcome.Settings = m.at(change.Account)
	}
	return outcome
}

// at are the member's settings at user level, or of one account.
func (m *Member) at(account bank.AccountID) Settings {
	if account == "" {
		return m.Settings
	}
	return m.Accounts[account]
}

func propose(p *Policy, actor bank.UserID, change Change) Outcome {
	if _, known := p.Accounts[change.Account]; change.Account != "" && !known {
		return refusedEdit(p, change, NoSuchAccount)
	}
	e := newEditing(p, change)
	for _, judge := range []func(){e.values, func() { e.selfRaise(actor) }, e.consequences} {
		judge()
		if len(e.problems) > 0 {
			return Outcome{Problems: e.problems, Settings: e.before}
		}
	}
	return Outcome{TurnedOff: e.turnedOff, Settings: e.after}
}

// editing is one change being judged. All of it is about one level.
type editing struct {
	policy        *Policy
	member        *Member
	change        Change
	level         catalog.Levels
	before, after Settings
	named         catalog.Set // what the change names
	asked         catalog.Set // what it sets on, above zero, or to a choice
	problems      []Problem
	turnedOff     []catalog.Permission
}

func newEditing(p *Policy, change Change) *editing {
	m := p.Members[change.Member]
	e := &editing{policy: p, member: m, change: change, level: catalog.AtUser, before: m.at(change.Account)}
	if change.Account != "" {
		e.level = catalog.AtAccount
	}
	e.after = e.before
	return e
}

func (e *editing) edition() bank.Edition { return e.policy.Institution.Edition }

func (e *editing) problem(code EditCode, permission string, needs catalog.Permission) {
	e.problems = append(e.problems, Problem{Code: code, Permission: permission, Needs: needs})
}

// values judges each value by itself, first that applies, and puts the good
// ones in place (rule 2).
func (e *editing) values() {
	for _, id := range slices.Sorted(maps.Keys(e.change.Set)) {
		value := e.change.Set[id]
		p, known := catalog.ParsePermission(id)
		if !known || !p.In(e.edition()) || !p.At(e.level) {
			e.problem(UnknownPermission, id, NoPermission)
			continue
		}
		if code := e.judge(p, value); code != "" {
			e.problem(code, id, NoPermission)
			continue
		}
		e.apply(p, value)
	}
}

func (e *editing) judge(p catalog.Permission, v Value) EditCode {
	if !e.fits(p, v) {
		return InvalidValue
	}
	if v.Kind == LimitValue {
		if ceiling, set := e.policy.Organization.Ceilings.Get(p.Limit()); set && v.Cents > ceiling {
			return AboveCeiling
		}
	}
	if p == catalog.UserManagementEnabled && v.On && e.member.Role == bank.RoleUser {
		return RoleForbidsIt
	}
	return ""
}

func (e *editing) fits(p catalog.Permission, v Value) bool {
	switch p.Info().Type {
	case catalog.Switch:
		return v.Kind == SwitchValue
	case catalog.Choice:
		return v.Kind == ChoiceValue
	case catalog.WholeDollar:
		if v.Kind == LimitValue && !v.Cents.WholeDollars() {
			return false
		}
	}
	if v.Kind == Unset {
		return e.level == catalog.AtAccount
	}
	return v.Kind == LimitValue && v.Cents >= 0 && v.Cents <= bank.MaxAmount
}

func (e *editing) apply(p catalog.Permission, v Value) {
	e.named = e.named.With(p)
	switch v.Kind {
	case SwitchValue:
		e.after.On = e.after.On.Without(p)
		if v.On {
			e.after.On = e.after.On.With(p)
		}
	case ChoiceValue:
		e.after.EditLevel = v.Level
	case LimitValue:
		e.after.Limits = e.after.Limits.With(p.Limit(), v.Cents)
	case Unset:
		e.after.Limits = e.after.Limits.Without(p.Limit())
	}
	if v.On || v.Level != catalog.EditNone || v.Kind == LimitValue && v.Cents > 0 {
		e.asked = e.asked.With(p)
	}
}

// selfRaise refuses that a member raises themself while somebody else could do
// it for them (rule 3).
func (e *editing) selfRaise(actor bank.UserID) {
	if actor != e.change.Member || !e.policy.anotherUsableAdmin(actor) {
		return
	}
	for p := range e.named.All {
		if e.gains(p) {
			e.problem(SelfRaise, p.ID(), NoPermission)
		}
	}
}

func (e *editing) gains(p catalog.Permission) bool {
	switch {
	case p == catalog.ACHEditLevel:
		return e.after.EditLevel > e.before.EditLevel
	case p.IsLimit():
		return e.allowance(e.after, p.Limit()) > e.allowance(e.before, p.Limit())
	case p.Info().Restricts:
		return e.before.On.Has(p) && !e.after.On.Has(p)
	}
	return e.after.On.Has(p) && !e.before.On.Has(p)
}

// allowance orders the values of a limit. An account's limit that is not set is
// higher than any; an account's dual limit that is not set is the member's own.
func (e *editing) allowance(s Settings, limit catalog.Limit) bank.Cents {
	amount, set := s.Limits.Get(limit)
	if set || e.level == catalog.AtUser {
		return amount
	}
	if limit == catalog.LimitWiresDual {
		own, _ := e.member.Settings.Limits.Get(limit)
		return own
	}
	return bank.MaxAmount + 1
}

// consequences judges the state that would result: what breaks, what the
// cascade turns off, and what is asked for but lacks a need (rules 4 to 6).
func (e *editing) consequences() {
	broken := e.broken()
	if e.change.Cascade {
		for len(broken) > 0 {
			for _, b := range broken {
				e.turnOff(b.permission)
			}
			broken = e.broken()
		}
		slices.Sort(e.turnedOff)
	}
	for p := range e.asked.All {
		for _, need := range e.missing(e.after, p) {
			e.problem(Prerequisite, p.ID(), need)
		}
	}
	for _, b := range broken {
		e.problem(DependentOn, b.permission.ID(), b.need)
	}
}

type brokenNeed struct{ permission, need catalog.Permission }

// broken lists what was not asked for, stood on before and still does, and
// would lose a need that was met before. Restrictions are never broken, and
// limits keep their values.
func (e *editing) broken() []brokenNeed {
	var broken []brokenNeed
	for p := range catalog.PermissionCount {
		if e.asked.Has(p) || p.IsLimit() || p.Info().Restricts || !e.exists(p) || !isOn(e.before, p) || !isOn(e.after, p) {
			continue
		}
		unmetBefore := e.missing(e.before, p)
		for _, need := range e.missing(e.after, p) {
			if !slices.Contains(unmetBefore, need) {
				broken = append(broken, brokenNeed{p, need})
			}
		}
	}
	return broken
}

func (e *editing) turnOff(p catalog.Permission) {
	if !isOn(e.after, p) {
		return
	}
	e.turnedOff = append(e.turnedOff, p)
	if p == catalog.ACHEditLevel {
		e.after.EditLevel = catalog.EditNone
		return
	}
	e.after.On = e.after.On.Without(p)
}

func (e *editing) exists(p catalog.Permission) bool { return p.In(e.edition()) && p.At(e.level) }

func isOn(s Settings, p catalog.Permission) bool {
	if p == catalog.ACHEditLevel {
		return s.EditLevel != catalog.EditNone
	}
	return s.On.Has(p)
}

// missing are the needs of p at this level that a state does not meet.
func (e *editing) missing(s Settings, p catalog.Permission) []catalog.Permission {
	var missing []catalog.Permission
	for _, need := range p.Needs(e.edition()) {
		if need.Permission.At(e.level) && !e.meets(s, need) {
			missing = append(missing, need.Permission)
		}
	}
	return missing
}

func (e *editing) meets(s Settings, need catalog.Need) bool {
	if !need.Positive {
		return isOn(s, need.Permission)
	}
	amount, set := s.Limits.Get(need.Permission.Limit())
	if !set && e.level == catalog.AtAccount {
		amount, _ = e.member.Settings.Limits.Get(need.Permission.Limit())
	}
	return amount > 0
}
