package scan

// evaluation reads the four parts of an evaluation. Which of them are there is
// for the caller to judge.
func (p *reader) evaluation(e *Evaluation) bool {
	return p.object(func(name string) bool { return p.part(e, partOf(name)) })
}

// partOf is the part of a name; none for a name that is not known here.
func partOf(name string) parts {
	switch name {
	case "subject":
		return subject
	case "action":
		return action
	case "resource":
		return resource
	case "context":
		return context
	case "evaluations":
		return evaluations
	case "options":
		return options
	}
	return 0
}

func (p *reader) part(e *Evaluation, which parts) bool {
	if e.given&which != 0 {
		return false // twice
	}
	e.given |= which
	switch which {
	case subject:
		return p.entity(&e.Subject)
	case action:
		return p.action(&e.Action)
	case resource:
		return p.entity(&e.Resource)
	case context:
		return p.members(&e.Context)
	}
	return false
}

func (p *reader) entity(e *Entity) bool {
	var hasType, hasID bool
	return p.object(func(name string) (ok bool) {
		switch {
		case name == "type" && !hasType:
			hasType = true
			e.Type, ok = p.string()
		case name == "id" && !hasID:
			hasID = true
			e.ID, ok = p.string()
		case name == "properties" && !e.Properties.given:
			ok = p.members(&e.Properties)
		}
		return ok
	}) && hasType && hasID
}

func (p *reader) action(a *Action) bool {
	var hasName bool
	return p.object(func(name string) (ok bool) {
		switch {
		case name == "name" && !hasName:
			hasName = true
			a.Name, ok = p.string()
		case name == "properties" && !a.Properties.given:
			ok = p.members(&a.Properties)
		}
		return ok
	}) && hasName
}

// members reads an object that holds neither objects nor arrays.
func (p *reader) members(m *Members) bool {
	from := len(p.to.members)
	ok := p.object(func(name string) bool {
		known := p.to.members[from:]
		if len(known) == maxMembers {
			return false
		}
		for i := range known {
			if known[i].Name == name {
				return false
			}
		}
		kind, text, ok := p.scalar()
		p.to.members = append(p.to.members, Member{name, kind, text})
		return ok
	})
	*m = Members{given: true, from: uint32(from), to: uint32(len(p.to.members))}
	return ok
}

func (p *reader) scalar() (Kind, string, bool) {
	p.blanks()
	if p.at == len(p.text) {
		return Null, "", false
	}
	switch p.text[p.at] {
	case '"':
		s, ok := p.string()
		return Text, s, ok
	case 't':
		return True, "", p.word("true")
	case 'f':
		return False, "", p.word("false")
	case 'n':
		return Null, "", p.word("null")
	}
	s, ok := p.number()
	return Number, s, ok
}

func (p *reader) word(w string) bool {
	if len(p.text)-p.at < len(w) || p.text[p.at:p.at+len(w)] != w {
		return false
	}
	p.at += len(w)
	return true
}

// number is one without an exponent, and with few digits.
func (p *reader) number() (string, bool) {
	start := p.at
	if p.text[p.at] == '-' {
		p.at++
	}
	whole := p.at
	n := p.digits()
	if n == 0 || n > 1 && p.text[whole] == '0' {
		return "", false
	}
	if p.at < len(p.text) && p.text[p.at] == '.' {
		p.at++
		behind := p.digits()
		if behind == 0 {
			return "", false
		}
		n += behind
	}
	if p.at < len(p.text) && (p.text[p.at] == 'e' || p.text[p.at] == 'E') {
		return "", false
	}
	return p.text[start:p.at], n <= maxDigits
}

func (p *reader) digits() (n int) {
	for p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9' {
		p.at++
		n++
	}
	return n
}

// batch reads several evaluations, with defaults for what they leave out.
func (p *reader) batch(most int) bool {
	var defaults Evaluation
	read := p.object(func(name string) bool {
		which := partOf(name)
		switch {
		case which == evaluations && defaults.given&which == 0:
			defaults.given |= which
			return p.items(most)
		case which == options && defaults.given&which == 0:
			defaults.given |= which
			return p.options()
		}
		return p.part(&defaults, which)
	})
	if !read || len(p.to.Evaluations) == 0 {
		return false
	}
	for i := range p.to.Evaluations {
		if e := &p.to.Evaluations[i]; !e.fill(&defaults) {
			return false
		}
	}
	return true
}

// fill takes from the defaults, whole, what an evaluation leaves out, and reports
// whether nothing is missing now.
func (e *Evaluation) fill(defaults *Evaluation) bool {
	missing := defaults.given &^ e.given
	if missing&subject != 0 {
		e.Subject = defaults.Subject
	}
	if missing&action != 0 {
		e.Action = defaults.Action
	}
	if missing&resource != 0 {
		e.Resource = defaults.Resource
	}
	if missing&context != 0 {
		e.Context = defaults.Context
	}
	e.given |= missing
	return e.given&required == required
}

func (p *reader) items(most int) bool {
	if !p.take('[') {
		return false
	}
	for first := true; ; first = false {
		more, ok := p.more(']', first)
		if !more {
			return ok
		}
		if len(p.to.Evaluations) == most {
			return false
		}
		p.to.Evaluations = append(p.to.Evaluations, Evaluation{})
		if !p.evaluation(&p.to.Evaluations[len(p.to.Evaluations)-1]) {
			return false
		}
	}
}

// options reads the one option that there is.
func (p *reader) options() bool {
	given := false
	return p.object(func(name string) (ok bool) {
		if name != "evaluations_semantic" || given {
			return false
		}
		given = true
		p.to.Semantic, ok = p.string()
		return ok && p.to.Semantic != "" // an empty one would look like none
	})
}
