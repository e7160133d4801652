package product

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"mandate/internal/authorization"
	"mandate/internal/authzen"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/client"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/gate"
	"mandate/internal/pdp"
)

// A denial that a second person could turn around tells a caller with the
// capability where to ask for one. What it then asks for is what the product
// has already: a payment that is authorized under a reference, the denial's own
// number, and waits for its approval as every other. Asked again with that
// reference named as the approval, the evaluation is what confirming the payment
// would say.

// requestTime is how long after a denial an access request may be made for it.
const requestTime = 15 * time.Minute

const (
	prefixEvaluation = "evl"
	maxBinding       = 2048

	// secondPerson is the template of the one kind of request there is.
	secondPerson = "second_person"
)

// Payments are what access requests become.
type Payments interface {
	Authorize(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, ref string, asked authorization.Asked) (authorization.Answer, error)
	Standing(ctx context.Context, caller bank.Caller, ref string) (authorization.Standing, bool, error)
	WouldConfirm(ctx context.Context, caller bank.Caller, ref string, asked authorization.Asked) (entitlement.Decision, error)
}

// Requests is what taking access requests needs.
type Requests struct {
	Payments Payments
	Clock    bank.Clock
	Keys     func() [][]byte // bind a request to its denial, the same in every process: the first signs, all are believed
	Origin   string          // where callers find the API
}

var (
	_ authzen.Requester = (*Decider)(nil)
	_ authzen.Obliger   = (*Decider)(nil)
)

// With makes the decider take access requests.
func (d *Decider) With(r Requests) *Decider {
	d.requests = &r
	return d
}

// TakesRequests reports whether the decider takes access requests.
func (d *Decider) TakesRequests() bool { return d.requests != nil }

// Obliges reports that permits may oblige callers that can carry it out.
func (d *Decider) Obliges() bool { return true }

// requestable reports whether a caller is to hear where to ask for what an answer
// lacks.
func (d *Decider) requestable(caller *client.Client, answer pdp.Answer) bool {
	return d.requests != nil && caller.Can(client.AccessRequests) && answer.Outcome() == pdp.NeedsApproval
}

// A binding is which denial an access request is for.
type binding struct {
	Institution  bank.InstitutionID  `json:"i"`
	Client       bank.ClientID       `json:"c"`
	Organization bank.OrganizationID `json:"o"`
	Evaluation   string              `json:"e"`
	Asked        []byte              `json:"q"`
	Ends         int64               `json:"t"` // seconds
}

// seal writes a binding so that nobody else can write one.
func (r *Requests) seal(b binding) string {
	text, err := json.Marshal(b)
	if err != nil {
		panic(err) // texts and numbers
	}
	return base64.RawURLEncoding.EncodeToString(text) + "." + base64.RawURLEncoding.EncodeToString(sign(r.Keys()[0], text))
}

func sign(key, text []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(text) // never fails
	return mac.Sum(nil)
}

func (r *Requests) signed(text, signature []byte) bool {
	return slices.ContainsFunc(r.Keys(), func(key []byte) bool { return hmac.Equal(signature, sign(key, text)) })
}

func (r *Requests) unseal(text string) (b binding, ok bool) {
	first, second, _ := strings.Cut(text, ".")
	content, e1 := base64.RawURLEncoding.Strict().DecodeString(first)
	signature, e2 := base64.RawURLEncoding.Strict().DecodeString(second)
	if len(text) > maxBinding || e1 != nil || e2 != nil || !r.signed(content, signature) {
		return binding{}, false
	}
	return b, json.Unmarshal(content, &b) == nil
}

// request is what a denial says about how to ask for the second person.
func (d *Decider) request(caller *client.Client, a *asked, answer pdp.Answer) map[string]any {
	now := d.requests.Clock.Now()
	sum, err := a.payment().Sum()
	if err != nil {
		return nil // too long to be kept as a payment
	}
	evaluation, ends := bank.NewID(prefixEvaluation, now), now.Add(requestTime).Truncate(time.Second)
	b := binding{caller.Institution, caller.ID, answer.Organization, evaluation, sum[:], ends.Unix()}
	return map[string]any{
		"evaluation_id": evaluation,
		"reason":        entitlement.ApprovalRequired,
		"access_request": map[string]any{
			"endpoint": d.requests.Origin + authzen.RequestPath, "template": secondPerson,
			"expires_at": ends.UTC().Format(time.RFC3339), "binding_token": d.requests.seal(b),
		},
	}
}

// payment is what is asked, as it is kept.
func (a *asked) payment() authorization.Asked {
	said := map[string]any{}
	for name, value := range a.Context {
		said[name] = value
	}
	for _, key := range edgeKeys {
		delete(said, key.name)
	}
	if len(said) == 0 {
		said = nil
	}
	return authorization.Asked{Member: a.Member, Operation: a.Operation, Account: a.Account, ToAccount: a.ToAccount, Amount: a.Amount, Context: said}
}

var errBinding = fault.New(fault.Invalid, "The binding_token is not one of a denial of this very question to this caller, or its time is over. Ask for the decision again.")

// Request makes a payment that waits for its second person. Asking again for the
// same denial changes nothing.
func (d *Decider) Request(ctx context.Context, caller client.Client, r authzen.AccessRequest) (authzen.Task, error) {
	a := read(r.Evaluation)
	if !caller.May(a.operation()) {
		return authzen.Task{}, fault.New(fault.Forbidden, notYours)
	}
	b, ok := d.requests.unseal(r.Binding)
	sum, err := a.payment().Sum()
	switch {
	case err != nil:
		return authzen.Task{}, err
	case !ok || a.refusal != nil, b.Institution != caller.Institution, b.Client != caller.ID, !bytes.Equal(b.Asked, sum[:]),
		r.EvaluationID != "" && r.EvaluationID != b.Evaluation, a.Organization != "" && a.Organization != b.Organization,
		d.requests.Clock.Now().Unix() >= b.Ends:
		return authzen.Task{}, errBinding
	}
	if _, err := d.requests.Payments.Authorize(ctx, gate.CallerOf(ctx), b.Organization, b.Evaluation, a.payment()); err != nil {
		return authzen.Task{}, err
	}
	return d.Task(ctx, caller, b.Evaluation)
}

// Task is where the caller's access request stands.
func (d *Decider) Task(ctx context.Context, caller client.Client, id string) (authzen.Task, error) {
	if !strings.HasPrefix(id, prefixEvaluation+"_") {
		return authzen.Task{}, authzen.ErrNoTask
	}
	now, found, err := d.requests.Payments.Standing(ctx, gate.CallerOf(ctx), id)
	if err != nil {
		return authzen.Task{}, err
	}
	if !found || !caller.May(catalog.ParseOperation(now.Asked.Operation)) {
		return authzen.Task{}, authzen.ErrNoTask
	}
	return authzen.Task{ID: id, Status: statusOf(&now), Expires: now.Ends}, nil
}

func statusOf(s *authorization.Standing) authzen.TaskStatus {
	switch {
	case s.State == authorization.Refused:
		return authzen.TaskDenied
	case s.State == authorization.Voided && s.Over:
		return authzen.TaskExpired
	case s.State == authorization.Voided:
		return authzen.TaskCancelled
	case s.Waits():
		return authzen.TaskPending
	}
	return authzen.TaskApproved
}

// approve judges the evaluations that name an approval: not whether they may,
// but whether the payment under that reference may be released now. What was
// refused for another reason than the payment's stays refused.
func (d *Decider) approve(ctx context.Context, caller *client.Client, all []asked, answers []pdp.Answer) error {
	next := 0
	for i := range all {
		a := &all[i]
		if !a.isQuestion(*caller) {
			continue
		}
		answer := &answers[next]
		next++
		if a.approval.ref == "" || answer.Organization == "" || answer.Has(pdp.RevisionNotReached) {
			continue
		}
		var err error
		if answer.Decision, err = d.requests.Payments.WouldConfirm(ctx, gate.CallerOf(ctx), a.approval.ref, a.payment()); err != nil {
			return err
		}
	}
	return nil
}

// obligation is what a caller that can do it must do before it acts on a permit.
func obligation(a *asked) []map[string]any {
	return []map[string]any{{
		"id": "high-risk-authorization", "type": authzen.ObligationStepUp,
		"properties": map[string]any{"subject": string(a.Member), "purpose": a.Operation, "max_age": int64((5 * time.Minute).Seconds())},
	}}
}

// obliges reports whether a permit obliges a caller.
func (a *asked) obliges(caller *client.Client, answer pdp.Answer) bool {
	return caller.Can(client.StepUp) && answer.Outcome() == pdp.Allowed && a.operation().HighRisk()
}

// forbidden is the answer to a caller about what it may not ask.
func forbidden() authzen.Decision {
	return authzen.Decision{Failure: &authzen.Failure{Status: http.StatusForbidden, Message: notYours}}
}
