package scan

import "unicode/utf8"

// A reader goes through a body once, from front to back.
type reader struct {
	text string
	at   int
	to   *Request
}

func (p *reader) blanks() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// take steps over a character that must come next, and what is blank before it.
func (p *reader) take(c byte) bool {
	p.blanks()
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *reader) end() bool {
	p.blanks()
	return p.at == len(p.text)
}

// more steps to the next member of an object or element of an array, or over its
// closing bracket: then it returns false. ok is false where neither stands.
func (p *reader) more(closing byte, first bool) (more, ok bool) {
	p.blanks()
	if p.at == len(p.text) {
		return false, false
	}
	switch c := p.text[p.at]; {
	case c == closing:
		p.at++
		return false, true
	case first:
		return true, true
	case c == ',':
		p.at++
		return true, true
	}
	return false, false
}

// name steps over the name of a member and its colon.
func (p *reader) name() (string, bool) {
	name, ok := p.string()
	return name, ok && p.take(':')
}

// ordinary are the characters that stand for themselves in a text, as far as one
// byte can say.
var ordinary = func() (t [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// string is a text without escapes. What is not ASCII must be valid UTF-8.
func (p *reader) string() (string, bool) {
	if !p.take('"') {
		return "", false
	}
	start, wide := p.at, false
	for at := start; at < len(p.text); at++ {
		c := p.text[at]
		if ordinary[c] {
			continue
		}
		if c == '"' {
			p.at = at + 1
			s := p.text[start:at]
			return s, !wide || utf8.ValidString(s)
		}
		if c < utf8.RuneSelf {
			break
		}
		wide = true
	}
	return "", false
}

// object reads the members of an object, each by its name.
func (p *reader) object(member func(name string) bool) bool {
	if !p.take('{') {
		return false
	}
	for first := true; ; first = false {
		more, ok := p.more('}', first)
		if !more {
			return ok
		}
		name, ok := p.name()
		if !ok || !member(name) {
			return false
		}
	}
}
