package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	installPostgreSQL = "apt-get install -y --no-install-recommends postgresql-15 (or set MANDATE_TEST_POSTGRES)"
	startLimit        = 60 * time.Second

	// nobody runs the server when the tests run as root, which PostgreSQL refuses.
	nobody = 65534
)

// ServerVariable names the server that tests use instead of one of their own.
const ServerVariable = "MANDATE_TEST_POSTGRES"

// ErrNoPrograms says that PostgreSQL is not installed.
var ErrNoPrograms = errors.New("the programs initdb and postgres were not found")

// ownServer starts the server of this test binary, once.
func ownServer(t testing.TB) string {
	t.Helper()
	admin, err := StartServer()
	if errors.Is(err, ErrNoPrograms) {
		Missing(t, "PostgreSQL 15 or newer", installPostgreSQL)
	}
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	return admin
}

// StartServer starts the server of this process, once, and returns its address.
// It ends with the process.
var StartServer = sync.OnceValues(startServer)

func startServer() (admin string, err error) {
	programs, err := findPrograms()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "mandate-pg-")
	if err != nil {
		return "", err
	}
	who := &syscall.SysProcAttr{Setpgid: true} // an interrupt at the terminal is for the tests; the server follows them
	if os.Getuid() == 0 {
		who.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
		if err := os.Chown(dir, nobody, nobody); err != nil {
			return "", errors.Join(err, os.RemoveAll(dir))
		}
	}
	if err := runServer(programs, dir, who); err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	admin = "postgres://mandate@/postgres?host=" + url.QueryEscape(dir)
	return admin, awaitServer(admin, dir)
}

// findPrograms looks on the PATH and where Debian keeps its versions.
func findPrograms() (dir string, err error) {
	candidates, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.Sort(candidates)
	slices.Reverse(candidates) // the newest first
	if found, err := exec.LookPath("initdb"); err == nil {
		if real, err := filepath.EvalSymlinks(found); err == nil {
			candidates = append([]string{filepath.Dir(real)}, candidates...)
		}
	}
	for _, candidate := range candidates {
		if isProgram(candidate, "initdb") && isProgram(candidate, "postgres") {
			return candidate, nil
		}
	}
	return "", ErrNoPrograms
}

func isProgram(dir, name string) bool {
	_, err := exec.LookPath(filepath.Join(dir, name))
	return err == nil
}

// serve runs the server until its input ends, which it does when the process
// that started it ends, in whatever way. Then nothing is left of it, not even a file.
const serve = `
"$1/postgres" -D "$2/data" &
server=$!
read -r forever
kill -INT $server
wait $server
cd /
rm -rf "$2"
`

// The settings are for speed. Nothing that a test says about durability may
// rest on this server.
const settings = `
listen_addresses = ''
max_connections = 200
shared_buffers = 64MB
fsync = off
full_page_writes = off
autovacuum = off
jit = off
lc_messages = 'C'
`

func runServer(programs, dir string, who *syscall.SysProcAttr) error {
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(programs, "initdb"), "-D", data, "-U", "mandate",
		"--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")
	initdb.SysProcAttr, initdb.Dir, initdb.Env = who, dir, environment()
	if output, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, output)
	}
	lines := settings + "unix_socket_directories = '" + dir + "'\n"
	conf, err := os.OpenFile(filepath.Join(data, "postgresql.auto.conf"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	if _, err := conf.WriteString(lines); err != nil {
		return errors.Join(err, conf.Close())
	}
	if err := conf.Close(); err != nil {
		return err
	}

	server := exec.Command("/bin/sh", "-c", serve, "sh", programs, dir)
	server.SysProcAttr, server.Dir, server.Env = who, dir, environment()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	server.Stdout, server.Stderr = log, log
	// Never closed: the system closes it at the end of the process.
	if _, err := server.StdinPipe(); err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return err
	}
	go func() { _ = server.Wait() }() // keeps the pipe reachable, and reaps a server that died early
	return nil
}

// environment keeps the developer's own PG settings away from the server.
func environment() []string {
	return []string{"LC_ALL=C.UTF-8", "PATH=" + os.Getenv("PATH")}
}

func awaitServer(admin, dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	for {
		err := ping(ctx, admin)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			return fmt.Errorf("no answer in %v: %w\n%s", startLimit, err, log)
		}
	}
}

func ping(ctx context.Context, admin string) error {
	pool, err := sql.Open("pgx", admin)
	if err != nil {
		return err
	}
	return errors.Join(pool.PingContext(ctx), pool.Close())
}
