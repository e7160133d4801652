package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/gate"
)

// Approvals is the queue of what waits for a second person.
type Approvals interface {
	Queue(ctx context.Context, caller bank.Caller) ([]approval.Entry, error)
	Decided(context.Context, bank.Caller, approval.DecidedQuery) (approval.DecidedPage, error)
	Get(ctx context.Context, caller bank.Caller, id string) (approval.Entry, error)
	Approve(ctx context.Context, caller bank.Caller, id, hash, comment string) error
	Reject(ctx context.Context, caller bank.Caller, id, comment string) error
}

func (e *Edge) registerApprovals(a huma.API) {
	add(e, a, http.MethodGet, "/approvals", "list-approvals", "List what waits for a second person", actsOn, e.approvals)
	add(e, a, http.MethodGet, "/approvals/{approval}", "get-approval", "Read what waits for a second person", actsOn, e.approval)
	add(e, a, http.MethodPost, "/approvals/{approval}/approve", "approve", "Approve what waits, as a second person", actsOn, e.approveItem)
	add(e, a, http.MethodPost, "/approvals/{approval}/reject", "reject", "Reject what waits", actsOn, e.rejectItem)
}

// Approval is something that waits, or waited, for a second person.
type Approval struct {
	ID        string         `json:"id"`
	Kind      string         `json:"kind" doc:"What sort of thing it is, such as wire."`
	Ref       string         `json:"ref" doc:"Its own id."`
	Title     string         `json:"title"`
	Account   string         `json:"account,omitempty"`
	Amount    string         `json:"amount,omitempty"`
	Lines     []ApprovalLine `json:"lines" doc:"What a person must read before they agree."`
	State     string         `json:"state" enum:"waiting,approved,released,rejected,sent_back,withdrawn,expired"`
	Operation string         `json:"operation" doc:"What whoever approves must be allowed."`
	Initiator Person         `json:"initiator"`
	Since     string         `json:"since" format:"date-time"`
	Until     string         `json:"until" format:"date-time"`
	Approvers []Person       `json:"approvers" doc:"Who may approve it now, while it waits; there may be nobody."`
	Mine      bool           `json:"mine" doc:"The person may decide it."`
	Stale     bool           `json:"stale" doc:"It is no longer what was asked for: nobody can approve it."`
	Reasons   []Reason       `json:"reasons" doc:"Why the person may not."`
	Hash      string         `json:"hash" doc:"Of what is agreed to; hand it back to approve."`
	By        *Person        `json:"by,omitempty" doc:"Who decided."`
	Decided   string         `json:"decided,omitempty" format:"date-time"`
	Comment   string         `json:"comment,omitempty"`
}

// ApprovalLine is one thing that a person reads before they agree.
type ApprovalLine struct {
	Term  string `json:"term"`
	Value string `json:"value"`
}

func approvalOf(e *approval.Entry) Approval {
	shown := Approval{
		ID: e.ID, Kind: e.Kind, Ref: e.Ref, Title: e.Title, Account: string(e.Account), Lines: []ApprovalLine{}, State: string(e.State), Operation: e.Operation.ID(),
		Initiator: Person{string(e.Initiator.ID), e.Initiator.Name}, Since: moment(e.Asked), Until: moment(e.Expires), Approvers: []Person{},
		Mine: e.Mine, Stale: e.Stale, Reasons: authorizationReasons(withoutHold(e.Reasons), entitlement.Names{}), Hash: e.Hash, Comment: e.Comment,
	}
	if e.Cents > 0 {
		shown.Amount = e.Cents.String()
	}
	for _, line := range e.Lines {
		shown.Lines = append(shown.Lines, ApprovalLine(line))
	}
	for _, a := range e.Approvers {
		shown.Approvers = append(shown.Approvers, Person{string(a.ID), a.Name})
	}
	if e.By.ID != "" {
		shown.By = &Person{string(e.By.ID), e.By.Name}
	}
	if !e.Decided.IsZero() {
		shown.Decided = moment(e.Decided)
	}
	return shown
}

type approvalsInput struct {
	Acting
	Decided bool `query:"decided" doc:"What was settled, instead of what waits."`
	Page    int  `query:"page" minimum:"1" maximum:"10000" default:"1" doc:"Of what was settled, 200 at a time; empty after the last."`
}

// ApprovalList is what waits, the most urgent first, or what was settled.
type ApprovalList struct {
	Approvals []Approval `json:"approvals"`
}

type approvalsOutput struct{ Body ApprovalList }

// GET /api/v1/approvals
func (e *Edge) approvals(ctx context.Context, in *approvalsInput) (*approvalsOutput, error) {
	caller, err := e.person(ctx, in.Acting, "")
	if err != nil {
		return nil, err
	}
	entries, err := e.approvalEntries(ctx, caller, in)
	if err != nil {
		return nil, err
	}
	list := ApprovalList{Approvals: []Approval{}}
	for i := range entries {
		if gate.ClientOf(ctx).May(entries[i].Operation) {
			list.Approvals = append(list.Approvals, approvalOf(&entries[i]))
		}
	}
	return &approvalsOutput{list}, nil
}

func (e *Edge) approvalEntries(ctx context.Context, caller bank.Caller, in *approvalsInput) ([]approval.Entry, error) {
	if !in.Decided {
		return e.Approvals.Queue(ctx, caller)
	}
	page, err := e.Approvals.Decided(ctx, caller, approval.DecidedQuery{Page: in.Page})
	if page.Page != in.Page {
		return nil, err // past the last
	}
	return page.Entries, err
}

type approvalInput struct {
	Acting
	ID string `path:"approval" maxLength:"200"`
}

type approvalOutput struct{ Body Approval }

// GET /api/v1/approvals/{approval}
func (e *Edge) approval(ctx context.Context, in *approvalInput) (*approvalOutput, error) {
	caller, err := e.person(ctx, in.Acting, "")
	if err != nil {
		return nil, err
	}
	return e.shownApproval(ctx, caller, in.ID)
}

func (e *Edge) shownApproval(ctx context.Context, caller bank.Caller, id string) (*approvalOutput, error) {
	entry, err := e.Approvals.Get(ctx, caller, id)
	if err != nil {
		return nil, err
	}
	if err := may(ctx, entry.Operation); err != nil {
		return nil, err
	}
	return &approvalOutput{approvalOf(&entry)}, nil
}

// ApprovalYes is a second person's yes to what they saw.
type ApprovalYes struct {
	Hash    string `json:"hash" maxLength:"64" doc:"Of what they saw."`
	Comment string `json:"comment,omitempty" maxLength:"500"`
}

type approveItemInput struct {
	Changing
	ID   string `path:"approval" maxLength:"200"`
	Body ApprovalYes
}

// POST /api/v1/approvals/{approval}/approve
func (e *Edge) approveItem(ctx context.Context, in *approveItemInput) (*approvalOutput, error) {
	return e.decideItem(ctx, in.Changing, in.ID, func(ctx context.Context, caller bank.Caller) error {
		return e.Approvals.Approve(ctx, caller, in.ID, in.Body.Hash, in.Body.Comment)
	}, "approve", in.Body)
}

// ApprovalNo is a second person's no.
type ApprovalNo struct {
	Comment string `json:"comment,omitempty" maxLength:"500"`
}

type rejectItemInput struct {
	Changing
	ID   string `path:"approval" maxLength:"200"`
	Body ApprovalNo
}

// POST /api/v1/approvals/{approval}/reject
func (e *Edge) rejectItem(ctx context.Context, in *rejectItemInput) (*approvalOutput, error) {
	return e.decideItem(ctx, in.Changing, in.ID, func(ctx context.Context, caller bank.Caller) error {
		return e.Approvals.Reject(ctx, caller, in.ID, in.Body.Comment)
	}, "reject", in.Body)
}

// decideItem decides, where the program is bound to the operation that the item
// asks about. Somebody who may not look at it is told no more than the engine
// tells them.
func (e *Edge) decideItem(ctx context.Context, in Changing, id string, decide func(context.Context, bank.Caller) error, content ...any) (*approvalOutput, error) {
	caller, err := e.person(ctx, in.Acting, in.Proof)
	if err != nil {
		return nil, err
	}
	seen, err := e.Approvals.Get(ctx, caller, id)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return nil, err
	}
	if err == nil {
		err = may(ctx, seen.Operation)
	} else {
		err = may(ctx, catalog.UnknownOperation)
	}
	if err != nil {
		return nil, err
	}
	ctx, caller, err = e.repeatable(ctx, caller, in, append(content, id)...)
	if err != nil {
		return nil, err
	}
	if err := decide(ctx, caller); err != nil {
		return nil, err
	}
	return e.shownApproval(ctx, caller, id)
}
