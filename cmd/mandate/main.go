// Command mandate is the whole product in one binary: the server, the
// operator's commands and the demo.
package main

import (
	"os"

	_ "time/tzdata" // institutions have time zones; machines do not always have their rules

	"mandate/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr))
}
