package importer_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mandate/internal/db/dbtest"
	"mandate/internal/importer"
)

var update = flag.Bool("update", false, "write the golden reports")

// golden compares a report with the one that is kept.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the report differs from %s (-update writes it anew):\n%s", path, got)
	}
}

// The reports as people read them, from the first look to the last.
func TestReports(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	dir := folder(t, small())
	golden(t, "dry-run.txt", w.load(dir, importer.Options{DryRun: true, Objects: true}))
	golden(t, "first.txt", w.load(dir, importer.Options{}))
	golden(t, "again.txt", w.load(dir, importer.Options{}))

	edit(t, dir, "members.csv", "dcole,user,active,false", "dcole,viewer,active,true")
	edit(t, dir, "members.csv", "1000.5,partial", "0,none")
	edit(t, dir, "member_accounts.csv", "1001,m1,a1,true,true,true", "1001,m1,a1,true,false,false")
	edit(t, dir, "member_accounts.csv", "1001,m1,a2,true,true,true", "1001,m1,a2,true,false,false")
	golden(t, "changes.txt", w.load(dir, importer.Options{DryRun: true, Objects: true}))
	golden(t, "changes.jsonl", w.load(dir, importer.Options{DryRun: true, Objects: true, JSON: true}))

	edit(t, dir, "members.csv", "dcole,viewer", "dcole,boss")
	edit(t, dir, "members.csv", "10000,20000", "10000.5,20 000")
	edit(t, dir, "organizations.csv", "office@larkmere.example.com", "office")
	out, err := w.try(dir, importer.Options{})
	if err == nil {
		t.Fatal("the wrong files came in")
	}
	golden(t, "problems.txt", out+"error: "+err.Error()+"\n")
}

// On a terminal a line shows how far the import is, and goes away.
func TestProgress(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	var out bytes.Buffer
	if err := importer.Command(context.Background(), &out, true, w.db, w.guard, folder(t, small()), importer.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Checking", "Importing", "of 2 organizations", "\r\x1b[K"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the terminal was not shown %q:\n%q", want, out.String())
		}
	}
	_, report, _ := strings.Cut(out.String(), "marlowick")
	if strings.Contains(report, "\x1b") {
		t.Errorf("the report itself has signs for a terminal: %q", report)
	}
}
