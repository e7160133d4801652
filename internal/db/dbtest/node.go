package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A Node is a PostgreSQL server of a test's own that can be paused, killed and
// replaced by its standby. It listens on a socket in its folder and keeps what it
// confirms. It is gone after the test.
type Node struct {
	t        testing.TB
	programs string
	dir      string
	who      *syscall.SysProcAttr
	shell    *exec.Cmd
	alive    io.Closer // the server follows it
	pid      int
}

// NewNode starts a server with nothing in it.
func NewNode(t testing.TB) *Node {
	t.Helper()
	n := newNode(t)
	n.run("initdb", "-D", n.data(), "-U", "mandate", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")
	n.configure()
	n.start()
	return n
}

// Standby starts a copy of the server that repeats what it writes, and without
// which it confirms nothing from then on.
func (n *Node) Standby() *Node {
	n.t.Helper()
	s := newNode(n.t)
	s.run("pg_basebackup", "-D", s.data(), "-h", n.dir, "-U", "mandate", "-R", "-X", "stream", "-c", "fast", "--no-sync")
	s.configure()
	s.start()
	n.Administer("alter system set synchronous_standby_names = '*'")
	n.Administer("select pg_reload_conf()")
	n.await("the standby to be followed", func(pool *sql.DB) (bool, error) {
		var synchronous bool
		err := pool.QueryRow(`select count(*) > 0 from pg_stat_replication where sync_state = 'sync'`).Scan(&synchronous)
		return synchronous, err
	})
	return s
}

func newNode(t testing.TB) *Node {
	t.Helper()
	programs, err := findPrograms()
	if err != nil {
		Missing(t, "PostgreSQL 15 or newer", installPostgreSQL)
	}
	dir, err := os.MkdirTemp("", "mandate-pg-")
	if err != nil {
		t.Fatal(err)
	}
	n := &Node{t: t, programs: programs, dir: dir, who: &syscall.SysProcAttr{Setpgid: true}}
	if os.Getuid() == 0 {
		n.who.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
		if err := os.Chown(dir, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(n.close)
	return n
}

func (n *Node) data() string { return filepath.Join(n.dir, "data") }

func (n *Node) run(program string, args ...string) {
	n.t.Helper()
	cmd := exec.Command(filepath.Join(n.programs, program), args...)
	cmd.SysProcAttr, cmd.Dir, cmd.Env = n.who, n.dir, environment()
	if output, err := cmd.CombinedOutput(); err != nil {
		n.t.Fatalf("%s: %v\n%s", program, err, output)
	}
}

// The last of these lines stand: those of the server that was copied come first.
const nodeSettings = `
listen_addresses = ''
max_connections = 100
shared_buffers = 32MB
autovacuum = off
jit = off
lc_messages = 'C'
wal_sender_timeout = 2s
wal_receiver_timeout = 2s
`

// fsync is for the full rounds: what is killed here is processes, and what they
// wrote stays with the machine.
func fsync() string {
	if os.Getenv("MANDATE_SLOW") == "1" {
		return "on"
	}
	return "off"
}

func (n *Node) configure() {
	n.t.Helper()
	file, err := os.OpenFile(filepath.Join(n.data(), "postgresql.auto.conf"), os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		_, err = file.WriteString(nodeSettings + "fsync = " + fsync() + "\nunix_socket_directories = '" + n.dir + "'\n")
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		n.t.Fatal(err)
	}
}

// serveNode runs the server until its input ends, and then ends all of it,
// whatever state it is in.
const serveNode = `
"$1/postgres" -D "$2/data" &
server=$!
echo $server
read -r forever
kill -KILL $server $(cat /proc/$server/task/$server/children 2>/dev/null) 2>/dev/null
wait $server
cd /
rm -rf "$2"
`

func (n *Node) start() {
	n.t.Helper()
	n.shell = exec.Command("/bin/sh", "-c", serveNode, "sh", n.programs, n.dir)
	n.shell.SysProcAttr, n.shell.Dir, n.shell.Env = n.who, n.dir, environment()
	log, err := os.Create(filepath.Join(n.dir, "log"))
	if err != nil {
		n.t.Fatal(err)
	}
	defer log.Close()
	n.shell.Stderr = log
	said, err := n.shell.StdoutPipe()
	if err != nil {
		n.t.Fatal(err)
	}
	if n.alive, err = n.shell.StdinPipe(); err != nil {
		n.t.Fatal(err)
	}
	if err := n.shell.Start(); err != nil {
		n.t.Fatal(err)
	}
	if _, err := fmt.Fscan(said, &n.pid); err != nil {
		n.t.Fatalf("start PostgreSQL: %v", err)
	}
	if err := awaitServer(n.URL("postgres"), n.dir); err != nil {
		n.t.Fatal(err)
	}
}

func (n *Node) close() {
	if n.alive != nil {
		_ = n.alive.Close() // it may have ended
		_ = n.shell.Wait()
	}
	_ = os.RemoveAll(n.dir) // where it was never started
}

// URL is a database of the server, by its socket.
func (n *Node) URL(database string) string {
	return "postgres://mandate@/" + database + "?host=" + url.QueryEscape(n.dir)
}

// Socket is the path of the server's socket, for what stands between it and its
// clients.
func (n *Node) Socket() string { return filepath.Join(n.dir, ".s.PGSQL.5432") }

// Database makes a migrated database of the program's own, and returns its name.
func (n *Node) Database() string {
	n.t.Helper()
	n.Administer("create database mandate template template0 encoding 'UTF8' locale 'C.UTF-8'")
	migrate(n.t, n.URL("mandate"), nil)
	return "mandate"
}

// Administer runs a statement on the server.
func (n *Node) Administer(statement string) {
	n.t.Helper()
	administer(n.t, n.URL("postgres"), statement)
}

// signal reaches the server and every process of it.
func (n *Node) signal(s syscall.Signal) {
	n.t.Helper()
	all := []int{n.pid}
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", n.pid, n.pid)) // none where it is gone
	for _, child := range strings.Fields(string(children)) {
		pid, err := strconv.Atoi(child)
		if err != nil {
			n.t.Fatal(err)
		}
		all = append(all, pid)
	}
	for _, pid := range all {
		if err := syscall.Kill(pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
			n.t.Fatal(err)
		}
	}
}

// Pause stops all of the server at once; its connections stay open.
func (n *Node) Pause() { n.t.Helper(); n.signal(syscall.SIGSTOP) }

// Resume lets it go on.
func (n *Node) Resume() { n.t.Helper(); n.signal(syscall.SIGCONT) }

// Kill ends all of the server at once.
func (n *Node) Kill() { n.t.Helper(); n.signal(syscall.SIGKILL) }

// Promote makes a standby a server that takes changes, whatever the one before
// it does.
func (n *Node) Promote() {
	n.t.Helper()
	n.Administer("select pg_promote(wait => true)")
	n.await("it to take changes", func(pool *sql.DB) (bool, error) {
		var standby bool
		err := pool.QueryRow(`select pg_is_in_recovery()`).Scan(&standby)
		return !standby, err
	})
}

func (n *Node) await(what string, is func(*sql.DB) (bool, error)) {
	n.t.Helper()
	pool := openAdmin(n.t, n.URL("postgres"))
	defer closeAdmin(n.t, pool)
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	for ; ; time.Sleep(20 * time.Millisecond) {
		done, err := is(pool)
		if done {
			return
		}
		if ctx.Err() != nil {
			n.t.Fatalf("waiting for %s: %v", what, err)
		}
	}
}
