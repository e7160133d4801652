package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Bounds of repeating and of answers.
const (
	firstPause = 50 * time.Millisecond
	longPause  = 2 * time.Second
	maxAnswer  = 16 << 20 // bytes
	maxMessage = 300      // of what a server says is wrong
)

// Errors of answers, and of what keeps a question from being asked.
var (
	ErrUnreadable = errors.New("mandate: the server's answer cannot be read")
	ErrStale      = errors.New("mandate: the server does not know the demanded revision yet")
	ErrToken      = errors.New("mandate: no token could be fetched to prove who asks")
	ErrKey        = errors.New("mandate: an idempotency key has 1 to 255 visible ASCII characters")
)

// A Problem is what a server answers that it cannot do.
type Problem struct {
	Status  int
	Code    string // stable, such as "CALLER_NOT_ALLOWED"; empty where there is none
	Message string
	Fields  []ProblemField // everything that is wrong with the request

	RetryAfter time.Duration // how long the server asks to be left alone; zero where it does not say

	renewed bool // what the client proved itself with was refused, and can be made anew
}

// A ProblemField is one thing that is wrong with a request.
type ProblemField struct{ Field, Message string }

// Error is the problem in one line.
func (p *Problem) Error() string {
	text := fmt.Sprintf("mandate: the server answered %d: %s", p.Status, p.Message)
	for _, f := range p.Fields {
		text += "; " + f.Field + ": " + f.Message
	}
	return text
}

// A call is one request as it is made, once or several times.
type call struct {
	method  string // empty: POST
	path    string
	body    []byte
	status  int // of its answer; zero: 200
	headers map[string]string
	copies  []*copyOf           // where it may go, in this order
	read    func(*answer) error // reads the answer; an error means that it is none
}

type answer struct {
	header  http.Header
	body    []byte
	renewed bool
}

// do makes a request until it is answered, as often and as long as it may be.
// Every request that goes through here can be repeated without harm: it changes
// nothing, or carries a key that makes the second time the first.
func (c *Client) do(ctx context.Context, r call) error {
	ctx, cancel := context.WithTimeout(ctx, c.total)
	defer cancel()
	fresh := true                            // credentials were not renewed yet
	busy := make([]time.Time, len(r.copies)) // until when each asked to be left alone
	var last error
	for try := range c.tries {
		where := try % len(r.copies)
		if last = c.once(ctx, r.copies[where], r); last == nil {
			return nil
		}
		if ctx.Err() != nil {
			break
		}
		p, answered := errors.AsType[*Problem](last)
		if answered && p.renewed && fresh {
			fresh = false
			continue
		}
		if !again(last) || try == c.tries-1 {
			return last
		}
		if answered {
			busy[where] = time.Now().Add(p.RetryAfter)
		}
		if !sleep(ctx, rest(try, busy, last)) {
			break
		}
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%w (%w)", last, context.Cause(ctx))
	}
	return last
}

// rest is how long to wait after a try that failed. Another copy is asked at
// once, unless no copy is to blame; one that was asked before, not before it
// wants to be.
func rest(try int, busy []time.Time, failure error) time.Duration {
	next := try + 1
	if errors.Is(failure, ErrToken) {
		next = try
	} else if next < len(busy) {
		return 0
	}
	if wait := time.Until(busy[next%len(busy)]); wait > 0 {
		return wait
	}
	return pause(try)
}

// again reports whether a failure may be another the next time.
func again(err error) bool {
	p, ok := errors.AsType[*Problem](err)
	if !ok {
		return true // no answer, or none that can be read
	}
	switch p.Status {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// pause doubles with every try and is spread over its whole length, so that
// callers that failed together do not come back together.
func pause(try int) time.Duration {
	return jitter(min(firstPause<<min(try, 10), longPause))
}

// jitter is some time up to d.
func jitter(d time.Duration) time.Duration { return mathrand.N(max(d, 1)) + time.Millisecond }

// sleep waits, unless the time that is left is shorter.
func sleep(ctx context.Context, d time.Duration) bool {
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// once makes a request once and notes how the copy did.
func (c *Client) once(ctx context.Context, where *copyOf, r call) error {
	got, status, err := c.send(ctx, where.base+r.path, r)
	if err == nil && status != cmp.Or(r.status, http.StatusOK) {
		err = problemOf(status, got)
	}
	if err == nil {
		err = r.read(got)
	}
	switch p, ok := errors.AsType[*Problem](err); {
	case errors.Is(err, ErrToken) || errors.Is(ctx.Err(), context.Canceled): // it was not asked, or nobody waits any more
	case err == nil || errors.Is(err, ErrStale) || ok && p.Status < http.StatusInternalServerError:
		where.note(nil) // it answers
	default:
		where.note(err)
	}
	return err
}

func (c *Client) send(ctx context.Context, address string, r call) (*answer, int, error) {
	ctx, cancel := context.WithTimeout(ctx, c.try)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, cmp.Or(r.method, http.MethodPost), address, bytes.NewReader(r.body))
	if err != nil {
		return nil, 0, err
	}
	id := newID()
	if request.Method == http.MethodPost {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("Accept", "application/json, application/problem+json")
	request.Header.Set("User-Agent", c.agent)
	request.Header.Set("X-Request-ID", id)
	for name, value := range r.headers {
		request.Header.Set(name, value)
	}
	if err := c.credential.prove(ctx, request); err != nil {
		return nil, 0, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, 0, fmt.Errorf("mandate: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, 0, fmt.Errorf("%w: %w", ErrUnreadable, err)
	case len(body) > maxAnswer:
		return nil, 0, fmt.Errorf("%w: it is longer than %d bytes", ErrUnreadable, maxAnswer)
	}
	if echo := response.Header.Get("X-Request-ID"); echo != "" && echo != id {
		return nil, 0, fmt.Errorf("%w: it belongs to another request", ErrUnreadable)
	}
	if kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); response.StatusCode < 300 && kind != "application/json" {
		return nil, 0, fmt.Errorf("%w: it is not JSON", ErrUnreadable)
	}
	renewed := response.StatusCode == http.StatusUnauthorized && c.credential.renew(request.Header.Get("Authorization"))
	return &answer{response.Header, body, renewed}, response.StatusCode, nil
}

// visible reports whether a text can stand in a header as it is: visible ASCII,
// as long as a name may be.
func visible(text string, most int) bool {
	return len(text) <= most && strings.IndexFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f }) < 0
}

// newID names a request, or a call that is to be done once.
func newID() string { return rand.Text() }

// encode writes a request. Whatever cannot be written is the caller's context.
func encode(value any) ([]byte, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("mandate: the question's context cannot be written as JSON: %w", err)
	}
	return text, nil
}

// problemOf reads what a server says is wrong: a problem document, or text.
func problemOf(status int, got *answer) *Problem {
	p := &Problem{Status: status, RetryAfter: retryAfter(got.header, time.Now()), renewed: got.renewed}
	kind, _, _ := mime.ParseMediaType(got.header.Get("Content-Type"))
	if kind == "application/problem+json" {
		if o, err := readObject(got.body); err == nil {
			t := taker{of: o}
			p.Code, p.Message = t.text("code"), short(t.text("detail"))
			for _, f := range t.objects("errors") {
				field := taker{of: f}
				p.Fields = append(p.Fields, ProblemField{short(field.text("field")), short(field.text("detail"))})
			}
		}
	} else if kind == "text/plain" {
		p.Message = strings.TrimSpace(short(string(got.body)))
	}
	if p.Message == "" {
		p.Message = http.StatusText(status)
	}
	return p
}

// short is the beginning of what a server says, as much as is worth repeating.
func short(text string) string { return strings.ToValidUTF8(text[:min(len(text), maxMessage)], "") }

// retryAfter is how long a server asks to be left alone: seconds, or a time.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil && seconds >= 0 && seconds < 1<<30 {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
