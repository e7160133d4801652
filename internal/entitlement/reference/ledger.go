package reference

import "reflect"

// An entry is what is kept under a reference, refused ones included (§3).
type entry struct {
	request   Request
	verdict   verdict
	reserved  bool // the amount counts against the daily limits
	amount    int64
	day       string // the day it counts on
	voided    bool
	confirmed bool
	approver  string // "" until somebody approved
}

// authorize decides and, when true, counts the amount under the reference (§3).
func (r *Runner) authorize(a Authorization) Answer {
	if e, known := r.ledger[a.Ref]; known && (e.verdict.allowed() || r.holds("3: a refused request keeps its reference")) {
		return r.again(e, a.Request).answer()
	}
	e := &entry{request: a.Request, verdict: r.judge(a.Request, "")}
	if op := operations[a.Operation]; e.verdict.allowed() && asksForAmount(op) && (!approves(op) || !r.holds("3: approving counts nothing")) {
		q := question{Request: a.Request}
		r.understand(&q)
		e.reserved, e.day = r.holds("3: authorize counts the amount"), r.dayOf(q)
		e.amount, _ = r.amount(q)
	}
	r.ledger[a.Ref] = e
	return e.verdict.answer()
}

// again answers a reference that is already there, in the order of §3.
func (r *Runner) again(e *entry, request Request) verdict {
	different, voided := !r.sameContent(e.request, request), e.voided
	switch {
	case voided && different && !r.holds("3: REF_REUSED comes before REF_VOIDED"):
		return refused("REF_VOIDED")
	case different && r.holds("3: REF_REUSED"):
		return refused("REF_REUSED")
	case voided && r.holds("3: REF_VOIDED"):
		return refused("REF_VOIDED")
	case !r.holds("3: the same reference again gives the stored answer"):
		return r.judge(request, "")
	}
	return e.verdict
}

func refused(code string) verdict {
	return verdict{reasons: []Reason{{Code: code, Level: levelRequest}}}
}

// sameContent compares what a reference stands for: amounts by value, a
// malformed one as text; context key by key, an empty one equals none (§3).
func (r *Runner) sameContent(a, b Request) bool {
	return (a.Member == b.Member || !r.holds("3: content includes the member")) &&
		(a.Operation == b.Operation || !r.holds("3: content includes the operation")) &&
		(a.Account == b.Account || !r.holds("3: content includes account")) &&
		(a.ToAccount == b.ToAccount || !r.holds("3: content includes to_account")) &&
		r.sameAmount(a.Amount, b.Amount) && r.sameContext(a.Context, b.Context)
}

func (r *Runner) sameAmount(a, b string) bool {
	centsA, okA := parseAmount(a)
	centsB, okB := parseAmount(b)
	if okA && okB && r.holds("3: amounts are compared by value") {
		return centsA == centsB || !r.holds("3: content includes the amount")
	}
	return a == b || !r.holds("3: a malformed amount is compared as text")
}

func (r *Runner) sameContext(a, b map[string]any) bool {
	if !r.holds("3: content includes the context") {
		return true
	}
	if (a == nil) != (b == nil) && !r.holds("3: an empty context equals none") {
		return false
	}
	if len(a) != len(b) && r.holds("3: false differs from absent") {
		return false
	}
	for key, value := range a {
		other, there := b[key]
		if there && !reflect.DeepEqual(value, other) {
			return false
		}
		if !there && r.holds("3: false differs from absent") {
			return false
		}
	}
	return true
}

func short(reasons []Reason) Answer {
	decision := len(reasons) == 0
	return Answer{Decision: &decision, Reasons: sortReasons(reasons)}
}

func no(code string) Answer  { return short([]Reason{{Code: code, Level: levelRequest}}) }
func yes() Answer            { return short(nil) }
func reason(c string) Reason { return Reason{Code: c, Level: levelUser} }

// initiatorNow asks the original request again for the initiator; what the
// reference itself reserved does not count against it (§3).
func (r *Runner) initiatorNow(ref string) verdict { return r.judge(r.ledger[ref].request, ref) }

// approverNow decides wires.approve with the account, amount and context of the reference (§3).
func (r *Runner) approverNow(ref, who string) verdict {
	q := r.ledger[ref].request
	if !r.holds("3: the approver is judged with the context of the reference") {
		q.Context = nil
	}
	return r.judge(Request{Member: who, Operation: "wires.approve", Account: q.Account, Amount: q.Amount, Context: q.Context}, ref)
}

// needsApproval: required then, or would be required now.
func (r *Runner) needsApproval(ref string) bool {
	then := r.ledger[ref].verdict.approval && r.holds("3: approval that was required then is still required")
	now := r.initiatorNow(ref).approval && r.holds("3: approval that would be required now is required")
	return then || now
}

// approve is the second person's agreement. A refused one leaves it waiting.
func (r *Runner) approve(ref, who string) Answer {
	e, known := r.ledger[ref]
	if !known {
		return no("UNKNOWN_REF")
	}
	switch {
	case !e.verdict.allowed() && r.holds("3: NOT_PENDING to approve, refused"),
		e.voided && r.holds("3: NOT_PENDING to approve, voided"),
		e.confirmed && r.holds("3: NOT_PENDING to approve, confirmed"),
		e.approver != "" && r.holds("3: NOT_PENDING to approve, approved already"),
		!r.needsApproval(ref) && r.holds("3: NOT_PENDING to approve, no approval required"):
		return no("NOT_PENDING")
	}
	reasons := r.approverNow(ref, who).reasons
	if who == e.request.Member && r.holds("3: SELF_APPROVAL") {
		reasons = append(reasons, reason("SELF_APPROVAL"))
	}
	if !r.initiatorNow(ref).allowed() && r.holds("3: INITIATOR_NOT_ALLOWED to approve") {
		reasons = append(reasons, reason("INITIATOR_NOT_ALLOWED"))
	}
	if len(reasons) == 0 || !r.holds("3: a refused approval leaves it waiting") {
		e.approver = who
	}
	return short(reasons)
}

// confirm is the moment of release (§3).
func (r *Runner) confirm(ref string) Answer {
	e, known := r.ledger[ref]
	switch {
	case !known:
		return no("UNKNOWN_REF")
	case !e.verdict.allowed() && r.holds("3: NOT_PENDING to confirm, refused"), e.voided && r.holds("3: NOT_PENDING to confirm, voided"):
		return no("NOT_PENDING")
	case e.confirmed && r.holds("3: a confirmed one is not judged again"):
		return yes()
	case e.approver == "" && r.needsApproval(ref) && r.holds("3: NOT_APPROVED"):
		return no("NOT_APPROVED")
	}
	var reasons []Reason
	if !r.initiatorNow(ref).allowed() && r.holds("3: INITIATOR_NOT_ALLOWED to confirm") {
		reasons = append(reasons, reason("INITIATOR_NOT_ALLOWED"))
	}
	if e.approver != "" && !r.approverNow(ref, e.approver).allowed() && r.holds("3: APPROVER_NOT_ALLOWED") {
		reasons = append(reasons, reason("APPROVER_NOT_ALLOWED"))
	}
	if len(reasons) == 0 {
		e.confirmed = true
		r.moveToToday(e)
	}
	return short(reasons)
}

// moveToToday counts a released reservation on the day it happens, unless it
// has an effective date of its own (§3).
func (r *Runner) moveToToday(e *entry) {
	q := question{Request: e.request}
	r.understand(&q)
	_, dated := q.date()
	if dated && r.holds("3: a reservation with an effective date stays there") || !r.holds("3: a release counts on the day it happens") {
		return
	}
	e.day = r.today()
}

// void gives the amount back.
func (r *Runner) void(ref string) Answer {
	e, known := r.ledger[ref]
	switch {
	case !known:
		return no("UNKNOWN_REF")
	case e.confirmed && r.holds("3: CONFIRMED"):
		return no("CONFIRMED")
	case e.voided && !r.holds("3: voiding twice is true"):
		return no("NOT_PENDING")
	}
	e.voided = true
	return yes()
}
