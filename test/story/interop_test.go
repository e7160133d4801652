package story

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"mandate/internal/db/dbtest"
)

// Payment systems of another making: they read the metadata and ask, with
// nothing but their language's own library. They are told where and what by
// their arguments, and print the decision.
const askInJavaScript = `
const [origin, key, body] = process.argv.slice(1);
const metadata = await (await fetch(origin + "/.well-known/authzen-configuration")).json();
const answer = await fetch(metadata.access_evaluation_endpoint, {
  method: "POST", body, headers: {"Authorization": "Bearer " + key, "Content-Type": "application/json"},
});
if (!answer.ok) throw new Error("status " + answer.status);
console.log((await answer.json()).decision);
`

const askInPython = `
import json, sys, urllib.request
origin, key, body = sys.argv[1:]
metadata = json.load(urllib.request.urlopen(origin + "/.well-known/authzen-configuration"))
request = urllib.request.Request(metadata["access_evaluation_endpoint"], body.encode(), {"Authorization": "Bearer " + key, "Content-Type": "application/json"})
print(json.dumps(json.load(urllib.request.urlopen(request))["decision"]))
`

// Programs in other languages find the decision service by its metadata and are
// told the same. They run in "./check interop".
func TestInteropOtherLanguagesAsk(t *testing.T) {
	if os.Getenv("MANDATE_INTEROP") == "" {
		t.Skip(`other languages are asked by "./check interop"`)
	}
	p := run(t, dbtest.SQLiteURL(t, nil))
	for _, language := range []struct {
		name, program, install string
		arguments              []string
	}{
		{"JavaScript", "node", "apt-get install nodejs", []string{"--input-type=module", "-e", askInJavaScript}},
		{"Python", "python3", "apt-get install python3", []string{"-c", askInPython}},
	} {
		t.Run(language.name, func(t *testing.T) {
			if _, err := exec.LookPath(language.program); err != nil {
				dbtest.Missing(t, language.program, language.install)
			}
			for amount, want := range map[string]string{"9000.00": "true", "900000.00": "false"} {
				if got := p.askIn(t, language.program, language.arguments, amount); got != want {
					t.Errorf("%s of %s: %q, want %q", language.name, amount, got, want)
				}
			}
		})
	}
}

// askIn asks as mayWire does, from a program of another language.
func (p *program) askIn(t *testing.T, name string, arguments []string, amount string) string {
	t.Helper()
	body, err := json.Marshal(p.wire(amount))
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), name, append(arguments, p.world.Addresses["api"], p.world.Clients[0].Key, string(body))...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}
