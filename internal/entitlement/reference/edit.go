package reference

import (
	"maps"
	"slices"
)

// A change is an edit being judged, with the values before and after.
type change struct {
	Edit
	actor, target *member
	level         string
	read          settings // what is set, read; nil for null
	before, after settings
}

// edit sets values of one member: all of it or nothing (§4).
func (r *Runner) edit(e Edit) Answer {
	c := &change{Edit: e, actor: r.member(e.Actor), target: r.member(e.Member), level: levelUser}
	if c.actor == nil || c.target == nil {
		return r.refuse([]Problem{{Code: "UNKNOWN_MEMBER"}})
	}
	turnedOff, problems := r.judgeEdit(c)
	if len(problems) > 0 {
		return r.refuse(problems)
	}
	r.apply(c)
	accepted := true
	slices.Sort(turnedOff)
	return Answer{Accepted: &accepted, Problems: []Problem{}, TurnedOff: append([]string{}, turnedOff...)}
}

// judgeEdit applies the rules of §4 in their order and changes nothing yet.
func (r *Runner) judgeEdit(c *change) (turnedOff []string, problems []Problem) {
	if c.Account != "" {
		c.level = levelUserAccount
	}
	if problems := r.mayEdit(c); len(problems) > 0 {
		return nil, problems
	}
	if problems := r.readValues(c); len(problems) > 0 && r.holds("4.2: with a wrong value nothing more is judged") {
		return nil, problems
	}
	r.propose(c)
	if problems := r.selfRaise(c); len(problems) > 0 {
		return nil, problems
	}
	turnedOff, problems = r.breaks(c)
	return turnedOff, append(problems, r.prerequisites(c)...)
}

func (r *Runner) refuse(problems []Problem) Answer {
	accepted := false
	return Answer{Accepted: &accepted, Problems: sortProblems(problems), TurnedOff: []string{}}
}

// mayEdit: the actor must be allowed to, and the account be the organization's (§4.1).
func (r *Runner) mayEdit(c *change) []Problem {
	operation := "user_management.edit_permissions"
	if c.level == levelUserAccount {
		operation = "user_management.edit_account_permissions"
	}
	if !r.judge(Request{Member: c.Actor, Operation: operation}, "").allowed() && r.holds("4.1: ACTOR_NOT_ALLOWED") {
		return []Problem{{Code: "ACTOR_NOT_ALLOWED"}}
	}
	if c.level == levelUserAccount && !slices.Contains(r.world.Accounts, c.Account) && r.holds("4.1: UNKNOWN_ACCOUNT") {
		return []Problem{{Code: "UNKNOWN_ACCOUNT"}}
	}
	return nil
}

// readValues reads each value and reports the first thing wrong with each (§4.2).
func (r *Runner) readValues(c *change) []Problem {
	c.read = settings{}
	var problems []Problem
	for id, value := range c.Set {
		if code := r.wrong(c, id, value); code != "" {
			problems = append(problems, Problem{Code: code, Permission: id})
		}
	}
	return problems
}

func (r *Runner) wrong(c *change, id string, value any) string {
	p := permissions[id]
	switch {
	case !r.exists(id, c.level):
		return "UNKNOWN_PERMISSION"
	case value == nil && p.isLimit() && c.level == levelUserAccount:
		c.read[id] = nil
		return ""
	}
	read, ok := readValue(p, value)
	cents, _ := read.(int64)
	if ok && p.Type == "whole_dollar" && cents%100 != 0 && r.holds("1: whole-dollar limits have no cents") {
		ok = false
	}
	if !ok {
		return "INVALID_VALUE"
	}
	c.read[id] = read
	if ceiling, set := r.ceiling[id]; set && p.isLimit() && r.aboveCeiling(cents, ceiling) {
		return "CEILING"
	}
	if id == "user_management.enabled" && read == true && c.target.role == "user" && r.holds("4.2: ROLE_FORBIDS") {
		return "ROLE_FORBIDS"
	}
	return ""
}

func (r *Runner) aboveCeiling(cents, ceiling int64) bool {
	return cents > ceiling && r.holds("4.2: CEILING") || cents == ceiling && !r.holds("4.2: equal to the ceiling passes")
}

// propose computes the values that would result.
func (r *Runner) propose(c *change) {
	c.before = c.target.own
	if c.level == levelUserAccount {
		c.before = c.target.accounts[c.Account]
	}
	c.after = settings{}
	maps.Copy(c.after, c.before)
	for id, value := range c.read {
		if value == nil {
			delete(c.after, id)
		} else {
			c.after[id] = value
		}
	}
}

// apply stores the values that result.
func (r *Runner) apply(c *change) {
	if c.level == levelUserAccount {
		c.target.accounts[c.Account] = c.after
	} else {
		c.target.own = c.after
	}
}

// selfRaise: nobody gains by their own hand while another usable admin exists (§4.3).
func (r *Runner) selfRaise(c *change) []Problem {
	if c.Actor != c.Member && r.holds("4.3: only one's own rights") || !r.anotherAdmin(c.Actor) || !r.holds("4.3: SELF_RAISE") {
		return nil
	}
	var problems []Problem
	for id := range c.read {
		if r.gains(c, id) {
			problems = append(problems, Problem{Code: "SELF_RAISE", Permission: id})
		}
	}
	return problems
}

// anotherAdmin looks for another usable admin.
func (r *Runner) anotherAdmin(than string) bool {
	for _, m := range r.members {
		if m.id != than &&
			(m.role == "admin" || !r.holds("4.3: another usable admin has the role admin")) &&
			(m.status == "active" || !r.holds("4.3: another usable admin is active")) &&
			(!m.held || !r.holds("4.3: another usable admin is not held")) &&
			(m.own.on("user_management.enabled") || !r.holds("4.3: another usable admin has User management on")) {
			return true
		}
	}
	return !r.holds("4.3: without another usable admin one may gain")
}

func (r *Runner) gains(c *change, id string) bool {
	p := permissions[id]
	switch {
	case p.Restricts && r.holds("4.3: switching a restriction off is a gain"):
		return c.before.on(id) && !c.after.on(id)
	case p.isSwitch():
		return (!c.before.on(id) || !r.holds("4.3: what stood on already is no gain")) && c.after.on(id)
	case p.isChoice():
		return r.rank(id, c.after.choice(id)) > r.rank(id, c.before.choice(id)) && r.holds("4.3: a higher choice is a gain")
	}
	return r.loosens(c, id)
}

// loosens says whether a limit becomes higher. An account's limit that is not
// set is higher than any, but its dual limit that is not set is the member's own.
func (r *Runner) loosens(c *change, id string) bool {
	before, wasSet := c.before.limit(id)
	after, isSet := c.after.limit(id)
	if c.level == levelUserAccount {
		if id == "wires.dual_limit" && r.holds("4.3: an account's dual limit that is not set is the member's own") {
			own, _ := c.target.own.limit(id)
			if !wasSet {
				before = own
			}
			if !isSet {
				after = own
			}
		} else if !wasSet {
			return !r.holds("4.3: an account's limit that is not set is higher than any")
		} else if !isSet {
			return r.holds("4.3: unsetting an account's limit is a gain")
		}
	}
	return after > before && r.holds("4.3: a higher limit is a gain")
}

// asked says whether the change asks for the setting: it names it and sets it
// on, above zero, or to a choice other than none (§4.4).
func (r *Runner) asked(c *change, id string) bool {
	value, named := c.read[id]
	if !named {
		return false
	}
	if !r.holds("4.4: asked whether or not it stood so already") && value == c.before[id] {
		return false
	}
	switch value := value.(type) {
	case bool:
		return value || !r.holds("4.4: off is not asked for")
	case string:
		return value != "none" || !r.holds("4.4: none is not asked for")
	case int64:
		return value > 0 || !r.holds("4.4: zero is not asked for")
	}
	return false
}

// needs gives the needs of a setting that are this level's.
func (r *Runner) needs(c *change, id string) []requirement {
	var out []requirement
	for _, need := range r.requires(id) {
		if r.exists(need.Permission, c.level) || !r.holds("4.4: only this level's needs are judged") {
			out = append(out, need)
		}
	}
	return out
}

// satisfied says whether a need is met in a state of this level. An account's
// limit that is not set counts as positive where the member's own is (§4.4).
func (r *Runner) satisfied(c *change, state settings, need requirement) bool {
	if need.Is == "on" {
		return state.on(need.Permission)
	}
	cents, set := state.limit(need.Permission)
	if c.level == levelUserAccount && !set && r.holds("4.4: an account's limit that is not set counts as the member's own") {
		cents, _ = c.target.own.limit(need.Permission)
	}
	return cents > 0
}

// prerequisites: every asked setting needs its needs in the state that results (§4.4).
func (r *Runner) prerequisites(c *change) []Problem {
	var problems []Problem
	for id := range c.read {
		if !r.asked(c, id) {
			continue
		}
		for _, need := range r.needs(c, id) {
			if !r.satisfied(c, c.after, need) && r.holds("4.4: PREREQUISITE") {
				problems = append(problems, Problem{Code: "PREREQUISITE", Permission: id, Needs: need.Permission})
			}
		}
	}
	return problems
}

// breaks names what the change breaks, or with a cascade turns it off,
// repeatedly, until nothing is broken (§4.5, §4.6).
func (r *Runner) breaks(c *change) (turnedOff []string, problems []Problem) {
	for {
		broken := r.broken(c)
		if !c.Cascade || len(broken) == 0 || !r.holds("4.6: a cascade turns off what is broken") {
			return turnedOff, broken
		}
		for _, problem := range broken {
			id := problem.Permission
			if permissions[id].isChoice() {
				c.after[id] = "none"
			} else {
				c.after[id] = false
			}
			if !slices.Contains(turnedOff, id) {
				turnedOff = append(turnedOff, id)
			}
		}
		if !r.holds("4.6: a cascade repeats until nothing is broken") {
			return turnedOff, nil
		}
	}
}

// broken finds every switch or choice that was not asked for, stood on before
// and still would, and loses a need that was met before (§4.5).
func (r *Runner) broken(c *change) []Problem {
	var problems []Problem
	for id, p := range permissions {
		switch {
		case !r.exists(id, c.level), p.isLimit() && r.holds("4.5: limits are never broken"):
			continue
		case p.Restricts && r.holds("4.5: restrictions are never broken"):
			continue
		case r.asked(c, id) && r.holds("4.5: what is asked for is not broken"):
			continue
		case !on(p, c.before, id) || !on(p, c.after, id):
			continue
		}
		for _, need := range r.needs(c, id) {
			met := r.satisfied(c, c.before, need) || !r.holds("4.5: what was unmet before does not stand in the way")
			if met && !r.satisfied(c, c.after, need) && r.holds("4.5: DEPENDENT_ON") {
				problems = append(problems, Problem{Code: "DEPENDENT_ON", Permission: id, Needs: need.Permission})
			}
		}
	}
	return problems
}

// on says whether a switch is on or a choice is other than none.
func on(p permission, s settings, id string) bool {
	switch {
	case p.isChoice():
		return s.choice(id) != "none"
	case p.isLimit():
		cents, _ := s.limit(id)
		return cents > 0
	}
	return s.on(id)
}
