// Package matrix asks every address of the assembled program as everybody there
// can be, and compares what they meet with testdata/matrix.txt, which is written
// by hand from who may do what. An address that is not in that file fails the
// test, and so does a line of it that is no address. It asks over HTTP, without
// a network, with empty forms: what is theirs to use may still be wrong.
package matrix_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"mandate/internal/app"
	"mandate/internal/catalog"
	"mandate/internal/db/dbtest"
	"mandate/internal/identity"
	"mandate/internal/route"
)

func TestEveryRouteAsEverybody(t *testing.T) {
	for name, url := range map[string]func(*testing.T) string{
		"SQLite":     func(t *testing.T) string { return dbtest.SQLiteURL(t, nil) },
		"PostgreSQL": func(t *testing.T) string { return dbtest.PostgreSQLURL(t, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, url(t))
			union := w.union()
			w.quick = name != "SQLite" && dbtest.Rounds(1, 2) == 1
			tables := readMatrix(t, "testdata/matrix.txt")
			listeners, err := w.app.Listeners()
			w.must(err)
			// Programs first: what payers refuse on Online no longer waits.
			slices.SortStableFunc(listeners, func(a, b app.Listener) int { return strings.Compare(a.Name, b.Name) })
			for _, l := range listeners {
				if tables[l.Name] == nil {
					t.Errorf("testdata/matrix.txt has no listener %s", l.Name)
					continue
				}
				w.ask(l, tables[l.Name])
			}
			union.askDifferences(listeners)
		})
	}
}

// askDifferences asks at the credit union what is different there.
func (w *world) askDifferences(listeners []app.Listener) {
	w.t.Helper()
	for name, m := range readMatrix(w.t, "testdata/credit_union.txt") {
		l := listeners[slices.IndexFunc(listeners, func(l app.Listener) bool { return l.Name == name })]
		l.Routes = slices.DeleteFunc(slices.Clone(l.Routes), func(r route.Route) bool { return m.rules[r.String()] == nil })
		w.ask(l, m)
	}
}

// ask asks everything of a listener as everybody.
func (w *world) ask(l app.Listener, m *table) {
	w.t.Helper()
	begin, known := askers[l.Name]
	if !known {
		w.t.Errorf("nobody asks the listener %s: say in askers who does", l.Name)
		return
	}
	ask := begin(w, l)
	asked := 0
	for _, who := range m.people {
		if w.quick && ofAProduct(who) {
			continue
		}
		for _, r := range inOrder(l.Routes) {
			rule := m.rules[r.String()]
			if m.used[r.String()] = true; rule == nil {
				continue
			}
			out := ask(who, r)
			asked++
			if met := w.meet(out, rule.says[who]); !rule.says[who].allows(met) {
				w.t.Errorf("%s as %s: %d (%s); line %d of the matrix says %s%s", r, who, out.Code, met, rule.line, rule.says[who], said(out))
			}
			if slices.Contains(m.foreign, who) && strings.Contains(out.Body.String(), secretWord) {
				w.t.Errorf("%s as %s: %d, and the answer tells of %s", r, who, out.Code, secretWord)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.used)) {
		if m.rules[name] == nil {
			w.t.Errorf("%s serves %s, which is not in the matrix: add that line to test/matrix/testdata/matrix.txt under \"listener %s\", below the rule (=>) that says who may use it",
				l.Name, name, l.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.rules)) {
		if !m.used[name] {
			w.t.Errorf("line %d of the matrix says who may use %s, which %s does not serve", m.rules[name].line, name, l.Name)
		}
	}
	w.t.Logf("%s: %d routes, %d answers", l.Name, len(l.Routes), asked)
}

// ofAProduct reports whether somebody holds a permission that no screen of ours
// asks for: one such is like another.
func ofAProduct(who string) bool {
	p := catalog.ParseStaffPermission(who)
	return p != catalog.UnknownStaffPermission && p.Info().Area.Info().Product
}

// secretWord is in the name of the organization of the matrix: nobody who is
// not of it is shown that.
const secretWord = "Larkspur"

// inOrder lets looking come before doing, that before deleting, and leaving last.
func inOrder(routes []route.Route) []route.Route {
	rank := func(r route.Route) int {
		switch {
		case r.Method == http.MethodGet:
			return 0
		case strings.HasSuffix(r.Pattern, "/sign-out"):
			return 3
		case strings.HasSuffix(r.Pattern, "/delete"):
			return 2
		}
		return 1
	}
	all := slices.Clone(routes)
	slices.SortStableFunc(all, func(a, b route.Route) int { return rank(a) - rank(b) })
	return all
}

// meet is what an answer means for whoever asked. Whether a list is empty is
// looked at where the matrix says so.
func (w *world) meet(out *httptest.ResponseRecorder, said verdict) verdict {
	body := out.Body.String()
	switch at, _, _ := strings.Cut(out.Header().Get("Location"), "?"); {
	case out.Code == http.StatusUnauthorized, out.Code == http.StatusSeeOther && strings.HasSuffix(at, "/sign-in"):
		return signIn
	case out.Code == http.StatusForbidden && (strings.Contains(body, `name="prove_`) || strings.Contains(body, "HIGH_RISK_AUTHORIZATION")):
		return yes // they may, once they have shown again who they are
	case out.Code == http.StatusForbidden:
		return refused
	case out.Code == http.StatusNotFound:
		return absent
	case out.Code == http.StatusServiceUnavailable && strings.Contains(body, "not serving"):
		return yes // the test serves nobody else, and the program says so
	case out.Code >= 500, out.Code == http.StatusTooManyRequests, out.Code == http.StatusMethodNotAllowed, out.Code == http.StatusMisdirectedRequest:
		return verdict(fmt.Sprintf("a failure: %.300s", body))
	}
	if said == empty && (out.Code == http.StatusOK || out.Code == http.StatusSeeOther) && w.listsNothing(out) {
		return empty
	}
	return yes
}

// listsNothing reports whether an answer names none of the organization's
// objects, or is a file without a line below its head.
func (w *world) listsNothing(out *httptest.ResponseRecorder) bool {
	body := out.Body.String()
	if strings.HasPrefix(out.Header().Get("Content-Type"), "text/csv") {
		return strings.Count(strings.TrimSpace(body), "\n") == 0
	}
	return !slices.ContainsFunc(w.everyID(), func(id string) bool { return strings.Contains(body, id) })
}

// An asker asks a route as somebody.
type asker func(who string, r route.Route) *httptest.ResponseRecorder

// askers know by listener who the people of its table are.
var askers = map[string]func(*world, app.Listener) asker{
	"online":    asMembers,
	"console":   asStaff,
	"api":       asPrograms,
	"office":    asOffice,
	"mailbox":   asAnybody,
	"operators": asAnybody,
}

func (w *world) site(l app.Listener, origin string) *site { return &site{w, l.Handler, origin} }

// browsers asks as people with browsers.
func (s *site) browsers(people map[string]*browser) asker {
	return func(who string, r route.Route) *httptest.ResponseRecorder {
		b, known := people[who]
		if !known {
			s.t.Fatalf("nobody is called %s", who)
		}
		var form url.Values
		if make := forms[r.String()]; make != nil {
			form = make(s.world)
		}
		return s.do(b, r.Method, s.address(r.Pattern), form)
	}
}

func asAnybody(w *world, l app.Listener) asker {
	origin := "http://" + l.Address
	return func(_ string, r route.Route) *httptest.ResponseRecorder {
		return w.site(l, origin).do(&browser{}, r.Method, w.address(r.Pattern), nil)
	}
}

func asMembers(w *world, l app.Listener) asker {
	s := w.site(l, w.app.Config.PublicOrigin)
	people := map[string]*browser{"nobody": s.stranger(w.institution)}
	for name := range w.members {
		people[name] = s.enter(w.institution, name, password)
	}
	noor := w.demoSignIn(w.elsewhere, "noor.siddiqui")
	people["abroad"] = s.enter(w.elsewhere, noor.Username, noor.Password)
	people["staff"] = s.smuggled(people["admin"], "mandate_online", w.session(identity.KindStaff, "nothing@matrix.example"))
	return s.browsers(people)
}

// smuggled is a browser that brings a sign-in of the other app as this one's.
func (s *site) smuggled(like *browser, cookie, session string) *browser {
	b := &browser{cookies: map[string]string{}}
	for name, value := range like.cookies {
		b.cookies[name] = value
	}
	if b.cookies[cookie] == "" {
		s.t.Fatalf("the app keeps no cookie %s: %v", cookie, b.cookies)
	}
	b.cookies[cookie] = session
	s.renew(b, "/"+string(s.institution)+"/sign-in")
	return b
}

func asStaff(w *world, l app.Listener) asker {
	s := w.site(l, w.app.Config.ConsoleOrigin)
	grace := w.demoSignIn(w.institution, "grace.holloway@"+string(w.institution)+".example.com")
	other := w.demoSignIn(w.elsewhere, "grace.holloway@"+string(w.elsewhere)+".example.com")
	single := s.enter(w.institution, "single@matrix.example", password)
	people := map[string]*browser{
		"nobody": s.stranger(w.institution), "nothing": s.enter(w.institution, "nothing@matrix.example", password),
		"everything": s.enter(w.institution, grace.Username, grace.Password), "abroad": s.enter(w.elsewhere, other.Username, other.Password),
		"member": s.smuggled(single, "mandate_console", w.session(identity.KindMember, "admin-pays")),
	}
	ask, holds := s.browsers(people), ""
	return func(who string, r route.Route) *httptest.ResponseRecorder {
		if p := catalog.ParseStaffPermission(who); p != catalog.UnknownStaffPermission && holds != who {
			w.permit(catalog.StaffSetOf(p))
			people[who], holds = s.enter(w.institution, "single@matrix.example", password), who
		}
		return ask(who, r)
	}
}

// said is as much of what a program was told as explains a surprise.
func said(out *httptest.ResponseRecorder) string {
	if !strings.Contains(out.Header().Get("Content-Type"), "json") {
		return ""
	}
	return fmt.Sprintf(": %.300s", out.Body)
}
