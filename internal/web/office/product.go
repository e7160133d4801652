package office

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"mandate/internal/fault"
	"mandate/internal/host"
)

// An API is the product's API, as the host of one institution calls it.
type API struct {
	Origin string // such as https://api.bank.example
	Key    string // of a client that was made as the host
}

var _ Product = API{}

// Bounds of a call.
const (
	apiTime   = 20 * time.Second // a refusal takes its time on purpose
	maxAnswer = 64 << 10
)

var apiClient = &http.Client{Timeout: apiTime, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

type signIn struct {
	Token string   `json:"token"`
	Stage string   `json:"stage"`
	Code  bool     `json:"code"`
	User  host.Ref `json:"user"`
}

func (s signIn) entered(token string) Entered {
	if s.Token != "" {
		token = s.Token
	}
	return Entered{Token: token, Stage: s.Stage, Codes: s.Code, User: s.User}
}

// SignIn tries a username and a password.
func (a API) SignIn(ctx context.Context, username, password string, from Visitor) (Entered, error) {
	var s signIn
	err := a.post(ctx, "/sign-ins", map[string]string{"username": username, "password": password, "ip": from.IP, "device": from.Device}, &s)
	return s.entered(""), err
}

// Code completes a sign-in with a one-time code.
func (a API) Code(ctx context.Context, token, code string, from Visitor) (Entered, error) {
	var s signIn
	err := a.post(ctx, "/sign-ins/code", map[string]string{"token": token, "code": code, "ip": from.IP, "device": from.Device}, &s)
	return s.entered(token), err
}

// Session is the sign-in of a token.
func (a API) Session(ctx context.Context, token string, from Visitor) (Entered, error) {
	var s signIn
	err := a.post(ctx, "/sign-ins/look", map[string]string{"token": token, "ip": from.IP, "device": from.Device}, &s)
	return s.entered(token), err
}

// SignOut ends a sign-in.
func (a API) SignOut(ctx context.Context, token string) error {
	return a.post(ctx, "/sign-ins/end", map[string]string{"token": token}, nil)
}

// Enrol makes somebody's credentials.
func (a API) Enrol(ctx context.Context, user host.Ref, username, password string, from Visitor) error {
	return a.post(ctx, "/enrolments", map[string]string{"user": string(user), "username": username, "password": password, "ip": from.IP, "device": from.Device}, nil)
}

// Ticket is a way into Online.
func (a API) Ticket(ctx context.Context, token string, from Visitor) (string, error) {
	var t struct {
		Path string `json:"path"`
	}
	err := a.post(ctx, "/sign-ins/ticket", map[string]string{"token": token, "ip": from.IP, "device": from.Device}, &t)
	return t.Path, err
}

var errNoProduct = fault.New(fault.Unavailable, "This is not possible just now: Online does not answer. Try again.")

func (a API) post(ctx context.Context, path string, body map[string]string, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.Origin+"/api/v1/classic"+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+a.Key)
	got, err := apiClient.Do(r)
	if err != nil {
		return errNoProduct.Because(err)
	}
	defer got.Body.Close()
	text, err = io.ReadAll(io.LimitReader(got.Body, maxAnswer))
	switch {
	case err != nil:
		return errNoProduct.Because(err)
	case got.StatusCode >= 300:
		return refusal(got.StatusCode, text)
	case answer == nil:
		return nil
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return errNoProduct.Because(err)
	}
	return nil
}

// kinds are what refusals of the product mean here. That our key is refused is
// not the person's business.
var kinds = map[int]fault.Kind{
	http.StatusUnprocessableEntity: fault.Invalid,
	http.StatusConflict:            fault.Conflict,
	http.StatusNotFound:            fault.Conflict, // a user whom the product cannot have
	http.StatusTooManyRequests:     fault.TooMany,
}

// signedOutCodes are refusals of the person, not of our key.
var signedOutCodes = map[string]bool{"SIGN_IN_REFUSED": true, "SIGNED_OUT": true}

func refusal(status int, text []byte) error {
	var p struct {
		Detail string `json:"detail"`
		Code   string `json:"code"`
		Errors []struct {
			Field  string `json:"field"`
			Detail string `json:"detail"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return errNoProduct.Because(fmt.Errorf("status %d: %w", status, err))
	}
	kind, known := kinds[status]
	if status == http.StatusUnauthorized && signedOutCodes[p.Code] {
		kind, known = fault.Unauthorized, true
	}
	if !known {
		return errNoProduct.Because(fmt.Errorf("status %d: %s %s", status, p.Code, p.Detail))
	}
	f := fault.New(kind, p.Detail).With(p.Code)
	for _, e := range p.Errors {
		f.Problems = append(f.Problems, fault.Problem{Field: strings.TrimPrefix(e.Field, "body."), Sentence: e.Detail})
	}
	return f
}
