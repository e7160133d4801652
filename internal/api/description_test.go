package api

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

var update = flag.Bool("update", false, "write openapi.json anew")

// The committed description is what the code makes: a change of the API shows
// in a change of the file. "go test ./internal/api -update" writes it.
func TestTheDescriptionIsTheCode(t *testing.T) {
	made, err := json.MarshalIndent(New(Config{}).register(http.NewServeMux()).OpenAPI(), "", "  ")
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
		t.Error("openapi.json is not what the code describes; write it anew with: go test ./internal/api -update")
	}
}

// Somebody else's reader understands the description.
func TestTheDescriptionIsValid(t *testing.T) {
	older, err := New(Config{}).register(http.NewServeMux()).OpenAPI().Downgrade()
	if err != nil {
		t.Fatal(err)
	}
	document, err := openapi3.NewLoader().LoadFromData(older)
	if err != nil {
		t.Fatal(err)
	}
	if err := document.Validate(context.Background()); err != nil {
		t.Error(err)
	}
	for path, item := range document.Paths.Map() {
		for method, operation := range item.Operations() {
			if operation.OperationID == "" || operation.Summary == "" || operation.Responses.Value("401") == nil || len(*operation.Security) != 1 {
				t.Errorf("%s %s is not described whole", method, path)
			}
		}
	}
	for name := range document.Components.Schemas {
		if strings.ContainsAny(name, "-_ ") || strings.HasSuffix(name, "Body") || strings.HasPrefix(name, "Error") {
			t.Errorf("the schema %q has a made-up name", name)
		}
	}
}
