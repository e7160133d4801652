package identity_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/identity"
	"mandate/internal/seal"
)

const (
	harbor = bank.InstitutionID("harbor")
	acme   = bank.OrganizationID("org_acme")

	rightPassword = identity.Secret("correct horse battery staple")
)

// A world is an institution with one organization, and people in a table of
// the test's own: the room must work with nothing but its interfaces.
type world struct {
	t     *testing.T
	d     *db.DB
	clock *dbtest.Clock
	s     *identity.Service
	guard *guard.Guard
	mail  *mailbag
}

func newWorld(t *testing.T, d *db.DB, changes ...func(*identity.Config)) *world {
	t.Helper()
	w := &world{t: t, d: d, clock: dbtest.ClockOf(t, d), mail: &mailbag{}}
	w.write(func(tx *db.Tx) error {
		if _, err := tx.Exec(`
			create table test_person (id text primary key, kind text not null, organization text not null, first_name text not null,
				email text not null, status bigint not null, held boolean not null, second boolean not null, username text not null)`); err != nil {
			return err
		}
		return errors.Join(activity.Start(tx, harbor, ""), activity.Start(tx, harbor, acme))
	})
	w.guard = guard.New(d, noPolicy, nil, identity.Proofs{})
	cfg := identity.Config{DB: d, Guard: w.guard, People: people{}, Mailer: w.mail, Keys: keys, Clock: w.clock, Cost: identity.MinimumCost, ThrottleFactor: 1_000_000, RefusalTime: -1}
	for _, change := range changes {
		change(&cfg)
	}
	s, err := identity.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.s = s
	return w
}

var keys = func() *seal.Keyring {
	ring, err := seal.Parse(seal.NewLine("test"))
	if err != nil {
		panic(err)
	}
	return ring
}()

func noPolicy(*db.Tx, bank.InstitutionID, bank.OrganizationID, entitlement.Scope) (*entitlement.Policy, error) {
	return &entitlement.Policy{}, nil
}

func (w *world) write(f func(tx *db.Tx) error) {
	w.t.Helper()
	if err := w.d.Write(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) read(f func(tx *db.Tx) error) {
	w.t.Helper()
	if err := w.d.Read(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

// add makes a person of the organization without credentials.
func (w *world) add(name string, status bank.Status) identity.Subject {
	w.t.Helper()
	who := identity.Member(harbor, bank.UserID("usr_"+name))
	w.write(func(tx *db.Tx) error {
		_, err := tx.Exec(`insert into test_person (id, kind, organization, first_name, email, status, held, second, username) values ($1, $2, $3, $4, $5, $6, false, false, '')`,
			who.ID, who.Kind, acme, strings.ToUpper(name[:1])+name[1:], name+"@acme.example", status)
		return err
	})
	return who
}

// enrolled makes a person whose username is their name, with the right
// password.
func (w *world) enrolled(name string, status bank.Status) identity.Subject {
	w.t.Helper()
	who := w.add(name, status)
	hash, err := w.s.Hash(w.t.Context(), rightPassword)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(func(tx *db.Tx) error { return w.s.PutCredential(tx, who, name, hash) })
	return who
}

func (w *world) set(who identity.Subject, column string, value any) {
	w.t.Helper()
	w.write(func(tx *db.Tx) error {
		_, err := tx.Exec(`update test_person set `+column+` = $1 where id = $2`, value, who.ID)
		return err
	})
}

func (w *world) status(who identity.Subject) bank.Status {
	w.t.Helper()
	var p identity.Person
	w.read(func(tx *db.Tx) (err error) {
		p, err = people{}.Find(tx, who)
		return err
	})
	return p.Status
}

// history lists the organization's events as "name target" or "name target
// (CODE)" where refused.
func (w *world) history() string {
	w.t.Helper()
	var lines []string
	w.read(func(tx *db.Tx) error {
		rows, err := tx.Query(`select name, target_id, code from history_event where organization_id = $1 order by sequence`, acme)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name, target, code string
			if err := rows.Scan(&name, &target, &code); err != nil {
				return err
			}
			if code != "" {
				code = " (" + code + ")"
			}
			lines = append(lines, name+" "+strings.TrimPrefix(target, "usr_")+code)
		}
		return rows.Err()
	})
	return strings.Join(lines, "; ")
}

var from = identity.Source{Channel: bank.ChannelOnline, IP: "192.0.2.7", Device: "Firefox on Linux"}

func attempt(username string, password identity.Secret) identity.Attempt {
	return identity.Attempt{Institution: harbor, Kind: identity.KindMember, Username: username, Password: password, From: from}
}

func (w *world) try(username string, password identity.Secret) (identity.Granted, error) {
	w.t.Helper()
	return w.s.SignIn(w.t.Context(), attempt(username, password))
}

func (w *world) signIn(username string) identity.Granted {
	w.t.Helper()
	g, err := w.try(username, rightPassword)
	if err != nil {
		w.t.Fatalf("sign in as %s: %v", username, err)
	}
	return g
}

func (w *world) refused(username string, password identity.Secret) {
	w.t.Helper()
	if _, err := w.try(username, password); !errors.Is(err, identity.ErrSignIn) {
		w.t.Fatalf("sign in as %s: got %v, want the refusal", username, err)
	}
}

func (w *world) session(g identity.Granted) error {
	w.t.Helper()
	_, err := w.s.Session(w.t.Context(), harbor, g.Token, from)
	return err
}

func (w *world) unlock(who identity.Subject) {
	w.t.Helper()
	w.set(who, "status", bank.StatusActive)
	w.write(func(tx *db.Tx) error { return identity.ClearStrikes(tx, who) })
}

// people is the room of people, as small as it can be.
type people struct{}

func scanPerson(row db.Scanner) (p identity.Person, err error) {
	p.InstitutionName, p.OrganizationName, p.LastName = "Harbor Bank", "Acme Supplies", "Person"
	p.Subject.Institution = harbor
	err = row.Scan(&p.Subject.ID, &p.Subject.Kind, &p.Organization, &p.FirstName, &p.Email, &p.Status, &p.Held, &p.NeedsSecond)
	return p, err
}

func (people) Find(tx *db.Tx, who identity.Subject) (identity.Person, error) {
	p, err := scanPerson(tx.QueryRow(`select id, kind, organization, first_name, email, status, held, second from test_person where id = $1 and kind = $2`, who.ID, who.Kind))
	if errors.Is(err, db.ErrNoRows) {
		return p, identity.ErrNoPerson
	}
	return p, err
}

func (people) FindByEmail(tx *db.Tx, _ bank.InstitutionID, kind identity.Kind, email string) ([]identity.Person, error) {
	return db.All(tx, scanPerson, `select id, kind, organization, first_name, email, status, held, second from test_person where email = $1 and kind = $2`, email, kind)
}

func (people) SetStatus(tx *db.Tx, who identity.Subject, status bank.Status) error {
	_, err := tx.Exec(`update test_person set status = $1 where id = $2`, status, who.ID)
	return err
}

func (people) SetUsername(tx *db.Tx, who identity.Subject, username, _ string) error {
	_, err := tx.Exec(`update test_person set username = $1 where id = $2`, username, who.ID)
	return err
}

const minute = time.Minute
