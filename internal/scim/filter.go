package scim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	parser "github.com/scim2/filter-parser/v2"

	"mandate/internal/fault"
)

// A filter is a parsed expression over a schema, every name of which is known.
type filter struct {
	expression parser.Expression
	schema     *schema
}

func readFilter(s *schema, text string) (*filter, error) {
	if text = strings.TrimSpace(text); text == "" {
		return nil, nil
	}
	if len(text) > maxFilter {
		return nil, fault.Newf(fault.Invalid, "The filter is longer than %d bytes.", maxFilter).With(invalidFilter)
	}
	expression, err := parser.ParseFilterNumber([]byte(text))
	if err != nil {
		return nil, fault.New(fault.Invalid, "The filter cannot be read. It is like: userName eq \"ana@bank.example\" and active eq true.").With(invalidFilter)
	}
	f := &filter{expression, s}
	return f, f.check(expression, s.attributes, true)
}

// maxFilter bounds a filter, and a path: what reading the worst of them costs
// grows with the square of its length.
const maxFilter = 4000

// check refuses names that the schema does not have, at the top or within an
// attribute.
func (f *filter) check(e parser.Expression, in []attribute, top bool) error {
	switch e := e.(type) {
	case *parser.LogicalExpression:
		if err := f.check(e.Left, in, top); err != nil {
			return err
		}
		return f.check(e.Right, in, top)
	case *parser.NotExpression:
		return f.check(e.Expression, in, top)
	case *parser.ValuePath:
		a, err := f.named(e.AttributePath, in, top)
		if err != nil {
			return err
		}
		return f.check(e.ValueFilter, a.Subs, false)
	case *parser.AttributeExpression:
		a, err := f.named(e.AttributePath, in, top)
		if err == nil && a.Type == "boolean" && e.Operator != parser.EQ && e.Operator != parser.NE && e.Operator != parser.PR {
			err = fault.Newf(fault.Invalid, "%s is true or false: it can only be compared with eq or ne.", a.Name).With(invalidFilter)
		}
		return err
	}
	return fault.New(fault.Invalid, "The filter cannot be read.").With(invalidFilter)
}

func (f *filter) named(p parser.AttributePath, in []attribute, top bool) (*attribute, error) {
	a := find(in, p.AttributeName)
	if a == nil && top {
		a = find(common, p.AttributeName)
	}
	if a != nil && p.SubAttribute != nil {
		a = find(a.Subs, *p.SubAttribute)
	}
	if a == nil || p.URIPrefix != nil && !strings.EqualFold(strings.TrimSuffix(*p.URIPrefix, ":"), f.schema.urn) {
		return nil, fault.Newf(fault.Invalid, "The filter asks about %s, which is not an attribute of a %s.", p.String(), f.schema.name).With(invalidFilter)
	}
	return a, nil
}

// indexed is the one comparison of a filter that finds a resource by an index.
func (f *filter) indexed() (key, value string, ok bool) {
	e, is := f.expression.(*parser.AttributeExpression)
	if !is || e.Operator != parser.EQ || e.AttributePath.SubAttribute != nil {
		return "", "", false
	}
	value, is = e.CompareValue.(string)
	a := f.schema.find(e.AttributePath.AttributeName)
	if !is || value == "" || a == nil {
		return "", "", false
	}
	switch {
	case a.Name == "id" || a.Name == "externalId":
	case f.schema == userSchema && a.Name == "userName":
	case f.schema == groupSchema && a.Name == "displayName":
	default:
		return "", "", false
	}
	return a.Name, value, true
}

// fits reports whether a resource, in our names, is one that the filter wants.
func (f *filter) fits(resource map[string]any) bool {
	return f.holds(f.expression, resource, append(f.schema.attributes, common...))
}

func (f *filter) holds(e parser.Expression, object map[string]any, in []attribute) bool {
	switch e := e.(type) {
	case *parser.LogicalExpression:
		if e.Operator == parser.AND {
			return f.holds(e.Left, object, in) && f.holds(e.Right, object, in)
		}
		return f.holds(e.Left, object, in) || f.holds(e.Right, object, in)
	case *parser.NotExpression:
		return !f.holds(e.Expression, object, in)
	case *parser.ValuePath:
		a := find(in, e.AttributePath.AttributeName)
		for _, one := range listOf(object[a.Name]) {
			if inner, ok := one.(map[string]any); ok && f.holds(e.ValueFilter, inner, a.Subs) {
				return true
			}
		}
		return false
	case *parser.AttributeExpression:
		a := find(in, e.AttributePath.AttributeName)
		values := listOf(object[a.Name])
		if a.Type == "complex" {
			sub := find(a.Subs, cmp.Or(e.AttributePath.SubAttributeName(), "value"))
			if sub == nil { // "name pr" asks whether there is any
				return e.Operator == parser.PR && len(values) > 0
			}
			values, a = inside(values, sub.Name), sub
		}
		return compareAny(a, e, values)
	}
	return false
}

// listOf are the values of an attribute that may have several.
func listOf(value any) []any {
	if list, ok := value.([]any); ok {
		return list
	}
	if value == nil {
		return nil
	}
	return []any{value}
}

func inside(values []any, name string) (out []any) {
	for _, v := range values {
		if object, ok := v.(map[string]any); ok && object[name] != nil {
			out = append(out, object[name])
		}
	}
	return out
}

// compareAny reports whether any value fits. What is absent is not equal to
// anything.
func compareAny(a *attribute, e *parser.AttributeExpression, values []any) bool {
	if e.Operator == parser.PR {
		return len(values) > 0
	}
	if len(values) == 0 {
		return e.Operator == parser.NE && e.CompareValue != nil || e.Operator == parser.EQ && e.CompareValue == nil
	}
	for _, v := range values {
		if compare(a, e.Operator, v, e.CompareValue) {
			return true
		}
	}
	return false
}

func compare(a *attribute, op parser.CompareOperator, is, wanted any) bool {
	if b, ok := is.(bool); ok {
		return (a.one(wanted) == b) == (op == parser.EQ)
	}
	left, right := fmt.Sprint(is), plain(wanted)
	if !a.CaseExact {
		left, right = strings.ToLower(left), strings.ToLower(right)
	}
	switch op {
	case parser.EQ:
		return left == right
	case parser.NE:
		return left != right
	case parser.CO:
		return strings.Contains(left, right)
	case parser.SW:
		return strings.HasPrefix(left, right)
	case parser.EW:
		return strings.HasSuffix(left, right)
	case parser.GT:
		return left > right
	case parser.GE:
		return left >= right
	case parser.LT:
		return left < right
	case parser.LE:
		return left <= right
	}
	return false
}

func plain(wanted any) string {
	if number, ok := wanted.(json.Number); ok {
		return number.String()
	}
	return fmt.Sprint(wanted)
}
