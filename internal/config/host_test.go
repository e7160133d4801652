package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"mandate/internal/fault"
)

func TestHostsAreReadWithTheirKeys(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(" from-a-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Hosts{
		Host:        []string{"https://core.example/x", "elm=http://localhost:8090", "oak-1=fineract+https://core.example/api/v1"},
		HostKey:     []string{"key-of-all==", "elm=key-of-elm"},
		HostKeyFile: []string{"oak-1=" + file},
	}.Read()
	want := []Host{{"", "https://core.example/x", "key-of-all=="}, {"elm", "http://localhost:8090", "key-of-elm"}, {"oak-1", "fineract+https://core.example/api/v1", "from-a-file"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Read: %#v, %v, want %#v", got, err, want)
	}
	if none, err := (Hosts{}).Read(); err != nil || len(none) != 0 {
		t.Errorf("without any: %v, %v", none, err)
	}
	if strings.Contains(want[0].String(), "key") {
		t.Error("a host shows its key")
	}
}

func TestBadHostsAreNamed(t *testing.T) {
	for entry, want := range map[string]string{
		"core.example":                       "write an address",
		"http://core.example":                "must be https",
		"https://user:pass@core.example":     "has more than",
		"https://core.example/?key=secret":   "has more than",
		"fineract+http://core.example":       "must be https",
		"elm=ftp://core.example":             "write an address",
		"https://core.example, second=https": "write an address",
	} {
		_, err := Hosts{Host: []string{entry}, HostKey: []string{"a-key"}}.Read()
		problems := fault.ProblemsOf(err)
		if len(problems) != 1 || problems[0].Field != "host" || !strings.Contains(problems[0].Sentence, want) || strings.Contains(problems[0].Sentence, "secret") {
			t.Errorf("%s: %+v, want %q", entry, problems, want)
		}
	}
	for name, h := range map[string]Hosts{
		"no key":        {Host: []string{"https://core.example"}},
		"another's key": {Host: []string{"elm=https://core.example"}, HostKey: []string{"oak=key-of-oak"}},
		"no such file":  {Host: []string{"https://core.example"}, HostKeyFile: []string{"/nowhere/at/all"}},
		"twice":         {Host: []string{"https://core.example", "https://other.example"}, HostKey: []string{"a-key"}},
	} {
		if _, err := h.Read(); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
