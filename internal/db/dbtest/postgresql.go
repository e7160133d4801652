package dbtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"mandate/internal/db"
)

// PostgreSQLWith is PostgreSQL with options.
func PostgreSQLWith(t testing.TB, o Options) *db.DB {
	t.Helper()
	return Open(t, PostgreSQLURL(t, o.Migrations), o)
}

// PostgreSQLURL makes a migrated database that is gone after the test, or
// skips. A nil set of migrations means the program's own.
//
// The server is MANDATE_TEST_POSTGRES, or one that is started for this test
// binary from the programs installed on the machine.
func PostgreSQLURL(t testing.TB, migrations fs.FS) string {
	t.Helper()
	admin, template := postgreSQLTemplate(t, migrations)
	name := "mandate_test_" + strings.ToLower(rand.Text())
	administer(t, admin, "create database "+name+" template "+template)
	t.Cleanup(func() { administer(t, admin, "drop database "+name+" with (force)") })
	return withDatabase(t, admin, name)
}

var (
	postgreSQLMu        sync.Mutex
	postgreSQLTemplates = map[string]bool{} // names of those that are ready
)

// postgreSQLTemplate finds the server and its database migrated with these
// migrations, making both where needed. The template's name is the digest of
// the migrations, so a server that stays up keeps one per version.
func postgreSQLTemplate(t testing.TB, migrations fs.FS) (admin, template string) {
	t.Helper()
	postgreSQLMu.Lock()
	defer postgreSQLMu.Unlock()
	admin = serverURL(t)
	template = "mandate_template_" + digest(t, migrations)
	if !postgreSQLTemplates[template] {
		makeTemplate(t, admin, template, migrations)
		postgreSQLTemplates[template] = true
	}
	return admin, template
}

// makeTemplate may run in several test binaries at once on one server, so a
// session lock is held; the template appears under its name only when ready.
func makeTemplate(t testing.TB, admin, template string, migrations fs.FS) {
	t.Helper()
	pool := openAdmin(t, admin)
	defer closeAdmin(t, pool)
	ctx := context.Background()
	conn, err := pool.Conn(ctx)
	if err != nil {
		t.Fatalf("connect to PostgreSQL: %v", err)
	}
	defer conn.Close() // the lock goes with the session
	if _, err := conn.ExecContext(ctx, "select pg_advisory_lock(620931)"); err != nil {
		t.Fatalf("lock the template: %v", err)
	}
	defer conn.ExecContext(ctx, "select pg_advisory_unlock(620931)")

	var exists bool
	err = conn.QueryRowContext(ctx, "select exists (select 1 from pg_database where datname = $1)", template).Scan(&exists)
	if err != nil {
		t.Fatalf("look for the template: %v", err)
	}
	if exists {
		return
	}
	making := template + "_making"
	for _, statement := range []string{
		"drop database if exists " + making + " with (force)",
		"create database " + making + " template template0 encoding 'UTF8' locale 'C.UTF-8'",
	} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	migrate(t, withDatabase(t, admin, making), migrations)
	if _, err := conn.ExecContext(ctx, "alter database "+making+" rename to "+template); err != nil {
		t.Fatalf("name the template: %v", err)
	}
}

// digest names a set of migrations by its content.
func digest(t testing.TB, migrations fs.FS) string {
	t.Helper()
	if migrations == nil {
		migrations = db.Migrations()
	}
	sum := sha256.New()
	err := fs.WalkDir(migrations, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".sql") {
			return err
		}
		text, err := fs.ReadFile(migrations, path)
		fmt.Fprintf(sum, "%s\x00%d\x00%s", path, len(text), text)
		return err
	})
	if err != nil {
		t.Fatalf("read the migrations: %v", err)
	}
	return hex.EncodeToString(sum.Sum(nil)[:12])
}

func serverURL(t testing.TB) string {
	t.Helper()
	if given := os.Getenv(ServerVariable); given != "" {
		return given
	}
	return ownServer(t)
}

// EmptyPostgreSQLURL makes a database with nothing in it that is gone after the
// test, or skips.
func EmptyPostgreSQLURL(t testing.TB) string {
	t.Helper()
	admin := serverURL(t)
	name := "mandate_test_" + strings.ToLower(rand.Text())
	administer(t, admin, "create database "+name+" template template0 encoding 'UTF8' locale 'C.UTF-8'")
	t.Cleanup(func() { administer(t, admin, "drop database "+name+" with (force)") })
	return withDatabase(t, admin, name)
}

func withDatabase(t testing.TB, admin, name string) string {
	t.Helper()
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal("MANDATE_TEST_POSTGRES is not an address like postgres://user@host/database")
	}
	u.Path = "/" + name
	return u.String()
}

func administer(t testing.TB, admin, statement string) {
	t.Helper()
	pool := openAdmin(t, admin)
	defer closeAdmin(t, pool)
	if _, err := pool.ExecContext(context.Background(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func openAdmin(t testing.TB, admin string) *sql.DB {
	t.Helper()
	pool, err := sql.Open("pgx", admin)
	if err != nil {
		t.Fatalf("open PostgreSQL: %v", err)
	}
	return pool
}

func closeAdmin(t testing.TB, pool *sql.DB) {
	t.Helper()
	if err := pool.Close(); err != nil {
		t.Errorf("close PostgreSQL: %v", err)
	}
}
