package dbtest

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"mandate/internal/db"
)

// SQLiteWith is SQLite with options.
func SQLiteWith(t testing.TB, o Options) *db.DB {
	t.Helper()
	return Open(t, SQLiteURL(t, o.Migrations), o)
}

// SQLiteURL makes a migrated file that is gone after the test. A nil set of
// migrations means the program's own.
func SQLiteURL(t testing.TB, migrations fs.FS) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "mandate.db")
	if err := os.WriteFile(file, sqliteTemplate(t, migrations), 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + file
}

// The migrated files, kept in memory: migrating once per test binary and
// copying is much faster than migrating once per test.
var (
	sqliteMu        sync.Mutex
	sqliteTemplates = map[string][]byte{} // by the digest of the migrations
)

func sqliteTemplate(t testing.TB, migrations fs.FS) []byte {
	t.Helper()
	key := digest(t, migrations)
	sqliteMu.Lock()
	defer sqliteMu.Unlock()
	if file, ok := sqliteTemplates[key]; ok {
		return file
	}
	path := filepath.Join(t.TempDir(), "template.db")
	migrate(t, "sqlite:"+path, migrations)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sqliteTemplates[key] = file
	return file
}

// migrate opens, migrates and closes; closing folds SQLite's log into the file.
func migrate(t testing.TB, url string, migrations fs.FS) {
	t.Helper()
	ctx := context.Background()
	d, err := db.Open(ctx, db.Config{URL: url, Clock: NewClock(Start), Migrations: migrations})
	if err != nil {
		t.Fatalf("open the template: %v", err)
	}
	if err := d.Migrate(ctx); err != nil {
		_ = d.Close()
		t.Fatalf("migrate the template: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatalf("close the template: %v", err)
	}
}
