package authzen

import (
	"context"
	"net/http"
	"strconv"
	"sync"

	"mandate/internal/authzen/scan"
	"mandate/internal/client"
	"mandate/internal/gate"
)

// Quick is a Decider that has a quick way for evaluations whose bodies are plain.
// What it answers on it is what Evaluate would have answered: a yes or a no
// without a context.
type Quick interface {
	Decider

	// Quick answers evaluations into allowed, which is as long as they are many,
	// with the revision that all answers know. ok is false where one of them
	// needs more than the quick way has: then nothing is answered, and Evaluate
	// is to be asked. The texts asked are gone when it returns.
	Quick(ctx context.Context, caller client.Client, atLeast string, asked *scan.Request, allowed []bool) (revision string, ok bool)
}

// hot is the memory of one request for decisions. It serves the next one, so
// that a decision leaves next to nothing to be collected.
type hot struct {
	body     []byte
	text     string // the same
	asked    scan.Request
	allowed  []bool
	revision string
	semantic semantic
	out      []byte
}

var hotPool = sync.Pool{New: func() any { return new(hot) }}

// keptBody is the largest memory for a body that is kept for another request.
const keptBody = 256 << 10

// done gives the memory back. Nothing that a caller sent is kept in sight.
func (h *hot) done() {
	if cap(h.body) > keptBody {
		return
	}
	h.asked.Forget()
	h.body, h.text, h.revision = h.body[:0], "", ""
	hotPool.Put(h)
}

func (h *hot) read(r *http.Request) (err error) {
	if h.body, err = readBytes(r, h.body[:0]); err != nil {
		return err
	}
	h.text = string(h.body)
	return nil
}

// ends reads where a plain batch ends, and reports whether that is understood.
func (h *hot) ends() bool {
	switch h.semantic = semantic(h.asked.Semantic); h.semantic {
	case "":
		h.semantic = executeAll
		return true
	case executeAll, denyOnFirstDeny, permitOnFirstPermit:
		return true
	}
	return false
}

// answerQuickly answers what is plain, if the decider has a quick way for it and
// it is the caller's turn. Whoever has said that they can carry out more than a
// yes and a no is answered the other way.
func (e *Edge) answerQuickly(h *hot, r *http.Request) (ok bool, err error) {
	c := gate.Calling(r.Context())
	if len(c.Capabilities) > 0 {
		return false, nil
	}
	n := len(h.asked.Evaluations)
	if cap(h.allowed) < n {
		h.allowed = make([]bool, n)
	}
	h.allowed = h.allowed[:n]
	clear(h.allowed)
	if err := e.Gate.Turns().Enter(r.Context(), c, n); err != nil {
		return false, err
	}
	defer e.Gate.Turns().Leave(c)
	h.revision, ok = e.quick.Quick(r.Context(), *c, r.Header.Get(revisionHeader), &h.asked, h.allowed)
	return ok, nil
}

// Answers, as writeJSON would write them.
const (
	yes = `{"decision":true}`
	no  = `{"decision":false}`
)

func (h *hot) add(allowed bool) {
	if allowed {
		h.out = append(h.out, yes...)
		return
	}
	h.out = append(h.out, no...)
}

func (h *hot) writeSingle(w http.ResponseWriter) {
	h.out = h.out[:0]
	h.add(h.allowed[0])
	h.write(w)
}

func (h *hot) writeBatch(w http.ResponseWriter) {
	h.out = append(h.out[:0], `{"evaluations":[`...)
	for i, allowed := range h.allowed {
		if i > 0 {
			h.out = append(h.out, ',')
		}
		h.add(allowed)
		if h.semantic.ends(Decision{Allowed: allowed}) {
			break
		}
	}
	h.out = append(h.out, "]}"...)
	h.write(w)
}

func (h *hot) write(w http.ResponseWriter) {
	h.out = append(h.out, '\n')
	setRevision(w, h.revision)
	sendJSON(w, http.StatusOK, h.out)
}

func sendJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", jsonType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if status != http.StatusOK {
		w.WriteHeader(status)
	}
	_, _ = w.Write(body) // the caller is gone; nothing is left to tell it
}
