package reference

import "slices"

// amount reads the amount of a request: missing, malformed and zero are invalid (§2).
func (r *Runner) amount(q question) (cents int64, valid bool) {
	cents, valid = parseAmount(q.Amount)
	if cents == 0 && r.holds("2: an amount of zero is invalid") {
		return 0, false
	}
	return cents, valid
}

// asksForAmount says whether the operation has limits at all.
func asksForAmount(op operation) bool { return len(op.Limits) > 0 }

func (r *Runner) invalidAmount(q question) []Reason {
	if _, valid := r.amount(q); !asksForAmount(q.op) || valid || !r.holds("2: INVALID_AMOUNT") {
		return nil
	}
	return []Reason{{Code: "INVALID_AMOUNT", Level: levelRequest}}
}

func (r *Runner) invalidDate(q question) []Reason {
	if !r.dateRefused(q) {
		return nil
	}
	return []Reason{{Code: "INVALID_DATE", Level: levelRequest}}
}

// limits tests the amount against every limit that the edition has, at every
// level (§2, "Limits tested").
func (r *Runner) limits(q question) []Reason {
	amount, valid := r.amount(q)
	if !asksForAmount(q.op) || !valid && r.holds("2: limits are not tested with an invalid amount") {
		return nil
	}
	var out []Reason
	for _, limit := range q.op.Limits {
		if !r.inEdition(limit) && r.holds("2: limits outside the edition are not tested") {
			continue
		}
		if isDaily(limit) && r.dateRefused(q) && r.holds("2: daily limits are not tested with an invalid date") {
			continue
		}
		out = append(out, r.memberLimit(q, limit, amount)...)
		out = append(out, r.accountLimit(q, limit, amount)...)
		out = append(out, r.ceilingLimit(q, limit, amount)...)
	}
	return out
}

func isDaily(limit string) bool { return limit == "ach.daily_limit" || limit == "wires.daily_limit" }

// memberLimit: not set is 0, and always tested.
func (r *Runner) memberLimit(q question, limit string, amount int64) []Reason {
	most, set := q.member.own.limit(limit)
	if !set && !r.holds("1: a member's limit that is not set is 0") {
		return nil
	}
	used := r.used(q, limit, func(e *entry) bool {
		return e.request.Member == q.Member || !r.holds("2: used is counted per member")
	})
	return r.over(amount, used, most, Reason{Code: limitCode(limit), Level: levelUser, Permission: limit})
}

// accountLimit: one that is not set adds nothing.
func (r *Runner) accountLimit(q question, limit string, amount int64) []Reason {
	var out []Reason
	for _, account := range r.accountsOf(q) {
		most, set := q.member.accounts[account].limit(limit)
		if set && most == 0 && !r.holds("1: an account's 0 means nothing may be sent") {
			continue
		}
		if !set || !r.holds("2: account limits are tested, "+limit) {
			continue
		}
		used := r.used(q, limit, func(e *entry) bool {
			sameMember := e.request.Member == q.Member || !r.holds("2: an account's used is counted per member")
			sameAccount := e.request.Account == account || !r.holds("2: an account's used is counted per account")
			return sameMember && sameAccount
		})
		out = append(out, r.over(amount, used, most, Reason{Code: limitCode(limit), Level: levelUserAccount, Permission: limit, Account: account})...)
	}
	return out
}

// ceilingLimit: the organization's, over all members.
func (r *Runner) ceilingLimit(q question, limit string, amount int64) []Reason {
	most, set := r.ceiling[limit]
	if !set || !r.holds("2: the ceiling is tested, "+limit) {
		return nil
	}
	used := r.used(q, limit, func(e *entry) bool {
		return e.request.Member == q.Member || r.holds("2: a ceiling counts all members")
	})
	return r.over(amount, used, most, Reason{Code: limitCode(limit), Level: levelOrganization, Permission: limit})
}

func limitCode(limit string) string {
	if isDaily(limit) {
		return "LIMIT_DAILY"
	}
	return "LIMIT_PER_TRANSACTION"
}

// over refuses what is over the limit; equal passes.
func (r *Runner) over(amount, used, most int64, reason Reason) []Reason {
	if amount+used > most || amount+used == most && !r.holds("2: equal passes, "+reason.Code+" "+reason.Level) {
		return []Reason{reason}
	}
	return nil
}

// used sums what the ledger holds against a daily limit on the day of the
// request, over those entries that count for the level. Approving tests the
// amount alone, and nothing is used of a limit that is not daily.
func (r *Runner) used(q question, limit string, counts func(*entry) bool) (sum int64) {
	if !isDaily(limit) || approves(q.op) && r.holds("2: approving tests the amount alone, "+q.op.ID) {
		return 0
	}
	for ref, e := range r.ledger {
		own := ref == q.self && r.holds("3: a reference's own reservation does not count against it")
		if own || !r.reserves(e, limit) || e.day != r.dayOf(q) || !counts(e) {
			continue
		}
		sum += e.amount
	}
	return sum
}

func approves(op operation) bool { return op.ID == "ach.batch.approve" || op.ID == "wires.approve" }

// dayOf is the day that a request counts on: its effective date, or today.
func (r *Runner) dayOf(q question) string {
	if text, given := q.date(); given && r.holds("2: a future-dated wire counts on its effective date") {
		return text
	}
	return r.today()
}

// approvalRequired says whether a second person must agree: dual control is on
// for the member or for the account, and the amount is over the dual limit
// that goes with it (§2).
func (r *Runner) approvalRequired(q question) bool {
	if q.op.ID != "wires.transmit" && r.holds("2: approval is for wires.transmit only") {
		return false
	}
	if !r.inEdition("wires.dual_control") {
		return false
	}
	amount, _ := r.amount(q)
	own, account := q.member.own, q.member.accounts[q.Account]
	ownLimit, set := own.limit("wires.dual_limit")
	if !set && !r.holds("2: a member's dual limit that is not set is 0") {
		return false
	}
	accountLimit, set := account.limit("wires.dual_limit")
	if !set {
		accountLimit = ownLimit
		if !r.holds("2: an account's dual limit that is not set is the member's") {
			return own.on("wires.dual_control") && amount > ownLimit
		}
	}
	byMember := own.on("wires.dual_control") && r.overDual(amount, ownLimit) && r.holds("2: dual control of the member")
	byAccount := account.on("wires.dual_control") && r.overDual(amount, accountLimit) && r.holds("2: dual control of the account")
	if set && !r.holds("2: the account's dual limit does not replace the member's") {
		byMember = own.on("wires.dual_control") && r.overDual(amount, accountLimit)
	}
	return byMember || byAccount
}

func (r *Runner) overDual(amount, limit int64) bool {
	return amount > limit || amount == limit && !r.holds("2: equal to the dual limit needs nobody")
}

// reserves says whether the entry counts against the limit.
func (r *Runner) reserves(e *entry, limit string) bool {
	given := e.voided && r.holds("3: void gives the amount back")
	return e.reserved && !given && slices.Contains(operations[e.request.Operation].Limits, limit)
}
