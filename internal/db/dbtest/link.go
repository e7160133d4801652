package dbtest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
)

// A Link is a network between a server and its clients that can fail.
type Link struct {
	Address  string // where clients find the server
	network  string
	server   string
	listener net.Listener

	mu      sync.Mutex
	healthy chan struct{} // closed while everything passes
	open    map[net.Conn]bool
}

// NewLink makes a way to a server, by an address of this machine.
func NewLink(t testing.TB, network, server string) *Link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &Link{Address: listener.Addr().String(), network: network, server: server, listener: listener, healthy: make(chan struct{}), open: map[net.Conn]bool{}}
	close(l.healthy)
	go l.accept()
	t.Cleanup(func() {
		_ = listener.Close()
		l.Heal()
		l.Cut()
	})
	return l
}

// URL is a database of the servers behind links.
func URL(database string, links ...*Link) string {
	address := "postgres://mandate@"
	for i, l := range links {
		if i > 0 {
			address += ","
		}
		address += l.Address
	}
	return fmt.Sprintf("%s/%s?sslmode=disable", address, database)
}

// Drop lets nothing pass any more, and tells nobody.
func (l *Link) Drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.healthy:
		l.healthy = make(chan struct{})
	default:
	}
}

// Heal lets everything pass, also what was held up.
func (l *Link) Heal() {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.healthy:
	default:
		close(l.healthy)
	}
}

// Cut ends every connection.
func (l *Link) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.open {
		_ = c.Close()
	}
}

func (l *Link) passes() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.healthy
}

func (l *Link) accept() {
	for {
		client, err := l.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			go l.carry(client)
		}
	}
}

func (l *Link) carry(client net.Conn) {
	defer client.Close()
	<-l.passes()
	server, err := net.Dial(l.network, l.server)
	if err != nil {
		return
	}
	defer server.Close()
	l.keep(client, server)
	defer l.drop(client, server)
	ended := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		go func() {
			l.copy(way[0], way[1])
			ended <- struct{}{}
		}()
	}
	<-ended
}

func (l *Link) copy(from io.Reader, to io.Writer) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		<-l.passes()
		if _, e := to.Write(buffer[:n]); e != nil || err != nil {
			return
		}
	}
}

func (l *Link) keep(conns ...net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range conns {
		l.open[c] = true
	}
}

func (l *Link) drop(conns ...net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range conns {
		delete(l.open, c)
	}
}
