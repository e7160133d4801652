package client

import (
	"errors"
	"maps"
)

// A Question asks whether an organization user may do something. Member and
// Operation are required; Account for operations on an account, Organization
// for all others.
type Question struct {
	Member       string         // the organization user
	Operation    string         // such as "wires.transmit"
	Account      string         // the account that it is about
	ToAccount    string         // the account that receives, of a transfer
	Organization string         // the user's organization
	Amount       Amount         // exact; none where the operation moves no money
	Context      map[string]any // what else is known, such as "recurring" or "effective_date"
	Explain      Reader         // who will read the reasons; Nobody: none are wanted, which is faster
	AtLeast      string         // a revision that the answer to this question must know, besides those that the client remembers
	Approval     string         // the id of a Task that was approved: whether the payment that it stands for may go now

	// Requestable asks at the first address only: there a refusal says how a
	// second person can be asked (Request), which copies never say.
	Requestable bool
}

// atMain reports whether only the first address can answer.
func (q Question) atMain() bool { return q.Requestable || q.Approval != "" }

// A Reader is who will read an explanation.
type Reader string

const (
	Nobody Reader = ""      // no reasons are wanted
	User   Reader = "user"  // the person asked about, who learns less
	Admin  Reader = "admin" // somebody who may know everything about them
)

// A Decision is the answer. The zero Decision is a refusal, and so is every
// Decision with an Err.
type Decision struct {
	Allowed bool

	// Err says why there is no answer: no server could be reached, the answer
	// could not be read, or an obligation could not be carried out. It is nil
	// where a server answered, also where it answered no.
	Err error

	Reasons       []Reason       // why not, where the question asked for an explanation
	Revision      string         // what the answer knows; empty where the server did not say
	Obligations   []Obligation   // what was carried out before this became a yes
	AccessRequest *AccessRequest // how to ask for a second person's approval, where that would make it a yes
}

// A Reason is one thing that blocks.
type Reason struct {
	Code       string // such as "LIMIT_DAILY"; stable
	Level      string // where it is set, such as "organization_user"
	Permission string
	Account    string
	Limit      string // what a limit is set to, exact; only of Explain and authorizations
	Used       string // what already counts against it
	Message    string // the reason in a sentence
}

// An Obligation is something that must be done before a yes is one.
type Obligation struct {
	ID, Type   string
	Properties map[string]any
}

// An AccessRequest says that a second person could make a yes of a refusal.
// Request asks for that.
type AccessRequest struct {
	Endpoint     string         // where the server says that it is made; this client goes to its own first address
	EvaluationID string         // of the refusal that it is about
	Members      map[string]any // all that the server said of it, such as binding_token and expires_at
}

func refused(err error) Decision { return Decision{Err: err} }

// Errors of questions that cannot be asked.
var (
	ErrQuestion = errors.New("mandate: the question is not complete: it needs a member, an operation, and an account or an organization")
	ErrTooLong  = errors.New("mandate: the question is longer than a request may be")
	ErrContext  = errors.New("mandate: at_least_revision, explain and approval are fields of the question, not of its context")
)

func (q Question) check() error {
	if q.Member == "" || q.Operation == "" || q.Account == "" && q.Organization == "" {
		return ErrQuestion
	}
	return q.checkDetails()
}

func (q Question) checkDetails() error {
	if !q.Amount.valid() {
		return ErrAmount
	}
	for _, name := range []string{"at_least_revision", "explain", "approval"} {
		if _, given := q.Context[name]; given {
			return ErrContext
		}
	}
	return nil
}

// The question as AuthZEN has it.
type (
	entityBody struct {
		Type string `json:"type"`
		ID   string `json:"id,omitempty"`
	}
	actionBody struct {
		Name       string            `json:"name"`
		Properties map[string]string `json:"properties,omitempty"`
	}
	questionBody struct {
		Subject  *entityBody    `json:"subject,omitempty"`
		Action   *actionBody    `json:"action,omitempty"`
		Resource *entityBody    `json:"resource,omitempty"`
		Context  map[string]any `json:"context,omitempty"`
	}
)

// body is the question with the revision that it demands.
func (q Question) body(atLeast string) questionBody {
	b := questionBody{
		Subject: &entityBody{"user", q.Member}, Action: q.action(),
		Resource: &entityBody{"organization", q.Organization}, Context: q.context(atLeast),
	}
	if q.Account != "" {
		b.Resource = &entityBody{"account", q.Account}
	}
	return b
}

func (q Question) action() *actionBody {
	a := actionBody{Name: q.Operation, Properties: map[string]string{}}
	if !q.Amount.IsZero() {
		a.Properties["amount"] = q.Amount.String()
	}
	if q.ToAccount != "" {
		a.Properties["to_account"] = q.ToAccount
	}
	return &a
}

func (q Question) context(atLeast string) map[string]any {
	c := maps.Clone(q.Context)
	if c == nil {
		c = map[string]any{}
	}
	if q.Explain != Nobody {
		c["explain"] = string(q.Explain)
	}
	if atLeast != "" {
		c["at_least_revision"] = atLeast
	}
	if q.Approval != "" {
		c["approval"] = map[string]string{"id": q.Approval}
	}
	return c
}
