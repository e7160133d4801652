package gate

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
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mandate/internal/client"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
)

// An authority signs certificates of a test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) *authority {
	a := &authority{t: t}
	a.cert, a.key = a.sign(&x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

var serial int64

// sign signs a certificate, by itself where the authority has none yet.
func (a *authority) sign(template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	serial++
	template.SerialNumber, template.NotBefore, template.NotAfter = big.NewInt(serial), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

func (a *authority) leaf(name string) tls.Certificate {
	cert, key := a.sign(&x509.Certificate{Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}})
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
}

func write(t *testing.T, path, kind string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func writePair(t *testing.T, dir string, c tls.Certificate) {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "cert.pem"), "CERTIFICATE", c.Certificate[0])
	write(t, filepath.Join(dir, "key.pem"), "PRIVATE KEY", key)
}

// named knows callers by a name that is vouched for, or by the key of one
// certificate.
type named struct{ key string }

func (n named) Authenticate(context.Context, string) (client.Client, error) {
	return client.Client{}, client.ErrUnknownKey
}

func (n named) ByCertificate(_ context.Context, shown *tls.ConnectionState) (client.Client, error) {
	leaf := shown.PeerCertificates[0]
	if client.KeyOf(leaf) == n.key || len(shown.VerifiedChains) > 0 && leaf.DNSNames[0] == "hub.example" {
		return client.Client{ID: "cli_1", Institution: "first"}, nil
	}
	return client.Client{}, client.ErrUnknownKey
}

func TestCallersShowCertificates(t *testing.T) {
	dir, clock := t.TempDir(), dbtest.NewClock(dbtest.Start)
	house, callers, strangers := newAuthority(t, "House"), newAuthority(t, "Callers"), newAuthority(t, "Strangers")
	writePair(t, dir, house.leaf("localhost"))
	write(t, filepath.Join(dir, "callers.pem"), "CERTIFICATE", callers.cert.Raw)
	var log bytes.Buffer
	alone := strangers.leaf("alone.example")
	certificates := Certificates{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	serve := func(c Certificates) (address string) {
		t.Helper()
		config, err := c.TLS(clock, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		g := New(named{client.KeyOf(alone.Leaf)}, NewLimiter(clock, Rate{}), slog.New(slog.DiscardHandler))
		server := &http.Server{TLSConfig: config, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
			Handler: g.Known(func(w http.ResponseWriter, _ *http.Request, status int, _ *fault.Error) { w.WriteHeader(status) },
				http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, string(ClientOf(r.Context()).ID)) }))}
		socket, err := net.Listen("tcp", "localhost:0")
		if err != nil {
			t.Fatal(err)
		}
		go server.ServeTLS(socket, "", "")
		t.Cleanup(func() { server.Close() })
		return socket.Addr().String()
	}
	ask := func(address string, trusted *authority, own ...tls.Certificate) string {
		roots := x509.NewCertPool()
		roots.AddCert(trusted.cert)
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "localhost", Certificates: own}}
		defer transport.CloseIdleConnections()
		response, err := (&http.Client{Transport: transport}).Get("https://" + address + "/x")
		if err != nil {
			return "no connection"
		}
		defer response.Body.Close()
		content, _ := io.ReadAll(response.Body)
		return strings.TrimSpace(fmt.Sprint(response.StatusCode, " ", string(content)))
	}
	open := serve(certificates)
	for name, c := range map[string]struct {
		shows []tls.Certificate
		want  string
	}{
		"its key is registered": {[]tls.Certificate{alone}, "200 cli_1"},
		"nobody vouches for it": {[]tls.Certificate{callers.leaf("hub.example")}, "401"},
		"nothing is shown":      {nil, "401"},
	} {
		if got := ask(open, house, c.shows...); got != c.want {
			t.Errorf("without an authority, %s: %s, want %s", name, got, c.want)
		}
	}
	certificates.ClientCA = filepath.Join(dir, "callers.pem")
	closed := serve(certificates)
	for name, c := range map[string]struct {
		shows []tls.Certificate
		want  string
	}{
		"its name is registered": {[]tls.Certificate{callers.leaf("hub.example")}, "200 cli_1"},
		"another name":           {[]tls.Certificate{callers.leaf("other.example")}, "401"},
		"nothing is shown":       {nil, "401"},
	} {
		if got := ask(closed, house, c.shows...); got != c.want {
			t.Errorf("with an authority, %s: %s, want %s", name, got, c.want)
		}
	}
	if got := ask(closed, house, strangers.leaf("hub.example")); got == "200 cli_1" {
		t.Errorf("a stranger's authority vouches: %s", got)
	}

	// New files are taken without a restart, and broken ones are not.
	other := newAuthority(t, "New house")
	writePair(t, dir, other.leaf("localhost"))
	write(t, filepath.Join(dir, "callers.pem"), "CERTIFICATE", strangers.cert.Raw)
	if got := ask(closed, house); got != "401" {
		t.Errorf("within the second: %s", got)
	}
	clock.Advance(time.Second)
	if got := ask(closed, house); got != "no connection" {
		t.Errorf("the old certificate is still shown: %s", got)
	}
	if got := ask(closed, other, strangers.leaf("hub.example")); got != "200 cli_1" {
		t.Errorf("after the change: %s", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "cert.pem"), []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Second)
	if got := ask(closed, other, strangers.leaf("hub.example")); got != "200 cli_1" || !strings.Contains(log.String(), "cannot be used") {
		t.Errorf("with a broken file: %s, %s", got, log.String())
	}
	if _, err := (Certificates{Cert: "none.pem", Key: "none.pem"}).TLS(clock, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("files that are not there")
	}
}
