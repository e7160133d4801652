package reference

import "slices"

// edit draws a change. Half of them are drawn until one is accepted or turns
// something off with it, but not for long.
func (p player) edit() *Edit {
	e := p.anyEdit()
	if p.chance(50) {
		return e
	}
	wantCascade := p.chance(40)
	for range 10 {
		c := &change{Edit: *e, actor: p.r.member(e.Actor), target: p.r.member(e.Member), level: levelUser}
		if c.actor != nil && c.target != nil {
			turnedOff, problems := p.r.judgeEdit(c)
			if len(problems) == 0 && (!wantCascade || len(turnedOff) > 0) {
				break
			}
		}
		e = p.anyEdit()
	}
	return e
}

// anyEdit is most often by an admin who may, and of another member.
func (p player) anyEdit() *Edit {
	e := &Edit{Actor: p.someone(), Member: p.involved().id, Set: map[string]any{}, Cascade: p.chance(50)}
	if p.chance(85) {
		e.Actor = p.admin()
	}
	switch {
	case p.chance(25):
		e.Member = e.Actor
	case p.chance(2):
		e.Member = "nobody"
	}
	level := levelUser
	if p.chance(40) {
		level = levelUserAccount
		e.Account = p.account(nil, 0)
	}
	target := p.r.member(e.Member)
	for range 1 + p.IntN(3) {
		p.addTo(e, target, level)
	}
	if p.chance(3) {
		e.Set = map[string]any{}
	}
	return e
}

// addTo adds one value to the change, sometimes with everything it needs.
func (p player) addTo(e *Edit, target *member, level string) {
	id := p.settingAt(level)
	e.Set[id] = p.newValue(id, target, level)
	if p.chance(30) && e.Set[id] == true {
		p.addNeeds(e, id, level)
	}
}

func (p player) addNeeds(e *Edit, id, level string) {
	for _, need := range p.r.requires(id) {
		if _, there := e.Set[need.Permission]; there || !existsAt(need.Permission, level) {
			continue
		}
		if need.Is == "on" {
			e.Set[need.Permission] = true
		} else {
			e.Set[need.Permission] = "500.00"
		}
		p.addNeeds(e, need.Permission, level)
	}
}

// prerequisites are, by edition, the permissions that another one requires.
var prerequisites = func() map[string]map[string]bool {
	out := map[string]map[string]bool{}
	for _, edition := range []string{bank, creditUnion} {
		r := &Runner{world: World{Institution: Institution{Edition: edition}}}
		out[edition] = map[string]bool{}
		for _, one := range cataloguePermissions {
			for _, need := range r.requires(one.ID) {
				out[edition][need.Permission] = true
			}
		}
	}
	return out
}()

// settingAt is most often a permission that exists there, and a prerequisite
// or a limit more often than its share.
func (p player) settingAt(level string) string {
	if p.chance(4) {
		return pick(p.dice, "nothing.of_the_kind", "account.access", "ach.view", "wires.work", "ach.debits", "arp.upload", "")
	}
	var there, central []string
	for _, one := range cataloguePermissions {
		if !p.r.exists(one.ID, level) {
			continue
		}
		there = append(there, one.ID)
		if prerequisites[p.r.world.Institution.Edition][one.ID] || one.isLimit() || one.Restricts || one.isChoice() {
			central = append(central, one.ID)
		}
	}
	if level == levelUser && p.chance(6) {
		return "user_management.enabled"
	}
	if p.chance(55) {
		return pick(p.dice, central...)
	}
	return pick(p.dice, there...)
}

func (p player) newValue(id string, target *member, level string) any {
	one := permissions[id]
	if p.chance(4) {
		return pick[any](p.dice, nil, "yes", true, 1.0, "-1.00", "1000.505", "12345678901", "1000.50", "half", []any{})
	}
	switch {
	case one.isChoice():
		return pick(p.dice, one.Choices...)
	case one.isLimit() && level == levelUserAccount && p.chance(25):
		return nil
	case one.isLimit():
		return p.newLimit(one, target)
	}
	return p.chance(50)
}

// newLimit meets the ceiling or what is set now: equal, a little more, a little less.
func (p player) newLimit(one permission, target *member) string {
	if one.Type == "whole_dollar" && p.chance(5) {
		return pick(p.dice, "1000.50", "0.01", "100.5")
	}
	step := int64(100)
	if one.Type == "money" {
		step = 1
	}
	near := []int64{}
	if most, set := p.r.ceiling[one.ID]; set {
		near = append(near, most, most+step)
	}
	if target != nil {
		if now, set := target.own.limit(one.ID); set {
			near = append(near, now, now+step, max(now-step, 0))
		}
	}
	near = slices.DeleteFunc(near, func(cents int64) bool { return cents > 999_999_999_999 || cents%step != 0 })
	if len(near) > 0 && p.chance(40) {
		return p.write(pick(p.dice, near...))
	}
	return p.limit(one)
}
