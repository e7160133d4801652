package oidc_test

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"mandate/internal/application"
	"mandate/internal/db/dbtest"
)

// A product in another language, on a library that knows nothing of ours: it
// pushes its request, proves possession of its key, and proves who it is by a
// secret or by a signature. It runs in "./check interop".
func TestInteropAPartyInJavaScript(t *testing.T) {
	if os.Getenv("MANDATE_INTEROP") == "" {
		t.Skip(`other languages are asked by "./check interop"`)
	}
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			dbtest.Missing(t, program, "apt-get install nodejs npm")
		}
	}
	folder := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "party.mjs"} {
		text, err := os.ReadFile(filepath.Join("testdata", "party", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	install.Dir = folder
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	each(t, func(t *testing.T, w *world) {
		id, secret := w.product()
		w.javaScript(folder, id, secret, "")
		k := w.key()
		id, _ = w.product(func(d *application.Draft) { d.Method, d.Keys = application.PrivateKey, k.set() })
		private, err := json.Marshal(jose.JSONWebKey{Key: k.private, KeyID: "mine", Algorithm: "ES256", Use: "sig"})
		w.must(err)
		w.javaScript(folder, id, "", string(private))
	})
}

// javaScript runs the product once through.
func (w *world) javaScript(folder, id, secret, jwk string) {
	w.t.Helper()
	party := exec.CommandContext(w.t.Context(), "node", "party.mjs", w.issuer(), id, secret, jwk, callback)
	party.Dir, party.Stderr = folder, os.Stderr
	in, err := party.StdinPipe()
	w.must(err)
	out, err := party.StdoutPipe()
	w.must(err)
	w.must(party.Start())
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		w.t.Fatalf("the product says nothing: %v", party.Wait())
	}
	v := w.visitor()
	at := v.signIn(v.get(lines.Text()), "ada")
	_, err = io.WriteString(in, at.url.String()+"\n")
	w.must(err)
	if !lines.Scan() {
		w.t.Fatalf("the product learned nothing of %s: %v", at.url, party.Wait())
	}
	text := lines.Text()
	w.must(party.Wait())
	var learned map[string]string
	w.must(json.Unmarshal([]byte(text), &learned))
	for name, want := range map[string]string{"sub": string(w.users["ada"]), "institution": "cedar", "email": address("ada"), "kind": "dpop", "renewed": "dpop",
		"spent": "invalid_grant", "family": "invalid_grant", "logout": "/cedar/openid/logout"} {
		if learned[name] != want {
			w.t.Errorf("%s is %q, want %q", name, learned[name], want)
		}
	}
}
