package app

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"mandate/internal/bank"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/host/hostsim"
	"mandate/internal/host/protocol"
	"mandate/internal/route"
	"mandate/internal/web"
)

// A Simulator is the simulated core, alone.
type Simulator struct {
	Bank *hostsim.Bank

	config  config.Simulator
	clock   bank.Clock
	metrics *prometheus.Registry
	keys    map[bank.InstitutionID]string
	db      *db.DB
	log     *slog.Logger
}

// OpenSimulator opens the simulated core's database.
func OpenSimulator(ctx context.Context, cfg config.Simulator, o hostsim.Options, clock bank.Clock, log *slog.Logger) (*Simulator, error) {
	cfg, err := cfg.WithDefaults()
	if err != nil {
		return nil, err
	}
	s := &Simulator{config: cfg, clock: clock, metrics: prometheus.NewRegistry(), log: log}
	s.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if s.keys, err = cfg.Keys(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	if s.db, err = hostsim.OpenDB(ctx, cfg.HostDB, clock); err != nil {
		return nil, err
	}
	s.Bank = hostsim.New(s.db, o)
	return s, nil
}

// Close undoes OpenSimulator.
func (s *Simulator) Close() error { return s.db.Close() }

// Serve answers the protocol, and operators, until ctx ends. Ready is called
// once both listen; it may be nil.
func (s *Simulator) Serve(ctx context.Context, ready func()) error {
	listeners := []Listener{
		{Name: "hostsim", Address: s.config.Listen, Handler: protocol.Handler(s.Bank.Server(), s.opens, s.log)},
		{Name: "operators", Address: s.config.ListenOperators, Handler: s.Operators()},
	}
	screens, err := s.Screens()
	if err != nil {
		return err
	}
	if screens != nil {
		listeners = append(listeners, Listener{Name: "office", Address: s.config.ListenOffice, Handler: screens})
	}
	servers, err := listen(listeners, s.log)
	if err != nil {
		return err
	}
	failed := make(chan error, len(servers))
	for _, one := range servers {
		go func() { failed <- one.server.Serve(one.socket) }()
	}
	background, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		every(background, purgeEvery, "end the core's day", s.log, func() error { return s.Bank.EndDays(background) })
	}()
	if ready != nil {
		ready()
	}
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	stop()
	err = errors.Join(err, shutDown(servers))
	<-done
	return err
}

// Screens are BackOffice and Classic, nil where no file says how they reach the
// product.
func (s *Simulator) Screens() (http.Handler, error) {
	if s.config.OfficeFile == "" {
		return nil, nil
	}
	root, err := openRootKeys(s.config.Data)
	if err != nil {
		return nil, err
	}
	metrics, err := web.NewMetrics(s.metrics)
	if err != nil {
		return nil, err
	}
	site := web.Site{Origin: s.config.OfficeOrigin, Key: root.derive("web office"), Clock: s.clock, Log: s.log, Metrics: metrics}
	return officeOf(site, s.Bank, s.config.Office, s.config.Mail, "")
}

// opens reports whether a key is good for an institution.
func (s *Simulator) opens(institution bank.InstitutionID, given string) bool {
	key, own := s.keys[institution]
	if !own {
		key = s.keys[""]
	}
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(key)) // of one length, so that nothing is told of it
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && key != ""
}

// A faultText is a fault as operators write it.
type faultText struct {
	Slow    string `json:"slow,omitempty"`
	Down    bool   `json:"down,omitempty"`
	Lose    int    `json:"lose,omitempty"`
	Repeat  int    `json:"repeat,omitempty"`
	Reorder bool   `json:"reorder,omitempty"`
	Late    int    `json:"late,omitempty"`
	Delay   string `json:"delay,omitempty"`
}

// maxFault is the most bytes of a fault.
const maxFault = 4 << 10

// Operators are what operators of the simulator ask and say.
func (s *Simulator) Operators() http.Handler {
	put := func(path string) route.Route {
		return route.Route{Method: "PUT", Pattern: path, Needs: route.Needs{Who: route.Anybody, Institution: route.Nowhere}}
	}
	mux := route.NewMux()
	mux.Handle(openTo("/metrics"), promhttp.HandlerFor(s.metrics, promhttp.HandlerOpts{}))
	mux.Handle(openTo("/healthz"), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "alive") }))
	mux.Handle(openTo("/faults"), http.HandlerFunc(s.showFaults))
	mux.Handle(put("/faults"), http.HandlerFunc(s.setFault))
	mux.Handle(put("/faults/{institution}"), http.HandlerFunc(s.setFault))
	mux.Handle(put("/days/{institution}/{day}"), http.HandlerFunc(s.endDay))
	return mux
}

// showFaults lists the faults that are set; the one without an institution is
// of all that have none of their own.
func (s *Simulator) showFaults(w http.ResponseWriter, _ *http.Request) {
	all := map[bank.InstitutionID]faultText{}
	for institution, f := range s.Bank.Faults() {
		text := faultText{Down: f.Down, Lose: f.Lose, Repeat: f.Repeat, Reorder: f.Reorder, Late: f.Late}
		if f.Slow > 0 {
			text.Slow = f.Slow.String()
		}
		if f.Delay > 0 {
			text.Delay = f.Delay.String()
		}
		all[institution] = text
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(all) // a client that has gone needs no answer
}

func (s *Simulator) setFault(w http.ResponseWriter, r *http.Request) {
	var text faultText
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxFault))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&text)
	f := hostsim.Fault{Down: text.Down, Lose: text.Lose, Telling: hostsim.Telling{Repeat: text.Repeat, Reorder: text.Reorder, Late: text.Late}}
	for _, d := range []struct {
		into *time.Duration
		text string
	}{{&f.Slow, text.Slow}, {&f.Delay, text.Delay}} {
		if d.text != "" && err == nil {
			*d.into, err = time.ParseDuration(d.text)
		}
	}
	if err == nil {
		err = s.Bank.SetFault(bank.InstitutionID(r.PathValue("institution")), f)
	}
	s.told(w, err)
}

func (s *Simulator) endDay(w http.ResponseWriter, r *http.Request) {
	day, err := bank.ParseDay(r.PathValue("day"))
	if err == nil {
		_, err = s.Bank.EndOfDay(r.Context(), bank.InstitutionID(r.PathValue("institution")), day)
		if fault.KindOf(err) == fault.Internal && err != nil {
			s.log.Error("the day did not end", "error", err)
			answer(w, http.StatusInternalServerError, "failed")
			return
		}
	}
	s.told(w, err)
}

// told says whether what an operator asked was done, or what is wrong with it.
func (s *Simulator) told(w http.ResponseWriter, err error) {
	if err != nil {
		answer(w, http.StatusBadRequest, "refused", err.Error())
		return
	}
	answer(w, http.StatusOK, "done")
}
