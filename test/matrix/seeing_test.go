package matrix_test

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"mandate/internal/app"
	"mandate/internal/bank"
	"mandate/internal/db/dbtest"
	"mandate/internal/guard"
	"mandate/internal/identity"
)

// A staff user who sees Online as a member sees it can send nothing, is shown
// no secret and takes nothing away; every page says who sees it as whom. It is
// over when they end it, and the organization can read that it was.
func TestSeeingAsAMemberChangesNothing(t *testing.T) {
	for name, url := range map[string]func(*testing.T) string{
		"SQLite":     func(t *testing.T) string { return dbtest.SQLiteURL(t, nil) },
		"PostgreSQL": func(t *testing.T) string { return dbtest.PostgreSQLURL(t, nil) },
	} {
		t.Run(name, func(t *testing.T) { newWorld(t, url(t)).seeAs() })
	}
}

func (w *world) seeAs() {
	listeners, err := w.app.Listeners()
	w.must(err)
	online := listeners[slices.IndexFunc(listeners, func(l app.Listener) bool { return l.Name == "online" })]
	s := w.site(online, w.app.Config.PublicOrigin)
	ticket := w.ticket("admin-pays")
	landing := "/" + string(w.institution) + "/see-as/" + url.PathEscape(string(ticket))
	b := s.stranger(w.institution)
	s.renew(b, landing)
	out := s.do(b, http.MethodPost, landing, nil)
	if out.Code != http.StatusSeeOther || !strings.HasSuffix(out.Header().Get("Location"), "/home") {
		w.t.Fatalf("the ticket opens nothing: %d %s", out.Code, out.Body)
	}
	b.keep(out)
	if again := s.do(s.withToken(), http.MethodPost, landing, nil); again.Code != http.StatusConflict {
		w.t.Errorf("the ticket opens a second time: %d", again.Code)
	}
	const end = "/{institution}/see-as-end"
	pages, refused := 0, 0
	for _, r := range inOrder(online.Routes) {
		if r.Pattern == end || !strings.HasPrefix(r.Pattern, "/{institution}") {
			continue
		}
		out := s.do(b, r.Method, s.address(r.Pattern), nil)
		switch body := out.Body.String(); {
		case r.Method != http.MethodGet && (out.Code != http.StatusForbidden || !strings.Contains(body, "You see this as somebody else does")):
			w.t.Errorf("%s: %d, want a refusal", r, out.Code)
		case r.Method != http.MethodGet, out.Code == http.StatusForbidden:
			refused++
		case strings.HasPrefix(r.Pattern, "/{institution}/security"):
			w.t.Errorf("%s shows the member's own factors: %d", r, out.Code)
		case out.Header().Get("Content-Disposition") != "":
			w.t.Errorf("%s gives a file away", r)
		case strings.HasPrefix(out.Header().Get("Content-Type"), "text/html") && strings.Contains(body, "<html") && !strings.Contains(body, `class="watermark"`):
			w.t.Errorf("%s (%d) has no watermark", r, out.Code)
		case out.Code == http.StatusOK:
			pages++
		}
	}
	if pages < 40 || refused < 60 {
		w.t.Errorf("%d pages were seen and %d requests refused; the test looks at nothing", pages, refused)
	}
	w.endsSeeing(s, b, end)
}

// withToken is a stranger with a form token.
func (s *site) withToken() *browser { return s.stranger(s.institution) }

func (w *world) endsSeeing(s *site, b *browser, end string) {
	own := s.enter(w.institution, "admin-pays", password)
	for name, value := range b.cookies {
		if own.cookies[name] == "" {
			own.cookies[name] = value
		}
	}
	home := "/" + string(w.institution) + "/home"
	if out := s.do(own, http.MethodGet, home, nil); !strings.Contains(out.Body.String(), `class="watermark"`) {
		w.t.Error("beside the member's own session the page has no watermark")
	}
	if out := s.do(own, http.MethodPost, s.address(end), nil); out.Code != http.StatusSeeOther {
		w.t.Fatalf("it cannot be ended: %d %s", out.Code, out.Body)
	}
	out := s.do(own, http.MethodGet, home, nil) // the old cookie is still there, and worth nothing
	if out.Code != http.StatusOK || strings.Contains(out.Body.String(), `class="watermark"`) {
		w.t.Errorf("the member's own session is not what it was: %d", out.Code)
	}
	feed := s.do(own, http.MethodGet, "/"+string(w.institution)+"/settings/history?kind=viewed", nil).Body.String()
	for _, want := range []string{"began to see Online as", "no longer sees Online as", "Staff of "} {
		if !strings.Contains(feed, want) {
			w.t.Errorf("the organization does not read %q", want)
		}
	}
}

// ticket is what an employee gets who has proven that it is them.
func (w *world) ticket(member string) identity.Secret {
	w.t.Helper()
	grace := w.demoSignIn(w.institution, "grace.holloway@"+string(w.institution)+".example.com")
	from := identity.Source{Channel: bank.ChannelPeople, IP: "192.0.2.9", Device: "Firefox"}
	g, err := w.app.Identity.SignIn(w.t.Context(), identity.Attempt{Institution: w.institution, Kind: identity.KindStaff, Username: grace.Username, Password: identity.Secret(grace.Password), From: from})
	w.must(err)
	caller := g.Session.Caller
	ask := func() (identity.Secret, error) {
		return w.app.Identity.SeeAs(w.t.Context(), caller, w.organization.ID, w.members[member])
	}
	_, err = ask()
	step, ok := errors.AsType[*guard.StepUp](err)
	if !ok {
		w.t.Fatalf("a ticket is given without a high-risk authorization: %v", err)
	}
	challenge := identity.Challenge{Action: step.Action, Target: step.Target, Content: step.Content}
	w.must(w.app.Identity.Prove(w.t.Context(), caller, challenge, identity.Answer{Password: identity.Secret(grace.Password)}))
	ticket, err := ask()
	w.must(err)
	return ticket
}
