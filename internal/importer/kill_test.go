package importer_test

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"reflect"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/generate"
	"mandate/internal/guard"
	"mandate/internal/importer"
	"mandate/internal/usermgmt"
)

// The environment of the process that imports until it is killed.
const (
	importFolder   = "MANDATE_TEST_IMPORT_FOLDER"
	importDatabase = "MANDATE_TEST_IMPORT_DATABASE"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(importFolder); dir != "" {
		os.Exit(importAsProcess(dir, os.Getenv(importDatabase)))
	}
	os.Exit(m.Run())
}

func importAsProcess(dir, url string) int {
	ctx := context.Background()
	d, err := db.Open(ctx, db.Config{URL: url, Clock: bank.SystemClock{}})
	if err == nil {
		err = importer.Command(ctx, io.Discard, false, d, guard.New(d, usermgmt.LoadPolicy, nil, nil), dir, importer.Options{})
	}
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		return 1
	}
	return 0
}

// Killed at some moment, an import has left whole organizations with a whole
// history; importing again makes what one import would have made.
func TestKilledImportResumes(t *testing.T) {
	const organizations = 150
	dir := generated(t, generate.Options{Seed: 9, Organizations: organizations, Members: 6, Accounts: 6})
	reference := newWorld(t, dbtest.SQLite(t))
	reference.load(dir, importer.Options{})
	want := reference.plain("marlowick", organizations)

	url := dbtest.SQLiteURL(t, nil)
	killed := 0
	for _, after := range []time.Duration{150 * time.Millisecond, 200 * time.Millisecond, 250 * time.Millisecond} {
		process := exec.Command(os.Args[0])
		process.Env = append(os.Environ(), importFolder+"="+dir, importDatabase+"="+url)
		process.Stderr = os.Stderr
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(after)
		if err := process.Process.Kill(); err == nil {
			killed++
		}
		_ = process.Wait() // killed, or done before
	}
	w := newWorld(t, dbtest.Open(t, url, dbtest.Options{}))
	w.verify()
	t.Logf("killed %d times; %d of %d organizations were stored", killed, w.rows("organization"), organizations)
	if members, events := w.rows("member"), w.events("orguser.created"); members != events {
		t.Errorf("%d members and %d events of their creation", members, events)
	}
	w.load(dir, importer.Options{})
	if got := w.plain("marlowick", organizations); !reflect.DeepEqual(got, want) {
		t.Error("killed and resumed is not the same as done at once")
	}
	if got := w.events(""); got != reference.events("") {
		t.Errorf("%d events, want %d as in one import", got, reference.events(""))
	}
	w.verify()
}

// A username that somebody takes between the check and the import is a conflict
// and no crash.
func TestUsernameTakenMeanwhile(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.load(folder(t, small()), importer.Options{})
		in := &usermgmt.ImportedOrganization{Organization: usermgmt.Organization{ExternalID: "1003", Name: "Woodlark"}}
		m := usermgmt.ImportedMember{Fields: usermgmt.GivesUsername}
		m.ExternalID, m.FirstName, m.Username = "m1", "Eve", "DCOLE"
		in.Members = append(in.Members, m)
		caller := bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: "marlowick", Channel: bank.ChannelImport}
		_, err := usermgmt.ImportOrganization(context.Background(), w.guard, caller, in, "org_new", true)
		if fault.KindOf(err) != fault.Conflict {
			t.Errorf("the import: %v, want a conflict", err)
		}
		if got := w.rows("organization"); got != 2 {
			t.Errorf("%d organizations, want 2", got)
		}
	})
}

// Files that change while they are imported are noticed, whether they can still
// be read or not.
func TestFilesChangedMeanwhile(t *testing.T) {
	for _, change := range [][2]string{{"active", "absent"}, {"Dana", `Da"a`}} {
		clock := &callingClock{}
		w := newWorld(t, dbtest.SQLiteWith(t, dbtest.Options{Clock: clock}))
		dir := folder(t, small())
		clock.calls = 0
		w.load(dir, importer.Options{DryRun: true})
		checked := clock.calls
		clock.calls, clock.call = 0, func(n int) {
			if n == checked { // the check's last transaction
				edit(t, dir, "members.csv", change[0], change[1])
			}
		}
		_, err := w.try(dir, importer.Options{})
		if !errors.Is(err, importer.ErrFilesChanged) {
			t.Errorf("%s became %s: %v, want %v", change[0], change[1], err, importer.ErrFilesChanged)
		}
		if got := w.rows("organization"); got != 0 {
			t.Errorf("%d organizations were stored", got)
		}
	}
}
