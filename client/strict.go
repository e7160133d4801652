package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// Bounds of an answer's JSON.
const (
	maxDepth  = 32
	maxValues = 1 << 20
)

// An object is a JSON object as it was read: its names are exact, and each
// stands in it once.
type object = map[string]any

// readJSON reads JSON whose meaning nobody can disagree about: valid UTF-8,
// every name once, nothing behind it. The standard library's own reading would
// take the last of two decisions, and take "Decision" for "decision".
func readJSON(text []byte) (any, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("the text is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	r := jsonReader{decoder: d}
	value, err := r.value(0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something stands behind the JSON")
	}
	return value, nil
}

func readObject(text []byte) (object, error) {
	value, err := readJSON(text)
	if err != nil {
		return nil, err
	}
	o, ok := value.(object)
	if !ok {
		return nil, errors.New("it is not a JSON object")
	}
	return o, nil
}

type jsonReader struct {
	decoder *json.Decoder
	values  int
}

func (r *jsonReader) value(depth int) (any, error) {
	if r.values++; depth > maxDepth || r.values > maxValues {
		return nil, errors.New("the JSON is too deep or too large")
	}
	token, err := r.decoder.Token()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return r.object(depth)
	case json.Delim('['):
		return r.array(depth)
	}
	return token, nil
}

func (r *jsonReader) object(depth int) (any, error) {
	o := object{}
	for r.decoder.More() {
		token, err := r.decoder.Token()
		if err != nil {
			return nil, err
		}
		name, ok := token.(string)
		if !ok {
			return nil, errors.New("a name is missing")
		}
		if _, twice := o[name]; twice {
			return nil, fmt.Errorf("the name %q stands there twice", name)
		}
		if o[name], err = r.value(depth + 1); err != nil {
			return nil, err
		}
	}
	_, err := r.decoder.Token() // the closing brace
	return o, err
}

func (r *jsonReader) array(depth int) (any, error) {
	all := []any{}
	for r.decoder.More() {
		value, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		all = append(all, value)
	}
	_, err := r.decoder.Token()
	return all, err
}

// A taker takes members out of an object and remembers the first that is not
// what it must be.
type taker struct {
	of    object
	wrong error
}

func (t *taker) fail(name, want string) {
	if t.wrong == nil {
		t.wrong = fmt.Errorf("%s is not %s", name, want)
	}
}

// yes is a member that must be there and be true or false.
func (t *taker) yes(name string) bool {
	b, ok := t.of[name].(bool)
	if !ok {
		t.fail(name, "true or false")
	}
	return b
}

// text is a member that is text where it is there.
func (t *taker) text(name string) string {
	value, given := t.of[name]
	s, ok := value.(string)
	if given && !ok {
		t.fail(name, "text")
	}
	return s
}

// objects is a member that is an array of objects where it is there.
func (t *taker) objects(name string) []object {
	value, given := t.of[name]
	items, ok := value.([]any)
	if given && !ok {
		t.fail(name, "an array")
	}
	all := make([]object, 0, len(items))
	for _, item := range items {
		o, ok := item.(object)
		if !ok {
			t.fail(name, "an array of objects")
			return nil
		}
		all = append(all, o)
	}
	return all
}

// object is a member that is an object where it is there; nil where it is not.
func (t *taker) object(name string) object {
	value, given := t.of[name]
	o, ok := value.(object)
	if given && !ok {
		t.fail(name, "an object")
	}
	return o
}
