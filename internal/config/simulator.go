package config

import (
	"net"
	"path/filepath"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/fault"
)

// Simulator is what the simulated core can be told where it runs alone. The zero
// value serves on this machine, once it has a key.
type Simulator struct {
	Data            string   `name:"data" help:"Folder in which the simulated core keeps its database." env:"MANDATE_DATA" placeholder:"DIR"`
	HostDB          string   `name:"host-db" help:"Its database: sqlite:PATH or postgres://… . By default a file in the data folder." env:"MANDATE_HOST_DB" placeholder:"URL"`
	Listen          string   `name:"listen" help:"Address of the protocol." env:"MANDATE_LISTEN_HOSTSIM" placeholder:"HOST:PORT"`
	ListenOperators string   `name:"listen-operators" help:"Address of metrics and of faults, for operators only." env:"MANDATE_LISTEN_HOSTSIM_OPERATORS" placeholder:"HOST:PORT"`
	HostKeyFile     []string `name:"host-key-file" help:"File with the key that the product calls with, or INSTITUTION=FILE. Otherwise the key comes from MANDATE_HOST_KEY." env:"MANDATE_HOST_KEY_FILE" placeholder:"FILE"`
	HostKey         []string `name:"host-key" hidden:"" env:"MANDATE_HOST_KEY"`
	Office
	Mail
}

// Defaults of a zero Simulator.
const (
	defaultHostsim          = "localhost:8085"
	defaultHostsimOperators = "localhost:9091"
)

// WithDefaults fills what was left out and checks all of it.
func (s Simulator) WithDefaults() (Simulator, error) {
	store, err := Store{Data: s.Data}.WithDefaults()
	if err != nil {
		return s, err
	}
	s.Data = store.Data
	for _, d := range []struct {
		field *string
		value string
	}{{&s.HostDB, "sqlite:" + filepath.Join(s.Data, "host.db")}, {&s.Listen, defaultHostsim}, {&s.ListenOperators, defaultHostsimOperators}} {
		fill(d.field, d.value)
	}
	s.Office.fill()
	s.Mail.fill()
	var problems fault.Problems
	if !strings.HasPrefix(s.HostDB, "sqlite:") && !strings.HasPrefix(s.HostDB, "postgres://") && !strings.HasPrefix(s.HostDB, "postgresql://") {
		problems.Add("host_db", "write sqlite:PATH or postgres://user@host/database")
	}
	for _, listen := range []struct{ field, value string }{{"listen", s.Listen}, {"listen_operators", s.ListenOperators}, {"listen_office", s.ListenOffice}} {
		if _, port, err := net.SplitHostPort(listen.value); err != nil || port == "" {
			problems.Addf(listen.field, "%q is not an address like localhost:8085", listen.value)
		}
	}
	if reason := badOrigin(s.OfficeOrigin); reason != "" {
		problems.Add("office_origin", reason)
	}
	s.Mail.check(&problems)
	return s, problems.Err("The configuration is not usable.")
}

// Keys are the keys that the product calls with, by institution; that of the
// empty one is good for all that have none of their own.
func (s Simulator) Keys() (map[bank.InstitutionID]string, error) {
	var problems fault.Problems
	keys := Hosts{HostKeyFile: s.HostKeyFile, HostKey: s.HostKey}.keys(&problems)
	if len(keys) == 0 && len(problems) == 0 {
		problems.Add("host_key_file", "name a file with the key that the product calls with, or set MANDATE_HOST_KEY")
	}
	return keys, problems.Err("The configuration is not usable.")
}
