package client

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// A secret is in nothing that is printed by mistake.
func TestSecretsDoNotPrint(t *testing.T) {
	withKey, err := New("https://api.example", WithKey("hush-hush"))
	if err != nil {
		t.Fatal(err)
	}
	cc := ClientCredentials{TokenAddress: "https://x.example/t", ID: "a", Secret: "hush-hush"}
	withToken, err := New("https://api.example", WithClientCredentials(cc))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, value := range []any{withKey, withToken, cc, &cc, withKey.credential, withToken.credential} {
		fmt.Fprintf(&b, "%v %+v %#v %s", value, value, value, value)
		text, _ := json.Marshal(value) // what cannot be written is not printed either
		b.Write(text)
		slog.New(slog.NewTextHandler(&b, nil)).Info("x", "value", value)
	}
	if strings.Contains(b.String(), "hush") {
		t.Errorf("%s", b.String())
	}
}
