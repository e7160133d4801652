package client

import (
	"context"
	"encoding/json"
)

// An Explanation is a decision with its proof: every level with every test, and
// the smallest set of changes that would turn a refusal around.
type Explanation struct {
	Decision         bool     `json:"decision"`
	ApprovalRequired bool     `json:"approval_required"`
	Organization     string   `json:"organization"`
	Revision         string   `json:"revision"`
	Reasons          []Reason `json:"reasons"`
	Levels           []Level  `json:"levels"`
	Fixable          bool     `json:"fixable"`
	Fix              []Step   `json:"fix"`
}

// A Level is one level with its tests, from the institution down.
type Level struct {
	Level  string  `json:"level"`
	OK     bool    `json:"ok"`
	Checks []Check `json:"checks"`
}

// A Check is one test of a level.
type Check struct {
	OK         bool   `json:"ok"`
	Code       string `json:"code"`
	Permission string `json:"permission"`
	Account    string `json:"account"`
	Limit      string `json:"limit"`
	Used       string `json:"used"`
	Message    string `json:"message"`
}

// A Step is one change of a fix.
type Step struct {
	Permission string  `json:"permission"`
	Account    string  `json:"account"`
	Value      any     `json:"value"` // true, a choice, or an amount as text
	Message    string  `json:"message"`
	By         []Place `json:"by"`
}

// A Place is who may make a change, and where.
type Place struct {
	Who     string `json:"who"`
	Message string `json:"message"`
}

// Explain asks why. It is for people who look into something and not for the way
// of a payment: for that, ask Evaluate. It goes to the first address; Approval and
// Requestable do not matter to it. Where what is demanded is not known there, it
// is a no with the reason REVISION_NOT_REACHED.
func (c *Client) Explain(ctx context.Context, q Question) (Explanation, error) {
	if q.Member == "" || q.Operation == "" {
		return Explanation{}, ErrQuestion
	}
	if err := q.checkDetails(); err != nil {
		return Explanation{}, err
	}
	demanded, err := c.demanded(q)
	if err != nil {
		return Explanation{}, err
	}
	body := paymentOf(q)
	if q.Explain != Nobody {
		body["reader"] = string(q.Explain)
	}
	r := call{path: "/api/v1/explain", copies: []*copyOf{c.main}, headers: map[string]string{}}
	if demanded != "" {
		r.headers["Mandate-Revision"] = demanded
	}
	if r.body, err = encode(body); err != nil {
		return Explanation{}, err
	}
	var e Explanation
	r.read = func(a *answer) error {
		if e, err = parseExplanation(a.body); err == nil {
			err = c.told(e.Revision, q.Member)
		}
		if err != nil {
			return unreadable(err)
		}
		return nil
	}
	if err := c.do(ctx, r); err != nil {
		return Explanation{}, err
	}
	return e, nil
}

func parseExplanation(body []byte) (e Explanation, err error) {
	o, err := readObject(body)
	if err != nil {
		return e, err
	}
	t := taker{of: o}
	allowed, waits := t.yes("decision"), t.yes("approval_required")
	if t.wrong != nil {
		return e, t.wrong
	}
	err = json.Unmarshal(body, &e)
	e.Decision, e.ApprovalRequired = allowed, waits // their names are exact
	return e, err
}
