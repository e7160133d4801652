package authzen_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"mandate/internal/authzen"
	"mandate/internal/bank"
	"mandate/internal/client"
	"mandate/internal/db/dbtest"
	"mandate/internal/gate"
	"mandate/internal/route"
)

// clients knows one key.
type clients string

func (c clients) Authenticate(_ context.Context, key string) (client.Client, error) {
	if key != string(c) {
		return client.Client{}, client.ErrUnknownKey
	}
	return client.Client{ID: "cli_test", Institution: "first", Name: "Test"}, nil
}

const key = "mk_test"

// A server is the edge in front of a decider.
type server struct {
	t testing.TB
	*httptest.Server
}

func serve(t testing.TB, d authzen.Decider) server {
	return serveAt(t, d, gate.Rate{PerSecond: 1e6, Burst: 1e6})
}

func serveAt(t testing.TB, d authzen.Decider, rate gate.Rate) server {
	t.Helper()
	mux := route.NewMux()
	authzen.New(authzen.Config{
		Decider: d,
		Gate:    gate.New(clients(key), gate.NewLimiter(dbtest.NewClock(dbtest.Start), rate), slog.New(slog.DiscardHandler)),
		Origin:  "https://api.example.com",
		HasInstitution: func(_ context.Context, id bank.InstitutionID) (bool, error) {
			return id == "first", nil
		},
	}).Mount(mux)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return server{t, s}
}

// An answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (s server) do(method, path, body string, headers ...string) answer {
	s.t.Helper()
	r, err := http.NewRequest(method, s.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Del(headers[i])
		if headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	response, err := s.Client().Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, strings.TrimSpace(string(content))}
}

func (s server) post(path, body string, headers ...string) answer {
	s.t.Helper()
	return s.do(http.MethodPost, path, body, headers...)
}

// decider is a policy made for a test: it looks at one evaluation at a time.
type decider func(authzen.Evaluation) authzen.Decision

func (d decider) Evaluate(_ context.Context, _ client.Client, q authzen.Questions) (authzen.Answers, error) {
	var a authzen.Answers
	for _, e := range q.Evaluations {
		a.Decisions = append(a.Decisions, d(e))
	}
	return a, nil
}

func yesNo(f func(authzen.Evaluation) bool) decider {
	return func(e authzen.Evaluation) authzen.Decision { return authzen.Decision{Allowed: f(e)} }
}
