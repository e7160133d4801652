package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/ijson"
)

// A Problem is why a request was refused (RFC 9457).
type Problem struct {
	Type   string         `json:"type" doc:"Always about:blank: the code says which problem it is."`
	Title  string         `json:"title" doc:"What the status means."`
	Status int            `json:"status" doc:"The HTTP status."`
	Detail string         `json:"detail,omitempty" doc:"What is wrong, in a sentence."`
	Code   string         `json:"code,omitempty" doc:"A stable name of the problem, for programs."`
	Errors []ProblemField `json:"errors,omitempty" doc:"Everything that is wrong with the request, at once."`

	Reasons []RefusalReason `json:"reasons,omitempty" doc:"Everything that blocks, where the person may not do this."`
}

// A RefusalReason is one thing that blocks, with what is left of a limit, and
// who can change it.
type RefusalReason struct {
	Reason
	Remaining string  `json:"remaining,omitempty" doc:"What is left of a limit."`
	ChangedBy []Place `json:"changed_by,omitempty" doc:"Who can change it, and where; absent where nobody can."`
}

// A ProblemField is one thing that is wrong with a request.
type ProblemField struct {
	Field  string `json:"field,omitempty" doc:"Where it is, such as body.amount."`
	Detail string `json:"detail" doc:"What is wrong, and what would be right."`
}

func (p *Problem) Error() string  { return p.Detail }
func (p *Problem) GetStatus() int { return p.Status }

// ContentType makes the library send problems as what they are.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// newProblem is how the library makes a problem. It leaves out the values that
// were sent: they may be secrets.
func newProblem(status int, message string, errs ...error) huma.StatusError {
	p := &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: message}
	for _, err := range errs {
		if detail, ok := errors.AsType[*huma.ErrorDetail](err); ok {
			p.Errors = append(p.Errors, ProblemField{detail.Location, detail.Message})
		}
	}
	return p
}

// judge turns an error of a verb into a problem.
func (e *Edge) judge(ctx context.Context, err error) error {
	status, headers, f := e.Gate.Judge(ctx, err)
	p := problemOf(status, f)
	p.explain(err)
	if len(headers) == 0 {
		return p
	}
	h := http.Header{}
	for name, value := range headers {
		h.Set(name, value)
	}
	return huma.ErrorWithHeaders(p, h)
}

// problemOf says a fault. Input that could be read and is wrong is
// unprocessable; what could not be read is the library's to refuse.
func problemOf(status int, f *fault.Error) *Problem {
	if status == http.StatusBadRequest {
		status = http.StatusUnprocessableEntity
	}
	p := &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: f.Sentence, Code: f.Code}
	for _, problem := range f.Problems {
		p.Errors = append(p.Errors, ProblemField{problem.Field, problem.Sentence})
	}
	return p
}

// explain adds why the person may not do it, where the engine said so. It is
// said to the person, so a hold looks like any other state.
func (p *Problem) explain(err error) {
	refused, ok := errors.AsType[interface {
		error
		Why() entitlement.Explanation
	}](err)
	if !ok {
		return
	}
	why := refused.Why()
	for _, r := range withoutHold(why.Reasons) {
		shown := RefusalReason{Reason: authorizationReasons([]entitlement.Reason{r}, entitlement.Names{})[0]}
		if shown.Limit != "" {
			shown.Remaining = max(0, r.Limit-r.Used).String()
		}
		for _, step := range why.Fix {
			if step.Permission == r.Permission && step.Account == r.Account && step.Permission != entitlement.NoPermission {
				shown.ChangedBy = stepOf(step, entitlement.Names{}).By
			}
		}
		p.Reasons = append(p.Reasons, shown)
	}
	p.Code = p.Reasons[0].Code
}

// refuse writes what the gate refuses.
func refuse(w http.ResponseWriter, _ *http.Request, status int, err *fault.Error) {
	writeProblem(w, status, err)
}

func writeProblem(w http.ResponseWriter, status int, f *fault.Error) {
	p := problemOf(status, f)
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = strictJSON.Marshal(w, p) // the caller is gone; nothing is left to tell it
}

// Bounds of a request's JSON.
const (
	maxDepth  = 16
	maxValues = 10_000
)

// strictJSON reads JSON whose meaning nobody can disagree about.
var strictJSON = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(v)
	},
	Unmarshal: func(data []byte, v any) error {
		parsed, err := ijson.Parse(data, ijson.Limits{Depth: maxDepth, Values: maxValues, Exact: true})
		if err != nil {
			return fmt.Errorf("this is not the JSON it must be: %w", err)
		}
		if place, ok := v.(*any); ok {
			*place = parsed
			return nil
		}
		decoder := json.NewDecoder(bytes.NewReader(data))
		if err := decoder.Decode(v); err != nil {
			return errors.New("this is not what the description asks for") // the library's words repeat what was sent
		}
		return nil
	},
}
