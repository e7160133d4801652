package application

import "testing"

func FuzzKeysAreReadOrRefused(f *testing.F) {
	f.Add(`{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`)
	f.Add("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----")
	f.Fuzz(func(t *testing.T, text string) {
		keys, err := readKeys(text)
		if err != nil {
			return
		}
		if again, err := readKeys(keys); err != nil || again != keys || len((&Draft{Keys: keys}).PublicKeys()) == 0 {
			t.Errorf("%q was stored as %q, which reads as %q, %v", text, keys, again, err)
		}
	})
}
