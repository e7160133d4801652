package authzen

import (
	"context"
	"net/http"
	"time"

	"mandate/internal/client"
	"mandate/internal/fault"
	"mandate/internal/gate"
)

// What the Access Request and Approval Profile and the Obligations Profile add,
// both drafts: a denial that somebody else can turn around says where to ask for
// that, and a permit may oblige the caller to do something first. Both are only
// in the answers of callers that have said that they understand them.

// CapabilityAccessRequest is how the metadata names the first of the two.
const CapabilityAccessRequest = "urn:openid:authzen:capability:access-request"

// ObligationStepUp is the one type of obligation here: the person must prove
// anew who they are.
const ObligationStepUp = "step-up"

// An AccessRequest asks for what a denied evaluation lacks.
type AccessRequest struct {
	Evaluation
	EvaluationID string // empty: only the token says of which denial it is
	Binding      string // what the denial carried
}

// A TaskStatus is where an access request stands.
type TaskStatus string

const (
	TaskPending   TaskStatus = "pending"
	TaskApproved  TaskStatus = "approved"
	TaskDenied    TaskStatus = "denied"
	TaskExpired   TaskStatus = "expired"
	TaskCancelled TaskStatus = "cancelled"
)

// A Task is an access request as its caller follows it.
type Task struct {
	ID      string
	Status  TaskStatus
	Expires time.Time // zero: never
}

// A Requester is a Decider that takes access requests.
type Requester interface {
	Decider

	// TakesRequests reports whether it does, as it was made.
	TakesRequests() bool
	Request(ctx context.Context, caller client.Client, r AccessRequest) (Task, error)
	Task(ctx context.Context, caller client.Client, id string) (Task, error)
}

// An Obliger is a Decider whose permits may oblige callers that can do it to ask
// a person to prove anew who they are.
type Obliger interface{ Obliges() bool }

// RequestPath is where access requests are made; a task is one level below.
const RequestPath = "/access/v1/request"

func (e *Edge) requester() (Requester, bool) {
	r, ok := e.Decider.(Requester)
	return r, ok && r.TakesRequests()
}

// POST /access/v1/request
func (e *Edge) request(requester Requester) handler {
	return ofCapable(func(w http.ResponseWriter, r *http.Request) error {
		body, err := readBody(r)
		if err != nil {
			return err
		}
		asked, failure := readAccessRequest(body)
		if failure != nil {
			writeFailure(w, failure)
			return nil
		}
		task, err := requester.Request(r.Context(), *gate.Calling(r.Context()), asked)
		if err != nil {
			return err
		}
		w.Header().Set("Location", e.taskAddress(task.ID))
		return writeJSONAs(w, http.StatusAccepted, e.taskBody(task))
	})
}

var errNotCapable = fault.New(fault.Forbidden, "This caller cannot make access requests: it has not the capability access_request.")

// ofCapable lets through who has said that they understand access requests.
func ofCapable(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if !gate.Calling(r.Context()).Can(client.AccessRequests) {
			return errNotCapable
		}
		return h(w, r)
	}
}

// GET /access/v1/request/{task}
func (e *Edge) task(requester Requester) handler {
	return ofCapable(func(w http.ResponseWriter, r *http.Request) error {
		task, err := requester.Task(r.Context(), *gate.Calling(r.Context()), r.PathValue("task"))
		if err != nil {
			return err
		}
		return writeJSON(w, e.taskBody(task))
	})
}

// readAccessRequest reads an evaluation and the denial that it was answered with.
func readAccessRequest(members object) (AccessRequest, *Failure) {
	e, failure := evaluation(members)
	if failure != nil {
		return AccessRequest{}, failure
	}
	var r reader
	denial := r.required(members, "denial")
	a := AccessRequest{Evaluation: e, Binding: r.text(denial, "denial", "binding_token")}
	if _, given := denial["evaluation_id"]; given {
		a.EvaluationID = r.text(denial, "denial", "evaluation_id")
	}
	if r.wrong != "" {
		return AccessRequest{}, &Failure{http.StatusBadRequest, r.wrong}
	}
	return a, nil
}

type (
	taskBody struct {
		Task   taskHandle  `json:"task"`
		Result *taskResult `json:"result,omitempty"`
	}
	taskHandle struct {
		ID       string     `json:"id"`
		Status   TaskStatus `json:"status"`
		Endpoint string     `json:"status_endpoint"`
		Expires  string     `json:"expires_at,omitempty"`
	}
	taskResult struct {
		Mode     string       `json:"mode"`
		Approval taskApproval `json:"approval"`
	}
	taskApproval struct {
		ID    string `json:"id"`
		Until string `json:"approved_until,omitempty"`
	}
)

func (e *Edge) taskAddress(id string) string { return e.Origin + RequestPath + "/" + id }

// taskBody is a task as the protocol shows it. Where it is approved it says what
// to name in the context when the evaluation is asked again.
func (e *Edge) taskBody(t Task) taskBody {
	expires := ""
	if !t.Expires.IsZero() {
		expires = t.Expires.UTC().Format(time.RFC3339)
	}
	body := taskBody{Task: taskHandle{t.ID, t.Status, e.taskAddress(t.ID), expires}}
	if t.Status == TaskApproved {
		body.Result = &taskResult{"reevaluate", taskApproval{t.ID, expires}}
	}
	return body
}

// ErrNoTask is the answer to whoever follows what they never asked for.
var ErrNoTask = fault.New(fault.NotFound, "There is no access request of this caller with this id.")
