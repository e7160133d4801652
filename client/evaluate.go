package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// Evaluate asks one question.
func (c *Client) Evaluate(ctx context.Context, q Question) Decision {
	one, err := c.prepare(q)
	if err != nil {
		return refused(err)
	}
	var d Decision
	if c.gather != nil && !q.atMain() {
		d = c.gather.ask(ctx, one)
	} else {
		d = c.ask(ctx, []prepared{one})[0]
	}
	return c.oblige(ctx, q, d)
}

// EvaluateAll asks many questions and returns as many decisions, in their order:
// the first is about the first. Up to MaxBatch of them, of up to 1 MiB, travel in
// one request and are answered of one moment; more travel in several, one after
// the other. Questions that cannot be asked are refused by themselves.
func (c *Client) EvaluateAll(ctx context.Context, questions []Question) []Decision {
	decisions := make([]Decision, len(questions))
	var some parcel
	var places []int
	send := func() {
		for i, d := range c.ask(ctx, some.questions) {
			decisions[places[i]] = c.oblige(ctx, some.questions[i].Question, d)
		}
		some, places = parcel{}, places[:0]
	}
	for i, q := range questions {
		one, err := c.prepare(q)
		if err != nil {
			decisions[i] = refused(err)
			continue
		}
		if !some.holds(one, MaxBatch) {
			send()
		}
		some.add(one)
		places = append(places, i)
	}
	send()
	return decisions
}

// A parcel is the questions of one request.
type parcel struct {
	questions []prepared
	bytes     int
}

// holds reports whether a parcel of at most so many questions has room for one.
func (p *parcel) holds(q prepared, most int) bool {
	return len(p.questions) < most && p.bytes+len(q.body) <= maxQuestions
}

func (p *parcel) add(q prepared) {
	p.questions = append(p.questions, q)
	p.bytes += len(q.body) + len(",")
}

// A prepared question is as it travels: what its context holds is looked at no
// more, so that whoever gives up waiting may go on using it.
type prepared struct {
	Question
	demanded string // the revision that the answer must know
	body     json.RawMessage
}

func (c *Client) prepare(q Question) (p prepared, err error) {
	if err := q.check(); err != nil {
		return p, err
	}
	p.Question = q
	if p.demanded, err = c.demanded(q); err != nil {
		return p, err
	}
	if p.body, err = encode(q.body(p.demanded)); err == nil && len(p.body) > maxQuestions {
		err = ErrTooLong
	}
	return p, err
}

func allRefused(n int, err error) []Decision {
	decisions := make([]Decision, n)
	for i := range decisions {
		decisions[i] = refused(err)
	}
	return decisions
}

// Bounds of a request, in bytes: the server's, and how much of it is questions.
const (
	maxRequest   = 1 << 20
	maxQuestions = maxRequest - 64
)

// maxHalves is how many requests are made in place of one that cannot be read:
// enough to find three or four questions among MaxBatch.
const maxHalves = 64

// ask sends questions in one request, and returns a decision for each. Where the
// server cannot read it, one of them may be to blame for all: they are asked
// again in halves.
func (c *Client) ask(ctx context.Context, questions []prepared) []Decision {
	if len(questions) == 0 {
		return nil
	}
	halves := maxHalves
	return c.askIn(ctx, questions, &halves)
}

func (c *Client) askIn(ctx context.Context, questions []prepared, halves *int) []Decision {
	r := call{path: "/access/v1/evaluation", body: questions[0].body, copies: c.order()}
	if slices.ContainsFunc(questions, func(q prepared) bool { return q.atMain() }) {
		r.copies = []*copyOf{c.main}
	}
	if len(questions) > 1 {
		bodies := make([]json.RawMessage, len(questions))
		for i, q := range questions {
			bodies[i] = q.body
		}
		r.path = "/access/v1/evaluations"
		var err error
		if r.body, err = encode(map[string]any{"evaluations": bodies}); err != nil {
			return allRefused(len(questions), err)
		}
	}
	var decisions []Decision
	r.read = func(a *answer) error {
		read, err := c.readDecisions(a, questions)
		decisions = read
		return err
	}
	err := c.do(ctx, r)
	if p, ok := errors.AsType[*Problem](err); ok && p.Status == http.StatusBadRequest && len(questions) > 1 && *halves >= 2 {
		*halves -= 2
		half := len(questions) / 2
		return append(c.askIn(ctx, questions[:half], halves), c.askIn(ctx, questions[half:], halves)...)
	}
	if err != nil {
		return allRefused(len(questions), err)
	}
	return decisions
}

// readDecisions reads an answer whole. Whatever is not what it must be makes it
// no answer to any of the questions.
func (c *Client) readDecisions(a *answer, questions []prepared) ([]Decision, error) {
	decisions, err := parseDecisions(a.body, len(questions), len(questions) > 1)
	if err != nil {
		return nil, unreadable(err)
	}
	token := a.header.Get("Mandate-Revision")
	members := make([]string, len(questions))
	for i, q := range questions {
		members[i] = q.Member
	}
	if err := c.told(token, members...); err != nil {
		return nil, unreadable(err)
	}
	for i := range decisions {
		d := &decisions[i]
		if d.Revision == "" {
			d.Revision = token
		} else if err := c.told(d.Revision, questions[i].Member); err != nil {
			return nil, unreadable(err)
		}
		notKnown := slices.ContainsFunc(d.Reasons, stale)
		if d.Err == nil && (notKnown || questions[i].demanded != "" && behind(d.Revision, questions[i].demanded)) {
			if len(decisions) == 1 {
				return nil, ErrStale
			}
			*d = refused(ErrStale)
		}
	}
	return decisions, nil
}

// stale reports whether a reason is that the answer does not know enough.
func stale(r Reason) bool { return r.Code == "REVISION_NOT_REACHED" }

// unreadable is why an answer is none; one that is only too old stays that.
func unreadable(err error) error {
	if errors.Is(err, ErrStale) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnreadable, err)
}

// parseDecisions reads the body of an answer to n questions.
func parseDecisions(body []byte, n int, batch bool) ([]Decision, error) {
	o, err := readObject(body)
	if err != nil {
		return nil, err
	}
	if !batch {
		d, err := parseDecision(o)
		return []Decision{d}, err
	}
	t := taker{of: o}
	items := t.objects("evaluations")
	if t.wrong != nil || len(items) != n {
		return nil, fmt.Errorf("it holds %d decisions for %d questions", len(items), n)
	}
	decisions := make([]Decision, n)
	for i, item := range items {
		if decisions[i], err = parseDecision(item); err != nil {
			return nil, err
		}
	}
	return decisions, nil
}

// parseDecision reads one decision. An item that could not be judged is refused
// with the reason that the server gave.
func parseDecision(o object) (Decision, error) {
	t := taker{of: o}
	d := Decision{Allowed: t.yes("decision")}
	said := t.object("context")
	if t.wrong != nil {
		return Decision{}, t.wrong
	}
	if _, failed := said["error"]; failed {
		return refused(itemProblem(said)), nil
	}
	m := taker{of: said}
	d.Revision, d.Reasons = m.text("revision"), parseReasons(&m)
	for _, one := range m.objects("obligations") {
		p := taker{of: one}
		d.Obligations = append(d.Obligations, Obligation{p.text("id"), p.text("type"), p.object("properties")})
		if p.wrong != nil {
			return Decision{}, p.wrong
		}
	}
	if request := m.object("access_request"); request != nil {
		p := taker{of: request}
		d.AccessRequest = &AccessRequest{p.text("endpoint"), m.text("evaluation_id"), request}
		if p.wrong != nil {
			return Decision{}, p.wrong
		}
	}
	return d, m.wrong
}

func itemProblem(said object) error {
	p := &Problem{Message: "The question could not be judged."}
	if o, ok := said["error"].(object); ok {
		t := taker{of: o}
		if text := t.text("message"); text != "" {
			p.Message = text
		}
		if n, ok := o["status"].(interface{ Int64() (int64, error) }); ok {
			status, _ := n.Int64() // zero where it is none
			p.Status = int(status)
		}
	}
	return p
}

func parseReasons(m *taker) []Reason {
	var reasons []Reason
	for _, one := range m.objects("reasons") {
		r := taker{of: one}
		reasons = append(reasons, Reason{
			r.text("code"), r.text("level"), r.text("permission"), r.text("account"), r.text("limit"), r.text("used"), r.text("message"),
		})
		if r.wrong != nil && m.wrong == nil {
			m.wrong = r.wrong
		}
	}
	return reasons
}

// A Handler carries out an obligation, such as asking for a second factor. Its
// error makes the decision a refusal.
type Handler func(ctx context.Context, q Question, o Obligation) error

// ErrObligation says that a yes came with an obligation that was not carried out.
var ErrObligation = errors.New("mandate: an obligation was not carried out")

// oblige carries out what a yes asks for. A yes stays one only when all of it
// was.
func (c *Client) oblige(ctx context.Context, q Question, d Decision) Decision {
	if !d.Allowed {
		return d
	}
	if d.Err != nil {
		return refused(d.Err)
	}
	for _, o := range d.Obligations {
		if c.handlers[o.Type] == nil { // before any is carried out
			return refused(fmt.Errorf("%w: nobody here carries out %q", ErrObligation, o.Type))
		}
	}
	for _, o := range d.Obligations {
		if err := c.handlers[o.Type](ctx, q, o); err != nil {
			return refused(fmt.Errorf("%w: %w", ErrObligation, err))
		}
	}
	return d
}
