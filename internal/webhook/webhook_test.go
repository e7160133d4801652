package webhook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/pdp"
	"mandate/internal/seal"
	"mandate/internal/usermgmt"
	"mandate/internal/webhook"
)

const (
	cedar = bank.InstitutionID("cedar")
	oak   = bank.InstitutionID("oak")
)

var (
	operator = bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: cedar, Channel: bank.ChannelCommand}
	manager  = bank.Caller{Kind: bank.ActorStaff, ID: "manager", Name: "Mia", Institution: cedar, Channel: bank.ChannelPeople}
	clerk    = bank.Caller{Kind: bank.ActorStaff, ID: "clerk", Name: "Tom", Institution: cedar, Channel: bank.ChannelPeople}
)

// office is what the room must know of staff: who may, and what was proven.
type office struct{ proven bool }

func (o *office) StaffMay(_ *db.Tx, _ bank.InstitutionID, id bank.StaffID, permission string) (bool, error) {
	return id == "manager" && permission == catalog.InstitutionSettingsManage.ID(), nil
}

func (o *office) Consume(*db.Tx, bank.Caller, string, string, []byte) error {
	if o.proven {
		return nil
	}
	return fault.New(fault.StepUp, "Prove it.")
}

// A sent message is what a receiver got.
type sent struct {
	url     string
	headers map[string]string
	body    string
}

// A world is the room with receivers that answer as a test has it.
type world struct {
	t      *testing.T
	d      *db.DB
	clock  *dbtest.Clock
	guard  *guard.Guard
	office *office
	s      *webhook.Service

	mu      sync.Mutex
	answers func(url string) webhook.Outcome
	sent    []sent
	told    []string
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	ring, err := seal.Parse(seal.NewLine("test"))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, d: d, clock: dbtest.ClockOf(t, d), office: &office{proven: true}}
	w.answers = func(string) webhook.Outcome { return webhook.Outcome{Status: 200} }
	w.must(d.Write(t.Context(), func(tx *db.Tx) error {
		for _, id := range []bank.InstitutionID{cedar, oak} {
			if err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: id, Name: string(id), TimeZone: "America/Chicago"}); err != nil {
				return err
			}
		}
		return nil
	}))
	w.guard = guard.New(d, usermgmt.LoadPolicy, w.office, w.office)
	w.s = webhook.New(d, w.guard, ring, w.post, w, slog.New(slog.DiscardHandler))
	w.guard.Watch(w.s.Watch)
	return w
}

func (w *world) post(_ context.Context, url string, headers map[string]string, body []byte) webhook.Outcome {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, sent{url, headers, string(body)})
	return w.answers(url)
}

func (w *world) WebhookFails(_ *db.Tx, e webhook.Endpoint, _, sentence string) error {
	w.told = append(w.told, e.Name+": "+sentence)
	return nil
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) add(d webhook.Draft) (webhook.Endpoint, string) {
	w.t.Helper()
	e, secret, err := w.s.Create(w.t.Context(), operator, d)
	w.must(err)
	return e, string(secret)
}

// happen records events of names at the institution, in one change.
func (w *world) happen(names ...string) {
	w.t.Helper()
	a := guard.Action{Event: names[0], Others: []bank.ActorKind{bank.ActorOperator}}
	w.must(w.guard.Do(w.t.Context(), operator, a, func(c *guard.Change) error {
		for i, name := range names {
			c.RecordAs(name, activity.Target{Kind: activity.TargetStaff, ID: fmt.Sprint("t", i), Name: "Secret Name"}, "a note",
				activity.Change{Field: "email", Old: "old@example.com", New: "new@example.com"}, activity.Change{Field: "email", Old: "x", New: "y"})
		}
		return nil
	}))
}

// deliver sends until nothing is due, and returns what receivers got meanwhile.
func (w *world) deliver() []sent {
	w.t.Helper()
	before := len(w.sent)
	for {
		n, err := w.s.Deliver(w.t.Context())
		w.must(err)
		if n == 0 {
			return w.sent[before:]
		}
	}
}

func typesOf(all []sent) (types []string) {
	for _, one := range all {
		var m struct{ Type string }
		if err := json.Unmarshal([]byte(one.body), &m); err != nil {
			m.Type = err.Error()
		}
		types = append(types, m.Type)
	}
	return types
}

func (w *world) get(id webhook.ID) (webhook.Endpoint, []webhook.Delivery) {
	w.t.Helper()
	e, latest, err := w.s.Get(w.t.Context(), operator, id)
	w.must(err)
	return e, latest
}

// What is told holds what is documented, and nothing of the person or the values.
func TestWhatIsTold(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.add(webhook.Draft{Name: "Hub", URL: "https://hub.example/in"})
		if types := typesOf(w.deliver()); !slices.Equal(types, []string{"institution.webhook_created"}) {
			t.Errorf("its own beginning: %q", types)
		}
		w.happen("staff.profile_changed")
		got := w.deliver()
		if types := typesOf(got); !slices.Equal(types, []string{"staff.profile_changed"}) {
			t.Fatalf("told %q", types)
		}
		var m map[string]any
		w.must(json.Unmarshal([]byte(got[0].body), &m))
		revision, err := pdp.ParseRevision(fmt.Sprint(m["revision"]))
		if err != nil || revision.Institution != cedar || revision.OfInstitution < 2 {
			t.Errorf("revision %+v %v", revision, err)
		}
		if m["id"] != got[0].headers["webhook-id"] || !strings.HasPrefix(fmt.Sprint(m["id"]), "evt_") {
			t.Errorf("id %v, header %v", m["id"], got[0].headers)
		}
		delete(m, "id")
		delete(m, "revision")
		want := fmt.Sprintf(`{"actor":{"kind":"operator"},"changed":["email"],"institution":"cedar","kind":"staff","sequence":%v,"target":{"id":"t0","type":"staff"},"timestamp":%q,"type":"staff.profile_changed"}`,
			m["sequence"], w.clock.Now().UTC().Format("2006-01-02T15:04:05.000000Z"))
		if text, _ := json.Marshal(m); string(text) != want {
			t.Errorf("told\n%s, want\n%s", text, want)
		}
		for _, kept := range []string{"Secret Name", "example.com\"", "a note", "old@", "new@"} {
			if strings.Contains(got[0].body, kept) {
				t.Errorf("%q is told: %s", kept, got[0].body)
			}
		}
	})
}

// Each endpoint hears of what it chose, of its own institution only, and nobody
// of what was refused or not committed.
func TestWhoIsToldOfWhat(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.add(webhook.Draft{Name: "All", URL: "https://all.example/"})
		w.add(webhook.Draft{Name: "Kinds", URL: "https://kinds.example/", Kinds: []string{"staff"}})
		w.add(webhook.Draft{Name: "Names", URL: "https://names.example/", Names: []string{"group.changed", "institution.brand_changed"}})
		there := operator
		there.Institution = oak
		if _, _, err := w.s.Create(t.Context(), there, webhook.Draft{Name: "Oak", URL: "https://oak.example/"}); err != nil {
			t.Fatal(err)
		}
		w.deliver()
		w.sent = nil
		w.happen("staff.invited", "group.changed", "institution.brand_changed")
		if err := w.s.Pause(t.Context(), clerk, "x"); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("a clerk pauses: %v", err)
		}
		got := map[string][]string{}
		for _, one := range w.deliver() {
			got[one.url] = append(got[one.url], typesOf([]sent{one})...)
		}
		want := map[string][]string{
			"https://all.example/":   {"staff.invited", "group.changed", "institution.brand_changed"},
			"https://kinds.example/": {"staff.invited", "group.changed"},
			"https://names.example/": {"group.changed", "institution.brand_changed"},
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("told %v, want %v", got, want)
		}
	})
}

// A message that fails is tried again, ever later; meanwhile nothing passes it,
// and other endpoints notice nothing. When it steps aside the others go on; in the
// end it is given up, staff are told once, and it can be sent again.
func TestTryingAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		hub, _ := w.add(webhook.Draft{Name: "Hub", URL: "https://hub.example/", Kinds: []string{"staff"}})
		w.add(webhook.Draft{Name: "Well", URL: "https://well.example/", Kinds: []string{"staff"}})
		poison := ""
		w.answers = func(url string) webhook.Outcome {
			if last := w.sent[len(w.sent)-1]; url == "https://hub.example/" && strings.Contains(last.body, "staff.locked") && last.headers["webhook-id"] != "" {
				poison = last.headers["webhook-id"]
				return webhook.Outcome{Status: 500}
			}
			return webhook.Outcome{Status: 204}
		}
		w.happen("staff.locked")
		w.happen("staff.unlocked")
		got := map[string][]string{}
		for _, one := range w.deliver() {
			got[one.url] = append(got[one.url], typesOf([]sent{one})...)
		}
		if fmt.Sprint(got) != `map[https://hub.example/:[staff.locked] https://well.example/:[staff.locked staff.unlocked]]` {
			t.Errorf("at first: %v", got)
		}
		if e, _ := w.get(hub.ID); e.Failed != 1 || e.FailingSince.IsZero() || e.Waiting != 2 || e.Answer != "The receiver answered 500." {
			t.Errorf("%+v", e)
		}
		tries, passed, began := 1, time.Duration(0), w.clock.Now()
		for range 400 {
			w.clock.Advance(15 * time.Minute)
			for _, one := range w.deliver() {
				switch typesOf([]sent{one})[0] {
				case "staff.locked":
					tries++
					if one.headers["webhook-id"] != poison {
						t.Errorf("another id: %v", one.headers)
					}
				case "staff.unlocked":
					passed = w.clock.Now().Sub(began)
				}
			}
		}
		if tries != 20 || passed == 0 || passed > 6*time.Hour {
			t.Errorf("%d tries; the next one arrived after %s", tries, passed)
		}
		e, latest := w.get(hub.ID)
		if e.Dead != 1 || e.Waiting != 0 || e.State != webhook.Active || len(w.told) != 1 || latest[0].State != webhook.Dead || latest[0].Attempts != 20 {
			t.Errorf("%+v %+v told %q", e, latest, w.told)
		}
		w.answers = func(string) webhook.Outcome { return webhook.Outcome{Status: 200} }
		w.must(w.s.Resend(t.Context(), operator, hub.ID, latest[0].ID))
		if got := w.deliver(); len(got) != 1 || got[0].headers["webhook-id"] != poison {
			t.Errorf("again: %v", got)
		}
		if err := w.s.Resend(t.Context(), operator, hub.ID, "evt_none"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("nothing again: %v", err)
		}
	})
}

func TestAReceiverThatIsGoneOrDead(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		gone, _ := w.add(webhook.Draft{Name: "Gone", URL: "https://gone.example/", Kinds: []string{"staff"}})
		dead, _ := w.add(webhook.Draft{Name: "Dead", URL: "https://dead.example/", Kinds: []string{"staff"}})
		w.answers = func(url string) webhook.Outcome {
			if strings.Contains(url, "gone") {
				return webhook.Outcome{Status: 410}
			}
			return webhook.Outcome{Why: "The receiver could not be reached."}
		}
		w.happen("staff.locked")
		w.deliver()
		if e, _ := w.get(gone.ID); e.State != webhook.Gone || len(w.told) != 1 {
			t.Errorf("%+v told %q", e, w.told)
		}
		for hour := range 80 {
			w.clock.Advance(time.Hour)
			if hour%10 == 0 {
				w.happen("staff.locked")
			}
			w.deliver()
		}
		e, _ := w.get(dead.ID)
		if e.State != webhook.Failing {
			t.Errorf("%+v told %q", e, w.told)
		}
		before := len(w.sent)
		w.happen("staff.unlocked")
		w.clock.Advance(time.Hour)
		w.deliver()
		if len(w.sent) != before {
			t.Errorf("%v", w.sent[before:])
		}
		if err := w.s.Test(t.Context(), operator, dead.ID); fault.KindOf(err) != fault.Conflict {
			t.Errorf("a test of what is stopped: %v", err)
		}
		w.answers = func(string) webhook.Outcome { return webhook.Outcome{Status: 200} }
		w.must(w.s.Resume(t.Context(), operator, dead.ID))
		w.must(w.s.Resume(t.Context(), operator, gone.ID))
		w.clock.Advance(6 * time.Hour)
		w.deliver()
		for _, id := range []webhook.ID{gone.ID, dead.ID} {
			if e, _ := w.get(id); e.Waiting != 0 || e.State != webhook.Active {
				t.Errorf("%+v", e)
			}
		}
		// What is gone was told nothing of what happened meanwhile; the other was.
		if _, latest := w.get(dead.ID); len(latest) != 10 {
			t.Errorf("%+v", latest)
		}
		if _, latest := w.get(gone.ID); len(latest) != 1 {
			t.Errorf("%+v", latest)
		}
	})
}

// A secret is shown once, needs a proof, and signs on for a day after another
// took its place.
func TestSecretsAndRights(t *testing.T) {
	d := dbtest.SQLite(t)
	w := newWorld(t, d)
	w.office.proven = false
	good := webhook.Draft{Name: "Hub", URL: "https://hub.example/"}
	if _, _, err := w.s.Create(t.Context(), manager, good); fault.KindOf(err) != fault.StepUp {
		t.Errorf("without a proof: %v", err)
	}
	if _, _, err := w.s.Create(t.Context(), clerk, good); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("without the right: %v", err)
	}
	w.office.proven = true
	e, secret, err := w.s.Create(t.Context(), manager, good)
	w.must(err)
	if !strings.HasPrefix(string(secret), "whsec_") {
		t.Errorf("%d characters", len(string(secret)))
	}
	w.office.proven = false
	if _, err := w.s.Rotate(t.Context(), manager, e.ID); fault.KindOf(err) != fault.StepUp {
		t.Errorf("rotated without a proof: %v", err)
	}
	moved := good
	moved.URL = "https://elsewhere.example/"
	if err := w.s.Edit(t.Context(), manager, e.ID, 1, moved); fault.KindOf(err) != fault.StepUp {
		t.Errorf("moved without a proof: %v", err)
	}
	named := good
	named.Kinds = []string{"wires"}
	w.must(w.s.Edit(t.Context(), manager, e.ID, 1, named))
	if err := w.s.Edit(t.Context(), manager, e.ID, 1, good); fault.KindOf(err) != fault.Conflict {
		t.Errorf("an old form: %v", err)
	}
	if signatures := len(strings.Fields(w.signed(e.ID))); signatures != 1 {
		t.Errorf("%d signatures", signatures)
	}
	w.office.proven = true
	next, err := w.s.Rotate(t.Context(), manager, e.ID)
	w.must(err)
	if next == secret || len(strings.Fields(w.signed(e.ID))) != 2 {
		t.Error("the old secret ended at once")
	}
	w.clock.Advance(25 * time.Hour)
	if len(strings.Fields(w.signed(e.ID))) != 1 {
		t.Error("the old secret goes on")
	}
	there := manager
	there.Institution = oak
	if _, _, err := w.s.Get(t.Context(), there, e.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("another institution's: %v", err)
	}
	w.must(w.s.Delete(t.Context(), manager, e.ID))
	if _, _, err := w.s.Get(t.Context(), manager, e.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("deleted: %v", err)
	}
}

// signed sends a test and returns its signatures.
func (w *world) signed(id webhook.ID) string {
	w.t.Helper()
	w.must(w.s.Test(w.t.Context(), operator, id))
	got := w.deliver()
	if len(got) == 0 || !slices.Contains(typesOf(got), "webhook.test") {
		w.t.Fatalf("no test arrived: %v", typesOf(got))
	}
	return got[len(got)-1].headers["webhook-signature"]
}

func TestWhatCannotBeSaved(t *testing.T) {
	d := dbtest.SQLite(t)
	w := newWorld(t, d)
	w.add(webhook.Draft{Name: "Hub", URL: "https://hub.example/"})
	for field, draft := range map[string]webhook.Draft{
		"name": {Name: " ", URL: "https://x.example/"}, "name taken": {Name: "HUB", URL: "https://x.example/"}, "name long": {Name: strings.Repeat("x", 81), URL: "https://x.example/"},
		"url": {Name: "a"}, "url plain": {Name: "a", URL: "http://x.example/"}, "url here": {Name: "a", URL: "http://localhost/"}, "url sign-in": {Name: "a", URL: "https://a:b@x.example/"},
		"url fragment": {Name: "a", URL: "https://x.example/#x"}, "url file": {Name: "a", URL: "file:///etc/passwd"}, "url blank": {Name: "a", URL: "https://x.example/a b"},
		"kinds": {Name: "a", URL: "https://x.example/", Kinds: []string{"nothing"}}, "names": {Name: "a", URL: "https://x.example/", Names: []string{"orguser.none"}},
		"organizations": {Name: "a", URL: "https://x.example/", Organizations: []bank.OrganizationID{"none"}},
	} {
		_, _, err := w.s.Create(t.Context(), operator, draft)
		want, _, _ := strings.Cut(field, " ")
		if problems := fault.ProblemsOf(err); len(problems) != 1 || problems[0].Field != want {
			t.Errorf("%s: %v %v", field, err, problems)
		}
	}
}

// Organizations that are none are named, all of them at once.
func TestStrangersAreNamed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		draft := webhook.Draft{Name: "a", URL: "https://x.example/", Organizations: []bank.OrganizationID{"org_none", "nought\x00", "odd"}}
		organization := bank.OrganizationID("org_here")
		w.must(d.Write(t.Context(), func(tx *db.Tx) error { return activity.Start(tx, cedar, organization) }))
		var known []bank.OrganizationID
		w.must(d.Read(t.Context(), func(tx *db.Tx) (err error) {
			known, err = activity.Known(tx, operator.Institution, append(draft.Organizations, organization))
			return err
		}))
		if !slices.Equal(known, []bank.OrganizationID{organization}) {
			t.Errorf("known are %q", known)
		}
		_, _, err := w.s.Create(t.Context(), operator, draft)
		problems := fault.ProblemsOf(err)
		if len(problems) != 1 || problems[0].Field != "organizations" {
			t.Fatalf("%v %v", err, problems)
		}
		for _, said := range []string{`"org_none"`, `"nought\x00"`, `"odd"`, "begin with org_"} {
			if !strings.Contains(problems[0].Sentence, said) {
				t.Errorf("%q does not say %s", problems[0].Sentence, said)
			}
		}
		draft.Organizations = nil
		for i := range 25 {
			draft.Organizations = append(draft.Organizations, bank.OrganizationID(fmt.Sprintf("org_%02d", i)))
		}
		if _, _, err := w.s.Create(t.Context(), operator, draft); !strings.Contains(fmt.Sprint(fault.ProblemsOf(err)), `"org_09", and 15 more`) {
			t.Errorf("%v", fault.ProblemsOf(err))
		}
	})
}

// Ten thousand events: recording them stays quick, they arrive in order, and old
// ones are forgotten.
func TestABurst(t *testing.T) {
	d := dbtest.SQLite(t)
	w := newWorld(t, d)
	e, _ := w.add(webhook.Draft{Name: "Hub", URL: "https://hub.example/", Kinds: []string{"staff"}})
	names := make([]string, dbtest.Rounds(1_000, 10_000))
	for i := range names {
		names[i] = "staff.locked"
	}
	began := time.Now()
	w.happen(names...)
	recorded := time.Since(began)
	began = time.Now()
	got := w.deliver()
	t.Logf("%d events were recorded in %s and sent in %s", len(names), recorded, time.Since(began))
	if len(got) != len(names) {
		t.Errorf("%d of %d arrived", len(got), len(names))
	}
	for i, one := range got {
		if want := fmt.Sprintf(`"id":"t%d"`, i); !strings.Contains(one.body, want) {
			t.Fatalf("message %d: %s", i, one.body)
		}
	}
	w.clock.Advance(8 * 24 * time.Hour)
	w.must(w.s.Prune(t.Context()))
	if _, latest := w.get(e.ID); len(latest) != 0 {
		t.Errorf("%d old ones are kept", len(latest))
	}
}
