// Package story tells the product's main story whole, in the demo's world, over
// its own addresses: what an admin changes in a browser, a payment system is
// told on its very next question, and history says who did it. It knows nothing
// of the inside.
package story

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	_ "time/tzdata" // as in the program itself

	"mandate/internal/activity"
	"mandate/internal/app"
	"mandate/internal/bank"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/demo"
	"mandate/internal/mail/mailbox"
	"mandate/internal/web/browsertest"
)

func TestMain(m *testing.M) { browsertest.Main(m) }

// A program is the running product with the demo's world in it.
type program struct {
	t     *testing.T
	app   *app.App
	clock *demo.Clock
	world *demo.World
}

func run(t *testing.T, databaseURL string) *program {
	t.Helper()
	return runAt(t, databaseURL, bank.SystemClock{})
}

func runAt(t *testing.T, databaseURL string, machine bank.Clock) *program {
	t.Helper()
	cfg := config.Config{
		Store: config.Store{DB: databaseURL, Data: t.TempDir()}, HashMemory: 8, HashPasses: 1, ThrottleFactor: 100,
		ListenOnline: free(t), ListenConsole: free(t), Office: config.Office{ListenOffice: free(t)}, ListenAPI: free(t), ListenMetrics: free(t),
	}
	cfg.OfficeFile = filepath.Join(cfg.Data, demo.OfficeFile)
	clock := demo.NewClock(machine)
	box, err := mailbox.Listen("localhost:0", clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	cfg.SMTP = box.Address()
	a, err := app.Open(t.Context(), cfg, clock, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	a.Mailbox, a.ListenMailbox = box, free(t)
	p := &program{t: t, app: a, clock: clock}
	if p.world, err = demo.Open(t.Context(), a, clock, io.Discard); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- a.Serve(ctx, func() { close(ready) }) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	select {
	case <-ready:
	case err := <-ended:
		ended <- nil
		t.Fatal(err)
	}
	return p
}

// free is an address of this machine that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	socket, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	_, port, err := net.SplitHostPort(socket.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return "localhost:" + port
}

func (p *program) signIn(username string) demo.SignIn {
	for _, s := range p.world.SignIns {
		if s.Username == username {
			return s
		}
	}
	p.t.Fatalf("the demo has no sign-in %s", username)
	return demo.SignIn{}
}

// An answer is what a payment system is told.
type answer struct {
	Decision bool `json:"decision"`
	Context  struct {
		Reasons []struct {
			Code, Level, Permission, Sentence string
		} `json:"reasons"`
	} `json:"context"`
}

// wire is the question whether Dana may send a wire from the operating account.
func (p *program) wire(amount string) map[string]any {
	bank := p.world.Institutions[0]
	return map[string]any{
		"subject":  map[string]any{"type": "user", "id": bank.Members["dana.reyes"]},
		"action":   map[string]any{"name": "wires.transmit", "properties": map[string]any{"amount": amount}},
		"resource": map[string]any{"type": "account", "id": bank.Accounts["larkspur/operating"]},
		"context":  map[string]any{"explain": "admin"},
	}
}

// mayWire asks it as a payment system does.
func (p *program) mayWire(amount string) (a answer) {
	p.t.Helper()
	body, err := json.Marshal(p.wire(amount))
	if err != nil {
		p.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.world.Addresses["api"]+"/access/v1/evaluation", bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.world.Clients[0].Key)
	r.Header.Set("Content-Type", "application/json")
	out, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer out.Body.Close()
	text, err := io.ReadAll(out.Body)
	if err != nil || out.StatusCode != http.StatusOK {
		p.t.Fatalf("evaluation: %d %s %v", out.StatusCode, text, err)
	}
	if err := json.Unmarshal(text, &a); err != nil {
		p.t.Fatal(err)
	}
	return a
}

// An admin takes a right away in a browser: the next question is answered with
// no, and why; given back, with yes. Both times history says who.
func TestWhatAnAdminChangesIsAnsweredAtOnce(t *testing.T) {
	for name, url := range map[string]func(*testing.T) string{
		"SQLite":     func(t *testing.T) string { return dbtest.SQLiteURL(t, nil) },
		"PostgreSQL": func(t *testing.T) string { return dbtest.PostgreSQLURL(t, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			machine := &mover{}
			p := runAt(t, url(t), machine)
			if a := p.mayWire("9000.00"); !a.Decision {
				t.Fatalf("before: %+v", a)
			}
			ana := p.signIn("ana.ruiz")
			page := browsertest.Open(t)
			page.Goto(ana.URL)
			page.Fill("Username", ana.Username)
			page.Fill("Password", ana.Password)
			page.Click("Sign in")
			page.Click("User management")
			page.Fill("Search users", "reyes")
			page.See("“reyes”")
			page.Click("Dana Reyes")
			page.Click("Set permissions")
			page.Within("Wires").Set("Transmit wires", false)
			page.Click("Review changes")
			page.Click("Save changes")
			page.See("Permissions saved")

			a := p.mayWire("9000.00")
			if a.Decision || len(a.Context.Reasons) == 0 || a.Context.Reasons[0].Code != "USER_OFF" || a.Context.Reasons[0].Permission != "wires.transmit" {
				t.Fatalf("after it was taken away: %+v", a)
			}

			page.Click("Set permissions")
			page.Within("Wires").Set("Transmit wires", true)
			page.Click("Review changes")
			page.Click("Save changes")
			page.See("Confirm that it is you")
			page.Fill("Password", ana.Password)
			page.Click("Confirm")
			page.See("Permissions saved")
			if a := p.mayWire("9000.00"); !a.Decision {
				t.Fatalf("after it was given back: %+v", a)
			}
			page.Click("History")
			page.See("Ana Ruiz changed the permissions of Dana Reyes")
			page.See("Transmit wires")
			if name == "SQLite" || os.Getenv("MANDATE_SLOW") != "" {
				p.office(t)
				p.seeAs(t, machine)
			}
			p.verify()
		})
	}
}

func (p *program) verify() {
	p.t.Helper()
	err := p.app.DB.Read(p.t.Context(), func(tx *db.Tx) error {
		v, err := activity.Verify(tx, "", nil)
		if err == nil && (len(v.Broken) > 0 || v.Chains < 20) {
			p.t.Errorf("verify: %d chains, broken: %+v", v.Chains, v.Broken)
		}
		return err
	})
	if err != nil {
		p.t.Error(err)
	}
}

// The demo is made once and is found again; what an earlier start did not
// finish and what no demo made is left alone and said.
func TestTheDemoIsMadeOnce(t *testing.T) {
	p := run(t, "")
	file := filepath.Join(p.app.Config.Data, demo.FileName)
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s: %v, %v", file, info, err)
	}
	again, err := demo.Open(t.Context(), p.app, p.clock, io.Discard)
	if err != nil || len(again.SignIns) != len(p.world.SignIns) || again.SignIns[0].Password != p.world.SignIns[0].Password {
		t.Errorf("opened again: %+v, %v", again, err)
	}
	if err := os.WriteFile(file, []byte(`{"unfinished": true}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := demo.Open(t.Context(), p.app, p.clock, io.Discard); err == nil || !strings.Contains(err.Error(), "--fresh") {
		t.Errorf("opened over an unfinished one: %v", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := demo.Open(t.Context(), p.app, p.clock, io.Discard); err == nil || !strings.Contains(err.Error(), "no demo made") {
		t.Errorf("opened over other data: %v", err)
	}
	for _, s := range p.world.SignIns {
		if len(s.Password) < 20 || s.URL == "" || s.Member == "" {
			t.Errorf("a sign-in nobody can use: %+v", s)
		}
	}
}
