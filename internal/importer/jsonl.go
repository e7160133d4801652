package importer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

var errNotObject = errors.New(`the line is not one JSON object like {"organization": "1001", "held": false}`)

// A member of a flat JSON object. Null is given and blank.
type pair struct {
	key, value []byte
}

// splitJSON splits a line that holds one flat JSON object into its members,
// which it appends to pairs. Values are text, true, false or null; true and
// false become the text that CSV has. The bytes may point into line.
func splitJSON(line []byte, pairs []pair) ([]pair, error) {
	s := jsonScanner{rest: line}
	if !s.take('{') {
		return pairs, errNotObject
	}
	for first := true; !s.take('}'); first = false {
		if !first && !s.take(',') {
			return pairs, errNotObject
		}
		key, err := s.text()
		if err != nil {
			return pairs, err
		}
		if !s.take(':') {
			return pairs, errNotObject
		}
		value, err := s.value(key)
		if err != nil {
			return pairs, err
		}
		for _, p := range pairs {
			if bytes.Equal(p.key, key) {
				return pairs, fmt.Errorf("%q is given twice", key)
			}
		}
		pairs = append(pairs, pair{key, value})
	}
	s.space()
	if len(s.rest) > 0 {
		return pairs, errNotObject
	}
	return pairs, nil
}

type jsonScanner struct{ rest []byte }

func (s *jsonScanner) space() {
	s.rest = bytes.TrimLeft(s.rest, " \t\r")
}

func (s *jsonScanner) take(b byte) bool {
	s.space()
	if len(s.rest) == 0 || s.rest[0] != b {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// text reads a JSON string.
func (s *jsonScanner) text() ([]byte, error) {
	s.space()
	if len(s.rest) == 0 || s.rest[0] != '"' {
		return nil, errNotObject
	}
	for i := 1; i < len(s.rest); i++ {
		switch s.rest[i] {
		case '\\':
			return s.escaped()
		case '"':
			text := s.rest[1:i]
			s.rest = s.rest[i+1:]
			return text, nil
		}
	}
	return nil, errNotObject
}

// escaped reads a JSON string that holds escapes.
func (s *jsonScanner) escaped() ([]byte, error) {
	for i := 1; i < len(s.rest); i++ {
		switch s.rest[i] {
		case '\\':
			i++
		case '"':
			var text string
			if json.Unmarshal(s.rest[:i+1], &text) != nil {
				return nil, errNotObject
			}
			s.rest = s.rest[i+1:]
			return []byte(text), nil
		}
	}
	return nil, errNotObject
}

func (s *jsonScanner) value(key []byte) ([]byte, error) {
	s.space()
	if len(s.rest) > 0 && s.rest[0] == '"' {
		return s.text()
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if bytes.HasPrefix(s.rest, []byte(word)) {
			s.rest = s.rest[len(word):]
			if word == "null" {
				return nil, nil
			}
			return []byte(word), nil
		}
	}
	return nil, fmt.Errorf("%q must be text in quotation marks, true, false or null; amounts are text, such as \"25000.00\"", clip(key))
}
