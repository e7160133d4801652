package application_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"mandate/internal/activity"
	"mandate/internal/application"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/usermgmt"
)

const (
	cedar = bank.InstitutionID("cedar")
	oak   = bank.InstitutionID("oak")
)

var (
	operator = bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: cedar, Channel: bank.ChannelCommand}
	neutral  = bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Channel: bank.ChannelCommand}
	manager  = bank.Caller{Kind: bank.ActorStaff, ID: "manager", Name: "Mia", Institution: cedar, Channel: bank.ChannelPeople}
	teller   = bank.Caller{Kind: bank.ActorStaff, ID: "teller", Name: "Tom", Institution: cedar, Channel: bank.ChannelPeople}
)

// office is the staff of the tests: who holds what, for whom a service may act,
// and what was proven.
type office struct {
	proven   map[string]bool
	declared catalog.Declaration
}

func (o *office) StaffMay(_ *db.Tx, _ bank.InstitutionID, id bank.StaffID, permission string) (bool, error) {
	return id == "manager" && permission == catalog.StaffExternalAppsManage.ID(), nil
}

func (o *office) ServiceUser(_ *db.Tx, _ bank.InstitutionID, email string) (bank.StaffID, error) {
	id, _, _ := strings.Cut(email, "@")
	if id == "gone" {
		return "", nil
	}
	return bank.StaffID(id), nil
}

func (o *office) Lend(_ *db.Tx, caller bank.Caller, id bank.StaffID) error {
	if id == "above" && caller.Kind == bank.ActorStaff {
		return fault.New(fault.Forbidden, "above").With("ABOVE_OWN")
	}
	return nil
}

func (o *office) Declared(*db.Tx, bank.InstitutionID, bank.ApplicationID) (d catalog.Declaration, there bool, err error) {
	return o.declared, o.declared.Version > 0, nil
}

func (o *office) Effects(_ *db.Tx, _ bank.InstitutionID, _ bank.ApplicationID, d catalog.Declaration) ([]catalog.GroupEffect, error) {
	if len(d.Permissions) < len(o.declared.Permissions) {
		return []catalog.GroupEffect{{Name: "Tellers", Members: 2, Loses: []string{"Release wires"}}}, nil
	}
	return nil, nil
}

func (o *office) Declare(_ *guard.Change, _ bank.ApplicationID, _ string, d catalog.Declaration) error {
	o.declared = d
	return nil
}

func (o *office) Renamed(*db.Tx, bank.InstitutionID, bank.ApplicationID, string) error { return nil }

func (o *office) Dependents(*db.Tx, bank.InstitutionID, bank.ApplicationID) ([]catalog.GroupEffect, error) {
	return nil, nil
}

func (o *office) Forget(*guard.Change, bank.ApplicationID) error { return nil }

func (o *office) Consume(_ *db.Tx, caller bank.Caller, action, target string, content []byte) error {
	if o.proven[action] {
		return nil
	}
	return fault.New(fault.StepUp, "Prove it.")
}

type world struct {
	t   *testing.T
	d   *db.DB
	o   *office
	s   *application.Service
	log bytes.Buffer
}

func each(t *testing.T, test func(w *world)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(newWorld(t, d)) })
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	w := &world{t: t, d: d, o: &office{proven: map[string]bool{}}}
	w.must(d.Write(t.Context(), func(tx *db.Tx) error {
		for _, id := range []bank.InstitutionID{cedar, oak} {
			if err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: id, Name: string(id), TimeZone: "America/Chicago"}); err != nil {
				return err
			}
		}
		return nil
	}))
	w.s = application.New(d, guard.New(d, usermgmt.LoadPolicy, w.o, w.o), w.o, slog.New(slog.NewTextHandler(&w.log, nil)))
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// code insists on a fault with a code.
func (w *world) code(err error, want string) {
	w.t.Helper()
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != want {
		w.t.Errorf("got %v, want a refusal with %s", err, want)
	}
}

// proving does something with the high-risk authorization that it must ask for.
func (w *world) proving(action string, do func() error) error {
	w.t.Helper()
	if err := do(); fault.KindOf(err) != fault.StepUp {
		w.t.Errorf("%s asked for no high-risk authorization: %v", action, err)
	}
	w.o.proven[action] = true
	defer delete(w.o.proven, action)
	return do()
}

// ledger is a product that signs people in.
func ledger() application.Draft {
	return application.Draft{Name: "Ledger", Partner: "Northwind Software", Method: application.SecretBasic, Grants: []application.Grant{application.GrantCode},
		Redirects: []string{"https://ledger.example/return"}, Scopes: []string{"openid", "email"}, Enabled: true}
}

func (w *world) get(id bank.ApplicationID) application.Application {
	w.t.Helper()
	a, err := w.s.Lookup(w.t.Context(), cedar, id)
	w.must(err)
	return a
}

// history lists the events of an institution, oldest first.
func (w *world) history(institution bank.InstitutionID) string {
	w.t.Helper()
	var lines []string
	w.must(w.d.Read(context.Background(), func(tx *db.Tx) error {
		events, err := activity.Feed(tx, activity.Filter{Institution: institution, WithRefused: true})
		for i := len(events) - 1; i >= 0; i-- {
			line := events[i].Name + " " + events[i].Target.Name
			for _, c := range events[i].Changes {
				line += fmt.Sprintf(" %s=%s>%s", c.Field, c.Old, c.New)
			}
			if events[i].Refused {
				line += "(" + events[i].Code + ")"
			}
			lines = append(lines, line)
		}
		return err
	}))
	return strings.Join(lines, "\n")
}

// fields are the fields of which a form has problems.
func fields(err error) string {
	var all []string
	for _, p := range fault.ProblemsOf(err) {
		all = append(all, p.Field)
	}
	return strings.Join(all, " ")
}
