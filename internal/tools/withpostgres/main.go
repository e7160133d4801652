// Command withpostgres runs a command beside a PostgreSQL server of its own,
// which all tests under the command share: a server and a migrated template for
// each package would cost more than many packages' tests. Where a server is
// named already (MANDATE_TEST_POSTGRES), or none is installed, it only runs the
// command. The server ends with it.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"mandate/internal/db/dbtest"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: withpostgres COMMAND [ARGUMENT...]")
		os.Exit(2)
	}
	os.Exit(run(os.Args[1], os.Args[2:]))
}

// run returns the exit code of the command.
func run(name string, args []string) int {
	cmd := exec.Command(name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = os.Stdin, os.Stdout, os.Stderr, os.Environ()
	if os.Getenv(dbtest.ServerVariable) == "" {
		url, err := dbtest.StartServer()
		switch {
		case err == nil:
			cmd.Env = append(cmd.Env, dbtest.ServerVariable+"="+url)
		case !errors.Is(err, dbtest.ErrNoPrograms): // the tests themselves say what to install
			fmt.Fprintln(os.Stderr, "withpostgres:", err)
			return 2
		}
	}
	err := cmd.Run()
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		return ended.ExitCode()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "withpostgres:", err)
		return 2
	}
	return 0
}
