package client

import (
	"context"
	"errors"
	"net/url"
)

// A Payment is what wants to go, under a reference of the program's own. A
// reference stands for one payment for ever.
type Payment struct {
	Ref       string
	Member    string // who initiates it
	Operation string
	Account   string
	ToAccount string
	Amount    Amount
	Context   map[string]any
}

// An Authorization is where a payment stands. The zero Authorization is a
// refusal, and so is every one with an Err.
//
// Nothing is released before Confirm said Allowed: what Authorize allows is
// counted and waits, for a second person too where ApprovalRequired says so.
type Authorization struct {
	Allowed bool

	// Err says why there is no answer. What was asked for may still have
	// happened: ask again under the same reference and key, which changes
	// nothing twice.
	Err error

	Ref              string
	ApprovalRequired bool
	Reasons          []Reason
	State            string // "refused", "pending", "confirmed" or "voided"; empty where the reference is unknown
	ApprovedBy       string
	Repeated         bool // it was so before: this call changed nothing
}

const maxKey = 255 // characters

// ErrPayment says that a payment is not complete.
var ErrPayment = errors.New("mandate: a payment has a reference, a member and an operation")

// Authorize decides a payment and counts its amount. key names this call, by 1 to
// 255 visible ASCII characters: a call repeated under it, by the client itself or
// by the program after a failure, is answered the same and changes nothing. The
// same key for another call is refused. An empty key is made for the call.
func (c *Client) Authorize(ctx context.Context, p Payment, key string) Authorization {
	if p.Ref == "" || p.Member == "" || p.Operation == "" {
		return Authorization{Ref: p.Ref, Err: ErrPayment}
	}
	if !p.Amount.valid() {
		return Authorization{Ref: p.Ref, Err: ErrAmount}
	}
	body := paymentOf(Question{Member: p.Member, Operation: p.Operation, Account: p.Account, ToAccount: p.ToAccount, Amount: p.Amount, Context: p.Context})
	body["ref"] = p.Ref
	return c.step(ctx, p.Ref, "", key, body)
}

// Approve approves a payment as a second person.
func (c *Client) Approve(ctx context.Context, ref, member, key string) Authorization {
	if member == "" {
		return Authorization{Ref: ref, Err: errors.New("mandate: somebody must approve it: the member is missing")}
	}
	return c.step(ctx, ref, "approve", key, map[string]any{"member": member})
}

// Confirm is the moment of release: everybody involved is judged once more. The
// payment goes only where this is allowed.
func (c *Client) Confirm(ctx context.Context, ref, key string) Authorization {
	return c.step(ctx, ref, "confirm", key, nil)
}

// Void gives a payment's amount back.
func (c *Client) Void(ctx context.Context, ref, key string) Authorization {
	return c.step(ctx, ref, "void", key, nil)
}

// paymentOf is a question as our own API has it.
func paymentOf(q Question) map[string]any {
	b := map[string]any{"member": q.Member, "operation": q.Operation}
	for name, value := range map[string]string{"account": q.Account, "to_account": q.ToAccount, "amount": q.Amount.String()} {
		if value != "" {
			b[name] = value
		}
	}
	if len(q.Context) > 0 {
		b["context"] = q.Context
	}
	return b
}

// step makes one call about a payment, at the first address only.
func (c *Client) step(ctx context.Context, ref, verb, key string, body map[string]any) Authorization {
	failed := func(err error) Authorization { return Authorization{Ref: ref, Err: err} }
	if !oneName(ref) {
		return failed(ErrPayment)
	}
	if key == "" {
		key = newID()
	}
	if !visible(key, maxKey) {
		return failed(ErrKey)
	}
	r := call{path: "/api/v1/authorizations", headers: map[string]string{"Idempotency-Key": key}, copies: []*copyOf{c.main}}
	if verb != "" {
		r.path += "/" + url.PathEscape(ref) + "/" + verb
	}
	if body != nil {
		var err error
		if r.body, err = encode(body); err != nil {
			return failed(err)
		}
	}
	var a Authorization
	r.read = func(got *answer) (err error) {
		if a, err = parseAuthorization(got.body); err == nil && a.Ref != ref {
			err = errors.New("it is about another payment")
		}
		if err != nil {
			return unreadable(err)
		}
		return nil
	}
	if err := c.do(ctx, r); err != nil {
		return failed(err)
	}
	return a
}

// oneName reports whether a name stays one part of an address: dots would lead
// out of it.
func oneName(name string) bool { return name != "" && name != "." && name != ".." }

func parseAuthorization(body []byte) (Authorization, error) {
	o, err := readObject(body)
	if err != nil {
		return Authorization{}, err
	}
	t := taker{of: o}
	a := Authorization{
		Allowed: t.yes("decision"), ApprovalRequired: t.yes("approval_required"), Repeated: t.yes("repeated"),
		Ref: t.text("ref"), State: t.text("state"), ApprovedBy: t.text("approved_by"), Reasons: parseReasons(&t),
	}
	if t.wrong != nil {
		return Authorization{}, t.wrong
	}
	return a, nil
}
