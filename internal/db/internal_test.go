package db

import (
	"reflect"
	"testing"
)

func TestEncryptionIsVerifiedOnTheNetwork(t *testing.T) {
	tests := []struct {
		address, environment string
		verified             bool
	}{
		{"postgres://u:p@db.bank.example/m", "", true},
		{"postgres://u:p?w@db.bank.example/m", "", true},
		{"postgres://u@localhost,10.0.0.1:5432/m?connect_timeout=3", "", true},
		{"postgres:///m?host=db.bank.example", "", true},
		{"postgres://u:sslmode=@db.bank.example/m", "", true},
		{"postgres://u@db.bank.example/m?sslmode=disable", "", false},
		{"postgres://u@db.bank.example/m", "require", false},
		{"postgres://u@localhost:5432/m", "", false},
		{"postgres://u@127.0.0.1/m", "", false},
		{"postgres://u@[::1]:5432/m", "", false},
		{"postgres:///m?host=/run/postgresql", "", false},
	}
	for _, test := range tests {
		config, err := parseVerified(test.address, test.environment)
		if err != nil {
			t.Errorf("parseVerified(%q): %v", test.address, err)
			continue
		}
		got := config.TLSConfig != nil && config.TLSConfig.ServerName != "" && !config.TLSConfig.InsecureSkipVerify
		for _, fallback := range config.Fallbacks {
			got = got && fallback.TLSConfig != nil
		}
		if got != test.verified || config.Database != "m" {
			t.Errorf("parseVerified(%q, %q) verifies: %v, want %v (database %q)", test.address, test.environment, got, test.verified, config.Database)
		}
	}
}

// The names are read from SQLite's own text of the schema, so the ways to
// write a constraint must all be understood.
func TestConstraintNamesAreReadFromTheText(t *testing.T) {
	got := map[string][]string{}
	addTableConstraints(got, "t", `CREATE TABLE t (
		id text CONSTRAINT t_pk PRIMARY KEY, -- a comment, with (a bracket
		a  text not null constraint t_a check (a in ('x', 'y')) constraint t_a_uq unique,
		b  bigint,
		constraint t_ab_uq unique (a, b),
		constraint t_b_check check (b > 0),
		constraint t_other foreign key (a, b) references other (x, y))`)
	addUniqueIndex(got, "t_open", "t", `CREATE UNIQUE INDEX t_open ON t (b desc, a collate binary) where a <> ''`)
	addUniqueIndex(got, "t_plain", "t", `CREATE INDEX t_plain ON t (id, a)`)
	want := map[string][]string{
		"t.id":           {"t_pk"},
		"t.a":            {"t_a_uq"},
		"t.a, t.b":       {"t_ab_uq"},
		"t.b, t.a":       {"t_open"},
		"index 't_open'": {"t_open"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read %q\nwant %q", got, want)
	}
}
