package application_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"mandate/internal/application"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
)

// Every problem of a form is said at once, each at its field.
func TestEveryProblemIsSaid(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	_, _, err := w.s.Create(t.Context(), operator, ledger())
	w.must(err)
	for name, c := range map[string]struct {
		change func(*application.Draft)
		want   string
	}{
		"nothing at all": {func(d *application.Draft) { *d = application.Draft{} }, "name method grants"},
		"no method":      {func(d *application.Draft) { d.Method = "none" }, "method"},
		"taken name":     {func(d *application.Draft) { d.Name = " LEDGER " }, "name"},
		"long names":     {func(d *application.Draft) { d.Name, d.Partner = strings.Repeat("é", 81), strings.Repeat("é", 81) }, "name partner"},
		"unknown grant":  {func(d *application.Draft) { d.Grants = append(d.Grants, "implicit", "password") }, "grants grants"},
		"no way back":    {func(d *application.Draft) { d.Redirects = []string{" ", ""} }, "redirects"},
		"only refresh":   {func(d *application.Draft) { d.Grants = []application.Grant{application.GrantRefresh} }, "grants grants"},
		"nobody's service": {func(d *application.Draft) { d.Grants = append(d.Grants, application.GrantService) },
			"service"},
		"somebody's, but no service": {func(d *application.Draft) { d.ServiceEmail = "teller@cedar.example" }, "service"},
		"a service of somebody who is gone": {func(d *application.Draft) {
			d.Grants, d.ServiceEmail = append(d.Grants, application.GrantService), "gone@cedar.example"
		}, "service"},
		"unknown scope":           {func(d *application.Draft) { d.Scopes = []string{"openid", "everything"} }, "scopes"},
		"no openid":               {func(d *application.Draft) { d.Scopes = []string{"email"} }, "scopes"},
		"offline without refresh": {func(d *application.Draft) { d.Scopes = append(d.Scopes, "offline_access") }, "scopes"},
		"a key that is not used":  {func(d *application.Draft) { d.Keys = publicPEM(t) }, "keys"},
		"no key":                  {func(d *application.Draft) { d.Method = application.PrivateKey }, "keys"},
		"all addresses": {func(d *application.Draft) {
			d.Redirects, d.PostLogouts, d.BackChannelLogout = []string{"x"}, []string{"y", "y"}, "z"
		}, "redirects post_logouts post_logouts back_channel_logout"},
	} {
		d := ledger()
		if name != "taken name" {
			d.Name = "Other"
		}
		c.change(&d)
		if _, _, err := w.s.Create(t.Context(), operator, d); fields(err) != c.want || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: problems with %q (%v), want %q", name, fields(err), err, c.want)
		}
	}
	longest := ledger()
	longest.Name = strings.Repeat("é", application.MaxName)
	if _, _, err := w.s.Create(t.Context(), operator, longest); err != nil {
		t.Errorf("the longest name: %v", err)
	}
}

func TestAddresses(t *testing.T) {
	w, number := newWorld(t, dbtest.SQLite(t)), 0
	for address, right := range map[string]bool{
		"https://product.example/return":              true,
		"https://product.example/return?tenant=cedar": true,
		"https://product.example:8443":                true,
		"http://localhost:9000/return":                true,
		"http://127.0.0.1/return":                     true,
		"http://[::1]:9000/return":                    true,
		"https://x/" + strings.Repeat("a", 1990):      true,
		"https://x/" + strings.Repeat("a", 1991):      false,
		"http://product.example/return":               false,
		"http://localhost.evil.example/return":        false,
		"https://product.example/return#top":          false,
		"https://product.example/return#":             false,
		"https://*.product.example/return":            false,
		"https://product.example/*":                   false,
		"https://user@product.example/":               false,
		"https:///return":                             false,
		"https://:8443/return":                        false,
		"https:product.example":                       false,
		"//product.example/return":                    false,
		"/return":                                     false,
		"javascript:alert(1)":                         false,
		"product:return":                              false,
		"data:text/html,x":                            false,
		"https://product.example/a b":                 false,
		"https://product.example\\@evil.example/":     false,
		"https://product.example/\u202e":              false,
		"HTTPS://product.example/return":              true, // compared letter by letter all the same
		"https://product.example/%zz":                 false,
	} {
		d := ledger()
		number++
		d.Name, d.Redirects = fmt.Sprint("Product ", number), []string{address}
		_, _, err := w.s.Create(t.Context(), operator, d)
		if (err == nil) != right || !right && fields(err) != "redirects" {
			t.Errorf("%q: %v, want right: %v", address, err, right)
		}
	}
	d := ledger()
	d.Redirects = slices.Repeat([]string{"https://product.example/return"}, 2)
	if _, _, err := w.s.Create(t.Context(), operator, d); fields(err) != "redirects" {
		t.Errorf("twice the same: %v", err)
	}
	d.Redirects = nil
	for i := range application.MaxAddresses + 1 {
		d.Redirects = append(d.Redirects, "https://product.example/"+string(rune('a'+i)))
	}
	if _, _, err := w.s.Create(t.Context(), operator, d); fields(err) != "redirects" {
		t.Errorf("one too many: %v", err)
	}
	d.Redirects = d.Redirects[1:]
	if _, _, err := w.s.Create(t.Context(), operator, d); err != nil {
		t.Errorf("as many as there may be: %v", err)
	}
}

func pair(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func inPEM(t *testing.T, kind string, der []byte, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func publicPEM(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&pair(t).PublicKey)
	return inPEM(t, "PUBLIC KEY", der, err)
}

func TestKeys(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	private := pair(t)
	privateDER, err := x509.MarshalPKCS8PrivateKey(private)
	w.must(err)
	edPublic, _, err := ed25519.GenerateKey(rand.Reader)
	w.must(err)
	strong, err := rsa.GenerateKey(rand.Reader, 2048)
	w.must(err)
	set := func(keys ...jose.JSONWebKey) string {
		text, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
		w.must(err)
		return string(text)
	}
	one, err := json.Marshal(jose.JSONWebKey{Key: &private.PublicKey})
	w.must(err)
	public := jose.JSONWebKey{Key: &private.PublicKey, KeyID: "a"}
	weak := `{"keys":[{"kty":"RSA","kid":"w","e":"AQAB","n":"` + strings.Repeat("_", 170) + `"}]}`
	for name, c := range map[string]struct {
		keys, want string // kinds of the keys; empty: refused
		says       string
	}{
		"PEM":            {publicPEM(t), "EC, P-256", ""},
		"two in PEM":     {publicPEM(t) + "\n" + publicPEM(t), "EC, P-256 EC, P-256", ""},
		"one JWK":        {string(one), "EC, P-256", ""},
		"a JWK set":      {set(public, jose.JSONWebKey{Key: edPublic, KeyID: "b"}, jose.JSONWebKey{Key: &strong.PublicKey, KeyID: "c"}), "EC, P-256 Ed25519 RSA, 2048 bits", ""},
		"private in PEM": {inPEM(t, "PRIVATE KEY", privateDER, nil), "", "This is a private key."},
		"a private JWK":  {set(jose.JSONWebKey{Key: private, KeyID: "a"}), "", "This is a private key."},
		"a secret":       {set(jose.JSONWebKey{Key: []byte("0123456789abcdef0123456789abcdef"), KeyID: "a"}), "", "shared secret"},
		"a weak RSA key": {weak, "", "At least 2048"},
		"no keys":        {`{"keys":[]}`, "", "no key"},
		"the same id":    {set(public, jose.JSONWebKey{Key: edPublic, KeyID: "a"}), "", "Two keys have the id"},
		"for encryption": {set(jose.JSONWebKey{Key: &private.PublicKey, KeyID: "a", Use: "enc"}), "", "not for signatures"},
		"too many":       {strings.Repeat(publicPEM(t), application.MaxKeys+1), "", "The most is 10"},
		"nonsense":       {"nonsense", "", "neither"},
		"PEM nonsense":   {"-----BEGIN NONSENSE-----\nAAAA\n-----END NONSENSE-----", "", "neither"},
		"a long text":    {strings.Repeat("x", application.MaxKeyText+1), "", "longer"},
	} {
		d := ledger()
		d.Name, d.Method, d.Keys = name, application.PrivateKey, c.keys
		a, secret, err := w.s.Create(t.Context(), operator, d)
		var kinds []string
		ids := map[string]bool{}
		for _, k := range a.PublicKeys() {
			kinds = append(kinds, k.Kind)
			ids[k.ID] = k.ID != ""
		}
		switch {
		case c.want == "" && (fields(err) != "keys" || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s: %v, want it to say %q", name, err, c.says)
		case c.want != "" && (err != nil || strings.Join(kinds, " ") != c.want || len(ids) != len(kinds)):
			t.Errorf("%s: %v with the ids %v, %v", name, kinds, ids, err)
		case secret != "":
			t.Errorf("%s: a secret beside keys", name)
		}
	}
}
