package authzen

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"

	"mandate/internal/fault"
	"mandate/internal/ijson"
)

// An object is a JSON object as decoded.
type object = map[string]any

// readBody reads the request's JSON object. Whatever is wrong with the payload
// as a whole is a fault of kind Invalid.
func readBody(r *http.Request) (object, error) {
	body, err := readBytes(r, nil)
	if err != nil {
		return nil, err
	}
	return decode(body)
}

// jsonType is what callers say that they send, nearly always in these words.
const jsonType = "application/json"

// readBytes reads a body behind what is in buffer. Its beginning stays.
func readBytes(r *http.Request, buffer []byte) ([]byte, error) {
	if said := r.Header.Get("Content-Type"); said != jsonType {
		if kind, _, err := mime.ParseMediaType(said); err != nil || kind != jsonType {
			return buffer, fault.New(fault.Invalid, "The Content-Type must be application/json.")
		}
	}
	body, err := readAll(r.Body, buffer)
	if err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return body, err
		}
		return body, fault.New(fault.Invalid, "The request could not be read to its end.").Because(err)
	}
	return body, nil
}

// readAll is io.ReadAll into memory that is there already.
func readAll(r io.Reader, buffer []byte) ([]byte, error) {
	for {
		if len(buffer) == cap(buffer) {
			buffer = append(buffer, 0)[:len(buffer)]
		}
		n, err := r.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		if err == io.EOF {
			return buffer, nil
		}
		if err != nil {
			return buffer, err
		}
	}
}

func decode(body []byte) (object, error) {
	if len(body) == 0 {
		return nil, fault.New(fault.Invalid, "The request body is empty.")
	}
	value, err := ijson.Parse(body, ijson.Limits{Depth: maxDepth, Values: maxValues, Exact: true})
	if wrong, ok := errors.AsType[*ijson.Error](err); ok && wrong.Inexact() {
		return nil, fault.Newf(fault.Invalid, "The number at %s has more digits than JSON numbers keep. Send it as a string.", placeOf(wrong))
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "The request body is not the JSON it must be: "+err.Error()+".")
	}
	members, ok := value.(object)
	if !ok {
		return nil, fault.New(fault.Invalid, "The request body must be a JSON object.")
	}
	return members, nil
}

// named are the members that a message may name: none that somebody else made up.
var named = map[string]bool{
	"evaluations": true, "subject": true, "action": true, "resource": true, "context": true, "properties": true, "page": true, "denial": true,
	"id": true, "type": true, "name": true, "amount": true, "to_account": true, "at_least_revision": true, "effective_date": true, "limit": true, "token": true,
}

// placeOf is where a number stands, as far as the way there is known here.
func placeOf(wrong *ijson.Error) string {
	place := ""
	for _, name := range wrong.Path {
		if _, err := strconv.Atoi(name); err == nil && place == "evaluations" {
			place += "[" + name + "]"
			continue
		}
		if !named[name] {
			break
		}
		place = path(place, name)
	}
	return fmt.Sprintf("%s (byte %d)", cmp.Or(place, "an unknown member"), wrong.Offset)
}

// A reader takes an evaluation out of a JSON object and remembers the first
// thing that is wrong.
type reader struct {
	wrong string
}

func (r *reader) fail(what string) {
	if r.wrong == "" {
		r.wrong = what
	}
}

// evaluation reads one evaluation after defaults have been filled in.
func evaluation(members object) (Evaluation, *Failure) {
	var r reader
	e := Evaluation{
		Subject:  r.entity(members, "subject"),
		Action:   r.action(members),
		Resource: r.entity(members, "resource"),
		Context:  r.optional(members, "", "context"),
	}
	if r.wrong != "" {
		return Evaluation{}, &Failure{http.StatusBadRequest, r.wrong}
	}
	return e, nil
}

func (r *reader) entity(members object, name string) Entity {
	m := r.required(members, name)
	return Entity{Type: r.text(m, name, "type"), ID: r.text(m, name, "id"), Properties: r.optional(m, name, "properties")}
}

func (r *reader) action(members object) Action {
	m := r.required(members, "action")
	return Action{Name: r.text(m, "action", "name"), Properties: r.optional(m, "action", "properties")}
}

// required is a member that must be an object.
func (r *reader) required(members object, name string) object {
	value, given := members[name]
	m, ok := value.(object)
	switch {
	case !given:
		r.fail("The member " + name + " is missing.")
	case !ok:
		r.fail("The member " + name + " must be an object.")
	}
	return m
}

// optional is a member that is an object where it is given. Null is not the
// same as absent.
func (r *reader) optional(members object, of, name string) object {
	value, given := members[name]
	m, ok := value.(object)
	if given && !ok {
		r.fail("The member " + path(of, name) + " must be an object.")
	}
	return m
}

func (r *reader) text(members object, of, name string) string {
	value, given := members[name]
	s, ok := value.(string)
	switch {
	case !given:
		r.fail("The member " + path(of, name) + " is missing.")
	case !ok:
		r.fail("The member " + path(of, name) + " must be a string.")
	}
	return s
}

func path(of, name string) string {
	if of == "" {
		return name
	}
	return of + "." + name
}

// withDefaults are the members of a batch's item. One that the item has
// replaces the default whole: nothing is merged inside it.
func withDefaults(item, defaults object) object {
	merged := make(object, 4)
	for _, name := range []string{"subject", "action", "resource", "context"} {
		if value, given := item[name]; given {
			merged[name] = value
		} else if value, given := defaults[name]; given {
			merged[name] = value
		}
	}
	return merged
}
