package backup_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"filippo.io/age"

	"mandate/internal/activity"
	"mandate/internal/backup"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
)

// TestMain is also the program that a test kills while it backs up.
func TestMain(m *testing.M) {
	dbtest.ToBeKilled(backUpForEver)
	os.Exit(m.Run())
}

const house = bank.InstitutionID("cedar")

// A world is a database with a history, and the keys of its backups.
type world struct {
	*testing.T
	url, dir string
	d        *db.DB
	secret   string // file of the secret key
	public   string
}

func each(t *testing.T, test func(w *world)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) { test(open(t, dbtest.SQLiteURL(t, nil))) })
	t.Run("PostgreSQL", func(t *testing.T) { test(open(t, dbtest.PostgreSQLURL(t, nil))) })
}

func open(t *testing.T, url string) *world {
	t.Helper()
	w := &world{T: t, url: url, dir: t.TempDir(), d: dbtest.Open(t, url, dbtest.Options{Clock: bank.SystemClock{}})}
	w.secret, w.public = newKey(t, w.dir)
	if err := w.d.Write(t.Context(), func(tx *db.Tx) error { return activity.Start(tx, house, "acme") }); err != nil {
		t.Fatal(err)
	}
	w.record(20)
	return w
}

func newKey(t *testing.T, dir string) (file, public string) {
	t.Helper()
	text, public, err := backup.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(dir, "backup-"+public[:12]+".key")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, public
}

// record adds some events to the history.
func (w *world) record(n int) {
	w.Helper()
	if err := record(w.Context(), w.d, n); err != nil {
		w.Fatal(err)
	}
}

func record(ctx context.Context, d *db.DB, n int) error {
	return d.Write(ctx, func(tx *db.Tx) error {
		stream, err := activity.Lock(tx, house, "acme")
		for i := 0; i < n && err == nil; i++ {
			err = stream.Append("save", activity.Event{Name: "orguser.profile_changed", Target: activity.Target{Kind: activity.TargetMember, ID: "usr_dana"}, Note: fmt.Sprint(i)})
		}
		return err
	})
}

// order is a backup as an operator orders it: beside whoever has the database open.
func (w *world) order(name string) backup.Order {
	w.Helper()
	looker, err := db.Open(w.Context(), db.Config{URL: w.url, Clock: bank.SystemClock{}, ReadOnly: true})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = looker.Close() })
	return backup.Order{DB: looker, URL: w.url, Work: w.dir, To: filepath.Join(w.dir, name), Keys: backup.Keys{Recipients: []string{w.public}}, KeyIDs: []string{"root"}}
}

func (w *world) make(name string) (string, backup.Made) {
	w.Helper()
	o := w.order(name)
	made, err := backup.Make(w.Context(), o)
	if err := errors.Join(err, o.DB.Close()); err != nil {
		w.Fatalf("back up: %v", err)
	}
	return o.To, made
}

// elsewhere is an empty place for a restore.
func (w *world) elsewhere() string {
	w.Helper()
	if strings.HasPrefix(w.url, "sqlite:") {
		return "sqlite:" + filepath.Join(w.TempDir(), "restored.db")
	}
	return dbtest.EmptyPostgreSQLURL(w)
}

func (w *world) restoration(file, to string) backup.Restoration {
	w.Helper()
	identities, err := backup.Identities(w.secret, "")
	if err != nil {
		w.Fatal(err)
	}
	r := backup.Restoration{File: file, Identities: identities, URL: to, Work: w.TempDir(), Clock: bank.SystemClock{},
		Renew: func(context.Context, *db.DB, backup.Manifest) error { return nil }}
	if path, ok := strings.CutPrefix(to, "sqlite:"); ok {
		r.Work = filepath.Dir(path)
	}
	return r
}

func heads(t *testing.T, url string) (all []activity.Anchor) {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{URL: url, Clock: bank.SystemClock{}, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Migrated(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.Read(t.Context(), func(tx *db.Tx) (err error) { all, err = activity.Anchors(tx); return err }); err != nil {
		t.Fatal(err)
	}
	return all
}

// What was backed up while others wrote comes back as it was at one moment, and
// nothing that was acknowledged before it is missing.
func TestBackupBesideWritersComesBack(t *testing.T) {
	each(t, func(w *world) {
		ctx, stop := context.WithCancel(t.Context())
		var written atomic.Int64
		ended := make(chan error, 1)
		go func() {
			for ctx.Err() == nil {
				if err := record(ctx, w.d, 1); err != nil && ctx.Err() == nil {
					ended <- err
					return
				}
				written.Add(1)
			}
			ended <- nil
		}()
		before := heads(w.T, w.url)[0].Sequence
		file, made := w.make("mandate.age")
		stop()
		if err := <-ended; err != nil {
			w.Fatalf("a writer was disturbed: %v", err)
		}
		if made.Heads[0].Sequence < before {
			w.Errorf("the backup ends at event %d, and %d were there before it began", made.Heads[0].Sequence, before)
		}
		w.Logf("%d writes while the backup was made", written.Load())
		to := w.elsewhere()
		restored, err := backup.Restore(w.Context(), w.restoration(file, to))
		if err != nil {
			w.Fatal(err)
		}
		if got := heads(w.T, to); !slices.Equal(got, made.Heads) || restored.Manifest.Rows["history_event"] != made.Heads[0].Sequence {
			w.Errorf("restored heads %v, want %v", got, made.Heads)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 || info.Size() != made.Bytes {
			w.Errorf("the file is %v (%v), want mode 0600 and %d bytes", info, err, made.Bytes)
		}
		w.onlyFiles("mandate.age")
		if path, ok := strings.CutPrefix(to, "sqlite:"); ok {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
				w.Errorf("the restored file is %v (%v), want mode 0600", info, err)
			}
		}
	})
}

// onlyFiles checks that nothing but backups, keys and a lock is left.
func (w *world) onlyFiles(want ...string) {
	w.Helper()
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		w.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(want, e.Name()) && !strings.HasSuffix(e.Name(), ".key") && e.Name() != "backup.lock" {
			w.Errorf("%s was left behind", e.Name())
		}
	}
}

// Every byte of the file counts: wherever it is cut or changed, nothing of it is
// used, and what was there stays.
func TestDamagedBackupsAreRefused(t *testing.T) {
	each(t, func(w *world) {
		file, _ := w.make("mandate.age")
		good, err := os.ReadFile(file)
		if err != nil {
			w.Fatal(err)
		}
		to := w.elsewhere()
		refuse := func(what string, content []byte) {
			bad := filepath.Join(w.dir, "bad.age")
			if err := os.WriteFile(bad, content, 0o600); err != nil {
				w.Fatal(err)
			}
			_, err := backup.Restore(w.Context(), w.restoration(bad, to))
			if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.Invalid {
				w.Errorf("%s: %v, want that the file is refused", what, err)
			}
		}
		for _, at := range []int{0, 10, len(good) / 4, len(good) / 2, len(good) - 17, len(good) - 1} {
			refuse(fmt.Sprintf("cut at %d of %d", at, len(good)), good[:at])
		}
		for _, at := range []int{3, 60, 150, len(good) / 3, len(good) / 2, len(good) - 1} {
			flipped := slices.Clone(good)
			flipped[at] ^= 1
			refuse(fmt.Sprintf("byte %d of %d is another", at, len(good)), flipped)
		}
		refuse("something behind it", append(slices.Clone(good), 'x'))
		if _, err := backup.Restore(w.Context(), w.restoration(file, to)); err != nil {
			w.Errorf("after all the bad ones the good one: %v", err)
		}
	})
}

func TestOnlyTheRightKeyOpens(t *testing.T) {
	w := open(t, dbtest.SQLiteURL(t, nil))
	file, _ := w.make("mandate.age")
	w.secret, _ = newKey(t, t.TempDir())
	_, err := backup.Restore(t.Context(), w.restoration(file, w.elsewhere()))
	if err == nil || !strings.Contains(err.Error(), "another key") {
		t.Errorf("another key: %v", err)
	}
	text, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(text), "usr_dana") || strings.Contains(string(text), "SQLite") {
		t.Errorf("the file can be read without a key (%v)", err)
	}
}

func TestPassphrase(t *testing.T) {
	w := open(t, dbtest.SQLiteURL(t, nil))
	o := w.order("mandate.age")
	o.Keys = backup.Keys{Passphrase: "seven green doors on a hill"}
	if _, err := backup.Make(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	r := w.restoration(o.To, w.elsewhere())
	if r.Identities, _ = backup.Identities("", "seven red doors on a hill"); r.Identities == nil {
		t.Fatal("no identity")
	}
	if _, err := backup.Restore(t.Context(), r); err == nil {
		t.Error("another passphrase opened the backup")
	}
	r.Identities, _ = backup.Identities("", o.Keys.Passphrase)
	if _, err := backup.Restore(t.Context(), r); err != nil {
		t.Error(err)
	}
}

// Keys that hold against quantum computers work the same way.
func TestHybridKeys(t *testing.T) {
	w := open(t, dbtest.SQLiteURL(t, nil))
	identity, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	o := w.order("mandate.age")
	o.Keys = backup.Keys{Recipients: []string{identity.Recipient().String()}}
	if _, err := backup.Make(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	r := w.restoration(o.To, w.elsewhere())
	r.Identities = []age.Identity{identity}
	if _, err := backup.Restore(t.Context(), r); err != nil {
		t.Error(err)
	}
}

// A database that holds anything is replaced only when that is said, and never
// under a program that has it open.
func TestRestoreWritesOverNothingUnasked(t *testing.T) {
	each(t, func(w *world) {
		file, made := w.make("mandate.age")
		w.record(5)
		now := heads(w.T, w.url)
		r := w.restoration(file, w.url)
		if _, err := backup.Restore(w.Context(), r); err == nil {
			w.Fatal("a restore ran under an open database")
		}
		if err := w.d.Close(); err != nil {
			w.Fatal(err)
		}
		if _, err := backup.Restore(w.Context(), r); err == nil || !strings.Contains(err.Error(), "There is a database already") {
			w.Fatalf("a restore over a database: %v", err)
		}
		if got := heads(w.T, w.url); !slices.Equal(got, now) {
			w.Fatalf("a refused restore changed the database: %v, want %v", got, now)
		}
		r.Over = true
		if _, err := backup.Restore(w.Context(), r); err != nil {
			w.Fatal(err)
		}
		if got := heads(w.T, w.url); !slices.Equal(got, made.Heads) {
			w.Errorf("restored %v, want %v", got, made.Heads)
		}
	})
}

// A restore that fails before its end leaves no database that anybody could
// use, and can be run again.
func TestFailedRestoreStartsClean(t *testing.T) {
	each(t, func(w *world) {
		file, made := w.make("mandate.age")
		to := w.elsewhere()
		r := w.restoration(file, to)
		r.Renew = func(context.Context, *db.DB, backup.Manifest) error {
			return errors.New("the machine ran out of power")
		}
		if _, err := backup.Restore(w.Context(), r); err == nil {
			w.Fatal("a restore ended well that could not end sign-ins")
		}
		r.Renew = func(context.Context, *db.DB, backup.Manifest) error { return nil }
		if _, err := backup.Restore(w.Context(), r); err != nil {
			w.Fatal(err)
		}
		if got := heads(w.T, to); !slices.Equal(got, made.Heads) {
			w.Errorf("restored %v, want %v", got, made.Heads)
		}
	})
}

// A history that was changed behind the program's back makes no good backup.
func TestBrokenHistoryIsNotBackedUp(t *testing.T) {
	each(t, func(w *world) {
		err := w.d.Write(w.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(`update history_event set note = 'another' where sequence = 7`)
			return err
		})
		if err != nil {
			w.Fatal(err)
		}
		_, err = backup.Make(w.Context(), w.order("mandate.age"))
		if err == nil || !strings.Contains(err.Error(), "does not hold at event 7") {
			w.Errorf("a backup of a broken history: %v", err)
		}
		w.onlyFiles()
	})
}

// backUpForEver backs up again and again, in the process that is killed.
func backUpForEver(url string, say func(string)) error {
	dir, _, _ := strings.Cut(strings.TrimPrefix(url, "sqlite:"), "?")
	d, err := db.Open(context.Background(), db.Config{URL: url, Clock: bank.SystemClock{}, ReadOnly: true})
	if err != nil {
		return err
	}
	_, public, err := backup.NewKey()
	for n := 0; err == nil; n++ {
		say(fmt.Sprint(n))
		_, err = backup.Make(context.Background(), backup.Order{DB: d, URL: url, Work: filepath.Dir(dir), To: fmt.Sprintf("%s.%d.age", dir, time.Now().UnixNano()), Keys: backup.Keys{Recipients: []string{public}}})
	}
	return err
}

// Wherever a backup is killed, no file stands that looks like a backup and is
// none, and the next backup clears away what lies there.
func TestKilledBackupLeavesNothing(t *testing.T) {
	w := open(t, dbtest.SQLiteURL(t, nil))
	path := strings.TrimPrefix(w.url, "sqlite:")
	w.dir = filepath.Dir(path)
	for range dbtest.Rounds(2, 20) {
		dbtest.RunAndKill(t, w.url, 200*time.Millisecond)
	}
	whole, err := filepath.Glob(path + ".*.age")
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range whole {
		if _, err := os.ReadFile(one); err != nil {
			t.Error(err)
		}
		_ = os.Remove(one)
	}
	left, err := filepath.Glob(path + ".*.unfinished")
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range left {
		o := w.order(strings.TrimSuffix(filepath.Base(one), ".unfinished"))
		if _, err := backup.Make(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(one); err == nil {
			t.Errorf("%s is still there", one)
		}
	}
	w.make("mandate.age")
	for _, name := range []string{"backup-copy.db", "restoring.db"} {
		if _, err := os.Stat(filepath.Join(w.dir, name)); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
}

// A PostgreSQL database whose restore was killed is of no use to any program,
// and the next restore need not be told that it may be written over.
func TestKilledRestoreIsNotUsed(t *testing.T) {
	w := open(t, dbtest.PostgreSQLURL(t, nil))
	file, made := w.make("mandate.age")
	to := w.elsewhere()
	r := w.restoration(file, to)
	broken := errors.New("killed")
	r.Renew = func(ctx context.Context, d *db.DB, _ backup.Manifest) error {
		other := dbtest.Open(t, to, dbtest.Options{})
		if err := other.Migrate(ctx); !errors.Is(err, db.ErrUnfinished) {
			t.Errorf("a program starts on a database that is being restored: %v", err)
		}
		if err := other.Migrated(ctx); !errors.Is(err, db.ErrUnfinished) {
			t.Errorf("a program is ready on a database that is being restored: %v", err)
		}
		return errors.Join(broken, other.Close())
	}
	if _, err := backup.Restore(t.Context(), r); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	killed, err := db.Open(t.Context(), db.Config{URL: to, Clock: bank.SystemClock{}, Restoring: true, Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(killed.BeginRestore(t.Context(), false), killed.Migrate(t.Context()), killed.Close()); err != nil {
		t.Fatal(err) // as a restore leaves it that is killed in the middle
	}
	r = w.restoration(file, to)
	if _, err := backup.Restore(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if got := heads(t, to); !slices.Equal(got, made.Heads) {
		t.Errorf("restored %v, want %v", got, made.Heads)
	}
}
