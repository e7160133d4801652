package protocol

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"mandate/internal/bank"
)

// A Problem is why a request was not answered (RFC 9457).
type Problem struct {
	Type   string   `json:"type" doc:"Always about:blank: the code says which problem it is."`
	Title  string   `json:"title" doc:"What the status means."`
	Status int      `json:"status" doc:"The HTTP status."`
	Detail string   `json:"detail,omitempty" doc:"What is wrong, in a sentence."`
	Code   string   `json:"code,omitempty" doc:"A stable name of the problem, for programs."`
	Errors []string `json:"errors,omitempty" doc:"Everything that is wrong with the request, at once."`
}

// Keys reports whether a key is good for an institution. It compares in constant
// time.
type Keys func(institution bank.InstitutionID, key string) bool

//go:embed openapi.json
var description []byte

// Handler serves the protocol for a host. Log takes what the caller is not
// told: why the host failed.
func Handler(server Server, keys Keys, log *slog.Logger) http.Handler {
	return &handler{server, keys, log}
}

type handler struct {
	server Server
	keys   Keys
	log    *slog.Logger
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.URL.Path == prefix+"openapi.json" && r.Method == http.MethodGet {
		w.Header().Set("Content-Type", "application/vnd.oai.openapi+json")
		_, _ = w.Write(description) // the caller is gone; nothing is left to tell it
		return
	}
	institution, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, prefix), "/")
	bearer, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.HasPrefix(r.URL.Path, prefix) {
		refuse(w, http.StatusNotFound, "NOT_FOUND", "There is nothing at this address.")
		return
	}
	if !strings.EqualFold(bearer, "bearer") || !h.keys(bank.InstitutionID(institution), key) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "The key is not good for this institution.")
		return
	}
	i := slices.IndexFunc(endpoints, func(e endpoint) bool { return e.name == name })
	switch {
	case i < 0:
		refuse(w, http.StatusNotFound, "NOT_FOUND", "There is nothing at this address.")
	case endpoints[i].method != r.Method:
		w.Header().Set("Allow", endpoints[i].method)
		refuse(w, http.StatusMethodNotAllowed, "NOT_FOUND", "This address does not know this method.")
	default:
		h.serve(w, r, &endpoints[i], bank.InstitutionID(institution))
	}
}

func (h *handler) serve(w http.ResponseWriter, r *http.Request, e *endpoint, institution bank.InstitutionID) {
	c := &call{ctx: r.Context(), server: h.server, institution: institution, query: r.URL.Query(), key: r.Header.Get(keyHeader)}
	if problems := e.wrong(c); len(problems) > 0 {
		refuse(w, http.StatusBadRequest, "MALFORMED", "The request cannot be understood.", problems...)
		return
	}
	if e.asks != nil {
		if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); !strings.EqualFold(strings.TrimSpace(kind), "application/json") {
			refuse(w, http.StatusUnsupportedMediaType, "MALFORMED", "The Content-Type must be application/json.")
			return
		}
		var err error
		if c.body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, e.bound)); err != nil {
			refuse(w, http.StatusRequestEntityTooLarge, "TOO_LARGE", "The request is larger than "+strconv.FormatInt(e.bound, 10)+" bytes, or was cut off.")
			return
		}
	}
	answer, err := e.serve(c)
	if err != nil {
		h.say(w, r, err)
		return
	}
	h.answer(w, r, answer)
}

// wrong says what is wrong with the parameters.
func (e *endpoint) wrong(c *call) (all []string) {
	for name, values := range c.query {
		i := slices.IndexFunc(e.query, func(p parameter) bool { return p.name == name })
		switch {
		case i < 0:
			all = append(all, name+": is not known here")
		case len(values) != 1 || !bank.Printable(values[0]):
			all = append(all, name+": must stand there once, in characters that can be printed")
		case e.query[i].words != nil && !slices.Contains(e.query[i].words, values[0]):
			all = append(all, name+": must be one of "+strings.Join(e.query[i].words, ","))
		case e.query[i].page:
			if n, err := strconv.Atoi(values[0]); err != nil || n < 1 || n > maxPage {
				all = append(all, name+": must be 1 to "+strconv.Itoa(maxPage))
			}
		}
	}
	for _, p := range e.query {
		if p.needed && c.query.Get(p.name) == "" {
			all = append(all, p.name+": is missing")
		}
	}
	slices.Sort(all)
	return all
}

// say answers with a problem.
func (h *handler) say(w http.ResponseWriter, r *http.Request, err error) {
	if bad, ok := errors.AsType[malformed](err); ok {
		refuse(w, http.StatusBadRequest, "MALFORMED", "The request cannot be understood.", bad.problems...)
		return
	}
	for _, p := range problems {
		if errors.Is(err, p.err) {
			refuse(w, p.status, p.code, p.detail)
			return
		}
	}
	h.log.ErrorContext(r.Context(), "the host failed", "address", r.URL.Path, "error", err)
	refuse(w, http.StatusInternalServerError, "FAILED", "The host failed. It is not known what came of it: ask again.")
}

// answer writes what the host said, once it is whole.
func (h *handler) answer(w http.ResponseWriter, r *http.Request, answer any) {
	picture, is := answer.([]byte)
	if is {
		w.Header().Set("Content-Type", pictureKind(picture))
		_, _ = w.Write(picture) // the caller is gone; nothing is left to tell it
		return
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(answer); err != nil {
		h.say(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text.Bytes()) // as above
}

// pictureKind is what a picture is sent as.
func pictureKind(picture []byte) string {
	if bytes.HasPrefix(picture, []byte("II*\x00")) || bytes.HasPrefix(picture, []byte("MM\x00*")) {
		return "image/tiff"
	}
	if kind := http.DetectContentType(picture); strings.HasPrefix(kind, "image/") {
		return kind
	}
	return "application/octet-stream"
}

func refuse(w http.ResponseWriter, status int, code, detail string, problems ...string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	p := Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Code: code, Errors: problems}
	_ = json.NewEncoder(w).Encode(p) // the caller is gone; nothing is left to tell it
}
