package authzen_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mandate/internal/authzen"
	"mandate/internal/bank"
	"mandate/internal/client"
	"mandate/internal/db/dbtest"
	"mandate/internal/gate"
	"mandate/internal/route"
)

// anyKey knows every key as a client of that name.
type anyKey struct{}

func (anyKey) Authenticate(_ context.Context, key string) (client.Client, error) {
	return client.Client{ID: bank.ClientID(key), Institution: "first"}, nil
}

// slow takes its time for each evaluation, as a machine that is busy does.
type slow time.Duration

func (s slow) Evaluate(_ context.Context, _ client.Client, q authzen.Questions) (authzen.Answers, error) {
	time.Sleep(time.Duration(s) * time.Duration(len(q.Evaluations)))
	return authzen.Answers{Decisions: make([]authzen.Decision, len(q.Evaluations))}, nil
}

// A caller that floods gets no more than its share: another one is answered
// nearly as it was before, and the flood is told to wait.
func TestAPoliteCallerOutlivesAFlood(t *testing.T) {
	const each = 2 * time.Millisecond
	mux := route.NewMux()
	door := gate.New(anyKey{}, gate.NewLimiter(dbtest.NewClock(dbtest.Start), gate.Rate{PerSecond: 1e9, Burst: 1e9}), slog.New(slog.DiscardHandler)).
		With(gate.NewTurns(gate.Capacity{AtOnce: 2, Each: 8, All: 64}))
	authzen.New(authzen.Config{Decider: slow(each), Gate: door}).Mount(mux)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	http_ := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	t.Cleanup(http_.CloseIdleConnections)
	ask := func(who, path, body string) (status int, wait string) {
		r, err := http.NewRequest(http.MethodPost, s.URL+path, strings.NewReader(body))
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		r.Header.Set("Authorization", "Bearer "+who)
		r.Header.Set("Content-Type", "application/json")
		response, err := http_.Do(r)
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		defer response.Body.Close()
		_, _ = io.Copy(io.Discard, response.Body)
		return response.StatusCode, response.Header.Get("Retry-After")
	}
	polite := func() (median, longest time.Duration) {
		var took []time.Duration
		for range 40 {
			began := time.Now()
			if status, _ := ask("polite", evaluation, object(alice, read, record)); status != 200 {
				t.Errorf("the polite one hears %d", status)
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		return took[len(took)/2], took[len(took)-1]
	}
	alone, _ := polite()

	var sent, served, sentAway atomic.Int64
	stop := make(chan struct{})
	var flood sync.WaitGroup
	batch := object(alice, read, record, `"evaluations":[`+strings.Repeat("{},", 4)+`{}]`) // each takes five times as long
	for range 24 {
		flood.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				sent.Add(1)
				switch status, wait := ask("flood", evaluations, batch); {
				case status == 200:
					served.Add(1)
				case status == http.StatusTooManyRequests && wait != "":
					sentAway.Add(1)
				default:
					t.Errorf("the flood hears %d, wait %q", status, wait)
				}
			}
		})
	}
	for began := time.Now(); served.Load() < 4 || sentAway.Load() < 4; time.Sleep(time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			close(stop)
			t.Fatalf("of a flood %d are served and %d sent away", served.Load(), sentAway.Load())
		}
	}
	among, longest := polite()
	close(stop)
	flood.Wait()
	t.Logf("alone %v; among a flood of %d requests (%d served, %d sent away) %v, at most %v", alone, sent.Load(), served.Load(), sentAway.Load(), among, longest)
	// Both places may be taken by a batch of five for as long as that takes; then
	// the turn is the polite one's.
	if among > 5*(5*each+alone) {
		t.Errorf("the polite caller waits %v where it waited %v alone", among, alone)
	}
}
