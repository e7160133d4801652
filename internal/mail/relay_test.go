package mail_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"mandate/internal/db/dbtest"
	"mandate/internal/outbox"
)

// A relay is a mail server of a bank: it wants STARTTLS, a user and a password.
// It listens on a loopback address that is not localhost, where TLS is required.
type relay struct {
	*smtp.Server
	open   bool // it takes mail from everybody
	socket net.Listener
	mu     sync.Mutex
	got    []string // "to: message"
	spoken bytes.Buffer
}

const (
	relayUser     = "mandate"
	relayPassword = "twelve-blue-herons"
)

// certificate is trusted by this process: TestMain says so before anybody asks.
var certificate tls.Certificate

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "mandate-mail")
	if err == nil {
		certificate, err = trusted(filepath.Join(dir, "root.pem"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// trusted makes a certificate for 127.0.0.2 and lets the process trust it.
func trusted(path string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "relay of a test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 2)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	err = os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, errors.Join(err, os.Setenv("SSL_CERT_FILE", path))
}

func newRelay(t *testing.T, change func(*relay)) *relay {
	t.Helper()
	r := &relay{}
	r.Server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &relaySession{relay: r}, nil }))
	r.Domain, r.TLSConfig = "relay.example", &tls.Config{Certificates: []tls.Certificate{certificate}}
	r.Debug = &lockedWriter{relay: r}
	change(r)
	var err error
	if r.socket, err = net.Listen("tcp", "127.0.0.2:0"); err != nil {
		t.Fatal(err)
	}
	go func() { _ = r.Serve(r.socket) }() // ends when the relay is closed
	t.Cleanup(func() { r.Close() })
	return r
}

// lockedWriter keeps what went over the wire, before encryption.
type lockedWriter struct{ relay *relay }

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.relay.mu.Lock()
	defer w.relay.mu.Unlock()
	return w.relay.spoken.Write(p)
}

func (r *relay) address() string {
	if r.open {
		return "smtp://" + r.socket.Addr().String()
	}
	return "smtp://" + relayUser + "@" + r.socket.Addr().String()
}

func (r *relay) received() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got
}

// relaySession takes mail from whoever has proven who they are, encrypted.
type relaySession struct {
	relay  *relay
	proven bool
	to     string
}

func (s *relaySession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *relaySession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != relayUser || password != relayPassword {
			return smtp.ErrAuthFailed
		}
		s.proven = true
		return nil
	}), nil
}

func (s *relaySession) Mail(string, *smtp.MailOptions) error {
	if !s.proven && !s.relay.open {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (s *relaySession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	return nil
}

func (s *relaySession) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	s.relay.mu.Lock()
	defer s.relay.mu.Unlock()
	s.relay.got = append(s.relay.got, s.to+": "+string(text))
	return err
}

func (s *relaySession) Reset()        { s.to = "" }
func (s *relaySession) Logout() error { return nil }

// sendBy queues one mail, tries once to send it and says what came of it.
func sendBy(t *testing.T, r *relay, password string) error {
	t.Helper()
	d := dbtest.SQLite(t)
	p := post(t, listen(t))
	p.Server, p.Secret = r.address(), password
	queue(t, d, p, invitation())
	failed := errors.New("nothing was tried")
	out := outbox.NewDispatcher(d, outbox.Mail, func(ctx context.Context, m outbox.Delivery) error {
		failed = p.Deliver(ctx, m)
		return failed
	}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if _, err := out.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	return failed
}

// A server elsewhere gets mail over STARTTLS, after user and password.
func TestMailGoesEncryptedAndAuthenticated(t *testing.T) {
	r := newRelay(t, func(*relay) {})
	if err := sendBy(t, r, relayPassword); err != nil {
		t.Fatal(err)
	}
	got := r.received()
	if len(got) != 1 || !strings.HasPrefix(got[0], "dana@example.com: ") || !strings.Contains(got[0], "http://localhost:8080/first/invitation/secret-of-the-link") {
		t.Errorf("the relay received %q", got)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	before, after, encrypted := strings.Cut(r.spoken.String(), "STARTTLS\r\n220 ")
	if !encrypted || strings.Contains(before, "AUTH PLAIN ") || !strings.Contains(after, "AUTH PLAIN ") || strings.Contains(before, "MAIL FROM") {
		t.Errorf("what was said before and after STARTTLS:\n%s\n---\n%s", before, after)
	}
}

// What a relay refuses waits and is tried again: whoever runs the product can
// mend a password or a certificate.
func TestRelayThatCannotBeTrustedGetsNothing(t *testing.T) {
	for name, c := range map[string]struct {
		password string
		change   func(*relay)
	}{
		"a wrong password":               {"thirteen-blue-herons", func(*relay) {}},
		"no password":                    {"", func(*relay) {}},
		"no STARTTLS":                    {relayPassword, func(r *relay) { r.TLSConfig, r.open = nil, true }},
		"no STARTTLS, but a password":    {relayPassword, func(r *relay) { r.TLSConfig, r.AllowInsecureAuth = nil, true }},
		"a certificate of somebody else": {relayPassword, func(r *relay) { r.TLSConfig.Certificates = []tls.Certificate{stranger(t)} }},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRelay(t, c.change)
			err := sendBy(t, r, c.password)
			if err == nil || errors.Is(err, outbox.ErrHopeless) || errors.Is(err, outbox.ErrNotWanted) {
				t.Errorf("sending ended with %v; it should be tried again", err)
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			if strings.Contains(r.spoken.String(), "MAIL FROM") || len(r.got) != 0 {
				t.Errorf("the relay was told:\n%s", r.spoken.String())
			}
		})
	}
}

// stranger is a certificate for the right address that nobody vouches for.
func stranger(t *testing.T) tls.Certificate {
	t.Helper()
	before := os.Getenv("SSL_CERT_FILE")
	c, err := trusted(filepath.Join(t.TempDir(), "stranger.pem"))
	if err := errors.Join(err, os.Setenv("SSL_CERT_FILE", before)); err != nil {
		t.Fatal(err)
	}
	return c
}
