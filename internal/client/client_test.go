package client

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/usermgmt"
)

// rights are the staff permissions of a test, by staff user.
type rights map[bank.StaffID]string

func (r rights) StaffMay(_ *db.Tx, _ bank.InstitutionID, staff bank.StaffID, permission string) (bool, error) {
	return r[staff] == permission, nil
}

var operator = bank.Caller{Kind: bank.ActorOperator, Name: "operator", Institution: "first", Channel: bank.ChannelCommand}

func staffUser(id bank.StaffID) bank.Caller {
	return bank.Caller{Kind: bank.ActorStaff, ID: string(id), Institution: "first", Channel: bank.ChannelPeople}
}

func newService(t *testing.T, d *db.DB) (*Service, *bytes.Buffer) {
	t.Helper()
	err := d.Write(context.Background(), func(tx *db.Tx) error {
		for _, id := range []bank.InstitutionID{"first", "second"} {
			if err := usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: id, Name: string(id), TimeZone: "America/Chicago"}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	door := guard.New(d, usermgmt.LoadPolicy, rights{"manager": Permission, "teller": "people.view_all"}, nil)
	return New(d, door, slog.New(slog.NewTextHandler(&log, nil))), &log
}

func history(t *testing.T, d *db.DB) []string {
	t.Helper()
	var lines []string
	err := d.Read(context.Background(), func(tx *db.Tx) error {
		events, err := activity.Feed(tx, activity.Filter{Institution: "first", WithRefused: true})
		for _, e := range events {
			lines = append(lines, fmt.Sprintf("%s %s refused=%v", e.Name, e.Target.Name, e.Refused))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestAClientLivesAndEnds(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s, _ := newService(t, d)
		made, first, err := s.Create(ctx, operator, Draft{Name: " Payments hub ", Operations: []string{"wires.transmit", "ach.batch.initiate", "wires.transmit"}})
		if err != nil {
			t.Fatal(err)
		}
		found, err := s.Authenticate(ctx, first.Reveal())
		if err != nil || found.ID != made.ID || found.Institution != "first" || found.Name != "Payments hub" {
			t.Fatalf("Authenticate = %+v, %v; want the client that was made", found, err)
		}
		if !found.May(catalog.WiresTransmitOperation) || !found.May(catalog.ACHBatchInitiate) || found.May(catalog.WiresApprove) || found.May(catalog.UnknownOperation) {
			t.Errorf("operations = %v", found.Operations)
		}
		caller := found.Caller("192.0.2.1", "curl")
		if caller.Kind != bank.ActorClient || caller.Institution != "first" || caller.ID != string(made.ID) || caller.Channel != bank.ChannelAPI {
			t.Errorf("caller = %+v", caller)
		}

		second, err := s.Rotate(ctx, operator, made.ID, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []Key{first, second} {
			if _, err := s.Authenticate(ctx, key.Reveal()); err != nil {
				t.Errorf("within the overlap: %v", err)
			}
		}
		dbtest.ClockOf(t, d).Advance(time.Hour)
		if _, err := s.Authenticate(ctx, first.Reveal()); fault.KindOf(err) != fault.Unauthorized {
			t.Errorf("the old key after the overlap: %v", err)
		}
		if _, err := s.Authenticate(ctx, second.Reveal()); err != nil {
			t.Errorf("the new key: %v", err)
		}
		third, err := s.Rotate(ctx, operator, made.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Authenticate(ctx, second.Reveal()); fault.KindOf(err) != fault.Unauthorized {
			t.Errorf("a key that was replaced at once: %v", err)
		}

		if err := s.Revoke(ctx, operator, made.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Authenticate(ctx, third.Reveal()); fault.KindOf(err) != fault.Unauthorized {
			t.Errorf("a revoked client: %v", err)
		}
		if err := s.Revoke(ctx, operator, made.ID); fault.KindOf(err) != fault.Conflict {
			t.Errorf("revoked twice: %v", err)
		}
		if _, err := s.Rotate(ctx, operator, made.ID, 0); fault.KindOf(err) != fault.Conflict {
			t.Errorf("rotated after the end: %v", err)
		}
		if _, _, err := s.Create(ctx, operator, Draft{Name: "Payments hub"}); err != nil {
			t.Errorf("the name of a revoked client: %v", err)
		}
		want := []string{"external_app.created Payments hub refused=false", "external_app.deleted Payments hub refused=false",
			"external_app.secret_rotated Payments hub refused=false", "external_app.secret_rotated Payments hub refused=false",
			"external_app.created Payments hub refused=false"}
		if got := history(t, d); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("history = %q", got)
		}
	})
}

func TestOnlyWhoMayManagesClients(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s, _ := newService(t, d)
		made, _, err := s.Create(ctx, staffUser("manager"), Draft{Name: "Hub"})
		if err != nil {
			t.Fatal(err)
		}
		if clients, err := s.List(ctx, staffUser("manager")); err != nil || len(clients) != 1 || clients[0].ID != made.ID {
			t.Errorf("List = %+v, %v", clients, err)
		}
		member := bank.Caller{Kind: bank.ActorMember, ID: "dana", Institution: "first", Organization: "acme"}
		program := made.Caller("", "")
		for _, caller := range []bank.Caller{staffUser("teller"), program, bank.System("first"), member} {
			if _, _, err := s.Create(ctx, caller, Draft{Name: "Mine"}); err == nil {
				t.Errorf("%s created a client", caller.Kind)
			}
			if _, err := s.Rotate(ctx, caller, made.ID, 0); err == nil {
				t.Errorf("%s rotated a key", caller.Kind)
			}
			if err := s.Revoke(ctx, caller, made.ID); err == nil {
				t.Errorf("%s revoked a client", caller.Kind)
			}
			if _, err := s.List(ctx, caller); err == nil {
				t.Errorf("%s listed the clients", caller.Kind)
			}
		}
		if got := history(t, d)[0]; !strings.HasSuffix(got, "refused=true") {
			t.Errorf("the last event = %q, want a refusal", got)
		}
		elsewhere := operator
		elsewhere.Institution = "second"
		if err := s.Revoke(ctx, elsewhere, made.ID); fault.KindOf(err) != fault.NotFound {
			t.Errorf("revoked from another institution: %v", err)
		}
		if clients, err := s.List(ctx, elsewhere); err != nil || len(clients) != 0 {
			t.Errorf("another institution sees %v, %v", clients, err)
		}
	})
}

func TestCreateSaysEveryProblem(t *testing.T) {
	d := dbtest.SQLite(t)
	s, _ := newService(t, d)
	ctx := context.Background()
	if _, _, err := s.Create(ctx, operator, Draft{Name: "Hub"}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		draft  Draft
		fields string
	}{
		"nothing":            {Draft{}, "name"},
		"too long":           {Draft{Name: strings.Repeat("é", MaxName+1)}, "name"},
		"a line break":       {Draft{Name: "a\nb"}, "name"},
		"unknown operations": {Draft{Name: "x", Operations: []string{"wires.send", ""}}, "operations operations"},
		"all wrong":          {Draft{Operations: []string{"?"}}, "name operations"},
		"taken":              {Draft{Name: "Hub"}, "name"},
	} {
		_, _, err := s.Create(ctx, operator, c.draft)
		var fields []string
		for _, p := range fault.ProblemsOf(err) {
			fields = append(fields, p.Field)
		}
		if got := strings.Join(fields, " "); got != c.fields || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: problems with %q, %v; want %q", name, got, err, c.fields)
		}
	}
	if _, _, err := s.Create(ctx, operator, Draft{Name: strings.Repeat("é", MaxName)}); err != nil {
		t.Errorf("the longest name: %v", err)
	}
	if _, err := s.Rotate(ctx, operator, "cli_x", MaxOverlap+1); fault.KindOf(err) != fault.Invalid {
		t.Errorf("too long an overlap: %v", err)
	}
	if _, err := s.Rotate(ctx, operator, "cli_x", 0); fault.KindOf(err) != fault.NotFound {
		t.Errorf("an unknown client: %v", err)
	}
}

func TestAuthenticateRefusesWhatIsNoKey(t *testing.T) {
	s, _ := newService(t, dbtest.SQLite(t))
	key := newKey().Reveal()
	for _, text := range []string{"", "mk_", key, key[1:], key + "A", "MK_" + key[3:], key[:len(key)-1] + "=", "mk_" + strings.Repeat("A", 5000), "x\x00"} {
		if c, err := s.Authenticate(context.Background(), text); err != ErrUnknownKey {
			t.Errorf("Authenticate(%.60q) = %+v, %v", text, c, err)
		}
	}
}

func TestKeysDoNotPrint(t *testing.T) {
	s, log := newService(t, dbtest.SQLite(t))
	_, key, err := s.Create(context.Background(), operator, Draft{Name: "Hub"})
	if err != nil {
		t.Fatal(err)
	}
	s.log.Info("made", "key", key)
	shown := fmt.Sprint(key, log.String()) + fmt.Sprintf("%v %+v %#v %s", key, &key, key, []Key{key})
	if secret := strings.TrimPrefix(key.Reveal(), "mk_"); strings.Contains(shown, secret) || len(secret) < 43 {
		t.Errorf("the key shows in %q", shown)
	}
}

func TestLastUseIsNotedOnceAMinute(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s, _ := newService(t, d)
		made, key, err := s.Create(ctx, operator, Draft{Name: "Hub"})
		if err != nil {
			t.Fatal(err)
		}
		clock := dbtest.ClockOf(t, d)
		for _, step := range []struct{ wait, want time.Duration }{{time.Second, time.Second}, {58 * time.Second, time.Second}, {2 * time.Second, 61 * time.Second}} { // to the minute
			clock.Advance(step.wait)
			if _, err := s.Authenticate(ctx, key.Reveal()); err != nil {
				t.Fatal(err)
			}
			if err := s.NoteUses(ctx); err != nil {
				t.Fatal(err)
			}
			clients, err := s.List(ctx, operator)
			if err != nil || !clients[0].LastUsed.Equal(made.Created.Add(step.want)) {
				t.Errorf("last used %v, %v; want %v after it was made", clients[0].LastUsed.Sub(made.Created), err, step.want)
			}
		}
	})
}

// A client that was bound to an operation which the program no longer knows
// may do less than before, never everything.
func TestUnknownStoredOperationsDoNotWiden(t *testing.T) {
	c := Client{Operations: parseOperations("wires.teleport")}
	if c.May(catalog.WiresTransmitOperation) || !(Client{Operations: parseOperations("")}).May(catalog.WiresTransmitOperation) {
		t.Error("a name that is not in the catalogue must bind, and no name at all must not")
	}
}
