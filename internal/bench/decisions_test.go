package bench

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

var small = DecisionsOptions{Organizations: 60, Connections: 4, Each: 200 * time.Millisecond, Rounds: 1, Changes: 100}

// TestMain is the server that is measured, where it is asked to be.
func TestMain(m *testing.M) {
	if os.Getenv("MANDATE_BENCH_SERVE") == "" {
		os.Exit(m.Run())
	}
	if err := ServeDecisions(context.Background(), os.Stdin, os.Stdout, small); err != nil {
		_, _ = io.WriteString(os.Stderr, err.Error()) // whoever waits for it says so
		os.Exit(1)
	}
}

// The whole measurement works on a small scale: the server is another process,
// its answers are the engine's, and every row has its numbers. How good they are
// is not for a test to say.
func TestDecisions(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	server := exec.Command(self)
	server.Env = append(os.Environ(), "MANDATE_BENCH_SERVE=1")
	var out bytes.Buffer
	if err := Decisions(context.Background(), &out, server, small); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	for _, line := range []string{"10000 answers compared with the engine's, all equal", "one, while 100 changes a second arrive", "one decision to one constant:", "changes that survive a crash:"} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("no line %q in\n%s", line, &out)
		}
	}
}

// Half of the questions are answered with a yes, or the rows compare nothing.
func TestCrowdQuestions(t *testing.T) {
	c, err := newCrowd(20)
	if err != nil {
		t.Fatal(err)
	}
	yes, operations := 0, map[string]bool{}
	questions := c.questions(3, 1000, time.Now())
	for _, q := range questions {
		operations[q.operation.ID()] = true
		if q.allowed {
			yes++
		}
	}
	if yes < 450 || yes > 550 || len(operations) < 6 {
		t.Errorf("%d of %d are a yes, about %d operations", yes, len(questions), len(operations))
	}
}
