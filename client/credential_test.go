package client

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
)

// A token is fetched once for all who ask at the same time, kept, and fetched
// anew when the server refuses it.
func TestTokensConcurrently(t *testing.T) {
	var fetched atomic.Int64
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, secret, _ := r.BasicAuth()
		if id != "hub" || secret != "s%2Bt" || r.PostFormValue("grant_type") != "client_credentials" || r.PostFormValue("scope") != "decide" {
			t.Errorf("%s %s %v", id, secret, r.PostForm)
		}
		says(fmt.Sprintf(`{"access_token":"t%d","token_type":"Bearer","expires_in":300}`, fetched.Add(1)))(w, r)
	}))
	t.Cleanup(provider.Close)
	var good atomic.Value
	good.Store("Bearer t1")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != good.Load() {
			w.WriteHeader(401)
			return
		}
		says(`{"decision":true}`)(w, r)
	}))
	t.Cleanup(server.Close)
	c, err := New(server.URL, WithClientCredentials(ClientCredentials{TokenAddress: provider.URL, ID: "hub", Secret: "s+t", Scope: "decide"}))
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if d := c.Evaluate(t.Context(), wire); !d.Allowed {
				t.Errorf("%+v", d)
			}
		})
	}
	all.Wait()
	if fetched.Load() != 1 {
		t.Errorf("%d tokens were fetched", fetched.Load())
	}
	good.Store("Bearer t2")
	if d := c.Evaluate(t.Context(), wire); !d.Allowed || fetched.Load() != 2 {
		t.Errorf("a refused token: %+v after %d tokens", d, fetched.Load())
	}
	good.Store("never")
	if d := c.Evaluate(t.Context(), wire); d.Allowed || d.Err == nil || fetched.Load() != 3 {
		t.Errorf("refused for good: %+v after %d tokens", d, fetched.Load())
	}
}

func TestTokensThatAreNone(t *testing.T) {
	for _, text := range []string{``, `{}`, `{"access_token":"x"}`, `{"access_token":"","token_type":"Bearer"}`, `{"access_token":"x","token_type":"mac"}`, `{"access_token":1,"token_type":"Bearer"}`, `{"access_token":"x\ny","token_type":"Bearer"}`} {
		if token, _, err := readToken([]byte(text)); err == nil {
			t.Errorf("%s: %q", text, token)
		}
	}
}
