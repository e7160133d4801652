package wire

import (
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/usage"
)

// A Kind is how a wire came to be; it says which right changes it.
type Kind uint8

const (
	OneTime Kind = iota
	FromTemplate
	Recurring
)

// Kind is how the wire came to be.
func (w *Wire) Kind() Kind {
	switch {
	case w.Series != "":
		return Recurring
	case w.Template != "":
		return FromTemplate
	}
	return OneTime
}

// Label is the kind as screens show it.
func (k Kind) Label() string { return [...]string{"One-time", "From a template", "Recurring"}[k] }

var editing = [...]catalog.Operation{OneTime: catalog.WiresOneTimeEditOperation, FromTemplate: catalog.WiresTemplateEditOperation, Recurring: catalog.WiresRecurringEditOperation}

// A Refusal is why something may not be, with its proof: the cause of a fault.
type Refusal struct{ entitlement.Explanation }

func (r *Refusal) Error() string { return string(r.Reasons[0].Code) }

// Why is the proof.
func (r *Refusal) Why() entitlement.Explanation { return r.Explanation }

// on is a question about an account without an amount.
func on(op catalog.Operation, member bank.UserID, account bank.AccountID, now time.Time) entitlement.Request {
	return entitlement.Request{Operation: op, Member: member, Account: account, Now: now}
}

// sending is the question about sending a wire off, or approving it: the whole
// truth about the payment. Who wants it as soon as may be asks for no date.
func (w *Wire) sending(op catalog.Operation, member bank.UserID, now time.Time) entitlement.Request {
	req := on(op, member, w.Account, now)
	req.Amount = entitlement.AmountOf(w.Cents)
	req.Context = req.Context.With(catalog.Recurring, w.Series != "")
	if w.Asked != "" {
		req.Context = req.Context.WithEffectiveDate(w.Day)
	}
	return req
}

// takingBack is the question about taking a wire back. It has no operation of
// its own: it takes the right that made the wire, and at credit unions the right
// to delete wires. It has no amount, so the smallest one is asked about, and
// nothing that is used stands in its way.
func takingBack(edition bank.Edition, kind Kind, member bank.UserID, account bank.AccountID, now time.Time) entitlement.Request {
	if edition == bank.EditionCreditUnion {
		return deleting(member, account, now)
	}
	if kind == OneTime {
		return on(catalog.WiresOneTimeCreateOperation, member, account, now)
	}
	w := Wire{Instruction: Instruction{Account: account, Cents: 1}}
	if kind == Recurring {
		w.Series = "any"
	}
	return w.sending(catalog.WiresTransmitOperation, member, now)
}

func deleting(member bank.UserID, account bank.AccountID, now time.Time) entitlement.Request {
	req := on(catalog.WiresView, member, account, now)
	req.Besides = catalog.SetOf(catalog.WiresDelete)
	return req
}

// explain answers a question with what is used, without what except holds.
func explain(tx *db.Tx, p *entitlement.Policy, req entitlement.Request, except usage.ID) (e entitlement.Explanation, err error) {
	if req.Used, err = usage.ForExcept(tx, p, req, except); err != nil {
		return e, err
	}
	return entitlement.Explain(p, req), nil
}

// require refuses what the engine does not allow.
func require(c *guard.Change, req entitlement.Request) error {
	e, err := explain(c.Tx, c.Policy, req, "")
	if err != nil || e.Allowed {
		return err
	}
	return refusal(req.Operation, e)
}

func refusal(op catalog.Operation, e entitlement.Explanation) error {
	return fault.New(fault.Forbidden, "You may not "+op.Info().Label+".").With(string(e.Reasons[0].Code)).Because(&Refusal{e})
}

// allow refuses what the engine does not allow, whatever is used.
func allow(c *guard.Change, req entitlement.Request) error {
	if e := entitlement.Explain(c.Policy, req); !e.Allowed {
		return refusal(req.Operation, e)
	}
	return nil
}

// sees reports whether a member sees the wires of an account.
func sees(p *entitlement.Policy, member bank.UserID, account bank.AccountID, now time.Time) bool {
	return entitlement.Decide(p, on(catalog.WiresView, member, account, now)).Allowed
}

// scopeOf is whose facts a question reads.
func scopeOf(member bank.UserID, accounts ...bank.AccountID) entitlement.Scope {
	return entitlement.Scope{Members: []bank.UserID{member}, Accounts: accounts}
}
