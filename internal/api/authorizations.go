package api

import (
	"context"

	"mandate/internal/authorization"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/gate"
)

// AuthorizeRequest is a payment that wants to go, under the caller's reference.
type AuthorizeRequest struct {
	Ref string `json:"ref" minLength:"1" maxLength:"128" doc:"The caller's own name for the payment. A name stands for one payment for ever."`
	Payment
}

// ApproveRequest says who approves.
type ApproveRequest struct {
	Member string `json:"member" maxLength:"200" doc:"The organization user who approves."`
}

// Authorization is the answer about a payment. A refusal is an answer too.
type Authorization struct {
	Ref              string   `json:"ref"`
	Decision         bool     `json:"decision"`
	ApprovalRequired bool     `json:"approval_required" doc:"It may go once a second person has approved it."`
	Reasons          []Reason `json:"reasons" doc:"Everything that blocks."`
	State            string   `json:"state,omitempty" enum:"refused,pending,confirmed,voided" doc:"Where the payment stands; absent where the reference is unknown."`
	ApprovedBy       string   `json:"approved_by,omitempty" doc:"The user who approved it."`
	Repeated         bool     `json:"repeated" doc:"It was so before: this call changed nothing."`
}

var states = map[authorization.State]string{
	authorization.Refused: "refused", authorization.Pending: "pending", authorization.Confirmed: "confirmed", authorization.Voided: "voided",
}

type authorizeInput struct {
	Key  string `header:"Idempotency-Key" required:"true" maxLength:"255" doc:"The caller's name for this call. Repeated under it, the call changes nothing and is answered the same."`
	Body AuthorizeRequest
}

type approveInput struct {
	Ref  string `path:"ref" maxLength:"128"`
	Key  string `header:"Idempotency-Key" required:"true" maxLength:"255" doc:"The caller's name for this call. Repeated under it, the call changes nothing and is answered the same."`
	Body ApproveRequest
}

type refInput struct {
	Ref string `path:"ref" maxLength:"128"`
	Key string `header:"Idempotency-Key" required:"true" maxLength:"255" doc:"The caller's name for this call. Repeated under it, the call changes nothing and is answered the same."`
}

type authorizationOutput struct{ Body Authorization }

// POST /api/v1/authorizations
func (e *Edge) authorize(ctx context.Context, in *authorizeInput) (*authorizationOutput, error) {
	operation := catalog.ParseOperation(in.Body.Operation)
	if err := may(ctx, operation); err != nil {
		return nil, err
	}
	once, err := e.Authorizations.Once(in.Key)
	if err != nil {
		return nil, err
	}
	caller := gate.CallerOf(ctx)
	organization, found, err := e.organizationOf(ctx, caller, in.Body)
	if err != nil {
		return nil, err
	}
	if !found { // nobody's payment: there is no organization to keep it in
		code := entitlement.UnknownMember
		if operation == catalog.UnknownOperation {
			code = entitlement.UnknownOperation
		}
		return shown(in.Body.Ref, in.Body.Member, authorization.Answer{Decision: entitlement.Refused(code)}), nil
	}
	p := in.Body.Payment
	answer, err := once.Authorize(ctx, caller, organization, in.Body.Ref, authorization.Asked{
		Member: bank.UserID(p.Member), Operation: p.Operation, Account: bank.AccountID(p.Account),
		ToAccount: bank.AccountID(p.ToAccount), Amount: p.amount(), Context: p.Context,
	})
	if err != nil {
		return nil, err
	}
	return shown(in.Body.Ref, in.Body.Member, answer), nil
}

// organizationOf is where a payment belongs: where its reference is kept
// already, or else where its member is.
func (e *Edge) organizationOf(ctx context.Context, caller bank.Caller, body AuthorizeRequest) (bank.OrganizationID, bool, error) {
	organization, found, err := e.Authorizations.OrganizationOf(ctx, caller, body.Ref)
	if found || err != nil {
		return organization, found, err
	}
	return e.Decisions.OrganizationOf(ctx, caller.Institution, bank.UserID(body.Member))
}

// POST /api/v1/authorizations/{ref}/approve
func (e *Edge) approve(ctx context.Context, in *approveInput) (*authorizationOutput, error) {
	return e.verb(in.Ref, in.Key, in.Body.Member, func(s *authorization.Service) (authorization.Answer, error) {
		return s.Approve(ctx, gate.CallerOf(ctx), in.Ref, bank.UserID(in.Body.Member))
	})
}

// POST /api/v1/authorizations/{ref}/confirm
func (e *Edge) confirm(ctx context.Context, in *refInput) (*authorizationOutput, error) {
	return e.verb(in.Ref, in.Key, "", func(s *authorization.Service) (authorization.Answer, error) {
		return s.Confirm(ctx, gate.CallerOf(ctx), in.Ref)
	})
}

// POST /api/v1/authorizations/{ref}/void
func (e *Edge) void(ctx context.Context, in *refInput) (*authorizationOutput, error) {
	return e.verb(in.Ref, in.Key, "", func(s *authorization.Service) (authorization.Answer, error) {
		return s.Void(ctx, gate.CallerOf(ctx), in.Ref)
	})
}

func (e *Edge) verb(ref, key, member string, call func(*authorization.Service) (authorization.Answer, error)) (*authorizationOutput, error) {
	once, err := e.Authorizations.Once(key)
	if err != nil {
		return nil, err
	}
	answer, err := call(once)
	if err != nil {
		return nil, err
	}
	return shown(ref, member, answer), nil
}

// shown is an answer as the caller reads it: reasons about a member are about
// the one that the call named. People and accounts are named by their ids,
// which is how payment systems know them.
func shown(ref, member string, answer authorization.Answer) *authorizationOutput {
	a := &answer.Authorization
	names := entitlement.Names{Member: member}
	body := Authorization{
		Ref: ref, Decision: answer.Allowed, ApprovalRequired: answer.ApprovalRequired, Reasons: authorizationReasons(answer.Reasons, names),
		ApprovedBy: string(a.ApprovedBy), Repeated: answer.Repeated,
	}
	if a.ID != "" {
		body.State = states[a.State]
	}
	return &authorizationOutput{body}
}

func authorizationReasons(reasons []entitlement.Reason, names entitlement.Names) []Reason {
	all := reasonsOf(reasons, names)
	for i, r := range reasons {
		if words, ok := authorization.Sentence(r.Code); ok {
			all[i].Message = words
		}
	}
	return all
}
