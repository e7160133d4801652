package reference

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// RandomSteps makes steps for a world at random, without expectations. It
// plays them on a runner of its own as it goes, so that amounts meet limits
// exactly, references are in every state, and dates lie around today.
func RandomSteps(rng *rand.Rand, w World) []Step {
	r, err := NewRunner(w)
	if err != nil {
		panic(fmt.Sprintf("reference: steps for a world that does not load: %v", err))
	}
	p := player{dice{rng}, r}
	var out []Step
	play := func(s Step) {
		if _, err := r.Do(s); err != nil {
			panic(fmt.Sprintf("reference: a random step makes no sense: %v", err))
		}
		out = append(out, s)
	}
	for most := 15 + p.IntN(20); len(out) < most; {
		if !p.chance(12) {
			play(p.step())
			continue
		}
		for _, step := range p.anyStory() {
			play(step())
		}
	}
	return out
}

// RandomVector makes a whole vector: a world, steps, and what this package
// expects of them.
func RandomVector(rng *rand.Rand, name string) Vector {
	w := RandomWorld(rng)
	v, err := Expect(Vector{Name: name, Source: "random", World: w, Steps: RandomSteps(rng, w)})
	if err != nil {
		panic(fmt.Sprintf("reference: %v", err))
	}
	return v
}

// Expect fills in what this package expects of every step that answers.
func Expect(v Vector) (Vector, error) {
	r, err := NewRunner(v.World)
	if err != nil {
		return Vector{}, err
	}
	steps := slices.Clone(v.Steps)
	for i := range steps {
		got, err := r.Do(steps[i])
		if err != nil {
			return Vector{}, fmt.Errorf("step %d: %w", i+1, err)
		}
		if steps[i].Expect = nil; len(got.shape()) > 0 {
			steps[i].Expect = &got
		}
	}
	v.Steps = steps
	return v, nil
}

// A player draws steps with the runner's state in view.
type player struct {
	dice
	r *Runner
}

func (p player) step() Step {
	if len(p.r.ledger) == 0 && p.chance(40) {
		return Step{Authorize: p.authorization()}
	}
	switch n := p.IntN(100); {
	case n < 30:
		q := p.decision()
		return Step{Decide: &q}
	case n < 52:
		return Step{Authorize: p.authorization()}
	case n < 62:
		if len(p.waiting()) == 0 && p.chance(70) {
			return Step{Authorize: &Authorization{Ref: p.newRef(), Request: p.sought(p.wire, approval)}}
		}
		return Step{Approve: p.approval()}
	case n < 70:
		return Step{Confirm: &Reference{p.confirmable()}}
	case n < 74:
		return Step{Void: &Reference{p.ref(10)}}
	case n < 90:
		return Step{Edit: p.edit()}
	case n < 92:
		return Step{Organization: p.organization()}
	case n < 96:
		return Step{Member: p.memberChange()}
	}
	return Step{Advance: p.time()}
}

// decision is a request, in two of five cases one that is allowed if there is
// any to be found.
func (p player) decision() Request {
	if p.chance(60) {
		return p.request()
	}
	return p.sought(p.request, allowed)
}

// sought draws until a request comes out as wanted, but not for long.
func (p player) sought(draw func() Request, wanted func(verdict) bool) Request {
	q := draw()
	for range 12 {
		if wanted(p.r.judge(q, "")) {
			break
		}
		q = draw()
	}
	return q
}

func (p player) request() Request {
	q := Request{Member: p.someone(), Operation: p.operation()}
	op := operations[q.Operation]
	q.Account, q.ToAccount = p.accounts(op, p.r.member(q.Member))
	q.Context = p.context(op)
	if asksForAmount(op) || p.chance(5) {
		q.Amount = p.amount(q)
	}
	return q
}

// someone is a member, one who can act more often than not.
func (p player) someone() string {
	if p.chance(2) {
		return "nobody"
	}
	m := pick(p.dice, p.r.members...)
	if m.status != "active" || m.held {
		m = pick(p.dice, p.r.members...)
	}
	return m.id
}

func (p player) operation() string {
	switch n := p.IntN(100); {
	case n < 2:
		return pick(p.dice, "ach.batch.fly", "", "wires.enabled")
	case n < 32:
		return "wires.transmit"
	case n < 48:
		return "ach.batch.initiate"
	case n < 56:
		return "transfers.create"
	case n < 62:
		return pick(p.dice, "wires.approve", "ach.batch.approve")
	}
	return pick(p.dice, operationList...).ID
}

// accounts are most often ones that the member has access to.
func (p player) accounts(op operation, m *member) (from, to string) {
	switch op.Account {
	case "required":
		return p.account(m, 4), p.rarely("", p.account(m, 4))
	case "pair":
		if p.chance(2) {
			same := pick(p.dice, "", "foreign", "elsewhere")
			return same, same
		}
		from, to = p.account(m, 4), p.account(m, 4)
		if from == to && p.chance(80) && len(p.r.world.Accounts) > 1 {
			at := slices.Index(p.r.world.Accounts, from)
			to = p.r.world.Accounts[(at+1)%len(p.r.world.Accounts)]
		}
		return from, to
	case "optional":
		if p.chance(60) {
			return p.account(m, 0), ""
		}
		return "", ""
	}
	return p.rarely("", p.account(m, 0)), ""
}

// rarely is the usual value nine times out of ten.
func (p player) rarely(usual, seldom string) string {
	if p.chance(90) {
		return usual
	}
	return seldom
}

func (p player) account(m *member, percentMissing int) string {
	switch {
	case p.chance(percentMissing):
		return ""
	case p.chance(4):
		return pick(p.dice, "foreign", "elsewhere")
	}
	account := pick(p.dice, p.r.world.Accounts...)
	if m != nil && !m.accounts[account].on("account.access") {
		account = pick(p.dice, p.r.world.Accounts...)
	}
	return account
}

// context gives keys that the operation knows, some of the wrong type, some
// that it does not know at all.
func (p player) context(op operation) map[string]any {
	c := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(op.Context)) {
		if p.chance(30) {
			c[key] = p.chance(55)
		}
	}
	if _, knows := op.Context["debits"]; knows && p.chance(30) {
		c["debits"] = false
	}
	if asksForSecondPerson(op) && p.chance(60) {
		c["last_editor"] = p.chance(25)
	}
	if hasDate(op) && p.chance(35) {
		c["effective_date"] = p.date()
	}
	if op.ID == "ach.batch.edit" && p.chance(60) {
		c["fields"] = pick(p.dice, "entry", "entry", "all")
	}
	if len(op.Context) > 0 && p.chance(4) {
		known := slices.Sorted(maps.Keys(op.Context))
		c[pick(p.dice, known...)] = pick[any](p.dice, nil, "true", "", 1.0, []any{})
	}
	if p.chance(4) {
		key := pick(p.dice, "restricted", "recurring", "same_day", "debits", "last_editor", "effective_date", "fields", "memo")
		c[key] = pick[any](p.dice, nil, "true", true, 1.0, "", "entry", "2026-02-30", []any{true}, map[string]any{"a": 1.0})
	}
	if len(c) == 0 && p.chance(70) {
		return nil
	}
	return c
}

// date lies around today, or is none.
func (p player) date() string {
	if p.chance(10) {
		return pick(p.dice, "", "today", "2026-02-30", "2027-02-29", "2026-3-9", "20260309", "2026-03-09T00:00:00Z", " 2026-03-09")
	}
	return p.r.now.In(p.r.zone).AddDate(0, 0, pick(p.dice, -1, 0, 0, 1, 1, 1, 2, 3, 30)).Format(time.DateOnly)
}

// amount most often meets one of the limits that the request is tested
// against: what is left of it, one cent more, or one cent less.
func (p player) amount(q Request) string {
	if p.chance(9) {
		return pick(p.dice, "", "0", "0.00", "-1.00", "+1", "1e3", "1.001", "1.", ".5", " 1", "1,000.00", "10000000000", "00000000001", "abc")
	}
	left := p.left(q)
	if len(left) == 0 || p.chance(45) {
		return pick(p.dice, "0.01", "1", "1.00", "1.5", "50.00", "100.00", "99.99", "0000000007")
	}
	cents := pick(p.dice, left...) + pick(p.dice, int64(0), 0, 0, 1, -1, -100)
	return p.write(max(cents, 1))
}

// write writes cents in one of the ways that mean the same.
func (p player) write(cents int64) string {
	text := fmt.Sprintf("%d.%02d", cents/100, cents%100)
	if p.chance(40) {
		text = strings.TrimSuffix(text, "0")
		text = strings.TrimSuffix(text, ".0")
	}
	return text
}

// left gives what is left of every limit that bears on the request.
func (p player) left(request Request) []int64 {
	q := question{Request: request}
	if p.r.understand(&q) != "" {
		return nil
	}
	var out []int64
	for _, limit := range append([]string{"wires.dual_limit"}, q.op.Limits...) {
		own, _ := q.member.own.limit(limit)
		used := p.r.used(q, limit, func(e *entry) bool { return e.request.Member == q.Member })
		out = append(out, own-used)
		if most, set := q.member.accounts[q.Account].limit(limit); set {
			used := p.r.used(q, limit, func(e *entry) bool { return e.request.Member == q.Member && e.request.Account == q.Account })
			out = append(out, most-used)
		}
		if most, set := p.r.ceiling[limit]; set {
			out = append(out, most-p.r.used(q, limit, func(*entry) bool { return true }))
		}
	}
	smallest := slices.Min(out)
	out = append(out, smallest, smallest)
	return slices.DeleteFunc(out, func(cents int64) bool { return cents <= 0 || cents > 999_999_999_998 })
}

// authorization uses a new reference, or one that is there: with the same
// content, written otherwise, or with another.
func (p player) authorization() *Authorization {
	refs := p.refs()
	if len(refs) == 0 || p.chance(70) {
		return &Authorization{Ref: p.newRef(), Request: p.payment()}
	}
	ref := pick(p.dice, refs...)
	a := &Authorization{Ref: ref, Request: p.r.ledger[ref].request}
	a.Context = maps.Clone(a.Context)
	if cents, ok := parseAmount(a.Amount); ok {
		a.Amount = p.write(cents)
	}
	if p.chance(50) {
		p.alter(&a.Request)
	}
	return a
}

// payment is a request worth keeping: in most cases one that is allowed, and in
// a third of all one that waits for an approval, if there is any to be found.
func (p player) payment() Request {
	switch p.IntN(3) {
	case 0:
		return p.sought(p.wire, approval)
	case 1:
		return p.sought(p.request, allowed)
	}
	return p.request()
}

func (p player) wire() Request {
	op := operations["wires.transmit"]
	q := Request{Member: p.someone(), Operation: op.ID, Context: p.context(op)}
	q.Account, q.ToAccount = p.accounts(op, p.r.member(q.Member))
	q.Amount = p.amount(q)
	return q
}

func (p player) alter(q *Request) {
	switch p.IntN(7) {
	case 0:
		q.Member = p.someone()
	case 1:
		q.Operation = p.operation()
	case 2:
		q.Account = p.account(nil, 10)
	case 3:
		q.ToAccount = p.account(nil, 30)
	case 4:
		q.Amount = p.amount(*q)
	case 5:
		q.Context = p.context(operations[q.Operation])
	case 6:
		if q.Context == nil {
			q.Context = map[string]any{}
		}
		if p.chance(50) {
			q.Context["recurring"] = false
		}
	}
}

func (p player) refs() []string { return slices.Sorted(maps.Keys(p.r.ledger)) }

func (p player) newRef() string { return fmt.Sprintf("r%d", len(p.r.ledger)) }

// open lists what was allowed and is neither released nor given back.
func (p player) open() []string {
	return slices.DeleteFunc(p.refs(), func(ref string) bool {
		e := p.r.ledger[ref]
		return !e.verdict.allowed() || e.confirmed || e.voided
	})
}

// waiting lists what waits for an approval, or would if it were asked now.
func (p player) waiting() []string {
	return slices.DeleteFunc(p.open(), func(ref string) bool {
		return p.r.ledger[ref].approver != "" || !p.r.needsApproval(ref)
	})
}

// confirmable is most often something open, and something approved more often
// than its share.
func (p player) confirmable() string {
	approved := slices.DeleteFunc(p.open(), func(ref string) bool { return p.r.ledger[ref].approver == "" })
	switch {
	case len(approved) > 0 && p.chance(60):
		return pick(p.dice, approved...)
	case len(p.open()) > 0 && p.chance(70):
		return pick(p.dice, p.open()...)
	}
	return p.ref(0)
}

// ref is one of those there, one that waits for an approval in so many cases
// of a hundred, and seldom one that is not there.
func (p player) ref(percentWaiting int) string {
	refs := p.refs()
	switch {
	case len(refs) == 0 || p.chance(3):
		return "unknown"
	case len(p.waiting()) > 0 && p.chance(percentWaiting):
		return pick(p.dice, p.waiting()...)
	}
	return pick(p.dice, refs...)
}

// approval is by anybody, now and then by the initiator, and in most cases by
// somebody who may.
func (p player) approval() *Approval {
	ref := p.ref(85)
	return &Approval{Ref: ref, Member: p.approver(ref)}
}

func (p player) approver(ref string) string {
	who := p.someone()
	e := p.r.ledger[ref]
	switch {
	case e == nil:
	case p.chance(10):
		return e.request.Member
	case p.chance(70):
		for range 8 {
			if who != e.request.Member && p.r.approverNow(ref, who).allowed() {
				break
			}
			who = p.someone()
		}
	}
	return who
}

// involved is somebody who initiated or approved what is not released yet,
// when there is any, and otherwise somebody.
func (p player) involved() *member {
	var out []string
	for _, ref := range p.refs() {
		if e := p.r.ledger[ref]; e.verdict.allowed() && !e.confirmed && !e.voided {
			out = append(out, e.request.Member)
			if e.approver != "" {
				out = append(out, e.approver, e.approver)
			}
		}
	}
	if len(out) > 0 && p.chance(50) {
		return p.r.member(pick(p.dice, out...))
	}
	return pick(p.dice, p.r.members...)
}

func (p player) organization() *OrganizationChange {
	c := &OrganizationChange{}
	if p.chance(60) {
		list := p.entitlements(p.r.world.Institution.Edition, 20)
		c.Entitlements = &list
	}
	if c.Entitlements == nil || p.chance(30) {
		ceilings := p.ceilings()
		c.Ceilings = &ceilings
	}
	return c
}

// memberChange puts members out of action, and more often back into it.
func (p player) memberChange() *MemberChange {
	m := p.involved()
	c := &MemberChange{Member: m.id}
	status, held := "active", false
	if p.chance(45) {
		status, held = pick(p.dice, "pending", "locked", "disabled", "active"), p.chance(50)
	}
	role := pick(p.dice, "admin", "admin", "viewer", "user")
	switch p.IntN(4) {
	case 0:
		c.Status = &status
	case 1:
		c.Held = &held
	case 2:
		c.Status, c.Held = &status, &held
	case 3:
		c.Role = &role
	}
	return c
}

// time passes: a little, whole days, or to the minute before, of or after midnight.
func (p player) time() string {
	local := p.r.now.In(p.r.zone)
	midnight := time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, p.r.zone)
	by := pick(p.dice, 30*time.Minute, 2*time.Hour, 12*time.Hour, 24*time.Hour, 24*time.Hour, 48*time.Hour,
		midnight.Sub(p.r.now)-time.Minute, midnight.Sub(p.r.now), midnight.Sub(p.r.now)+time.Minute)
	return fmt.Sprintf("%dm", max(1, int(by.Minutes())))
}
