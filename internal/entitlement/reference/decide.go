package reference

import (
	"slices"
	"strings"
	"time"
)

// A verdict is the answer to one request.
type verdict struct {
	reasons  []Reason
	approval bool // a second person must agree
}

func (v verdict) allowed() bool { return len(v.reasons) == 0 }

// A question is a request being judged, with what was found out about it.
type question struct {
	Request
	op      operation
	member  *member
	known   map[string]any // the context keys that the operation knows
	self    string         // the reference whose own reservation does not count
	missing []string       // permissions that are named and that the edition lacks
	needed  []string       // permissions that are needed, "id" or "id=choice"
}

// decide answers a request without counting anything (§2).
func (r *Runner) decide(q Request) Answer { return r.judge(q, "").answer() }

func (v verdict) answer() Answer {
	allowed := v.allowed()
	return Answer{Decision: &allowed, ApprovalRequired: &v.approval, Reasons: sortReasons(v.reasons)}
}

// judge applies every test of §2. What the reference self has reserved does
// not count against the request; self is empty for a request without one.
func (r *Runner) judge(request Request, self string) verdict {
	q := question{Request: request, self: self}
	if alone := r.understand(&q); alone != "" {
		return verdict{reasons: []Reason{{Code: alone, Level: levelRequest}}}
	}
	r.findNeeded(&q)
	var reasons []Reason
	for _, rule := range []func(question) []Reason{
		r.memberStatus, r.memberHeld, r.institutionOff, r.organizationOff, r.organizationAccountOff,
		r.notInEdition, r.userOff, r.accountAccessOff, r.accountOff, r.unknownAccount, r.sameAccount,
		r.role, r.secondPerson, r.invalidAmount, r.invalidDate, r.limits,
	} {
		reasons = append(reasons, rule(q)...)
	}
	v := verdict{reasons: reasons}
	if v.allowed() || !r.holds("2: approval_required only when the decision is true") {
		v.approval = r.approvalRequired(q)
	}
	return v
}

// understand looks up what the request names. It returns the code that refuses
// the request alone, or "".
func (r *Runner) understand(q *question) string {
	var known bool
	if q.op, known = operations[q.Operation]; !known {
		return "UNKNOWN_OPERATION"
	}
	if q.member = r.member(q.Member); q.member == nil {
		return "UNKNOWN_MEMBER"
	}
	q.known = map[string]any{}
	for key, value := range q.Context {
		kind := r.kindOfKey(q.op, key)
		if kind == "" {
			continue
		}
		if !r.rightType(kind, value) {
			return "INVALID_CONTEXT"
		}
		q.known[key] = value
	}
	return ""
}

// kindOfKey says what the operation expects under a context key: "bool",
// "text", "fields", or "" for a key it does not know.
func (r *Runner) kindOfKey(op operation, key string) string {
	_, named := op.Context[key]
	switch {
	case key == "debits" && r.world.Institution.Edition == bank && r.holds("2: debits is ignored in the bank edition"):
		return ""
	case named:
		return "bool"
	case key == "last_editor" && asksForSecondPerson(op):
		return "bool"
	case key == "effective_date" && (hasDate(op) || !r.holds("2: effective_date is known to wires only")):
		return "text"
	case key == "fields" && (op.ID == "ach.batch.edit" || !r.holds("2: fields is known to ach.batch.edit only")):
		return "fields"
	}
	if !r.holds("2: keys that the operation does not know are ignored") {
		return "bool"
	}
	return ""
}

func asksForSecondPerson(op operation) bool {
	return op.ID == "ach.batch.initiate" || op.ID == "ach.batch.approve"
}

func hasDate(op operation) bool { return op.ID == "wires.transmit" || op.ID == "wires.approve" }

func (r *Runner) rightType(kind string, value any) bool {
	if value == nil && !r.holds("2: null is an invalid context value") {
		return true
	}
	switch kind {
	case "bool":
		_, ok := value.(bool)
		return ok || !r.holds("2: a boolean context value must be one")
	case "text":
		_, ok := value.(string)
		return ok || !r.holds("2: effective_date must be a string")
	default:
		return value == "entry" || value == "all" || !r.holds("2: fields is entry or all")
	}
}

// says tells whether a context key counts as true. Not knowing must be safe:
// last_editor and debits are true unless the request says false (§2).
func (r *Runner) says(q question, key string) bool {
	value, given := q.known[key].(bool)
	if given {
		return value
	}
	switch key {
	case "last_editor":
		return r.holds("2: last_editor is true unless said otherwise")
	case "debits":
		return r.world.Institution.Edition == creditUnion && r.holds("2: debits is true unless said otherwise")
	}
	return false
}

// findNeeded collects the permissions that the request needs, and those named
// ones that the edition lacks (§2, "Which permissions are needed").
func (r *Runner) findNeeded(q *question) {
	for _, named := range r.named(*q) {
		id, _, _ := strings.Cut(named, "=")
		if !r.inEdition(id) {
			q.missing = append(q.missing, id)
			if r.holds("2: what only a missing permission requires is not tested") {
				continue
			}
		}
		r.need(q, named)
	}
}

// named gives the permissions that the operation and its context name.
func (r *Runner) named(q question) []string {
	var out []string
	for _, p := range r.permissionsOf(q.op) {
		if p == "ach.edit_level=full" && q.op.ID == "ach.batch.edit" && q.known["fields"] == "entry" && r.holds("2: fields=entry is met by partial") {
			p = "ach.edit_level=partial"
		}
		out = append(out, p)
	}
	for key, p := range q.op.Context {
		if r.says(q, key) && r.holds("2: the context key "+key+" needs its permission") {
			out = append(out, p)
		}
	}
	if r.afterToday(q) && r.holds("2: a date after today needs wires.transmit_future") {
		out = append(out, "wires.transmit_future")
	}
	return out
}

// need adds a permission and every switch that it needs, transitively.
func (r *Runner) need(q *question, named string) {
	if slices.Contains(q.needed, named) {
		return
	}
	id, _, _ := strings.Cut(named, "=")
	if r.inEdition(id) {
		q.needed = append(q.needed, named)
	}
	for _, next := range r.requires(id) {
		if next.Is == "on" && r.holds("2: needed switches need theirs, transitively") {
			r.need(q, next.Permission)
		}
	}
}

// date gives the effective date where the operation knows one and it is given.
func (q question) date() (text string, given bool) {
	text, given = q.known["effective_date"].(string)
	return text, given && hasDate(q.op)
}

// validDate says whether a date reads YYYY-MM-DD and is a day of the calendar.
func validDate(text string) bool {
	day, err := time.Parse(time.DateOnly, text)
	return err == nil && day.Format(time.DateOnly) == text
}

// dateRefused says whether the effective date is malformed or before today.
func (r *Runner) dateRefused(q question) bool {
	text, given := q.date()
	if !given {
		return false
	}
	if !validDate(text) {
		return r.holds("2: a malformed date is refused")
	}
	return text < r.today() && r.holds("2: a date before today is refused")
}

func (r *Runner) afterToday(q question) bool {
	text, given := q.date()
	if given && text == r.today() && !r.holds("2: today is not after today") {
		return true
	}
	return given && validDate(text) && text > r.today()
}

func (r *Runner) memberStatus(q question) []Reason {
	if q.member.status != "active" && r.holds("2: MEMBER_STATUS, "+q.member.status) {
		return []Reason{{Code: "MEMBER_STATUS", Level: levelUser}}
	}
	return nil
}

func (r *Runner) memberHeld(q question) []Reason {
	if q.member.status != "active" && !r.holds("2: the hold is independent of the status") {
		return nil
	}
	if q.member.held && r.holds("2: MEMBER_HELD") {
		return []Reason{{Code: "MEMBER_HELD", Level: levelUser}}
	}
	return nil
}

// institutionOff: an entitlement outside the edition counts as not offered,
// whatever the data says.
func (r *Runner) institutionOff(q question) []Reason {
	entitlement := entitlementOf(q.op)
	if entitlement == "" {
		return nil
	}
	inEdition := r.entitlementInEdition(entitlement) || !r.holds("2: an entitlement outside the edition is not offered")
	if slices.Contains(r.offers, entitlement) && inEdition || !r.holds("2: INSTITUTION_OFF") {
		return nil
	}
	return []Reason{{Code: "INSTITUTION_OFF", Level: levelInstitution, Permission: entitlement + ".enabled"}}
}

func (r *Runner) organizationOff(q question) []Reason {
	entitlement := entitlementOf(q.op)
	if entitlement == "" {
		return nil
	}
	inEdition := r.entitlementInEdition(entitlement) || !r.holds("2: an entitlement outside the edition is not had")
	if slices.Contains(r.has, entitlement) && inEdition || !r.holds("2: ORGANIZATION_OFF") {
		return nil
	}
	return []Reason{{Code: "ORGANIZATION_OFF", Level: levelOrganization, Permission: entitlement + ".enabled"}}
}

// organizationAccountOff: credit unions only, which have the fifth level (§1).
// Data that names an entitlement outside the edition is ignored.
func (r *Runner) organizationAccountOff(q question) []Reason {
	entitlement := entitlementOf(q.op)
	if r.world.Institution.Edition != creditUnion && r.holds("1: accounts_off means nothing for a bank") {
		return nil
	}
	if !r.entitlementInEdition(entitlement) && r.holds("1: accounts_off outside the edition is ignored") {
		return nil
	}
	var out []Reason
	for _, account := range r.accountsOf(q) {
		if q.op.Account == "optional" && !r.holds("2: ORGANIZATION_ACCOUNT_OFF for an optional account") {
			continue
		}
		if q.op.Account == "pair" && account == q.ToAccount && !r.holds("2: ORGANIZATION_ACCOUNT_OFF for to_account") {
			continue
		}
		off := slices.Contains(r.world.Organization.AccountsOff[account], entitlement)
		if off && r.holds("2: ORGANIZATION_ACCOUNT_OFF") {
			out = append(out, Reason{Code: "ORGANIZATION_ACCOUNT_OFF", Level: levelOrgAccount, Permission: entitlement + ".enabled", Account: account})
		}
	}
	return out
}

func (r *Runner) notInEdition(q question) []Reason {
	var out []Reason
	for _, id := range q.missing {
		if r.holds("2: NOT_IN_EDITION") {
			out = append(out, Reason{Code: "NOT_IN_EDITION", Level: levelInstitution, Permission: id})
		}
	}
	return out
}

// userOff tests every needed permission that exists at organization-user level.
func (r *Runner) userOff(q question) []Reason {
	var out []Reason
	for _, named := range q.needed {
		id, choice, _ := strings.Cut(named, "=")
		if existsAt(id, levelUser) && !r.met(q.member.own, id, choice) && r.holds("2: USER_OFF") {
			out = append(out, Reason{Code: "USER_OFF", Level: levelUser, Permission: id})
		}
	}
	return out
}

// met says whether a switch is on, or a choice at the level needed or above.
func (r *Runner) met(s settings, id, choice string) bool {
	if choice == "" {
		return s.on(id)
	}
	return r.rank(id, s.choice(id)) >= r.rank(id, choice)
}

// rank orders the choices of a permission, the highest last.
func (r *Runner) rank(id, choice string) int {
	return -slices.Index(permissions[id].Choices, choice)
}

// accountsOf gives the accounts of a request that the organization has (§2).
func (r *Runner) accountsOf(q question) []string {
	var out []string
	for _, account := range r.given(q) {
		if slices.Contains(r.world.Accounts, account) {
			out = append(out, account)
		}
	}
	return out
}

// given lists the accounts of a request as they were given, "" for one that is
// missing although the operation asks for it.
func (r *Runner) given(q question) []string {
	switch {
	case q.op.Account == "required":
		return []string{q.Account}
	case q.op.Account == "pair":
		return []string{q.Account, q.ToAccount}
	case q.op.Account == "optional" && q.Account != "":
		return []string{q.Account}
	case q.op.Account == "none" && q.Account != "" && !r.holds("2: an operation without accounts ignores them"):
		return []string{q.Account}
	}
	return nil
}

func (r *Runner) unknownAccount(q question) []Reason {
	var out []Reason
	for _, account := range r.given(q) {
		if account == "" && !r.holds("2: UNKNOWN_ACCOUNT, missing") {
			continue
		}
		if !slices.Contains(r.world.Accounts, account) && r.holds("2: UNKNOWN_ACCOUNT") {
			out = append(out, Reason{Code: "UNKNOWN_ACCOUNT", Level: levelOrganization, Account: account})
		}
	}
	return out
}

func (r *Runner) accountAccessOff(q question) []Reason {
	accounts := r.accountsOf(q)
	if !r.holds("2: no other reason for an unknown account") {
		accounts = r.given(q)
	}
	var out []Reason
	for _, account := range accounts {
		if q.op.Account == "optional" && !r.holds("2: an optional account needs access") {
			continue
		}
		if !q.member.accounts[account].on("account.access") && r.holds("2: ACCOUNT_ACCESS_OFF") {
			out = append(out, Reason{Code: "ACCOUNT_ACCESS_OFF", Level: levelUserAccount, Permission: "account.access", Account: account})
		}
	}
	return out
}

// accountOff tests what is needed per account. Account access has a code of its own.
func (r *Runner) accountOff(q question) []Reason {
	var out []Reason
	for _, account := range r.accountsOf(q) {
		for _, id := range r.neededAt(q, account) {
			if !q.member.accounts[account].on(id) && r.holds("2: ACCOUNT_OFF") {
				out = append(out, Reason{Code: "ACCOUNT_OFF", Level: levelUserAccount, Permission: id, Account: account})
			}
		}
	}
	return out
}

// neededAt gives the permissions that an account of the request must have,
// besides access: transfer-from and transfer-to for a pair, what the operation
// needs per account for a required one, nothing for an optional one (§2).
func (r *Runner) neededAt(q question, account string) []string {
	var out []string
	switch q.op.Account {
	case "pair":
		if account == q.Account && r.holds("2: account needs transfers.from") {
			out = append(out, "transfers.from")
		}
		if account == q.ToAccount && r.holds("2: to_account needs transfers.to") {
			out = append(out, "transfers.to")
		}
	case "required":
		for _, named := range q.needed {
			id, _, _ := strings.Cut(named, "=")
			if existsAt(id, levelUserAccount) && id != "account.access" {
				out = append(out, id)
			}
		}
	}
	return out
}

func (r *Runner) sameAccount(q question) []Reason {
	if q.op.Account != "pair" || q.Account != q.ToAccount || !r.holds("2: SAME_ACCOUNT") {
		return nil
	}
	if !slices.Contains(r.world.Accounts, q.Account) && r.holds("2: SAME_ACCOUNT is no reason for an unknown account") {
		return nil
	}
	return []Reason{{Code: "SAME_ACCOUNT", Level: levelUserAccount, Account: q.Account}}
}

// role: user management needs the power of the role as well.
func (r *Runner) role(q question) []Reason {
	power, is := strings.CutPrefix(q.op.ID, "user_management.")
	if !is || slices.Contains(rolePowers[q.member.role], power) || !r.holds("2: ROLE") {
		return nil
	}
	return []Reason{{Code: "ROLE", Level: levelUser}}
}

func (r *Runner) secondPerson(q question) []Reason {
	if !asksForSecondPerson(q.op) || !r.says(q, "last_editor") || q.member.own.on("ach.full_control") {
		return nil
	}
	if q.op.ID == "ach.batch.approve" && !r.holds("2: SECOND_PERSON_REQUIRED, approving") {
		return nil
	}
	if !r.holds("2: SECOND_PERSON_REQUIRED") {
		return nil
	}
	return []Reason{{Code: "SECOND_PERSON_REQUIRED", Level: levelUser, Permission: "ach.full_control"}}
}
