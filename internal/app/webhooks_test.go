package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mandate/internal/outward"
	"mandate/internal/webhook"
)

// Receivers that hang, say too much, lead elsewhere or break off are judged by
// what they are, in bounded time, and nobody inside is called.
func TestReceiversOfWebhooks(t *testing.T) {
	var inside atomic.Int64
	secret := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { inside.Add(1) }))
	t.Cleanup(secret.Close)
	var body string
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		body = string(text)
		switch r.URL.Path {
		case "/good":
			w.WriteHeader(http.StatusNoContent)
		case "/500":
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, "a secret of the receiver")
		case "/410":
			w.WriteHeader(http.StatusGone)
		case "/later":
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(http.StatusTooManyRequests)
		case "/away":
			http.Redirect(w, r, secret.URL, http.StatusTemporaryRedirect)
		case "/hangs":
			<-r.Context().Done()
		case "/drips": // a yes that never ends
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, "x")
				w.(http.Flusher).Flush()
				time.Sleep(20 * time.Millisecond)
			}
		case "/large":
			_, _ = io.WriteString(w, strings.Repeat("x", 10<<20))
		case "/headers":
			w.Header().Set("X-Large", strings.Repeat("x", 1<<20))
		case "/aborts":
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(receiver.Close)
	post := webhookPost(outward.Caller{Patience: 300 * time.Millisecond, MaxBody: webhookAnswer, Local: true}.Client())
	for path, want := range map[string]webhook.Outcome{
		"/good":    {Status: 204},
		"/500":     {Status: 500},
		"/410":     {Status: 410},
		"/later":   {Status: 429, After: 2 * time.Minute},
		"/away":    {Status: 307},
		"/hangs":   {Why: "The receiver did not answer within 5 seconds."},
		"/drips":   {Why: "The receiver did not answer within 5 seconds."},
		"/large":   {Why: "The receiver answered more than is read."},
		"/headers": {Why: "The receiver could not be reached."},
		"/aborts":  {Why: "The receiver could not be reached."},
	} {
		began := time.Now()
		got := post(t.Context(), receiver.URL+path, map[string]string{"webhook-id": "x"}, []byte("hello"))
		if got != want || body != "hello" {
			t.Errorf("%s: %+v, want %+v", path, got, want)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s took %s", path, took)
		}
	}
	strict := webhookPost(outward.Caller{Patience: time.Second, MaxBody: webhookAnswer}.Client())
	for _, address := range []string{secret.URL, strings.Replace(secret.URL, "127.0.0.1", "localhost", 1), "http://[::1]:1/", "http://169.254.169.254/latest"} {
		if got := strict(t.Context(), address, nil, nil); got.Why != "The address lies on this machine or on a private network, where nothing is sent." {
			t.Errorf("%s: %+v", address, got)
		}
	}
	encrypted := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(encrypted.Close)
	if got := post(t.Context(), encrypted.URL, nil, nil); got.Why != "The certificate of the receiver is not one that can be trusted." {
		t.Errorf("%+v", got)
	}
	if inside.Load() != 0 {
		t.Errorf("something inside was called %d times", inside.Load())
	}
}
