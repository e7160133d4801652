package hostsim_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/host/hosttest"
	"mandate/internal/host/protocol"
)

var background = context.Background()

// child is the environment under which this test binary is one of the two
// sides: "host" or "product", the database, and the host's address.
const child = "MANDATE_TEST_SIDE"

func TestMain(m *testing.M) {
	side, where, _ := strings.Cut(os.Getenv(child), " ")
	url, address, _ := strings.Cut(where, " ")
	var err error
	switch side {
	case "host":
		err = hostSide(url, address)
	case "product":
		err = productSide(url, address, say)
	default:
		os.Exit(m.Run())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func say(line string) { fmt.Println(line) }

// quiet is a log that a side keeps to itself: the other one is killed all the
// time.
var quiet = slog.New(slog.DiscardHandler)

// hostSide is the simulator in a process of its own.
func hostSide(url, address string) error {
	d, err := hostsim.OpenDB(background, url, bank.SystemClock{})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	say("serves")
	keys := func(_ bank.InstitutionID, key string) bool { return key == "key" }
	return http.Serve(listener, protocol.Handler(hostsim.New(d, hostsim.Options{}).Server(), keys, quiet))
}

// deskOf is the product's way to the host.
func deskOf(d *db.DB, address string) *host.Desk {
	client := protocol.NewClient(protocol.Everywhere(protocol.Address{URL: "http://" + address, Key: "key"}), host.Same{}, nil)
	desk := host.NewDesk(d, client, quiet)
	desk.Answer("test", func(context.Context, host.Order, host.Receipt) error { return nil })
	return desk
}

// productSide queues orders of one cent, on four lanes at once, carries them,
// and says which are acknowledged.
func productSide(url, address string, say func(string)) error {
	d, err := db.Open(background, db.Config{URL: url, Clock: bank.SystemClock{}})
	if err != nil {
		return err
	}
	desk := deskOf(d, address)
	go desk.Run(background)
	failed := make(chan error)
	for range 4 {
		go func() {
			for {
				ref := bank.NewID("ord", time.Now())
				err := d.Write(background, func(tx *db.Tx) error {
					o := host.Order{Institution: cedar, Organization: hosttest.Organization, Room: "test", Ref: ref, Day: "2026-03-02", Legs: host.Move(hosttest.Operating, hosttest.Payroll, 1)}
					tx.AfterCommit(desk.Wake)
					return host.Queue(tx, o)
				})
				if err != nil {
					failed <- err
					return
				}
				say(ref)
				time.Sleep(2 * time.Millisecond)
			}
		}()
	}
	return <-failed
}

// A running side, and what it said.
type running struct {
	cmd   *exec.Cmd
	first chan struct{}
	ended chan struct{}
	mu    sync.Mutex
	said  []string
}

func begin(t *testing.T, side, url, address string) *running {
	t.Helper()
	r := &running{cmd: exec.Command(os.Args[0]), first: make(chan struct{}), ended: make(chan struct{})}
	r.cmd.Env = append(os.Environ(), child+"="+side+" "+url+" "+address)
	r.cmd.Stderr = os.Stderr
	out, err := r.cmd.StdoutPipe()
	if err == nil {
		err = r.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(r.ended)
		for said := bufio.NewScanner(out); said.Scan(); {
			r.mu.Lock()
			if r.said = append(r.said, said.Text()); len(r.said) == 1 {
				close(r.first)
			}
			r.mu.Unlock()
		}
	}()
	select {
	case <-r.first:
	case <-r.ended:
		t.Errorf("the %s ended before it said anything", side)
	}
	return r
}

func (r *running) kill() {
	_ = r.cmd.Process.Kill()
	<-r.ended
	_ = r.cmd.Wait() // it was killed
}

// Killed at any step, on either side: every order that was acknowledged is
// carried out, none twice, and the books agree to the cent.
func TestKilledOnEitherSide(t *testing.T) {
	for name, makeURL := range map[string]func() (product, core string){
		"SQLite": func() (string, string) { return dbtest.SQLiteURL(t, nil), dbtest.SQLiteURL(t, hostsim.Migrations()) },
		"PostgreSQL": func() (string, string) {
			url := dbtest.PostgreSQLURL(t, nil) // one database, two sets of tables
			return url, url
		},
	} {
		t.Run(name, func(t *testing.T) {
			product, core := makeURL()
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			address := listener.Addr().String()
			if err := listener.Close(); err != nil {
				t.Fatal(err)
			}
			fund(t, core)
			var acknowledged []string
			rounds := dbtest.Rounds(5, 100)
			for range rounds {
				sides := []*running{begin(t, "host", core, address), begin(t, "product", product, address)}
				rand.Shuffle(2, func(i, j int) { sides[i], sides[j] = sides[j], sides[i] })
				for _, side := range sides {
					time.Sleep(rand.N(40 * time.Millisecond))
					side.kill()
					for _, line := range side.said {
						if strings.HasPrefix(line, "ord_") {
							acknowledged = append(acknowledged, line)
						}
					}
				}
			}
			settle(t, product, core, address, acknowledged)
			t.Logf("%d times both were killed; %d orders were acknowledged", rounds, len(acknowledged))
		})
	}
}

const fortune = 1_000_000_00

func fund(t *testing.T, url string) {
	t.Helper()
	d, err := hostsim.OpenDB(t.Context(), url, bank.SystemClock{})
	if err != nil {
		t.Fatal(err)
	}
	err = hostsim.New(d, hostsim.Options{}).Open(t.Context(), hostsim.Opening{Institution: cedar, Organization: hosttest.Organization, Account: hosttest.Operating, Balance: fortune},
		hostsim.Opening{Institution: cedar, Organization: hosttest.Organization, Account: hosttest.Payroll})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

// settle lets both sides do what was left, once the leases of those that were
// killed are over, and compares.
func settle(t *testing.T, product, core, address string, acknowledged []string) {
	t.Helper()
	clock := dbtest.NewClock(time.Now().Add(2 * time.Hour))
	own, err := hostsim.OpenDB(t.Context(), core, clock)
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	b := hostsim.New(own, hostsim.Options{})
	d, err := db.Open(t.Context(), db.Config{URL: product, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	keys := func(bank.InstitutionID, string) bool { return true }
	inside := protocol.Inside(protocol.Handler(b.Server(), keys, quiet))
	desk := host.NewDesk(d, protocol.NewClient(protocol.Everywhere(protocol.Address{URL: "http://host", Key: "key"}), host.Same{}, inside), quiet)
	desk.Answer("test", func(context.Context, host.Order, host.Receipt) error { return nil })
	queued := map[string]string{}
	for range 1000 {
		n, err := desk.Deliver(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	read := func(d *db.DB, query string) (pairs [][2]string) {
		err := d.Read(t.Context(), func(tx *db.Tx) (err error) {
			pairs, err = db.All(tx, func(s db.Scanner) (p [2]string, err error) {
				err = s.Scan(&p[0], &p[1])
				return p, err
			}, query)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return pairs
	}
	for _, p := range read(d, `select dedup_key, state from outbox`) {
		if queued[p[0]] = p[1]; p[1] != "done" {
			t.Errorf("%s is %s in the end", p[0], p[1])
		}
	}
	for _, ref := range acknowledged {
		if queued["test/"+ref] == "" {
			t.Errorf("%s was acknowledged and is lost", ref)
		}
	}
	carried := read(own, `select order_key, refused from core_order`)
	for _, p := range carried {
		if queued[p[0]] == "" || p[1] != "" {
			t.Errorf("the host has the order %s, refused %q, and here it is %q", p[0], p[1], queued[p[0]])
		}
	}
	n := bank.Cents(len(queued))
	if len(carried) != len(queued) {
		t.Errorf("%d orders were queued and %d carried out", len(queued), len(carried))
	}
	hosttest.Want(t, b, hosttest.Operating, fortune-n, fortune-n)
	hosttest.Want(t, b, hosttest.Payroll, n, n)
	agrees(t, b)
}
