package conformance

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mandate/internal/db"
	"mandate/internal/db/dbtest"
)

// write puts a file of vectors into a folder of its own.
func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "small.json")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestMainSaysWhatFailed(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	good := write(t, small)
	for _, c := range []struct {
		name   string
		files  []string
		status int
		lines  []string // what each line of the output has, in order
	}{
		{"all is well", []string{good}, 0, []string{"1 passed, 0 failed"}},
		{"a wrong expectation", []string{write(t, strings.Replace(small, `"decision": true, "approval_required": false, "reasons": []`,
			`"decision": false, "approval_required": false, "reasons": [{"code": "MEMBER_HELD", "level": "organization_user"}]`, 1)), good}, 1, []string{
			"small.json: small: step 1 decide: got decision=true approval_required=false reasons=[], want decision=false approval_required=false reasons=[MEMBER_HELD at organization_user]",
			"1 passed, 1 failed"}},
		{"a step that cannot be made", []string{write(t, strings.Replace(small, `{"member": {"member": "dana"`, `{"member": {"member": "nobody"`, 1))}, 1, []string{
			`small.json: small: step 4 member: the world has no member "nobody"`, "0 passed, 1 failed"}},
		{"a world that cannot be stored", []string{write(t, strings.Replace(small, `"accounts": ["operating"`, `"accounts": ["operating", "operating"`, 1))}, 1, []string{
			`small.json: small: step 0 world: store the account operating: `, "0 passed, 1 failed"}},
		{"a refused file", []string{good, write(t, strings.Replace(small, "vectors/1", "vectors/2", 1))}, 1, []string{`conformance: `}},
		{"no such file", []string{filepath.Join(t.TempDir(), "none.json")}, 1, []string{"conformance: "}},
		{"no file at all", nil, 1, []string{"conformance: name at least one file of vectors"}},
	} {
		var out bytes.Buffer
		if status := Main(t.Context(), &out, "", c.files); status != c.status {
			t.Errorf("%s: status %d, want %d\n%s", c.name, status, c.status, &out)
		}
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		for i, want := range c.lines {
			if len(lines) != len(c.lines) || !strings.HasPrefix(lines[i], want) {
				t.Errorf("%s: it said\n%s\nwant\n%s", c.name, &out, strings.Join(c.lines, "\n"))
				break
			}
		}
	}
	nothingIn(t, os.Getenv("TMPDIR"))
}

func nothingIn(t *testing.T, folder string, besides ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.Contains(strings.Join(besides, " "), e.Name()) {
			t.Errorf("%s was left behind in %s", e.Name(), folder)
		}
	}
}

// TestMainLeavesAnInstallationAsItWas: the worlds never touch its data.
func TestMainLeavesAnInstallationAsItWas(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "mandate.db")
		if err := os.WriteFile(file, []byte("not even a database"), 0o600); err != nil {
			t.Fatal(err)
		}
		passes(t, "sqlite:"+file)
		nothingIn(t, filepath.Dir(file), "mandate.db")
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		url := dbtest.PostgreSQLURL(t, nil)
		before := schemas(t, url)
		passes(t, url)
		if after := schemas(t, url); after != before {
			t.Errorf("the schemas were %q and are %q", before, after)
		}
	})
}

func passes(t *testing.T, url string) {
	t.Helper()
	var out bytes.Buffer
	if status := Main(t.Context(), &out, url, []string{write(t, small)}); status != 0 || out.String() != "1 passed, 0 failed\n" {
		t.Errorf("status %d\n%s", status, &out)
	}
}

// schemas are the schemas of a database and how many institutions its own has.
func schemas(t *testing.T, url string) (names string) {
	t.Helper()
	d := dbtest.Open(t, url, dbtest.Options{})
	err := d.Read(context.Background(), func(tx *db.Tx) error {
		return tx.QueryRow(`
			select string_agg(nspname, ' ' order by nspname) || (select count(*) from public.institution)
			  from pg_namespace where nspname not like 'pg_%'`).Scan(&names)
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
