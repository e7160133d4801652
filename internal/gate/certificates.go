package gate

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"mandate/internal/bank"
)

// Certificates are the files by which an address ends TLS itself.
type Certificates struct {
	Cert, Key string // PEM; the chain, leaf first, and its key
	ClientCA  string // PEM; who vouches for the names in callers' certificates; empty: nobody
}

// lookAgain is how often the files are looked at for a change.
const lookAgain = time.Second

// TLS is how the address speaks: at least TLS 1.2, with the files as they are
// when somebody connects. New files are taken without a restart; where they
// cannot be read the ones before stay, and the log says so. Callers may show a
// certificate and need not: who they are is for Callers to find. No connection
// is taken up from another one, so that what a certificate proved is proved anew.
func (c Certificates) TLS(clock bank.Clock, log *slog.Logger) (*tls.Config, error) {
	f := &files{Certificates: c, clock: clock, log: log}
	if err := f.read(); err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return f.now(), nil }}, nil
}

type files struct {
	Certificates
	clock bank.Clock
	log   *slog.Logger

	mu     sync.Mutex
	seen   [3]stamp
	looked time.Time
	config *tls.Config
}

// A stamp tells a file from what it was.
type stamp struct {
	changed time.Time
	size    int64
}

func (f *files) now() *tls.Config {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.clock.Now()
	if past := now.Sub(f.looked); past >= 0 && past < lookAgain {
		return f.config
	}
	f.looked = now
	if seen, err := f.stamps(); err == nil && seen == f.seen {
		return f.config
	}
	if err := f.read(); err != nil {
		f.log.Error("the new certificates cannot be used, so the ones before stay", "error", err)
	} else {
		f.log.Info("the certificates were read anew")
	}
	return f.config
}

func (f *files) stamps() (all [3]stamp, err error) {
	for i, name := range []string{f.Cert, f.Key, f.ClientCA} {
		if name == "" {
			continue
		}
		info, e := os.Stat(name)
		if e != nil {
			err = errors.Join(err, e)
			continue
		}
		all[i] = stamp{info.ModTime(), info.Size()}
	}
	return all, err
}

func (f *files) read() error {
	seen, err := f.stamps()
	if err != nil {
		return fmt.Errorf("look at the certificates: %w", err)
	}
	own, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return fmt.Errorf("read %s and %s: %w", f.Cert, f.Key, err)
	}
	config := &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{own}, NextProtos: []string{"h2", "http/1.1"},
		ClientAuth: tls.RequestClientCert, SessionTicketsDisabled: true,
	}
	if f.ClientCA != "" {
		text, err := os.ReadFile(f.ClientCA)
		if err != nil {
			return fmt.Errorf("read who vouches for callers: %w", err)
		}
		config.ClientCAs = x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM(text) {
			return fmt.Errorf("%s holds no certificate", f.ClientCA)
		}
		config.ClientAuth = tls.VerifyClientCertIfGiven
	}
	f.config, f.seen = config, seen
	return nil
}
