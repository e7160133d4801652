package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// A TaskStatus is where an access request stands.
type TaskStatus string

const (
	TaskPending   TaskStatus = "pending"
	TaskApproved  TaskStatus = "approved"
	TaskDenied    TaskStatus = "denied"
	TaskExpired   TaskStatus = "expired"
	TaskCancelled TaskStatus = "cancelled"
)

var taskStatuses = map[TaskStatus]bool{TaskPending: true, TaskApproved: true, TaskDenied: true, TaskExpired: true, TaskCancelled: true}

// A Task is an access request that was made: a payment that waits for a second
// person, under ID as its reference. It allows nothing by itself, approved or
// not. Once it is approved, the question asked again with Approval set to its ID
// says whether the payment may go at that moment, and Confirm lets it go.
type Task struct {
	ID      string
	Status  TaskStatus // empty where nothing is known of it
	Expires time.Time  // when it ends by itself; zero where the server does not say

	// Err says why there is no answer, or why Await stopped before the task was
	// decided; Status is then the last that was heard, if any.
	Err error
}

// Approved reports whether a second person has agreed. A Task with an Err never
// is.
func (t Task) Approved() bool { return t.Err == nil && t.Status == TaskApproved }

// decided reports whether the status stays as it is, but for a payment that is
// cancelled or expires after its approval.
func (t Task) decided() bool { return t.Status != "" && t.Status != TaskPending }

// Errors of access requests.
var (
	ErrNotRequestable = errors.New("mandate: nobody can be asked to turn this refusal around: it offers no access request (ask with Requestable)")
	ErrTask           = errors.New("mandate: an access request has an id, as Request returned it")
	ErrNotCancelled   = errors.New("mandate: it cannot be cancelled")
)

// Request asks for the second person that a refusal lacks, by the access request
// that its Decision offers, for the very question that was refused. The refusal
// names the request: made again for the same Decision, by the client itself or by
// the program after a failure, it is the same task and counts once. A refusal of
// a new evaluation is a new request. A server takes requests for as long after
// the refusal as its expires_at says (AccessRequest.Members), 15 minutes.
//
// The task may be denied at once, with no Err: where the payment may not go any
// more, with a second person or without.
//
// It goes to the first address, whatever the refusal says about where requests
// are made: a key does not go elsewhere.
func (c *Client) Request(ctx context.Context, q Question, d Decision) Task {
	if d.Allowed || d.Err != nil || d.AccessRequest == nil {
		return Task{Err: ErrNotRequestable}
	}
	id := d.AccessRequest.EvaluationID
	token, _ := d.AccessRequest.Members["binding_token"].(string)
	if !oneName(id) || token == "" {
		return Task{Err: ErrNotRequestable}
	}
	if err := q.check(); err != nil {
		return Task{ID: id, Err: err}
	}
	q.Explain, q.Approval = Nobody, "" // they are no part of the payment
	body, err := encode(struct {
		questionBody
		Denial map[string]string `json:"denial"`
	}{q.body(""), map[string]string{"evaluation_id": id, "binding_token": token}})
	if err != nil {
		return Task{ID: id, Err: err}
	}
	return c.task(ctx, id, call{path: requestPath, body: body, status: http.StatusAccepted})
}

// Task is where an access request stands now.
func (c *Client) Task(ctx context.Context, id string) Task {
	if !oneName(id) {
		return Task{ID: id, Err: ErrTask}
	}
	return c.task(ctx, id, call{method: http.MethodGet, path: requestPath + "/" + url.PathEscape(id)})
}

// Await asks where an access request stands until somebody has decided it, it
// has ended otherwise, or the context has: give it one that ends, or it waits as
// long as the server lets the payment wait, which is days. It asks less and less
// often (see WithPolling), as late as the server says by Retry-After, and goes on
// when the server cannot be reached for a while. Where the context ended, Err
// says so, and why nobody could be asked at last where that is so. It does not
// begin to wait for a look that the context would not let it have.
func (c *Client) Await(ctx context.Context, id string) Task {
	last := Task{ID: id}
	if !oneName(id) {
		last.Err = ErrTask
		return last
	}
	var failure error // of the last look
	for try := 0; ; try++ {
		now := c.Task(ctx, id)
		switch {
		case now.Err == nil:
			last, failure = now, nil
		case ctx.Err() == nil: // otherwise it is told anyway
			failure = now.Err
		}
		if last.decided() || now.Err != nil && !again(now.Err) {
			last.Err = now.Err
			return last
		}
		pause := between(c.poll, c.polls, try)
		if end, ok := ctx.Deadline(); ok { // a last look is worth more than a long pause
			pause = min(pause, max(c.poll, time.Until(end)/2))
		}
		if p, ok := errors.AsType[*Problem](now.Err); ok {
			pause = max(pause, p.RetryAfter)
		}
		if !sleep(ctx, pause) {
			last.Err = fmt.Errorf("mandate: nobody has decided it yet: %w", ended(ctx))
			if failure != nil { // or nobody could be asked
				last.Err = fmt.Errorf("%w (%w)", last.Err, failure)
			}
			return last
		}
	}
}

// Cancel gives an access request up, approved or not, with the amount that it
// counts. One whose payment was confirmed cannot be: Err is ErrNotCancelled then.
// After any other Err it may be cancelled all the same: cancel it again. key is as
// in Authorize.
func (c *Client) Cancel(ctx context.Context, id, key string) Task {
	if !oneName(id) {
		return Task{ID: id, Err: ErrTask}
	}
	switch a := c.Void(ctx, id, key); {
	case a.Err != nil:
		return Task{ID: id, Err: a.Err}
	case !a.Allowed:
		return Task{ID: id, Err: fmt.Errorf("%w: %s", ErrNotCancelled, messages(a.Reasons))}
	}
	return c.Task(ctx, id)
}

const requestPath = "/access/v1/request"

// task makes one call about an access request, at the first address only.
func (c *Client) task(ctx context.Context, id string, r call) Task {
	var t Task
	r.copies = []*copyOf{c.main}
	r.read = func(got *answer) (err error) {
		if t, err = parseTask(got.body); err == nil && t.ID != id {
			err = errors.New("it is about another access request")
		}
		if err != nil {
			return unreadable(err)
		}
		return nil
	}
	if err := c.do(ctx, r); err != nil {
		return Task{ID: id, Err: err}
	}
	return t
}

func parseTask(body []byte) (Task, error) {
	o, err := readObject(body)
	if err != nil {
		return Task{}, err
	}
	all := taker{of: o}
	m := taker{of: all.object("task")}
	t := Task{ID: m.text("id"), Status: TaskStatus(m.text("status"))}
	if text := m.text("expires_at"); text != "" {
		if t.Expires, err = time.Parse(time.RFC3339, text); err != nil {
			m.fail("expires_at", "a time")
		}
	}
	if !taskStatuses[t.Status] {
		m.fail("status", "one that this client knows")
	}
	if err := errors.Join(all.wrong, m.wrong); err != nil {
		return Task{}, err
	}
	return t, nil
}

// between is the pause after a try: doubling from first up to most, and spread
// over its second half, so that callers that began together do not stay so.
func between(first, most time.Duration, try int) time.Duration {
	pause := first
	for ; try > 0 && pause < most; try-- {
		pause += min(pause, most-pause)
	}
	return pause/2 + jitter(pause/2)
}

// ended is why a context ends, also where it is about to.
func ended(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return context.DeadlineExceeded
}

func messages(reasons []Reason) string {
	text := ""
	for i, r := range reasons {
		if i > 0 {
			text += " "
		}
		text += r.Message
	}
	return text
}
