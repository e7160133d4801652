package protocol

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Inside carries requests to a handler in the same process: a host inside the
// program is asked like any other, deadlines included.
func Inside(h http.Handler) http.RoundTripper { return inside{h} }

type inside struct{ handler http.Handler }

func (i inside) RoundTrip(r *http.Request) (*http.Response, error) {
	asked := r.Clone(r.Context())
	if asked.Body == nil {
		asked.Body = http.NoBody
	}
	answered := make(chan *recorded, 1)
	go func() {
		w := &recorded{header: http.Header{}, status: http.StatusOK}
		defer func() {
			if reason := recover(); reason != nil {
				w.failed = fmt.Errorf("protocol: the host panicked: %v", reason)
			}
			asked.Body.Close()
			answered <- w
		}()
		i.handler.ServeHTTP(w, asked)
	}()
	select {
	case <-r.Context().Done():
		return nil, r.Context().Err()
	case w := <-answered:
		if w.failed != nil {
			return nil, w.failed
		}
		return &http.Response{
			Status: http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
			Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()),
		}, nil
	}
}

// recorded is an answer as a handler wrote it.
type recorded struct {
	header http.Header
	status int
	wrote  bool
	body   bytes.Buffer
	failed error
}

func (w *recorded) Header() http.Header { return w.header }

func (w *recorded) WriteHeader(status int) {
	if !w.wrote {
		w.status, w.wrote = status, true
	}
}

func (w *recorded) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.body.Len()+len(p) > maxAnswer+maxImage {
		return 0, errors.New("protocol: the answer is too large")
	}
	return w.body.Write(p)
}
