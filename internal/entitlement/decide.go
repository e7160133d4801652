package entitlement

import (
	"mandate/internal/bank"
	"mandate/internal/catalog"
)

// Decide answers req. It does not stop at the first refusal: an administrator
// who asks "why not?" is owed every reason at once.
func Decide(p *Policy, req Request) Decision {
	return decide(p, req, nil)
}

func decide(p *Policy, req Request, trace *[]Check) Decision {
	if req.Operation == catalog.UnknownOperation || req.Operation >= catalog.OperationCount {
		return Refused(UnknownOperation)
	}
	member := p.Members[req.Member]
	if member == nil {
		return Refused(UnknownMember)
	}
	if req.Context.Invalid() {
		return Refused(InvalidContext)
	}
	d := deciding{policy: p, member: member, req: &req, info: req.Operation.Info(), trace: trace}
	d.standing()
	d.entitlement()
	needed := d.needed()
	d.userLevel(needed)
	d.accounts(needed)
	d.limits()
	allowed := len(d.reasons) == 0
	return Decision{Allowed: allowed, ApprovalRequired: allowed && d.dualControl(), Reasons: d.reasons}
}

// deciding is one decision under way.
type deciding struct {
	policy  *Policy
	member  *Member
	req     *Request
	info    *catalog.OperationInfo
	reasons []Reason
	trace   *[]Check // every test made, where somebody wants to see them all
}

// test makes one test: r blocks unless ok.
func (d *deciding) test(ok bool, r Reason) {
	if d.trace != nil {
		*d.trace = append(*d.trace, Check{Reason: r, OK: ok})
	}
	if !ok {
		d.block(r)
	}
}

func plain(code Code, level Level) Reason {
	return Reason{Code: code, Level: level, Permission: NoPermission}
}

func (d *deciding) edition() bank.Edition { return d.policy.Institution.Edition }

func (d *deciding) block(r Reason) {
	for _, known := range d.reasons {
		if known == r {
			return
		}
	}
	d.reasons = append(d.reasons, r)
}

// standing tests what the member is, before what they may.
func (d *deciding) standing() {
	d.test(d.member.Status == bank.StatusActive, plain(MemberStatus, LevelUser))
	d.test(!d.member.Held, plain(MemberHeld, LevelUser))
	if d.info.Power != "" {
		d.test(catalog.RoleAllows(d.member.Role, d.info.Power), plain(RoleForbids, LevelUser))
	}
}

// entitlement tests the levels above the member. An entitlement outside the
// edition counts as neither offered nor had, whatever the data says.
func (d *deciding) entitlement() {
	e := d.info.Entitlement
	if e == catalog.NoEntitlement {
		return
	}
	exists := e.In(d.edition())
	d.test(exists && d.policy.Institution.Offers.Has(e), Reason{Code: InstitutionOff, Level: LevelInstitution, Permission: e.Enabled()})
	d.test(exists && d.policy.Organization.Entitlements.Has(e), Reason{Code: OrganizationOff, Level: LevelOrganization, Permission: e.Enabled()})
}

// needed returns every permission that the request needs: those that the
// operation and its context name, plus every switch that these need,
// transitively. Named ones that the edition lacks are refused here, and neither
// they nor what only they require is tested.
func (d *deciding) needed() catalog.Set {
	var needed catalog.Set
	for _, p := range d.info.Named(d.edition()) {
		d.need(&needed, p)
	}
	for _, need := range d.info.Context {
		if d.asks(need.Key) {
			d.need(&needed, need.Permission)
		}
	}
	if d.later() {
		d.need(&needed, catalog.WiresTransmitFuture)
	}
	for p := range d.req.Besides.All {
		d.need(&needed, p)
	}
	return needed
}

func (d *deciding) need(needed *catalog.Set, p catalog.Permission) {
	if !p.In(d.edition()) {
		d.test(false, Reason{Code: NotInEdition, Level: LevelInstitution, Permission: p})
		return
	}
	withNeeds(needed, p, d.edition())
}

func withNeeds(needed *catalog.Set, p catalog.Permission, edition bank.Edition) {
	if needed.Has(p) {
		return
	}
	*needed = needed.With(p)
	for _, need := range p.Needs(edition) {
		if !need.Positive {
			withNeeds(needed, need.Permission, edition)
		}
	}
}

// asks reports whether the context calls for the permission behind a key.
// Debits exist in the credit-union edition only.
func (d *deciding) asks(key catalog.ContextKey) bool {
	if key == catalog.Debits && d.edition() != bank.EditionCreditUnion {
		return false
	}
	return d.req.Context.Says(key)
}

// later reports whether the payment is dated after today.
func (d *deciding) later() bool {
	today := d.policy.today(d.req.Now)
	day, ok := d.req.Day(today)
	return d.info.Dated && ok && day > today
}

// userLevel tests the needed permissions at organization-user level.
func (d *deciding) userLevel(needed catalog.Set) {
	for p := range needed.All {
		if p.At(catalog.AtUser) {
			d.test(d.userHas(p), Reason{Code: UserOff, Level: LevelUser, Permission: p})
		}
	}
	if d.info.LastEditor && d.req.Context.Says(catalog.LastEditor) {
		d.test(d.member.Settings.On.Has(catalog.ACHFullControl), Reason{Code: SecondPersonRequired, Level: LevelUser, Permission: catalog.ACHFullControl})
	}
}

func (d *deciding) userHas(p catalog.Permission) bool {
	if p == catalog.ACHEditLevel {
		return d.member.Settings.EditLevel >= d.editLevel()
	}
	return d.member.Settings.On.Has(p)
}

// editLevel is the least that editing asks for here.
func (d *deciding) editLevel() catalog.EditLevel {
	if d.info.EntryFields && d.req.Context.EntryFields() {
		return catalog.EditPartial
	}
	return d.info.EditLevel
}

// accounts tests the accounts of the request.
func (d *deciding) accounts(needed catalog.Set) {
	const access = catalog.AccountAccess
	from, to := d.req.Account, d.req.ToAccount
	switch d.info.Accounts {
	case catalog.AccountRequired:
		d.account(from, needed.With(access))
	case catalog.AccountOptional:
		if from != "" {
			d.account(from, catalog.SetOf(access))
		}
	case catalog.AccountPair:
		known := d.account(from, catalog.SetOf(access, catalog.TransfersFrom))
		known = d.account(to, catalog.SetOf(access, catalog.TransfersTo)) && known
		if known && from == to {
			d.test(false, Reason{Code: SameAccount, Level: LevelUserAccount, Permission: NoPermission, Account: from})
		}
	}
}

// account tests one account against the needed permissions that exist per
// account, and reports whether the organization has it.
func (d *deciding) account(id bank.AccountID, needed catalog.Set) bool {
	account, known := d.policy.Accounts[id]
	if !known || id == "" {
		d.test(false, Reason{Code: UnknownAccount, Level: LevelOrganization, Permission: NoPermission, Account: id})
		return false
	}
	// Only an entitlement that the edition has can be switched off for an
	// account; data that names another is ignored (spec, section 1).
	if e := d.info.Entitlement; d.edition() == bank.EditionCreditUnion && e.In(d.edition()) {
		d.test(!account.Off.Has(e), Reason{Code: OrganizationAccountOff, Level: LevelOrganizationAccount, Permission: e.Enabled(), Account: id})
	}
	settings := d.member.Accounts[id]
	for p := range needed.All {
		if !p.At(catalog.AtAccount) {
			continue
		}
		code := AccountOff
		if p == catalog.AccountAccess {
			code = AccountAccessOff
		}
		d.test(settings.On.Has(p), Reason{Code: code, Level: LevelUserAccount, Permission: p, Account: id})
	}
	return true
}

// limits tests the amount against every limit that applies.
func (d *deciding) limits() {
	dateOK := true
	if d.info.Dated {
		if _, dateOK = d.req.Day(d.policy.today(d.req.Now)); !dateOK {
			d.test(false, plain(InvalidDate, LevelRequest))
		}
	}
	if len(d.info.Limits) == 0 {
		return
	}
	amount, ok := d.req.Amount.Cents()
	if !ok {
		d.test(false, plain(InvalidAmount, LevelRequest))
		return
	}
	for _, limit := range d.info.Limits {
		if limit.Permission().In(d.edition()) && (dateOK || !limit.Daily()) {
			d.limit(limit, amount)
		}
	}
}

// limit tests one limit: the member's always, the account's and the
// organization's where they are set. The smallest binds; each that refuses is
// named.
func (d *deciding) limit(limit catalog.Limit, amount bank.Cents) {
	var used Used
	if limit.Daily() && d.info.Counts {
		used = d.req.Used
	}
	own, _ := d.member.Settings.Limits.Get(limit)
	d.within(limit, LevelUser, "", own, used.Member, amount)
	if _, known := d.policy.Accounts[d.req.Account]; known && d.info.Accounts == catalog.AccountRequired && limit.Permission().At(catalog.AtAccount) {
		if cap, set := d.member.Accounts[d.req.Account].Limits.Get(limit); set {
			d.within(limit, LevelUserAccount, d.req.Account, cap, used.Account, amount)
		}
	}
	if ceiling, set := d.policy.Organization.Ceilings.Get(limit); set {
		d.within(limit, LevelOrganization, "", ceiling, used.Organization, amount)
	}
}

func (d *deciding) within(limit catalog.Limit, level Level, account bank.AccountID, most, used, amount bank.Cents) {
	total, fits := used.Add(amount)
	code := LimitPerTransaction
	if limit.Daily() {
		code = LimitDaily
	}
	d.test(fits && total <= most, Reason{Code: code, Level: level, Permission: limit.Permission(), Account: account, Limit: most, Used: used})
}

// dualControl reports whether a second person must approve: dual control is on
// for the member and the amount is over the member's dual limit, or on for the
// account and over the account's, the member's where the account has none.
func (d *deciding) dualControl() bool {
	if d.req.Operation != catalog.WiresTransmitOperation || !catalog.WiresDualControl.In(d.edition()) {
		return false
	}
	amount, _ := d.req.Amount.Cents()
	own, _ := d.member.Settings.Limits.Get(catalog.LimitWiresDual)
	if d.member.Settings.On.Has(catalog.WiresDualControl) && amount > own {
		return true
	}
	account := d.member.Accounts[d.req.Account]
	dual, set := account.Limits.Get(catalog.LimitWiresDual)
	if !set {
		dual = own
	}
	return account.On.Has(catalog.WiresDualControl) && amount > dual
}
