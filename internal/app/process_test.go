package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"mandate/internal/app"
	"mandate/internal/bank"
	"mandate/internal/config"
	"mandate/internal/web"
)

// The environment that makes this test binary a process of another kind.
const (
	asServer = "MANDATE_TEST_SERVER" // the database that it serves
	asClient = "MANDATE_TEST_CLIENT" // the address that it asks
	withData = "MANDATE_TEST_DATA"
	withKey  = "MANDATE_TEST_KEY"
)

func TestMain(m *testing.M) {
	var err error
	switch {
	case os.Getenv(asServer) != "":
		err = serve(os.Getenv(asServer), os.Getenv(withData))
	case os.Getenv(asCopy) != "":
		err = serveCopy(os.Getenv(asCopy))
	case os.Getenv(asClient) != "":
		err = ask(payer{os.Getenv(asClient), os.Getenv(withKey)})
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serve is a server process: it says its address and serves the API until its
// input ends.
func serve(url, data string) error {
	cfg := config.Config{Store: config.Store{DB: url, Data: data}, LogLevel: "error"}
	a, err := app.Open(context.Background(), cfg, bank.SystemClock{}, cfg.Logger())
	if err != nil {
		return err
	}
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := web.NewServer(a.APIHandler(), a.Log)
	go func() { _ = server.Serve(socket) }() // it ends with the process
	fmt.Println(socket.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// ask is a client process: for each line of its input, which names a round, it
// releases payments all at once and says how many went out.
func ask(p payer) error {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		released, err := p.releaseMany(lines.Text())
		if err != nil {
			return err
		}
		fmt.Println(released)
	}
	return lines.Err()
}

// A process is one that a test started. It is gone after the test.
type process struct {
	t     *testing.T
	in    io.WriteCloser
	lines *bufio.Scanner
}

func start(t *testing.T, environment ...string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), environment...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %v", environment, err)
		}
	})
	return &process{t, in, bufio.NewScanner(out)}
}

// line is the next line that a process says.
func (p *process) line() string {
	p.t.Helper()
	if !p.lines.Scan() {
		p.t.Fatalf("the process ended: %v", p.lines.Err())
	}
	return p.lines.Text()
}

// A payer is an outside payment system.
type payer struct{ address, key string }

// each is how many payments a payer releases at once: two of them make 40.
const each = 20

// releaseMany authorizes, approves and confirms payments of the member of a
// round, all at the same time, and says how many went out.
func (p payer) releaseMany(round string) (released int, err error) {
	var mu sync.Mutex
	var all sync.WaitGroup
	for range each {
		all.Go(func() {
			out, e := p.release(round)
			mu.Lock()
			defer mu.Unlock()
			if out {
				released++
			}
			if err == nil {
				err = e
			}
		})
	}
	all.Wait()
	return released, err
}

// release sends 10,000.00 unless the daily limit is used up.
func (p payer) release(round string) (bool, error) {
	ref := bank.NewID("ref", bank.SystemClock{}.Now())
	answer, err := p.post("", ref, map[string]string{
		"ref": ref, "member": "initiator-" + round, "operation": "wires.transmit", "account": "operating", "amount": "10000.00",
	})
	if err != nil {
		return false, err
	}
	if !answer.Decision {
		if len(answer.Reasons) != 1 || answer.Reasons[0].Code != "LIMIT_DAILY" {
			return false, fmt.Errorf("authorize: %+v", answer)
		}
		return false, nil
	}
	if !answer.ApprovalRequired {
		return false, fmt.Errorf("no approval was required: %+v", answer)
	}
	for _, step := range []string{"approve", "confirm"} {
		body := map[string]string{}
		if step == "approve" {
			body["member"] = "approver"
		}
		if answer, err = p.post("/"+ref+"/"+step, ref+step, body); err != nil {
			return false, err
		}
		if !answer.Decision {
			return false, fmt.Errorf("%s: %+v", step, answer)
		}
	}
	return true, nil
}

type said struct {
	Decision         bool
	ApprovalRequired bool `json:"approval_required"`
	Reasons          []struct{ Code string }
}

func (p payer) post(path, key string, body map[string]string) (answer said, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return said{}, err
	}
	if len(body) == 0 {
		text = nil
	}
	r, err := http.NewRequest(http.MethodPost, "http://"+p.address+"/api/v1/authorizations"+path, bytes.NewReader(text))
	if err != nil {
		return said{}, err
	}
	r.Header.Set("Authorization", "Bearer "+p.key)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	out, err := connections.Do(r)
	if err != nil {
		return said{}, err
	}
	defer out.Body.Close()
	got, err := io.ReadAll(out.Body)
	if err != nil {
		return said{}, err
	}
	if out.StatusCode != http.StatusOK {
		return said{}, fmt.Errorf("%s: status %d, %s", path, out.StatusCode, strings.TrimSpace(string(got)))
	}
	return answer, json.Unmarshal(got, &answer)
}

var connections = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: each}}
