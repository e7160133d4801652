// Package config is what an operator may set: one structure, filled from
// flags, the environment and a file, in that order of precedence. Its zero
// value works on one machine. It holds no secrets of its own making and opens
// nothing.
package config

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mandate/internal/fault"
)

// Store says where the data is. Every command that reads or changes data has
// it.
type Store struct {
	DB   string `name:"db" help:"Database: sqlite:PATH or postgres://… . By default a file in the data folder." env:"MANDATE_DB" placeholder:"URL"`
	Data string `name:"data" help:"Folder for everything the product keeps beside the database." env:"MANDATE_DATA" placeholder:"DIR"`
}

// Backup is for whom backups are encrypted, and what makes them.
type Backup struct {
	Recipients []string `name:"backup-recipient" help:"Public key, age1…, for which backups are encrypted; several may be named, and each can open them." env:"MANDATE_BACKUP_RECIPIENT" placeholder:"KEY"`
	Programs   string   `name:"pg-programs" help:"Folder of PostgreSQL's own programs, of the server's version. By default they are looked for." env:"MANDATE_PG_PROGRAMS" placeholder:"DIR"`
}

// Office is how the screens of the simulated core are served: BackOffice and
// Classic.
type Office struct {
	OfficeFile   string `name:"office" help:"File that says how BackOffice and Classic, the screens of the simulated host, reach the product, as JSON. Without one they are not served." env:"MANDATE_OFFICE" placeholder:"FILE"`
	OfficeOrigin string `name:"office-origin" help:"Where browsers find BackOffice and Classic." env:"MANDATE_OFFICE_ORIGIN" placeholder:"URL"`
	ListenOffice string `name:"listen-office" help:"Address of BackOffice and Classic." env:"MANDATE_LISTEN_OFFICE" placeholder:"HOST:PORT"`
}

func (o *Office) fill() {
	fill(&o.ListenOffice, defaultOffice)
	fill(&o.OfficeOrigin, localOrigin(o.ListenOffice))
}

// Mail is how mail leaves.
type Mail struct {
	SMTP         string `name:"smtp" help:"Mail server: smtp://user@host:587 or smtps://… . The password comes from MANDATE_SMTP_PASSWORD." env:"MANDATE_SMTP" placeholder:"URL"`
	SMTPPassword string `name:"smtp-password" hidden:"" env:"MANDATE_SMTP_PASSWORD"`
	MailFrom     string `name:"mail-from" help:"Sender of mail, such as \"Example Bank <no-reply@example.com>\"." env:"MANDATE_MAIL_FROM" placeholder:"ADDRESS"`
}

func (m *Mail) fill() { fill(&m.MailFrom, "Mandate <no-reply@localhost>") }

func (m *Mail) check(problems *fault.Problems) {
	if u, err := url.Parse(m.SMTP); m.SMTP != "" && (err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Host == "") {
		problems.Add("smtp", "write smtp://user@host:587 (STARTTLS) or smtps://user@host:465")
	}
}

// TLS is how the address of the API ends TLS itself. Without it a proxy does.
type TLS struct {
	TLSCert  string `name:"tls-cert" help:"Certificate of the API's address, as PEM, with which it ends TLS itself. Read anew when it changes." env:"MANDATE_TLS_CERT" placeholder:"FILE"`
	TLSKey   string `name:"tls-key" help:"Key of that certificate." env:"MANDATE_TLS_KEY" placeholder:"FILE"`
	ClientCA string `name:"client-ca" help:"Who vouches for the names in callers' certificates, as PEM. Without it callers are known by the key of their certificate alone." env:"MANDATE_CLIENT_CA" placeholder:"FILE"`
}

func (t *TLS) check(problems *fault.Problems) {
	if (t.TLSCert == "") != (t.TLSKey == "") {
		problems.Add("tls_cert", "a certificate and its key (tls_key) belong together: name both or neither")
	}
	if t.ClientCA != "" && t.TLSCert == "" {
		problems.Add("client_ca", "callers show a certificate only to an address that ends TLS itself: name tls_cert and tls_key, too")
	}
}

// fill is a default for what was left out.
func fill(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

// Config is everything that the server can be told. The zero value serves on
// this machine, with an embedded database in the user's data folder.
type Config struct {
	Store
	Hosts
	Office
	Mail
	TLS
	Backup

	HostDB           string        `name:"host-db" help:"Database of the simulated core: sqlite:PATH or postgres://… . By default a file in the data folder, or beside the product's tables in PostgreSQL." env:"MANDATE_HOST_DB" placeholder:"URL"`
	PublicOrigin     string        `name:"public-origin" help:"Where browsers find Online, such as https://online.example-bank.com." env:"MANDATE_PUBLIC_ORIGIN" placeholder:"URL"`
	ConsoleOrigin    string        `name:"console-origin" help:"Where browsers find the console and Identity." env:"MANDATE_CONSOLE_ORIGIN" placeholder:"URL"`
	APIOrigin        string        `name:"api-origin" help:"Where programs find the API." env:"MANDATE_API_ORIGIN" placeholder:"URL"`
	ListenOnline     string        `name:"listen-online" help:"Address of Online." env:"MANDATE_LISTEN_ONLINE" placeholder:"HOST:PORT"`
	ListenConsole    string        `name:"listen-console" help:"Address of the console and Identity." env:"MANDATE_LISTEN_CONSOLE" placeholder:"HOST:PORT"`
	ListenAPI        string        `name:"listen-api" help:"Address of the API." env:"MANDATE_LISTEN_API" placeholder:"HOST:PORT"`
	ListenMetrics    string        `name:"listen-metrics" help:"Address of health and metrics, for operators only." env:"MANDATE_LISTEN_METRICS" placeholder:"HOST:PORT"`
	TrustedProxies   []string      `name:"trusted-proxies" help:"Networks whose forwarded addresses are believed, such as 10.0.0.0/8." env:"MANDATE_TRUSTED_PROXIES" placeholder:"NETWORK"`
	LogLevel         string        `name:"log-level" help:"debug, info, warn or error." env:"MANDATE_LOG_LEVEL" placeholder:"LEVEL"`
	LogFormat        string        `name:"log-format" help:"text or json." env:"MANDATE_LOG_FORMAT" placeholder:"FORMAT"`
	HashMemory       uint32        `name:"hash-memory" help:"KiB of memory that hashing a password takes." env:"MANDATE_HASH_MEMORY" placeholder:"KIB"`
	HashPasses       uint32        `name:"hash-passes" help:"Passes over that memory." env:"MANDATE_HASH_PASSES" placeholder:"N"`
	ThrottleFactor   int           `name:"throttle-factor" help:"How many times wider than usual the throttles per source are." env:"MANDATE_THROTTLE_FACTOR" placeholder:"N"`
	DecisionMemory   int           `name:"decision-memory" help:"MiB that what decisions are made of may take; what was not asked for longest goes when it is more." env:"MANDATE_DECISION_MEMORY" placeholder:"MIB"`
	ReservationLimit time.Duration `name:"reservation-limit" help:"After how long an authorization that was never confirmed is void." env:"MANDATE_RESERVATION_LIMIT" placeholder:"DURATION"`
}

// Defaults of a zero Config.
const (
	defaultOnline  = "localhost:8080"
	defaultConsole = "localhost:8081"
	defaultOffice  = "localhost:8082"
	defaultAPI     = "localhost:8084"
	defaultMetrics = "localhost:9090"

	defaultReservationLimit = 7 * 24 * time.Hour
)

// WithDefaults fills what was left out.
func (s Store) WithDefaults() (Store, error) {
	if s.Data == "" {
		home, err := userData()
		if err != nil {
			return s, fmt.Errorf("no data folder is named (--data) and the user's cannot be found: %w", err)
		}
		s.Data = filepath.Join(home, "mandate")
	}
	if s.DB == "" {
		s.DB = "sqlite:" + filepath.Join(s.Data, "mandate.db")
	}
	return s, nil
}

func userData() (string, error) {
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return dir, nil
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".local", "share"), err
}

// WithDefaults fills what was left out and checks all of it. Every bad value is
// named, with what would be right.
func (c Config) WithDefaults() (Config, error) {
	var err error
	if c.Store, err = c.Store.WithDefaults(); err != nil {
		return c, err
	}
	fill(&c.HostDB, c.hostDB())
	fill(&c.ListenOnline, defaultOnline)
	fill(&c.ListenConsole, defaultConsole)
	fill(&c.ListenAPI, defaultAPI)
	fill(&c.ListenMetrics, defaultMetrics)
	fill(&c.PublicOrigin, localOrigin(c.ListenOnline))
	fill(&c.ConsoleOrigin, localOrigin(c.ListenConsole))
	fill(&c.APIOrigin, localOrigin(c.ListenAPI))
	c.Office.fill()
	c.Mail.fill()
	fill(&c.LogLevel, "info")
	fill(&c.LogFormat, "text")
	if c.HashMemory == 0 {
		c.HashMemory = 19 * 1024
	}
	if c.HashPasses == 0 {
		c.HashPasses = 2
	}
	if c.ThrottleFactor == 0 {
		c.ThrottleFactor = 1
	}
	if c.DecisionMemory == 0 {
		c.DecisionMemory = 1024
	}
	if c.ReservationLimit == 0 {
		c.ReservationLimit = defaultReservationLimit
	}
	return c, c.check()
}

// hostDB is where the simulated core keeps its data when nobody says.
func (s Store) hostDB() string {
	if strings.HasPrefix(s.DB, "sqlite:") {
		return "sqlite:" + filepath.Join(s.Data, "host.db")
	}
	return s.DB
}

// localOrigin is where a browser on this machine finds a listener.
func localOrigin(listen string) string {
	_, port, err := net.SplitHostPort(listen)
	if err != nil {
		return ""
	}
	return "http://localhost:" + port
}

// OnThisMachine reports whether staff find the console on this machine only, so
// that what the product calls for them may be on it, too.
func (c Config) OnThisMachine() bool {
	origin, err := url.Parse(c.ConsoleOrigin)
	return err == nil && origin.Scheme == "http" && origin.Hostname() == "localhost"
}

func (c Config) check() error {
	var problems fault.Problems
	if !strings.HasPrefix(c.DB, "sqlite:") && !strings.HasPrefix(c.DB, "postgres://") && !strings.HasPrefix(c.DB, "postgresql://") {
		problems.Add("db", "write sqlite:PATH or postgres://user@host/database")
	}
	if !strings.HasPrefix(c.HostDB, "sqlite:") && !strings.HasPrefix(c.HostDB, "postgres://") && !strings.HasPrefix(c.HostDB, "postgresql://") {
		problems.Add("host_db", "write sqlite:PATH or postgres://user@host/database")
	}
	for _, origin := range []struct{ field, value string }{
		{"public_origin", c.PublicOrigin}, {"console_origin", c.ConsoleOrigin}, {"api_origin", c.APIOrigin}, {"office_origin", c.OfficeOrigin},
	} {
		if reason := badOrigin(origin.value); reason != "" {
			problems.Add(origin.field, reason)
		}
	}
	for _, listen := range []struct{ field, value string }{
		{"listen_online", c.ListenOnline}, {"listen_console", c.ListenConsole}, {"listen_api", c.ListenAPI}, {"listen_office", c.ListenOffice}, {"listen_metrics", c.ListenMetrics},
	} {
		if _, port, err := net.SplitHostPort(listen.value); err != nil || port == "" {
			problems.Addf(listen.field, "%q is not an address like localhost:8080", listen.value)
		}
	}
	for _, network := range c.TrustedProxies {
		if prefix, err := netip.ParsePrefix(network); err != nil || prefix.Bits() == 0 {
			problems.Addf("trusted_proxies", "%q is not a network like 10.0.0.0/8; trusting everybody is not offered", network)
		}
	}
	checkLog(&problems, c.LogLevel, c.LogFormat)
	if c.HashMemory < 8 || c.HashMemory > 4*1024*1024 {
		problems.Add("hash_memory", "between 8 KiB and 4 GiB; 19456 (19 MiB) is the least for production")
	}
	if c.HashPasses > 100 {
		problems.Add("hash_passes", "between 1 and 100")
	}
	if c.ThrottleFactor < 1 || c.ThrottleFactor > 1000 {
		problems.Add("throttle_factor", "between 1 and 1000")
	}
	if c.DecisionMemory < 1 {
		problems.Add("decision_memory", "at least 1 MiB; 1024 holds about sixty million members' accounts")
	}
	if c.ReservationLimit < 0 {
		problems.Add("reservation_limit", "a duration such as 168h")
	}
	c.Mail.check(&problems)
	c.TLS.check(&problems)
	return problems.Err("The configuration is not usable.")
}

func checkLog(problems *fault.Problems, level, format string) {
	if _, err := (Config{LogLevel: level}).level(); err != nil {
		problems.Addf("log_level", "%q is not one of debug, info, warn, error", level)
	}
	if format != "text" && format != "json" {
		problems.Addf("log_format", "%q is neither text nor json", format)
	}
}

func badOrigin(origin string) string {
	u, err := url.Parse(origin)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return fmt.Sprintf("%q is not an origin like https://online.example-bank.com", origin)
	case u.Path != "" || u.RawQuery != "" || u.User != nil:
		return fmt.Sprintf("%q has more than scheme, host and port", origin)
	case u.Scheme == "http" && u.Hostname() != "localhost":
		return fmt.Sprintf("%q must be https: only localhost is served without", origin)
	}
	return ""
}

func (c Config) level() (slog.Level, error) {
	var level slog.Level
	return level, level.UnmarshalText([]byte(c.LogLevel))
}

// Logger makes the log that the configuration asks for.
func (c Config) Logger() *slog.Logger {
	level, err := c.level()
	if err != nil {
		level = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, options))
}

// String never shows a secret.
func (c Config) String() string { return "configuration of " + c.PublicOrigin }
