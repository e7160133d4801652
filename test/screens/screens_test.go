// Package screens_test looks at every screen that people have, with the demo's
// people and data behind them: nothing may break the rules of accessibility or
// be wider than the screen, light or dark, on a desk or on a phone.
package screens_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pquerna/otp/totp"

	"mandate/internal/app"
	"mandate/internal/bank"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/demo"
	"mandate/internal/guard"
	"mandate/internal/identity"
	"mandate/internal/mail/mailbox"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/browsertest"
)

func TestMain(m *testing.M) { browsertest.Main(m) }

// A walk goes from screen to screen in the demo and looks at each once.
type walk struct {
	t      *testing.T
	app    *app.App
	world  *demo.World
	origin string
	routes *http.ServeMux
	looks  int
	screen map[string]bool   // the patterns that show a screen; true once it was looked at
	asked  map[string]int    // how often a pattern was asked for
	found  map[string]string // an address of each pattern
	*browsertest.Page
}

func newWalk(t *testing.T) *walk {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	origin := "http://" + strings.Replace(server.Listener.Addr().String(), "127.0.0.1", "localhost", 1)
	clock := demo.NewClock(bank.SystemClock{})
	box, err := mailbox.Listen("localhost:0", clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close() })
	cfg := config.Config{ThrottleFactor: 1000, HashMemory: identity.MinimumCost.MemoryKiB, HashPasses: identity.MinimumCost.Passes, PublicOrigin: origin}
	cfg.Data, cfg.SMTP = t.TempDir(), box.Address()
	a, err := app.Open(t.Context(), cfg, clock, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	a.Mailbox, a.Components = box, true
	w := &walk{t: t, app: a, origin: origin, routes: http.NewServeMux(), screen: map[string]bool{}, asked: map[string]int{}, found: map[string]string{}}
	if w.world, err = demo.Open(t.Context(), a, clock, io.Discard); err != nil {
		t.Fatal(err)
	}
	handler, err := a.OnlineHandler()
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = handler
	server.Start()
	t.Cleanup(server.Close)
	for _, r := range handler.(interface{ Routes() []web.Route }).Routes() {
		w.routes.HandleFunc(r.Method+" "+r.Pattern, func(http.ResponseWriter, *http.Request) {})
		if r.Method == "GET" {
			w.screen["GET "+r.Pattern] = false
		}
	}
	w.Page = browsertest.Open(t)
	return w
}

// pattern is the route of an address.
func (w *walk) pattern(path string) string {
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.origin+path, nil)
	if err != nil {
		return ""
	}
	_, pattern := w.routes.Handler(r)
	return pattern
}

// maxAsked is how many addresses of one pattern are asked for what they lead to.
// Fewer find a screen on one day and not on another, because what is made up differs.
const maxAsked = 40

// visit asks an address for what it leads to, and looks at it where nobody has
// looked at one like it.
func (w *walk) visit(path string, look bool) (links []string) {
	w.t.Helper()
	pattern := w.pattern(path)
	seen, is := w.screen[pattern]
	if !is || w.asked[pattern] >= maxAsked && !look {
		return nil
	}
	w.asked[pattern]++
	var got struct {
		Kind  string
		Links []string
	}
	w.Eval(`fetch("`+path+`").then(async (answer) => {
		const kind = answer.headers.get("Content-Type") ?? "";
		if (!answer.ok || !kind.startsWith("text/html")) return { Kind: kind, Links: [] };
		const page = new DOMParser().parseFromString(await answer.text(), "text/html");
		const links = [...page.querySelectorAll("a[href], [hx-get], form[method=get]")]
			.map((e) => new URL(e.getAttribute("href") ?? e.getAttribute("hx-get") ?? e.getAttribute("action") ?? "", answer.url))
			.filter((u) => u.origin === location.origin).map((u) => u.pathname + u.search);
		return { Kind: kind, Links: links };
	})`, &got)
	if !strings.HasPrefix(got.Kind, "text/html") {
		delete(w.screen, pattern) // a file or a picture
		return nil
	}
	if !seen || look {
		w.Goto(w.origin + path)
		w.here()
	}
	return got.Links
}

// here looks at the screen that is open.
func (w *walk) here() {
	w.t.Helper()
	path := strings.TrimPrefix(w.URL(), w.origin)
	pattern := w.pattern(path)
	w.screen[pattern], w.found[pattern] = true, path
	w.looks++
	w.Look(fmt.Sprintf("screen-%03d%s", w.looks, strings.NewReplacer("GET /", "-", "{institution}", "", "/", "-", "{", "", "}", "").Replace(pattern)))
}

// from looks at everything that some addresses lead to, nearest first. The
// addresses themselves are looked at even where others like them were.
func (w *walk) from(paths ...string) {
	w.t.Helper()
	var next []string
	for _, path := range paths {
		next = append(next, w.visit(path, true)...)
	}
	asked := map[string]bool{}
	for len(next) > 0 {
		path := next[0]
		next = next[1:]
		if !asked[path] {
			asked[path] = true
			next = append(next, w.visit(path, false)...)
		}
	}
}

// is goes to the sign-in of somebody and fills it in.
func (w *walk) is(username string) demo.SignIn {
	w.t.Helper()
	who := w.world.SignIns[slices.IndexFunc(w.world.SignIns, func(s demo.SignIn) bool { return s.Username == username })]
	w.Goto(w.origin + "/" + who.Institution + "/sign-in")
	w.Fill("Username", who.Username)
	w.Fill("Password", who.Password)
	w.Click("Sign in")
	return who
}

func (w *walk) signOut(name string) {
	w.t.Helper()
	w.Click(name + " , your menu")
	w.Click("Sign out")
}

// mailed is the path of the link in the newest letter to somebody with this
// subject.
func (w *walk) mailed(email, subject string) string {
	w.t.Helper()
	for _, m := range w.app.Mailbox.Messages(email) {
		if strings.Contains(m.Subject, subject) && len(m.Links) > 0 {
			return strings.TrimPrefix(m.Links[0], w.origin)
		}
	}
	w.t.Fatalf("%s has got no letter about %q", email, subject)
	return ""
}

// entrance is what is seen without signing in.
func (w *walk) entrance(institution string) {
	w.t.Helper()
	at := "/" + institution
	w.Goto(w.origin + at + "/")
	w.screen["GET /{institution}"], w.screen["GET /{institution}/{$}"] = true, true // they lead to the next
	w.here()
	w.from("/_faults", at+"/forgot", w.mailed("priya@larkspur.example.com", "invited you"), at+"/invitation-wanted")
	w.Goto(w.origin + w.mailed("priya@larkspur.example.com", "invited you"))
	w.Click("Join")
	w.here()
	w.Goto(w.origin + at + "/forgot")
	w.Fill("Username or email", "lee.tran")
	w.Click("Send link")
	if err := w.app.DeliverMail(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.Goto(w.origin + w.mailed("lee@larkspur.example.com", "Reset your password"))
	w.here()
	w.Click("Reset password")
	w.here()
}

var seedPattern = regexp.MustCompile(`[A-Z2-7]{4}(?: [A-Z2-7]{4}){7}`)

// secondFactor adds an authenticator app, looks at what asks about it, and signs
// in with it.
func (w *walk) secondFactor(who demo.SignIn) {
	w.t.Helper()
	w.Goto(w.origin + "/" + who.Institution + "/security")
	w.Click("Add an authenticator app")
	w.Fill("Password", who.Password)
	w.Click("Confirm")
	w.Click("You cannot scan it?")
	code, err := totp.GenerateCode(strings.ReplaceAll(seedPattern.FindString(w.Text()), " ", ""), w.app.Clock.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	w.Fill("Code from the app", code)
	w.Click("Add app")
	w.Click("Continue")
	w.from("/" + who.Institution + "/security")
	w.signOut(who.Name)
	w.is(who.Username)
	w.here()
}

// upload brings a file that cannot be taken.
func (w *walk) upload(at string) {
	w.t.Helper()
	w.Goto(w.origin + at + "/ach/upload")
	w.Attach("File", "wages.ach", "text/plain", []byte("not a file of batches"))
	w.Click("Upload")
	w.See("was not taken")
	w.here()
}

// elsewhere are the screens that need another world, and the tests of
// internal/web/online that look at them.
var elsewhere = map[string]string{
	"GET /{institution}/settings/importing/{ref}":             "TestOnTheWayInABrowser",
	"GET /{institution}/sign-in/factor":                       "TestRequiredSecondFactorInABrowser",
	"GET /{institution}/settings/users/{user}/picture":        "a picture, and no screen",
	"GET /{institution}/settings/users/{user}/picture/remove": "TestPictureInABrowser",
	"GET /{institution}/ach/runs/{run}":                       "it leads on, and is no screen",
	"GET /{institution}/logo":                                 "a picture, and no screen",
	"GET /{institution}/approvals":                            "TestApprovalInABrowser",
	"GET /{institution}/approvals/{approval}":                 "TestApprovalInABrowser",
	"GET /{institution}/sign-on/{ticket}":                     "TestWhatAnAdminChangesIsAnsweredAtOnce",
}

// seeAs looks at what an employee gets to see of a member: the way in, and a page
// with the mark on it.
func (w *walk) seeAs(institution string, member bank.UserID) {
	w.t.Helper()
	grace := w.world.SignIns[slices.IndexFunc(w.world.SignIns, func(s demo.SignIn) bool {
		return s.Kind == "staff" && s.Institution == institution && strings.HasPrefix(s.Username, "grace.holloway@")
	})]
	must := func(err error) {
		if err != nil {
			w.t.Fatal(err)
		}
	}
	ctx, people := w.t.Context(), w.app.Identity
	var keys usermgmt.Keys
	must(w.app.DB.Read(ctx, func(tx *db.Tx) (err error) {
		keys, err = usermgmt.KeysOf(tx, bank.InstitutionID(institution), "larkspur")
		return err
	}))
	in, err := people.SignIn(ctx, identity.Attempt{Institution: bank.InstitutionID(institution), Kind: identity.KindStaff, Username: grace.Username,
		Password: identity.Secret(grace.Password), From: identity.Source{Channel: bank.ChannelPeople, IP: "192.0.2.9", Device: "Firefox"}})
	must(err)
	_, err = people.SeeAs(ctx, in.Session.Caller, keys.Organization, member)
	step, asked := errors.AsType[*guard.StepUp](err)
	if !asked {
		w.t.Fatalf("a ticket is given without a high-risk authorization: %v", err)
	}
	must(people.Prove(ctx, in.Session.Caller, identity.Challenge{Action: step.Action, Target: step.Target, Content: step.Content},
		identity.Answer{Password: identity.Secret(grace.Password)}))
	ticket, err := people.SeeAs(ctx, in.Session.Caller, keys.Organization, member)
	must(err)
	w.Goto(w.origin + "/" + institution + "/see-as/" + string(ticket))
	w.here()
	w.Click("See as the member")
	w.See("Welcome")
	w.here()
}

func TestEveryScreen(t *testing.T) {
	w := newWalk(t)
	who := w.world.SignIns[slices.IndexFunc(w.world.SignIns, func(s demo.SignIn) bool { return s.Username == "ana.ruiz" })]
	at := "/" + who.Institution
	w.entrance(who.Institution)

	w.is("dana.reyes") // pays
	w.See("Welcome")
	w.from(at + "/home")
	w.upload(at)
	dana := w.world.SignIns[slices.IndexFunc(w.world.SignIns, func(s demo.SignIn) bool { return s.Username == "dana.reyes" })]
	w.secondFactor(dana)

	w.is("ana.ruiz") // administers
	w.See("Welcome")
	member := func(username string) string {
		return at + "/settings/users/" + w.world.Institutions[0].Members[username]
	}
	danas, omars := member("dana.reyes"), member("omar.haddad")
	w.Goto(w.origin + at + "/settings/users?q=priya")
	w.Click("Priya Natarajan")
	priyas := strings.TrimPrefix(w.URL(), w.origin)
	w.from(danas, priyas, priyas+"/invite", priyas+"/cancel-invitation", danas+"/copy", danas+"/delete", danas+"/hold", danas+"/why", omars, omars+"/unlocked", member("ingrid.moe"), at+"/home")
	w.from(w.found["GET /{institution}/settings/users/{user}/setup"] + "/done")
	w.seeAs(who.Institution, bank.UserID(w.world.Institutions[0].Members["dana.reyes"]))
	for _, pattern := range slices.Sorted(maps.Keys(w.screen)) {
		if elsewhere[pattern] == "" && !w.screen[pattern] {
			t.Errorf("nobody looked at %s: let the demo lead there, or look at it in a test of its own and name that here", pattern)
		}
	}
	t.Logf("looked at %d screens", w.looks)
}
