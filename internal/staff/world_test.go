package staff_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/identity"
	"mandate/internal/seal"
	"mandate/internal/staff"
	"mandate/internal/usermgmt"
)

const (
	harbor   = bank.InstitutionID("harbor")
	password = identity.Secret("correct horse battery staple")
)

var operator = bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: harbor, Channel: bank.ChannelCommand}

// A world is Harbor Bank with its staff: Root has everything, by the operator.
type world struct {
	t        *testing.T
	d        *db.DB
	clock    *dbtest.Clock
	identity *identity.Service
	s        *staff.Service
	post     *post
	users    map[string]bank.StaffID
	groups   map[string]bank.GroupID
}

// post keeps the links that were mailed, by address.
type post struct{ mails []identity.Mail }

func (p *post) Queue(_ *db.Tx, m identity.Mail) error {
	p.mails = append(p.mails, m)
	return nil
}

func (p *post) Cancel(_ *db.Tx, _ bank.InstitutionID, key string) error {
	p.mails = slices.DeleteFunc(p.mails, func(m identity.Mail) bool { return m.Key == key })
	return nil
}

func house(tx *db.Tx, id bank.InstitutionID) (staff.House, error) {
	place, err := time.LoadLocation("America/Chicago")
	return staff.House{Name: "Harbor Bank", Place: place}, err
}

func each(t *testing.T, test func(w *world)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(newWorld(t, d)) })
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	w := &world{t: t, d: d, clock: dbtest.ClockOf(t, d), post: &post{}, users: map[string]bank.StaffID{}, groups: map[string]bank.GroupID{}}
	ring, err := seal.Parse(seal.NewLine("test"))
	w.must(err)
	door := guard.New(d, usermgmt.LoadPolicy, staff.Rights{}, identity.Proofs{})
	w.identity, err = identity.New(identity.Config{
		DB: d, Guard: door, People: staff.People{House: house}, Mailer: w.post, Keys: ring, Clock: w.clock,
		Cost: identity.MinimumCost, ThrottleFactor: 1_000_000, RefusalTime: -1,
	})
	w.must(err)
	w.s = staff.New(door, w.identity, house)
	w.must(d.Write(t.Context(), func(tx *db.Tx) error {
		return usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: harbor, Name: "Harbor Bank", TimeZone: "America/Chicago",
			Offers: catalog.EntitlementSet(0).With(catalog.Wires).With(catalog.ACH)})
	}))
	w.users["root"], err = w.s.InviteAdministrator(t.Context(), operator, "root@harbor.example")
	w.must(err)
	w.join("root")
	groups, err := w.s.Groups(t.Context(), operator)
	w.must(err)
	w.groups["everything"] = groups[0].ID
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// refused insists on a fault with a code.
func (w *world) refused(err error, code string) {
	w.t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Code != code {
		w.t.Fatalf("got %v, want a refusal with %s", err, code)
	}
}

func address(name string) string { return name + "@harbor.example" }

// link is the token of the newest mail to somebody.
func (w *world) link(name string) identity.Secret {
	w.t.Helper()
	for _, m := range slices.Backward(w.post.mails) {
		if m.To == address(name) && m.Link != "" {
			return m.Link[strings.LastIndex(string(m.Link), "/")+1:]
		}
	}
	w.t.Fatalf("%s has got no link", name)
	return ""
}

var from = identity.Source{Channel: bank.ChannelPeople, IP: "192.0.2.7", Device: "Firefox on Linux"}

// join accepts an invitation, signs in for the first time and introduces
// themself.
func (w *world) join(name string) {
	w.t.Helper()
	browser, _, err := w.identity.Redeem(w.t.Context(), harbor, identity.PurposeInvitation, w.link(name), from)
	w.must(err)
	w.must(w.identity.Enrol(w.t.Context(), harbor, browser, "", password, from))
	w.must(w.s.EditOwn(w.t.Context(), w.as(name), staff.Details{FirstName: strings.ToUpper(name[:1]) + name[1:], LastName: "Harbor"}))
}

func (w *world) try(name string, password identity.Secret) (identity.Granted, error) {
	return w.identity.SignIn(w.t.Context(), identity.Attempt{Institution: harbor, Kind: identity.KindStaff, Username: address(name), Password: password, From: from})
}

// as signs somebody in.
func (w *world) as(name string) bank.Caller {
	w.t.Helper()
	g, err := w.try(name, password)
	w.must(err)
	return g.Session.Caller
}

// proving does something with the high-risk authorization that it asks for.
func (w *world) proving(caller bank.Caller, do func() error) error {
	w.t.Helper()
	err := do()
	asked, ok := errors.AsType[*guard.StepUp](err)
	if !ok {
		return err
	}
	w.must(w.identity.Prove(w.t.Context(), caller, identity.Challenge{Action: asked.Action, Target: asked.Target, Content: asked.Content}, identity.Answer{Password: password}))
	return do()
}

// addApp gives somebody an authenticator app as a second factor.
func (w *world) addApp(name string) {
	w.t.Helper()
	caller := w.as(name)
	var e identity.AppEnrolment
	w.must(w.proving(caller, func() (err error) {
		e, err = w.identity.BeginApp(w.t.Context(), caller, "Phone")
		return err
	}))
	code, err := totp.GenerateCode(string(e.Seed), w.clock.Now())
	w.must(err)
	_, err = w.identity.ConfirmApp(w.t.Context(), caller, e.ID, identity.Secret(code))
	w.must(err)
}

// group makes a group in the name of the operator.
func (w *world) group(name string, permissions ...catalog.StaffPermission) bank.GroupID {
	w.t.Helper()
	id, err := w.s.CreateGroup(w.t.Context(), operator, staff.Draft{Name: name, Permissions: catalog.StaffSetOf(permissions...)})
	w.must(err)
	w.groups[name] = id
	return id
}

func (w *world) ids(names ...string) (ids []bank.GroupID) {
	for _, name := range names {
		ids = append(ids, w.groups[name])
	}
	return ids
}

// add makes an active user in some groups.
func (w *world) add(name string, groups ...string) bank.StaffID {
	w.t.Helper()
	outcomes, err := w.s.Invite(w.t.Context(), operator, staff.Invitation{Emails: []string{address(name)}, Groups: w.ids(groups...)})
	w.must(err)
	w.users[name] = outcomes[0].User
	w.join(name)
	return outcomes[0].User
}

func (w *world) user(name string) staff.Profile {
	w.t.Helper()
	p, err := w.s.User(w.t.Context(), operator, w.users[name])
	w.must(err)
	return p
}

// rights are what somebody holds now, as names.
func (w *world) rights(name string) string {
	w.t.Helper()
	standing, err := w.s.Standing(w.t.Context(), w.as(name))
	w.must(err)
	return standing.Rights.String()
}

func (w *world) draft(name string) (g staff.GroupProfile) {
	w.t.Helper()
	g, err := w.s.Group(w.t.Context(), operator, w.groups[name])
	w.must(err)
	return g
}

// history lists events of the institution's chain from a mark on, as "name
// target (CODE)".
func (w *world) history(names ...string) string {
	w.t.Helper()
	var lines []string
	w.must(w.d.Read(w.t.Context(), func(tx *db.Tx) error {
		_, err := db.All(tx, func(row db.Scanner) (string, error) {
			var name, target, code string
			err := row.Scan(&name, &target, &code)
			if code != "" {
				target += " (" + code + ")"
			}
			if slices.Contains(names, name) {
				lines = append(lines, fmt.Sprintf("%s %s", name, target))
			}
			return name, err
		}, `select name, target_name, code from history_event where institution_id = $1 and organization_id = '' order by sequence`, harbor)
		return err
	}))
	return strings.Join(lines, "; ")
}
