package scim

import (
	"maps"
	"slices"
	"strings"
)

// Names of schemas and messages.
const (
	urnUser   = "urn:ietf:params:scim:schemas:core:2.0:User"
	urnGroup  = "urn:ietf:params:scim:schemas:core:2.0:Group"
	urnError  = "urn:ietf:params:scim:api:messages:2.0:Error"
	urnList   = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	urnSearch = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
	urnPatch  = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	urnBulk   = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
	urnBulked = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
)

// An attribute is one of a schema (RFC 7643, section 7), as it is told and as
// requests are read by it.
type attribute struct {
	Name        string      `json:"name"`
	Type        string      `json:"type"`
	Multi       bool        `json:"multiValued"`
	Description string      `json:"description"`
	Required    bool        `json:"required"`
	CaseExact   bool        `json:"caseExact"`
	Mutability  string      `json:"mutability"`
	Returned    string      `json:"returned"`
	Uniqueness  string      `json:"uniqueness"`
	References  []string    `json:"referenceTypes,omitempty"`
	Subs        []attribute `json:"subAttributes,omitempty"`
}

// A schema is what a kind of resource is made of.
type schema struct {
	urn         string
	name        string
	description string
	attributes  []attribute // without those that every resource has
}

func text(name, description string) attribute {
	return attribute{Name: name, Type: "string", Description: description, Mutability: "readWrite", Returned: "default", Uniqueness: "none"}
}

func (a attribute) readOnly() attribute  { a.Mutability = "readOnly"; return a }
func (a attribute) immutable() attribute { a.Mutability = "immutable"; return a }
func (a attribute) required() attribute  { a.Required = true; return a }
func (a attribute) exact() attribute     { a.CaseExact = true; return a }
func (a attribute) unique() attribute    { a.Uniqueness = "server"; return a }

func (a attribute) typed(kind string) attribute { a.Type = kind; return a }

func (a attribute) to(references ...string) attribute {
	a.Type, a.References, a.CaseExact = "reference", references, true
	return a
}

func complexOf(name, description string, subs ...attribute) attribute {
	a := text(name, description).typed("complex")
	a.Subs = subs
	return a
}

func (a attribute) many() attribute { a.Multi = true; return a }

var userSchema = &schema{urnUser, "User", "A staff user of the institution", []attribute{
	text("userName", "The address by which the user signs in and gets mail. It never changes.").required().unique().immutable(),
	complexOf("name", "The user's name",
		text("formatted", "First and last name").readOnly(), text("familyName", "Last name"), text("givenName", "First name")),
	text("displayName", "How the user is shown").readOnly(),
	complexOf("emails", "The user's address: the userName",
		text("value", "The address"), text("display", "The address").readOnly(), text("type", "work"), text("primary", "Whether it is the first").typed("boolean")).many(),
	complexOf("phoneNumbers", "The user's phone number: the first, or the primary one",
		text("value", "The number"), text("display", "The number").readOnly(), text("type", "work"), text("primary", "Whether it is the first").typed("boolean")).many(),
	text("timezone", "The IANA name of the user's time zone; without one it is the institution's"),
	text("active", "Whether the user may sign in. Who is switched off loses every sign-in at once.").typed("boolean"),
	complexOf("groups", "The user's groups",
		text("value", "The group's id").exact().readOnly(), text("$ref", "The group's address").to("Group").readOnly(),
		text("display", "The group's name").readOnly(), text("type", "direct").readOnly()).many().readOnly(),
}}

var groupSchema = &schema{urnGroup, "Group", "A group of staff users. What it permits is decided in the console.", []attribute{
	text("displayName", "The group's name").required().unique(),
	complexOf("members", "Who belongs to the group",
		text("value", "The user's id").exact().immutable(), text("$ref", "The user's address").to("User").immutable(),
		text("display", "The user's name").readOnly(), text("type", "User").immutable()).many(),
}}

// common are the attributes that every resource has.
var common = []attribute{
	text("id", "Our name for the resource").exact().readOnly().unique().alwaysShown(),
	text("externalId", "The directory's own name for the resource").exact(),
	complexOf("meta", "About the resource",
		text("resourceType", "Its kind").exact().readOnly(), text("created", "When it was made").typed("dateTime").readOnly(),
		text("location", "Its address").to("uri").readOnly(), text("version", "Its ETag").exact().readOnly()).readOnly(),
	text("schemas", "What it is made of").many().exact().readOnly().alwaysShown(),
}

func (a attribute) alwaysShown() attribute { a.Returned = "always"; return a }

// find is the attribute of a name, in any case; nil where there is none.
func find(in []attribute, name string) *attribute {
	i := slices.IndexFunc(in, func(a attribute) bool { return strings.EqualFold(a.Name, name) })
	if i < 0 {
		return nil
	}
	return &in[i]
}

func (s *schema) find(name string) *attribute {
	if a := find(s.attributes, name); a != nil {
		return a
	}
	return find(common, name)
}

// canonical is a resource as a directory sent it, with our names and types, and
// without what we do not keep. Values of a wrong type stay, for the reading to
// complain about.
func (s *schema) canonical(from map[string]any) map[string]any {
	out := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(from)) {
		a, value := s.find(name), from[name]
		if a == nil || value == nil || a.Mutability == "readOnly" {
			continue
		}
		out[a.Name] = a.canonical(value)
	}
	return out
}

func (a *attribute) canonical(value any) any {
	if a.Multi {
		list, ok := value.([]any)
		if !ok {
			list = []any{value}
		}
		out := make([]any, 0, len(list))
		for _, one := range list {
			out = append(out, a.one(one))
		}
		return out
	}
	return a.one(value)
}

// one is one value of an attribute. Booleans may come as text.
func (a *attribute) one(value any) any {
	if a.Type == "boolean" {
		if s, ok := value.(string); ok && strings.EqualFold(s, "true") {
			return true
		} else if ok && strings.EqualFold(s, "false") {
			return false
		}
	}
	object, ok := value.(map[string]any)
	if a.Type != "complex" {
		return value
	}
	if !ok { // a list of plain values, as some directories send
		return map[string]any{"value": value}
	}
	out := map[string]any{}
	for name, v := range object {
		if sub := find(a.Subs, name); sub != nil && v != nil {
			out[sub.Name] = sub.one(v)
		}
	}
	return out
}
