package dbtest

import (
	"bufio"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"
)

// killProcess is the environment under which a test binary is a process that
// will be killed: the database that it works on.
const killProcess = "MANDATE_TEST_KILLED"

// ToBeKilled makes this test binary the process that RunAndKill starts, if it
// is one. A TestMain calls it first. The work says what it has been told, line
// by line, and never ends by itself.
func ToBeKilled(work func(url string, say func(line string)) error) {
	url := os.Getenv(killProcess)
	if url == "" {
		return
	}
	err := work(url, func(line string) {
		if _, err := os.Stdout.WriteString(line + "\n"); err != nil {
			os.Exit(1)
		}
	})
	os.Stderr.WriteString(err.Error() + "\n")
	os.Exit(1)
}

// RunAndKill starts the work of ToBeKilled on a database, kills it with SIGKILL
// at a random moment after its first line, and returns all its lines.
func RunAndKill(t testing.TB, url string, within time.Duration) (lines []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killProcess+"="+url)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewScanner(out)
	for said.Scan() {
		if len(lines) == 0 {
			time.AfterFunc(rand.N(within), func() { _ = cmd.Process.Kill() })
		}
		lines = append(lines, said.Text())
	}
	_ = cmd.Wait() // it was killed
	if len(lines) == 0 {
		t.Fatal("the process ended before it said anything")
	}
	return lines
}
