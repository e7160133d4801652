package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// The standard decoder takes a field's name in any case, takes the last of two
// values with one name, and takes null for anything. A file that decides about
// money is read more strictly than that.

// readObject puts the members of a JSON object where places says, by exact
// name. An unknown name, a name that comes twice, and null are refused.
func readObject(data []byte, places map[string]any) error {
	return members(data, func(d *json.Decoder, name string) error {
		place, known := places[name]
		if !known {
			return fmt.Errorf("unknown field %q", name)
		}
		return d.Decode(&notNull{place})
	})
}

// members calls read for each member of an object; read consumes its value.
func members(data []byte, read func(d *json.Decoder, name string) error) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return errors.Join(errors.New("there must be an object here"), err)
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string) // within an object a name is always a string
		if seen[name] {
			return fmt.Errorf("%q stands there twice", name)
		}
		seen[name] = true
		if err := read(d, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	_, err := d.Token()
	return err
}

// notNull refuses null before it decodes into a place.
type notNull struct{ place any }

func (n *notNull) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return errors.New("null says nothing")
	}
	return json.Unmarshal(data, n.place)
}

// values are a JSON object of any names: permissions, or a request's context.
// Numbers keep their digits.
type values map[string]any

func (v *values) UnmarshalJSON(data []byte) error {
	*v = values{}
	return members(data, func(d *json.Decoder, name string) error {
		var value any
		err := d.Decode(&value)
		(*v)[name] = value
		return err
	})
}

// byName are a JSON object of any names whose values are all of one kind.
type byName[T any] map[string]T

func (m *byName[T]) UnmarshalJSON(data []byte) error {
	*m = byName[T]{}
	return members(data, func(d *json.Decoder, name string) error {
		var value T
		err := d.Decode(&notNull{&value})
		(*m)[name] = value
		return err
	})
}

// onlyThat refuses anything after the one value of a file.
func onlyThat(d *json.Decoder) error {
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something stands after the end")
	}
	return nil
}
