package oidc_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"mandate/internal/application"
	"mandate/internal/grant"
)

// The refusals that RFC 9700 (Best Current Practice for OAuth 2.0 Security) asks
// for, one a line. Each is tried against the running provider.
var refusals = []struct {
	item, what string
	try        func(t *testing.T, w *world)
}{
	{"2.1, 4.1", "an address that is not registered is not answered", wrongRedirects},
	{"2.1, 4.2", "no code or token is left where others see it: no referrer, no frame, nothing cached", leaks},
	{"2.1.1, 4.5", "a code without a challenge is not given", noChallenge},
	{"2.1.1, 4.8", "a plain challenge is not taken, nor one taken away", plainChallenge},
	{"2.1.1, 4.5", "a code is of no use without its verifier", injectedCode},
	{"2.1.2", "tokens are not given by the front channel", noImplicit},
	{"2.2.1, 4.10", "a token that is bound to a key is of no use without it", boundToken},
	{"2.2.1", "a proof of possession is taken once, for one method and one address", wrongProofs},
	{"2.2.2, 4.14", "a spent refresh token ends its family", spentRefresh},
	{"2.3", "a token of one issuer or for one application is of no use elsewhere", wrongAudience},
	{"2.4", "passwords of people are not taken", noPasswords},
	{"2.5", "nobody is an application without proving it", impersonation},
	{"2.5", "an assertion is taken once, for this issuer, before it ends", wrongAssertions},
	{"2.6", "the provider says of itself what it does, and only that", metadata},
	{"4.4", "the answer says who gives it, so that issuers cannot be mixed up", mixUp},
	{"4.5", "a code is taken once; a second time ends what came of it", replayedCode},
	{"4.5", "a code of one application is of no use to another", foreignCode},
	{"4.5", "a code ends after a minute", oldCode},
	{"4.7", "what a product sent comes back as it was: state and nonce", forgery},
	{"4.11", "nobody is led elsewhere by our name", openRedirect},
	{"4.12", "a form's answer is never sent on: no 307, nor any redirect after a sign-in", noResend},
	{"4.15", "an application's own token is not somebody's", ownToken},
	{"4.16", "no page of the way in can be framed", framed},
	{"RFC 9126", "a pushed request is taken once, from its application, as it was pushed", pushedOnce},
	{"RFC 6749, 3.2", "a parameter that is there twice is refused", twice},
	{"OpenID Core, 3.1.2", "a request that another browser began is not finished", otherBrowser},
	{"OpenID Core, 3.1.2", "a consent needs the form of this browser", forgedConsent},
}

func TestRefusalsOfTheBestCurrentPractice(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, r := range refusals {
			t.Run(r.item+": "+r.what, func(t *testing.T) {
				inner := *w
				inner.t = t
				r.try(t, &inner)
			})
		}
	})
}

// refused checks that a program was refused with a word of the protocol.
func refused(t *testing.T, what string, got reply, words ...string) {
	t.Helper()
	for _, word := range words {
		if got.text("error") == word && got.status >= 400 && got.status < 500 {
			return
		}
	}
	t.Errorf("%s: got %d %s, want %v", what, got.status, got.body, words)
}

// stayed checks that nobody was led away, and nothing was said to a product.
func stayed(t *testing.T, what string, at stop) {
	t.Helper()
	if at.away() || at.status < 400 || at.header.Get("Location") != "" {
		t.Errorf("%s: went to %s (%d)", what, at.url, at.status)
	}
}

// told checks that a product was told of an error, and given nothing.
func told(t *testing.T, what string, at stop, words ...string) {
	t.Helper()
	for _, word := range words {
		if at.away() && at.query("error") == word && at.query("code") == "" && at.query("state") == "a state" {
			return
		}
	}
	t.Errorf("%s: went to %s (%d) %s, want %v", what, at.url, at.status, at.text(), words)
}

func wrongRedirects(t *testing.T, w *world) {
	p := w.secretParty()
	for _, to := range []string{
		"https://evil.example/callback", "https://loans.example/callback/", "https://loans.example/callback?next=1", "https://loans.example/callback#",
		"https://loans.example/Callback", "https://loans.example/callback/../callback", "HTTPS://loans.example/callback", "https://loans.example:443/callback",
		"https://loans.example@evil.example/callback", "https://sub.loans.example/callback", "http://loans.example/callback", "//loans.example/callback",
		"https://loans.example/%63allback", "javascript:alert(1)", "https://loans.example/callback ",
	} {
		stayed(t, to, w.visitor().get(p.request("redirect_uri", to)))
		refused(t, "pushed "+to, w.call("POST", w.issuer()+"/openid/pushed", url.Values{"response_type": {"code"}, "redirect_uri": {to}, "scope": {"openid"},
			"code_challenge": {challenge(verifier)}, "code_challenge_method": {"S256"}}, "Authorization", basic(p.id, p.secret)), "invalid_request")
	}
	stayed(t, "none at all", w.visitor().get(p.request("redirect_uri", "")))
	code := p.code()
	refused(t, "another at the token endpoint", p.token(redeem(code, "redirect_uri", left)), "invalid_grant")
}

func leaks(t *testing.T, w *world) {
	p := w.secretParty()
	v := w.visitor()
	r, err := http.NewRequestWithContext(t.Context(), "GET", p.request(), nil)
	w.must(err)
	got, err := v.client.Do(r)
	w.must(err)
	got.Body.Close()
	for name, want := range map[string]string{"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
		if got.Header.Get(name) != want {
			t.Errorf("%s is %q on the way in", name, got.Header.Get(name))
		}
	}
	answer := p.token(redeem(p.code()))
	if answer.header.Get("Cache-Control") != "no-store" || answer.text("access_token") == "" {
		t.Errorf("a token is answered with %v %s", answer.header, answer.body)
	}
	info := w.call("GET", w.issuer()+"/openid/userinfo?access_token="+url.QueryEscape(answer.text("access_token")), nil)
	if info.status != http.StatusUnauthorized {
		t.Errorf("a token in an address was taken: %d", info.status)
	}
	if strings.Contains(w.log.String(), answer.text("access_token")) || strings.Contains(w.log.String(), p.secret) {
		t.Error("the log holds a token or a secret")
	}
}

func noChallenge(t *testing.T, w *world) {
	p := w.secretParty()
	told(t, "no challenge", w.visitor().get(p.request("code_challenge", "", "code_challenge_method", "")), "invalid_request")
}

func plainChallenge(t *testing.T, w *world) {
	p := w.secretParty()
	told(t, "plain", w.visitor().get(p.request("code_challenge", verifier, "code_challenge_method", "plain")), "invalid_request")
	code := p.code("code_challenge", verifier, "code_challenge_method", "")
	refused(t, "plain by default", p.token(redeem(code)), "invalid_grant")
}

func injectedCode(t *testing.T, w *world) {
	p := w.secretParty()
	refused(t, "without the verifier", p.token(redeem(p.code(), "code_verifier", "")), "invalid_grant")
	code := p.code()
	refused(t, "with another's", p.token(redeem(code, "code_verifier", strings.Repeat("x", 50))), "invalid_grant")
	refused(t, "and then no more with the right one", p.token(redeem(code)), "invalid_grant")
}

func noImplicit(t *testing.T, w *world) {
	p := w.secretParty()
	for _, kind := range []string{"token", "id_token", "id_token token", "code id_token", "code token", "none"} {
		told(t, kind, w.visitor().get(p.request("response_type", kind)), "invalid_request", "unsupported_response_type")
	}
	stayed(t, "in the fragment", w.visitor().get(p.request("response_mode", "fragment")))
	stayed(t, "by a form", w.visitor().get(p.request("response_mode", "form_post")))
}

func boundToken(t *testing.T, w *world) {
	p, k := w.secretParty(), w.key()
	tokenAt, infoAt := w.issuer()+"/openid/token", w.issuer()+"/openid/userinfo"
	got := p.token(redeem(p.code()), "DPoP", k.proof("POST", tokenAt, ""))
	token := got.text("access_token")
	if got.text("token_type") != "DPoP" {
		t.Fatalf("no bound token: %d %s", got.status, got.body)
	}
	if ok := w.call("GET", infoAt, nil, "Authorization", "DPoP "+token, "DPoP", k.proof("GET", infoAt, token)); ok.status != http.StatusOK {
		t.Fatalf("with its key: %d %s %s", ok.status, ok.body, ok.header.Get("WWW-Authenticate"))
	}
	other := w.key()
	for what, headers := range map[string][]string{
		"as a bearer's":            {"Authorization", "Bearer " + token},
		"without a proof":          {"Authorization", "DPoP " + token},
		"with another key":         {"Authorization", "DPoP " + token, "DPoP", other.proof("GET", infoAt, token)},
		"with a proof for another": {"Authorization", "DPoP " + token, "DPoP", k.proof("GET", infoAt, token+"x")},
		"with a proof for none":    {"Authorization", "DPoP " + token, "DPoP", k.proof("GET", infoAt, "")},
		"bearer beside a proof":    {"Authorization", "Bearer " + token, "DPoP", k.proof("GET", infoAt, token)},
	} {
		if got := w.call("GET", infoAt, nil, headers...); got.status != http.StatusUnauthorized || got.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %s", what, got.status, got.body)
		}
	}
	refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.text("refresh_token")}}
	refused(t, "renewed without its key", p.token(refresh), "invalid_request", "invalid_dpop_proof")
	bound := p.code("dpop_jkt", k.thumbprint())
	refused(t, "a code that is bound to a key, with another", p.token(redeem(bound), "DPoP", other.proof("POST", tokenAt, "")), "invalid_request", "invalid_dpop_proof")
}

func wrongProofs(t *testing.T, w *world) {
	p, k := w.secretParty(), w.key()
	at := w.issuer() + "/openid/token"
	for what, proof := range map[string]string{
		"another method":  k.proof("GET", at, ""),
		"another address": k.proof("POST", w.issuer()+"/openid/pushed", ""),
		"another host":    k.proof("POST", "https://evil.example/cedar/openid/token", ""),
		"another issuer":  k.proof("POST", w.server.URL+"/harbor/openid/token", ""),
		"no proof at all": "nonsense",
		"an old one":      k.old(at),
		"no name":         k.proof("POST", at, "", "jti", ""),
	} {
		refused(t, what, p.token(redeem(p.code()), "DPoP", proof), "invalid_request", "invalid_dpop_proof", "unauthorized_client")
	}
	once := k.proof("POST", at, "")
	if got := p.token(redeem(p.code()), "DPoP", once); got.status != http.StatusOK {
		t.Fatalf("a right proof: %d %s", got.status, got.body)
	}
	refused(t, "the same proof again", p.token(redeem(p.code()), "DPoP", once), "invalid_request", "invalid_dpop_proof")
}

func (k key) old(at string) string {
	claims := map[string]any{"jti": name(), "htm": "POST", "htu": at, "iat": time.Now().Add(-time.Hour).Unix()}
	return k.proofOf(claims)
}

func spentRefresh(t *testing.T, w *world) {
	p := w.secretParty()
	first := p.token(redeem(p.code()))
	spend := func(token string) reply {
		return p.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
	}
	second := spend(first.text("refresh_token"))
	if second.text("refresh_token") == "" {
		t.Fatalf("not renewed: %d %s", second.status, second.body)
	}
	other := w.secretParty()
	refused(t, "by another application", other.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {second.text("refresh_token")}}), "invalid_grant")
	refused(t, "spent", spend(first.text("refresh_token")), "invalid_grant")
	refused(t, "its successor", spend(second.text("refresh_token")), "invalid_grant")
	if got := w.history(grant.EventReused); got == 0 {
		t.Error("the history does not tell of it")
	}
}

func wrongAudience(t *testing.T, w *world) {
	p := w.secretParty()
	got := p.token(redeem(p.code()))
	claims := w.unverified(got.text("access_token"))
	if claims["aud"] != w.issuer() || claims["iss"] != w.issuer() || claims["client_id"] != p.id {
		t.Errorf("the access token is for %v of %v", claims["aud"], claims["iss"])
	}
	if id := w.unverified(got.text("id_token")); id["aud"] != p.id {
		t.Errorf("the ID token is for %v", id["aud"])
	}
	for what, headers := range map[string]string{
		w.server.URL + "/harbor/openid/userinfo": got.text("access_token"),
		w.issuer() + "/openid/userinfo":          got.text("id_token"),
	} {
		if info := w.call("GET", what, nil, "Authorization", "Bearer "+headers); info.status != http.StatusUnauthorized {
			t.Errorf("%s took a token that is not for it: %d", what, info.status)
		}
	}
}

func noPasswords(t *testing.T, w *world) {
	p := w.secretParty()
	refused(t, "a password", p.token(url.Values{"grant_type": {"password"}, "username": {address("ada")}, "password": {password}}), "unsupported_grant_type")
}

func impersonation(t *testing.T, w *world) {
	p, other := w.secretParty(), w.secretParty()
	at := w.issuer() + "/openid/token"
	code := p.code()
	for what, got := range map[string]reply{
		"nothing":                   w.call("POST", at, redeem(code)),
		"the name alone":            w.call("POST", at, redeem(code, "client_id", p.id)),
		"a wrong secret":            w.call("POST", at, redeem(code), "Authorization", basic(p.id, "ms_wrong")),
		"no secret":                 w.call("POST", at, redeem(code), "Authorization", basic(p.id, "")),
		"its name as the secret":    w.call("POST", at, redeem(code), "Authorization", basic(p.id, p.id)),
		"another's secret":          w.call("POST", at, redeem(code), "Authorization", basic(p.id, other.secret)),
		"the secret in another way": w.call("POST", at, redeem(code, "client_id", p.id, "client_secret", p.secret)),
		"nobody":                    w.call("POST", at, redeem(code), "Authorization", basic("app_none", "ms_none")),
		"an application of another": w.call("POST", w.server.URL+"/harbor/openid/token", redeem(code), "Authorization", basic(p.id, p.secret)),
	} {
		refused(t, what, got, "invalid_client")
		if got.status == http.StatusUnauthorized && got.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: nothing says how to prove it", what)
		}
	}
	refused(t, "two proofs", w.call("POST", at, redeem(code, "client_secret", p.secret), "Authorization", basic(p.id, p.secret)), "invalid_request")
	if got := p.token(redeem(code)); got.status != http.StatusOK {
		t.Errorf("the application itself: %d %s", got.status, got.body)
	}
	off := w.secretParty(func(d *application.Draft) { d.Enabled = false })
	refused(t, "one that is switched off", off.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}}), "invalid_client")
	stayed(t, "one that is switched off, in front", w.visitor().get(off.request()))
	stayed(t, "nobody, in front", w.visitor().get(secretParty{w, "app_none", ""}.request()))
}

func wrongAssertions(t *testing.T, w *world) {
	k := w.key()
	keyed := func(d *application.Draft) { d.Method, d.Keys = application.PrivateKey, k.set() }
	id, _ := w.product(keyed)
	p := secretParty{w, id, ""}
	at := w.issuer() + "/openid/token"
	ask := func(proof url.Values) reply { return w.call("POST", at, with(redeem(p.code()), proof)) }
	other := w.key()
	for what, proof := range map[string]url.Values{
		"another key":    other.assertion(id, w.issuer()),
		"another issuer": k.assertion(id, w.server.URL+"/harbor"),
		"the endpoint":   k.assertion(id, at),
		"two audiences":  k.assertion(id, w.issuer(), "aud", []string{w.issuer(), "https://evil.example"}),
		"ended":          k.assertion(id, w.issuer(), "exp", time.Now().Add(-time.Hour).Unix()),
		"for a day":      k.assertion(id, w.issuer(), "exp", time.Now().Add(24*time.Hour).Unix()),
		"of somebody":    k.assertion(id, w.issuer(), "sub", "somebody"),
		"without a name": k.assertion(id, w.issuer(), "jti", ""),
		"without an end": k.assertion(id, w.issuer(), "exp", nil),
	} {
		refused(t, what, ask(proof), "invalid_client")
	}
	once := k.assertion(id, w.issuer())
	if got := ask(once); got.status != http.StatusOK {
		t.Fatalf("a right assertion: %d %s", got.status, got.body)
	}
	refused(t, "the same again", ask(once), "invalid_client")
}

func metadata(t *testing.T, w *world) {
	got := w.call("GET", w.issuer()+"/.well-known/openid-configuration", nil)
	want := map[string]string{
		"issuer": w.issuer(), "response_types_supported": "[code]", "code_challenge_methods_supported": "[S256]", "response_modes_supported": "[query]",
		"authorization_response_iss_parameter_supported": "true", "backchannel_logout_supported": "true", "registration_endpoint": "<nil>",
		"grant_types_supported": "[authorization_code refresh_token client_credentials]", "token_endpoint_auth_methods_supported": "[private_key_jwt client_secret_basic client_secret_post]",
		"pushed_authorization_request_endpoint": w.issuer() + "/openid/pushed", "end_session_endpoint": w.issuer() + "/openid/logout",
		"id_token_signing_alg_values_supported": "[ES256]",
	}
	for name, value := range want {
		if said := sprint(got.values[name]); said != value {
			t.Errorf("%s is %s, want %s", name, said, value)
		}
	}
	for _, path := range []string{"/openid/register", "/register", "/openid/introspect", "/openid/device_authorization"} {
		if got := w.call("POST", w.issuer()+path, url.Values{}); got.status != http.StatusNotFound && got.status != http.StatusMethodNotAllowed {
			t.Errorf("%s answers %d", path, got.status)
		}
	}
	if got := w.call("GET", w.server.URL+"/nowhere/.well-known/openid-configuration", nil); got.status != http.StatusNotFound {
		t.Errorf("an institution that is not there answers %d", got.status)
	}
}

func mixUp(t *testing.T, w *world) {
	p := w.secretParty()
	v := w.visitor()
	if at := v.signIn(v.get(p.request()), "ada"); at.query("iss") != w.issuer() {
		t.Errorf("a code comes from %q", at.query("iss"))
	}
	if at := v.get(p.request("scope", "openid nonsense")); at.query("iss") != w.issuer() || at.query("error") != "invalid_scope" {
		t.Errorf("an error comes from %q: %s", at.query("iss"), at.url)
	}
}

func replayedCode(t *testing.T, w *world) {
	p := w.secretParty()
	code := p.code()
	got := p.token(redeem(code))
	info := func() int {
		return w.call("GET", w.issuer()+"/openid/userinfo", nil, "Authorization", "Bearer "+got.text("access_token")).status
	}
	if info() != http.StatusOK {
		t.Fatal("the token does not work before")
	}
	refused(t, "again", p.token(redeem(code)), "invalid_grant")
	if info() != http.StatusUnauthorized {
		t.Error("the access token lives on")
	}
	refused(t, "the refresh token", p.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.text("refresh_token")}}), "invalid_grant")
}

func foreignCode(t *testing.T, w *world) {
	p, other := w.secretParty(), w.secretParty()
	refused(t, "of another application", other.token(redeem(p.code())), "invalid_grant")
}

func oldCode(t *testing.T, w *world) {
	p := w.secretParty()
	code, early := p.code(), p.code()
	w.clock.Advance(grant.CodeLifetime - time.Second)
	if got := p.token(redeem(early)); got.status != http.StatusOK {
		t.Errorf("just before: %d %s", got.status, got.body)
	}
	w.clock.Advance(time.Second)
	refused(t, "just after", p.token(redeem(code)), "invalid_grant")
}

func forgery(t *testing.T, w *world) {
	p := w.secretParty()
	v := w.visitor()
	at := v.signIn(v.get(p.request("state", "<&\"' ü", "nonce", "n&1")), "ada")
	if at.query("state") != "<&\"' ü" {
		t.Errorf("the state came back as %q", at.query("state"))
	}
	if claims := w.unverified(p.token(redeem(at.query("code"))).text("id_token")); claims["nonce"] != "n&1" {
		t.Errorf("the nonce came back as %v", claims["nonce"])
	}
}

func openRedirect(t *testing.T, w *world) {
	p := w.secretParty()
	for what, q := range map[string]url.Values{
		"not registered":    {"client_id": {p.id}, "post_logout_redirect_uri": {"https://evil.example/"}},
		"of nobody":         {"post_logout_redirect_uri": {left}},
		"of another":        {"client_id": {"app_none"}, "post_logout_redirect_uri": {left}},
		"an address for in": {"client_id": {p.id}, "post_logout_redirect_uri": {callback}},
	} {
		stayed(t, what, w.visitor().get(w.issuer()+"/openid/logout?"+q.Encode()))
		q.Set("issuer", "cedar")
		stayed(t, what+", straight", w.visitor().get(w.server.URL+"/cedar/openid/sign-out?"+q.Encode()))
	}
	v := w.visitor()
	page := v.get(w.server.URL + "/cedar/sign-in?return=" + url.QueryEscape("https://evil.example/"))
	if at := v.submit(page, "/cedar/sign-in", url.Values{"username": {address("ada")}, "password": {password}, "return": {"https://evil.example/"}}); at.away() {
		t.Errorf("a sign-in leads to %s", at.url)
	}
}

func noResend(t *testing.T, w *world) {
	p := w.secretParty()
	v := w.visitor()
	page := v.get(p.request())
	found := csrf.FindStringSubmatch(page.body)
	form := url.Values{"username": {address("ada")}, "password": {password}, "return": {page.query("return")}, "csrf": {found[1]}}
	r, err := http.NewRequestWithContext(t.Context(), "POST", w.server.URL+"/cedar/sign-in", strings.NewReader(form.Encode()))
	w.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", w.server.URL)
	got, err := v.client.Do(r)
	w.must(err)
	got.Body.Close()
	if got.StatusCode != http.StatusSeeOther || !strings.HasPrefix(got.Header.Get("Location"), "/cedar/") {
		t.Errorf("a sign-in answers %d to %s", got.StatusCode, got.Header.Get("Location"))
	}
	r, err = http.NewRequestWithContext(t.Context(), "GET", w.server.URL+got.Header.Get("Location"), nil)
	w.must(err)
	last, err := v.client.Do(r)
	w.must(err)
	last.Body.Close()
	if last.StatusCode != http.StatusOK || !strings.Contains(last.Header.Get("Refresh"), callback) {
		t.Errorf("the last step answers %d, %q", last.StatusCode, last.Header.Get("Refresh"))
	}
}

func ownToken(t *testing.T, w *world) {
	p := w.secretParty(func(d *application.Draft) {
		d.Grants, d.Scopes, d.ServiceEmail = []application.Grant{application.GrantService}, []string{"scim"}, address("ada")
		d.Redirects, d.PostLogouts = nil, nil
	})
	got := p.token(url.Values{"grant_type": {"client_credentials"}, "scope": {"scim"}})
	claims := w.unverified(got.text("access_token"))
	if claims["staff"] != string(w.users["ada"]) {
		t.Errorf("the token does not say for whom the service acts: %v", claims)
	}
	if claims["sub"] != p.id || claims["client_id"] != p.id || got.text("refresh_token") != "" || got.text("id_token") != "" {
		t.Errorf("a service's own token: %s", got.body)
	}
	if info := w.call("GET", w.issuer()+"/openid/userinfo", nil, "Authorization", "Bearer "+got.text("access_token")); info.status != http.StatusUnauthorized {
		t.Errorf("the provider tells a service who it is: %d %s", info.status, info.body)
	}
	stayed(t, "a service cannot sign people in", w.visitor().get(p.request()))
	refused(t, "another scope", p.token(url.Values{"grant_type": {"client_credentials"}, "scope": {"openid"}}), "invalid_scope")
	people := w.secretParty()
	refused(t, "a product that is no service", people.token(url.Values{"grant_type": {"client_credentials"}}), "unauthorized_client")
}

func framed(t *testing.T, w *world) {
	p := w.secretParty(func(d *application.Draft) { d.Consent = true })
	v := w.visitor()
	page := v.signIn(v.get(p.request()), "ada")
	pages := map[string]stop{"the consent": page, "the sign-in": w.visitor().get(p.request()), "a problem": w.visitor().get(p.request("redirect_uri", "x"))}
	for what, at := range pages {
		if !strings.Contains(at.header.Get("Content-Security-Policy"), "frame-ancestors 'none'") || at.header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s can be framed: %v", what, at.header)
		}
	}
}

func pushedOnce(t *testing.T, w *world) {
	p, other := w.secretParty(), w.secretParty()
	push := func() string {
		at, err := url.Parse(p.request())
		w.must(err)
		got := w.call("POST", w.issuer()+"/openid/pushed", at.Query(), "Authorization", basic(p.id, p.secret))
		if got.status != http.StatusCreated {
			t.Fatalf("push: %d %s", got.status, got.body)
		}
		return got.text("request_uri")
	}
	open := func(id, uri string, more ...string) stop {
		q := url.Values{"client_id": {id}, "request_uri": {uri}}
		for i := 0; i+1 < len(more); i += 2 {
			q.Set(more[i], more[i+1])
		}
		return w.visitor().get(w.issuer() + "/openid/authorize?" + q.Encode())
	}
	uri := push()
	if at := open(p.id, uri, "scope", "openid nonsense", "state", "another"); !strings.HasSuffix(at.url.Path, "/sign-in") {
		t.Errorf("what was not pushed counted: %s (%d) %s", at.url, at.status, at.text())
	}
	stayed(t, "a second time", open(p.id, uri))
	stayed(t, "another application's", open(other.id, push()))
	stayed(t, "a reference to elsewhere", open(p.id, "https://evil.example/request.jwt"))
	late := push()
	w.clock.Advance(grant.PushedLifetime)
	stayed(t, "after a minute", open(p.id, late))
	refused(t, "from nobody", w.call("POST", w.issuer()+"/openid/pushed", url.Values{"client_id": {p.id}, "redirect_uri": {callback}}), "invalid_client")
}

func twice(t *testing.T, w *world) {
	p := w.secretParty()
	stayed(t, "in front", w.visitor().get(p.request()+"&state=another"))
	form := redeem(p.code())
	form["code"] = append(form["code"], "another")
	refused(t, "behind", p.token(form), "invalid_request")
}

func otherBrowser(t *testing.T, w *world) {
	p := w.secretParty()
	mine, theirs := w.visitor(), w.visitor()
	page := mine.get(p.request())
	stayed(t, "in another browser", theirs.get(w.server.URL+page.query("return")))
	signed := theirs.signIn(theirs.get(w.server.URL+"/cedar/sign-in"), "ada")
	if signed.status != http.StatusOK {
		t.Fatalf("sign in: %d", signed.status)
	}
	stayed(t, "in another browser that is signed in", theirs.get(w.server.URL+page.query("return")))
	if at := mine.signIn(page, "ada"); at.query("code") == "" {
		t.Errorf("in the right one: %s", at.url)
	}
	stayed(t, "after it was finished", mine.get(w.server.URL+page.query("return")))
}

func forgedConsent(t *testing.T, w *world) {
	p := w.secretParty(func(d *application.Draft) { d.Consent = true })
	v := w.visitor()
	page := v.signIn(v.get(p.request()), "ada")
	if page.away() {
		t.Fatalf("nobody was asked: %s", page.url)
	}
	for what, form := range map[string]url.Values{
		"without the form's token": {"answer": {"allow"}},
		"with another's":           {"answer": {"allow"}, "csrf": {"guessed"}},
	} {
		stayed(t, what, v.goTo("POST", page.url.String(), form))
	}
	if at := v.submit(page, "", url.Values{"answer": {"deny"}}); at.query("error") != "access_denied" {
		t.Errorf("no is no: %s", at.url)
	}
}
