package scim

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	parser "github.com/scim2/filter-parser/v2"

	"mandate/internal/fault"
)

// An operation is one step of a PATCH (RFC 7644, section 3.5.2).
type operation struct {
	op    string // add, replace or remove
	path  string // empty: the value names the attributes
	value any
}

// readOperations reads the steps of a PATCH. Directories write their names in
// any case.
func readOperations(body map[string]any) (operations []operation, err error) {
	list, ok := member(body, "Operations").([]any)
	if !ok || len(list) == 0 {
		return nil, fault.New(fault.Invalid, "Operations must be a list with at least one operation.").With(invalidSyntax)
	}
	if len(list) > maxOperations {
		return nil, fault.Newf(fault.Invalid, "There are %d operations. The most is %d.", len(list), maxOperations).With(tooMany)
	}
	for _, one := range list {
		object, _ := one.(map[string]any)
		o := operation{value: member(object, "value")}
		op, _ := member(object, "op").(string)
		o.op = strings.ToLower(op)
		if !slices.Contains([]string{"add", "replace", "remove"}, o.op) {
			return nil, fault.New(fault.Invalid, "Each operation must have an op: add, replace or remove.").With(invalidSyntax)
		}
		if path := member(object, "path"); path != nil {
			if o.path, ok = path.(string); !ok || len(o.path) > maxFilter {
				return nil, fault.New(fault.Invalid, "A path must be text.").With(invalidPath)
			}
		}
		operations = append(operations, o)
	}
	return operations, nil
}

// member is the value of a name in any case.
func member(object map[string]any, name string) any {
	if value, ok := object[name]; ok {
		return value
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if strings.EqualFold(key, name) {
			return object[key]
		}
	}
	return nil
}

// patch is a resource after the operations, which all work or none does.
func patch(s *schema, resource map[string]any, operations []operation) (map[string]any, error) {
	p := patcher{s, copyOf(resource).(map[string]any)}
	for _, o := range operations {
		if err := p.apply(o); err != nil {
			return nil, err
		}
	}
	return p.resource, nil
}

type patcher struct {
	schema   *schema
	resource map[string]any
}

func (p *patcher) apply(o operation) error {
	if o.path != "" {
		return p.at(o, true)
	}
	values, ok := o.value.(map[string]any)
	if !ok || o.op == "remove" {
		return fault.New(fault.Invalid, "An operation without a path must have an object as its value, and cannot be remove.").With(noTarget)
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if err := p.at(operation{o.op, name, values[name]}, false); err != nil {
			return err
		}
	}
	return nil
}

// at does an operation at its path. Of what a value merely carries along, such
// as its id, nothing is changed; whoever names it in a path is refused.
func (p *patcher) at(o operation, named bool) error {
	if name, found := strings.CutPrefix(strings.ToLower(o.path), strings.ToLower(p.schema.urn)+":"); found {
		o.path = o.path[len(o.path)-len(name):]
	} else if strings.HasPrefix(strings.ToLower(o.path), "urn:") {
		return nil // of an extension, which we do not keep
	}
	if len(o.path) > maxFilter {
		return fault.Newf(fault.Invalid, "A path is longer than %d bytes.", maxFilter).With(invalidPath)
	}
	path, err := parser.ParsePathNumber([]byte(o.path))
	if err != nil {
		return fault.New(fault.Invalid, "A path cannot be read. It is like: name.familyName, or members[value eq \"stf_1\"].").With(invalidPath)
	}
	a := p.schema.find(path.AttributePath.AttributeName)
	if a == nil {
		return nil // what we do not keep
	}
	if a.Mutability == "readOnly" {
		if named && a.Name != "displayName" {
			return fault.Newf(fault.Invalid, "%s cannot be changed here.", a.Name).With(mutability)
		}
		return nil
	}
	sub, err := subOf(a, path)
	if err != nil || sub != nil && sub.Mutability == "readOnly" {
		return err
	}
	switch {
	case path.ValueExpression != nil:
		return p.some(o, a, sub, path.ValueExpression)
	case sub != nil:
		return p.within(o, a, sub)
	}
	return p.whole(o, a)
}

// subOf is the part of an attribute that a path names; nil where it names none.
func subOf(a *attribute, path parser.Path) (*attribute, error) {
	name := path.AttributePath.SubAttributeName()
	if path.SubAttribute != nil {
		name = *path.SubAttribute
	}
	if name == "" {
		return nil, nil
	}
	sub := find(a.Subs, name)
	if sub == nil {
		return nil, fault.Newf(fault.Invalid, "%s has no part called %s.", a.Name, name).With(invalidPath)
	}
	return sub, nil
}

// whole changes an attribute as a whole.
func (p *patcher) whole(o operation, a *attribute) error {
	if o.op == "remove" || o.value == nil {
		if a.Required {
			return fault.Newf(fault.Invalid, "%s cannot be removed.", a.Name).With(mutability)
		}
		if gone := listOf(o.value); a.Multi && len(gone) > 0 { // these, and not all
			p.resource[a.Name] = without(listOf(p.resource[a.Name]), listOf(a.canonical(gone)))
			return nil
		}
		delete(p.resource, a.Name)
		return nil
	}
	value := a.canonical(o.value)
	switch {
	case a.Multi && o.op == "add":
		p.resource[a.Name] = union(listOf(p.resource[a.Name]), listOf(value))
	case a.Type == "complex" && !a.Multi:
		object, ok := value.(map[string]any)
		if _, plain := object["value"]; !ok || plain {
			return fault.Newf(fault.Invalid, "%s must be an object.", a.Name).With(invalidValue)
		}
		merged, _ := p.resource[a.Name].(map[string]any)
		if merged == nil {
			merged = map[string]any{}
		}
		maps.Copy(merged, object)
		p.resource[a.Name] = merged
	default:
		p.resource[a.Name] = value
	}
	return nil
}

// within changes one part of an attribute, of each value where it has several.
func (p *patcher) within(o operation, a, sub *attribute) error {
	objects := listOf(p.resource[a.Name])
	if len(objects) == 0 && o.op != "remove" {
		objects = []any{map[string]any{}}
	}
	for _, one := range objects {
		change(o, sub, one.(map[string]any))
	}
	p.store(a, objects)
	return nil
}

func (p *patcher) store(a *attribute, objects []any) {
	switch {
	case len(objects) == 0:
		delete(p.resource, a.Name)
	case a.Multi:
		p.resource[a.Name] = objects
	default:
		p.resource[a.Name] = objects[0]
	}
}

func change(o operation, sub *attribute, object map[string]any) {
	if o.op == "remove" || o.value == nil {
		delete(object, sub.Name)
		return
	}
	object[sub.Name] = sub.one(o.value)
}

// some changes those values of an attribute that fit a filter.
func (p *patcher) some(o operation, a, sub *attribute, wanted parser.Expression) error {
	if !a.Multi || a.Subs == nil {
		return fault.Newf(fault.Invalid, "%s has one value: there is nothing to choose.", a.Name).With(invalidPath)
	}
	f := &filter{wanted, p.schema}
	if err := f.check(wanted, a.Subs, false); err != nil {
		return err
	}
	var objects, fitting []any
	for _, one := range listOf(p.resource[a.Name]) {
		if f.holds(wanted, one.(map[string]any), a.Subs) {
			fitting = append(fitting, one)
			if o.op == "remove" && sub == nil {
				continue
			}
		}
		objects = append(objects, one)
	}
	if o.op == "remove" && sub == nil {
		p.store(a, objects)
		return nil
	}
	if len(fitting) == 0 && o.op != "remove" { // directories count on its being made
		made, err := madeOf(wanted)
		if err != nil {
			return err
		}
		one := a.one(made)
		objects, fitting = append(objects, one), []any{one}
	}
	for _, one := range fitting {
		object := one.(map[string]any)
		if sub != nil {
			change(o, sub, object)
		} else if given, ok := a.one(o.value).(map[string]any); ok {
			maps.Copy(object, given)
		}
	}
	p.store(a, objects)
	return nil
}

// madeOf is the value that a filter of plain comparisons describes.
func madeOf(e parser.Expression) (map[string]any, error) {
	switch e := e.(type) {
	case *parser.AttributeExpression:
		if e.Operator == parser.EQ {
			value := e.CompareValue
			if number, ok := value.(json.Number); ok {
				value = number.String()
			}
			return map[string]any{e.AttributePath.AttributeName: value}, nil
		}
	case *parser.LogicalExpression:
		if e.Operator == parser.AND {
			left, err := madeOf(e.Left)
			if err != nil {
				return nil, err
			}
			right, err := madeOf(e.Right)
			maps.Copy(left, right)
			return left, err
		}
	}
	return nil, fault.New(fault.Invalid, "Nothing fits the filter of the path.").With(noTarget)
}

// union adds values that are not there yet; those with a value of their own are
// the same where these are.
func union(is, more []any) []any {
	for _, one := range more {
		if !slices.ContainsFunc(is, func(there any) bool { return same(there, one) }) {
			is = append(is, one)
		}
	}
	return is
}

func without(is, gone []any) []any {
	return slices.DeleteFunc(is, func(there any) bool {
		return slices.ContainsFunc(gone, func(one any) bool { return same(there, one) })
	})
}

func same(a, b any) bool {
	x, one := a.(map[string]any)
	y, other := b.(map[string]any)
	if one && other && x["value"] != nil {
		return x["value"] == y["value"]
	}
	return reflect.DeepEqual(a, b)
}

func copyOf(value any) any {
	switch value := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(value))
		for name, v := range value {
			out[name] = copyOf(v)
		}
		return out
	case []any:
		out := make([]any, len(value))
		for i, v := range value {
			out[i] = copyOf(v)
		}
		return out
	}
	return value
}
