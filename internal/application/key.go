package application

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"crypto"

	"github.com/go-jose/go-jose/v4"
)

const minRSABits = 2048

// readKeys reads public keys, a JWK set, one JWK or PEM, and returns them as a
// JWK set in which each has an id. An error is a sentence for the person.
func readKeys(text string) (string, error) {
	if len(text) > MaxKeyText {
		return "", fmt.Errorf("The keys are longer than %d characters.", MaxKeyText)
	}
	keys, err := parseKeys(text)
	if err != nil {
		return "", err
	}
	switch n := len(keys); {
	case n == 0:
		return "", errors.New("There is no key in it.")
	case n > MaxKeys:
		return "", fmt.Errorf("There are %d keys in it. The most is %d.", n, MaxKeys)
	}
	seen := map[string]bool{}
	for i := range keys {
		if err := fit(&keys[i]); err != nil {
			return "", err
		}
		if seen[keys[i].KeyID] {
			return "", fmt.Errorf("Two keys have the id %q. Give each its own.", keys[i].KeyID)
		}
		seen[keys[i].KeyID] = true
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
	return string(set), err
}

var errNoKeys = errors.New("This is neither a JWK set nor PEM. Paste the public key that the application’s maker gave you.")

func parseKeys(text string) ([]jose.JSONWebKey, error) {
	if strings.HasPrefix(text, "-----BEGIN") {
		return parsePEM([]byte(text))
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(text), &set); err != nil {
		return nil, errNoKeys
	}
	if len(set.Keys) > 0 || !strings.Contains(text, `"kty"`) {
		return set.Keys, nil
	}
	var one jose.JSONWebKey
	if err := json.Unmarshal([]byte(text), &one); err != nil {
		return nil, errNoKeys
	}
	return []jose.JSONWebKey{one}, nil
}

func parsePEM(text []byte) (keys []jose.JSONWebKey, err error) {
	for len(text) > 0 {
		block, rest := pem.Decode(text)
		if block == nil {
			if strings.TrimSpace(string(text)) != "" {
				return nil, errNoKeys
			}
			break
		}
		text = rest
		var key any
		switch {
		case strings.Contains(block.Type, "PRIVATE KEY"):
			return nil, errPrivate
		case block.Type == "CERTIFICATE":
			certificate, e := x509.ParseCertificate(block.Bytes)
			if err = e; e == nil {
				key = certificate.PublicKey
			}
		case block.Type == "PUBLIC KEY":
			key, err = x509.ParsePKIXPublicKey(block.Bytes)
		default:
			err = errNoKeys
		}
		if err != nil {
			return nil, errNoKeys
		}
		keys = append(keys, jose.JSONWebKey{Key: key})
	}
	return keys, nil
}

var errPrivate = errors.New("This is a private key. It must never leave the application: make a new pair, and paste the public key only.")

// fit refuses what is no public key that is strong enough, and gives a key
// without an id the one that its content makes.
func fit(k *jose.JSONWebKey) error {
	switch key := k.Key.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < minRSABits {
			return fmt.Errorf("The RSA key has %d bits. At least %d are needed.", key.N.BitLen(), minRSABits)
		}
	case *ecdsa.PublicKey, ed25519.PublicKey:
	case []byte:
		return errors.New("This is a shared secret, not a public key.")
	default:
		if !k.IsPublic() {
			return errPrivate
		}
		return errors.New("Only RSA, EC and Ed25519 keys can be used.")
	}
	if !k.Valid() {
		return errNoKeys
	}
	if k.Use != "" && k.Use != "sig" {
		return errors.New("The key is not for signatures. Paste one whose use is “sig”, or that names none.")
	}
	if k.KeyID == "" {
		sum, err := k.Thumbprint(crypto.SHA256)
		if err != nil {
			return errNoKeys
		}
		k.KeyID = base64.RawURLEncoding.EncodeToString(sum)
	}
	k.Certificates, k.CertificateThumbprintSHA1, k.CertificateThumbprintSHA256, k.CertificatesURL = nil, nil, nil, nil
	k.Use = "sig"
	return nil
}

// A Key is one of an application's public keys, as screens show it.
type Key struct{ ID, Kind string }

// PublicKeys are the application's keys.
func (d *Draft) PublicKeys() []Key {
	var set jose.JSONWebKeySet
	if d.Keys == "" || json.Unmarshal([]byte(d.Keys), &set) != nil {
		return nil
	}
	var all []Key
	for _, k := range set.Keys {
		all = append(all, Key{k.KeyID, kindOf(k.Key)})
	}
	return all
}

func kindOf(key any) string {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA, %d bits", key.N.BitLen())
	case *ecdsa.PublicKey:
		return "EC, " + key.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return "Unknown"
}
