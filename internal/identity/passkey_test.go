package identity_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/db/dbtest"
	"mandate/internal/fault"
	"mandate/internal/identity"
)

const origin = "http://localhost:8080"

// An authenticator is a passkey in software: one key, with a counter.
type authenticator struct {
	t     *testing.T
	key   *ecdsa.PrivateKey
	id    []byte
	count uint32
}

func newAuthenticator(t *testing.T) *authenticator {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &authenticator{t: t, key: key, id: []byte(rand.Text())}
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (a *authenticator) cbor(v any) []byte {
	b, err := cbor.Marshal(v)
	if err != nil {
		a.t.Fatal(err)
	}
	return b
}

func (a *authenticator) json(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		a.t.Fatal(err)
	}
	return b
}

// clientData is what the browser signs with: the challenge of the options, and
// where it was asked.
func (a *authenticator) clientData(kind, from string, options []byte) []byte {
	var o struct {
		PublicKey struct {
			Challenge string `json:"challenge"`
		} `json:"publicKey"`
	}
	if err := json.Unmarshal(options, &o); err != nil || o.PublicKey.Challenge == "" {
		a.t.Fatalf("options %s: %v", options, err)
	}
	return a.json(map[string]any{"type": kind, "challenge": o.PublicKey.Challenge, "origin": from, "crossOrigin": false})
}

// data is the authenticator data: user present and verified.
func (a *authenticator) data(flags byte, more []byte) []byte {
	party := sha256.Sum256([]byte("localhost"))
	a.count++
	data := append(party[:], flags|0x05)
	return append(binary.BigEndian.AppendUint32(data, a.count), more...)
}

func (a *authenticator) create(options []byte) []byte {
	pub, err := a.key.PublicKey.Bytes()
	if err != nil {
		a.t.Fatal(err)
	}
	more := make([]byte, 16) // no model named
	more = binary.BigEndian.AppendUint16(more, uint16(len(a.id)))
	more = append(more, a.id...)
	more = append(more, a.cbor(map[int]any{1: 2, 3: -7, -1: 1, -2: pub[1:33], -3: pub[33:]})...)
	object := a.cbor(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": a.data(0x40, more)})
	return a.json(map[string]any{"id": b64(a.id), "rawId": b64(a.id), "type": "public-key", "response": map[string]any{
		"clientDataJSON": b64(a.clientData("webauthn.create", origin, options)), "attestationObject": b64(object)}})
}

func (a *authenticator) sign(from string, options []byte) []byte {
	client := a.clientData("webauthn.get", from, options)
	data := a.data(0, nil)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(append(append([]byte{}, data...), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, digest[:])
	if err != nil {
		a.t.Fatal(err)
	}
	return a.json(map[string]any{"id": b64(a.id), "rawId": b64(a.id), "type": "public-key", "response": map[string]any{
		"clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(signature)}})
}

func (w *world) addPasskey(g identity.Granted) *authenticator {
	w.t.Helper()
	caller := g.Session.Caller
	if _, err := w.s.BeginPasskey(w.t.Context(), caller); fault.KindOf(err) != fault.StepUp {
		w.t.Errorf("enrolling without a high-risk authorization: %v", err)
	}
	if err := w.prove(g, identity.Challenge{Action: "auth.second_factor_added", Target: caller.ID, Content: []byte("passkey")}, ownPassword); err != nil {
		w.t.Fatal(err)
	}
	options, err := w.s.BeginPasskey(w.t.Context(), caller)
	if err != nil {
		w.t.Fatal(err)
	}
	a := newAuthenticator(w.t)
	answer := a.create(options)
	recovery, err := w.s.FinishPasskey(w.t.Context(), caller, "Laptop", answer)
	if err != nil || len(recovery) != 10 {
		w.t.Fatalf("finish: %d codes, %v", len(recovery), err)
	}
	if _, err := w.s.FinishPasskey(w.t.Context(), caller, "Laptop", answer); err == nil {
		w.t.Error("the same answer enrols twice")
	}
	return a
}

func TestSignInWithPasskey(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.enrolled("dana", bank.StatusActive)
		a := w.addPasskey(w.signIn("dana"))
		waiting := w.signIn("dana")
		ask := func() []byte {
			t.Helper()
			options, err := w.s.AskPasskeyToSignIn(t.Context(), harbor, waiting.Token)
			if err != nil {
				t.Fatal(err)
			}
			return options
		}
		answer := a.sign("http://localhost.evil.example", ask())
		if _, err := w.second(waiting, identity.Answer{Passkey: answer}); !errors.Is(err, identity.ErrSignIn) {
			t.Errorf("an answer given to another site: %v", err)
		}
		answer = newAuthenticator(t).sign(origin, ask())
		if _, err := w.second(waiting, identity.Answer{Passkey: answer}); !errors.Is(err, identity.ErrSignIn) {
			t.Errorf("another key: %v", err)
		}
		answer = a.sign(origin, ask())
		g, err := w.second(waiting, identity.Answer{Passkey: answer})
		if err != nil || g.Session.Factor != "passkey" {
			t.Fatalf("the right key: %v", err)
		}
		w.wantOpen(g, true)
		waiting = w.signIn("dana")
		ask()
		if _, err := w.second(waiting, identity.Answer{Passkey: answer}); !errors.Is(err, identity.ErrSignIn) {
			t.Errorf("an answer is accepted twice: %v", err)
		}
		a.count = 0 // a copy that knows nothing of what the other has signed
		if _, err := w.second(waiting, identity.Answer{Passkey: a.sign(origin, ask())}); !errors.Is(err, identity.ErrSignIn) {
			t.Errorf("a copied key: %v", err)
		}
	})
}

// What a passkey signs for one high-risk authorization is of no use for
// another, nor for signing in.
func TestPasskeyIsAskedForOneChallenge(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.enrolled("dana", bank.StatusActive)
		g := w.signIn("dana")
		a := w.addPasskey(g)
		options, err := w.s.AskPasskey(t.Context(), g.Session.Caller, delete7)
		if err != nil {
			t.Fatal(err)
		}
		answer := identity.Answer{Passkey: a.sign(origin, options)}
		other := delete7
		other.Content = []byte("8")
		if err := w.prove(g, other, answer); fault.KindOf(err) != fault.StepUp {
			t.Errorf("for other content: %v", err)
		}
		if err := w.prove(g, delete7, answer); err != nil {
			t.Errorf("for what was asked: %v", err)
		}
		if err := w.act(g.Session.Caller, delete7); err != nil {
			t.Error(err)
		}
		if err := w.prove(g, delete7, answer); fault.KindOf(err) != fault.StepUp {
			t.Errorf("twice: %v", err)
		}
		options, err = w.s.AskPasskey(t.Context(), g.Session.Caller, delete7)
		if err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(5 * minute)
		if err := w.prove(g, delete7, identity.Answer{Passkey: a.sign(origin, options)}); fault.KindOf(err) != fault.StepUp {
			t.Errorf("after five minutes: %v", err)
		}
	})
}
