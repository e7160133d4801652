package api

import (
	"context"

	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/gate"
	"mandate/internal/pdp"
)

// ExplainRequest is a question to be answered with its proof.
type ExplainRequest struct {
	Payment
	At     string `json:"at,omitempty" maxLength:"1024" doc:"As it was at a time in the past, such as 2026-03-02T15:04:05Z, or when a revision was made: its token. Nothing may be done on such an answer."`
	Reader string `json:"reader,omitempty" enum:"admin,user" default:"admin" doc:"Who will read it: the person asked about learns less."`
}

// Explanation is a decision and how it came about.
type Explanation struct {
	Decision         bool     `json:"decision"`
	ApprovalRequired bool     `json:"approval_required" doc:"It may go once a second person has approved it."`
	Organization     string   `json:"organization,omitempty" doc:"The member's organization."`
	AsOf             string   `json:"as_of,omitempty" doc:"The moment in the past that was asked about, as it was asked."`
	Revision         string   `json:"revision" doc:"What the answer knows; hand it back to demand at least as much."`
	Reasons          []Reason `json:"reasons" doc:"Everything that blocks."`
	Levels           []Level  `json:"levels" doc:"Every level that the question touches, from the top."`
	Fixable          bool     `json:"fixable" doc:"Some change of settings would allow it."`
	Fix              []Step   `json:"fix" doc:"The smallest set of changes that would allow it."`
}

// Level is one level with every test that was made there.
type Level struct {
	Level  string  `json:"level"`
	OK     bool    `json:"ok" doc:"Nothing blocks here."`
	Checks []Check `json:"checks"`
}

// Check is one test.
type Check struct {
	OK         bool   `json:"ok"`
	Code       string `json:"code" doc:"What was tested: the code that it has where it blocks."`
	Permission string `json:"permission,omitempty"`
	Account    string `json:"account,omitempty"`
	Limit      string `json:"limit,omitempty"`
	Used       string `json:"used,omitempty"`
	Message    string `json:"message,omitempty" doc:"Why it blocks."`
}

// Step is one change of a fix.
type Step struct {
	Permission string  `json:"permission,omitempty" doc:"The setting to change."`
	Account    string  `json:"account,omitempty" doc:"The account on which."`
	Value      any     `json:"value,omitempty" doc:"What to set it to: true, a choice, or an amount, which is the least that helps."`
	Message    string  `json:"message" doc:"The change in a sentence."`
	By         []Place `json:"by" doc:"Who may make it, and where."`
}

// Place is who may make a change, and where they do it.
type Place struct {
	Who     string `json:"who"`
	Message string `json:"message"`
}

type explainInput struct {
	AtLeast string `header:"Mandate-Revision" maxLength:"1024" doc:"A revision that the answer must know."`
	Body    ExplainRequest
}

type explainOutput struct {
	Revision string `header:"Mandate-Revision" doc:"What the answer knows."`
	Body     Explanation
}

// POST /api/v1/explain
func (e *Edge) explain(ctx context.Context, in *explainInput) (*explainOutput, error) {
	q := in.Body.question()
	if err := may(ctx, catalog.ParseOperation(q.Operation)); err != nil {
		return nil, err
	}
	q.InWords = true
	if in.AtLeast != "" {
		revision, err := pdp.ParseRevision(in.AtLeast)
		if err != nil {
			var problems fault.Problems
			problems.Add("header.Mandate-Revision", "This is not a revision of this service.")
			return nil, problems.Err("The revision could not be read.")
		}
		q.AtLeast = []pdp.Revision{revision}
	}
	at, err := pastOf("body.at", in.Body.At)
	if err == nil && !at.IsZero() && in.AtLeast != "" {
		err = fault.New(fault.Invalid, "Ask about a moment in the past, or for an answer that is fresh enough, and not for both.")
	}
	if err != nil {
		return nil, err
	}
	explained, err := e.Decisions.ExplainAt(ctx, gate.ClientOf(ctx).Institution, q, at)
	if err != nil {
		return nil, err
	}
	if in.Body.Reader == "user" {
		forUser(&explained)
	} else if explained.Names.Member == "" {
		explained.Names.Member = in.Body.Member
	}
	shown := explanationOf(explained)
	shown.AsOf = in.Body.At
	return &explainOutput{explained.Revision.String(), shown}, nil
}

// forUser makes an explanation one that the person asked about may read. A hold
// is never shown to them: it looks like any other state in which they cannot
// act, and what would lift it is not theirs to know.
func forUser(e *pdp.Explained) {
	e.Names.Member = ""
	held := e.Has(entitlement.MemberHeld)
	e.Reasons = withoutHold(e.Reasons)
	for i := range e.Rungs {
		e.Rungs[i].Checks = checksWithoutHold(e.Rungs[i].Checks)
	}
	if held {
		e.Fix, e.Fixable = nil, false
	}
}

// notActive is how a hold reads.
var notActive = entitlement.Reason{Code: entitlement.MemberStatus, Level: entitlement.LevelUser, Permission: entitlement.NoPermission}

func withoutHold(reasons []entitlement.Reason) []entitlement.Reason {
	var shown []entitlement.Reason
	said := false
	for _, r := range reasons {
		if r.Code == entitlement.MemberHeld {
			r = notActive
		}
		if r == notActive && said {
			continue
		}
		said = said || r == notActive
		shown = append(shown, r)
	}
	return shown
}

// checksWithoutHold makes one test of status and hold: it blocks where either
// does.
func checksWithoutHold(checks []entitlement.Check) []entitlement.Check {
	var shown []entitlement.Check
	at := -1
	for _, c := range checks {
		if c.Code != entitlement.MemberHeld && c.Code != entitlement.MemberStatus {
			shown = append(shown, c)
			continue
		}
		if at < 0 {
			at = len(shown)
			shown = append(shown, entitlement.Check{Reason: notActive, OK: true})
		}
		shown[at].OK = shown[at].OK && c.OK
	}
	return shown
}

func explanationOf(e pdp.Explained) Explanation {
	shown := Explanation{
		Decision: e.Allowed, ApprovalRequired: e.ApprovalRequired, Organization: string(e.Organization), Revision: e.Revision.String(),
		Reasons: reasonsOf(e.Reasons, e.Names), Levels: []Level{}, Fixable: e.Fixable, Fix: []Step{},
	}
	for _, rung := range e.Rungs {
		shown.Levels = append(shown.Levels, levelOf(rung, e.Names))
	}
	for _, step := range e.Fix {
		shown.Fix = append(shown.Fix, stepOf(step, e.Names))
	}
	return shown
}

func levelOf(rung entitlement.Rung, names entitlement.Names) Level {
	level := Level{Level: rung.Level.String(), OK: rung.OK()}
	for _, c := range rung.Checks {
		r := reasonOf(c.Reason, names)
		if c.OK {
			r.Message = "" // nothing blocks
		}
		level.Checks = append(level.Checks, Check{c.OK, r.Code, r.Permission, r.Account, r.Limit, r.Used, r.Message})
	}
	return level
}

func stepOf(step entitlement.Step, names entitlement.Names) Step {
	shown := Step{Permission: step.Permission.String(), Account: string(step.Account), Message: step.Sentence(names), By: []Place{}}
	switch step.Value.Kind {
	case entitlement.SwitchValue:
		shown.Value = step.Value.On
	case entitlement.ChoiceValue:
		shown.Value = step.Value.Level.String()
	case entitlement.LimitValue:
		shown.Value = step.Value.Cents.String()
	}
	for _, place := range step.By {
		shown.By = append(shown.By, Place{place.String(), place.Sentence()})
	}
	return shown
}
