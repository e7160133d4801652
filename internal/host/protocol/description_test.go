package protocol

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/getkin/kin-openapi/openapi3"
)

var update = flag.Bool("update", false, "write openapi.json anew")

// describe makes the description out of the endpoints and the types.
func describe() *huma.OpenAPI {
	schemas := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	document := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{Title: "Host connector", Version: strconv.Itoa(Version) + ".0.0",
			Description: "What a bank's core answers. Every address wants the key of the institution. Members that are not known: of a request they are refused, of an answer ignored."},
		Components: &huma.Components{Schemas: schemas, SecuritySchemes: map[string]*huma.SecurityScheme{
			"key": {Type: "http", Scheme: "bearer", Description: "The key that the institution gave the product."},
		}},
	}
	for i := range endpoints {
		document.AddOperation(operation(schemas, &endpoints[i]))
	}
	for _, name := range []string{"Order", "AccountQuery"} {
		schemas.Map()[name].AdditionalProperties = false
	}
	return document
}

func operation(schemas huma.Registry, e *endpoint) *huma.Operation {
	op := &huma.Operation{
		OperationID: e.id, Method: e.method, Path: prefix + "{institution}/" + e.name, Summary: e.summary,
		Security:   []map[string][]string{{"key": {}}},
		Parameters: []*huma.Param{{Name: "institution", In: "path", Required: true, Schema: &huma.Schema{Type: "string"}, Description: "The institution, as the product calls it."}},
		Responses:  map[string]*huma.Response{},
	}
	for _, p := range e.query {
		schema := &huma.Schema{Type: "string"}
		if p.page {
			schema = &huma.Schema{Type: "integer", Minimum: new(1.0), Maximum: new(float64(maxPage))}
		}
		for _, word := range p.words {
			schema.Enum = append(schema.Enum, word)
		}
		op.Parameters = append(op.Parameters, &huma.Param{Name: p.name, In: "query", Required: p.needed, Schema: schema, Description: p.doc})
	}
	refuses := map[int][]string{401: {"UNAUTHORIZED"}, 400: {"MALFORMED"}, 500: {"FAILED"}}
	if e.asks != nil {
		refuses[413], refuses[415] = []string{"TOO_LARGE"}, []string{"MALFORMED"}
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: schemaOf(schemas, e.asks)}}}
	}
	if e.id == "carry" {
		op.Parameters = append(op.Parameters, &huma.Param{Name: keyHeader, In: "header", Required: true, Schema: &huma.Schema{Type: "string", Pattern: keyPattern.String()}, Description: "The order's key."})
	}
	answer := map[string]*huma.MediaType{}
	if e.answers == nil {
		for _, kind := range []string{"image/png", "image/jpeg", "image/tiff"} {
			answer[kind] = &huma.MediaType{}
		}
	} else {
		answer["application/json"] = &huma.MediaType{Schema: schemaOf(schemas, e.answers)}
	}
	op.Responses["200"] = &huma.Response{Description: "The answer.", Content: answer}
	for _, p := range e.refuses {
		refuses[p.status] = append(refuses[p.status], p.code)
	}
	for status, codes := range refuses {
		op.Responses[strconv.Itoa(status)] = &huma.Response{Description: strings.Join(codes, ", "), Content: map[string]*huma.MediaType{"application/problem+json": {Schema: schemaOf(schemas, Problem{})}}}
	}
	return op
}

func schemaOf(schemas huma.Registry, of any) *huma.Schema {
	schema := schemas.Schema(reflect.TypeOf(of), true, "")
	for _, made := range schemas.Map() {
		made.AdditionalProperties = nil // what is not known is ignored
		for _, property := range made.Properties {
			property.Nullable = false // nothing is null: it is absent
		}
	}
	return schema
}

// The committed description is what the code makes: a change of the protocol
// shows in a change of the file. "go test ./internal/host/protocol -update"
// writes it.
func TestTheDescriptionIsTheCode(t *testing.T) {
	made, err := json.MarshalIndent(describe(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	made = append(made, '\n')
	if *update {
		if err := os.WriteFile("openapi.json", made, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(made, description) {
		t.Error("openapi.json is not what the code describes; write it anew with: go test ./internal/host/protocol -update")
	}
}

// Somebody else's reader understands the description.
func TestTheDescriptionIsValid(t *testing.T) {
	older, err := describe().Downgrade()
	if err != nil {
		t.Fatal(err)
	}
	document, err := openapi3.NewLoader().LoadFromData(older)
	if err != nil {
		t.Fatal(err)
	}
	if err := document.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	if document.Paths.Len() != len(endpoints) {
		t.Errorf("%d addresses are described, want %d", document.Paths.Len(), len(endpoints))
	}
}
