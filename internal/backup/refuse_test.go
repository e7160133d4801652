package backup_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mandate/internal/backup"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
)

// once is a progress that does something when a work is told of for the first time.
func once(what string, do func()) backup.Progress {
	done := false
	return func(now string, _, _ int64) {
		if now == what && !done {
			done = true
			do()
		}
	}
}

// A file that appears while a backup is made stays what it is.
func TestFileThatAppearsMeanwhileStays(t *testing.T) {
	w := open(t, dbtest.SQLiteURL(t, nil))
	o := w.order("mandate.age")
	o.Progress = once("restore for the proof", func() {
		if err := os.WriteFile(o.To, []byte("somebody else's"), 0o600); err != nil {
			t.Fatal(err)
		}
	})
	_, err := backup.Make(t.Context(), o)
	if fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("a backup under a name that was taken meanwhile: %v", err)
	}
	if text, err := os.ReadFile(o.To); err != nil || string(text) != "somebody else's" {
		t.Errorf("the file that was there is %.40q (%v)", text, err)
	}
	w.onlyFiles("mandate.age")
}

// A copy that would fill the disk of the database it is of is not begun.
func TestBackupThatHasNoRoom(t *testing.T) {
	w := open(t, dbtest.SQLiteURL(t, nil))
	file, _ := w.make("mandate.age")
	size := 0
	w.forge(file, "sqlite", func(content []byte) []byte { size = len(content); return content })
	o := w.order("other.age")
	o.RoomFor(int64(size) - 1)
	if _, err := backup.Make(t.Context(), o); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "there is room") {
		t.Errorf("a copy of %d bytes where there is room for one less: %v", size, err)
	}
	w.onlyFiles("mandate.age", "forged.age")
	o.RoomFor(int64(size))
	if _, err := backup.Make(t.Context(), o); err != nil {
		t.Errorf("a copy that just fits: %v", err)
	}
}

// Two that write under one name do not spoil each other's file: the second one
// is refused, wherever it works.
func TestTwoBackupsUnderOneName(t *testing.T) {
	w := open(t, dbtest.SQLiteURL(t, nil))
	first, second := w.order("mandate.age"), w.order("mandate.age")
	second.Work = t.TempDir()
	first.Progress = once("restore for the proof", func() {
		if _, err := backup.Make(t.Context(), second); fault.KindOf(err) != fault.Conflict {
			t.Errorf("a second backup under the same name: %v", err)
		}
	})
	if _, err := backup.Make(t.Context(), first); err != nil {
		t.Errorf("the first one: %v", err)
	}
	if _, err := backup.Restore(t.Context(), w.restoration(first.To, w.elsewhere())); err != nil {
		t.Error(err)
	}
	w.onlyFiles("mandate.age")
}

// What killed backups have left is cleared away by the next one, and what
// somebody still writes is not.
func TestUnfinishedFilesAreClearedAway(t *testing.T) {
	w := open(t, dbtest.SQLiteURL(t, nil))
	left := filepath.Join(w.dir, "yesterday.age.unfinished")
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	first, second := w.order("first.age"), w.order("second.age")
	second.Work = t.TempDir()
	first.Progress = once("restore for the proof", func() {
		if _, err := backup.Make(t.Context(), second); err != nil {
			t.Error(err)
		}
	})
	if _, err := backup.Make(t.Context(), first); err != nil {
		t.Errorf("a backup beside another one in the same folder: %v", err)
	}
	w.onlyFiles("first.age", "second.age")
}

// A restore that is refused for the keys beside the database has changed nothing.
func TestKeysAreRefusedBeforeAnythingIsDropped(t *testing.T) {
	each(t, func(w *world) {
		o := w.order("mandate.age")
		o.RootKey = []byte("secret")
		if _, err := backup.Make(w.Context(), o); err != nil {
			w.Fatal(err)
		}
		w.record(5)
		now := heads(w.T, w.url)
		if err := errors.Join(w.d.Close(), o.DB.Close()); err != nil {
			w.Fatal(err)
		}
		r := w.restoration(o.To, w.url)
		r.Over = true
		others := errors.New("other keys are there")
		r.RootKey = func([]byte) error { return others }
		if _, err := backup.Restore(w.Context(), r); !errors.Is(err, others) {
			w.Fatal(err)
		}
		if got := heads(w.T, w.url); !slices.Equal(got, now) {
			w.Errorf("a refused restore changed the database: %v, want %v", got, now)
		}
	})
}

// ready says whether programs work on a database.
func ready(t *testing.T, url string) error {
	t.Helper()
	d := dbtest.Open(t, url, dbtest.Options{Clock: bank.SystemClock{}})
	return errors.Join(d.Migrate(t.Context()), d.Close())
}

// A restore over a database that fails after that was emptied leaves none on
// which a program would begin from nothing, and can be run again.
func TestRestoreThatFailsLeavesNoEmptyDatabaseInUse(t *testing.T) {
	w := open(t, dbtest.PostgreSQLURL(t, nil))
	file, made := w.make("mandate.age")
	if err := w.d.Close(); err != nil {
		t.Fatal(err)
	}
	r := w.restoration(file, w.url)
	r.Over = true
	power := errors.New("the machine ran out of power")
	r.Renew = func(context.Context, *db.DB, backup.Manifest) error { return power }
	if _, err := backup.Restore(t.Context(), r); !errors.Is(err, power) || !strings.Contains(err.Error(), "run it again") {
		t.Fatal(err)
	}
	if err := ready(t, w.url); !errors.Is(err, db.ErrUnfinished) {
		t.Errorf("a program starts on what a failed restore has left: %v", err)
	}
	if _, err := backup.Restore(t.Context(), w.restoration(file, w.url)); err != nil {
		t.Fatal(err)
	}
	if got := heads(t, w.url); !slices.Equal(got, made.Heads) {
		t.Errorf("restored %v, want %v", got, made.Heads)
	}
}

// A restore whose very last step fails is no restore, and says what to do.
func TestRestoreThatCannotEnd(t *testing.T) {
	w := open(t, dbtest.PostgreSQLURL(t, nil))
	file, made := w.make("mandate.age")
	to := w.elsewhere()
	r := w.restoration(file, to)
	ctx, interrupt := context.WithCancel(t.Context())
	r.Renew = func(context.Context, *db.DB, backup.Manifest) error { interrupt(); return nil }
	restored, err := backup.Restore(ctx, r)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "run it again") || restored.Manifest.Rows != nil {
		t.Errorf("an interrupted restore: %v %v", restored.Manifest, err)
	}
	half := w.order("half.age")
	half.DB, half.URL = dbtest.Open(t, to, dbtest.Options{Clock: bank.SystemClock{}}), to
	_, err = backup.Make(t.Context(), half)
	if err := errors.Join(err, half.DB.Close()); !errors.Is(err, db.ErrUnfinished) || strings.Contains(err.Error(), "version") {
		t.Errorf("a backup of what an interrupted restore has left: %v", err)
	}
	if err := ready(t, to); !errors.Is(err, db.ErrUnfinished) {
		t.Errorf("a program starts on what an interrupted restore has left: %v", err)
	}
	if _, err := backup.Restore(t.Context(), w.restoration(file, to)); err != nil {
		t.Fatal(err)
	}
	if got := heads(t, to); !slices.Equal(got, made.Heads) {
		t.Errorf("restored %v, want %v", got, made.Heads)
	}
}

// fakePrograms are PostgreSQL's own, of the server's version, that fail and
// repeat a row while they do.
func (w *world) fakePrograms(complaint string) string {
	w.Helper()
	version, err := w.d.Version(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	dir := w.TempDir()
	text := fmt.Sprintf("#!/bin/sh\nif [ \"$1\" = --version ]; then echo \"x (PostgreSQL) %d.1\"; exit; fi\ncat >&2 <<'END'\n%s\nEND\nexit 3\n", version, complaint)
	for _, name := range []string{"pg_dump", "pg_restore"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			w.Fatal(err)
		}
	}
	return dir
}

// What PostgreSQL's programs complain about may repeat rows: a complaint is told
// without them.
func TestComplaintsHoldNoRows(t *testing.T) {
	w := open(t, dbtest.PostgreSQLURL(t, nil))
	file, _ := w.make("mandate.age")
	o := w.order("other.age")
	o.Programs = w.fakePrograms(`pg_restore: error: could not execute query: ERROR:  duplicate key value violates unique constraint "person_email"
DETAIL:  Key (email)=(dana@acme.example) already exists.
CONTEXT:  COPY person, line 7: "usr_dana	Dana	Reyes	relation "dana" already exists"`)
	_, makes := backup.Make(t.Context(), o)
	r := w.restoration(file, w.elsewhere())
	r.Programs = o.Programs
	_, restores := backup.Restore(t.Context(), r)
	for program, err := range map[string]error{"pg_dump": makes, "pg_restore": restores} {
		if err == nil || !strings.Contains(err.Error(), program) || !strings.Contains(err.Error(), "exit status 3") ||
			!strings.Contains(err.Error(), `violates unique constraint "person_email"`) {
			t.Errorf("%s failed, and is told of by %v", program, err)
		}
		if err != nil && (strings.Contains(err.Error(), "dana") || strings.Contains(err.Error(), "Reyes")) {
			t.Errorf("%s: the complaint repeats a row: %v", program, err)
		}
	}
	w.onlyFiles("mandate.age")
}
