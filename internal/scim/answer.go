package scim

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"mandate/internal/fault"
	"mandate/internal/ijson"
	"mandate/internal/staff"
)

const contentType = "application/scim+json"

// Error types of the protocol (RFC 7644, table 9). They are the codes of faults
// that this package makes.
const (
	invalidFilter = "invalidFilter"
	invalidSyntax = "invalidSyntax"
	invalidPath   = "invalidPath"
	invalidValue  = "invalidValue"
	noTarget      = "noTarget"
	tooMany       = "tooMany"
	mutability    = "mutability"
	uniqueness    = "uniqueness"
)

const codeStale = "PRECONDITION_FAILED"

var errStale = fault.New(fault.Conflict, "The resource has changed since that version. Read it again.").With(codeStale)

// scimTypes are the error types of codes that the rooms give.
var scimTypes = map[string]string{staff.CodeTaken: uniqueness, staff.CodeImmutable: mutability,
	invalidFilter: invalidFilter, invalidSyntax: invalidSyntax, invalidPath: invalidPath, invalidValue: invalidValue,
	noTarget: noTarget, tooMany: tooMany, mutability: mutability}

type errorBody struct {
	Schemas []string `json:"schemas"`
	Type    string   `json:"scimType,omitempty"`
	Detail  string   `json:"detail"`
	Status  string   `json:"status"`
}

// errorOf is a fault as the protocol shows it, with all its problems.
func errorOf(status int, f *fault.Error) errorBody {
	if f.Code == codeStale {
		status = http.StatusPreconditionFailed
	}
	b := errorBody{Schemas: []string{urnError}, Type: scimTypes[f.Code], Detail: f.Sentence, Status: strconv.Itoa(status)}
	if b.Type == "" && status == http.StatusBadRequest {
		b.Type = invalidValue
	}
	for _, p := range f.Problems {
		b.Detail += " " + p.Field + ": " + p.Sentence
	}
	return b
}

func refuse(w http.ResponseWriter, _ *http.Request, status int, f *fault.Error) {
	b := errorOf(status, f)
	status, _ = strconv.Atoi(b.Status) // it was written as a number
	write(w, answer{status: status, body: b})
}

func write(w http.ResponseWriter, a answer) {
	if a.version != "" {
		w.Header().Set("ETag", a.version)
	}
	if a.location != "" {
		w.Header().Set("Location", a.location)
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(a.status)
	_, _ = w.Write(encode(a.body)) // the caller is gone; nothing is left to tell it
}

func encode(value any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic("scim: " + err.Error()) // only values of this package are passed
	}
	return b.Bytes()
}

// readBody reads the object of a request. Numbers and names are read strictly;
// which members mean something is decided later.
func readBody(r *http.Request) (map[string]any, error) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	value, err := ijson.Parse(data, ijson.Limits{Depth: maxDepth, Values: maxValues})
	if wrong, ok := errors.AsType[*ijson.Error](err); ok {
		return nil, fault.New(fault.Invalid, "The body is not the JSON that is expected: "+wrong.Error()+".").With(invalidSyntax)
	}
	if err != nil {
		return nil, err
	}
	body, ok := value.(map[string]any)
	if !ok {
		return nil, fault.New(fault.Invalid, "The body must be a JSON object.").With(invalidSyntax)
	}
	return body, nil
}

// etag is the version of a resource: what is shown of it. It is weak, since the
// same resource can be shown in part.
func etag(resource map[string]any) string {
	whole := map[string]any{}
	for name, value := range resource {
		if name != "meta" {
			whole[name] = value
		}
	}
	sum := sha256.Sum256(encode(whole)) // names are in order
	return `W/"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}

// matches reports whether a list of versions has one; "*" has every one.
func matches(list, version string) bool {
	for one := range strings.SplitSeq(list, ",") {
		one = strings.TrimSpace(one)
		if one == "*" || strings.TrimPrefix(one, "W/") == strings.TrimPrefix(version, "W/") {
			return true
		}
	}
	return false
}
