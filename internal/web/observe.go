package web

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// Observe counts and logs what a mux for programs answers, as a Site does for
// pages, and answers for a handler that panicked. It names the route, never the
// path, and says nothing of keys. What goes well on quiet routes is counted, and
// logged only at the level of debugging: there are too many to read.
func (m *Metrics) Observe(app string, log *slog.Logger, mux http.Handler, quiet ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		out := &recorder{ResponseWriter: w}
		defer func() {
			if cause := recover(); cause != nil {
				answerPanic(out, r, log, cause)
			}
			m.observed(log, app, r, out.status, time.Since(started), quiet)
		}()
		mux.ServeHTTP(out, r)
	})
}

func answerPanic(w *recorder, r *http.Request, log *slog.Logger, cause any) {
	if cause == http.ErrAbortHandler {
		panic(cause)
	}
	log.ErrorContext(r.Context(), "panic", "route", r.Pattern, "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
	if w.status == 0 {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
	}
}

func (m *Metrics) observed(log *slog.Logger, app string, r *http.Request, status int, took time.Duration, quiet []string) {
	route := "none"
	if r.Pattern != "" { // the mux says it by method and path
		route = r.Pattern[strings.IndexByte(r.Pattern, ' ')+1:]
	}
	if status == 0 {
		status = http.StatusOK
	}
	m.count(app, route, r.Method, status, took)
	level := slog.LevelInfo
	switch {
	case status >= http.StatusInternalServerError:
		level = slog.LevelError
	case status < http.StatusBadRequest && slices.Contains(quiet, route):
		level = slog.LevelDebug
	}
	log.LogAttrs(r.Context(), level, "request", slog.String("app", app), slog.String("method", r.Method), slog.String("route", route),
		slog.Int("status", status), slog.Duration("took", took))
}
