package app

import (
	"bytes"
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mandate/internal/bank"
	"mandate/internal/config"
	"mandate/internal/db/dbtest"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/host/protocol"
)

const filling = `{"institution":"cedar","organizations":[{"ref":"4400","name":"Northwind","accounts":[
	{"ref":"4401","name":"Operating","kind":"checking","last_four":"4401","number":"5500004401","balance_cents":100000},{"ref":"4402","name":"Payroll"}]}],
	"users":[{"ref":"u1","organization":"4400","first_name":"Dana","last_name":"Diaz","email":"dana@northwind.example","role":"user","status":"active","accounts":{"4401":{}}}],
	"defaults":[{"role":"user","version":1,"permissions":{"stops.enabled":"true"}}]}`

// The simulator alone answers whoever has the key, over the network, and does
// what operators say.
func TestSimulatorAlone(t *testing.T) {
	cfg := config.Simulator{Data: t.TempDir(), Listen: "localhost:0", ListenOperators: "localhost:0", HostKey: []string{"secret", "birch=other"}}
	s, err := OpenSimulator(t.Context(), cfg, hostsim.Options{}, dbtest.NewClock(dbtest.Start), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 2 { // what is there already stays as it is
		if err := s.Bank.FillFrom(t.Context(), strings.NewReader(filling)); err != nil {
			t.Fatal(err)
		}
	}
	core := httptest.NewServer(protocol.Handler(s.Bank.Server(), s.opens, s.log))
	defer core.Close()
	ask := func(institution bank.InstitutionID, key string) error {
		client := protocol.NewClient(protocol.Everywhere(protocol.Address{URL: core.URL, Key: key}), host.Same{}, nil)
		balances, err := client.Balances(t.Context(), institution, []bank.AccountID{"4401"})
		if err == nil && institution == "cedar" && balances["4401"].Available != 1_000_00 {
			t.Errorf("the balances are %v", balances)
		}
		return err
	}
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"the key":            {ask("cedar", "secret"), true},
		"no key":             {ask("cedar", ""), false},
		"another key":        {ask("cedar", "other"), false},
		"a key of its own":   {ask("birch", "other"), true},
		"and not the common": {ask("birch", "secret"), false},
	} {
		if (test.err == nil) != test.want {
			t.Errorf("%s: %v", name, test.err)
		}
	}
	operators := s.Operators()
	say := func(method, path, body string) (int, string) {
		w := httptest.NewRecorder()
		operators.ServeHTTP(w, httptest.NewRequest(method, path, bytes.NewBufferString(body)))
		return w.Code, w.Body.String()
	}
	for _, step := range []struct {
		method, path, body string
		status             int
	}{
		{"PUT", "/faults/cedar", `{"down":true,"delay":"5m","late":3}`, 200},
		{"PUT", "/faults", `{"slow":"1ms"}`, 200},
		{"PUT", "/faults/cedar", `{"lose":101}`, 400},
		{"PUT", "/faults/cedar", `{"slow":"soon"}`, 400},
		{"PUT", "/faults/cedar", `{"sleepy":true}`, 400},
		{"PUT", "/days/cedar/2026-03-01", ``, 200},
		{"PUT", "/days/cedar/2026-02-01", ``, 400},
		{"PUT", "/days/cedar/today", ``, 400},
		{"GET", "/healthz", ``, 200},
		{"GET", "/metrics", ``, 200},
	} {
		if status, said := say(step.method, step.path, step.body); status != step.status {
			t.Errorf("%s %s %s answers %d %s, want %d", step.method, step.path, step.body, status, said, step.status)
		}
	}
	if _, said := say("GET", "/faults", ""); !strings.Contains(said, `"cedar":{"down":true,"late":3,"delay":"5m0s"}`) || !strings.Contains(said, `"":{"slow":"1ms"}`) {
		t.Errorf("the faults are %s", said)
	}
	if ask("cedar", "secret") == nil || ask("birch", "other") != nil {
		t.Error("cedar is not down, or birch is")
	}
}

// It ends when it is told to, and needs a key to begin.
func TestSimulatorServes(t *testing.T) {
	cfg := config.Simulator{Data: t.TempDir(), Listen: "localhost:0", ListenOperators: "localhost:0"}
	if _, err := OpenSimulator(t.Context(), cfg, hostsim.Options{}, dbtest.NewClock(dbtest.Start), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("it opens without a key")
	}
	cfg.HostKey = []string{"secret"}
	s, err := OpenSimulator(t.Context(), cfg, hostsim.Options{}, dbtest.NewClock(dbtest.Start), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	if err := s.Serve(ctx, stop); err != nil {
		t.Errorf("it ended with %v", err)
	}
	for _, wrong := range []string{"", `{"institution":"cedar","shoes":1}`, `{"organizations":[{"ref":"1"}]}`, `{"institution":"cedar","users":[{"ref":"x","organization":"none"}]}`} {
		if err := s.Bank.FillFrom(t.Context(), strings.NewReader(wrong)); err == nil {
			t.Errorf("%s was taken", wrong)
		}
	}
}
