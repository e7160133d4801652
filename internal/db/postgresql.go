package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// oldestPostgreSQL is the first version that the program is tested with.
const oldestPostgreSQL = 15

// openPostgreSQL opens a pool and looks whether the server is one that keeps
// the program's promises.
func openPostgreSQL(ctx context.Context, cfg Config) (*DB, error) {
	config, err := postgreSQLConfig(cfg)
	if err != nil {
		return nil, err
	}
	d := newDB(PostgreSQL, cfg)
	d.servers.watch(config)
	d.reader = d.postgreSQLPool(config, cfg.Connections)
	d.writer = d.reader
	if err := checkServer(ctx, d.reader); err != nil {
		return nil, errors.Join(err, d.reader.Close())
	}
	d.openMigrator = func() (*sql.DB, error) {
		patient := config.Copy()
		patient.RuntimeParams["statement_timeout"] = "0" // a migration takes what it takes
		return d.postgreSQLPool(patient, 2), nil
	}
	d.openLooker = func() (*sql.DB, error) {
		patient := config.Copy()
		patient.RuntimeParams["statement_timeout"] = "0"
		patient.RuntimeParams["idle_in_transaction_session_timeout"] = "0"
		return d.postgreSQLPool(patient, 1), nil
	}
	d.readTurns = make(chan struct{}, cfg.Connections)
	d.writeTurns = d.readTurns
	return d, nil
}

func (d *DB) postgreSQLPool(config *pgx.ConnConfig, connections int) *sql.DB {
	pool := stdlib.OpenDB(*config, stdlib.OptionBeforeConnect(d.servers.inOrder))
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	return pool
}

// postgreSQLConfig adds the limits that the operator's address leaves open.
func postgreSQLConfig(cfg Config) (*pgx.ConnConfig, error) {
	config, err := parseVerified(cfg.URL, os.Getenv("PGSSLMODE"))
	if err != nil {
		return nil, err
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = min(connectTimeout, cfg.Limit/2) // the next server has its turn within the limit
	}
	several := config.ValidateConnect == nil && len(config.Fallbacks) > 0
	// Whoever only looks says so to the server, which then looks like one that
	// cannot be written to.
	looks := cfg.ReadOnly && strings.Contains(addressOptions(cfg.URL), "target_session_attrs=read-write")
	if several || looks {
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsPrimary
	}
	defaults := map[string]string{
		"application_name":                    "mandate",
		"statement_timeout":                   milliseconds(statementTimeout),
		"lock_timeout":                        milliseconds(lockTimeout),
		"idle_in_transaction_session_timeout": milliseconds(cfg.Limit),
		"timezone":                            "UTC",
	}
	if cfg.Schema != "" {
		config.RuntimeParams["search_path"] = cfg.Schema
	}
	if cfg.ReadOnly {
		defaults["default_transaction_read_only"] = "on"
	}
	for name, value := range defaults {
		if _, set := config.RuntimeParams[name]; !set {
			config.RuntimeParams[name] = value
		}
	}
	return config, nil
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// parseVerified reads the address and makes checked encryption the default for
// a server on the network. An operator who writes sslmode has decided for
// themselves.
func parseVerified(address, environment string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("db: Config.URL: %w", err) // pgx hides the password
	}
	options := addressOptions(address)
	if environment != "" || strings.Contains(options, "sslmode=") || strings.Contains(options, "ssl=") || isLocal(config) {
		return config, nil
	}
	separator := "?"
	if options != "" {
		separator = "&"
	}
	if config, err = pgx.ParseConfig(address + separator + "sslmode=verify-full"); err != nil {
		return nil, fmt.Errorf("db: Config.URL: %w", err)
	}
	return config, nil
}

// addressOptions is the part of the address from its question mark on. The
// name and password, which end at the "@", may hold a question mark too.
func addressOptions(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	if i := strings.IndexAny(rest, "@/"); i >= 0 && rest[i] == '@' {
		rest = rest[i+1:]
	}
	if i := strings.IndexByte(rest, '?'); i >= 0 {
		return rest[i:]
	}
	return ""
}

// isLocal says whether every server named is this machine: a socket's folder
// or loopback.
func isLocal(config *pgx.ConnConfig) bool {
	hosts := []string{config.Host}
	for _, fallback := range config.Fallbacks {
		hosts = append(hosts, fallback.Host)
	}
	return !slices.ContainsFunc(hosts, func(host string) bool {
		return !strings.HasPrefix(host, "/") && host != "localhost" && host != "127.0.0.1" && host != "::1"
	})
}

// checkServer refuses a server that would break a promise quietly.
func checkServer(ctx context.Context, pool *sql.DB) error {
	var version int
	var encoding, commit string
	var byteOrder bool
	err := pool.QueryRowContext(ctx, `
		select current_setting('server_version_num')::int,
		       current_setting('server_encoding'),
		       current_setting('synchronous_commit'),
		       'B' < 'a' and '-b' < 'a'`).Scan(&version, &encoding, &commit, &byteOrder)
	if err != nil {
		return fmt.Errorf("open PostgreSQL: %w", err)
	}
	switch {
	case version/10000 < oldestPostgreSQL:
		return fmt.Errorf("db: PostgreSQL %d or newer is needed, this is version %d", oldestPostgreSQL, version/10000)
	case encoding != "UTF8":
		return fmt.Errorf("db: the database's encoding must be UTF8, it is %s", encoding)
	case !byteOrder:
		return errors.New("db: the database must sort by bytes: create it with " +
			"create database mandate template template0 encoding 'UTF8' locale 'C.UTF-8'")
	case commit == "off":
		return errors.New("db: synchronous_commit is off, so a confirmed change could be lost: switch it on")
	}
	return nil
}
