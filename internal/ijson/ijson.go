// Package ijson reads a stranger's JSON more strictly than the standard
// library does: as I-JSON (RFC 7493), and with bounds. The names of an object
// are exact and unique, text is valid Unicode, a number fits a float64, nothing
// follows the one value, and nothing is deeper or larger than allowed.
//
// What reads it afterwards sees plain Go values and cannot be led to see
// another text than the one that was checked. Errors say where and what, and
// never repeat the text.
package ijson

import (
	"fmt"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Limits bound what is read. A zero field is a bound of zero.
type Limits struct {
	Depth  int // of arrays and objects within each other
	Values int // of all kinds together, and the names of members

	// Exact refuses numbers that a float64 does not hold as they are written:
	// whoever sent one may have lost digits before, and we would.
	Exact bool
}

// An Error says what is wrong and at which byte.
type Error struct {
	Offset int
	What   string

	// Path leads to a number that is not exact: the names of members and the
	// places in arrays, from the outside in. They are the stranger's.
	Path []string
}

// Inexact reports whether all that is wrong is a number that is not exact.
func (e *Error) Inexact() bool { return e.What == inexact }

const inexact = "a number has more digits than can be kept: send it as a string"

func (e *Error) Error() string { return fmt.Sprintf("%s, at byte %d", e.What, e.Offset) }

// Parse reads one value: map[string]any, []any, string, float64, bool or nil.
func Parse(data []byte, limits Limits) (any, error) {
	p := parser{data: data, limits: limits}
	p.blanks()
	value, err := p.value(0)
	if err != nil {
		return nil, err
	}
	p.blanks()
	if p.at < len(data) {
		return nil, p.wrong("something stands after the end")
	}
	return value, nil
}

type parser struct {
	data   []byte
	at     int
	values int
	limits Limits
}

func (p *parser) wrong(what string) error { return &Error{Offset: p.at, What: what} }

func (p *parser) blanks() {
	for p.at < len(p.data) {
		switch p.data[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// peek is the byte that comes next, and 0 at the end. A zero byte begins
// nothing, so the two need not be told apart.
func (p *parser) peek() byte {
	if p.at < len(p.data) {
		return p.data[p.at]
	}
	return 0
}

func (p *parser) count() error {
	if p.values++; p.values > p.limits.Values {
		return p.wrong("there are too many values")
	}
	return nil
}

func (p *parser) value(depth int) (any, error) {
	if err := p.count(); err != nil {
		return nil, err
	}
	switch c := p.peek(); {
	case c == '{':
		return p.object(depth + 1)
	case c == '[':
		return p.array(depth + 1)
	case c == '"':
		return p.text()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case c == 't':
		return true, p.word("true")
	case c == 'f':
		return false, p.word("false")
	case c == 'n':
		return nil, p.word("null")
	case p.at >= len(p.data):
		return nil, p.wrong("the JSON ends too early")
	}
	return nil, p.wrong("a JSON value must stand here")
}

func (p *parser) word(w string) error {
	if len(p.data)-p.at < len(w) || string(p.data[p.at:p.at+len(w)]) != w {
		return p.wrong("a JSON value must stand here")
	}
	p.at += len(w)
	return nil
}

// inside steps over an opening bracket.
func (p *parser) inside(depth int) error {
	if depth > p.limits.Depth {
		return p.wrong("the JSON is nested too deeply")
	}
	p.at++
	p.blanks()
	return nil
}

func (p *parser) object(depth int) (any, error) {
	if err := p.inside(depth); err != nil {
		return nil, err
	}
	object := map[string]any{}
	for first := true; ; first = false {
		if end, err := p.next('}', first); end || err != nil {
			return object, err
		}
		start := p.at
		if p.peek() != '"' {
			return nil, p.wrong("the name of a member must stand here")
		}
		if err := p.count(); err != nil {
			return nil, err
		}
		name, err := p.text()
		if err != nil {
			return nil, err
		}
		if _, twice := object[name]; twice {
			p.at = start
			return nil, p.wrong("the name of a member stands there twice")
		}
		if p.blanks(); p.peek() != ':' {
			return nil, p.wrong("a colon must stand here")
		}
		p.at++
		p.blanks()
		if object[name], err = p.value(depth); err != nil {
			return nil, within(err, name)
		}
	}
}

func (p *parser) array(depth int) (any, error) {
	if err := p.inside(depth); err != nil {
		return nil, err
	}
	array := []any{}
	for first := true; ; first = false {
		if end, err := p.next(']', first); end || err != nil {
			return array, err
		}
		value, err := p.value(depth)
		if err != nil {
			return nil, within(err, strconv.Itoa(len(array)))
		}
		array = append(array, value)
	}
}

// next steps to the next member or element, or over the closing bracket.
func (p *parser) next(closing byte, first bool) (end bool, err error) {
	p.blanks()
	if p.peek() == closing {
		p.at++
		return true, nil
	}
	if first {
		return false, nil
	}
	if p.peek() != ',' {
		return false, p.wrong("a comma or a closing bracket must stand here")
	}
	p.at++
	p.blanks()
	if p.peek() == closing {
		return false, p.wrong("nothing stands after the comma")
	}
	return false, nil
}

func (p *parser) digits() bool {
	start := p.at
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.at++
	}
	return p.at > start
}

func (p *parser) number() (any, error) {
	start := p.at
	if p.peek() == '-' {
		p.at++
	}
	zero := p.peek() == '0'
	whole := p.at
	if !p.digits() || zero && p.at > whole+1 {
		return nil, p.wrong("this is not a JSON number")
	}
	if p.peek() == '.' {
		if p.at++; !p.digits() {
			return nil, p.wrong("this is not a JSON number")
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.at++
		if c := p.peek(); c == '+' || c == '-' {
			p.at++
		}
		if !p.digits() {
			return nil, p.wrong("this is not a JSON number")
		}
	}
	text := string(p.data[start:p.at])
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || math.IsInf(n, 0):
		p.at = start
		return nil, p.wrong("the number is too large")
	case p.limits.Exact && !exact(text, n):
		p.at = start
		return nil, p.wrong(inexact)
	}
	return n, nil
}

// text reads a string. One without escapes, which is nearly every one, is
// copied in one piece.
func (p *parser) text() (string, error) {
	p.at++
	start := p.at
	for p.at < len(p.data) {
		switch c := p.data[p.at]; {
		case c == '"':
			s := p.data[start:p.at]
			if !utf8.Valid(s) {
				return "", p.wrong("the text is not valid UTF-8")
			}
			p.at++
			return string(s), nil
		case c == '\\':
			return p.escaped(start)
		case c < ' ':
			return "", p.wrong("a control character stands in the text")
		}
		p.at++
	}
	return "", p.wrong("the JSON ends too early")
}

// escaped reads on in a string whose first escape has been found.
func (p *parser) escaped(start int) (string, error) {
	b := append([]byte(nil), p.data[start:p.at]...)
	for p.at < len(p.data) {
		switch c := p.data[p.at]; {
		case c == '"':
			if !utf8.Valid(b) {
				return "", p.wrong("the text is not valid UTF-8")
			}
			p.at++
			return string(b), nil
		case c < ' ':
			return "", p.wrong("a control character stands in the text")
		case c == '\\':
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			b = utf8.AppendRune(b, r)
		default:
			b = append(b, c)
			p.at++
		}
	}
	return "", p.wrong("the JSON ends too early")
}

// escapes are the characters that a backslash may stand before.
var escapes = map[byte]rune{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (p *parser) escape() (rune, error) {
	p.at++
	if r, ok := escapes[p.peek()]; ok {
		p.at++
		return r, nil
	}
	r, ok := p.unit()
	if !ok {
		return 0, p.wrong("this is not a JSON escape")
	}
	if !utf16.IsSurrogate(r) {
		return r, nil
	}
	if p.peek() == '\\' {
		p.at++
		if low, ok := p.unit(); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, nil
			}
		}
	}
	return 0, p.wrong("half a character stands in the text")
}

// unit reads the u and four hexadecimal digits of an escape.
func (p *parser) unit() (rune, bool) {
	if p.peek() != 'u' || len(p.data)-p.at < 5 {
		return 0, false
	}
	var r rune
	for _, c := range p.data[p.at+1 : p.at+5] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	p.at += 5
	return r, true
}
