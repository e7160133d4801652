package web

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/web/ui"
)

// A note is what the log line of a request says in the end.
type note struct {
	route  string
	caller bank.Caller
	err    error
}

// guard stands around everything: reference, headers, host, origin, recovery,
// log and metrics.
func (s *Site) guard(next http.Handler) http.Handler {
	origins := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		n := &note{route: "none"}
		ctx := context.WithValue(r.Context(), siteKey, s)
		ctx = context.WithValue(ctx, requestIDKey, newReference())
		ctx = context.WithValue(ctx, noteKey, n)
		ctx = ui.With(ctx, s.uiRequest(r))
		r = r.WithContext(ctx)
		out := &recorder{ResponseWriter: w}
		s.setHeaders(out.Header())
		out.Header().Set("X-Request-Id", RequestID(ctx))
		defer s.account(out, r, n, started)
		defer s.recover(out, r)

		if !s.allowed[strings.ToLower(r.Host)] {
			s.fail(out, r, fault.New(fault.NotFound, "Nothing is served under this host name."), http.StatusMisdirectedRequest)
			return
		}
		if err := origins.Check(r); err != nil {
			s.fail(out, r, errForeign.Because(err), 0)
			return
		}
		if s.originUnknown(r) {
			s.fail(out, r, errForeign, 0)
			return
		}
		next.ServeHTTP(out, r)
	})
}

// serve runs one route.
func (s *Site) serve(route Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n, ok := r.Context().Value(noteKey).(*note); ok {
			n.route = route.Pattern
		}
		limit := route.MaxBody
		if limit == 0 {
			limit = maxBody
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		if r.ContentLength > limit { // it says so itself: not a byte of it is read
			w.Header().Set("Connection", "close")
			s.fail(w, r, tooLarge(limit), 0)
			return
		}
		r, err := s.admit(w, r, route)
		if err == nil {
			err = s.answer(w, r, route)
		}
		if err != nil {
			s.fail(w, r, err, 0)
		}
	})
}

// answer runs the handler; for staff who see as a member sees, only what can be
// looked at.
func (s *Site) answer(w http.ResponseWriter, r *http.Request, route Route) error {
	if CallerOf(r.Context()).SeenBy == "" {
		return route.Handler(w, r)
	}
	if route.EndsSeeing {
		return route.Handler(w, r)
	}
	if route.Private || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return errOnlyLooks
	}
	only := &onlyPages{ResponseWriter: w, header: http.Header{}}
	if err := route.Handler(only, r); err != nil {
		return err
	}
	return only.finish()
}

var errOnlyLooks = fault.New(fault.Forbidden, "You see this as somebody else does. Nothing can be changed here, and nothing taken away.").With("SEE_AS_ONLY_LOOKS")

// onlyPages lets pages and pictures through, and nothing that is a file.
type onlyPages struct {
	http.ResponseWriter
	header  http.Header
	decided bool
	refused bool
}

func (o *onlyPages) Header() http.Header { return o.header }

func (o *onlyPages) WriteHeader(status int) {
	if o.decided {
		return
	}
	o.decided = true
	kind := o.header.Get("Content-Type")
	page := strings.HasPrefix(kind, "text/html") || strings.HasPrefix(kind, "image/")
	leads := status >= 300 && status < 400
	if o.refused = o.header.Get("Content-Disposition") != "" || !page && !leads; o.refused {
		return
	}
	for name, values := range o.header {
		o.ResponseWriter.Header()[name] = values
	}
	o.ResponseWriter.WriteHeader(status)
}

func (o *onlyPages) Write(b []byte) (int, error) {
	o.WriteHeader(http.StatusOK)
	if o.refused {
		return len(b), nil
	}
	return o.ResponseWriter.Write(b)
}

func (o *onlyPages) finish() error {
	if o.refused {
		return errOnlyLooks
	}
	return nil
}

// admit finds out who asks and checks the form's token.
func (s *Site) admit(w http.ResponseWriter, r *http.Request, route Route) (*http.Request, error) {
	if s.Authenticate != nil {
		ctx, err := s.Authenticate(r)
		switch {
		case err == nil:
			r = r.WithContext(ctx)
		case fault.KindOf(err) != fault.Unauthorized:
			return r, err
		}
	}
	if route.Needs.Who == SignedIn && CallerOf(r.Context()).Kind == "" {
		return r, errSignIn
	}
	r = s.withToken(w, r)
	if route.Method == http.MethodPost {
		return r, s.checkToken(r, route.Needs.Who)
	}
	return r, nil
}

// unmatched gives the mux's own refusals (no such page, wrong method) the look
// of the app.
func (s *Site) unmatched(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		probe := &recorder{ResponseWriter: sink{}}
		handler.ServeHTTP(probe, r)
		if s.Authenticate != nil {
			if ctx, err := s.Authenticate(r); err == nil {
				r = r.WithContext(ctx)
			}
		}
		r = s.withToken(w, r)
		s.fail(w, r, fault.New(fault.NotFound, "This page does not exist, or it is not yours to see."), probe.status)
	})
}

func (s *Site) recover(w *recorder, r *http.Request) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause == http.ErrAbortHandler {
		panic(cause)
	}
	s.Log.ErrorContext(r.Context(), "panic", "request", RequestID(r.Context()), "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
	if w.status == 0 {
		s.fail(w, r, fmt.Errorf("panic: %v", cause), 0)
	}
}

// account writes the log line and counts. It names the route, never the path:
// paths carry links that are secrets.
func (s *Site) account(w *recorder, r *http.Request, n *note, started time.Time) {
	took := time.Since(started)
	status := w.status
	if status == 0 {
		status = http.StatusOK
	}
	s.Metrics.count(s.App, n.route, r.Method, status, took)
	level := slog.LevelInfo
	if status >= 500 {
		level = slog.LevelError
	}
	line := []slog.Attr{
		slog.String("app", s.App),
		slog.String("request", RequestID(r.Context())),
		slog.String("method", r.Method),
		slog.String("route", n.route),
		slog.Int("status", status),
		slog.Duration("took", took),
		slog.String("source", s.sourceText(r)),
	}
	if n.caller.Kind != "" {
		line = append(line, slog.String("institution", string(n.caller.Institution)), slog.String("actor", n.caller.ID))
	}
	if n.err != nil {
		line = append(line, slog.String("error", n.err.Error()))
	}
	s.Log.LogAttrs(r.Context(), level, "request", line...)
}

// uiRequest is what components must know; the form token joins it later.
func (s *Site) uiRequest(r *http.Request) ui.Request {
	return ui.Request{Path: r.URL.RequestURI(), Theme: s.theme(r), Toasts: s.flashes(r)}
}

// A recorder remembers the status that was sent.
type recorder struct {
	http.ResponseWriter
	status int
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController flush and set deadlines.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// A sink forgets what is written to it.
type sink struct{}

func (sink) Header() http.Header         { return http.Header{} }
func (sink) Write(b []byte) (int, error) { return len(b), nil }
func (sink) WriteHeader(int)             {}

// newReference is short enough to be read out on the telephone.
func newReference() string {
	t := rand.Text()
	return t[0:4] + "-" + t[4:8] + "-" + t[8:12]
}
