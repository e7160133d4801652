package oidc_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"

	"mandate/internal/application"
	"mandate/internal/db"
)

// A reply is what a program was answered.
type reply struct {
	status int
	header http.Header
	values map[string]any
	body   string
}

func (r reply) text(name string) string {
	text, _ := r.values[name].(string)
	return text
}

// call sends what a program sends: a form, with headers.
func (w *world) call(method, address string, form url.Values, headers ...string) reply {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, address, strings.NewReader(form.Encode()))
	w.must(err)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	got, err := client.Do(r)
	w.must(err)
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	w.must(err)
	out := reply{status: got.StatusCode, header: got.Header, body: string(text)}
	_ = json.Unmarshal(text, &out.values) // not every answer is JSON
	return out
}

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
}

// A secretParty calls the token endpoint by hand.
type secretParty struct {
	w          *world
	id, secret string
}

func (p secretParty) token(form url.Values, headers ...string) reply {
	p.w.t.Helper()
	return p.w.call("POST", p.w.issuer()+"/openid/token", form, append([]string{"Authorization", basic(p.id, p.secret)}, headers...)...)
}

const verifier = "a-verifier-that-is-at-least-forty-three-characters-long"

func challenge(of string) string {
	sum := sha256.Sum256([]byte(of))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// request is an authorization request that is right; change what should be
// wrong.
func (p secretParty) request(changes ...string) string {
	q := url.Values{"client_id": {p.id}, "response_type": {"code"}, "redirect_uri": {callback}, "scope": {"openid profile email offline_access"},
		"state": {"a state"}, "nonce": {"a nonce"}, "code_challenge": {challenge(verifier)}, "code_challenge_method": {"S256"}}
	for i := 0; i+1 < len(changes); i += 2 {
		q.Del(changes[i])
		if changes[i+1] != "" {
			q.Set(changes[i], changes[i+1])
		}
	}
	return p.w.issuer() + "/openid/authorize?" + q.Encode()
}

// code signs ada in and returns her code.
func (p secretParty) code(changes ...string) string {
	p.w.t.Helper()
	v := p.w.visitor()
	at := v.signIn(v.get(p.request(changes...)), "ada")
	if at.query("code") == "" {
		p.w.t.Fatalf("no code: %s (%d) %s", at.url, at.status, at.text())
	}
	return at.query("code")
}

func redeem(code string, changes ...string) url.Values {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}
	for i := 0; i+1 < len(changes); i += 2 {
		form.Del(changes[i])
		if changes[i+1] != "" {
			form.Set(changes[i], changes[i+1])
		}
	}
	return form
}

func (w *world) secretParty(change ...func(*application.Draft)) secretParty {
	w.t.Helper()
	id, secret := w.product(change...)
	return secretParty{w, id, secret}
}

// A key is somebody's key pair.
type key struct {
	w       *world
	private *ecdsa.PrivateKey
}

func (w *world) key() key {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(err)
	return key{w, private}
}

func (k key) set() string {
	public := jose.JSONWebKey{Key: &k.private.PublicKey, KeyID: "mine", Algorithm: "ES256", Use: "sig"}
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}})
	k.w.must(err)
	return string(text)
}

func (k key) thumbprint() string {
	public := jose.JSONWebKey{Key: &k.private.PublicKey}
	sum, err := public.Thumbprint(crypto.SHA256)
	k.w.must(err)
	return base64.RawURLEncoding.EncodeToString(sum)
}

func (k key) sign(options *jose.SignerOptions, kid string, claims map[string]any) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: k.private, KeyID: kid}}, options)
	k.w.must(err)
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	k.w.must(err)
	return text
}

// name makes a name that was not there before.
func name() string { return strings.ToLower(rand.Text()[:12]) }

// proof is a proof of possession for a request.
func (k key) proof(method, address, token string, changes ...string) string {
	claims := map[string]any{"jti": name(), "htm": method, "htu": address, "iat": time.Now().Unix()}
	if token != "" {
		claims["ath"] = challenge(token)
	}
	for i := 0; i+1 < len(changes); i += 2 {
		claims[changes[i]] = changes[i+1]
	}
	return k.proofOf(claims)
}

// assertion proves who an application is.
func (k key) assertion(id, audience string, changes ...any) url.Values {
	claims := map[string]any{"iss": id, "sub": id, "aud": audience, "jti": name(), "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix()}
	for i := 0; i+1 < len(changes); i += 2 {
		claims[changes[i].(string)] = changes[i+1]
	}
	return url.Values{"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {k.sign(nil, "mine", claims)}}
}

func with(form, more url.Values) url.Values {
	for name, values := range more {
		form[name] = values
	}
	return form
}

func (k key) proofOf(claims map[string]any) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: k.private}, (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt"))
	k.w.must(err)
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	k.w.must(err)
	return text
}

// unverified is what a token says.
func (w *world) unverified(token string) map[string]any {
	w.t.Helper()
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256})
	w.must(err)
	claims := map[string]any{}
	w.must(parsed.UnsafeClaimsWithoutVerification(&claims))
	return claims
}

// history counts the events of a name.
func (w *world) history(event string) (n int) {
	w.t.Helper()
	w.must(w.d.Read(w.t.Context(), func(tx *db.Tx) error {
		return tx.QueryRow(`select count(*) from history_event where name = $1`, event).Scan(&n)
	}))
	return n
}

func sprint(value any) string { return fmt.Sprint(value) }

// unverifiedHeader is the key that an ID token names.
func (w *world) unverifiedHeader(token *oauth2.Token) string {
	w.t.Helper()
	raw, _ := token.Extra("id_token").(string)
	return w.keyOf(raw)
}

// rows counts what the room keeps besides keys and consents.
func (w *world) rows() map[string]int {
	w.t.Helper()
	found := map[string]int{}
	w.must(w.d.Read(w.t.Context(), func(tx *db.Tx) error {
		var requests, grants, spent, tokens, proofs int
		err := tx.QueryRow(`select (select count(*) from authorization_request), (select count(*) from sign_in_grant), (select count(*) from spent_refresh),
			(select count(*) from access_token), (select count(*) from seen_proof)`).Scan(&requests, &grants, &spent, &tokens, &proofs)
		found = map[string]int{"requests": requests, "grants": grants, "spent tokens": spent, "access tokens": tokens, "proofs": proofs}
		return err
	}))
	return found
}
