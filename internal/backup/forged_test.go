package backup_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mandate/internal/backup"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
)

// forge writes a backup anew with one part changed.
func (w *world) forge(file, part string, change func([]byte) []byte) string {
	w.Helper()
	identities, err := backup.Identities(w.secret, "")
	if err != nil {
		w.Fatal(err)
	}
	to := filepath.Join(w.dir, "forged.age")
	err = backup.Rewrite(file, to, identities, w.public, func(name string, content []byte) []byte {
		if name == part {
			return change(content)
		}
		return content
	})
	if err != nil {
		w.Fatal(err)
	}
	return to
}

// A backup that packs more than the disk has room for is refused before a byte of
// it is written, and one that just fits is not.
func TestBackupLargerThanTheDisk(t *testing.T) {
	w := open(t, dbtest.SQLiteURL(t, nil))
	file, _ := w.make("mandate.age")
	size := 0
	w.forge(file, "sqlite", func(content []byte) []byte { size = len(content); return content })
	bomb := w.forge(file, "sqlite", func(content []byte) []byte { return append(content, make([]byte, 64<<20)...) })
	if info, err := os.Stat(bomb); err != nil || info.Size() > 4<<20 {
		t.Fatalf("64 MiB of nothing take %d bytes (%v)", info.Size(), err)
	}
	restore := func(file string, room int) error {
		r := w.restoration(file, w.elsewhere())
		r.RoomFor(int64(room))
		r.Progress = func(what string, _, _ int64) {
			if room < size && what != "read the backup" {
				t.Errorf("went on to %s", what)
			}
		}
		_, err := backup.Restore(t.Context(), r)
		return err
	}
	for file, room := range map[string]int{bomb: size, file: size - 1} {
		if err := restore(file, room); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "there is room") {
			t.Errorf("%s in %d bytes: %v", filepath.Base(file), room, err)
		}
	}
	if err := restore(file, size); err != nil {
		t.Errorf("what just fits: %v", err)
	}
}

// Whatever a forger writes into the parts that are kept in memory, it is refused
// and not kept.
func TestForgedHeadsAreRefused(t *testing.T) {
	w := open(t, dbtest.SQLiteURL(t, nil))
	o := w.order("mandate.age")
	o.RootKey = []byte("secret")
	if _, err := backup.Make(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	identities, err := backup.Identities(w.secret, "")
	if err != nil {
		t.Fatal(err)
	}
	swap := func(old, with string) func([]byte) []byte {
		return func(text []byte) []byte {
			if !bytes.Contains(text, []byte(old)) {
				t.Fatalf("there is no %s in %s", old, text)
			}
			return bytes.Replace(text, []byte(old), []byte(with), 1)
		}
	}
	for _, one := range []struct {
		what, part string
		change     func([]byte) []byte
	}{
		{"a manifest of nothing", "manifest", func([]byte) []byte { return []byte("{}") }},
		{"no migrations", "manifest", swap(`"migrations":[`, `"migrations":[],"x":[`)},
		{"another database", "manifest", swap("SQLite", "a forger's")},
		{"fewer histories than it has", "manifest", swap(`"chains":1`, `"chains":0`)},
		{"more histories than it has", "manifest", swap(`"chains":1`, `"chains":1000000000`)},
		{"less than no histories", "manifest", swap(`"chains":1`, `"chains":-1`)},
		{"a manifest without end", "manifest", func(text []byte) []byte { return append(text, bytes.Repeat([]byte(" "), 2<<20)...) }},
		{"a key without end", "root.key", func([]byte) []byte { return make([]byte, 1<<20) }},
		{"heads without end", "heads", func(text []byte) []byte { return append(text, bytes.Repeat([]byte(" "), 1<<20)...) }},
		{"a head without end", "heads", swap(`"hash":"`, `"hash":"`+strings.Repeat("0", 1<<20))},
		{"no list of heads", "heads", func([]byte) []byte { return []byte("7") }},
		{"something behind the heads", "heads", func(text []byte) []byte { return append(text, "[]"...) }},
	} {
		file := w.forge(o.To, one.part, one.change)
		_, looks := backup.Look(t.Context(), file, identities)
		_, restores := backup.Restore(t.Context(), w.restoration(file, w.elsewhere()))
		for _, err := range []error{looks, restores} {
			if fault.KindOf(err) != fault.Invalid || len(err.Error()) > 1000 {
				t.Errorf("%s: %v", one.what, err)
			}
		}
	}
}

// A real complaint of pg_restore's about a row: it says which table, and nothing
// of the row.
func TestComplaintAboutARow(t *testing.T) {
	w := open(t, dbtest.PostgreSQLURL(t, nil))
	file, _ := w.make("mandate.age")
	forged := w.forge(file, "pg_dump", func(content []byte) []byte {
		return bytes.Replace(content, []byte("cedar\tacme\t1\t"), []byte("cedar\tacme\tx\t"), 1) // the number of an event
	})
	_, err := backup.Restore(t.Context(), w.restoration(forged, w.elsewhere()))
	if err == nil || !strings.Contains(err.Error(), "invalid input syntax for type bigint") || !strings.Contains(err.Error(), `table "history_event"`) {
		t.Errorf("of a row that cannot be read: %v", err)
	}
	if err != nil && (strings.Contains(err.Error(), "acme") || strings.Contains(err.Error(), "usr_dana") || strings.Contains(err.Error(), "CONTEXT")) {
		t.Errorf("the complaint repeats a row: %v", err)
	}
}

// A passphrase costs a reader as much as it costs the writer, and no more because
// a forger says so.
func TestPassphraseThatCostsTooMuch(t *testing.T) {
	w := open(t, dbtest.SQLiteURL(t, nil))
	o := w.order("mandate.age")
	o.Keys = backup.Keys{Passphrase: "seven green doors on a hill"}
	if _, err := backup.Make(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(o.To)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(o.To, bytes.Replace(text, []byte(" 18\n"), []byte(" 19\n"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	identities, _ := backup.Identities("", o.Keys.Passphrase)
	if _, err := backup.Look(t.Context(), o.To, identities); err == nil || !strings.Contains(err.Error(), "work factor") {
		t.Errorf("half a gigabyte of memory was taken because the file said so: %v", err)
	}
}

// Where a file cannot have two names, it is moved, and over nothing.
func TestMoveFile(t *testing.T) {
	from, to := filepath.Join(t.TempDir(), "from"), filepath.Join(t.TempDir(), "to")
	for round, want := range []error{nil, os.ErrExist} {
		if err := os.WriteFile(from, []byte(fmt.Sprint(round)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := backup.MoveFile(from, to); !errors.Is(err, want) {
			t.Errorf("move the %d. file: %v", round, err)
		}
		if text, err := os.ReadFile(to); err != nil || string(text) != "0" {
			t.Errorf("after the %d. file there is %q (%v)", round, text, err)
		}
	}
	if err := backup.MoveFile(filepath.Join(t.TempDir(), "nothing"), to+"2"); err == nil {
		t.Error("nothing was moved")
	}
	if _, err := os.Stat(to + "2"); err == nil {
		t.Error("a move that failed left a file")
	}
}

// Whatever bytes a forger packs, they are read as a backup or refused as no good
// one.
func FuzzParts(f *testing.F) {
	manifest := `{"made":"2026-11-22T20:06:24Z","database":"SQLite","migrations":[1],"chains":1,"with_root_key":true}`
	heads := `[{"institution":"cedar","sequence":7,"revision":3,"hash":"00"}]`
	good := backup.PlainParts("manifest", manifest, "heads", heads, "root.key", "secret", "sqlite", "data")
	if err := backup.ReadPlain(bytes.NewReader(good)); err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add(backup.PlainParts("manifest", manifest, "heads", "null", "pg_dump", ""))
	f.Add(backup.PlainParts("manifest", "{}"))
	f.Add([]byte{0})
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := backup.ReadPlain(bytes.NewReader(text)); err != nil && fault.KindOf(err) != fault.Invalid {
			t.Errorf("refused, and not as a file that is damaged: %v", err)
		}
	})
}
