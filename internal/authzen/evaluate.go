package authzen

import (
	"net/http"

	"mandate/internal/fault"
	"mandate/internal/gate"
)

// revisionHeader is how revisions travel beside the protocol.
const revisionHeader = "Mandate-Revision"

// POST /access/v1/evaluation
func (e *Edge) evaluation(w http.ResponseWriter, r *http.Request) error {
	h := hotPool.Get().(*hot)
	defer h.done()
	if err := h.read(r); err != nil {
		return err
	}
	if e.quick != nil && h.asked.Evaluation(h.text) {
		if done, err := e.answerQuickly(h, r); done || err != nil {
			if err == nil {
				h.writeSingle(w)
			}
			return err
		}
	}
	body, err := decode(h.body)
	if err != nil {
		return err
	}
	return e.single(w, r, body)
}

func (e *Edge) single(w http.ResponseWriter, r *http.Request, body object) error {
	asked, failure := evaluation(body)
	if failure != nil {
		writeFailure(w, failure)
		return nil
	}
	answers, err := e.ask(r, []Evaluation{asked})
	if err != nil {
		return err
	}
	if d := answers.Decisions[0]; d.Failure != nil {
		writeFailure(w, d.Failure)
		return nil
	}
	setRevision(w, answers.Revision)
	return writeJSON(w, bodyOf(answers.Decisions[0]))
}

// ask has evaluations answered when it is the caller's turn.
func (e *Edge) ask(r *http.Request, asked []Evaluation) (Answers, error) {
	c := gate.Calling(r.Context())
	if err := e.Gate.Turns().Enter(r.Context(), c, len(asked)); err != nil {
		return Answers{}, err
	}
	defer e.Gate.Turns().Leave(c)
	return e.Decider.Evaluate(r.Context(), *c, Questions{asked, r.Header.Get(revisionHeader)})
}

func setRevision(w http.ResponseWriter, revision string) {
	if revision != "" {
		w.Header().Set(revisionHeader, revision)
	}
}

// POST /access/v1/evaluations
func (e *Edge) evaluations(w http.ResponseWriter, r *http.Request) error {
	h := hotPool.Get().(*hot)
	defer h.done()
	if err := h.read(r); err != nil {
		return err
	}
	taken := 0
	if e.quick != nil && h.asked.Batch(h.text, MaxEvaluations) && h.ends() {
		taken = len(h.asked.Evaluations) - 1
		if err := e.Gate.Take(gate.Calling(r.Context()), taken); err != nil {
			return err
		}
		if done, err := e.answerQuickly(h, r); done || err != nil {
			if err == nil {
				h.writeBatch(w)
			}
			return err
		}
	}
	body, err := decode(h.body)
	if err != nil {
		return err
	}
	return e.batch(w, r, body, taken)
}

// batch answers any batch, of which the gate has let some evaluations through
// already.
func (e *Edge) batch(w http.ResponseWriter, r *http.Request, body object, taken int) error {
	value, given := body["evaluations"]
	items, ok := value.([]any)
	switch {
	case given && !ok:
		return fault.New(fault.Invalid, "The member evaluations must be an array.")
	case len(items) == 0:
		return e.single(w, r, body) // as if the other endpoint had been asked
	}
	batch, err := readBatch(body, items)
	if err != nil {
		return err
	}
	if err := e.Gate.Take(gate.Calling(r.Context()), len(items)-1-taken); err != nil {
		return err
	}
	decisions, revision, err := e.decide(r, batch)
	if err != nil {
		return err
	}
	setRevision(w, revision)
	return writeJSON(w, struct {
		Evaluations []decisionBody `json:"evaluations"`
	}{decisions})
}

// A batch is what one request asks: evaluations that can be judged, and what
// is wrong with those that cannot.
type batch struct {
	semantic semantic
	asked    []Evaluation // those without a failure
	failures []*Failure   // one per item; nil where the item is next in asked
}

// A semantic says where a batch ends.
type semantic string

const (
	executeAll          semantic = "execute_all"
	denyOnFirstDeny     semantic = "deny_on_first_deny"
	permitOnFirstPermit semantic = "permit_on_first_permit"
)

// ends reports whether a batch goes no further after a decision.
func (s semantic) ends(d Decision) bool {
	return s == denyOnFirstDeny && !d.allows() || s == permitOnFirstPermit && d.allows()
}

func readBatch(body object, items []any) (batch, error) {
	if len(items) > MaxEvaluations {
		return batch{}, fault.Newf(fault.Invalid, "A request may hold at most %d evaluations.", MaxEvaluations)
	}
	var b batch
	var err error
	if b.semantic, err = readSemantic(body); err != nil {
		return batch{}, err
	}
	for _, item := range items {
		members, ok := item.(object)
		if !ok {
			return batch{}, fault.New(fault.Invalid, "Each of the evaluations must be an object.")
		}
		asked, failure := evaluation(withDefaults(members, body))
		if failure == nil {
			b.asked = append(b.asked, asked)
		}
		b.failures = append(b.failures, failure)
	}
	return b, nil
}

// readSemantic reads the option that says where the batch ends. Other options
// are ignored; a value of this one that is not understood is not, because the
// caller would take the answer for what it is not.
func readSemantic(body object) (semantic, error) {
	value, given := body["options"]
	options, ok := value.(object)
	if given && !ok {
		return "", fault.New(fault.Invalid, "The member options must be an object.")
	}
	value, given = options["evaluations_semantic"]
	if !given {
		return executeAll, nil
	}
	name, _ := value.(string)
	switch s := semantic(name); s {
	case executeAll, denyOnFirstDeny, permitOnFirstPermit:
		return s, nil
	}
	return "", fault.Newf(fault.Invalid, "options.evaluations_semantic must be %q, %q or %q.", executeAll, denyOnFirstDeny, permitOnFirstPermit)
}

// decide answers a batch up to where its semantic ends it. All of it is asked
// at once, of one moment; what lies behind the end is left out.
func (e *Edge) decide(r *http.Request, b batch) ([]decisionBody, string, error) {
	var answers Answers
	if len(b.asked) > 0 {
		var err error
		if answers, err = e.ask(r, b.asked); err != nil {
			return nil, "", err
		}
	}
	bodies := make([]decisionBody, 0, len(b.failures))
	for _, failure := range b.failures {
		d := Decision{Failure: failure}
		if failure == nil {
			d, answers.Decisions = answers.Decisions[0], answers.Decisions[1:]
		}
		bodies = append(bodies, bodyOf(d))
		if b.semantic.ends(d) {
			break
		}
	}
	return bodies, answers.Revision, nil
}
