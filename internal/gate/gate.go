// Package gate is what every request of a program passes before it is read:
// headers, a bound on its size, who calls, and how often. It is the same for
// AuthZEN and for our own API, which differ only in how they say no.
//
// It decides nothing about what a caller may ask.
package gate

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"log/slog"
	"maps"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/client"
	"mandate/internal/db"
	"mandate/internal/fault"
)

// MaxBody is the largest request that is read, in bytes, where an edge does not
// say otherwise.
const MaxBody = 1 << 20

// usual is the bound of most requests.
func usual(*http.Request) int64 { return MaxBody }

// maxDevice is how much of what a program calls itself is kept.
const maxDevice = 200

// Clients recognizes callers by their keys. An unknown key is a fault of kind
// Unauthorized.
type Clients interface {
	Authenticate(ctx context.Context, key string) (client.Client, error)
}

// Certified are Clients that recognize callers by the certificate of their
// connection, too.
type Certified interface {
	ByCertificate(ctx context.Context, shown *tls.ConnectionState) (client.Client, error)
}

// A Gate stands in front of an edge.
type Gate struct {
	clients Clients
	limiter *Limiter
	turns   *Turns
	log     *slog.Logger
}

// New returns a gate. Two edges with one gate share what a caller may do in a
// second.
func New(clients Clients, limiter *Limiter, log *slog.Logger) *Gate {
	return &Gate{clients: clients, limiter: limiter, turns: NewTurns(Capacity{}), log: log}
}

// With answers so much at the same time as turns let in. Gates with the same
// turns share it.
func (g *Gate) With(turns *Turns) *Gate {
	g.turns = turns
	return g
}

// Turns are whose turn it is to have something decided.
func (g *Gate) Turns() *Turns { return g.turns }

// A Refuse writes a refusal in an edge's own form.
type Refuse func(w http.ResponseWriter, r *http.Request, status int, err *fault.Error)

// Open sets the headers and the bound on the body, for what anybody may read.
func (g *Gate) Open(next http.Handler) http.Handler { return g.open(usual, next) }

func (g *Gate) open(most func(*http.Request) int64, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers(w.Header(), r)
		if len(r.TransferEncoding) > 0 {
			// It may have said a length as well, which somebody before us may have
			// believed: what follows on the connection is nobody's (RFC 9112, 6.1).
			w.Header().Set("Connection", "close")
		}
		r.Body = http.MaxBytesReader(w, r.Body, most(r))
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), passageKey{}, &passage{request: r})))
	})
}

// Known lets requests of known callers through, as often as each may call.
func (g *Gate) Known(refuse Refuse, next http.Handler) http.Handler {
	return g.KnownUpTo(usual, refuse, next)
}

// KnownUpTo is Known where some requests may be larger than others. Nothing of a
// stranger's is read.
func (g *Gate) KnownUpTo(most func(*http.Request) int64, refuse Refuse, next http.Handler) http.Handler {
	return g.open(most, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, challenge, err := g.Identify(r.Context(), r.Header.Get("Authorization"), r.TLS)
		if err != nil {
			if challenge != "" {
				w.Header().Set("WWW-Authenticate", challenge)
			}
			g.Refuse(w, r, refuse, err)
			return
		}
		if err := g.Take(&c, 1); err != nil {
			g.Refuse(w, r, refuse, err)
			return
		}
		passageOf(r.Context()).caller = c
		next.ServeHTTP(w, r)
	}))
}

// everywhere are headers of every answer: none of them may be kept, framed or
// run. All answers share the values, which nobody changes in place.
var everywhere = map[string][]string{
	"Content-Security-Policy":      {"default-src 'none'; frame-ancestors 'none'"},
	"X-Content-Type-Options":       {"nosniff"},
	"Referrer-Policy":              {"no-referrer"},
	"Cross-Origin-Resource-Policy": {"same-origin"},
	"Cache-Control":                {"no-store"},
}

func headers(h http.Header, r *http.Request) {
	maps.Copy(h, everywhere)
	if id := r.Header.Get("X-Request-Id"); id != "" {
		h.Set("X-Request-Id", id)
	}
}

// Identify finds who calls: by what the header Authorization says or, where it
// says nothing, by the certificate of the connection. A caller that is nobody
// gets a challenge, which says how to prove who it is (RFC 6750).
func (g *Gate) Identify(ctx context.Context, authorization string, shown *tls.ConnectionState) (c client.Client, challenge string, err error) {
	key, given := bearer(authorization)
	if certified, ok := g.clients.(Certified); ok && authorization == "" && shown != nil && len(shown.PeerCertificates) > 0 {
		c, err = certified.ByCertificate(ctx, shown)
	} else {
		c, err = g.clients.Authenticate(ctx, key)
	}
	switch {
	case err == nil || fault.KindOf(err) != fault.Unauthorized:
		return c, "", err
	case given:
		return c, `Bearer realm="mandate", error="invalid_token"`, err
	}
	return c, `Bearer realm="mandate"`, err
}

func bearer(authorization string) (key string, given bool) {
	scheme, rest, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return strings.TrimSpace(rest), true
}

// A passage is one request's way through the gate.
type passage struct {
	request *http.Request // as it came
	caller  client.Client // whom Known let through
}

type passageKey struct{}

func passageOf(ctx context.Context) *passage { return ctx.Value(passageKey{}).(*passage) }

// requestOf is the request that Open let through.
func requestOf(ctx context.Context) *http.Request { return passageOf(ctx).request }

// Calling is ClientOf without a copy. It is for reading.
func Calling(ctx context.Context) *client.Client { return &passageOf(ctx).caller }

// ClientOf is the caller of a request that Known let through.
func ClientOf(ctx context.Context) client.Client {
	if p, passed := ctx.Value(passageKey{}).(*passage); passed {
		return p.caller
	}
	return client.Client{}
}

// CallerOf is the caller of a request as the one who acts.
func CallerOf(ctx context.Context) bank.Caller {
	r := requestOf(ctx)
	ip, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		ip = r.RemoteAddr
	}
	device := r.UserAgent()
	device = strings.ToValidUTF8(device[:min(len(device), maxDevice)], "")
	return ClientOf(ctx).Caller(ip, device)
}

// Take takes n of what the caller may ask for. The fault of a caller who asked
// for too much carries how long to wait.
func (g *Gate) Take(c *client.Client, n int) error {
	wait, ok := g.limiter.take(c, n)
	if ok {
		return nil
	}
	return fault.New(fault.TooMany, "This caller asks too much at once. Wait and ask again.").Because(waitError(wait))
}

type waitError time.Duration

func (w waitError) Error() string { return "wait " + time.Duration(w).String() }

// Refuse says no in the edge's form. What is not a fault is our failure: it is
// logged under a reference, and the caller is told the reference and no more.
func (g *Gate) Refuse(w http.ResponseWriter, r *http.Request, refuse Refuse, err error) {
	status, headers, f := g.Judge(r.Context(), err)
	for name, value := range headers {
		w.Header().Set(name, value)
	}
	refuse(w, r, status, f)
}

// statuses are what each kind of fault is over HTTP.
var statuses = map[fault.Kind]int{
	fault.Invalid:      http.StatusBadRequest,
	fault.Unauthorized: http.StatusUnauthorized,
	fault.Forbidden:    http.StatusForbidden,
	fault.StepUp:       http.StatusForbidden,
	fault.NotFound:     http.StatusNotFound,
	fault.Conflict:     http.StatusConflict,
	fault.TooMany:      http.StatusTooManyRequests,
	fault.Unavailable:  http.StatusServiceUnavailable,
}

// busyWait is what a caller is told to wait when the database is busy.
const busyWait = time.Second

// Judge finds the status of an error, the headers that go with it, and the
// fault to show.
func (g *Gate) Judge(ctx context.Context, err error) (status int, headers map[string]string, f *fault.Error) {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge, nil, fault.Newf(fault.Invalid, "The request is larger than %d bytes.", tooLarge.Limit)
	}
	if errors.Is(err, db.ErrBusy) {
		err = fault.New(fault.Unavailable, "The service is busy. Ask again.").Because(waitError(busyWait))
	}
	if errors.Is(err, db.ErrText) { // whatever we write ourselves can be stored
		err = fault.New(fault.Invalid, "Some text of the request is not valid: it must be UTF-8 without zero characters.").Because(err)
	}
	f, _ = errors.AsType[*fault.Error](err)
	if status = statuses[fault.KindOf(err)]; status == 0 {
		r := requestOf(ctx)
		reference := referenceOf(r)
		g.log.Error("an API request failed", "reference", reference, "method", r.Method, "path", r.URL.Path,
			"client", ClientOf(ctx).ID, "error", err)
		return http.StatusInternalServerError, nil, fault.New(fault.Internal, "Something failed on our side. Reference: "+reference)
	}
	if wait, ok := errors.AsType[waitError](err); ok {
		headers = map[string]string{"Retry-After": strconv.Itoa(max(1, int(math.Ceil(time.Duration(wait).Seconds()))))}
	}
	return status, headers, f
}

// referenceOf names a failure for the log and the caller: the request's own
// id, where it has one.
func referenceOf(r *http.Request) string {
	if id := r.Header.Get("X-Request-Id"); id != "" {
		return id
	}
	var b [8]byte
	rand.Read(b[:]) // never fails: the runtime stops the program instead
	return hex.EncodeToString(b[:])
}
