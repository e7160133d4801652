package bench

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// An exchange is a request, ready to be sent, and the body that must come back.
type exchange struct {
	request []byte
	want    []byte
}

// newExchange is a request of a caller with a key.
func newExchange(path, key, body, want string) exchange {
	request := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: decisions.example.com\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		path, key, len(body), body)
	return exchange{[]byte(request), []byte(want)}
}

// load sends exchanges over connections that stay open, each sending as soon as
// it has its last answer, until the time is over. It returns how long each took.
// An answer that is not the right one ends it.
func load(address string, connections int, exchanges []exchange, each time.Duration) ([]time.Duration, error) {
	times := make([][]time.Duration, connections)
	failures := make([]error, connections)
	var stop atomic.Bool
	var all sync.WaitGroup
	for n := range connections {
		all.Go(func() { times[n], failures[n] = loadOne(address, exchanges, n*len(exchanges)/connections, &stop) })
	}
	time.Sleep(each)
	stop.Store(true)
	all.Wait()
	return slices.Sorted(slices.Values(slices.Concat(times...))), errors.Join(failures...)
}

func loadOne(address string, exchanges []exchange, first int, stop *atomic.Bool) (times []time.Duration, err error) {
	err = connected(address, func(ask func(*exchange) error) error {
		for n := first; !stop.Load(); n++ {
			asked := time.Now()
			if err := ask(&exchanges[n%len(exchanges)]); err != nil {
				return err
			}
			times = append(times, time.Since(asked))
		}
		return nil
	})
	return times, err
}

// once sends every exchange once, over one connection.
func once(address string, exchanges []exchange) error {
	return connected(address, func(ask func(*exchange) error) error {
		for i := range exchanges {
			if err := ask(&exchanges[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func connected(address string, do func(ask func(*exchange) error) error) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	in := bufio.NewReaderSize(conn, 64<<10)
	var body []byte
	err = do(func(x *exchange) error {
		if _, err := conn.Write(x.request); err != nil {
			return err
		}
		var status int
		var err error
		if status, body, err = readAnswer(in, body[:0]); err != nil {
			return err
		}
		if status != http.StatusOK || !bytes.Equal(body, x.want) {
			return fmt.Errorf("status %d, %.200q instead of %.200q for %.400q", status, body, x.want, x.request)
		}
		return nil
	})
	return errors.Join(err, conn.Close())
}

var lengthHeader = []byte("Content-Length: ")

// readAnswer reads an answer that says its length, with as little work as can
// be, because the callers share the machine with the server.
func readAnswer(in *bufio.Reader, into []byte) (status int, body []byte, err error) {
	length := -1
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return 0, into, err
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case first && len(line) > 12:
			if status, err = strconv.Atoi(string(line[9:12])); err != nil {
				return 0, into, err
			}
		case bytes.HasPrefix(line, lengthHeader):
			if length, err = strconv.Atoi(string(line[len(lengthHeader):])); err != nil {
				return 0, into, err
			}
		case len(line) == 0:
			if length < 0 {
				return 0, into, errors.New("an answer does not say how long it is")
			}
			body = slices.Grow(into, length)[:length]
			_, err := io.ReadFull(in, body)
			return status, body, err
		}
	}
}
