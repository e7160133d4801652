package fineract

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"mandate/internal/bank"
)

// Words of the protocol.
const (
	tenantHeader = "Fineract-Platform-TenantId"
	keyHeader    = "Idempotency-Key"
	servedHeader = "x-served-from-cache" // the answer is the one that was given before
	locale       = "en"
	dateFormat   = "yyyy-MM-dd"
)

// A failure is a no of Fineract in the form that it publishes. It repeats none of
// its sentences: they name people, accounts and amounts.
type failure struct {
	status int
	codes  []string // userMessageGlobalisationCode, the outer one first
	served bool     // from what it answered before under the same key
}

func (f *failure) Error() string {
	return fmt.Sprintf("fineract answers %d (%s)", f.status, strings.Join(f.codes, ", "))
}

// missing reports whether an error says that something is not there. A 404 of
// anybody else, such as of a proxy, is no failure in Fineract's form.
func missing(err error) bool {
	f, ok := errors.AsType[*failure](err)
	return ok && f.status == http.StatusNotFound
}

// A request is one call. Its key makes it happen once.
type request struct {
	method string
	path   string
	query  url.Values
	key    string
	body   any
}

// call sends a request and reads what a 200 brings into into. Anything else than
// that or a failure means that it is not known what came of it.
func (c *Connector) call(ctx context.Context, institution bank.InstitutionID, r request, into any) error {
	house, err := c.house(institution)
	if err != nil {
		return err
	}
	prepared, err := c.prepare(ctx, house, r)
	if err != nil {
		return err
	}
	response, err := c.http.Do(prepared)
	if err != nil {
		return fmt.Errorf("fineract: %s %s: %w", r.method, r.path, cause(err))
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return fmt.Errorf("fineract: %s %s: read the answer: %w", r.method, r.path, cause(err))
	case len(text) > maxAnswer:
		return fmt.Errorf("fineract: %s %s: the answer is longer than %d bytes", r.method, r.path, maxAnswer)
	case response.StatusCode != http.StatusOK:
		return fmt.Errorf("%s %s: %w", r.method, r.path, failed(response, text))
	}
	if err := read(text, into); err != nil {
		return fmt.Errorf("fineract: %s %s: the answer cannot be read: %w", r.method, r.path, err)
	}
	return nil
}

func (c *Connector) prepare(ctx context.Context, house *House, r request) (*http.Request, error) {
	at := *c.base
	at.Path += "/" + r.path
	at.RawQuery = r.query.Encode()
	var body io.Reader
	if r.body != nil {
		text, err := json.Marshal(r.body)
		if err != nil {
			return nil, fmt.Errorf("fineract: write the request: %w", err)
		}
		body = bytes.NewReader(text)
	}
	prepared, err := http.NewRequestWithContext(ctx, r.method, at.String(), body)
	if err != nil {
		return nil, fmt.Errorf("fineract: make the request: %w", err)
	}
	// Without it net/http asks again by itself where a key is set and the connection
	// broke: only an order that was looked for first is asked again.
	prepared.GetBody = nil
	prepared.SetBasicAuth(house.Username, string(house.Password))
	prepared.Header.Set(tenantHeader, house.Tenant)
	prepared.Header.Set("Accept", "application/json")
	if body != nil {
		prepared.Header.Set("Content-Type", "application/json")
	}
	if r.key != "" {
		prepared.Header.Set(keyHeader, r.key)
	}
	return prepared, nil
}

// cause leaves the address out of an error: its query names accounts.
func cause(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// failed reads a no. One that is not in Fineract's own form is only a status; one
// that it gave before can be without words.
func failed(response *http.Response, text []byte) error {
	served := response.Header.Get(servedHeader) == "true"
	if served && len(text) == 0 {
		return &failure{status: response.StatusCode, served: true}
	}
	var body struct {
		Code   string `json:"userMessageGlobalisationCode"`
		Errors []struct {
			Code string `json:"userMessageGlobalisationCode"`
		} `json:"errors"`
	}
	if read(text, &body) != nil || !isCode(body.Code) {
		return fmt.Errorf("fineract answers %d, and not in its own form", response.StatusCode)
	}
	f := &failure{status: response.StatusCode, codes: []string{body.Code}, served: served}
	for _, each := range body.Errors {
		if isCode(each.Code) && len(f.codes) < 10 {
			f.codes = append(f.codes, each.Code)
		}
	}
	return f
}

// isCode reports whether a word can be shown: a code and nothing else.
func isCode(code string) bool {
	return code != "" && len(code) <= 120 && !strings.ContainsFunc(code, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !slices.Contains([]rune("._-"), r)
	})
}

// read reads one value. What is not known in it is passed over: Fineract grows.
func read(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(into); err != nil {
		if _, ok := errors.AsType[*json.SyntaxError](err); ok {
			return errors.New("it is no JSON")
		}
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows it")
	}
	return nil
}

// get reads something.
func (c *Connector) get(ctx context.Context, institution bank.InstitutionID, path string, query url.Values, into any) error {
	return c.call(ctx, institution, request{method: http.MethodGet, path: path, query: query}, into)
}

// made is what a command made: its number, and the account that it is on.
type made struct {
	Resource int64 `json:"resourceId"`
	Account  int64 `json:"savingsId"`
}

// post has something done, once for each key.
func (c *Connector) post(ctx context.Context, institution bank.InstitutionID, key, path string, query url.Values, body any) (made, error) {
	var m made
	err := c.call(ctx, institution, request{method: http.MethodPost, path: path, query: query, key: key, body: body}, &m)
	if err == nil && (m.Resource <= 0 || m.Account <= 0) {
		return made{}, fmt.Errorf("fineract: POST %s: the answer does not name what was made; it may wait for a checker there", path)
	}
	return m, err
}
