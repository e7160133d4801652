package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/app"
	"mandate/internal/bank"
	"mandate/internal/client"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/pdp"
	"mandate/internal/pdp/pdptest"
	"mandate/internal/usermgmt"
)

// asCopy makes this test binary a copy of the decision service, which follows
// the database that it names.
const (
	asCopy    = "MANDATE_TEST_COPY"
	withPorts = "MANDATE_TEST_PORTS"
)

// serveCopy is a copy's process: it serves until it is told to end.
func serveCopy(url string) error {
	var api, operators string
	if _, err := fmt.Sscan(os.Getenv(withPorts), &api, &operators); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	cfg := config.Copy{Follow: url, CopyName: api, ListenAPI: api, ListenMetrics: operators, LogLevel: "error"}
	c, err := app.OpenCopy(ctx, cfg, bank.SystemClock{}, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	return errors.Join(c.Serve(ctx, func() { fmt.Println("ready") }), c.Close())
}

// A copyProcess is a copy that can be paused and killed.
type copyProcess struct {
	t              *testing.T
	url            string
	api, operators string
	cmd            *exec.Cmd
	ended          chan error
}

func startCopy(t *testing.T, url string) *copyProcess {
	t.Helper()
	p := &copyProcess{t: t, url: url, api: freeAddress(t), operators: freeAddress(t)}
	p.start()
	t.Cleanup(p.kill)
	return p
}

// freeAddress is an address of this machine that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (p *copyProcess) start() {
	p.t.Helper()
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(os.Environ(), asCopy+"="+p.url, withPorts+"="+p.api+" "+p.operators)
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	var said string
	if _, err := fmt.Fscan(out, &said); err != nil || said != "ready" {
		p.t.Fatalf("the copy said %q: %v", said, err)
	}
	p.ended = make(chan error, 1)
	go func() { p.ended <- p.cmd.Wait() }()
}

func (p *copyProcess) signal(s syscall.Signal) {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Error(err)
	}
}

func (p *copyProcess) kill() {
	p.signal(syscall.SIGKILL)
	<-p.ended
	p.ended <- nil
}

// ready is what the copy says to load balancers.
func (p *copyProcess) ready() bool {
	r, err := asking.Get("http://" + p.operators + "/readyz")
	if err != nil {
		return false
	}
	defer r.Body.Close()
	return r.StatusCode == http.StatusOK
}

// asking gives up on whoever does not answer.
var asking = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 8}}

// A reply is what a copy said. The zero reply says nothing.
type reply struct {
	allowed  bool
	decided  bool // it said yes or no, and did not only refuse to answer
	unsure   bool // the revision that was demanded is not reached
	revision string
}

// ask asks whether somebody may send a wire, of a state that knows a revision.
func (p *copyProcess) ask(key string, member bank.UserID, account bank.AccountID, amount, atLeast string) reply {
	context := map[string]any{}
	if atLeast != "" {
		context["at_least_revision"], context["reader"] = atLeast, "admin" // who is told why
	}
	body, err := json.Marshal(map[string]any{
		"subject":  map[string]any{"type": "user", "id": member},
		"action":   map[string]any{"name": "wires.transmit", "properties": map[string]any{"amount": amount}},
		"resource": map[string]any{"type": "account", "id": account},
		"context":  context,
	})
	if err != nil {
		p.t.Error(err)
		return reply{}
	}
	r, err := http.NewRequest(http.MethodPost, "http://"+p.api+"/access/v1/evaluation", bytes.NewReader(body))
	if err != nil {
		p.t.Error(err)
		return reply{}
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	response, err := asking.Do(r)
	if err != nil {
		return reply{}
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return reply{}
	}
	var said struct{ Decision bool }
	if err := json.Unmarshal(content, &said); err != nil {
		p.t.Errorf("%s: %v", content, err)
	}
	unsure := bytes.Contains(content, []byte(pdp.RevisionNotReached))
	return reply{allowed: said.Decision, decided: !unsure, unsure: unsure, revision: response.Header.Get("Mandate-Revision")}
}

// A cluster is a database with the small world of pdptest in it, and copies.
type cluster struct {
	*testing.T
	world  *pdptest.World
	db     *db.DB
	key    string
	copies []*copyProcess
}

// open makes a cluster over a migrated database, which copies follow by addresses
// of their own.
func openCluster(t *testing.T, url string, copies ...string) *cluster {
	t.Helper()
	d := dbtest.Open(t, url, dbtest.Options{Clock: bank.SystemClock{}})
	c := &cluster{T: t, world: pdptest.New(t, d), db: d}
	clients := client.New(d, guard.New(d, usermgmt.LoadPolicy, nil, nil), slog.New(slog.DiscardHandler))
	operator := bank.Caller{Kind: bank.ActorOperator, Institution: "first", Channel: bank.ChannelCommand}
	_, key, err := clients.Create(context.Background(), operator, client.Draft{Name: "Payments hub"})
	if err != nil {
		t.Fatal(err)
	}
	c.key = key.Reveal()
	for _, url := range copies {
		c.copies = append(c.copies, startCopy(t, url))
	}
	return c
}

// on is the same world in the database of another server.
func (c *cluster) on(d *db.DB) *cluster {
	next := *c
	next.db, next.world = d, pdptest.In(c.T, d)
	return &next
}

// revoke takes Dana's right to send wires from the account, and says which
// revision knows of it.
func (c *cluster) revoke() (token string) {
	c.Helper()
	less := pdptest.SenderAccount
	less.On = less.On.Without(wiresTransmit)
	return c.set(less)
}

// grant gives it back.
func (c *cluster) grant() (token string) { c.Helper(); return c.set(pdptest.SenderAccount) }

func (c *cluster) set(s entitlement.Settings) (token string) {
	c.Helper()
	c.world.SetAccount("first", "acme", "dana", "operating", s)
	return c.token("acme")
}

// token is the revision of an organization as it is now.
func (c *cluster) token(o bank.OrganizationID) string {
	c.Helper()
	r := pdp.Revision{Institution: "first", Organization: o}
	err := c.db.Read(context.Background(), func(tx *db.Tx) (err error) {
		if r.Epoch, err = activity.Epoch(tx); err != nil {
			return err
		}
		if r.OfInstitution, err = activity.Revision(tx, "first", ""); err != nil {
			return err
		}
		r.OfOrganization, err = activity.Revision(tx, "first", o)
		return err
	})
	if err != nil {
		c.Fatal(err)
	}
	return r.String()
}

// may asks a copy whether Dana may send a wire.
func (c *cluster) may(p *copyProcess, atLeast string) reply {
	return p.ask(c.key, "dana", "operating", "1.00", atLeast)
}
