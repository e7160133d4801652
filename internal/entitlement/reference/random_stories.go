package reference

// A story is a few steps that belong together, each drawn when its turn comes.
// What single draws seldom reach lies at the end of one.
type story []func() Step

// anyStory draws one.
func (p player) anyStory() story {
	ref := p.newRef()
	switch p.IntN(6) {
	case 0:
		return p.release(ref)
	case 1:
		return p.controlComesLater(ref)
	case 2:
		return p.sharedLimits(ref)
	case 3:
		return p.byOneself()
	case 4:
		return p.partialEditor()
	}
	return p.dated(ref)
}

func approval(v verdict) bool { return v.approval }
func allowed(v verdict) bool  { return v.allowed() }

func (p player) pay(ref string, draw func() Request, wanted func(verdict) bool) func() Step {
	return func() Step { return Step{Authorize: &Authorization{Ref: ref, Request: p.sought(draw, wanted)}} }
}

func (p player) approveIt(ref string) func() Step {
	return func() Step { return Step{Approve: &Approval{Ref: ref, Member: p.approver(ref)}} }
}

func (p player) confirmIt(ref string) func() Step {
	return func() Step { return Step{Confirm: &Reference{ref}} }
}

func (p player) voidIt(ref string) func() Step {
	return func() Step { return Step{Void: &Reference{ref}} }
}

func (p player) pass() Step { return Step{Advance: p.time()} }

// disturb changes what the release depends on, or nothing that matters.
func (p player) disturb() Step {
	switch p.IntN(4) {
	case 0:
		return p.pass()
	case 1:
		return Step{Edit: p.edit()}
	case 2:
		return Step{Organization: p.organization()}
	}
	return Step{Member: p.memberChange()}
}

// release: a wire that needs two, through to its end and past it.
func (p player) release(ref string) story {
	s := story{p.pay(ref, p.wire, approval), p.approveIt(ref)}
	if p.chance(60) {
		s = append(s, p.disturb)
	}
	if p.chance(20) {
		s = append(s, p.voidIt(ref))
	}
	s = append(s, p.confirmIt(ref))
	if p.chance(50) {
		s = append(s, p.disturb, pick(p.dice, p.confirmIt(ref), p.approveIt(ref), p.voidIt(ref)))
	}
	return s
}

// controlComesLater: dual control is switched on after the wire was allowed.
func (p player) controlComesLater(ref string) story {
	control := func() Step {
		e := &Edit{Actor: p.admin(), Set: map[string]any{"wires.dual_control": true}}
		if entry := p.r.ledger[ref]; entry != nil {
			e.Member = entry.request.Member
			e.Account = pick(p.dice, "", entry.request.Account)
		}
		if p.chance(60) {
			e.Set["wires.dual_limit"] = "1"
		}
		return Step{Edit: e}
	}
	return story{p.pay(ref, p.wire, allowed), control, p.confirmIt(ref), p.approveIt(ref), p.confirmIt(ref)}
}

// sharedLimits: the same payment again, by another member or on another
// account, where limits of the day are counted apart or together.
func (p player) sharedLimits(ref string) story {
	varied := func() Request {
		entry := p.r.ledger[ref]
		if entry == nil {
			return p.request()
		}
		q := entry.request
		if p.chance(50) {
			q.Member = p.someone()
		}
		if p.chance(50) {
			q.Account = p.account(p.r.member(q.Member), 0)
		}
		if p.chance(60) {
			q.Amount = p.amount(q)
		}
		return q
	}
	again := func() Step {
		q := p.sought(varied, func(v verdict) bool {
			return len(v.reasons) == 0 || len(v.reasons) == 1 && v.reasons[0].Code == "LIMIT_DAILY"
		})
		return Step{Decide: &q}
	}
	draw := p.wire
	if p.chance(40) {
		draw = p.request
	}
	return story{p.pay(ref, draw, allowed), again, again, p.pay(ref+"b", varied, allowed), again}
}

// byOneself: an admin changes their own settings, one at a time.
func (p player) byOneself() story {
	change := func() Step {
		e := &Edit{Actor: p.admin(), Set: map[string]any{}, Cascade: p.chance(50)}
		e.Member = e.Actor
		level := levelUser
		if p.chance(60) {
			level, e.Account = levelUserAccount, pick(p.dice, p.r.world.Accounts...)
		}
		if p.r.exists("wires.dual_limit", level) && p.chance(40) {
			id := pick(p.dice, "wires.dual_limit", "wires.dual_limit", "wires.dual_control")
			e.Set[id] = p.newValue(id, p.r.member(e.Member), level)
		} else {
			p.addTo(e, p.r.member(e.Member), level)
		}
		return Step{Edit: e}
	}
	return story{change, change, change, change}
}

// partialEditor: the one choice that there is, and what it is good for.
func (p player) partialEditor() story {
	set := func() Step {
		value := pick[any](p.dice, "partial", "full", "none", "half", nil)
		e := &Edit{Actor: p.admin(), Member: p.someone(), Set: map[string]any{"ach.edit_level": value}}
		if p.chance(30) {
			e.Member = e.Actor
		}
		if p.chance(30) {
			e.Set["ach.view"] = p.chance(50)
		}
		return Step{Edit: e}
	}
	ask := func() Step {
		draw := func() Request {
			op := pick(p.dice, "ach.batch.edit", "ach.batch.edit", "ach.batch.create", "ach.recipients.import")
			return Request{Member: p.someone(), Operation: op, Context: p.context(operations[op])}
		}
		q := p.sought(draw, func(v verdict) bool {
			return len(v.reasons) == 0 || len(v.reasons) == 1 && (v.reasons[0].Permission == "ach.edit_level" || v.reasons[0].Code == "INVALID_CONTEXT")
		})
		return Step{Decide: &q}
	}
	return story{set, ask, ask, ask}
}

// dated: a wire for another day, what it leaves of that day, and its release.
func (p player) dated(ref string) story {
	future := func() Request {
		q := p.wire()
		q.Context = map[string]any{"effective_date": p.date()}
		return q
	}
	left := func() Step {
		q := p.sought(future, func(v verdict) bool { return len(v.reasons) < 2 })
		return Step{Decide: &q}
	}
	s := story{p.pay(ref, future, allowed), left}
	if p.chance(50) {
		s = append(s, p.pass)
	}
	return append(s, p.approveIt(ref), p.confirmIt(ref), left, left)
}

// admin is somebody who may edit, if there is anybody.
func (p player) admin() string {
	id := p.someone()
	for range 8 {
		if p.r.judge(Request{Member: id, Operation: "user_management.edit_permissions"}, "").allowed() {
			break
		}
		id = p.someone()
	}
	return id
}
