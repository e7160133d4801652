package oidc

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/luikyv/go-oidc/pkg/goidc"

	"mandate/internal/application"
	"mandate/internal/fault"
	"mandate/internal/grant"
	"mandate/internal/identity"
)

// An answer is what the library would have said, before anybody hears it.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) send(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(max(a.status, http.StatusOK))
	w.Write(a.body.Bytes()) // the caller may be gone; there is nobody left to tell
}

// ask puts a request to the library. It sees the path below the issuer, which
// is what proofs of possession are made for.
func (p *Provider) ask(r *http.Request, t *turn, path string) (*answer, error) {
	engine, err := p.engine(t.issuer)
	if err != nil {
		return nil, err
	}
	inner := r.WithContext(contextWith(r, t))
	inner.URL = &url.URL{Path: path, RawQuery: r.URL.RawQuery}
	inner.RequestURI = path
	inner.Pattern = ""
	out := &answer{header: http.Header{}}
	engine.Handler().ServeHTTP(out, inner)
	if t.failure != nil {
		return out, t.failure
	}
	return out, nil
}

// pass hands a request on as it is.
func (p *Provider) pass(w http.ResponseWriter, r *http.Request, t *turn) {
	out, err := p.ask(r, t, below(r))
	if err != nil {
		p.refuseProgram(w, r, err)
		return
	}
	if below(r) == keysPath {
		w.Header().Set("Access-Control-Allow-Origin", "*")
	}
	out.send(w)
}

// below is the path below the issuer.
func below(r *http.Request) string {
	_, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	return "/" + rest
}

// discovery is the issuer's description of itself: what the library says, with
// what it does not know and without what is not offered.
func (p *Provider) discovery(w http.ResponseWriter, r *http.Request, t *turn) {
	out, err := p.ask(r, t, discoveryPath)
	if err != nil {
		p.refuseProgram(w, r, err)
		return
	}
	described := map[string]any{}
	if err := json.Unmarshal(out.body.Bytes(), &described); err != nil {
		p.refuseProgram(w, r, err)
		return
	}
	delete(described, "registration_endpoint")
	described["response_modes_supported"] = []string{"query"}
	described["end_session_endpoint"] = p.Issuer(t.issuer) + logoutPath
	described["backchannel_logout_supported"] = true
	described["backchannel_logout_session_supported"] = true
	described["prompt_values_supported"] = []string{"none", "login", "consent", "select_account"}
	described["request_parameter_supported"] = false
	described["request_uri_parameter_supported"] = false
	w.Header().Set("Access-Control-Allow-Origin", "*")
	writeJSON(w, http.StatusOK, described)
}

// token answers applications that exchange or give back a token.
func (p *Provider) token(w http.ResponseWriter, r *http.Request, t *turn) {
	if err := readForm(r); err != nil {
		p.refuseProgram(w, r, err)
		return
	}
	out, err := p.ask(r, t, below(r))
	if err != nil {
		p.refuseProgram(w, r, err)
		return
	}
	if out.status == http.StatusUnauthorized {
		out.header.Set("WWW-Authenticate", `Basic realm="mandate"`)
	}
	p.noteUse(r, t, out)
	out.send(w)
}

func (p *Provider) noteUse(r *http.Request, t *turn, out *answer) {
	if out.status >= http.StatusBadRequest {
		return
	}
	for _, a := range t.apps {
		p.Used(r.Context(), a)
	}
}

// readForm reads what an application sent. Each parameter may stand there once
// (RFC 6749, 3.2), in the body alone, and there is one proof of who it is.
func readForm(r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return fault.New(fault.Invalid, "The request could not be read.").Because(err)
	}
	if r.URL.RawQuery != "" {
		return fault.New(fault.Invalid, "Parameters belong into the body.")
	}
	if err := onceEach(r.PostForm); err != nil {
		return err
	}
	id, secret, basic := r.BasicAuth()
	if !basic {
		return nil
	}
	if r.PostForm.Has("client_secret") || r.PostForm.Has("client_assertion") {
		return fault.New(fault.Invalid, "Prove who you are in one way, not in two.")
	}
	plainID, e1 := url.QueryUnescape(id) // RFC 6749, 2.3.1: both are written as in a form
	plainSecret, e2 := url.QueryUnescape(secret)
	if e1 != nil || e2 != nil {
		return fault.New(fault.Invalid, "The credentials are not written as in a form.")
	}
	r.SetBasicAuth(plainID, plainSecret)
	return nil
}

func onceEach(form url.Values) error {
	for name, values := range form {
		if len(values) > 1 {
			return fault.Newf(fault.Invalid, "The parameter %q is there more than once.", name)
		}
		if len(values[0]) > maxParameter {
			return fault.Newf(fault.Invalid, "The parameter %q is longer than %d characters.", name, maxParameter)
		}
	}
	return nil
}

// pushed takes an authorization request by the back channel.
func (p *Provider) pushed(w http.ResponseWriter, r *http.Request, t *turn) {
	err := readForm(r)
	if err == nil {
		err = p.checkRequest(r, t, r.PostForm, false)
	}
	if err != nil {
		p.refuseProgram(w, r, err)
		return
	}
	p.pass(w, r, t)
}

// userInfo tells whoever has an access token about its person. The word before
// the token must be the token's own: one that is bound to a key is no bearer's.
func (p *Provider) userInfo(w http.ResponseWriter, r *http.Request, t *turn) {
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	proof := len(r.Header.Values("DPoP")) > 0
	out, err := p.ask(r, t, userInfoPath)
	switch {
	case errors.Is(err, grant.ErrNobody):
		err, out = nil, &answer{header: http.Header{}, status: http.StatusUnauthorized}
	case err != nil:
		p.refuseProgram(w, r, err)
		return
	case strings.EqualFold(scheme, "DPoP") != proof:
		out = &answer{header: http.Header{}, status: http.StatusUnauthorized}
	}
	if out.status >= http.StatusBadRequest && out.status < http.StatusInternalServerError {
		out.status = http.StatusUnauthorized
		out.header.Set("WWW-Authenticate", challenge(r, proof))
	}
	out.send(w)
}

func challenge(r *http.Request, proof bool) string {
	scheme := "Bearer"
	if proof {
		scheme = `DPoP algs="ES256 PS256 RS256 EdDSA",`
	}
	if r.Header.Get("Authorization") == "" {
		return strings.TrimSuffix(scheme+` realm="mandate"`, ",")
	}
	return scheme + ` error="invalid_token"`
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(value) // the caller may be gone; there is nobody left to tell
}

// codes are what kinds of faults are called in the protocol.
var codes = map[fault.Kind]struct {
	status int
	code   string
}{
	fault.Invalid:     {http.StatusBadRequest, "invalid_request"},
	fault.NotFound:    {http.StatusNotFound, "invalid_request"},
	fault.TooMany:     {http.StatusTooManyRequests, "temporarily_unavailable"},
	fault.Unavailable: {http.StatusServiceUnavailable, "temporarily_unavailable"},
}

// refuseProgram says no to a program. What is not a fault is our failure.
func (p *Provider) refuseProgram(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, grant.ErrNobody) {
		err = goidc.NewError(goidc.ErrorCodeInvalidGrant, "invalid grant")
	}
	if refusal, ok := errors.AsType[goidc.Error](err); ok {
		writeJSON(w, refusal.StatusCode(), map[string]string{"error": string(refusal.Code), "error_description": refusal.Description})
		return
	}
	said, known := codes[fault.KindOf(err)]
	if !known {
		p.Log.ErrorContext(r.Context(), "openid request failed", "route", below(r), "error", err)
		writeJSON(w, http.StatusInternalServerError, map[string]string{"error": "server_error", "error_description": "Something failed on our side."})
		return
	}
	if said.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "60")
	}
	f, _ := errors.AsType[*fault.Error](err)
	writeJSON(w, said.status, map[string]string{"error": said.code, "error_description": f.Sentence})
}

func (p *Provider) refuse(w http.ResponseWriter, r *http.Request, e endpoint, err error) {
	if e.program {
		p.refuseProgram(w, r, err)
		return
	}
	p.problem(w, r, err)
}

// checkRequest looks at an authorization request before the library does: each
// parameter once, the address exactly as registered, nothing by reference that
// was not pushed.
func (p *Provider) checkRequest(r *http.Request, t *turn, form url.Values, front bool) error {
	if err := onceEach(form); err != nil {
		return err
	}
	if form.Has("request") {
		return fault.New(fault.Invalid, "Request objects are not taken. Push the request instead.")
	}
	if to := form.Get("redirect_uri"); to != "" {
		id := form.Get("client_id")
		if basic, _, ok := r.BasicAuth(); ok && !front {
			id = basic
		}
		if id == "" && !front { // it proves who it is by a signature, and the library reads that
			return nil
		}
		a, err := p.lookup(r, t, id)
		if err != nil {
			return err
		}
		if !contains(a.Redirects, to) {
			return fault.New(fault.Invalid, "This is not one of the addresses to which the application may be answered. It must be exactly as it is registered.")
		}
	}
	if mode := form.Get("response_mode"); mode != "" && mode != "query" {
		return fault.New(fault.Invalid, "Answers are given in the query of the address, and nowhere else.")
	}
	return nil
}

func contains(all []string, one string) bool {
	for _, each := range all {
		if each == one {
			return true
		}
	}
	return false
}

func (p *Provider) lookup(r *http.Request, t *turn, id string) (application.Application, error) {
	a, err := store{p, t.issuer}.application(contextWith(r, t), id)
	if errors.Is(err, goidc.ErrNotFound) {
		return a, fault.New(fault.Invalid, "There is no such application here.")
	}
	return a, err
}

// browserOf is the secret that ties a request to this browser.
func (p *Provider) browserOf(r *http.Request, name string) identity.Secret {
	c, err := r.Cookie(p.cookieName(name))
	if err != nil {
		return ""
	}
	return identity.Secret(c.Value)
}

func (p *Provider) cookieName(name string) string {
	if strings.HasPrefix(p.Origin, "https://") {
		return "__Host-mandate_openid_" + name[:min(8, len(name))]
	}
	return "mandate_openid_" + name[:min(8, len(name))]
}
