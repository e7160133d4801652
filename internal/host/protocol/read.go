package protocol

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"mandate/internal/bank"
	"mandate/internal/ijson"
)

// Named limits of what either side sends.
const (
	maxAnswer = 8 << 20  // bytes; a list that is larger must be cut shorter
	maxImage  = 8 << 20  // bytes of a picture
	maxOrder  = 40 << 20 // bytes: the largest file, in Base64
	maxAsk    = 1 << 20  // bytes of any other request
	maxPage   = 500      // entries of a list, and accounts of a request
	maxValues = 500_000  // JSON values
	maxDepth  = 12
	maxShown  = 20 // problems that are told at once

	exact = 1 << 53 // whole numbers below it are the same to everybody who reads JSON
)

// A readError says what is wrong with which members.
type readError []string

func (e readError) Error() string { return strings.Join(e, "; ") }

// read reads JSON into one of the types of this package, exactly by its
// members' names and the bounds in its tags. Strict, it refuses members that it
// does not know and text that cannot be printed: what an order asks for must not
// be left out by half. Otherwise it ignores the former and blanks the latter.
func read(data []byte, into any, strict bool) error {
	value, err := ijson.Parse(data, ijson.Limits{Depth: maxDepth, Values: maxValues})
	if err != nil {
		return err
	}
	return readValue(value, into, strict)
}

// readValue reads what was parsed already.
func readValue(value, into any, strict bool) error {
	r := reader{strict: strict}
	r.value("", value, reflect.ValueOf(into).Elem(), "")
	if len(r.problems) > 0 {
		return r.problems
	}
	return nil
}

type reader struct {
	strict   bool
	problems readError
}

func (r *reader) wrong(at, what string) {
	if len(r.problems) < maxShown {
		r.problems = append(r.problems, strings.TrimPrefix(at, ".")+": "+what)
	}
}

var (
	timeType  = reflect.TypeFor[time.Time]()
	dayType   = reflect.TypeFor[bank.Day]()
	plainType = reflect.TypeFor[string]()
	bytesType = reflect.TypeFor[[]byte]()
	anyType   = reflect.TypeFor[any]()
)

// value reads one value; the tag bounds text.
func (r *reader) value(at string, from any, to reflect.Value, tag reflect.StructTag) {
	switch to.Type() {
	case anyType:
		to.Set(reflect.ValueOf(&from).Elem())
		return
	case timeType:
		r.time(at, from, to)
		return
	case bytesType:
		r.bytes(at, from, to)
		return
	}
	switch to.Kind() {
	case reflect.Struct:
		r.object(at, from, to)
	case reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		r.value(at, from, to.Elem(), tag)
	case reflect.Slice:
		r.list(at, from, to, tag)
	case reflect.Map:
		r.table(at, from, to)
	case reflect.String:
		r.text(at, from, to, tag)
	case reflect.Bool:
		is, ok := from.(bool)
		if !ok {
			r.wrong(at, "must be true or false")
		}
		to.SetBool(is)
	default: // whole numbers; there are no others
		r.number(at, from, to)
	}
}

func (r *reader) object(at string, from any, to reflect.Value) {
	members, ok := from.(map[string]any)
	if !ok {
		r.wrong(at, "must be an object")
		return
	}
	known := 0
	for i := range to.NumField() {
		field := to.Type().Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		value, given := members[name]
		if given {
			known++
		}
		switch {
		case value != nil:
			r.value(at+"."+name, value, to.Field(i), field.Tag)
		case options == "":
			r.wrong(at+"."+name, "is missing")
		}
	}
	if r.strict && known < len(members) {
		r.wrong(at+".", "has members that are not known here")
	}
}

func (r *reader) list(at string, from any, to reflect.Value, tag reflect.StructTag) {
	entries, ok := from.([]any)
	if !ok {
		r.wrong(at, "must be an array")
		return
	}
	to.Set(reflect.MakeSlice(to.Type(), len(entries), len(entries)))
	for i, entry := range entries {
		if len(r.problems) == maxShown {
			return
		}
		r.value(at+"["+strconv.Itoa(i)+"]", entry, to.Index(i), tag)
	}
}

func (r *reader) table(at string, from any, to reflect.Value) {
	members, ok := from.(map[string]any)
	if !ok {
		r.wrong(at, "must be an object")
		return
	}
	to.Set(reflect.MakeMapWithSize(to.Type(), len(members)))
	for name, member := range members {
		if !bank.Printable(name) || name == "" {
			r.wrong(at, "has a name that cannot be printed")
			continue
		}
		value := reflect.New(to.Type().Elem()).Elem()
		r.value(at+"."+name, member, value, "")
		to.SetMapIndex(reflect.ValueOf(name).Convert(to.Type().Key()), value)
	}
}

// text reads text. Names by which either side calls something are never
// changed: one that cannot be printed is wrong.
func (r *reader) text(at string, from any, to reflect.Value, tag reflect.StructTag) {
	s, ok := from.(string)
	if !ok {
		r.wrong(at, "must be text")
		return
	}
	if !bank.Printable(s) {
		if r.strict || to.Type() != plainType {
			r.wrong(at, "has characters that cannot be printed")
			return
		}
		s = printable(s)
	}
	if why := bounded(s, to.Type() == dayType, tag); why != "" {
		r.wrong(at, why)
		return
	}
	to.SetString(s)
}

func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if bank.Printable(string(c)) {
			return c
		}
		return ' '
	}, s)
}

func bounded(s string, day bool, tag reflect.StructTag) string {
	if words := tag.Get("enum"); words != "" && !strings.Contains(","+words+",", ","+s+",") {
		return "must be one of " + words
	}
	if most, err := strconv.Atoi(tag.Get("maxLength")); err == nil && utf8.RuneCountInString(s) > most {
		return fmt.Sprintf("must have at most %d characters", most)
	}
	if least, err := strconv.Atoi(tag.Get("minLength")); err == nil && utf8.RuneCountInString(s) < least {
		return fmt.Sprintf("must have at least %d characters", least)
	}
	if pattern := tag.Get("pattern"); pattern != "" && !matches(pattern, s) {
		return "must look like " + pattern
	}
	if day {
		if _, err := bank.ParseDay(s); err != nil {
			return "must be a day such as 2026-03-02"
		}
	}
	return ""
}

var patterns sync.Map // of the tags, compiled

func matches(pattern, s string) bool {
	compiled, known := patterns.Load(pattern)
	if !known {
		compiled, _ = patterns.LoadOrStore(pattern, regexp.MustCompile(pattern))
	}
	return compiled.(*regexp.Regexp).MatchString(s)
}

func (r *reader) number(at string, from any, to reflect.Value) {
	n, ok := from.(float64)
	if !ok || n != math.Trunc(n) || math.Abs(n) > exact {
		r.wrong(at, "must be a whole number")
		return
	}
	to.SetInt(int64(n))
}

// Years that a time may lie in: a host that writes others has made a mistake.
const firstYear, lastYear = 1900, 2999

// time reads a time as exactly as a database keeps it.
func (r *reader) time(at string, from any, to reflect.Value) {
	s, _ := from.(string)
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.UTC().Year() < firstYear || t.UTC().Year() > lastYear {
		r.wrong(at, "must be a time such as 2026-03-02T17:04:05Z")
		return
	}
	to.Set(reflect.ValueOf(t.UTC().Truncate(time.Microsecond)))
}

func (r *reader) bytes(at string, from any, to reflect.Value) {
	s, ok := from.(string)
	b, err := base64.StdEncoding.DecodeString(s)
	if !ok || err != nil {
		r.wrong(at, "must be Base64")
		return
	}
	to.SetBytes(b)
}

// problemsOf are the problems of what could not be read.
func problemsOf(err error) []string {
	if all, ok := errors.AsType[readError](err); ok {
		return all
	}
	return []string{err.Error()}
}
