package compact

import (
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

// needs are permissions that are tested together, by the level at which each
// exists.
type needs struct {
	edition catalog.Set // named, but the edition lacks them
	user    catalog.Set // at user level, but for the choice of how far to edit
	account grant       // on the account
	edits   bool        // ach.edit_level is among them

	least  catalog.EditLevel // that must be set, where it is
	second memberWord        // what the last editor must have
}

func (n *needs) add(other needs) {
	n.edition |= other.edition
	n.user |= other.user
	n.account |= other.account
	n.edits = n.edits || other.edits
}

// settle finishes the needs of a rule that are complete.
func (n *needs) settle(r *rule, said entitlement.Context) {
	info := r.info
	n.account = n.account&r.asks | r.from
	if n.edits {
		n.least = info.EditLevel
		if info.EntryFields && said.EntryFields() {
			n.least = catalog.EditPartial
		}
	}
	if info.LastEditor && said.Says(catalog.LastEditor) {
		n.second = 1 << catalog.ACHFullControl
	}
}

// A rule is an operation of one edition, ready to be asked. What follows from the
// rest stands first, for the question that says nothing in its context, as most
// do: it is one line of a cache.
type rule struct {
	silent   needs
	asks     grant                  // the account is asked for what is needed: all ones; zero: not
	from, to grant                  // is asked of the accounts whatever is needed
	gate     catalog.EntitlementSet // the entitlement, or nothing
	real     catalog.EntitlementSet // the entitlement, as far as it exists
	roles    uint8                  // bit r: role r may, as far as the role decides
	accounts catalog.Accounts
	dual     bool // a second person may be needed
	limited  bool // there are limits
	limits   [2]limitRule
	daily    uint16 // of the levels of both, those that are tested for a day

	info *catalog.OperationInfo
	needs
	contexts    []contextRule
	later       needs // of a payment dated after today
	entitlement catalog.Entitlement
	exists      bool // the entitlement does, in the edition
}

type contextRule struct {
	key catalog.ContextKey
	needs
}

type limitRule struct {
	limit  catalog.Limit
	daily  bool
	counts bool   // what is used of the day already bears on it
	levels uint16 // at which it may refuse; none where there is no limit
}

const editions = 2

// alone is what each permission needs besides itself, and rules are what each
// operation does.
var (
	alone [editions][catalog.PermissionCount]needs
	rules [editions * int(catalog.OperationCount)]rule // of an edition after those of the one before
)

func init() {
	for e := range editions {
		edition := bank.Edition(e)
		for p := range catalog.PermissionCount {
			alone[e][p] = needsOf(p, edition)
		}
		for _, op := range catalog.Operations() {
			rules[e*int(catalog.OperationCount)+int(op)] = compile(op.Info(), edition)
		}
	}
}

// needsOf is a permission and every switch that it needs, transitively.
func needsOf(p catalog.Permission, edition bank.Edition) (n needs) {
	if !p.In(edition) {
		n.edition = catalog.SetOf(p)
		return n
	}
	switch {
	case p == catalog.ACHEditLevel:
		n.edits = true
	case p.At(catalog.AtUser):
		n.user = n.user.With(p)
	}
	n.account |= bitOf[p]
	for _, need := range p.Needs(edition) {
		if !need.Positive {
			n.add(needsOf(need.Permission, edition))
		}
	}
	return n
}

func compile(info *catalog.OperationInfo, edition bank.Edition) rule {
	r := rule{info: info, accounts: info.Accounts, entitlement: info.Entitlement, exists: info.Entitlement.In(edition), roles: everyRole}
	for _, p := range info.Named(edition) {
		r.add(alone[edition][p])
	}
	for _, need := range info.Context {
		if need.Key != catalog.Debits || edition == bank.EditionCreditUnion {
			r.contexts = append(r.contexts, contextRule{need.Key, alone[edition][need.Permission]})
		}
	}
	if info.Dated {
		r.later = alone[edition][catalog.WiresTransmitFuture]
	}
	if info.Power != "" {
		r.roles = 0
		for _, role := range []bank.Role{bank.RoleUser, bank.RoleViewer, bank.RoleAdmin} {
			if catalog.RoleAllows(role, info.Power) {
				r.roles |= 1 << role
			}
		}
	}
	limits := r.limits[:0]
	for _, limit := range info.Limits {
		if p := limit.Permission(); p.In(edition) {
			levels := byUser | byOrganization
			if p.At(catalog.AtAccount) && info.Accounts == catalog.AccountRequired {
				levels |= byAccount
			}
			limits = append(limits, limitRule{limit, limit.Daily(), limit.Daily() && info.Counts, levels})
		}
	}
	r.limited = len(limits) > 0
	for n, l := range limits {
		if l.daily {
			r.daily |= l.levels << (8 * n)
		}
	}
	r.silence(info)
	r.dual = info.Operation == catalog.WiresTransmitOperation && catalog.WiresDualControl.In(edition)
	return r
}

// silence prepares what silent questions ask.
func (r *rule) silence(info *catalog.OperationInfo) {
	var nothing entitlement.Context
	r.silent = r.needs
	for _, c := range r.contexts {
		if nothing.Says(c.key) {
			r.silent.add(c.needs)
		}
	}
	if r.entitlement != catalog.NoEntitlement {
		r.gate = r.gate.With(r.entitlement)
	}
	if r.exists {
		r.real = r.gate
	}
	switch info.Accounts {
	case catalog.AccountRequired:
		r.asks = ^grant(0)
		r.from = bitOf[catalog.AccountAccess]
	case catalog.AccountOptional:
		r.from = bitOf[catalog.AccountAccess]
	case catalog.AccountPair:
		r.from = bitOf[catalog.AccountAccess] | bitOf[catalog.TransfersFrom]
		r.to = bitOf[catalog.AccountAccess] | bitOf[catalog.TransfersTo]
	}
	r.silent.settle(r, nothing)
}

const everyRole = 0xff
