package seal

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func parse(t *testing.T, text string) *Keyring {
	t.Helper()
	ring, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func TestOpensOnlyInItsPlace(t *testing.T) {
	ring := parse(t, NewLine("k1"))
	sealed := ring.Seal([]byte("seed"), "totp", "row 7")
	if bytes.Contains(sealed, []byte("seed")) {
		t.Fatal("the value is readable")
	}
	if got, err := ring.Open(sealed, "totp", "row 7"); err != nil || string(got) != "seed" {
		t.Fatalf("Open: %q, %v", got, err)
	}
	for _, place := range [][]string{{"totp", "row 8"}, {"totprow 7"}, {"totp"}, nil, {"totp", "row 7", ""}} {
		if _, err := ring.Open(sealed, place...); !errors.Is(err, ErrOpen) {
			t.Errorf("opened in %q: %v", place, err)
		}
	}
}

func TestEveryChangedByteIsNoticed(t *testing.T) {
	ring := parse(t, NewLine("k1"))
	sealed := ring.Seal([]byte("seed"), "x")
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := ring.Open(changed, "x"); !errors.Is(err, ErrOpen) {
			t.Errorf("byte %d changed: %v", i, err)
		}
		if _, err := ring.Open(sealed[:i], "x"); !errors.Is(err, ErrOpen) {
			t.Errorf("cut at %d: %v", i, err)
		}
	}
}

func TestRotation(t *testing.T) {
	first, second := NewLine("k1"), NewLine("k2")
	sealed := parse(t, first).Seal([]byte("seed"), "x")
	both := parse(t, "# newest first\n"+second+"\n"+first)
	if got, err := both.Open(sealed, "x"); err != nil || string(got) != "seed" {
		t.Fatalf("the retired key does not open: %q, %v", got, err)
	}
	if !both.Old(sealed) || both.Old(both.Seal(nil, "x")) {
		t.Error("Old does not tell the retired key from the active one")
	}
	if _, err := parse(t, second).Open(sealed, "x"); !errors.Is(err, ErrOpen) {
		t.Errorf("opened without its key: %v", err)
	}
}

func TestBadKeyringsAreRefusedWithoutTheirContent(t *testing.T) {
	good := NewLine("k1")
	for _, text := range []string{"", "# nothing", "k1", "k1 c2VjcmV0c2VjcmV0", good + good, good + "k2 !!!topsecret!!!"} {
		_, err := Parse(text)
		if err == nil {
			t.Errorf("accepted: %q", text)
			continue
		}
		if strings.Contains(err.Error(), "c2Vj") || strings.Contains(err.Error(), "topsecret") {
			t.Errorf("the error tells the key: %v", err)
		}
	}
}
