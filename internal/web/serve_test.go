package web_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"github.com/prometheus/client_golang/prometheus"

	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

var open = web.Needs{Who: web.Anybody, Institution: web.Nowhere}

func text(words string) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		return web.Render(w, r, http.StatusOK, templ.Raw(words))
	}
}

func fails(err error) web.HandlerFunc {
	return func(http.ResponseWriter, *http.Request) error { return err }
}

// ask sends one request to a handler at http://online.example and returns the
// answer with its body.
func ask(t *testing.T, h http.Handler, method, target string, change ...func(*http.Request)) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(method, "http://online.example"+target, nil)
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	body, _ := io.ReadAll(w.Result().Body)
	return w.Result(), string(body)
}

func handler(t *testing.T, s web.Site, routes ...web.Route) http.Handler {
	t.Helper()
	s.App = "online"
	if s.Origin == "" {
		s.Origin = "http://online.example"
	}
	if s.Key == nil {
		s.Key = bytes.Repeat([]byte{7}, 32)
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	h, err := s.Handler(routes)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHeaders(t *testing.T) {
	routes := []web.Route{
		{Method: "GET", Pattern: "/fine", Handler: text("fine"), Needs: open},
		{Method: "GET", Pattern: "/broken", Handler: fails(errors.New("no such column")), Needs: open},
	}
	want := map[string]string{
		"Content-Security-Policy":      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"X-Frame-Options":              "DENY",
		"Cache-Control":                "no-store",
		"Content-Type":                 "text/html; charset=utf-8",
	}
	h := handler(t, web.Site{}, routes...)
	for _, path := range []string{"/fine", "/broken", "/missing"} {
		got, _ := ask(t, h, "GET", path)
		for name, value := range want {
			if got.Header.Get(name) != value {
				t.Errorf("%s: %s is %q, want %q", path, name, got.Header.Get(name), value)
			}
		}
		if got.Header.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s: HSTS without https", path)
		}
		if got.Header.Get("Server") != "" {
			t.Errorf("%s: the server names itself", path)
		}
		if !strings.Contains(got.Header.Get("Permissions-Policy"), "camera=()") {
			t.Errorf("%s: Permissions-Policy is %q", path, got.Header.Get("Permissions-Policy"))
		}
	}
	secure := handler(t, web.Site{Origin: "https://online.example"}, routes...)
	got, _ := ask(t, secure, "GET", "/fine")
	if !strings.Contains(got.Header.Get("Strict-Transport-Security"), "max-age=31536000") {
		t.Error("no HSTS with https")
	}
	visit := got.Cookies()[0]
	if visit.Name != "__Host-mandate_online_visit" || !visit.Secure || !visit.HttpOnly || visit.Path != "/" || visit.Domain != "" {
		t.Errorf("the visit's cookie with https is %+v", visit)
	}
}

func TestFaultsBecomePages(t *testing.T) {
	secret := errors.New("select * from member")
	for _, c := range []struct {
		err    error
		status int
		shows  string
	}{
		{secret, 500, "We could not finish this"},
		{fault.New(fault.Invalid, "That is no date.").Because(secret), 422, "That is no date."},
		{fault.New(fault.Forbidden, "Viewers change nothing.").Because(secret), 403, "Viewers change nothing."},
		{fault.New(fault.NotFound, "There is no such user."), 404, "There is no such user."},
		{fault.New(fault.Conflict, "Ana saved other changes."), 409, "Ana saved other changes."},
		{fault.New(fault.TooMany, "Wait a minute."), 429, "Wait a minute."},
		{fault.New(fault.Unavailable, "The host does not answer."), 503, "The host does not answer."},
		{fault.New(fault.Unauthorized, "Sign in first."), 401, "Sign in first."},
		{fault.New(fault.StepUp, "Enter your password."), 403, "Enter your password."},
	} {
		h := handler(t, web.Site{}, web.Route{Method: "GET", Pattern: "/it", Handler: fails(c.err), Needs: open})
		got, body := ask(t, h, "GET", "/it")
		if got.StatusCode != c.status {
			t.Errorf("%v: status %d, want %d", c.err, got.StatusCode, c.status)
		}
		if !strings.Contains(body, c.shows) {
			t.Errorf("%v: the page does not say %q", c.err, c.shows)
		}
		if strings.Contains(body, "select") {
			t.Errorf("%v: the page shows the cause", c.err)
		}
		reference := got.Header.Get("X-Request-Id")
		if reference == "" || !strings.Contains(body, reference) {
			t.Errorf("%v: the page does not show the reference %q", c.err, reference)
		}
		if wait := got.Header.Get("Retry-After"); (wait != "") != (c.status == 429 || c.status == 503) {
			t.Errorf("%v: Retry-After is %q", c.err, wait)
		}
	}
}

func TestPanicIsAnErrorPageAndALogLine(t *testing.T) {
	var log bytes.Buffer
	h := handler(t, web.Site{Log: slog.New(slog.NewJSONHandler(&log, nil))},
		web.Route{Method: "GET", Pattern: "/panic/{link}", Handler: func(http.ResponseWriter, *http.Request) error { panic("bad luck") }, Needs: open})
	got, body := ask(t, h, "GET", "/panic/secret-link?name=Dana")
	if got.StatusCode != 500 || strings.Contains(body, "bad luck") {
		t.Errorf("status %d, body shows the cause: %t", got.StatusCode, strings.Contains(body, "bad luck"))
	}
	if !strings.Contains(log.String(), "bad luck") || !strings.Contains(log.String(), got.Header.Get("X-Request-Id")) {
		t.Error("the log has neither cause nor reference")
	}
	if strings.Contains(log.String(), "secret-link") || strings.Contains(log.String(), "Dana") {
		t.Error("the log shows the address, which may hold a secret")
	}
}

func TestUnknownAddressesAndMethods(t *testing.T) {
	h := handler(t, web.Site{}, web.Route{Method: "POST", Pattern: "/save", Handler: text("saved"), Needs: open})
	if got, _ := ask(t, h, "GET", "/nowhere"); got.StatusCode != 404 {
		t.Errorf("an unknown page answers %d", got.StatusCode)
	}
	if got, _ := ask(t, h, "GET", "/save"); got.StatusCode != 405 {
		t.Errorf("the wrong method answers %d", got.StatusCode)
	}
	got, _ := ask(t, h, "GET", "/nowhere", func(r *http.Request) { r.Host = "evil.example" })
	if got.StatusCode != 421 {
		t.Errorf("an unknown host answers %d, want 421", got.StatusCode)
	}
}

func TestRoutesSayWhatTheyNeed(t *testing.T) {
	fine := web.Route{Method: "GET", Pattern: "/x", Handler: text("x"), Needs: web.Needs{Who: web.SignedIn, May: web.Own, Institution: web.FromSession}}
	for name, spoil := range map[string]func(*web.Route){
		"no who":                      func(r *web.Route) { r.Needs.Who = 0 },
		"no source":                   func(r *web.Route) { r.Needs.Institution = 0 },
		"no permission":               func(r *web.Route) { r.Needs.May = "" },
		"no handler":                  func(r *web.Route) { r.Handler = nil },
		"method":                      func(r *web.Route) { r.Method = "DELETE" },
		"pattern with a host":         func(r *web.Route) { r.Pattern = "example.com/x" },
		"a GET that changes":          func(r *web.Route) { r.Needs.Event = "user_updated" },
		"session for anybody":         func(r *web.Route) { r.Needs.Who = web.Anybody },
		"a GET that needs two people": func(r *web.Route) { r.Needs.Second = true },
	} {
		route := fine
		spoil(&route)
		s := web.Site{App: "online", Origin: "http://online.example", Key: make([]byte, 32)}
		if _, err := s.Handler([]web.Route{route}); err == nil {
			t.Errorf("%s: the site started", name)
		}
	}
	s := web.Site{App: "online", Origin: "http://online.example", Key: make([]byte, 32)}
	if _, err := s.Handler([]web.Route{fine}); err != nil {
		t.Errorf("a whole route was refused: %v", err)
	}
	for _, broken := range []web.Site{
		{Origin: "http://x.example", Key: make([]byte, 32)},
		{App: "online", Key: make([]byte, 32)},
		{App: "online", Origin: "online.example", Key: make([]byte, 32)},
		{App: "online", Origin: "http://x.example", Key: make([]byte, 31)},
	} {
		if _, err := broken.Handler(nil); err == nil {
			t.Errorf("a site with App %q, Origin %q and %d bytes of key started", broken.App, broken.Origin, len(broken.Key))
		}
	}
}

func signedIn(caller bank.Caller) func(*http.Request) (context.Context, error) {
	return func(r *http.Request) (context.Context, error) {
		if _, err := r.Cookie("mandate_online"); err != nil {
			return nil, fault.New(fault.Unauthorized, "Sign in first.")
		}
		return web.WithCaller(r.Context(), caller), nil
	}
}

func TestSignInIsAskedFor(t *testing.T) {
	s := web.Site{
		Authenticate: signedIn(bank.Caller{Kind: bank.ActorMember, ID: "usr_1", Institution: "cedar"}),
		SignIn:       func(r *http.Request) string { return "/cedar/sign-in?return=" + url.QueryEscape(r.URL.Path) },
	}
	who := func(w http.ResponseWriter, r *http.Request) error {
		return web.Render(w, r, 200, templ.Raw("caller "+web.CallerOf(r.Context()).ID))
	}
	h := handler(t, s,
		web.Route{Method: "GET", Pattern: "/home", Handler: who, Needs: web.Needs{Who: web.SignedIn, May: web.Own, Institution: web.FromSession}},
		web.Route{Method: "GET", Pattern: "/open", Handler: who, Needs: open})
	got, _ := ask(t, h, "GET", "/home")
	if got.StatusCode != 303 || got.Header.Get("Location") != "/cedar/sign-in?return=%2Fhome" {
		t.Errorf("without a sign-in: %d to %q", got.StatusCode, got.Header.Get("Location"))
	}
	got, _ = ask(t, h, "GET", "/home", func(r *http.Request) { r.Header.Set("HX-Request", "true") })
	if got.StatusCode != 204 || got.Header.Get("HX-Redirect") == "" {
		t.Errorf("a part of a page without a sign-in: %d, HX-Redirect %q", got.StatusCode, got.Header.Get("HX-Redirect"))
	}
	cookie := func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "mandate_online", Value: "secret"}) }
	if _, body := ask(t, h, "GET", "/home", cookie); body != "caller usr_1" {
		t.Errorf("signed in: %q", body)
	}
	if _, body := ask(t, h, "GET", "/open", cookie); body != "caller usr_1" {
		t.Errorf("open to anybody, signed in: %q", body)
	}
	if _, body := ask(t, h, "GET", "/open"); body != "caller " {
		t.Errorf("open to anybody, nobody signed in: %q", body)
	}
}

func TestAFailureToLookIsNotNobody(t *testing.T) {
	s := web.Site{Authenticate: func(*http.Request) (context.Context, error) { return nil, errors.New("database is gone") }}
	h := handler(t, s, web.Route{Method: "GET", Pattern: "/open", Handler: text("open"), Needs: open})
	if got, _ := ask(t, h, "GET", "/open"); got.StatusCode != 500 {
		t.Errorf("status %d, want 500", got.StatusCode)
	}
}

var tokenPattern = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// form is a site with one form, and a visit to it: its cookies and its token.
func form(t *testing.T, s web.Site) (h http.Handler, cookies []*http.Cookie, token string) {
	t.Helper()
	h = handler(t, s,
		web.Route{Method: "GET", Pattern: "/form", Handler: func(w http.ResponseWriter, r *http.Request) error {
			return web.Render(w, r, 200, ui.CSRF())
		}, Needs: open},
		web.Route{Method: "POST", Pattern: "/form", Handler: func(w http.ResponseWriter, r *http.Request) error {
			web.Flash(w, r, ui.Good, "Saved <it>")
			http.Redirect(w, r, "/page", http.StatusSeeOther)
			return nil
		}, Needs: open},
		web.Route{Method: "GET", Pattern: "/page", Handler: func(w http.ResponseWriter, r *http.Request) error {
			return web.Render(w, r, 200, ui.Toasts(ui.From(r.Context()).Toasts))
		}, Needs: open})
	got, body := ask(t, h, "GET", "/form")
	m := tokenPattern.FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("no token in %q", body)
	}
	return h, got.Cookies(), m[1]
}

func post(cookies []*http.Cookie, fields url.Values, change ...func(*http.Request)) func(*http.Request) {
	return func(r *http.Request) {
		r.Body = io.NopCloser(strings.NewReader(fields.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		for _, c := range cookies {
			r.AddCookie(c)
		}
		for _, c := range change {
			c(r)
		}
	}
}

func TestFormToken(t *testing.T) {
	h, cookies, token := form(t, web.Site{})
	right := url.Values{"csrf": {token}}
	if got, _ := ask(t, h, "POST", "/form", post(cookies, right)); got.StatusCode != 303 {
		t.Fatalf("the right form answers %d", got.StatusCode)
	}
	_, others, othersToken := form(t, web.Site{})
	for name, c := range map[string]struct {
		cookies []*http.Cookie
		fields  url.Values
		change  func(*http.Request)
	}{
		"no token":               {cookies, nil, nil},
		"somebody else's token":  {cookies, url.Values{"csrf": {othersToken}}, nil},
		"somebody else's cookie": {others, right, nil},
		"no cookie":              {nil, right, nil},
		"token in the address":   {cookies, nil, func(r *http.Request) { r.URL.RawQuery = "csrf=" + url.QueryEscape(token) }},
		"another site":           {cookies, right, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }},
		"another site, old browser": {cookies, right, func(r *http.Request) {
			r.Header.Del("Sec-Fetch-Site")
			r.Header.Set("Origin", "https://evil.example")
		}},
		"a sister site":         {cookies, right, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }},
		"no word on its origin": {cookies, right, func(r *http.Request) { r.Header.Del("Sec-Fetch-Site") }},
		"a session, no visit":   {[]*http.Cookie{{Name: "mandate_online", Value: "session"}}, right, nil},
	} {
		change := func(*http.Request) {}
		if c.change != nil {
			change = c.change
		}
		if got, _ := ask(t, h, "POST", "/form", post(c.cookies, c.fields, change)); got.StatusCode != 403 {
			t.Errorf("%s: status %d, want 403", name, got.StatusCode)
		}
	}
	old := post(cookies, right, func(r *http.Request) {
		r.Header.Del("Sec-Fetch-Site")
		r.Header.Set("Origin", "http://online.example")
	})
	if got, _ := ask(t, h, "POST", "/form", old); got.StatusCode != 303 {
		t.Errorf("an old browser that names our origin: %d", got.StatusCode)
	}
}

// A form that was drawn for a visit is good beside a session where anybody may
// send it, and nowhere else.
func TestFormTokenOfTheVisitBesideASession(t *testing.T) {
	signedIn := web.Needs{Who: web.SignedIn, May: web.Own, Institution: web.Nowhere}
	draw := func(w http.ResponseWriter, r *http.Request) error { return web.Render(w, r, 200, ui.CSRF()) }
	s := web.Site{Authenticate: func(r *http.Request) (context.Context, error) {
		return web.WithCaller(r.Context(), bank.Caller{Kind: bank.ActorMember, ID: "usr_ana"}), nil
	}}
	h := handler(t, s,
		web.Route{Method: "GET", Pattern: "/link", Handler: draw, Needs: open},
		web.Route{Method: "POST", Pattern: "/link", Handler: text("redeemed"), Needs: open},
		web.Route{Method: "POST", Pattern: "/pay", Handler: text("paid"), Needs: signedIn})
	got, body := ask(t, h, "GET", "/link") // from another site: without the session
	both := append([]*http.Cookie{{Name: "mandate_online", Value: "session"}}, got.Cookies()...)
	fields := url.Values{"csrf": {tokenPattern.FindStringSubmatch(body)[1]}}
	for path, want := range map[string]int{"/link": 200, "/pay": 403} {
		if got, _ := ask(t, h, "POST", path, post(both, fields)); got.StatusCode != want {
			t.Errorf("%s: status %d, want %d", path, got.StatusCode, want)
		}
	}
}

func TestTooLargeABody(t *testing.T) {
	h, cookies, token := form(t, web.Site{})
	got, _ := ask(t, h, "POST", "/form", post(cookies, url.Values{"csrf": {token}, "much": {strings.Repeat("x", 1<<20)}}))
	if got.StatusCode != 422 {
		t.Errorf("status %d, want 422", got.StatusCode)
	}
}

func TestFlashIsSaidOnce(t *testing.T) {
	clock := &clockAt{}
	h, cookies, token := form(t, web.Site{Clock: clock})
	got, _ := ask(t, h, "POST", "/form", post(cookies, url.Values{"csrf": {token}}))
	flash := got.Cookies()[0]
	show := func(value string, change ...func(*http.Request)) (*http.Response, string) {
		return ask(t, h, "GET", "/page", append(change, func(r *http.Request) { r.AddCookie(&http.Cookie{Name: flash.Name, Value: value}) })...)
	}
	shown, body := show(flash.Value)
	if !strings.Contains(body, "Saved &lt;it&gt;") {
		t.Errorf("the next page says %q", body)
	}
	taken := false
	for _, c := range shown.Cookies() {
		taken = taken || c.Name == flash.Name && c.MaxAge < 0
	}
	if !taken {
		t.Error("the message stays for the page after it")
	}
	if _, body := show("x" + flash.Value); strings.Contains(body, "Saved") {
		t.Error("a message with a wrong signature is shown")
	}
	if part, _ := show(flash.Value, func(r *http.Request) { r.Header.Set("HX-Request", "true") }); len(part.Cookies()) > 1 {
		t.Error("a part of a page took the message away")
	}
	clock.seconds = 61
	if _, body := show(flash.Value); strings.Contains(body, "Saved") {
		t.Error("an old message is shown")
	}
}

func TestTheme(t *testing.T) {
	h, cookies, token := form(t, web.Site{})
	choose := func(theme, back string) *http.Response {
		got, _ := ask(t, h, "POST", web.ThemePath, post(cookies, url.Values{"csrf": {token}, "theme": {theme}, "return": {back}}))
		return got
	}
	got := choose("dark", "/page?q=1")
	if got.Header.Get("Location") != "/page?q=1" || got.Cookies()[0].Value != "dark" || got.Cookies()[0].Name != "mandate_online_theme" {
		t.Errorf("dark: to %q with %v", got.Header.Get("Location"), got.Cookies())
	}
	if c := choose("", "/").Cookies()[0]; c.MaxAge >= 0 {
		t.Errorf("the device's choice keeps a cookie: %v", c)
	}
	for _, elsewhere := range []string{"https://evil.example", "//evil.example", "///evil.example", "/\\evil.example", "javascript:alert(1)", "evil", "/x\r\ny", ""} {
		if got := choose("dark", elsewhere).Header.Get("Location"); got != "/" {
			t.Errorf("return %q led to %q", elsewhere, got)
		}
	}
}

func TestSessionCookie(t *testing.T) {
	s := &web.Site{App: "console", Origin: "https://people.example", Key: make([]byte, 32)}
	if _, err := s.Handler(nil); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.SetSession(w, "secret")
	c := w.Result().Cookies()[0]
	if c.Name != "__Host-mandate_console" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.MaxAge != 0 {
		t.Errorf("session cookie %+v", c)
	}
	r := httptest.NewRequest("GET", "https://people.example/", nil)
	r.AddCookie(c)
	if got := s.Session(r); got != "secret" {
		t.Errorf("Session = %q", got)
	}
}

func TestSourceBelievesOurProxiesOnly(t *testing.T) {
	s := &web.Site{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	for _, c := range []struct{ peer, forwarded, want string }{
		{"203.0.113.9:1", "198.51.100.1", "203.0.113.9"},
		{"10.0.0.1:1", "198.51.100.1", "198.51.100.1"},
		{"10.0.0.1:1", "1.1.1.1, 198.51.100.1, 10.0.0.2", "198.51.100.1"},
		{"10.0.0.1:1", "nonsense", "10.0.0.1"},
		{"10.0.0.1:1", "", "10.0.0.1"},
		{"[::ffff:203.0.113.9]:1", "", "203.0.113.9"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.peer
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := s.Source(r).String(); got != c.want {
			t.Errorf("from %s, forwarded for %q: %s, want %s", c.peer, c.forwarded, got, c.want)
		}
	}
}

func TestRequestsAreCounted(t *testing.T) {
	registry := prometheus.NewRegistry()
	metrics, err := web.NewMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	h := handler(t, web.Site{Metrics: metrics}, web.Route{Method: "GET", Pattern: "/users/{user}", Handler: text("x"), Needs: open})
	ask(t, h, "GET", "/users/1")
	ask(t, h, "GET", "/users/2")
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	m := families[0].GetMetric()
	if len(m) != 1 || m[0].GetHistogram().GetSampleCount() != 2 {
		t.Errorf("two requests of one route gave %v", m)
	}
}

// A template that fails leaves nothing behind but the error page.
func TestHalfAPageIsNone(t *testing.T) {
	half := templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		io.WriteString(w, "the first half")
		return errors.New("the second half is missing")
	})
	h := handler(t, web.Site{}, web.Route{Method: "GET", Pattern: "/half", Needs: open, Handler: func(w http.ResponseWriter, r *http.Request) error {
		return web.Render(w, r, 200, half)
	}})
	got, body := ask(t, h, "GET", "/half")
	if got.StatusCode != 500 || strings.Contains(body, "first half") {
		t.Errorf("status %d, body %q", got.StatusCode, body)
	}
}
