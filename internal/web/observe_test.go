package web

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func TestObserve(t *testing.T) {
	registry := prometheus.NewRegistry()
	metrics, err := NewMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	mux := http.NewServeMux()
	mux.HandleFunc("POST /things/{id}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	mux.HandleFunc("GET /broken", func(http.ResponseWriter, *http.Request) { panic("on purpose") })
	mux.HandleFunc("POST /often", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "" {
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	h := metrics.Observe("api", slog.New(slog.NewTextHandler(&lines, nil)), mux, "/often")

	ask := func(method, path string) int {
		out := httptest.NewRecorder()
		h.ServeHTTP(out, httptest.NewRequest(method, path, nil))
		return out.Code
	}
	for _, c := range []struct {
		method, path string
		status       int
		line         string
	}{
		{"POST", "/things/secret", 202, "level=INFO msg=request app=api method=POST route=/things/{id} status=202"},
		{"GET", "/broken", 500, "level=ERROR msg=request app=api method=GET route=/broken status=500"},
		{"POST", "/often?wrong", 400, "level=INFO msg=request app=api method=POST route=/often status=400"},
		{"GET", "/elsewhere", 404, "level=INFO msg=request app=api method=GET route=none status=404"},
	} {
		if got := ask(c.method, c.path); got != c.status {
			t.Errorf("%s %s: status %d, want %d", c.method, c.path, got, c.status)
		}
		if !strings.Contains(lines.String(), c.line) {
			t.Errorf("no line %q in:\n%s", c.line, lines.String())
		}
	}
	if ask("POST", "/often"); strings.Contains(lines.String(), "route=/often status=200") {
		t.Error("what goes well on a quiet route is in the log")
	}
	if !strings.Contains(lines.String(), "on purpose") {
		t.Error("the panic is not in the log")
	}
	if strings.Contains(lines.String(), "secret") {
		t.Error("a path is in the log")
	}
	families, err := registry.Gather()
	if err != nil || len(families) != 1 || len(families[0].GetMetric()) != 5 {
		t.Errorf("counted %v, %v; want one family of five", families, err)
	}
}
