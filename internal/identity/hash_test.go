package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mandate/internal/fault"
)

func TestHashAndVerify(t *testing.T) {
	phc := hashPassword(MinimumCost, "pässword \xff")
	if !strings.HasPrefix(phc, "$argon2id$v=19$m=8,t=1,p=1$") {
		t.Errorf("the hash is %q", phc)
	}
	for password, want := range map[Secret]bool{"pässword \xff": true, "pässword ": false, "PÄSSWORD \xff": false, "": false, "pässword \xff ": false} {
		match, cost, err := verifyPassword(phc, password)
		if err != nil || match != want || cost != MinimumCost {
			t.Errorf("%q: %v, %v, %v", string(password), match, cost, err)
		}
	}
	if hashPassword(MinimumCost, "x") == hashPassword(MinimumCost, "x") {
		t.Error("two hashes of one password are equal: the salt is not fresh")
	}
}

// The known answer of argon2id, from the algorithm's reference program.
func TestHashOfAnotherProgram(t *testing.T) {
	const phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if match, _, err := verifyPassword(phc, "password"); err != nil || !match {
		t.Errorf("%v, %v", match, err)
	}
}

func FuzzParsePHC(f *testing.F) {
	f.Add(hashPassword(MinimumCost, "x"))
	f.Add("$argon2id$v=19$m=4294967295,t=1,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, phc string) {
		c, salt, hash, err := parsePHC(phc)
		if err != nil {
			return
		}
		if c.MemoryKiB > maxMemory || c.Passes > maxPasses {
			t.Errorf("a cost of %+v is accepted", c)
		}
		if again, _, _, err := parsePHC(formatPHC(c, salt, hash)); err != nil || again != c {
			t.Errorf("does not read what it writes: %v", err)
		}
	})
}

// Whoever waits two seconds for a place is sent away, and what they waited for
// is never done.
func TestHashQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, err := newHasher(MinimumCost, 1)
		if err != nil {
			t.Fatal(err)
		}
		release := make(chan struct{})
		go h.work(context.Background(), func() { <-release })
		synctest.Wait()
		began := time.Now()
		_, err = h.hash(t.Context(), "x")
		if fault.KindOf(err) != fault.Unavailable || time.Since(began) != hashWait {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		h.waiting.Store(hashQueue)
		began = time.Now()
		if _, err := h.hash(t.Context(), "x"); fault.KindOf(err) != fault.Unavailable || time.Since(began) != 0 {
			t.Errorf("with a full queue, after %v: %v", time.Since(began), err)
		}
		h.waiting.Store(0)
		close(release)
		if _, err := h.hash(t.Context(), "x"); err != nil {
			t.Errorf("with a free place: %v", err)
		}
	})
}

func TestSecretsDoNotPrint(t *testing.T) {
	s := Secret("topsecret")
	inside := struct {
		S Secret
		P *Secret
	}{s, &s}
	text, err := json.Marshal(inside)
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []string{
		fmt.Sprint(s), fmt.Sprintf("%s %q %x %d %v %+v %#v", s, s, s, s, s, s, s), fmt.Sprintf("%v %+v %#v", inside, inside, inside), string(text),
		fmt.Sprint(Answer{Password: s, Code: s}), fmt.Sprint(Mail{Link: s}), fmt.Sprint(Granted{Token: s}),
	} {
		if strings.Contains(got, "topsecret") || strings.Contains(got, "746f70") {
			t.Errorf("printed: %s", got)
		}
	}
}

func TestUsernameKeys(t *testing.T) {
	for _, same := range [][]string{{"dana", "DANA", " Dana ", "ＤＡＮＡ"}, {"straße", "STRASSE"}, {"ﬁona", "fiona"}, {"é-user", "e\u0301-user"}} {
		for _, spelling := range same {
			if got, want := UsernameKey(spelling), UsernameKey(same[0]); got != want || got == "" {
				t.Errorf("%q has the key %q, want %q", spelling, got, want)
			}
		}
	}
	for _, nobody := range []string{"", "  ", "a\x00b", "\xff", strings.Repeat("x", 300), "a\nb"} {
		if got := UsernameKey(nobody); got != "" {
			t.Errorf("%q has the key %q, want none", nobody, got)
		}
	}
	for username, ok := range map[string]bool{"abc": true, "ab": false, "a b c": false, "dana.w@x-y_z": true, "a\u202eb": false,
		strings.Repeat("x", 64): true, strings.Repeat("x", 65): false, "\xffabc": false} {
		if got := usernameProblem(username); (got == "") != ok {
			t.Errorf("%q: %q", username, got)
		}
	}
}
