// Package mailbox is the demo's mail server and the page that shows what it
// got. It speaks real SMTP on the loopback interface, so that everything up to
// the wire is what production uses. It delivers nothing anywhere.
package mailbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/jhillyerd/enmime/v2"

	"mandate/internal/bank"
)

// Bounds of the mailbox.
const (
	maxMessages = 500     // the oldest go first
	maxMessage  = 1 << 20 // bytes
)

// A Message is one mail as it came.
type Message struct {
	ID      int       `json:"id"`
	To      string    `json:"to"`
	From    string    `json:"from"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
	HTML    string    `json:"html"`
	Links   []string  `json:"links"`
	Time    time.Time `json:"time"`
	Header  string    `json:"message_id"`
}

// A Box receives mail. It is safe for use by many goroutines.
type Box struct {
	clock  bank.Clock
	server *smtp.Server
	socket net.Listener

	mu       sync.Mutex
	messages []Message
	last     int
}

// Listen starts a mail server on a loopback address, such as localhost:0.
func Listen(address string, clock bank.Clock) (*Box, error) {
	socket, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for mail: %w", err)
	}
	b := &Box{clock: clock, socket: socket}
	b.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{box: b}, nil }))
	b.server.Domain = "localhost"
	b.server.MaxMessageBytes = maxMessage
	b.server.MaxRecipients = 10
	b.server.ReadTimeout, b.server.WriteTimeout = 10*time.Second, 10*time.Second
	go func() {
		_ = b.server.Serve(socket) // ends when the box is closed
	}()
	return b, nil
}

// Address is where the server listens, for the configuration of a sender.
func (b *Box) Address() string { return "smtp://" + b.socket.Addr().String() }

// Close stops the server.
func (b *Box) Close() error {
	err := b.server.Close()
	if errors.Is(err, smtp.ErrServerClosed) {
		return nil
	}
	return err
}

// Messages are the mails to an address, newest first; to everybody where it is
// empty.
func (b *Box) Messages(to string) []Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	found := []Message{}
	for i := len(b.messages) - 1; i >= 0; i-- {
		if to == "" || strings.EqualFold(b.messages[i].To, to) {
			found = append(found, b.messages[i])
		}
	}
	return found
}

func (b *Box) put(m Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	m.ID = b.last
	b.messages = append(b.messages, m)
	if len(b.messages) > maxMessages {
		b.messages = b.messages[1:]
	}
}

// session is one connection of a sender.
type session struct {
	box  *Box
	from string
	to   []string
}

func (s *session) Reset()        { s.from, s.to = "", nil }
func (s *session) Logout() error { return nil }

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	parsed, err := enmime.ReadEnvelope(bytes.NewReader(raw))
	if err != nil {
		return &smtp.SMTPError{Code: 554, Message: "the message cannot be read"}
	}
	for _, to := range s.to {
		s.box.put(Message{
			To: to, From: parsed.GetHeader("From"), Subject: parsed.GetHeader("Subject"), Text: parsed.Text, HTML: parsed.HTML,
			Links: links(parsed.Text), Time: s.box.clock.Now().UTC(), Header: parsed.GetHeader("Message-Id"),
		})
	}
	return nil
}

// links are the addresses that stand in a text, each on a line of its own.
func links(text string) []string {
	found := []string{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "http://") || strings.HasPrefix(line, "https://") {
			found = append(found, line)
		}
	}
	return found
}
