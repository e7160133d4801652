package authzen_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"mandate/internal/authzen"
	"mandate/internal/web"
)

// A wire is a connection to the edge behind the program's own server, on which a
// test writes what it likes.
type wire struct {
	t testing.TB
	net.Conn
	in *bufio.Reader
}

// address serves the edge as the program does.
func address(t testing.TB) string {
	t.Helper()
	s := serve(t, yesNo(func(e authzen.Evaluation) bool { return e.Subject.ID == "alice" }))
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := web.NewServer(s.Config.Handler, slog.New(slog.DiscardHandler))
	go server.Serve(socket) //nolint:errcheck // it ends with the test
	t.Cleanup(func() { server.Close() })
	return socket.Addr().String()
}

func dial(t testing.TB, address string) *wire {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &wire{t, conn, bufio.NewReader(conn)}
}

// answers are all that come back until the connection ends or nothing more is due.
func (w *wire) answers(n int) (all []string) {
	w.t.Helper()
	for range n {
		response, err := http.ReadResponse(w.in, nil)
		if err != nil {
			return append(all, "closed")
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, fmt.Sprint(response.StatusCode, " ", strings.TrimSpace(string(body))))
	}
	return all
}

func asks(who string) string {
	return fmt.Sprintf(`{"subject":{"type":"user","id":%q},"action":{"name":"read"},"resource":{"type":"record","id":"1"}}`, who)
}

// head is the head of a request with what a test puts into it.
func head(more ...string) string {
	return "POST /access/v1/evaluation HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key + "\r\nContent-Type: application/json\r\n" + strings.Join(more, "\r\n") + "\r\n\r\n"
}

func length(body string) string { return fmt.Sprint("Content-Length: ", len(body)) }

// Nothing that a request hides behind its length is taken for another request,
// and every answer goes to its own question.
func TestRequestsEndWhereTheySay(t *testing.T) {
	at := address(t)
	alice, bob := asks("alice"), asks("robert")
	chunked := func(body string) string { return fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body) }
	hidden := head(length(bob)) + bob
	for name, c := range map[string]struct {
		sent string
		want []string
	}{
		"one after another": {head(length(alice)) + alice + head(length(bob)) + bob + head(length(alice)) + alice,
			[]string{`200 {"decision":true}`, `200 {"decision":false}`, `200 {"decision":true}`}},
		"in pieces":        {head("Transfer-Encoding: chunked") + chunked(alice) + head(length(bob)) + bob, []string{`200 {"decision":true}`, "closed"}},
		"an absolute URI":  {strings.Replace(head(length(alice)), "/access", "http://other.example.com/access", 1) + alice, []string{`200 {"decision":true}`}},
		"two lengths":      {head(length(alice), "Content-Length: 5") + alice + hidden, []string{"400 400 Bad Request", "closed"}},
		"a length of ages": {head("Content-Length: +5") + alice + hidden, []string{"400 400 Bad Request", "closed"}},
		"a length of two":  {head("Content-Length: 5, 5") + alice + hidden, []string{"400 400 Bad Request", "closed"}},
		// A proxy that believed the length would let the rest through as the next request.
		"a length and pieces":           {head(length(chunked(alice)+hidden), "Transfer-Encoding: chunked") + chunked(alice) + hidden, []string{`200 {"decision":true}`, "closed"}},
		"an encoding that is not known": {head("Transfer-Encoding: xchunked") + chunked(alice), []string{"501 Unsupported transfer encoding", "closed"}},
		"encodings in two headers":      {head("Transfer-Encoding: chunked", "Transfer-Encoding: identity") + chunked(alice), []string{"501 Unsupported transfer encoding", "closed"}},
		"an encoding behind a blank":    {head("Transfer-Encoding : chunked") + chunked(alice), []string{"400 400 Bad Request: invalid header name", "closed"}},
		"a header over two lines":       {head("X-A: b\r\n c: d", length(alice)) + alice, []string{`200 {"decision":true}`}},
		"two hosts":                     {head("Host: y", length(alice)) + alice, []string{"400 400 Bad Request", "closed"}},
		"no host":                       {strings.Replace(head(length(alice)), "Host: x\r\n", "", 1) + alice, []string{"400 400 Bad Request: missing required Host header", "closed"}},
		"headers without end":           {head("X-A: "+strings.Repeat("a", 2<<20), length(alice)) + alice, []string{"431 431 Request Header Fields Too Large", "closed"}},
		"a length below zero":           {head("Content-Length: -1") + alice, []string{"400 400 Bad Request", "closed"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := dial(t, at)
			go io.WriteString(w, c.sent) //nolint:errcheck // the server may close before it has read all
			for i, got := range w.answers(len(c.want)) {
				if got != c.want[i] {
					t.Errorf("answer %d: %q, want %q", i+1, got, c.want[i])
				}
			}
		})
	}
}
