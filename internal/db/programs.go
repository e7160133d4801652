package db

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"mandate/internal/fault"
)

// Version is the major version of the PostgreSQL server.
func (d *DB) Version(ctx context.Context) (int, error) {
	var number int
	if err := d.reader.QueryRowContext(ctx, `select current_setting('server_version_num')::int`).Scan(&number); err != nil {
		return 0, fmt.Errorf("ask the server for its version: %w", err)
	}
	return number / 10000, nil
}

// Program prepares one of PostgreSQL's own programs, such as pg_dump, to work on
// the database of an address. It must be of the server's version; folder says
// where it is, and empty means to look. The password travels in the
// environment, where other users of the machine do not see it.
func Program(ctx context.Context, address, folder, name string, version int, args ...string) (*exec.Cmd, error) {
	path, err := findProgram(folder, name, version)
	if err != nil {
		return nil, err
	}
	if err := rightVersion(ctx, path, version); err != nil {
		return nil, err
	}
	where, password, err := forLibpq(address, os.Getenv("PGSSLMODE"))
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, append(args, "--dbname="+where)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	if password != "" {
		cmd.Env = append(cmd.Env, "PGPASSWORD="+password)
	}
	return cmd, nil
}

// findProgram looks in a folder, or where Debian keeps its versions and on the PATH.
func findProgram(folder, name string, version int) (string, error) {
	if folder != "" {
		path, err := exec.LookPath(filepath.Join(folder, name))
		if err != nil {
			return "", fault.Newf(fault.Invalid, "There is no program %s in %s.", name, folder).Because(err)
		}
		return path, nil
	}
	if path, err := exec.LookPath(fmt.Sprintf("/usr/lib/postgresql/%d/bin/%s", version, name)); err == nil {
		return path, nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fault.Newf(fault.Invalid, "PostgreSQL's program %s is missing. Install the client programs of version %d, in Debian postgresql-client-%d, or name their folder by --pg-programs.", name, version, version).Because(err)
	}
	return path, nil
}

var programVersion = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

func rightVersion(ctx context.Context, path string, version int) error {
	said, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return fault.Newf(fault.Invalid, "%s does not say its version.", path).Because(err)
	}
	found := programVersion.FindSubmatch(said)
	if found == nil {
		return fault.Newf(fault.Invalid, "%s does not say its version.", path)
	}
	if major, _ := strconv.Atoi(string(found[1])); major != version {
		return fault.Newf(fault.Invalid, "%s is of PostgreSQL %d, and the server is of %d. Install the client programs of the server's version, or name their folder by --pg-programs.", path, major, version)
	}
	return nil
}

// libpqKnows are parameters of an address that mean the same to PostgreSQL's own
// programs. Others are settings of the session.
var libpqKnows = map[string]bool{
	"host": true, "hostaddr": true, "port": true, "dbname": true, "user": true, "passfile": true, "connect_timeout": true, "options": true,
	"application_name": true, "sslmode": true, "sslcert": true, "sslkey": true, "sslrootcert": true, "sslcrl": true, "sslsni": true,
	"ssl_min_protocol_version": true, "ssl_max_protocol_version": true, "channel_binding": true, "krbsrvname": true, "gssencmode": true,
	"target_session_attrs": true, "keepalives": true,
}

// forLibpq writes an address as PostgreSQL's own programs read it, without the
// password, and with the encryption that this program demands.
func forLibpq(address, sslMode string) (where, password string, err error) {
	config, err := parseVerified(address, sslMode)
	if err != nil {
		return "", "", err
	}
	options := addressOptions(address)
	where = strings.TrimSuffix(address, options)
	scheme, rest, _ := strings.Cut(where, "://")
	if user, place, ok := strings.Cut(rest, "@"); ok {
		user, _, _ = strings.Cut(user, ":")
		rest = user + "@" + place
	}
	given, err := url.ParseQuery(strings.TrimPrefix(options, "?"))
	if err != nil {
		return "", "", fmt.Errorf("db: Config.URL: %w", err)
	}
	kept, settings := url.Values{}, given.Get("options")
	for name, values := range given {
		switch {
		case name == "password":
		case libpqKnows[name]:
			kept[name] = values
		default:
			settings += " -c " + name + "=" + strings.ReplaceAll(values[0], " ", `\ `)
		}
	}
	if settings != "" {
		kept.Set("options", strings.TrimSpace(settings))
	}
	if sslMode == "" && !kept.Has("sslmode") && !isLocal(config) {
		kept.Set("sslmode", "verify-full")
	}
	where = scheme + "://" + rest
	if len(kept) > 0 {
		where += "?" + strings.ReplaceAll(kept.Encode(), "+", "%20")
	}
	return where, config.Password, nil
}

// inDatabase is an address with another database's name.
func inDatabase(address, name string) string {
	options := addressOptions(address)
	scheme, rest, _ := strings.Cut(strings.TrimSuffix(address, options), "://")
	servers, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + servers + "/" + name + options
}
