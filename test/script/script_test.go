// Package script tells whole stories of operators, from the command line of
// the real program: the files in testdata are what somebody types and what they
// see. It knows nothing of the inside.
package script

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	_ "time/tzdata" // as in the program itself

	"github.com/rogpeppe/go-internal/testscript"

	"mandate/internal/cli"
	"mandate/internal/db/dbtest"
)

// patience is how long a server may take to come up on a busy machine.
const patience = time.Minute

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"mandate": func() { os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

func TestScripts(t *testing.T) {
	vectors, err := filepath.Abs("../../testdata/vectors")
	if err != nil {
		t.Fatal(err)
	}
	run(t, "testdata", "VECTORS", vectors)
}

// Stories of production: DB is a PostgreSQL database with the tables of this
// version, EMPTY one without any.
func TestScriptsOnPostgreSQL(t *testing.T) {
	run(t, filepath.Join("testdata", "postgres"), "DB", dbtest.PostgreSQLURL(t, nil), "EMPTY", dbtest.EmptyPostgreSQLURL(t))
}

// run tells the stories of a folder, with variables.
func run(t *testing.T, dir string, variables ...string) {
	testscript.Run(t, testscript.Params{
		Dir: dir,
		Setup: func(env *testscript.Env) error {
			for i := 0; i < len(variables); i += 2 {
				env.Setenv(variables[i], variables[i+1])
			}
			env.Setenv("HOME", env.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"ports": ports, "fetch": fetch, "keep": keep, "terminate": terminate,
		},
	})
}

// ports NAME...: puts free addresses of this machine into variables.
func ports(ts *testscript.TestScript, _ bool, names []string) {
	for _, name := range names {
		socket, err := net.Listen("tcp", "localhost:0")
		ts.Check(err)
		_, port, err := net.SplitHostPort(socket.Addr().String())
		ts.Check(err)
		ts.Check(socket.Close())
		ts.Setenv(name, "localhost:"+port)
	}
}

// fetch STATUS URL [KEY BODYFILE]: asks until something answers that is ready, and
// wants that status; the answer's body is the standard output.
func fetch(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 && len(args) != 4 {
		ts.Fatalf("usage: fetch STATUS URL [KEY BODYFILE]")
	}
	method, key, body := http.MethodGet, "", ""
	if len(args) == 4 {
		method, key, body = http.MethodPost, args[2], ts.ReadFile(args[3])
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		status, answer, err := ask(ctx, method, args[1], key, body)
		if ctx.Err() == nil && (err != nil || status == http.StatusServiceUnavailable && args[0] != "503") {
			time.Sleep(20 * time.Millisecond) // not up yet
			continue
		}
		ts.Check(err)
		fmt.Fprintln(ts.Stdout(), answer)
		if strconv.Itoa(status) != args[0] {
			ts.Fatalf("%s %s: status %d, want %s: %s", method, args[1], status, args[0], answer)
		}
		return
	}
}

func ask(ctx context.Context, method, url, key, body string) (status int, answer string, err error) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
		r.Header.Set("Content-Type", "application/json")
	}
	out, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer out.Body.Close()
	text, err := io.ReadAll(out.Body)
	return out.StatusCode, string(text), err
}

// keep NAME PATTERN: puts what the pattern's group finds in the last standard
// output into a variable.
func keep(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: keep NAME PATTERN")
	}
	found := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) < 2 {
		ts.Fatalf("%q is not in the output", args[1])
	}
	ts.Setenv(args[0], found[1])
}

// terminate: asks every program in the background to end, as an operator's
// service manager does.
func terminate(ts *testscript.TestScript, _ bool, _ []string) {
	for _, command := range ts.BackgroundCmds() {
		ts.Check(command.Process.Signal(syscall.SIGTERM))
	}
}
