package scim_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/client"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/gate"
	"mandate/internal/guard"
	"mandate/internal/identity"
	"mandate/internal/route"
	"mandate/internal/scim"
	"mandate/internal/seal"
	"mandate/internal/staff"
	"mandate/internal/usermgmt"
)

const cedar = bank.InstitutionID("cedar")

var operator = bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: cedar, Channel: bank.ChannelCommand}

// A world is Cedar Bank with a directory, and what it may not touch: Root, who
// administers.
type world struct {
	t       testing.TB
	d       *db.DB
	clock   *dbtest.Clock
	staff   *staff.Service
	rooms   *staff.Provisioning
	clients *client.Service
	mails   []identity.Mail
	handler http.Handler
	key     string
	root    bank.StaffID
	groups  map[string]bank.GroupID
}

func (w *world) Queue(_ *db.Tx, m identity.Mail) error {
	w.mails = append(w.mails, m)
	return nil
}

func (w *world) Cancel(*db.Tx, bank.InstitutionID, string) error { return nil }

func house(*db.Tx, bank.InstitutionID) (staff.House, error) {
	return staff.House{Name: "Cedar Bank", Place: time.UTC}, nil
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(t, newWorld(t, d)) })
}

func newWorld(t testing.TB, d *db.DB) *world {
	w := &world{t: t, d: d, clock: dbtest.ClockOf(t, d), groups: map[string]bank.GroupID{}}
	ring, err := seal.Parse(seal.NewLine("test"))
	w.must(err)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	door := guard.New(d, usermgmt.LoadPolicy, staff.Rights{}, identity.Proofs{})
	people, err := identity.New(identity.Config{DB: d, Guard: door, People: staff.People{House: house}, Mailer: w, Keys: ring, Clock: w.clock,
		Cost: identity.MinimumCost, ThrottleFactor: 1_000_000, RefusalTime: -1})
	w.must(err)
	w.staff = staff.New(door, people, house)
	w.rooms = staff.NewProvisioning(w.staff, scim.Keys{})
	w.clients = client.New(d, door, log)
	w.must(d.Write(t.Context(), func(tx *db.Tx) error {
		return usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: cedar, Name: "Cedar Bank", TimeZone: "America/New_York"})
	}))
	w.root, err = w.staff.InviteAdministrator(t.Context(), operator, "root@cedar.example")
	w.must(err)
	w.group("No Permissions")
	w.group("Help desk", catalog.PeopleViewAll, catalog.PeopleUsersSuspend)
	w.group("Inviters", catalog.StaffUsersInvite)
	_, key, err := w.rooms.Connect(t.Context(), operator, staff.DirectoryDraft{Name: "Cedar directory", Home: w.groups["No Permissions"]})
	w.must(err)
	w.key = string(key)
	mux := route.NewMux()
	scim.New(scim.Config{Rooms: w.rooms, Gate: gate.New(w.clients, gate.NewLimiter(w.clock, gate.Rate{}), log), Origin: "https://api.cedar.example"}).Mount(mux)
	w.handler = mux
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) group(name string, permissions ...catalog.StaffPermission) {
	id, err := w.staff.CreateGroup(w.t.Context(), operator, staff.Draft{Name: name, Permissions: catalog.StaffSetOf(permissions...)})
	w.must(err)
	w.groups[name] = id
}

// A reply is what the edge answered.
type reply struct {
	status int
	header http.Header
	body   map[string]any
}

// ask sends a request; headers come in pairs.
func (w *world) ask(method, path, body string, headers ...string) reply {
	w.t.Helper()
	r := httptest.NewRequest(method, "/scim/cedar/v2"+strings.ReplaceAll(path, " ", "%20"), strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+w.key)
	r.Header.Set("Content-Type", "application/scim+json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	answer := reply{status: recorder.Code, header: recorder.Header()}
	if recorder.Body.Len() > 0 {
		if err := json.NewDecoder(bytes.NewReader(recorder.Body.Bytes())).Decode(&answer.body); err != nil {
			w.t.Fatalf("%s %s: %v in %s", method, path, err, recorder.Body)
		}
		if kind := answer.header.Get("Content-Type"); kind != "application/scim+json" {
			w.t.Errorf("%s %s: the content type is %q", method, path, kind)
		}
	}
	return answer
}

// want asks and insists on a status.
func (w *world) want(status int, method, path, body string, headers ...string) reply {
	w.t.Helper()
	a := w.ask(method, path, body, headers...)
	if a.status != status {
		w.t.Fatalf("%s %s: %d %v, want %d", method, path, a.status, a.body, status)
	}
	return a
}

// refused insists on a status and an error type.
func (w *world) refused(status int, kind, method, path, body string, headers ...string) string {
	w.t.Helper()
	a := w.want(status, method, path, body, headers...)
	if got, _ := a.body["scimType"].(string); got != kind {
		w.t.Errorf("%s %s: scimType %q, want %q (%v)", method, path, got, kind, a.body["detail"])
	}
	if a.body["status"] != strconv.Itoa(status) {
		w.t.Errorf("%s %s: status %v in the body, want %d", method, path, a.body["status"], status)
	}
	detail, _ := a.body["detail"].(string)
	return detail
}

// user makes a user called name and returns their id.
func (w *world) user(name string) string {
	w.t.Helper()
	w.clock.Advance(time.Second) // ids are in the order of time
	a := w.want(201, "POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"`+name+`@cedar.example",
		"name":{"givenName":"`+strings.ToUpper(name[:1])+name[1:]+`","familyName":"Example"},"externalId":"ext-`+name+`"}`)
	return a.body["id"].(string)
}
