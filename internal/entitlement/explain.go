package entitlement

import (
	"maps"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/catalog"
)

// A Check is one test that a decision made: its reason is why it blocks where
// it is not OK, and what was tested where it is.
type Check struct {
	Reason
	OK bool
}

// A Rung is one level with every test made there.
type Rung struct {
	Level  Level
	Checks []Check
}

// OK reports whether nothing blocks at this level.
func (r Rung) OK() bool {
	return !slices.ContainsFunc(r.Checks, func(c Check) bool { return !c.OK })
}

// An Explanation is a decision with its proof: every level with its state, and
// the smallest set of changes that would turn a refusal around.
type Explanation struct {
	Decision
	Rungs   []Rung // from the top; levels that the question does not touch are absent
	Fix     []Step // empty where the answer is yes already, or where nothing helps
	Fixable bool   // false: nothing that anybody may change would allow it
}

// Why is the explanation itself. A room's refusal that holds one, as the cause
// of a fault, tells it to every edge in the same way.
func (e Explanation) Why() Explanation { return e }

// Explain answers req as Decide does, and shows how the answer came about. The
// fix holds one step for each thing that blocks, and what the edit rules ask
// for besides; leaving any of them out does not do.
func Explain(p *Policy, req Request) Explanation {
	var checks []Check
	e := Explanation{Decision: decide(p, req, &checks)}
	for level := LevelRequest; level <= LevelUserAccount; level++ {
		var rung Rung
		for _, c := range checks {
			if c.Level == level && !slices.Contains(rung.Checks, c) {
				rung.Checks = append(rung.Checks, c)
			}
		}
		if len(rung.Checks) > 0 {
			rung.Level = level
			e.Rungs = append(e.Rungs, rung)
		}
	}
	if e.Allowed {
		return e
	}
	e.Fix, e.Fixable = fix(p, req, e.Reasons)
	return e
}

// A StepKind says what sort of change a step is.
type StepKind uint8

const (
	SetSetting      StepKind = iota + 1 // a member's permission, at user level or for an account
	SetRole                             // the member's role
	RemoveHold                          //
	Unlock                              //
	FinishJoining                       // the person creates credentials and signs in once
	GiveEntitlement                     // to the organization
	SwitchAccount                       // an entitlement on for an organization's account
	RaiseCeiling                        // of the organization
	Offer                               // an entitlement, by the institution
)

// A Step is one change of a fix, and who may make it where.
type Step struct {
	Kind       StepKind
	Permission catalog.Permission // what is set; NoPermission where the step is of another kind
	Account    bank.AccountID     // of an account's setting
	Value      Value              // what to set it to; of a limit: at least this
	Role       bank.Role
	By         []Place
}

// A Place is who may make a change, and where they do it.
type Place uint8

const (
	AdminOnline     Place = iota + 1 // an admin of the organization, in Online
	StaffPeople                      // the institution's staff, in People
	InstitutionSets                  // the institution, in its settings
	OnHost                           // the institution, on the core-banking host
	ThePerson                        // the person themself
)

var placeNames = [...]string{AdminOnline: "organization_admin", StaffPeople: "staff", InstitutionSets: "institution", OnHost: "host", ThePerson: "person"}

func (p Place) String() string { return placeNames[p] }

// fix finds the steps that turn a refusal around. Every reason names a setting
// of its own, so one step each is the least; the edit rules may ask for more.
func fix(p *Policy, req Request, reasons []Reason) ([]Step, bool) {
	var steps []Step
	for _, r := range reasons {
		step, ok := remedy(p, req, r)
		if !ok {
			return nil, false
		}
		steps = append(steps, step)
	}
	steps, ok := complete(p, req.Member, steps)
	if !ok || !Decide(With(p, req.Member, steps), req).Allowed {
		return nil, false
	}
	for i := range steps {
		steps[i].By = places(p.Institution.Edition, steps[i])
	}
	return steps, true
}

// remedy is the one change that takes a reason away, if there is one.
func remedy(p *Policy, req Request, r Reason) (Step, bool) {
	step := Step{Kind: SetSetting, Permission: r.Permission, Account: r.Account}
	switch r.Code {
	case MemberStatus:
		switch p.Members[req.Member].Status {
		case bank.StatusLocked:
			return Step{Kind: Unlock, Permission: NoPermission}, true
		case bank.StatusPending:
			return Step{Kind: FinishJoining, Permission: NoPermission}, true
		}
		return Step{}, false
	case MemberHeld:
		return Step{Kind: RemoveHold, Permission: NoPermission}, true
	case RoleForbids:
		return Step{Kind: SetRole, Permission: NoPermission, Role: leastRole(req.Operation)}, true
	case InstitutionOff:
		step.Kind = Offer
		return step, r.Permission.In(p.Institution.Edition)
	case OrganizationOff:
		step.Kind = GiveEntitlement
		return step, r.Permission.In(p.Institution.Edition)
	case OrganizationAccountOff:
		step.Kind = SwitchAccount
		return step, true
	case UserOff, AccountOff, AccountAccessOff, SecondPersonRequired:
		step.Value = SwitchTo(true)
		if r.Permission == catalog.ACHEditLevel {
			d := deciding{req: &req, info: req.Operation.Info()}
			step.Value = ChooseLevel(d.editLevel())
		}
		return step, true
	case LimitPerTransaction, LimitDaily:
		return raise(req, r)
	}
	return Step{}, false
}

func leastRole(op catalog.Operation) bank.Role {
	if catalog.RoleAllows(bank.RoleViewer, op.Info().Power) {
		return bank.RoleViewer
	}
	return bank.RoleAdmin
}

// raise is the step that lifts a limit to what the request needs, in the steps
// in which the limit can be set.
func raise(req Request, r Reason) (Step, bool) {
	amount, _ := req.Amount.Cents()
	needed, ok := r.Used.Add(amount)
	if r.Permission.Info().Type == catalog.WholeDollar && !needed.WholeDollars() {
		needed += 100 - needed%100
	}
	if !ok || needed > bank.MaxAmount {
		return Step{}, false
	}
	step := Step{Kind: SetSetting, Permission: r.Permission, Account: r.Account, Value: LimitTo(needed)}
	if r.Level == LevelOrganization {
		step.Kind = RaiseCeiling
	}
	return step, true
}

// complete adds what the edit rules ask for besides: a switch can be turned on
// only with its needs, and a limit only below its ceiling.
func complete(p *Policy, member bank.UserID, steps []Step) ([]Step, bool) {
	for range catalog.PermissionCount {
		missing, ok := lacking(p, member, steps)
		if !ok || len(missing) == 0 {
			return steps, ok
		}
		for _, step := range missing {
			steps = addStep(steps, step)
		}
	}
	return nil, false
}

// without leaves out the steps of one kind.
func without(steps []Step, kind StepKind) []Step {
	return slices.DeleteFunc(slices.Clone(steps), func(s Step) bool { return s.Kind == kind })
}

// addStep adds a step, or raises the amount of the one that is there.
func addStep(steps []Step, step Step) []Step {
	for i, s := range steps {
		if s.Kind == step.Kind && s.Permission == step.Permission && s.Account == step.Account {
			steps[i].Value.Cents = max(s.Value.Cents, step.Value.Cents)
			return steps
		}
	}
	return append(steps, step)
}

// lacking asks the edit rules what the settings of the steps need besides. It
// returns false where the rules refuse them for good.
func lacking(p *Policy, member bank.UserID, steps []Step) (missing []Step, ok bool) {
	state := With(p, member, without(steps, SetSetting))
	for _, change := range changes(member, steps) {
		outcome := EditAs(state, change)
		for _, problem := range outcome.Problems {
			step := Step{Kind: SetSetting, Permission: problem.Needs, Account: change.Account, Value: SwitchTo(true)}
			switch {
			case problem.Code == AboveCeiling:
				named, _ := catalog.ParsePermission(problem.Permission)
				step = Step{Kind: RaiseCeiling, Permission: named, Value: change.Set[problem.Permission]}
			case problem.Code != Prerequisite:
				return nil, false
			case problem.Needs.IsLimit():
				step.Value = LimitTo(least(problem.Needs))
			}
			missing = append(missing, step)
		}
		if change.Account == "" {
			if !outcome.Accepted() {
				break // accounts are judged once the user level stands: they lean on it
			}
			state.Members[member].Settings = outcome.Settings
		}
	}
	return missing, true
}

// least is the smallest amount above zero that a limit can be set to.
func least(limit catalog.Permission) bank.Cents {
	if limit.Info().Type == catalog.WholeDollar {
		return 100
	}
	return 1
}

// changes gathers the settings of the steps into one change per level.
func changes(member bank.UserID, steps []Step) []Change {
	byAccount := map[bank.AccountID]Change{}
	for _, s := range steps {
		if s.Kind != SetSetting || s.Permission >= NoPermission {
			continue
		}
		c, ok := byAccount[s.Account]
		if !ok {
			c = Change{Member: member, Account: s.Account, Set: map[string]Value{}}
		}
		c.Set[s.Permission.ID()] = s.Value
		byAccount[s.Account] = c
	}
	var all []Change
	for _, account := range slices.Sorted(maps.Keys(byAccount)) {
		all = append(all, byAccount[account])
	}
	return all
}

// With returns the policy as it would be after the steps; p stays as it is.
func With(p *Policy, member bank.UserID, steps []Step) *Policy {
	after := *p
	after.Accounts = maps.Clone(p.Accounts)
	after.Members = maps.Clone(p.Members)
	m := *p.Members[member]
	m.Accounts = maps.Clone(m.Accounts)
	after.Members[member] = &m
	for _, s := range steps {
		apply(&after, &m, s)
	}
	return &after
}

func apply(p *Policy, m *Member, s Step) {
	switch s.Kind {
	case SetRole:
		m.Role = s.Role
	case RemoveHold:
		m.Held = false
	case Unlock, FinishJoining:
		m.Status = bank.StatusActive
	case Offer:
		p.Institution.Offers = p.Institution.Offers.With(s.Permission.Info().Entitlement)
	case GiveEntitlement:
		p.Organization.Entitlements = p.Organization.Entitlements.With(s.Permission.Info().Entitlement)
	case SwitchAccount:
		account := p.Accounts[s.Account]
		account.Off = account.Off.Without(s.Permission.Info().Entitlement)
		p.Accounts[s.Account] = account
	case RaiseCeiling:
		p.Organization.Ceilings = p.Organization.Ceilings.With(s.Permission.Limit(), s.Value.Cents)
	case SetSetting:
		m.set(s.Account, s.Permission, s.Value)
	}
}

// set puts one value in place without judging it.
func (m *Member) set(account bank.AccountID, p catalog.Permission, v Value) {
	e := editing{after: m.at(account)}
	e.apply(p, v)
	if account == "" {
		m.Settings = e.after
		return
	}
	m.Accounts[account] = e.after
}

// places says who may make a step, and where. The credit-union edition lets
// staff do more and has no older channels on the host.
func places(edition bank.Edition, s Step) []Place {
	isBank := edition == bank.EditionBank
	switch s.Kind {
	case Offer:
		return []Place{InstitutionSets}
	case GiveEntitlement, SwitchAccount, RaiseCeiling:
		return []Place{StaffPeople}
	case FinishJoining:
		return []Place{ThePerson}
	case SetRole:
		return []Place{AdminOnline}
	case Unlock:
		return []Place{AdminOnline, StaffPeople}
	case RemoveHold:
		if isBank {
			return []Place{AdminOnline, OnHost}
		}
		return []Place{AdminOnline, StaffPeople}
	}
	isSwitch := s.Account == "" && s.Permission.At(catalog.AtOrganization)
	switch {
	case isBank && isSwitch:
		return []Place{AdminOnline, StaffPeople, OnHost}
	case isBank:
		return []Place{AdminOnline, OnHost}
	}
	return []Place{AdminOnline, StaffPeople}
}
