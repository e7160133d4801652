package db_test

import (
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"mandate/internal/db"
	"mandate/internal/db/dbtest"
)

func TestOpenRefusesAddressesItDoesNotKnow(t *testing.T) {
	clock := dbtest.NewClock(dbtest.Start)
	for _, url := range []string{"", "mysql://user:secret@host/db", "sqlite:", "sqlite::memory:", "sqlite://host/x", "postgres://u:secret@[bad/db"} {
		_, err := db.Open(t.Context(), db.Config{URL: url, Clock: clock})
		if err == nil {
			t.Errorf("Open(%q) succeeded", url)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("Open(%q) tells the password: %v", url, err)
		}
	}
	if _, err := db.Open(t.Context(), db.Config{URL: "sqlite:" + t.TempDir() + "/x.db"}); err == nil {
		t.Error("Open without a clock succeeded")
	}
}

func TestSQLiteFileHasOneOwner(t *testing.T) {
	url := dbtest.SQLiteURL(t, tiny())
	d := openWith(t, db.Config{URL: url})
	file := strings.TrimPrefix(url, "sqlite:")
	alias := filepath.Join(t.TempDir(), "alias.db")
	if err := os.Symlink(file, alias); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, alias} {
		_, err := db.Open(t.Context(), db.Config{URL: "sqlite:" + name, Clock: dbtest.NewClock(dbtest.Start)})
		if !errors.Is(err, db.ErrInUse) {
			t.Errorf("Open(%s) = %v, want ErrInUse", name, err)
		}
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the file's rights are %v, want none for others", info.Mode())
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	openWith(t, db.Config{URL: url}) // free again
}

// The operator's commands look at the data while the server runs.
func TestReadOnlyWorksBesideTheServer(t *testing.T) {
	urls := map[string]func() string{
		"SQLite":     func() string { return dbtest.SQLiteURL(t, tiny()) },
		"PostgreSQL": func() string { return dbtest.PostgreSQLURL(t, tiny()) },
	}
	for name, url := range urls {
		t.Run(name, func(t *testing.T) {
			url := url()
			server := openWith(t, db.Config{URL: url})
			looker := openWith(t, db.Config{URL: url, ReadOnly: true})
			if err := server.Write(t.Context(), func(tx *db.Tx) error { return addShop(tx, "s1", "Bakery") }); err != nil {
				t.Fatal(err)
			}
			wantShops(t, looker, "s1")
			if err := looker.Write(t.Context(), func(tx *db.Tx) error { return nil }); !errors.Is(err, db.ErrReadOnly) {
				t.Errorf("Write = %v, want ErrReadOnly", err)
			}
			if looker.Dialect() == db.PostgreSQL {
				err := looker.Read(t.Context(), func(tx *db.Tx) error {
					setting, err := db.One(tx, db.Value[string], `select current_setting('default_transaction_read_only')`)
					if setting != "on" {
						t.Errorf("default_transaction_read_only is %q, want on as a second net", setting)
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
			if err := looker.Migrate(t.Context()); !errors.Is(err, db.ErrReadOnly) {
				t.Errorf("Migrate = %v, want ErrReadOnly", err)
			}
			if err := looker.Migrated(t.Context()); err != nil {
				t.Errorf("Migrated = %v", err)
			}
		})
	}
}

func TestPathsWithOddLetters(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a b?c#d%25.db")
	d := openWith(t, db.Config{URL: "sqlite:" + file})
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Size() == 0 {
		t.Errorf("the file is not where it was asked for: %v", err)
	}
}

// before is the schema as an older program left it.
func before(t *testing.T) fstest.MapFS {
	t.Helper()
	text, err := fs.ReadFile(tiny(), "0001_tiny.sql")
	if err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{"0001_tiny.sql": {Data: text}}
}

func TestMigrateFromSeveralProcessesAtOnce(t *testing.T) {
	url := dbtest.PostgreSQLURL(t, before(t))
	processes := []*db.DB{openWith(t, db.Config{URL: url}), openWith(t, db.Config{URL: url}), openWith(t, db.Config{URL: url})}
	if err := processes[0].Migrated(t.Context()); err == nil {
		t.Error("Migrated is content with an older schema")
	}
	var wait sync.WaitGroup
	for _, d := range processes {
		wait.Go(func() {
			if err := d.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if err := openWith(t, db.Config{URL: url}).Migrated(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestMigrateRefusesANewerSchema(t *testing.T) {
	for name, url := range map[string]func() string{
		"SQLite":     func() string { return dbtest.SQLiteURL(t, tiny()) },
		"PostgreSQL": func() string { return dbtest.PostgreSQLURL(t, tiny()) },
	} {
		t.Run(name, func(t *testing.T) {
			d := dbtest.Open(t, url(), dbtest.Options{Migrations: before(t)})
			if err := d.Migrate(t.Context()); !errors.Is(err, db.ErrSchemaNewer) {
				t.Errorf("Migrate = %v, want ErrSchemaNewer", err)
			}
			if err := d.Migrated(t.Context()); !errors.Is(err, db.ErrSchemaNewer) {
				t.Errorf("Migrated = %v, want ErrSchemaNewer", err)
			}
		})
	}
}

// A room may add 0011 when another room has long applied 0030.
func TestMigrateAppliesALowerNumberLater(t *testing.T) {
	later := before(t)
	later["0030_later.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\ncreate table later (id text constraint later_pk primary key);\n")}
	url := dbtest.SQLiteURL(t, later)
	second, err := fs.ReadFile(tiny(), "0002_open_names.sql")
	if err != nil {
		t.Fatal(err)
	}
	later["0002_open_names.sql"] = &fstest.MapFile{Data: second}
	d := dbtest.Open(t, url, dbtest.Options{Migrations: later})
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.Migrated(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A migration that fails half way leaves nothing behind.
func TestFailedMigrationIsUndone(t *testing.T) {
	bad := before(t)
	bad["0002_bad.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\ncreate table half (id text);\ncreate table shop (id text);\n")}
	for name, url := range map[string]func() string{
		"SQLite":     func() string { return dbtest.SQLiteURL(t, before(t)) },
		"PostgreSQL": func() string { return dbtest.PostgreSQLURL(t, before(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			d := dbtest.Open(t, url(), dbtest.Options{Migrations: bad})
			if err := d.Migrate(t.Context()); err == nil {
				t.Fatal("the bad migration went through")
			}
			err := d.Read(t.Context(), func(tx *db.Tx) error {
				_, err := db.All(tx, db.Value[string], `select id from half`)
				return err
			})
			if err == nil {
				t.Error("half of the migration is still there")
			}
		})
	}
}

// What a connection promises is asked of the connection itself.
func TestSQLiteConnectionsKeepTheirPromises(t *testing.T) {
	d := dbtest.SQLiteWith(t, dbtest.Options{Migrations: tiny()})
	promises := map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "trusted_schema": "0", "busy_timeout": "5000",
	}
	look := func(tx *db.Tx) error {
		for name, want := range promises {
			var got string
			if err := tx.QueryRow("pragma " + name).Scan(&got); err != nil {
				return err
			}
			if got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
		return nil
	}
	if err := d.Read(t.Context(), look); err != nil {
		t.Error(err)
	}
	if err := d.Write(t.Context(), look); err != nil {
		t.Error(err)
	}
	err := d.Read(t.Context(), func(tx *db.Tx) error {
		_, err := db.All(tx, db.Value[string], `select "nmae" from shop`)
		return err
	})
	if err == nil {
		t.Error("a misspelt name in double quotes was taken for a text")
	}
}

// A writer takes the lock when it begins, so it never finds out half way that
// it cannot write.
func TestSQLiteWriterLocksAtOnce(t *testing.T) {
	url := dbtest.SQLiteURL(t, tiny())
	d := openWith(t, db.Config{URL: url})
	err := d.Write(t.Context(), func(*db.Tx) error {
		stranger, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(url, "sqlite:"))
		if err != nil {
			return err
		}
		defer stranger.Close()
		if _, err := stranger.Exec(`delete from shop`); err == nil {
			t.Error("another program wrote while a transaction was open")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSQLiteBesideAStrangersLockIsBusy(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for as long as the busy timeout")
	}
	t.Parallel()
	url := dbtest.SQLiteURL(t, tiny())
	d := openWith(t, db.Config{URL: url})
	stranger, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(url, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	stranger.SetMaxOpenConns(1)
	if _, err := stranger.Exec(`begin immediate`); err != nil {
		t.Fatal(err)
	}
	if err := d.Write(t.Context(), func(*db.Tx) error { return nil }); !errors.Is(err, db.ErrBusy) {
		t.Errorf("Write = %v, want ErrBusy", err)
	}
	if _, err := stranger.Exec(`rollback`); err != nil {
		t.Fatal(err)
	}
	if err := d.Write(t.Context(), func(*db.Tx) error { return nil }); err != nil {
		t.Errorf("Write after the lock was gone = %v", err)
	}
}

func TestNewSQLiteFileIsForItsOwnerOnly(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new.db")
	d := openWith(t, db.Config{URL: "sqlite:" + file})
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.Write(t.Context(), func(tx *db.Tx) error { return addShop(tx, "s1", "Bakery") }); err != nil {
		t.Fatal(err)
	}
	for _, end := range []string{"", "-wal", "-shm", ".lock"} {
		info, err := os.Stat(file + end)
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm() != 0o600 {
			t.Errorf("the rights of %s are %v, want none for others", info.Name(), info.Mode())
		}
	}
}

// A server that would break a promise quietly is refused when opening.
func TestOpenRefusesAnUnfitPostgreSQL(t *testing.T) {
	url := dbtest.PostgreSQLURL(t, tiny())
	_, err := db.Open(t.Context(), db.Config{URL: withOption(url, "synchronous_commit=off"), Clock: dbtest.NewClock(dbtest.Start)})
	if err == nil || !strings.Contains(err.Error(), "synchronous_commit") {
		t.Errorf("Open = %v, want a refusal that names synchronous_commit", err)
	}
	d := openWith(t, db.Config{URL: url})
	err = d.Write(t.Context(), func(tx *db.Tx) error {
		for name, want := range map[string]string{"statement_timeout": "30s", "lock_timeout": "10s", "idle_in_transaction_session_timeout": "1min", "TimeZone": "UTC"} {
			var got string
			if err := tx.QueryRow(`select current_setting($1)`, name).Scan(&got); err != nil {
				return err
			}
			if got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestOpenRefusesALinguisticOrder(t *testing.T) {
	url := dbtest.PostgreSQLURL(t, tiny())
	pool, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	const name = "mandate_test_linguistic"
	if _, err := pool.Exec(`drop database if exists ` + name + ` with (force)`); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(`create database ` + name + ` template template0 encoding 'UTF8' locale_provider icu icu_locale 'en-US' locale 'C'`); err != nil {
		t.Fatal(err)
	}
	defer pool.Exec(`drop database ` + name + ` with (force)`)
	_, err = db.Open(t.Context(), db.Config{URL: withDatabase(t, url, name), Clock: dbtest.NewClock(dbtest.Start)})
	if err == nil || !strings.Contains(err.Error(), "sort by bytes") {
		t.Errorf("Open = %v, want a refusal that tells how to create the database", err)
	}
}

func withDatabase(t *testing.T, address, name string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// Who only looks finds the server that can be written to as well, where the
// address asks for that one.
func TestReadOnlyFindsThePrimary(t *testing.T) {
	address := dbtest.PostgreSQLURL(t, nil)
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	d, err := db.Open(t.Context(), db.Config{URL: address + separator + "target_session_attrs=read-write", Clock: dbtest.NewClock(dbtest.Start), ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Snapshot(t.Context(), func(s *db.Snapshot) error { _, err := s.Counts(); return err }); err != nil {
		t.Error(err)
	}
}
