package config

import (
	"strings"
	"testing"

	"mandate/internal/fault"
)

func TestZeroValueWorks(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	c, err := Config{}.WithDefaults()
	if err != nil {
		t.Fatalf("the zero configuration: %v", err)
	}
	if c.PublicOrigin != "http://localhost:8080" || !strings.HasPrefix(c.DB, "sqlite:") {
		t.Errorf("defaults: origin %q, db %q", c.PublicOrigin, c.DB)
	}
}

// Every bad value is named at once, each with its field.
func TestBadValuesAreNamedTogether(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	bad := Config{
		Store: Store{DB: "mysql://x"}, PublicOrigin: "http://bank.example.com", ConsoleOrigin: "https://b.example/path",
		ListenAPI: "8084", TrustedProxies: []string{"0.0.0.0/0"}, LogLevel: "loud", LogFormat: "xml",
		HashMemory: 1, ThrottleFactor: -1, Mail: Mail{SMTP: "mail.example.com"},
	}
	_, err := bad.WithDefaults()
	named := map[string]bool{}
	for _, p := range fault.ProblemsOf(err) {
		named[p.Field] = true
	}
	for _, field := range []string{"db", "public_origin", "console_origin", "listen_api", "trusted_proxies", "log_level", "log_format", "hash_memory", "throttle_factor", "smtp"} {
		if !named[field] {
			t.Errorf("%s is not named in: %v", field, err)
		}
	}
}

func TestOnThisMachine(t *testing.T) {
	for origin, want := range map[string]bool{
		"http://localhost:8081": true, "http://localhost": true,
		"http://localhost.example.com": false, "https://localhost:8081": false, "http://localhost@staff.example.com": false, "": false,
	} {
		if got := (Config{ConsoleOrigin: origin}).OnThisMachine(); got != want {
			t.Errorf("%s: %t", origin, got)
		}
	}
}
